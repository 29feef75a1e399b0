//! Makes `schemas/openapi.json`, the data behind `pintle::builtin::openapi`, out of what real
//! kube-apiservers of several minors publish.
//!
//! In come discovery and `/openapi/v3` of each minor, and the Go source that says when an API was
//! deprecated and removed; out goes the text of the file, whose form `pintle::builtin::openapi`
//! explains. What a minor says is written once if the others say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{array, joined, short, write_lines};

/// What one API server says.
pub(crate) struct Minor {
    /// Its version, such as `v1.36.3`.
    pub(crate) version: String,
    /// The answers of `/api` and `/apis`, as in [`super::Documents`].
    pub(crate) discovery: Vec<Value>,
    /// The documents of `/openapi/v3`, as in [`super::Documents`].
    pub(crate) openapi: Vec<Value>,
}

/// Required fields that the API server fills in or does without, although its OpenAPI calls them
/// required.
const FILLED_IN: [(&str, &str); 3] = [
    ("discovery.v1.EndpointSlice", "endpoints"),
    ("events.v1.Event", "eventTime"),
    ("rbac.v1.RoleRef", "apiGroup"),
];

/// What the API server warns of and the Go source of the API does not say: name, since when, and what
/// to use instead.
const WARNED_OF: [[&str; 3]; 1] = [["v1/Endpoints", "1.33", "discovery.k8s.io/v1/EndpointSlice"]];

/// Writes the data: JSON with one kind and one type per line, the same bytes for the same input.
///
/// `minors` are in rising order. `go` is folder and text of each `register.go` and
/// `zz_generated.prerelease-lifecycle.go` of the API's Go modules.
pub(crate) fn text(minors: &[Minor], go: &[(String, String)]) -> String {
    let numbers: Vec<u32> = minors.iter().map(|minor| number(&minor.version)).collect();
    let mut kinds = Spans::default();
    let mut types: BTreeMap<String, Spans> = BTreeMap::new();
    for (minor, number) in minors.iter().zip(&numbers) {
        let schemas = Schemas::new(minor);
        let served = schemas.kinds();
        for (name, root) in &served {
            kinds.add(name, *number, root.clone());
        }
        for (name, fields) in schemas.reachable(served.values()) {
            let known = types.entry(name).or_default();
            for (field, kind) in fields {
                known.add(&field, *number, kind);
            }
        }
    }
    let versions: Vec<&str> = minors.iter().map(|minor| minor.version.as_str()).collect();
    let mut text = format!("{{\n\"versions\": {},\n", json!(versions));
    let line = |(name, value): (&String, Value)| format!("{}: {value}", json!(name));
    let lines = kinds
        .0
        .keys()
        .map(|name| (name, kinds.value(name, &numbers)));
    write_lines(&mut text, ("kinds", '{', '}'), lines.map(line));
    text.push_str(",\n");
    let lifecycles = lifecycles(go, numbers.last().copied().unwrap_or_default());
    let lines = lifecycles.iter().map(|(name, value)| (name, value.clone()));
    write_lines(&mut text, ("lifecycles", '{', '}'), lines.map(line));
    text.push_str(",\n");
    let lines = types.iter().map(|(name, fields)| {
        let fields: Map<String, Value> = (fields.0.keys())
            .map(|field| (field.clone(), fields.value(field, &numbers)))
            .collect();
        (name, Value::Object(fields))
    });
    write_lines(&mut text, ("types", '{', '}'), lines.map(line));
    text.push_str("\n}\n");
    text
}

fn number(version: &str) -> u32 {
    version.split('.').nth(1).unwrap().parse().unwrap()
}

/// What each minor says under a name.
#[derive(Default)]
struct Spans(BTreeMap<String, Vec<(u32, String)>>);

impl Spans {
    fn add(&mut self, name: &str, minor: u32, text: String) {
        self.0
            .entry(name.to_owned())
            .or_default()
            .push((minor, text));
    }

