//! Keeps the data of Secrets out of everything that is printed.
//!
//! Resources and their changes come in, the same with a marker for each value go out. Which
//! entries there are, which of them change and how long they are is shown; that two values are
//! equal is not. Anything but a Secret passes as it is.

use serde_json::Value;

use super::diff::Change;
use crate::manifest::ResourceId;

/// What becomes of the values in Secrets when they are to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Each is replaced by its length.
    Redacted,
    /// They are shown, because the user has asked for it twice.
    Shown,
}

/// An annotation of `kubectl apply` that holds the whole Secret once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Replaces the values in a Secret, given as a whole resource, by `(redacted, 12 bytes)`.
pub fn body(body: &mut Value) {
    if body["kind"] != "Secret" || body["apiVersion"] != "v1" {
        return;
    }
    for (field, encoding) in [("data", Encoding::Base64), ("stringData", Encoding::Plain)] {
        if let Some(entries) = body.get_mut(field) {
            redact(entries, encoding);
        }
    }
    if let Some(annotations) = body.pointer_mut("/metadata/annotations") {
        redact_last_applied(annotations);
    }
}

/// Replaces the values in the changes of a Secret by `(redacted, 12 bytes)`.
pub fn changes(id: &ResourceId, changes: &mut [Change]) {
    if id.kind != "Secret" || !id.group.is_empty() {
        return;
    }
    for change in changes {
        let sides = [change.old.as_mut(), change.new.as_mut()];
        let sides = sides.into_iter().flatten();
        let last_applied = format!("metadata.annotations[{LAST_APPLIED:?}]");
        if is_within(&change.path, "data") {
            sides.for_each(|value| redact(value, Encoding::Base64));
        } else if is_within(&change.path, "stringData") || change.path == last_applied {
            sides.for_each(|value| redact(value, Encoding::Plain));
        } else if change.path == "metadata.annotations" {
            sides.for_each(redact_last_applied);
        } else if change.path == "metadata" {
            let annotations = sides.filter_map(|value| value.get_mut("annotations"));
            annotations.for_each(redact_last_applied);
        }
    }
}

/// Whether a path is that of a field or of one below it.
fn is_within(path: &str, field: &str) -> bool {
    let rest = path.strip_prefix(field);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[derive(Clone, Copy)]
enum Encoding {
    Base64,
    Plain,
}

fn redact_last_applied(annotations: &mut Value) {
    if let Some(value) = annotations.get_mut(LAST_APPLIED) {
        redact(value, Encoding::Plain);
    }
}

/// Replaces one value, or each value of a map.
fn redact(value: &mut Value, encoding: Encoding) {
    if let Value::Object(entries) = value {
        entries
            .values_mut()
            .for_each(|value| *value = marker(value, encoding));
    } else {
        *value = marker(value, encoding);
    }
}

fn marker(value: &Value, encoding: Encoding) -> Value {
    let length = match (value, encoding) {
        (Value::Null, _) => return Value::Null,
        (Value::String(text), Encoding::Plain) => text.len(),
        (Value::String(text), Encoding::Base64) => decoded_length(text),
        _ => return Value::from("(redacted)"),
    };
    let unit = if length == 1 { "byte" } else { "bytes" };
    Value::from(format!("(redacted, {length} {unit})"))
}

/// The number of bytes that base64 stands for; line breaks and padding do not count.
fn decoded_length(text: &str) -> usize {
    let is_digit = |byte: &u8| !matches!(byte, b'=' | b'\n' | b'\r');
    text.bytes().filter(is_digit).count() * 3 / 4
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::diff::Cause;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_body(mut before: Value, after: Value) {
        body(&mut before);
        assert_eq!(before, after);
    }

    #[test]
    fn redacts_secrets() {
        check_body(
            json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {"name": "a", "annotations": {"b": "c", LAST_APPLIED: "{}"}},
                "data": {"a": "eHl6", "b": "eA==", "c": "eHl6\neHk=", "d": "", "e": null},
                "stringData": {"a": "xyz", "b": 1, "c": {"d": "e"}}}),
            json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {"name": "a", "annotations": {"b": "c", LAST_APPLIED: "(redacted, 2 bytes)"}},
                "data": {"a": "(redacted, 3 bytes)", "b": "(redacted, 1 byte)",
                    "c": "(redacted, 5 bytes)", "d": "(redacted, 0 bytes)", "e": null},
                "stringData": {"a": "(redacted, 3 bytes)", "b": "(redacted)", "c": "(redacted)"}}),
        );
        check_body(
            json!({"apiVersion": "v1", "kind": "Secret", "data": "eHl6"}),
            json!({"apiVersion": "v1", "kind": "Secret", "data": "(redacted, 3 bytes)"}),
        );
    }

    #[test]
    fn leaves_other_resources_alone() {
        for other in [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}),
            json!({"apiVersion": "example.com/v1", "kind": "Secret", "data": {"a": "b"}}),
            json!(null),
            json!([1]),
        ] {
            check_body(other.clone(), other);
        }
    }

    #[track_caller]
    fn check_change(kind: &str, path: &str, before: Value, after: Value) {
        let id = ResourceId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: None,
            name: "a".to_owned(),
        };
        let mut noted = [Change {
            path: path.to_owned(),
            old: None,
            new: Some(before),
            cause: Cause::Chart,
        }];
        changes(&id, &mut noted);
        assert_eq!(noted[0].old, None);
        assert_eq!(noted[0].new, Some(after));
    }

    #[test]
    fn redacts_changes() {
        let last_applied = format!("metadata.annotations[\"{LAST_APPLIED}\"]");
        let three = json!("(redacted, 3 bytes)");
        check_change("Secret", "data.a", json!("eHl6"), three.clone());
        check_change("Secret", "data[\"a.b\"]", json!("eHl6"), three.clone());
        check_change("Secret", "data", json!({"a": "eHl6"}), json!({"a": three}));
        check_change("Secret", "stringData.a", json!("xyz"), three.clone());
        check_change("Secret", &last_applied, json!("{ }"), three.clone());
        check_change(
            "Secret",
            "metadata.annotations",
            json!({"a": "b", LAST_APPLIED: "{ }"}),
            json!({"a": "b", LAST_APPLIED: three}),
        );
        check_change(
            "Secret",
            "metadata",
            json!({"annotations": {LAST_APPLIED: "{ }"}}),
            json!({"annotations": {LAST_APPLIED: three}}),
        );
        check_change("Secret", "type", json!("Opaque"), json!("Opaque"));
        check_change("Secret", "database", json!("a"), json!("a"));
        check_change("ConfigMap", "data.a", json!("a"), json!("a"));
    }
}
