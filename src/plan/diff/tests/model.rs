//! What the API server does with a patch, written from its documentation: a small, slow model
//! that refuses what the server refuses.

use serde_json::{Map, Value};

use crate::builtin::{Presence, SetMerge, Shape, Type};
use crate::plan::diff::Patch;

type Applied<T> = Result<T, String>;

/// Applies a patch to a live resource.
pub(super) fn apply(schema: Option<Type<'_>>, live: &Value, patch: &Patch) -> Applied<Value> {
    match patch {
        Patch::Merge(patch) => Ok(merge(live.clone(), patch)),
        Patch::StrategicMerge(patch) => {
            let shape = schema.map_or(Shape::Unknown, |of| Shape::Object(of, Presence::Always));
            value(shape, live.clone(), patch)
        }
    }
}

/// RFC 7386.
fn merge(live: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut live = match live {
        Value::Object(live) => live,
        _ => Map::new(),
    };
    for (key, patch) in patch {
        let old = live.remove(key).unwrap_or_default();
        if !patch.is_null() {
            live.insert(key.clone(), merge(old, patch));
        }
    }
    live.into()
}

fn value(shape: Shape<'_>, live: Value, patch: &Value) -> Applied<Value> {
    match (shape, live, patch) {
        (Shape::Object(_, Presence::Replace), Value::Object(_), _) => Ok(patch.clone()),
        (shape, Value::Object(live), Value::Object(patch)) => {
            object(shape, live, patch).map(Value::Object)
        }
        (Shape::Keyed(keyed), Value::Array(live), Value::Array(patch)) => match keyed.merge_key() {
            Some(key) => {
                let item = Shape::Object(keyed.item_type(), keyed.item_presence());
                keyed_list((key, item), live, patch).map(Value::Array)
            }
            None => Ok(patch.clone().into()),
        },
        (Shape::Set(SetMerge::Merge), Value::Array(mut live), Value::Array(patch)) => {
            for item in patch {
                if !live.contains(item) {
                    live.push(item.clone());
                }
            }
            Ok(live.into())
        }
        _ => Ok(stripped(patch)),
    }
}

fn object(
    shape: Shape<'_>,
    mut live: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Applied<Map<String, Value>> {
    if patch
        .get("$patch")
        .is_some_and(|directive| directive == "replace")
    {
        let fields = patch.iter().filter(|(key, _)| *key != "$patch");
        return Ok(fields
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect());
    }
    if shape == Shape::Opaque {
        return Err("free-form JSON has no fields to merge by".to_owned());
    }
    if let Some(Value::Array(kept)) = patch.get("$retainKeys") {
        let is_kept = |key: &str| kept.iter().any(|kept| kept == key);
        let mut set = patch
            .iter()
            .filter(|(key, value)| !key.starts_with('$') && !value.is_null());
        if let Some((key, _)) = set.find(|(key, _)| !is_kept(key)) {
            return Err(format!("{key} is set and not retained"));
        }
        live.retain(|key, _| is_kept(key));
    }
    for (key, patch) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let new = match live.remove(key) {
            _ if patch.is_null() => continue,
            Some(old) => value(field(shape, key), old, patch)?,
            None => stripped(patch),
        };
        live.insert(key.clone(), new);
    }
    for (directive, argument) in patch {
        let argument = argument.as_array().map_or(&[][..], Vec::as_slice);
        if let Some(key) = directive.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(Value::Array(list)) = live.get_mut(key) {
                list.retain(|item| !argument.contains(item));
            }
        } else if let Some(key) = directive.strip_prefix("$setElementOrder/") {
            let Shape::Keyed(keyed) = field(shape, key) else {
                return Err(format!("{key} has no keys"));
            };
            let name = keyed.merge_key().ok_or("no merge key")?;
            let patched = patch.get(key).and_then(Value::as_array);
            check_order(name, patched.map_or(&[], Vec::as_slice), argument)?;
            if let Some(Value::Array(list)) = live.get_mut(key) {
                let old = list.clone();
                *list = ordered(name, list, argument, &old);
            }
        }
    }
    Ok(live)
}

fn field<'a>(shape: Shape<'a>, key: &str) -> Shape<'a> {
    match shape {
        Shape::Object(of, _) => of.field(key),
        Shape::Map(of) => of.shape(),
        _ => Shape::Unknown,
    }
}

/// The patched items must stand in the patch as they stand in the order.
fn check_order(key: &str, patch: &[Value], order: &[Value]) -> Applied<()> {
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get("$patch").is_none()) {
        if !rest.any(|place| place[key] == item[key]) {
            return Err(format!("{} is not where the order has it", item[key]));
        }
    }
    Ok(())
}

fn keyed_list(
    (key, shape): (&str, Shape<'_>),
    live: Vec<Value>,
    patch: &[Value],
) -> Applied<Vec<Value>> {
    let old = live.clone();
    let mut live = live;
    let (special, plain): (Vec<_>, Vec<_>) =
        patch.iter().partition(|item| item.get("$patch").is_some());
    for item in &special {
        match item["$patch"].as_str() {
            Some("replace") => return Ok(grouped(key, &plain)),
            Some("delete") => live.retain(|other| other[key] != item[key]),
            directive => return Err(format!("unknown directive {directive:?}")),
        }
    }
    for item in &plain {
        if item.get(key).is_none() {
            return Err(format!("an item has no {key}"));
        }
        match live.iter_mut().find(|other| other[key] == item[key]) {
            Some(other) => *other = value(shape, other.take(), item)?,
            None => live.push(stripped(item)),
        }
    }
    let order: Vec<Value> = plain.into_iter().cloned().collect();
    Ok(ordered(key, &live, &order, &old))
}

/// Moves items with the same key together, behind the first of them.
pub(super) fn grouped(key: &str, list: &[&Value]) -> Vec<Value> {
    let first = |item: &Value| list.iter().position(|other| other[key] == item[key]);
    let mut placed = list.to_vec();
    placed.sort_by_cached_key(|item| first(item));
    placed.into_iter().cloned().collect()
}

/// Puts the items that are in the order into it, and the others where they stood before.
fn ordered(key: &str, list: &[Value], order: &[Value], old: &[Value]) -> Vec<Value> {
    let place = |of: &[Value], item: &Value| of.iter().position(|other| other[key] == item[key]);
    let (mut named, others): (Vec<&Value>, Vec<&Value>) =
        list.iter().partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    let mut others = others.into_iter().peekable();
    let mut merged = Vec::new();
    for item in named {
        // What is new comes before all others.
        let goes_first = |other: &&Value| match (place(old, item), place(old, other)) {
            (Some(item), Some(other)) => other < item,
            _ => false,
        };
        while let Some(other) = others.next_if(goes_first) {
            merged.push(other.clone());
        }
        merged.push(item.clone());
    }
    merged.extend(others.cloned());
    merged
}

/// What is left of a patch where there is nothing to merge it with.
fn stripped(patch: &Value) -> Value {
    match patch {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
            .map(|(key, value)| (key.clone(), stripped(value)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter(|item| item.get("$patch").is_none())
            .map(stripped)
            .collect(),
        scalar => scalar.clone(),
    }
}