    /// One text where all minors say the same; else each text with its minors: `36 string`,
    /// `34-35 string`.
    fn value(&self, name: &str, minors: &[u32]) -> Value {
        let said = &self.0[name];
        if said.len() == minors.len() && said.iter().all(|(_, text)| *text == said[0].1) {
            return json!(said[0].1);
        }
        let mut spans: Vec<(u32, u32, &str)> = Vec::new();
        for (minor, text) in said {
            match spans.last_mut() {
                Some((_, to, last)) if *last == text && *to + 1 == *minor => *to = *minor,
                _ => spans.push((*minor, *minor, text)),
            }
        }
        let spans = spans.into_iter().map(|(from, to, text)| {
            if from == to {
                format!("{from} {text}")
            } else {
                format!("{from}-{to} {text}")
            }
        });
        spans.collect::<Vec<_>>().into()
    }
}

/// The schemas of one minor.
struct Schemas<'a> {
    minor: &'a Minor,
    by_name: BTreeMap<String, &'a Value>,
    roots: BTreeMap<[&'a str; 3], String>,
}

impl<'a> Schemas<'a> {
    fn new(minor: &'a Minor) -> Self {
        let mut by_name = BTreeMap::new();
        let mut roots = BTreeMap::new();
        let documents = minor.openapi.iter();
        let all = documents.filter_map(|document| document["components"]["schemas"].as_object());
        for (name, schema) in all.flatten() {
            by_name.insert(short(name), schema);
            if let [kind] = array(&schema["x-kubernetes-group-version-kind"]) {
                let key = ["group", "version", "kind"].map(|key| kind[key].as_str().unwrap());
                roots.insert(key, short(name));
            }
        }
        Self {
            minor,
            by_name,
            roots,
        }
    }

    /// Every kind that can be created, as `group/version/Kind`, with the name of its type.
    fn kinds(&self) -> BTreeMap<String, String> {
        let mut kinds = BTreeMap::new();
        let groups = self.minor.discovery.iter();
        for group in groups.flat_map(|list| array(&list["items"])) {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            for version in array(&group["versions"]) {
                let served = version["version"].as_str().unwrap();
                for resource in array(&version["resources"]) {
                    let kind = resource["responseKind"]["kind"].as_str().unwrap();
                    let creates = array(&resource["verbs"])
                        .iter()
                        .any(|verb| verb == "create");
                    if let (true, Some(root)) = (creates, self.roots.get(&[name, served, kind])) {
                        kinds.insert(joined(name, served, '/') + "/" + kind, root.clone());
                    }
                }
            }
        }
        kinds
    }

