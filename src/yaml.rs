//! Reading and writing YAML as Kubernetes does.
//!
//! Text comes in, [`serde_json::Value`] goes out, and the other way round. This is the only user
//! of the YAML crate, so that its settings stand in one place: scalars are read as
//! `sigs.k8s.io/yaml` reads them (`0644` is 420, `yes` is true), duplicate keys are refused,
//! numbers that are integers stay integers, and depth and size have limits. What a document means
//! is left to the callers.

use serde_json::{Number, Value};
use serde_saphyr::{Options, Spanned, alias_limits, budget, options, ser_options};

mod keys;
mod position;

pub use keys::{BooleanKey, boolean_keys};
pub use position::{Places, Step, locate};

/// Nesting beyond this is refused: deeper trees would threaten the stack further down.
const MAX_DEPTH: usize = 256;
/// A document with more nodes than this is refused.
const MAX_NODES: usize = 4_000_000;

/// Aliases may repeat so many nodes: documents grow by them without getting longer.
const MAX_REPEATED: usize = 250_000;

/// Text that is not YAML as Kubernetes reads it, with the place of the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong, without a position.
    pub message: String,
    /// Line of the fault, from 1; 0 if unknown.
    pub line: u64,
    /// Column of the fault in characters, from 1; 0 if unknown.
    pub column: u64,
}

/// One document of a YAML stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The line in the whole text on which the document's first node stands, from 1.
    pub line: u64,
    /// What the document holds.
    pub value: Value,
}

/// Reads the one document of `text`; empty text is null.
///
/// # Errors
/// If `text` is not valid YAML, holds a duplicate key or more than one document, or crosses a
/// limit on nesting or nodes.
pub fn parse(text: &str) -> Result<Value, Error> {
    let mut value =
        serde_saphyr::from_str_with_options::<Value>(text, settings()).map_err(|e| error(&e))?;
    fold_integers(&mut value);
    Ok(value)
}

/// Reads all documents of `text`, leaving out empty ones.
///
/// # Errors
/// As [`parse`], for the first document at fault; its line counts from the start of `text`.
pub fn parse_all(text: &str) -> Result<Vec<Document>, Error> {
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, settings())
        .map_err(|e| error(&e))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.value.is_null())
        .map(|mut document| {
            fold_integers(&mut document.value);
            Document {
                line: document.referenced.line(),
                value: document.value,
            }
        })
        .collect())
}

/// Writes `value` as one YAML document that ends in a line break.
///
/// Strings that Kubernetes would read as something else are quoted.
pub fn to_string(value: &Value) -> String {
    let options = ser_options! { prefer_block_scalars: !begins_with_tab(value) };
    // Serialising a JSON value into a string cannot fail: its keys are strings and its numbers
    // are finite.
    serde_saphyr::to_string_with_options(value, options).unwrap_or_default()
}

/// Whether a string in `value` begins with a tab, perhaps below empty lines. As the first letter of a block
/// the reader of Kubernetes and Helm takes it for indentation, which YAML allows in spaces only.
fn begins_with_tab(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim_start_matches('\n').starts_with('\t'),
        Value::Array(items) => items.iter().any(begins_with_tab),
        Value::Object(map) => map.values().any(begins_with_tab),
        _ => false,
    }
}

fn settings() -> Options {
    options! {
        legacy_octal_numbers: true,
        budget: budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES },
        alias_limits: alias_limits! { max_total_replayed_events: MAX_REPEATED },
    }
}

fn error(error: &serde_saphyr::Error) -> Error {
    let location = error.location();
    let formatter = serde_saphyr::UserMessageFormatter;
    let text = serde_saphyr::MessageFormatter::format_message(&formatter, error.without_snippet());
    Error {
        message: text.into_owned(),
        line: location.map_or(0, |place| place.line()),
        column: location.map_or(0, |place| place.column()),
    }
}

/// Turns `6443.0` and `1e6` into integers, as `sigs.k8s.io/yaml` does, at every depth.
pub fn fold_integers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *number = fold_integer(number.clone()),
        Value::Array(items) => items.iter_mut().for_each(fold_integers),
        Value::Object(map) => map.values_mut().for_each(fold_integers),
        _ => {}
    }
}

