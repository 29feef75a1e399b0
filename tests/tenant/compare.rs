//! What the objects of a release have other than those of kubeadm.
//!
//! Objects become maps from paths to scalars: files in config maps are parsed, lists of things
//! with names become maps, and lists of words have no order. What is not there equals a zero.

use std::collections::{BTreeMap, BTreeSet};

use pintle::yaml;
use serde_json::{Map, Value};

/// Annotations by which controllers count their work.
const COUNTERS: [&str; 2] = [
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
];

/// Objects by kind, namespace and name: `Role kube-system/kube-proxy`.
pub(super) type Objects = BTreeMap<String, Value>;
/// The scalars of an object by their paths.
type Leaves = BTreeMap<String, Value>;

/// Returns the paths at which `ours` is not as `theirs`, each after the object that it is in; an
/// object that one of them lacks stands there with no path.
///
/// Labels and annotations that only we have say who manages an object, and do not count.
pub(super) fn differences(ours: &Objects, theirs: &Objects) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in ours.keys().chain(theirs.keys()) {
        match (ours.get(name), theirs.get(name)) {
            (Some(ours), Some(theirs)) => {
                let paths = paths(&leaves(ours), &leaves(theirs));
                found.extend(paths.into_iter().map(|path| format!("{name} {path}")));
            }
            _ => {
                found.insert(name.clone());
            }
        }
    }
    found
}

fn paths(ours: &Leaves, theirs: &Leaves) -> BTreeSet<String> {
    let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let is_mark = |path: &str| path.starts_with("metadata.") && !theirs.contains_key(path);
    let differs = |path: &&String| match (ours.get(*path), theirs.get(*path)) {
        (Some(ours), Some(theirs)) => ours != theirs,
        (one, other) => one.or(other).is_some_and(|some| !is_zero(some)) && !is_mark(path),
    };
    all.into_iter().filter(differs).cloned().collect()
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => ["", "0", "0s"].contains(&text.as_str()),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn leaves(object: &Value) -> Leaves {
    let mut wanted = Map::new();
    let metadata = &object["metadata"];
    for field in ["labels", "annotations"] {
        let mut marks = metadata[field].clone();
        if let Some(marks) = marks.as_object_mut() {
            // What controllers count by.
            marks.retain(|key, _| !COUNTERS.contains(&key.as_str()));
        }
        wanted.insert(format!("metadata.{field}"), marks);
    }
    for field in ["spec", "rules", "roleRef", "subjects"] {
        wanted.insert(field.to_owned(), object[field].clone());
    }
    for (key, text) in object["data"].as_object().into_iter().flatten() {
        wanted.insert(format!("data.{key}"), parsed(key, text.as_str().unwrap()));
    }
    let mut leaves = Leaves::new();
    flatten("", &Value::Object(wanted), &mut leaves);
    leaves
}

/// A file of a config map. Of a Corefile, its lines in any order.
fn parsed(key: &str, text: &str) -> Value {
    if key != "Corefile" {
        return yaml::parse(text).unwrap();
    }
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Value::from).collect()
}

fn flatten(path: &str, value: &Value, leaves: &mut Leaves) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                flatten(&below(key), field, leaves);
            }
        }
        Value::Array(items) => {
            for (index, item) in sorted(items).into_iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str);
                let index = index.to_string();
                let key = format!("[{}]", name.unwrap_or(&index));
                flatten(&below(&key), &item, leaves);
            }
        }
        scalar => {
            leaves.insert(path.to_owned(), scalar.clone());
        }
    }
}

/// The items of a list, with no order of their own, nor of the lists in them.
fn sorted(items: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = items.iter().map(settled).collect();
    items.sort_by_key(Value::to_string);
    items
}

fn settled(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(sorted(items)),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(key, field)| (key.clone(), settled(field)))
                .collect()
        }
        scalar => scalar.clone(),
    }
}
