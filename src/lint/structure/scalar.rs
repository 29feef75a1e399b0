//! Whether a scalar is one that a field takes.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value;

use crate::builtin::openapi::Holds;

/// What is wrong with a scalar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The type that it should have.
    Type(&'static str),
    /// What is wrong with its value.
    Value(String),
}

/// Checks a scalar, and any value that stands where a scalar, map or list belongs.
pub(super) fn check(value: &Value, holds: Holds) -> Result<(), Wrong> {
    match (holds, value) {
        (Holds::Any, _)
        | (Holds::Boolean, Value::Bool(_))
        | (Holds::Double | Holds::Quantity, Value::Number(_))
        | (Holds::IntOrString, Value::String(_)) => Ok(()),
        (Holds::Text(choice), Value::String(text)) => one_of(text, choice),
        (Holds::Integer(bits), Value::Number(number)) => match number.as_i64() {
            Some(integer) if bits == 64 || i32::try_from(integer).is_ok() => Ok(()),
            Some(_) => Err(Wrong::Value("does not fit into 32 bits".to_owned())),
            None => Err(Wrong::Type("an integer")),
        },
        (Holds::IntOrString, Value::Number(number)) if number.is_i64() => Ok(()),
        (Holds::Quantity, Value::String(text)) => quantity(text),
        (Holds::Bytes, Value::String(text)) => bytes(text),
        (Holds::Time, Value::String(text)) => time(text),
        (holds, _) => Err(Wrong::Type(name(holds))),
    }
}

/// What a field holds, in words.
pub(super) fn name(holds: Holds) -> &'static str {
    match holds {
        Holds::Text(_) => "a string",
        Holds::Integer(_) => "an integer",
        Holds::Double => "a number",
        Holds::Boolean => "a boolean",
        Holds::Bytes => "a string in base64",
        Holds::Time => "a time such as 2026-01-31T12:00:00Z",
        Holds::Quantity => "a quantity such as 500m or 1Gi",
        Holds::IntOrString => "an integer or a string",
        Holds::Any => "anything",
        Holds::Free | Holds::Map(_) | Holds::Object(_) => "a mapping",
        Holds::List(_) => "a list",
    }
}

/// An empty text leaves the choice to the API server.
fn one_of(text: &str, choice: &str) -> Result<(), Wrong> {
    if choice.is_empty() || text.is_empty() || choice.split('|').any(|word| word == text) {
        return Ok(());
    }
    let words: Vec<&str> = choice.split('|').filter(|word| !word.is_empty()).collect();
    let near = crate::render::nearest(text, words.iter().copied());
    let near = near.map_or(String::new(), |word| format!(": did you mean {word}?"));
    Err(Wrong::Value(format!(
        "must be one of {}{near}",
        words.join(", ")
    )))
}

/// `resource.ParseQuantity` of Kubernetes: a decimal number with a suffix or an exponent.
fn quantity(text: &str) -> Result<(), Wrong> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$")
            .ok()
    });
    match &*FORM {
        Some(form) if !form.is_match(text) => {
            let message = "is not a quantity such as 500m or 1Gi".to_owned();
            Err(Wrong::Value(message))
        }
        _ => Ok(()),
    }
}

/// Go's decoder passes over line breaks.
fn bytes(text: &str) -> Result<(), Wrong> {
    let text = text.replace(['\n', '\r'], "");
    match STANDARD.decode(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(Wrong::Value("is not base64".to_owned())),
    }
}

fn time(text: &str) -> Result<(), Wrong> {
    match text.parse::<jiff::Timestamp>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Wrong::Value(
            "is not a time such as 2026-01-31T12:00:00Z".to_owned(),
        )),
    }
}
