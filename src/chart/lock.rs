//! `Chart.lock`: which versions of its dependencies a chart was put together with.
//!
//! Its text comes in, a [`Lock`] goes out, which tells whether it was made for the dependencies of
//! a `Chart.yaml`. Finding the charts is left to the loader.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::digest::hex;
use super::metadata::read::document;
use super::metadata::read::fields::{Fields, fault};
use super::{Dependency, Error, Problem};

/// Go's zero time, which Helm writes where there is none.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// What `Chart.lock` says, in the field names of Helm's release record (helm/helm
/// `pkg/chart/v2/dependency.go`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// When it was made (RFC 3339).
    pub generated: String,
    /// The digest of the dependencies it was made for.
    pub digest: String,
    /// The versions that were chosen.
    pub dependencies: Option<Vec<Dependency>>,
}

impl Lock {
    /// Reads the text of `file`: a `Chart.lock`, or a `requirements.lock`.
    ///
    /// # Errors
    /// If `text` is not YAML, or a field is of the wrong type.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        document(file, text, |tree| {
            let empty = Value::Object(Map::new());
            let root = Fields::root(if tree.is_null() { &empty } else { tree })?;
            let generated = match root.raw_text("generated")?.as_str() {
                "" => ZERO_TIME.to_owned(),
                time if is_time(time) => time.to_owned(),
                time => {
                    let problem = Problem::Value {
                        value: time.to_owned(),
                        expected: "a time such as 2026-01-31T12:00:00Z".to_owned(),
                    };
                    return Err(fault(root.at("generated"), problem));
                }
            };
            let dependencies = root.entries("dependencies", |fields| {
                Ok(Dependency {
                    name: fields.raw_text("name")?,
                    version: fields.raw_text("version")?,
                    repository: fields.raw_text("repository")?,
                    ..Dependency::default()
                })
            })?;
            Ok(Self {
                generated,
                digest: root.raw_text("digest")?,
                dependencies: root.has("dependencies").then_some(dependencies),
            })
        })
    }

    /// Tells whether it was made for these `dependencies` of a chart of format `api_version`.
    ///
    /// Locks of charts of format v1 may have been made by Helm 2, which computed another digest.
    pub fn fits(&self, api_version: &str, dependencies: &[Dependency]) -> bool {
        let locked = self.dependencies.as_deref();
        let wanted = (!dependencies.is_empty()).then_some(dependencies);
        self.digest == digest(&[wanted, locked])
            || api_version == "v1"
                && self.digest == digest(&serde_json::json!({ "dependencies": wanted }))
    }
}

/// Whether Go's `time.Time` reads the text.
fn is_time(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Helm's digest (helm/helm `internal/resolver`): the SHA-256 of the JSON that Go would write.
fn digest(data: &impl Serialize) -> String {
    // Plain data can always be written.
    let data = serde_json::to_value(data).unwrap_or_default();
    let json = escaped(&written(&data));
    format!("sha256:{}", hex(&Sha256::digest(json.as_bytes())))
}

/// Writes a list of lists of dependencies: their fields in Helm's order, all else as Go writes maps.
fn written(data: &Value) -> String {
    /// The fields of a dependency in Helm's order; mappings in them are sorted.
    const FIELDS: [&str; 8] = [
        "name",
        "version",
        "repository",
        "condition",
        "tags",
        "enabled",
        "import-values",
        "alias",
    ];
    match data {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let mut fields: Vec<(&String, &Value)> = map.iter().collect();
            let rank = |key: &str| FIELDS.iter().position(|field| *field == key);
            fields.sort_by_key(|(key, _)| (rank(key), *key));
            let field = |(key, value): (&String, &Value)| {
                format!("{}:{}", Value::from(key.as_str()), written(value))
            };
            let fields: Vec<String> = fields.into_iter().map(field).collect();
            format!("{{{}}}", fields.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// Go writes these characters so that JSON can stand in HTML and JavaScript.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Metadata;

    const HEAD: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

    #[track_caller]
    fn check_written(dependencies: &str, expected: &str) {
        let text = format!("{HEAD}dependencies: {dependencies}\n");
        let found = Metadata::parse(&text).unwrap().dependencies;
        let found = serde_json::to_value(found).unwrap();
        assert_eq!(escaped(&written(&found)), expected);
    }

    #[test]
    fn dependencies_are_written_as_go_does() {
        check_written(
            "[{alias: x, name: db, version: '>=1 <2', repository: 'https://h/a?b&c'}]",
            r#"[{"name":"db","version":"\u003e=1 \u003c2","repository":"https://h/a?b\u0026c","alias":"x"}]"#,
        );
        check_written(
            "[{name: db, condition: db.on, tags: [a], enabled: true,
               import-values: [data, {parent: p, child: c}]}]",
            r#"[{"name":"db","repository":"","condition":"db.on","tags":["a"],"enabled":true,"import-values":["data",{"child":"c","parent":"p"}]}]"#,
        );
    }

    #[test]
    fn the_digest_is_helms() {
        // Computed by Helm's own formula: SHA-256 of [requirements, locked].
        let json = r#"[[{"name":"a","repository":""}],null]"#;
        let hash = hex(&Sha256::digest(json.as_bytes()));
        let lock = |text: &str| Lock::parse("Chart.lock", text).unwrap();
        let dependencies = [Dependency {
            name: "a".to_owned(),
            ..Dependency::default()
        }];
        let fitting = lock(&format!("digest: sha256:{hash}\n"));
        assert!(fitting.fits("v2", &dependencies));
        assert!(!fitting.fits("v2", &[]));
        assert!(!lock("").fits("v2", &dependencies));
        let json = r#"{"dependencies":[{"name":"a","repository":""}]}"#;
        let hash = hex(&Sha256::digest(json.as_bytes()));
        let old = lock(&format!("digest: sha256:{hash}\n"));
        assert!(old.fits("v1", &dependencies));
        assert!(!old.fits("v2", &dependencies));
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = Lock::parse("Chart.lock", text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn faults_name_the_place() {
        check_error("- 1", "Chart.lock:1:1: the document must be a mapping");
        check_error(
            "generated: soon",
            "Chart.lock:1:12: generated is \"soon\": must be a time such as 2026-01-31T12:00:00Z",
        );
        check_error("digest: [1]", "Chart.lock:1:9: digest must be a string");
        check_error(
            "dependencies: [~]",
            "Chart.lock:1:16: dependencies[0] must not be null",
        );
    }
}