    /// The fields of every type that the roots lead to, with their types as words.
    fn reachable<'r>(
        &self,
        roots: impl Iterator<Item = &'r String>,
    ) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let mut open: Vec<String> = roots.cloned().collect();
        while let Some(name) = open.pop() {
            if found.contains_key(&name) {
                continue;
            }
            let fields = self.fields(&name, &mut open);
            found.insert(name, fields);
        }
        found
    }

    fn fields(&self, name: &str, open: &mut Vec<String>) -> BTreeMap<String, String> {
        let schema = self.by_name[name];
        let is_root = !schema["x-kubernetes-group-version-kind"].is_null();
        let required: BTreeSet<&str> = (array(&schema["required"]).iter())
            .filter_map(Value::as_str)
            .filter(|field| !FILLED_IN.contains(&(name, *field)))
            .collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let field = |(key, property): (&String, &Value)| {
            let text = if is_root && key == "status" {
                // Whatever a manifest says of the status, the API server does not take it.
                "any".to_owned()
            } else {
                self.word(property, open)
            };
            let mark = if required.contains(key.as_str()) {
                "!"
            } else {
                ""
            };
            (key.clone(), format!("{text}{mark}"))
        };
        properties.map(field).collect()
    }

    /// The type of a field as one word.
    fn word(&self, property: &Value, open: &mut Vec<String>) -> String {
        let reference = property["$ref"]
            .as_str()
            .or_else(|| property["allOf"][0]["$ref"].as_str());
        if let Some(reference) = reference {
            return self.referred(&short(reference.rsplit('/').next().unwrap()), open);
        }
        let format = property["format"].as_str().unwrap_or_default();
        match (property["type"].as_str(), format) {
            (Some("array"), _) => format!("[]{}", self.word(&property["items"], open)),
            (Some("object"), _) if property["additionalProperties"].is_object() => {
                format!("{{}}{}", self.word(&property["additionalProperties"], open))
            }
            (Some("string"), "byte") => "bytes".to_owned(),
            (Some("string"), _) => words(array(&property["enum"])),
            (Some("integer"), format) => format.to_owned(),
            (Some(kind), _) => kind.to_owned(),
            (None, _) => "any".to_owned(),
        }
    }

    fn referred(&self, name: &str, open: &mut Vec<String>) -> String {
        let schema = self.by_name[name];
        let word = match (name, schema["type"].as_str()) {
            ("api.resource.Quantity", _) => "quantity",
            _ if schema["format"] == "int-or-string" => "int-or-string",
            _ if schema["format"] == "date-time" => "time",
            (_, Some("string")) => "string",
            _ if schema["properties"].is_object() => {
                open.push(name.to_owned());
                return name.to_owned();
            }
            // `RawExtension`, `FieldsV1` and the parts of `JSONSchemaProps` that can be several
            // things.
            _ => "any",
        };
        word.to_owned()
    }
}

/// `string`, or `string=A|B` where not every string will do.
fn words(values: &[Value]) -> String {
    let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    if values.is_empty() {
        "string".to_owned()
    } else {
        assert!(values.iter().all(|value| !value.contains(['|', '!'])));
        format!("string={}", values.join("|"))
    }
}

/// When kinds were deprecated and removed, as far as that is so in the minor `newest`.
fn lifecycles(go: &[(String, String)], newest: u32) -> BTreeMap<String, Value> {
    let groups: BTreeMap<&str, &str> = (go.iter())
        .filter_map(|(folder, text)| {
            let rest = text.split_once("const GroupName = \"")?.1;
            Some((folder.as_str(), rest.split('"').next()?))
        })
        .collect();
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for (folder, text) in go {
        let version = folder.rsplit('/').next().unwrap();
        let Some(group) = groups.get(folder.as_str()) else {
            continue;
        };
        for function in text.split("\nfunc (in *").skip(1) {
            let (kind, rest) = function.split_once(") APILifecycle").unwrap();
            let (what, rest) = rest.split_once("()").unwrap();
            let body = rest
                .split_once("return ")
                .unwrap()
                .1
                .lines()
                .next()
                .unwrap();
            let name = joined(group, version, '/') + "/" + kind;
            let value = match what {
                "Deprecated" | "Removed" => json!(body.replace(", ", ".")),
                "Replacement" => json!(replacement(body)),
                _ => continue,
            };
            found.entry(name).or_insert_with(|| json!({}))[what.to_lowercase()] = value;
        }
    }
    let began = |value: &Value| {
        let minor = value.as_str().and_then(|text| text.split('.').nth(1));
        minor.is_some_and(|minor| minor.parse::<u32>().unwrap() <= newest)
    };
    found.retain(|name, value| !name.ends_with("List") && began(&value["deprecated"]));
    for [name, deprecated, replacement] in WARNED_OF {
        let value = json!({"deprecated": deprecated, "replacement": replacement});
        found.insert(name.to_owned(), value);
    }
    found
}

/// `batch/v1/CronJob` for `schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}`.
fn replacement(body: &str) -> String {
    let parts: Vec<&str> = body.split('"').skip(1).step_by(2).collect();
    let [group, version, kind] = parts[..] else {
        panic!("{body}");
    };
    joined(group, version, '/') + "/" + kind
}
