//! `stringData` of Secrets, which the API server only accepts and never returns.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Returns the resource with `stringData` moved into `data` as the API server does it: encoded,
/// and stronger than an entry of the same name. Anything but such a Secret is returned as it is.
pub(in crate::plan) fn folded(body: &Value) -> Cow<'_, Value> {
    let Some(text) = body.get("stringData").and_then(Value::as_object) else {
        return Cow::Borrowed(body);
    };
    if body["kind"] != "Secret" || body["apiVersion"] != "v1" {
        return Cow::Borrowed(body);
    }
    let encoded = text.iter().filter_map(|(key, value)| {
        let value = STANDARD.encode(value.as_str()?);
        Some((key.clone(), Value::from(value)))
    });
    let mut data = body
        .get("data")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    data.extend(encoded);
    let mut folded: Map<String, Value> = body
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !matches!(key.as_str(), "data" | "stringData"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    folded.insert("data".to_owned(), Value::Object(data));
    Cow::Owned(Value::Object(folded))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check(body: Value, expected: Value) {
        assert_eq!(*folded(&body), expected);
    }

    #[test]
    fn encodes_text() {
        check(
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}}),
        );
        check(
            json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "z", "c": null}}),
            json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "data": {"a": "eg==", "b": "eQ=="}}),
        );
    }

    #[test]
    fn leaves_others_alone() {
        let other =
            json!({"apiVersion": "example.com/v1", "kind": "Secret", "stringData": {"a": "x"}});
        check(other.clone(), other);
        let null = json!({"apiVersion": "v1", "kind": "Secret", "stringData": null});
        check(null.clone(), null);
        check(json!(null), json!(null));
    }
}
