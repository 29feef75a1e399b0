//! Between JSON and the template engine's own values.
//!
//! Trees come in on one side and go out on the other, with numbers that keep their kind and keys
//! in order. What stands in the trees is left to the callers.

use serde_json::{Map, Number, Value as Json};
use tera::value::{Key, ValueKind};
use tera::{TeraResult, Value};

/// Nesting beyond this is refused: deeper trees would threaten the stack further down.
pub(super) const MAX_DEPTH: usize = 256;

/// Whether no branch of `value` is nested more than `levels` deep.
pub(super) fn fits(value: &Json, levels: usize) -> bool {
    match value {
        Json::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Json::Object(map) => levels > 0 && map.values().all(|item| fits(item, levels - 1)),
        _ => true,
    }
}

/// Takes a tree that [`fits`] into the template engine. Numbers that are integers become
/// integers, so that a template prints `6443` and never `6443.0`.
pub(super) fn to_tera(value: Json) -> Value {
    match value {
        Json::Null => Value::none(),
        Json::Bool(flag) => Value::from(flag),
        Json::Number(number) => number_to_tera(number),
        Json::String(text) => Value::from(text),
        Json::Array(items) => list_to_tera(items),
        Json::Object(map) => map_to_tera(map),
    }
}

/// [`to_tera`] for a map. What has been taken over is freed on the way.
pub(super) fn map_to_tera(map: Map<String, Json>) -> Value {
    // Loops, because they need little of the stack at each level.
    let mut all = tera::Map::with_capacity(map.len());
    for (key, item) in map {
        all.insert(to_key(&key), to_tera(item));
    }
    Value::from(all)
}

fn list_to_tera(items: Vec<Json>) -> Value {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        all.push(to_tera(item));
    }
    Value::from(all)
}

/// The key of a map in the template engine.
pub(super) fn to_key(key: &str) -> Key<'static> {
    Key::String(key.into())
}

fn number_to_tera(number: Number) -> Value {
    let number = crate::yaml::fold_integer(number);
    if let Some(integer) = number.as_i64() {
        Value::from(integer)
    } else if let Some(integer) = number.as_u64() {
        Value::from(integer)
    } else {
        number.as_f64().map_or_else(Value::none, Value::from)
    }
}

/// Takes a value out of the template engine.
///
/// # Errors
/// If something in it is undefined, is not text, is a number that JSON cannot hold, or is nested
/// too deep. The error never holds the value.
pub(super) fn to_json(value: &Value) -> TeraResult<Json> {
    convert(value, MAX_DEPTH)
}

fn convert(value: &Value, levels: usize) -> TeraResult<Json> {
    let Some(below) = levels.checked_sub(1) else {
        let text = format!("the value is nested more than {MAX_DEPTH} deep");
        return Err(tera::Error::message(text));
    };
    if let Some(items) = value.as_array() {
        return items.iter().map(|item| convert(item, below)).collect();
    }
    if let Some(map) = value.as_map() {
        return map
            .iter()
            .map(|(key, item)| match convert(item, below) {
                Err(_) if item.is_undefined() => {
                    let text = format!("the value of the key {key} is not defined");
                    Err(tera::Error::message(text))
                }
                other => Ok((key.to_string(), other?)),
            })
            .collect::<TeraResult<Map<_, _>>>()
            .map(Json::Object);
    }
    scalar(value)
}

fn scalar(value: &Value) -> TeraResult<Json> {
    let number = match value.kind() {
        ValueKind::None => return Ok(Json::Null),
        ValueKind::Bool => return Ok(Json::Bool(value.is_truthy())),
        ValueKind::String => return Ok(Json::from(value.as_str().unwrap_or_default())),
        ValueKind::F64 => value.as_f64().and_then(Number::from_f64),
        _ => (value.as_i64().map(Number::from)).or_else(|| value.as_u64().map(Number::from)),
    };
    match number {
        Some(number) => Ok(Json::Number(crate::yaml::fold_integer(number))),
        None if value.is_undefined() => Err(tera::Error::message("a value is not defined")),
        None if value.is_number() => Err(tera::Error::message("a number is out of range")),
        None => Err(tera::Error::message("a value is not text")),
    }
}

/// What kind of value this is, in the words of YAML.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "undefined",
        ValueKind::None => "null",
        ValueKind::Bool => "a boolean",
        ValueKind::String => "a string",
        ValueKind::Array => "a list",
        ValueKind::Map => "a map",
        ValueKind::Bytes => "bytes",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: &Json, printed: &str) {
        assert_eq!(to_tera(value.clone()).to_string(), printed);
    }

    #[test]
    fn numbers_keep_their_kind() {
        check(&json!(6443), "6443");
        check(&json!(6443.0), "6443");
        check(&json!(1e6), "1000000");
        check(&json!(1.5), "1.5");
        check(&json!(-1), "-1");
        check(&json!(u64::MAX), "18446744073709551615");
        check(&json!(i64::MIN), "-9223372036854775808");
    }

    #[test]
    fn keys_are_in_order() {
        check(
            &json!({"b": 1, "a": 2, "c": {}}),
            r#"{"a": 2, "b": 1, "c": {}}"#,
        );
    }

    #[test]
    fn depth_is_measured() {
        let deep = |levels| (0..levels).fold(Json::Null, |below, _| json!([below]));
        assert!(fits(&deep(MAX_DEPTH), MAX_DEPTH));
        assert!(!fits(&deep(MAX_DEPTH + 1), MAX_DEPTH));
    }

    #[test]
    fn what_is_undefined_does_not_become_null() {
        let map = [(to_key("a"), Value::undefined())]
            .into_iter()
            .collect::<tera::Map>();
        let error = to_json(&Value::from(map)).unwrap_err();
        assert_eq!(error.to_string(), "the value of the key a is not defined");
        assert!(to_json(&Value::bytes(*b"x")).is_err());
        assert!(to_json(&Value::from(u128::MAX)).is_err());
        assert!(to_json(&Value::from(f64::NAN)).is_err());
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            (-1e9..1e9).prop_map(|float: f64| Json::from(float.trunc() + 0.5)),
            ".{0,30}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 5, |below| {
            prop_oneof![
                prop::collection::vec(below.clone(), 0..5).prop_map(Json::from),
                prop::collection::btree_map(".{0,6}", below, 0..5)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn trees_survive_a_round_trip(value in tree()) {
            prop_assert_eq!(to_json(&to_tera(value.clone())).unwrap(), value);
        }
    }
}
