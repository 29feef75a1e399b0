//! When two values mean the same to the API server, and when a value means nothing.

use serde_json::{Number, Value};

use super::quantity;
use crate::builtin::{Presence, Shape, Zero};

/// Tells whether two values are the same in any form that the API server writes them in.
pub(super) fn same(shape: Shape<'_>, a: &Value, b: &Value) -> bool {
    match shape {
        Shape::Quantity => quantity::same(a, b),
        Shape::Bytes | Shape::OptionalBytes => same_bytes(a, b),
        _ => same_json(a, b),
    }
}

/// Equality in which `1` and `1.0` are one number.
fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let found = |(key, a)| b.get(key).is_some_and(|b| same_json(a, b));
            a.len() == b.len() && a.iter().all(found)
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
}

/// Base64 in one line and in many is the same.
fn same_bytes(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_str(), b.as_str()) else {
        return a == b;
    };
    let is_significant = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    let (a, b) = (a.bytes().filter(is_significant), b.bytes());
    a.eq(b.filter(is_significant))
}

/// Tells whether the API server stores nothing for this value, so that it is the same as none.
pub(super) fn is_nothing(shape: Shape<'_>, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (shape, _) if shape.is_custom() => false,
        (Shape::Zero(_) | Shape::OptionalBytes, value) => is_zero(value),
        (Shape::Object(of, Presence::Always | Presence::Retain), Value::Object(fields)) => fields
            .iter()
            .all(|(key, value)| is_nothing(of.field(key), value)),
        (Shape::Map(_), Value::Object(entries)) => entries.values().all(Value::is_null),
        (Shape::Items(_) | Shape::Set(_) | Shape::Keyed(_), Value::Array(items)) => {
            items.is_empty()
        }
        _ => false,
    }
}

/// Returns the value if it asks for anything: null does not, and the zero value of a field that
/// the server assigns leaves the choice to the server.
pub(super) fn asked<'v>(shape: Shape<'_>, value: &'v Value) -> Option<&'v Value> {
    match shape {
        _ if value.is_null() => None,
        Shape::Zero(Zero::Assigned) | Shape::OptionalBytes if is_zero(value) => None,
        _ => Some(value),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Tells whether others may hold entries in a value beside ours, so that removing ours removes
/// no more than those.
pub(in crate::plan) fn is_shared(shape: Shape<'_>) -> bool {
    matches!(
        shape,
        Shape::Map(_) | Shape::Keyed(_) | Shape::Set(_) | Shape::Object(_, Presence::Always)
    )
}

/// Returns the value without the nulls in its objects, which would be kept in a list.
pub(in crate::plan) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_same(shape: Shape<'_>, a: Value, b: Value) {
        assert!(same(shape, &a, &b) && same(shape, &b, &a));
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_differs(shape: Shape<'_>, a: Value, b: Value) {
        assert!(!same(shape, &a, &b) && !same(shape, &b, &a));
    }

    #[test]
    fn compares_values() {
        check_same(Shape::Unknown, json!(1), json!(1.0));
        check_same(Shape::Unknown, json!({"a": [1]}), json!({"a": [1.0]}));
        check_differs(Shape::Unknown, json!({"a": 1}), json!({"a": 1, "b": 1}));
        check_differs(Shape::Unknown, json!([1]), json!([1, 2]));
        check_differs(Shape::Unknown, json!(u64::MAX), json!(u64::MAX - 1));
        check_differs(Shape::Unknown, json!("80"), json!(80));
        check_differs(Shape::Unknown, json!("1h"), json!("60m"));
        check_differs(Shape::Quantity, json!("1h"), json!("60m"));
        check_same(Shape::Quantity, json!(1), json!("1000m"));
        check_same(Shape::Bytes, json!("YW\nJj"), json!("YWJj\n"));
        check_differs(Shape::Bytes, json!("YWJj"), json!("YWJk"));
        check_differs(Shape::Bytes, json!(1), json!("1"));
    }

    fn is_dropped(field: &str, value: &Value) -> bool {
        let Shape::Object(pod, _) = builtin::schema("v1", "Pod").unwrap().field("spec") else {
            panic!("a Pod has a spec");
        };
        is_nothing(pod.field(field), value)
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_dropped(field: &str, value: Value) {
        assert!(is_dropped(field, &value));
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_stored(field: &str, value: Value) {
        assert!(!is_dropped(field, &value));
    }

    #[test]
    fn knows_what_the_server_drops() {
        check_dropped("nodeSelector", json!({}));
        check_stored("nodeSelector", json!({"a": ""}));
        check_dropped("containers", json!([]));
        check_dropped("tolerations", json!([]));
        check_stored("tolerations", json!([{}]));
        check_stored("securityContext", json!({}));
        check_dropped("securityContext", json!(null));
        check_dropped("hostNetwork", json!(false));
        check_stored("automountServiceAccountToken", json!(false));
        check_stored("priority", json!(0));
        check_dropped("hostname", json!(""));
        check_stored("fieldOfTomorrow", json!({}));
    }
}