/// The integer that `number` is, if it is one and a double holds it exactly.
pub fn fold_integer(number: Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "within 2^53 by the guard")]
            Number::from(float as i64)
        }
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: &Value) {
        assert_eq!(&parse(text).unwrap(), expected, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, line: u64, column: u64, part: &str) {
        let error = parse_all(text).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{error:?}");
        assert!(error.message.contains(part), "{error:?}");
    }

    #[test]
    fn scalars_are_read_as_kubernetes_reads_them() {
        check("0644", &json!(420));
        check("yes", &json!(true));
        check("off", &json!(false));
        check("6443.0", &json!(6443));
        check("1e6", &json!(1_000_000));
        check("1.5", &json!(1.5));
        check(
            "12345678901234567890",
            &json!(12_345_678_901_234_567_890_u64),
        );
        check("'yes'", &json!("yes"));
        check("", &Value::Null);
    }

    #[test]
    fn booleans_are_those_of_kubernetes() {
        for text in [
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
        ] {
            check(text, &json!(true));
        }
        for text in [
            "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
        ] {
            check(text, &json!(false));
        }
        for text in ["nope", "yy", "trues"] {
            check(text, &json!(text));
        }
    }

    #[test]
    fn numbers_are_those_of_kubernetes() {
        for (text, number) in [
            ("007", 7),
            ("08", 8),
            ("-0644", -420),
            ("+12", 12),
            ("0o17", 15),
            ("0x1F", 31),
            ("0b101", 5),
            ("1_000", 1000),
            ("12e03", 12_000),
            ("1.0", 1),
            ("-0", 0),
        ] {
            check(text, &json!(number));
        }
        for text in [
            "1:30",
            "1.2.3",
            "2001-12-14",
            "_1",
            "0x",
            "0o8",
            "1e",
            "v1",
            "=",
            "<<",
        ] {
            check(text, &json!(text));
        }
    }

    #[test]
    fn merge_keys_and_anchors_are_resolved() {
        check(
            "a: &x {k: 1}\nb: {<<: *x, l: 2}",
            &json!({"a": {"k": 1}, "b": {"k": 1, "l": 2}}),
        );
    }

    #[test]
    fn documents_keep_the_line_of_the_whole_text() {
        let documents = parse_all("---\n# note\na: 1\n---\n---\nb: 2\n").unwrap();
        let found: Vec<_> = documents
            .iter()
            .map(|d| (d.line, d.value.clone()))
            .collect();
        assert_eq!(found, [(3, json!({"a": 1})), (6, json!({"b": 2}))]);
    }

    #[test]
    fn faults_have_a_place() {
        check_error("a: 1\nb: [1, 2\nc: 3\n", 3, 2, "");
        check_error("a: 1\na: 2\n", 2, 1, "duplicate");
    }

    #[test]
    fn aliases_repeat_only_so_much() {
        let item = "x, ".repeat(MAX_REPEATED / 100);
        let list = |count: usize| format!("a: &a [{item}]\nb: [{}]\n", "*a, ".repeat(count));
        assert!(parse(&list(90)).is_ok());
        let error = parse(&list(110)).unwrap_err();
        assert!(error.message.contains("replayed"), "{error:?}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let error = parse(&"[".repeat(5_000)).unwrap_err();
        assert!(error.message.contains("recursion limit"), "{error:?}");
    }

    proptest! {
        #[test]
        fn any_string_survives_a_round_trip(
            text in "\\PC{0,12}|[-+0-9.eExXoObB_:ynYN~#&*!|>'\"%@` \n\t\\[\\]{},?<=]{0,8}",
        ) {
            let value = json!({ "key": [text], "text": {"k": 1} });
            let written = to_string(&value);
            prop_assert_eq!(parse(&written).unwrap(), value, "{:?}", written);
        }

        #[test]
        fn any_key_survives_a_round_trip(key in "\\PC{1,8}|[-+0-9.eExX:yn~#'\" ]{1,6}") {
            let value = json!({ key: 1 });
            let written = to_string(&value);
            prop_assert_eq!(parse(&written).unwrap(), value, "{:?}", written);
        }
    }

    #[test]
    fn no_block_begins_with_a_tab() {
        for text in ["\ta\nb", "\n\n\ta\n", "\t\n"] {
            let written = to_string(&json!({ "key": [text], "other": "a\nb\n" }));
            assert!(!written.contains('\t'), "{written}");
            assert_eq!(parse(&written).unwrap()["key"][0], text);
        }
        assert_eq!(to_string(&json!({"a": "b\n\tc\n"})), "a: |\n  b\n  \tc\n");
    }

    #[test]
    fn strings_survive_a_round_trip() {
        for text in [
            "yes", "0644", "1e6", "null", "", " x", "a: b", "- a", "y", "~", "1_000", "x\ny\n",
        ] {
            let value = json!({ "key": text });
            assert_eq!(parse(&to_string(&value)).unwrap(), value, "{text:?}");
        }
    }
}
