//! What the Go source of the API types says about zero values.
//!
//! Go files come in, the fields that vanish when they hold their zero value go out. Whether such
//! a field is a scalar is left to OpenAPI.

use std::collections::{BTreeMap, BTreeSet};

/// The fields of Go structs, as far as their zero values are concerned.
pub(crate) struct Structs<'a> {
    /// Per type its fields that are not pointers and `omitempty`.
    omitted: BTreeMap<String, BTreeSet<&'a str>>,
    /// Per type the types embedded in it.
    embedded: BTreeMap<String, Vec<String>>,
}

impl<'a> Structs<'a> {
    /// Reads the structs of all files, given as import path and text.
    pub(crate) fn parse(files: &'a [(String, String)]) -> Self {
        let mut structs = Self {
            omitted: BTreeMap::new(),
            embedded: BTreeMap::new(),
        };
        for (path, text) in files {
            let package = path.replacen("k8s.io", "io.k8s", 1).replace('/', ".");
            let mut current = None;
            for line in text.lines() {
                let header = line
                    .strip_prefix("type ")
                    .and_then(|l| l.strip_suffix(" struct {"));
                if let Some(name) = header {
                    current = Some(format!("{package}.{name}"));
                } else if line == "}" {
                    current = None;
                } else if let Some(name) = &current {
                    structs.read_field((&package, name), line);
                }
            }
        }
        structs
    }

    /// Reads a line such as ``Name Type `json:"name,omitempty"` `` or ``Type `json:",inline"` ``.
    fn read_field(&mut self, (package, name): (&str, &str), line: &'a str) {
        let Some((declared, tags)) = line.split_once('`') else {
            return;
        };
        let Some(tag) = tags
            .split("json:\"")
            .nth(1)
            .and_then(|tag| tag.split('"').next())
        else {
            return;
        };
        let words: Vec<&str> = declared.split_whitespace().collect();
        match (words.as_slice(), tag.split_once(',')) {
            ([of], Some(("", "inline"))) => {
                let embedded = self.embedded.entry(name.to_owned()).or_default();
                embedded.push(format!("{package}.{of}"));
            }
            ([_, of], Some((key, "omitempty"))) if !of.starts_with('*') => {
                self.omitted.entry(name.to_owned()).or_default().insert(key);
            }
            _ => {}
        }
    }

    /// Whether the API server leaves the field out when it holds `""`, `0` or `false`.
    pub(crate) fn drops_zero(&self, (name, key): (&str, &str)) -> bool {
        self.omitted
            .get(name)
            .is_some_and(|keys| keys.contains(key))
            || self
                .embedded
                .get(name)
                .is_some_and(|of| of.iter().any(|name| self.drops_zero((name, key))))
    }
}
