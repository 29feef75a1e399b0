//! Picking the part of a schema that rules are evaluated over.
//!
//! Rules count where a value's place is certain: below `properties`, `items`,
//! `additionalProperties` and `allOf`. One that stands elsewhere would be passed over without a
//! word, so it is refused. Defaults of the schema are left out: Helm does not fill them in, so
//! templates do not see them.

use serde_json::{Map, Value, json};

use super::super::Error;
use super::super::nearest::nearest;
use super::{join, shown};
use crate::chart::secret;

pub(in super::super) const RULES: &str = "x-kubernetes-validations";
/// A rule or message expression with more bytes than this is refused.
const MAX_EXPRESSION: usize = 4096;
/// An expression with more brackets inside each other, or more conditionals, is refused.
const MAX_NESTING: usize = 32;
/// What a rule may have: `ValidationRule` of `apiextensions.k8s.io/v1`.
const RULE_KEYS: [&str; 6] = [
    "rule",
    "message",
    "messageExpression",
    "reason",
    "fieldPath",
    "optionalOldSelf",
];
/// Keywords whose content is data and not a schema.
pub(in super::super) const DATA: [&str; 5] = ["const", "default", "enum", "example", "examples"];

/// The schema with nothing but rules and what leads to them; `None` if it has no rules.
pub(in super::super) fn rules(schema: &Value) -> Result<Option<Value>, Error> {
    if !mentions_rules(schema) {
        return Ok(None);
    }
    node(schema, "").map(Some)
}

fn node(schema: &Value, path: &str) -> Result<Value, Error> {
    let Value::Object(schema) = schema else {
        return Ok(schema.clone());
    };
    let mut kept = Map::new();
    for (keyword, content) in schema {
        let content = match (keyword.as_str(), content) {
            (RULES, content) => written_rules(content, path)?,
            ("properties", Value::Object(properties)) => {
                let child = |(key, child): (&String, &Value)| {
                    Ok((key.clone(), node(child, &join(path, key))?))
                };
                Value::Object(properties.iter().map(child).collect::<Result<_, Error>>()?)
            }
            ("items", Value::Object(_)) => node(content, &format!("{path}[]"))?,
            ("additionalProperties", _) => node(content, &join(path, "*"))?,
            ("allOf", Value::Array(branches)) => branches
                .iter()
                .map(|branch| node(branch, path))
                .collect::<Result<_, _>>()?,
            ("format" | "x-kubernetes-int-or-string", _) => content.clone(),
            (keyword, content) => {
                refuse_rules(keyword, content, path)?;
                continue;
            }
        };
        kept.insert(keyword.clone(), content);
    }
    Ok(Value::Object(kept))
}

fn refuse_rules(keyword: &str, content: &Value, path: &str) -> Result<(), Error> {
    if DATA.contains(&keyword) || !mentions_rules(content) {
        return Ok(());
    }
    let problem = format!(
        "stands below {keyword}, where it is never evaluated; \
         write it below properties, items, additionalProperties or allOf"
    );
    Err(Error::RuleForm {
        path: shown(path),
        problem,
    })
}

fn written_rules(content: &Value, path: &str) -> Result<Value, Error> {
    let Value::Array(rules) = content else {
        let problem = "is not written as a rule: a list is needed".to_owned();
        return Err(Error::RuleForm {
            path: shown(path),
            problem,
        });
    };
    let mut rules = rules.clone();
    for rule in &mut rules {
        check_keys(rule, path)?;
        for expression in [&rule["rule"], &rule["messageExpression"]] {
            check_size(expression.as_str().unwrap_or_default(), path)?;
        }
        hide_computed_message(rule, path);
        fill_in_message(rule);
    }
    Ok(Value::Array(rules))
}

fn check_keys(rule: &Value, path: &str) -> Result<(), Error> {
    let mut keys = rule.as_object().into_iter().flat_map(Map::keys);
    let Some(key) = keys.find(|key| !RULE_KEYS.contains(&key.as_str())) else {
        return Ok(());
    };
    let problem = match nearest(key, RULE_KEYS.into_iter()) {
        Some(meant) => format!("has the unknown key {key}: did you mean {meant}?"),
        None => format!(
            "has the unknown key {key}; it may have {}",
            RULE_KEYS.join(", ")
        ),
    };
    Err(Error::RuleForm {
        path: shown(path),
        problem,
    })
}

fn fill_in_message(rule: &mut Value) {
    if let (Value::String(text), true) = (&rule["rule"], rule["message"].is_null()) {
        let message = format!("must fit the rule {text:?}");
        rule["message"] = message.into();
    }
}

fn check_size(expression: &str, path: &str) -> Result<(), Error> {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in expression.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let problem = if expression.len() > MAX_EXPRESSION {
        format!("is longer than {MAX_EXPRESSION} bytes")
    } else if deepest.max(expression.matches('?').count()) > MAX_NESTING {
        format!("has more than {MAX_NESTING} nested brackets or conditionals")
    } else {
        return Ok(());
    };
    Err(Error::RuleForm {
        path: shown(path),
        problem,
    })
}

/// A message computed from a value that is likely a secret would show it.
fn hide_computed_message(rule: &mut Value, path: &str) {
    let field = rule["fieldPath"].as_str().unwrap_or_default();
    if secret::is_likely(path) || secret::is_likely(field) {
        rule.as_object_mut()
            .map(|rule| rule.remove("messageExpression"));
    }
}

pub(in super::super) fn mentions_rules(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            map.get(RULES).is_some_and(|rules| *rules != json!([]))
                || map
                    .iter()
                    .any(|(key, inner)| !DATA.contains(&key.as_str()) && mentions_rules(inner))
        }
        Value::Array(items) => items.iter().any(mentions_rules),
        _ => false,
    }
}
