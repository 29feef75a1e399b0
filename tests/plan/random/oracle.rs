//! What three states of a resource come to, field by field: what is wanted is set, what was applied and
//! is wanted no more is gone, and all else stays.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

/// Lists whose items are known by these of their fields, with the value of one that is absent.
const KEYS: [(&str, &[(&str, &str)]); 9] = [
    ("containers", &[("name", "")]),
    ("initContainers", &[("name", "")]),
    ("env", &[("name", "")]),
    ("volumes", &[("name", "")]),
    ("volumeMounts", &[("mountPath", "")]),
    ("imagePullSecrets", &[("name", "")]),
    ("hostAliases", &[("ip", "")]),
    (
        "ports",
        &[("port", ""), ("containerPort", ""), ("protocol", "TCP")],
    ),
    (
        "topologySpreadConstraints",
        &[("topologyKey", ""), ("whenUnsatisfiable", "")],
    ),
];

/// Objects that go as wholes when they are wanted no more: their presence means something.
const WHOLE: [&str; 14] = [
    "configMap",
    "emptyDir",
    "exec",
    "fieldRef",
    "hostPath",
    "httpGet",
    "livenessProbe",
    "rollingUpdate",
    "secret",
    "secretKeyRef",
    "securityContext",
    "strategy",
    "tcpSocket",
    "valueFrom",
];

/// What holds one of several things: a change leaves only what is wanted.
const UNIONS: [&str; 2] = ["volumes", "strategy"];

/// Lists of scalars without order.
const SETS: [&str; 1] = ["finalizers"];

/// Merges base, desired and live.
pub(super) fn merged([base, desired, live]: [&Value; 3]) -> Value {
    value("", [Some(base), Some(desired), Some(live)]).unwrap()
}

fn value(name: &str, sides: [Option<&Value>; 3]) -> Option<Value> {
    let [base, desired, live] = sides.map(|side| side.filter(|value| !value.is_null()));
    if base.is_none() && desired.is_none() {
        return live.cloned();
    }
    match (desired, live) {
        (Some(Value::Object(_)), Some(Value::Object(_))) => {
            Some(object(name, [base, desired, live]))
        }
        (Some(Value::Array(_)), Some(Value::Array(_))) if keys(name).is_some() => {
            Some(list(name, [base, desired, live]))
        }
        (Some(Value::Array(_)), Some(Value::Array(_))) if SETS.contains(&name) => {
            Some(set([base, desired, live]))
        }
        (None, Some(Value::Object(_))) if !WHOLE.contains(&name) => {
            Some(object(name, [base, None, live]))
        }
        (None, Some(Value::Array(_))) if keys(name).is_some() => {
            Some(list(name, [base, None, live]))
        }
        _ => desired.cloned(),
    }
}

fn object(name: &str, sides: [Option<&Value>; 3]) -> Value {
    let fields = sides.map(|side| side.and_then(Value::as_object));
    let names: BTreeSet<&String> = fields
        .iter()
        .flatten()
        .flat_map(|fields| fields.keys())
        .collect();
    let merged = names.into_iter().filter_map(|field| {
        let at = fields.map(|fields| fields?.get(field));
        Some((field.clone(), value(field, at)?))
    });
    let mut merged: Map<String, Value> = merged.collect();
    if let [_, Some(desired), Some(live)] = fields
        && UNIONS.contains(&name)
        && merged != *live
    {
        merged.retain(|field, _| desired.contains_key(field));
    }
    Value::Object(merged)
}

fn keys(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    KEYS.iter()
        .find(|(list, _)| *list == name)
        .map(|(_, keys)| *keys)
}

fn key(name: &str, item: &Value) -> String {
    let part = |(field, absent): &(&str, &str)| {
        item.get(field).map_or((*absent).to_owned(), |value| {
            value.to_string().replace('"', "")
        })
    };
    keys(name)
        .unwrap()
        .iter()
        .map(part)
        .collect::<Vec<_>>()
        .join("/")
}

fn items(side: Option<&Value>) -> &[Value] {
    side.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn list(name: &str, sides: [Option<&Value>; 3]) -> Value {
    let all = sides.iter().flat_map(|side| items(*side));
    let all: BTreeSet<String> = all.map(|item| key(name, item)).collect();
    let merged = all.iter().filter_map(|wanted| {
        let at = sides.map(|side| items(side).iter().find(|item| key(name, item) == *wanted));
        match at {
            // An item goes as a whole.
            [Some(_), None, _] => None,
            at => value(name, at),
        }
    });
    merged.collect()
}

fn set(sides: [Option<&Value>; 3]) -> Value {
    let [base, desired, live] = sides.map(items);
    let kept = live.iter().filter(|item| !base.contains(item));
    kept.chain(desired)
        .collect::<HashSet<_>>()
        .into_iter()
        .cloned()
        .collect()
}

/// The body with its lists in the order of their keys.
pub(super) fn sorted(body: Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let mut value = sorted(value);
                if let (Value::Array(items), true) = (&mut value, SETS.contains(&&*name)) {
                    items.sort_by_key(Value::to_string);
                }
                if let (Value::Array(items), Some(_)) = (&mut value, keys(&name)) {
                    items.sort_by_key(|item| key(&name, item));
                }
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

/// What an item's list is grouped by: all of its keys but the last.
fn group(name: &str, item: &Value) -> String {
    let key = key(name, item);
    key.rsplit_once('/')
        .map_or(&*key, |(first, _)| first)
        .to_owned()
}

/// The items as the API server may place them: those of one group together.
fn grouped<'a>(name: &str, items: &'a [Value]) -> Vec<&'a Value> {
    let mut all: Vec<&Value> = items.iter().collect();
    all.sort_by_cached_key(|item| {
        let mut others = items.iter();
        others.position(|other| group(name, other) == group(name, item))
    });
    all
}

/// Whether the items of lists stand in the wanted order.
pub(super) fn is_ordered(desired: &Value, after: &Value) -> bool {
    let (Value::Object(desired), Value::Object(after)) = (desired, after) else {
        return true;
    };
    desired
        .iter()
        .all(|(name, wanted)| match (keys(name), after.get(name)) {
            (Some(_), Some(Value::Array(after))) => {
                let place = |item: &Value| {
                    let mut after = after.iter();
                    after.position(|other| key(name, other) == key(name, item))
                };
                let wanted = items(Some(wanted));
                let placed =
                    |all: &[&Value]| all.iter().map(|item| place(item)).collect::<Vec<_>>();
                let as_is = placed(&wanted.iter().collect::<Vec<_>>());
                let together = placed(&grouped(name, wanted));
                let within = wanted.iter().all(|item| {
                    let found = place(item).and_then(|place| after.get(place));
                    found.is_some_and(|found| is_ordered(item, found))
                });
                let is_sorted = as_is.is_sorted() || together.is_sorted();
                is_sorted && as_is.iter().all(Option::is_some) && within
            }
            (None, Some(after)) => is_ordered(wanted, after),
            _ => true,
        })
}
