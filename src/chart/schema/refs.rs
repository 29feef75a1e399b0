//! Where a schema refers to itself, and what that means.
//!
//! A parsed schema comes in; the references behind which rules would be passed over go out, and an
//! error if references multiply so that checking one value takes forever.

use std::collections::HashMap;

use serde_json::Value;

use super::rules::inline::{DATA, mentions_rules};
use super::{Error, parse};

/// No part of a schema may lead to more schemas than this that apply to the same value.
pub(super) const MAX_REACH: u64 = 100_000;

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
/// beside it. [`Schema::compile`](super::Schema::compile) does not refuse them, because what is
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
                && target(root, reference).is_some_and(mentions_rules)
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

/// The part of the schema that a reference within it means.
fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
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

/// Refuses a schema whose references and alternatives multiply: `n` definitions that each apply
/// the next one twice check a single value 2^n times.
///
/// # Errors
/// With the part of the schema that leads to too many others.
pub(super) fn check_reach(schema: &Value) -> Result<(), Error> {
    let mut reach = Reach {
        root: schema,
        known: HashMap::new(),
    };
    let mut open = vec![(schema, String::new())];
    while let Some((node, at)) = open.pop() {
        if reach.of(node) > MAX_REACH {
            return Err(Error::TooWide { at });
        }
        match node {
            Value::Object(map) => open.extend(map.iter().map(|(key, inner)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                (inner, format!("{at}/{key}"))
            })),
            Value::Array(items) => {
                let item = |(index, inner)| (inner, format!("{at}/{index}"));
                open.extend(items.iter().enumerate().map(item));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many schemas apply to the value that a schema applies to.
struct Reach<'a> {
    root: &'a Value,
    /// By the address of the node; 0 while it is being counted.
    known: HashMap<*const Value, u64>,
}

impl Reach<'_> {
    fn of(&mut self, node: &Value) -> u64 {
        let Value::Object(map) = node else {
            return 1;
        };
        if let Some(known) = self.known.get(&std::ptr::from_ref(node)) {
            return *known;
        }
        self.known.insert(node, 0);
        let mut count = 1_u64;
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = map.get(keyword).and_then(Value::as_array);
            for branch in branches.into_iter().flatten() {
                count = count.saturating_add(self.of(branch));
            }
        }
        for keyword in ["not", "if", "then", "else"] {
            if let Some(inner) = map.get(keyword) {
                count = count.saturating_add(self.of(inner));
            }
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            let inner = map.get(keyword).and_then(Value::as_object);
            for inner in inner.into_iter().flat_map(|inner| inner.values()) {
                count = count.saturating_add(self.of(inner));
            }
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let reference = map.get(keyword).and_then(Value::as_str);
            if let Some(inner) = reference.and_then(|text| target(self.root, text)) {
                count = count.saturating_add(self.of(inner));
            }
        }
        self.known.insert(node, count);
        count
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
    }

    #[test]
    fn references_that_multiply_are_refused() {
        let double = |count: usize, keyword: &str| {
            let mut definitions = serde_json::Map::new();
            for number in 0..count {
                let next = json!({"$ref": format!("#/$defs/d{}", number + 1)});
                definitions.insert(format!("d{number}"), json!({keyword: [next, next]}));
            }
            definitions.insert(format!("d{count}"), json!({"type": "string"}));
            json!({"$ref": "#/$defs/d0", "$defs": definitions})
        };
        for keyword in ["allOf", "anyOf", "oneOf"] {
            assert!(check_reach(&double(12, keyword)).is_ok());
            let error = check_reach(&double(40, keyword)).unwrap_err().to_string();
            assert!(error.contains("more than 100000 schemas"), "{error}");
        }
        let round = json!({
            "$ref": "#/$defs/a",
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}},
        });
        assert!(check_reach(&round).is_ok());
    }
}
