//! The key `global` in values, which parents put there whether a schema knows it or not.

use std::borrow::Cow;

use serde_json::Value;

const GLOBAL: &str = "global";
/// Schemas that lead to more schemas for the same value than this are taken to know the key.
const MAX_STEPS: usize = 1_000;

/// Whether a schema says anything about the key: then it is judged like any other.
pub(super) fn is_known(document: &Value) -> bool {
    let mut open = vec![(document, Sense::Asserts)];
    let mut steps = 0;
    while let Some((schema, sense)) = open.pop() {
        steps += 1;
        if steps > MAX_STEPS || speaks(schema, sense) {
            return true;
        }
        let inner = in_place(schema, document).into_iter();
        open.extend(inner.map(|inner| (inner, sense)));
        open.extend(schema.get("not").map(|inner| (inner, Sense::Denies)));
    }
    false
}

/// Whether values must fit a schema, or must not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Asserts,
    Denies,
}

/// A schema that only says that there is no such key says nothing of a key that is always there.
fn speaks(schema: &Value, sense: Sense) -> bool {
    let mut required = schema["required"].as_array().into_iter().flatten();
    schema["properties"].get(GLOBAL).is_some()
        || (sense == Sense::Asserts && required.any(|name| name == GLOBAL))
}

/// The schemas that are asked of the same value as `schema`, in the same sense.
fn in_place<'s>(schema: &'s Value, document: &'s Value) -> Vec<&'s Value> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter();
    let lists = lists.filter_map(|key| schema[key].as_array()).flatten();
    let single = ["if", "then", "else"].into_iter();
    let single = single.filter_map(|key| schema.get(key));
    let target = schema["$ref"].as_str();
    let target = target.and_then(|at| document.pointer(at.strip_prefix('#')?));
    lists.chain(single).chain(target).collect()
}

/// The values without the key.
pub(super) fn without(values: &Value) -> Cow<'_, Value> {
    let mut values = Cow::Borrowed(values);
    if values.get(GLOBAL).is_some()
        && let Value::Object(map) = values.to_mut()
    {
        map.remove(GLOBAL);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: &Value, expected: &str) {
        let found = if is_known(schema) {
            "known"
        } else {
            "not known"
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_schema_that_speaks_of_the_key_knows_it() {
        check(&json!({"additionalProperties": false}), "not known");
        check(
            &json!({"properties": {"a": {"properties": {"global": {}}}}}),
            "not known",
        );
        check(&json!({"properties": {"global": {}}}), "known");
        check(&json!({"required": ["global"]}), "known");
        check(
            &json!({"allOf": [{"if": {"required": ["global"]}}]}),
            "known",
        );
        let definitions = json!({"a": {"properties": {"global": {}}}});
        check(&json!({"$ref": "#/$defs/a", "$defs": definitions}), "known");
        check(&json!({"$defs": definitions}), "not known");
        check(&json!({"$ref": "#"}), "known");
        check(&json!(true), "not known");
        check(&json!({"not": {"required": ["global"]}}), "not known");
        check(&json!({"not": {"properties": {"global": {}}}}), "known");
        check(&json!({"minProperties": 1}), "not known");
    }
}
