//! Whether a live resource is what the API server makes of a manifest alone, plus what is foreign.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Fields by which an item of a list is known, the most telling first.
const KEYS: [&str; 3] = ["mountPath", "devicePath", "name"];

/// What releases, controllers and the API server write into any resource.
const METADATA: [&str; 6] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "namespace",
    "resourceVersion",
    "uid",
];
const MARKS: [&str; 10] = [
    "app.kubernetes.io/managed-by",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    "topology.kubernetes.io/zone",
];

/// Takes away what says nothing about the manifest, and what is assigned.
pub(in crate::plan) fn clean(mut body: Value, assigned: &[String]) -> Value {
    body.as_object_mut().unwrap().remove("status");
    let metadata = body["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| !METADATA.contains(&field.as_str()));
    for marked in ["labels", "annotations"] {
        let fields = metadata.get_mut(marked).and_then(Value::as_object_mut);
        let left = fields.map(|fields| {
            fields.retain(|key, _| !MARKS.contains(&key.as_str()));
            fields.len()
        });
        if left == Some(0) {
            metadata.remove(marked);
        }
    }
    for path in assigned {
        let (parent, field) = path.rsplit_once('.').unwrap();
        let parent = body.pointer_mut(&format!("/{}", parent.replace('.', "/")));
        let parent = parent.and_then(Value::as_object_mut);
        if let Some(parent) = parent {
            parent.remove(field);
        }
    }
    body
}

/// What differs between the first, live, and the second, made anew, but for the third, foreign.
pub(in crate::plan) fn compare([live, anew, foreign]: &[Value; 3]) -> Vec<String> {
    let mut found = vec![];
    value("", [live, anew, foreign], &mut found);
    found
}

fn value(path: &str, [live, anew, foreign]: [&Value; 3], found: &mut Vec<String>) {
    match (live, anew, foreign) {
        (Value::Object(live), Value::Object(anew), Value::Object(_) | Value::Null) => {
            let keys: BTreeSet<&String> = live.keys().chain(anew.keys()).collect();
            for key in keys {
                let at = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
                let foreign = foreign.get(key).unwrap_or(&Value::Null);
                value(
                    &format!("{path}.{key}"),
                    [&at(live), &at(anew), foreign],
                    found,
                );
            }
            for key in foreign.as_object().into_iter().flat_map(Map::keys) {
                if !live.contains_key(key) {
                    found.push(format!("{path}.{key} of somebody else is lost"));
                }
            }
        }
        (Value::Array(live), Value::Array(anew), Value::Array(_) | Value::Null) => {
            let foreign = foreign.as_array().map_or(&[][..], Vec::as_slice);
            list(path, [live, anew, foreign], found);
        }
        (live, Value::Null, foreign) if !foreign.is_null() => {
            if !contains(live, foreign) {
                found.push(format!(
                    "{path}: {live} and not {foreign}, which somebody else wrote"
                ));
            }
        }
        (live, anew, foreign) => {
            let wanted = if foreign.is_null() { anew } else { foreign };
            if live != wanted {
                found.push(format!("{path}: {live} and not {wanted}"));
            }
        }
    }
}

fn key(item: &Value) -> Option<&Value> {
    KEYS.iter().find_map(|key| item.get(key))
}

fn find<'a>(list: &'a [Value], item: &Value) -> Option<&'a Value> {
    let key = key(item)?;
    list.iter().find(|other| self::key(other) == Some(key))
}

fn list(path: &str, [live, anew, foreign]: [&[Value]; 3], found: &mut Vec<String>) {
    for item in foreign {
        if !find(live, item).is_some_and(|live| contains(live, item)) {
            found.push(format!("{path}: {item} of somebody else is lost"));
        }
    }
    let is_foreign = |item: &&Value| find(foreign, item).is_some() && find(anew, item).is_none();
    let own: Vec<&Value> = live.iter().filter(|item| !is_foreign(item)).collect();
    if own.len() != anew.len() {
        let own: Value = own.into_iter().cloned().collect();
        let anew: Value = anew.iter().cloned().collect();
        found.push(format!("{path}: {own} and not {anew}"));
        return;
    }
    for (index, (live, anew)) in own.into_iter().zip(anew).enumerate() {
        let foreign = find(foreign, anew).unwrap_or(&Value::Null);
        value(&format!("{path}.{index}"), [live, anew, foreign], found);
    }
}

/// Whether all of a part is in a whole.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => part
            .iter()
            .all(|part| whole.iter().any(|whole| contains(whole, part))),
        _ => whole == part,
    }
}
