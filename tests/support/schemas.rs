//! Makes `schemas/kubernetes-*.json`, the table behind `pintle::builtin`, out of what a real
//! kube-apiserver publishes.
//!
//! In come the aggregated discovery, the `/openapi/v3` documents and the Go source of the API
//! types; out goes the text of the table. Fetching the documents and writing the file are left to
//! the test that compares the two.
//!
//! The Go source is there for one fact that OpenAPI does not carry: which scalar fields vanish
//! when they hold their zero value (`omitempty` on a plain field) and which keep it (a pointer).

pub(crate) mod openapi;
mod structs;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use self::structs::Structs;

/// Everything that the table is made of.
pub(crate) struct Documents {
    /// The version of the API server, such as `v1.36.3`.
    pub(crate) version: String,
    /// The answers of `/api` and `/apis` to
    /// `Accept: application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList`, in this order.
    pub(crate) discovery: Vec<Value>,
    /// The documents of `/openapi/v3` whose path is `api/VERSION` or `apis/GROUP/VERSION`.
    pub(crate) openapi: Vec<Value>,
    /// Import path, such as `k8s.io/api/core/v1`, and text of each Go file named `types*.go`
    /// (without `types_swagger_doc_generated.go`) of `k8s.io/api`, `k8s.io/apimachinery/pkg/apis`,
    /// `k8s.io/apiextensions-apiserver/pkg/apis` and `k8s.io/kube-aggregator/pkg/apis`.
    pub(crate) go: Vec<(String, String)>,
}

/// Writes the table: JSON with one kind and one type per line, the same bytes for the same input.
pub(crate) fn table(documents: &Documents) -> String {
    let schemas = Schemas::new(documents);
    let (kinds, others) = kinds(documents, &schemas);
    let types = schemas.reachable(kinds.iter().filter_map(|kind| kind["type"].as_str()));

    let mut text = format!("{{\n\"version\": {},\n", json!(documents.version));
    write_lines(
        &mut text,
        ("kinds", '[', ']'),
        kinds.iter().map(Value::to_string),
    );
    text.push_str(",\n");
    write_lines(
        &mut text,
        ("others", '[', ']'),
        others.iter().map(|name| json!(name).to_string()),
    );
    text.push_str(",\n");
    let types = types
        .iter()
        .map(|(name, fields)| format!("{}: {}", json!(name), json!(fields)));
    write_lines(&mut text, ("types", '{', '}'), types);
    text.push_str("\n}\n");
    text
}

fn write_lines(
    text: &mut String,
    (key, open, close): (&str, char, char),
    lines: impl Iterator<Item = String>,
) {
    let lines: Vec<String> = lines.collect();
    let _ = write!(text, "\"{key}\": {open}\n{}\n{close}", lines.join(",\n"));
}

/// The kinds that can be created and read, and the names of everything else that is served.
fn kinds(documents: &Documents, schemas: &Schemas<'_>) -> (Vec<Value>, BTreeSet<String>) {
    let mut kinds = Vec::new();
    let mut others = BTreeSet::new();
    let groups = documents
        .discovery
        .iter()
        .flat_map(|list| array(&list["items"]));
    for group in groups {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in array(&group["versions"]) {
            let served = version["version"].as_str().unwrap_or_default();
            for resource in array(&version["resources"]) {
                let kind = resource["responseKind"]["kind"]
                    .as_str()
                    .unwrap_or_default();
                let verbs = array(&resource["verbs"]);
                if !["create", "get"]
                    .iter()
                    .all(|verb| verbs.iter().any(|v| v == verb))
                {
                    others.insert(joined(name, served, '/') + "/" + kind);
                    continue;
                }
                kinds.push(json!({
                    "group": name,
                    "version": served,
                    "kind": kind,
                    "plural": resource["resource"],
                    "namespaced": resource["scope"] == "Namespaced",
                    "type": schemas.root(name, served, kind),
                }));
            }
        }
    }
    (kinds, others)
}

fn joined(group: &str, version: &str, separator: char) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}{separator}{version}")
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The schemas of all documents by their full name, and what Go says about their fields.
struct Schemas<'a> {
    by_name: BTreeMap<&'a str, &'a Value>,
    roots: BTreeMap<[&'a str; 3], &'a str>,
    structs: Structs<'a>,
}

impl<'a> Schemas<'a> {
    fn new(documents: &'a Documents) -> Self {
        let mut by_name = BTreeMap::new();
        let mut roots = BTreeMap::new();
        for document in &documents.openapi {
            let Some(schemas) = document["components"]["schemas"].as_object() else {
                continue;
            };
            for (name, schema) in schemas {
                by_name.insert(name.as_str(), schema);
                // Types shared by all groups, such as DeleteOptions, carry many kinds.
                if let [kind] = array(&schema["x-kubernetes-group-version-kind"]) {
                    let part = |key: &str| kind[key].as_str().unwrap_or_default();
                    roots.insert(
                        [part("group"), part("version"), part("kind")],
                        name.as_str(),
                    );
                }
            }
        }
        let structs = Structs::parse(&documents.go);
        Self {
            by_name,
            roots,
            structs,
        }
    }

    fn root(&self, group: &str, version: &str, kind: &str) -> Option<String> {
        self.roots
            .get(&[group, version, kind])
            .map(|name| short(name))
    }

