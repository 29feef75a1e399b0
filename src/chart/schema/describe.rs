//! Saying what a schema expected, without showing what may be secret.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::nearest::nearest;
use super::violation::{Reason, Violation};
use crate::chart::{path, secret};
use crate::yaml::Step;

/// Strings longer than this are not repeated in a message.
const SHOWN: usize = 40;

/// What one error of the validator means: one violation for each key or value at fault.
pub(super) fn violations(
    error: &ValidationError<'_>,
    schema: &Value,
    values: &Value,
) -> Vec<Violation> {
    let at = steps(error.instance_path().as_str(), values);
    let rule = error.schema_path().as_str();
    let new = |steps: &[Step], expected: String| Violation {
        path: path::dotted(steps),
        expected,
        rule: rule.to_owned(),
        reason: Reason::Keyword,
        chart: String::new(),
        origin: None,
        reads: vec![],
    };
    let child = |key: &str| {
        let mut steps = at.clone();
        steps.push(Step::Key(key.to_owned()));
        steps
    };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected
                .iter()
                .map(|key| new(&child(key), unknown_key(key, rule, schema)))
                .collect()
        }
        Kind::Required {
            property: Value::String(key),
        } => {
            vec![new(&child(key), "is required".to_owned())]
        }
        Kind::FalseSchema if forbids_all_keys(error) => {
            let map = values.pointer(error.instance_path().as_str());
            let keys = map.and_then(Value::as_object).into_iter().flatten();
            keys.map(|(key, _)| new(&child(key), unknown_key(key, rule, schema)))
                .collect()
        }
        kind => {
            let text = path::dotted(&at);
            let value = if secret::is_likely(&text) {
                None
            } else {
                Some(&**error.instance())
            };
            vec![new(&at, expected(kind, error.instance(), value))]
        }
    }
}

/// Whether a mapping may have no keys at all: `additionalProperties: false` with nothing beside it.
fn forbids_all_keys(error: &ValidationError<'_>) -> bool {
    let keyword = "/additionalProperties";
    error.schema_path().as_str().ends_with(keyword)
        // A property of that name.
        && !error.instance_path().as_str().ends_with(keyword)
}

/// Turns a JSON pointer into steps: only the tree tells an index from a key of digits.
fn steps(pointer: &str, tree: &Value) -> Vec<Step> {
    let mut current = Some(tree);
    let parts = pointer.split('/').skip(1);
    parts
        .map(|part| {
            let key = part.replace("~1", "/").replace("~0", "~");
            let index = key
                .parse()
                .ok()
                .filter(|_| current.is_some_and(Value::is_array));
            current = current.and_then(|value| match index {
                Some(index) => value.get::<usize>(index),
                None => value.get(&key),
            });
            index.map_or(Step::Key(key), Step::Index)
        })
        .collect()
}

fn unknown_key(key: &str, rule: &str, schema: &Value) -> String {
    let parent = rule.rsplit_once('/').map_or("", |(parent, _)| parent);
    let known = schema
        .pointer(parent)
        .and_then(|node| node["properties"].as_object());
    let meant = known.and_then(|known| nearest(key, known.keys().map(String::as_str)));
    match meant {
        Some(meant) => format!("is not a known key: did you mean {meant}?"),
        None => "is not a known key".to_owned(),
    }
}

/// Says what was expected of `instance`; its content is shown only from `value`.
fn expected(kind: &Kind, instance: &Value, value: Option<&Value>) -> String {
    let found = value
        .and_then(shown)
        .map(|found| format!(", is {found}"))
        .unwrap_or_default();
    match kind {
        Kind::Type { kind } => format!("must be {}, is {}", types(kind), type_name(instance)),
        Kind::Enum { options } => format!("must be one of {}{found}", choices(options)),
        Kind::Constant { expected_value } => format!("must be {expected_value}{found}"),
        Kind::Pattern { pattern } => format!("must match {pattern:?}{found}"),
        Kind::Format { format } => format!("must be a valid {format}{found}"),
        Kind::Minimum { limit } => format!("must be at least {limit}{found}"),
        Kind::Maximum { limit } => format!("must be at most {limit}{found}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}{found}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}{found}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}{found}"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} keys"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} keys"),
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::UnevaluatedItems { .. } => "has items that are not allowed".to_owned(),
        Kind::UniqueItems => "must not have the same item twice".to_owned(),
        Kind::Contains => "has no item of the kind that it must have".to_owned(),
        Kind::FalseSchema => "is not allowed".to_owned(),
        Kind::Not { .. } => "must not have this form".to_owned(),
        Kind::PropertyNames { error } => {
            let problem = expected(error.kind(), error.instance(), Some(error.instance()));
            format!("has a key that {problem}")
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => none_of(context, value),
        Kind::OneOfMultipleValid { .. } => "fits more than one alternative".to_owned(),
        other => format!("does not fit the keyword {}", other.keyword()),
    }
}

/// Names the alternative that was missed by the least.
fn none_of(context: &[Vec<ValidationError<'_>>], value: Option<&Value>) -> String {
    let closest = context
        .iter()
        .filter(|errors| !errors.is_empty())
        .min_by_key(|e| e.len());
    let Some(first) = closest.and_then(|errors| errors.first()) else {
        return "fits none of the alternatives".to_owned();
    };
    let inner = first.instance_path().as_str();
    let shown = value
        .filter(|_| !secret::is_likely(inner))
        .map(|_| &**first.instance());
    let problem = match first.kind() {
        Kind::Required { property } => format!("{property} is required"),
        kind => expected(kind, first.instance(), shown),
    };
    format!(
        "fits none of {} alternatives (the closest: {problem})",
        context.len()
    )
}

fn choices(options: &Value) -> String {
    let list = options.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(only) => only.to_string(),
        TypeKind::Multiple(set) => set
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) => None,
        Value::String(text) if text.chars().count() > SHOWN => None,
        scalar => Some(scalar.to_string()),
    }
}
