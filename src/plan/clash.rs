//! What two parts of one manifest claim, each of which is right by itself.
//!
//! The API server finds neither: node ports are taken when a Service is written, and a list may name
//! a variable twice, of which a later patch loses one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objection::{About, Class, Objection};
use crate::builtin::{Keyed, Shape, Type};
use crate::manifest::{Manifest, Resource};
use crate::yaml::{self, Step};

/// Services that ask for a node port that another one of the manifest asks for.
pub(super) fn node_ports(desired: &Manifest) -> Vec<Objection> {
    let mut owners: BTreeMap<u64, &Resource> = BTreeMap::new();
    let mut found = vec![];
    for resource in desired.resources.iter().filter(|r| r.id.kind == "Service") {
        let ports = resource
            .body
            .pointer("/spec/ports")
            .and_then(Value::as_array);
        let ports = ports.into_iter().flatten();
        for port in ports.filter_map(|port| port.get("nodePort")?.as_u64()) {
            let owner = owners.entry(port).or_insert(resource);
            if port == 0 || owner.id == resource.id {
                continue;
            }
            found.push(Objection {
                id: resource.id.clone(),
                origin: Some(resource.origin.clone()),
                about: About::Itself,
                reason: format!(
                    "node port {port} is asked for by {} ({}) as well",
                    owner.id, owner.origin
                ),
                remedy: None,
                class: Class::Refused,
            });
        }
    }
    found
}

/// The items of lists that stand twice in a resource, in words.
pub(super) fn duplicates(resource: &Resource, desired: &Manifest, schema: Type<'_>) -> Vec<String> {
    let mut search = Search {
        path: vec![],
        found: vec![],
    };
    search.object(schema, &resource.body);
    let Search { found, .. } = search;
    if found.is_empty() {
        return vec![];
    }
    let text = text(resource, desired);
    let line = |path: &[Step]| {
        let (line, _) = yaml::locate(text?, path)?;
        Some(format!(
            "{}:{}",
            resource.origin.template,
            resource.origin.line + line - 1
        ))
    };
    let place = |path: &[Step]| line(path).unwrap_or_else(|| shown(path));
    found
        .iter()
        .map(|twice| {
            let (first, second) = (place(&twice.first), place(&twice.second));
            format!(
                "{} stands twice in {}, at {first} and {second}",
                twice.key, twice.list
            )
        })
        .collect()
}

/// The rendered text of a resource.
fn text<'a>(resource: &Resource, desired: &'a Manifest) -> Option<&'a str> {
    let is_meant = |text: &str| {
        let body = yaml::parse(text).unwrap_or_default();
        body.pointer("/metadata/name").and_then(Value::as_str) == Some(&resource.id.name)
    };
    let mut documents = desired.documents.iter();
    let found = documents.find(|document| {
        document.template == resource.origin.template
            && document.kind == resource.id.kind
            && is_meant(&document.text)
    });
    found.map(|document| document.text.as_str())
}

struct Twice {
    list: String,
    key: String,
    first: Vec<Step>,
    second: Vec<Step>,
}

struct Search {
    path: Vec<Step>,
    found: Vec<Twice>,
}

impl Search {
    fn object(&mut self, of: Type<'_>, value: &Value) {
        for (name, value) in value.as_object().into_iter().flatten() {
            self.path.push(Step::Key(name.clone()));
            self.value(of.field(name), value);
            self.path.pop();
        }
    }

    fn value(&mut self, shape: Shape<'_>, value: &Value) {
        match (shape, value) {
            (Shape::Object(of, _), Value::Object(_)) => self.object(of, value),
            (Shape::Items(of), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.value(of.shape(), item);
                    self.path.pop();
                }
            }
            (Shape::Keyed(keyed), Value::Array(items)) => self.keyed(keyed, items),
            _ => {}
        }
    }

    fn keyed(&mut self, keyed: &Keyed, items: &[Value]) {
        let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Index(index));
            if let Some(key) = key(keyed, item)
                && let Some(first) = seen.insert(key.clone(), index)
            {
                let second = self.path.clone();
                let mut other = second.clone();
                other.pop();
                let list = shown(&other);
                other.push(Step::Index(first));
                self.found.push(Twice {
                    list,
                    key: key.join("/"),
                    first: other,
                    second,
                });
            }
            self.object(keyed.item_type(), item);
            self.path.pop();
        }
    }
}

fn key(keyed: &Keyed, item: &Value) -> Option<Vec<String>> {
    let keys = keyed.keys.iter();
    let mut key = vec![];
    for (name, default) in keys {
        let value = match item.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) if !value.is_null() => value.to_string(),
            _ => default.clone()?,
        };
        key.push(value);
    }
    Some(key)
}

fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Index(index) => text.extend(["[", index.to_string().as_str(), "]"]),
        }
    }
    text
}
