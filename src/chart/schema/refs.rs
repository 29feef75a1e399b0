//! Where a schema refers to itself, and the rules that are passed over there.

use serde_json::Value;

use super::rules::inline::{DATA, RULES, mentions_rules};
use super::{Error, parse};

/// A `$ref` to a part of the schema that has rules: they are evaluated where they stand, and not
/// where they are referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBelowRef {
    /// Where the reference stands: a JSON pointer into the schema, such as `/properties/a/$ref`.
    pub at: String,
    /// The reference, such as `#/$defs/port`.
    pub reference: String,
}

/// Finds every reference in a schema to a part of it that has rules (`x-kubernetes-validations`).
///
/// Values are not checked by such rules, so they must be written again where the reference stands,
/// beside it; references that have all of them beside them are left out. [`Schema::compile`](super::Schema::compile) does not refuse them, because what is
/// referred to may be evaluated for other values.
///
/// # Errors
/// If the schema is not JSON.
pub fn rules_below_refs(schema: &[u8]) -> Result<Vec<RuleBelowRef>, Error> {
    let schema = parse(schema)?;
    let mut found = vec![];
    find(&schema, (&schema, ""), &mut found);
    Ok(found)
}

fn find(root: &Value, (node, at): (&Value, &str), found: &mut Vec<RuleBelowRef>) {
    match node {
        Value::Object(map) => {
            let reference = map.get("$ref").and_then(Value::as_str);
            if let Some(reference) = reference
                && target(root, reference).is_some_and(|target| !repeats(node, target))
            {
                found.push(RuleBelowRef {
                    at: format!("{at}/$ref"),
                    reference: reference.to_owned(),
                });
            }
            for (key, inner) in map.iter().filter(|(key, _)| !DATA.contains(&key.as_str())) {
                let key = key.replace('~', "~0").replace('/', "~1");
                find(root, (inner, &format!("{at}/{key}")), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                find(root, (inner, &format!("{at}/{index}")), found);
            }
        }
        _ => {}
    }
}

/// Whether `node` has every rule of `target`, at the same places.
fn repeats(node: &Value, target: &Value) -> bool {
    match target {
        _ if !mentions_rules(target) => true,
        Value::Object(map) => map.iter().all(|(key, inner)| match key.as_str() {
            RULES => {
                let own = node[key].as_array();
                let mut rules = inner.as_array().into_iter().flatten();
                rules.all(|rule| own.is_some_and(|own| own.contains(rule)))
            }
            key if DATA.contains(&key) => true,
            key => repeats(&node[key], inner),
        }),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.all(|(index, inner)| repeats(&node[index], inner))
        }
        _ => true,
    }
}

/// The part of the schema that a reference within it means.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let fragment = reference.strip_prefix('#')?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return root.pointer(fragment);
    }
    anchored(root, fragment)
}

/// The part with this anchor: `$anchor`, or `$id` (`id` in draft 4) with `#`.
fn anchored<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    let is_named = |map: &serde_json::Map<String, Value>| {
        map.get("$anchor").and_then(Value::as_str) == Some(name)
            || ["$id", "id"].iter().any(|key| {
                let id = map.get(*key).and_then(Value::as_str);
                id.and_then(|id| id.strip_prefix('#')) == Some(name)
            })
    };
    match node {
        Value::Object(map) if is_named(map) => Some(node),
        Value::Object(map) => map.values().find_map(|inner| anchored(inner, name)),
        Value::Array(items) => items.iter().find_map(|inner| anchored(inner, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: &Value, expected: &[(&str, &str)]) {
        let found = rules_below_refs(schema.to_string().as_bytes()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.at.as_str(), one.reference.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rules_behind_references_are_found() {
        let rules = json!([{"rule": "self > 0"}]);
        let port = json!({"$anchor": "port", "x-kubernetes-validations": rules});
        check(
            &json!({
                "properties": {
                    "a/b": {"$ref": "#/$defs/port"},
                    "c": {"items": {"$ref": "#port"}},
                    "d": {"$ref": "#/$defs/plain", "x-kubernetes-validations": rules},
                    "e": {"default": {"$ref": "#port"}},
                    "f": {"anyOf": [{"$ref": "#/$defs/outer"}]},
                },
                "$defs": {"port": port, "plain": {}, "outer": {"properties": {"p": port}}},
            }),
            &[
                ("/properties/a~1b/$ref", "#/$defs/port"),
                ("/properties/c/items/$ref", "#port"),
                ("/properties/f/anyOf/0/$ref", "#/$defs/outer"),
            ],
        );
        check(&json!({"properties": {"a": {"$ref": "#"}}}), &[]);
        let tree = json!({"properties": {"a": {"$ref": "#"}}, "x-kubernetes-validations": rules});
        check(&tree, &[("/properties/a/$ref", "#")]);
        assert!(rules_below_refs(b"{").is_err());
        check(
            &json!({"properties": {
                "a": {"$ref": "#/properties/b"},
                "b": {"x-kubernetes-validations": rules},
                "c": {"$ref": "#/properties/b", "x-kubernetes-validations": rules},
                "d": {"$ref": "#/properties/e", "properties": {"x": {}}},
                "e": {"properties": {"x": {"x-kubernetes-validations": rules}}},
            }}),
            &[
                ("/properties/a/$ref", "#/properties/b"),
                ("/properties/d/$ref", "#/properties/e"),
            ],
        );
    }
}
