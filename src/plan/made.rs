//! Whether a resource that was to be created is there.

use serde_json::Value;

use super::diff::{Sides, three_way};
use crate::builtin;

/// Whether `live` is what `body` asks for: nothing would have to be changed if `body` were applied
/// once more.
pub fn is_as_wanted(body: &Value, live: &Value) -> bool {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    let sides = Sides {
        base: &[body],
        desired: body,
        live,
    };
    three_way(builtin::schema(text("apiVersion"), text("kind")), &sides).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_server_adds_makes_no_difference() {
        let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a",
            "labels": {"app.kubernetes.io/managed-by": "Helm"}}, "stringData": {"a": "b"}});
        let mut live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a",
            "uid": "1", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
            "type": "Opaque", "data": {"a": "Yg=="}});
        assert!(is_as_wanted(&body, &live));
        live["metadata"]["labels"] = Value::Null;
        assert!(!is_as_wanted(&body, &live));
    }
}
