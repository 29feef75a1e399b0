//! What checking by a schema costs, counted before it is done.
//!
//! References and alternatives multiply: of `n` definitions that each apply the next one twice, the
//! last is applied 2^n times. A parsed schema comes in, and values for it or none; an error goes
//! out if it would be applied too often.

use serde_json::{Map, Value};

use super::Error;
use super::refs::target;

/// No part of a schema may lead to more schemas than this that apply to the same value.
pub(super) const MAX_REACH: u32 = 100_000;
/// Parts of a schema may be applied to parts of the values this often.
const MAX_STEPS: u32 = 1_000_000;
/// References may not lead on to others more often than this before they come to another value.
const MAX_CHAIN: usize = 500;

/// Refuses a schema that applies too many of its parts to one value.
///
/// # Errors
/// With the part that leads to too many others.
pub(super) fn check_schema(schema: &Value) -> Result<(), Error> {
    let mut open = vec![(schema, String::new())];
    while let Some((node, at)) = open.pop() {
        Count::new(schema, MAX_REACH)
            .apply(node, None, None)
            .map_err(|Spent| Error::TooWide { at: at.clone() })?;
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

/// Refuses values that a schema would have to be applied to too often.
///
/// # Errors
/// [`Error::TooSlow`].
pub(super) fn check_values(schema: &Value, values: &Value) -> Result<(), Error> {
    Count::new(schema, MAX_STEPS)
        .apply(schema, Some(values), None)
        .map_err(|Spent| Error::TooSlow)
}

/// The limit is reached.
struct Spent;

/// A schema and those that lead to it for the same value.
struct Chain<'c> {
    node: &'c Map<String, Value>,
    before: Option<&'c Self>,
    length: usize,
}

impl<'c> Chain<'c> {
    fn new(node: &'c Map<String, Value>, before: Option<&'c Self>) -> Self {
        let length = before.map_or(0, |before| before.length) + 1;
        Self {
            node,
            before,
            length,
        }
    }

    /// Whether the schema leads to itself, where the validator stops as well.
    fn is_round(&self) -> bool {
        let mut before = self.before;
        while let Some(chain) = before {
            if std::ptr::eq(chain.node, self.node) {
                return true;
            }
            before = chain.before;
        }
        false
    }
}

struct Count<'a> {
    root: &'a Value,
    left: u32,
}

impl<'a> Count<'a> {
    fn new(root: &'a Value, left: u32) -> Self {
        Self { root, left }
    }

    /// Counts what applying `node` to a value takes, or to any one value and nothing below it.
    fn apply(
        &mut self,
        node: &Value,
        value: Option<&Value>,
        chain: Option<&Chain<'_>>,
    ) -> Result<(), Spent> {
        self.left = self.left.checked_sub(1).ok_or(Spent)?;
        let Value::Object(node) = node else {
            return Ok(());
        };
        let chain = Chain::new(node, chain);
        if chain.is_round() {
            return Ok(());
        }
        if chain.length == MAX_CHAIN {
            return Err(Spent);
        }
        for (keyword, inner) in node {
            self.same_value((keyword, inner), value, &chain)?;
            match value {
                Some(Value::Object(map)) => self.keys((keyword, inner), node, map)?,
                Some(Value::Array(items)) => self.items((keyword, inner), items)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What a keyword applies to the same value.
    fn same_value(
        &mut self,
        (keyword, inner): (&str, &Value),
        value: Option<&Value>,
        chain: &Chain<'_>,
    ) -> Result<(), Spent> {
        let mut apply = |inner| self.apply(inner, value, Some(chain));
        match (keyword, inner) {
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => list.iter().try_for_each(apply),
            ("not" | "if" | "then" | "else", inner) => apply(inner),
            ("dependentSchemas" | "dependencies", Value::Object(map)) => {
                map.values().try_for_each(apply)
            }
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                match target(self.root, reference) {
                    Some(inner) => self.apply(inner, value, Some(chain)),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// What a keyword of `node` applies to the values of a mapping.
    fn keys(
        &mut self,
        (keyword, inner): (&str, &Value),
        node: &Map<String, Value>,
        map: &Map<String, Value>,
    ) -> Result<(), Spent> {
        for (key, value) in map {
            match (keyword, inner) {
                ("properties", Value::Object(known)) => {
                    let mut own = known.get(key).into_iter();
                    own.try_for_each(|own| self.apply(own, Some(value), None))?;
                }
                // Not every pattern fits every key, but all are tried.
                ("patternProperties", Value::Object(patterns)) => {
                    let mut patterns = patterns.values();
                    patterns.try_for_each(|inner| self.apply(inner, Some(value), None))?;
                }
                ("additionalProperties" | "unevaluatedProperties", inner) => {
                    let known = node.get("properties");
                    if known.and_then(|known| known.get(key)).is_none() {
                        self.apply(inner, Some(value), None)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a keyword applies to the items of a list.
    fn items(&mut self, (keyword, inner): (&str, &Value), items: &[Value]) -> Result<(), Spent> {
        match (keyword, inner) {
            ("items" | "prefixItems", Value::Array(each)) => {
                let mut pairs = each.iter().zip(items);
                pairs.try_for_each(|(inner, item)| self.apply(inner, Some(item), None))
            }
            ("items" | "additionalItems" | "contains" | "unevaluatedItems", inner) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.apply(inner, Some(item), None))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
            assert!(check_schema(&double(12, keyword)).is_ok());
            let error = check_schema(&double(40, keyword)).unwrap_err().to_string();
            assert!(error.contains("more than 100000 schemas"), "{error}");
        }
        let round = json!({
            "$ref": "#/$defs/a",
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}},
        });
        assert!(check_schema(&round).is_ok());
        assert!(check_values(&round, &json!({"a": 1})).is_ok());
    }

    #[test]
    fn what_multiplies_with_the_depth_of_values_is_refused() {
        let next = json!({"properties": {"a": {"$ref": "#/$defs/n"}}, "items": {"$ref": "#"}});
        let twice = json!({"$ref": "#/$defs/n", "$defs": {"n": {"allOf": [next, next]}}});
        let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
        let lists = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert!(check_schema(&twice).is_ok());
        for value in [deep(10), lists(10)] {
            assert!(check_values(&twice, &value).is_ok());
        }
        for value in [deep(100), lists(100)] {
            assert!(matches!(check_values(&twice, &value), Err(Error::TooSlow)));
        }
    }
}
