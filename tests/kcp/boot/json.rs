//! Reading what the API server returns, of which the form is known.

use serde_json::Value;

/// Returns the text at a JSON pointer; nothing there is empty.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Returns the name of an object.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Returns the list at a JSON pointer; nothing there is empty.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Returns the number at a JSON pointer; nothing there is 0.
pub(super) fn port(value: &Value, pointer: &str) -> u16 {
    let number = value.pointer(pointer).and_then(Value::as_u64);
    u16::try_from(number.unwrap_or(0)).unwrap()
}