    /// The fields of every type that the roots lead to, `status` left out.
    fn reachable<'r>(
        &self,
        roots: impl Iterator<Item = &'r str>,
    ) -> BTreeMap<String, Map<String, Value>> {
        let full: BTreeMap<String, &str> = self
            .by_name
            .keys()
            .map(|name| (short(name), *name))
            .collect();
        let mut types = BTreeMap::new();
        let mut open: Vec<String> = roots.map(str::to_owned).collect();
        while let Some(name) = open.pop() {
            let Some(path) = full.get(&name) else {
                continue;
            };
            if types.contains_key(&name) {
                continue;
            }
            let fields = self.fields(path, &mut open);
            types.insert(name, fields);
        }
        types.retain(|_, fields| !fields.is_empty());
        types
    }

    /// The fields of one type, plain scalars left out.
    fn fields(&self, name: &str, open: &mut Vec<String>) -> Map<String, Value> {
        let schema = self.by_name[name];
        let is_root = !schema["x-kubernetes-group-version-kind"].is_null();
        let mut fields = Map::new();
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            if is_root && key == "status" {
                continue;
            }
            let Some(field) = self.field((name, key), property) else {
                continue;
            };
            if let Some(target) = field.target {
                open.push(target);
            }
            fields.insert(key.clone(), field.text);
        }
        fields
    }

    fn field(&self, place: (&str, &str), property: &Value) -> Option<Field> {
        match property["type"].as_str() {
            Some("array") => self.list(property),
            Some("object") => {
                let of = self.element(&property["additionalProperties"])?;
                Some(Field::new("map", of))
            }
            Some("string") if property["format"] == "byte" => {
                let is_optional = self.structs.drops_zero(place);
                Some(Field::leaf(if is_optional {
                    "optionalbytes"
                } else {
                    "bytes"
                }))
            }
            Some("string" | "integer" | "number") if self.structs.drops_zero(place) => {
                // An empty value of an environment variable is meant; elsewhere an empty string
                // or a zero leaves the choice to the server.
                let meant = place.0.ends_with(".EnvVar");
                Some(Field::leaf(if meant { "omitted" } else { "assigned" }))
            }
            Some("boolean") if self.structs.drops_zero(place) => Some(Field::leaf("omitted")),
            Some(_) => None,
            None => self.object(property),
        }
    }

    fn object(&self, property: &Value) -> Option<Field> {
        let of = self.element(property)?;
        if of.is_leaf {
            return (of.name != "plain").then(|| Field::leaf(&of.name));
        }
        let form = match property["x-kubernetes-patch-strategy"].as_str() {
            Some("retainKeys") => "retain",
            Some("replace") => "replace",
            _ if property["default"].is_null() => "pointer",
            _ => "object",
        };
        Some(Field::new(form, of))
    }

    fn list(&self, property: &Value) -> Option<Field> {
        let strategy = property["x-kubernetes-patch-strategy"]
            .as_str()
            .unwrap_or_default();
        let merges = strategy.starts_with("merge");
        let of = self.element(&property["items"]);
        match property["x-kubernetes-list-type"].as_str() {
            Some("set") => Some(Field {
                text: json!({"set": if merges { "merge" } else { "whole" }}),
                target: None,
            }),
            Some("map") => {
                let of = of?;
                let mut keyed = json!({"of": of.name, "keys": self.keys(&of.name, property)});
                if merges {
                    keyed["merge"] = property["x-kubernetes-patch-merge-key"].clone();
                }
                if strategy.ends_with("retainKeys") {
                    keyed["retain"] = json!(true);
                }
                Some(Field {
                    text: json!({"keyed": keyed}),
                    target: Some(of.name),
                })
            }
            _ => Some(Field::new("items", of?)),
        }
    }

    /// The keys of a list with their defaults, in the API's order.
    fn keys(&self, of: &str, property: &Value) -> Value {
        let schema = self.by_name.iter().find(|(name, _)| short(name) == of);
        let keys = array(&property["x-kubernetes-list-map-keys"])
            .iter()
            .map(|key| {
                let name = key.as_str().unwrap_or_default();
                let default =
                    schema.map_or(&Value::Null, |(_, s)| &s["properties"][name]["default"]);
                // Go's zero values stand in OpenAPI as defaults of required fields.
                let default = if *default == 0 || *default == "" {
                    &Value::Null
                } else {
                    default
                };
                json!([key, default])
            });
        keys.collect()
    }

    /// What the items of a list or the values of a map are, or what a field refers to.
    fn element(&self, property: &Value) -> Option<Element> {
        let reference = property["$ref"]
            .as_str()
            .or_else(|| property["allOf"][0]["$ref"].as_str());
        let Some(reference) = reference else {
            let is_bytes = property["format"] == "byte";
            return Some(Element::leaf(if is_bytes { "bytes" } else { "plain" }));
        };
        let name = reference.rsplit('/').next().unwrap_or_default();
        let schema = self.by_name.get(name)?;
        Some(if name.ends_with(".resource.Quantity") {
            Element::leaf("quantity")
        } else if schema["properties"].is_object() {
            Element {
                name: short(name),
                is_leaf: false,
            }
        } else if schema["type"] == "string" || schema["format"] == "int-or-string" {
            Element::leaf("plain")
        } else {
            Element::leaf("opaque")
        })
    }
}

struct Element {
    name: String,
    is_leaf: bool,
}

impl Element {
    fn leaf(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_leaf: true,
        }
    }
}

struct Field {
    text: Value,
    target: Option<String>,
}

impl Field {
    fn leaf(name: &str) -> Self {
        Self {
            text: json!(name),
            target: None,
        }
    }

    fn new(form: &str, of: Element) -> Self {
        Self {
            text: json!({form: of.name}),
            target: (!of.is_leaf).then_some(of.name),
        }
    }
}

/// `core.v1.Pod` for `io.k8s.api.core.v1.Pod`.
fn short(name: &str) -> String {
    let parts: Vec<&str> = name.rsplitn(4, '.').collect();
    match parts.as_slice() {
        [kind, version, group, _] => format!("{group}.{version}.{kind}"),
        _ => name.to_owned(),
    }
}
