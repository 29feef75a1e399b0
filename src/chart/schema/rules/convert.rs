//! Values as CEL sees them.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube_cel::cel::Value as Cel;
use kube_cel::cel::functions::time;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::{CompiledSchema, SchemaFormat};
use serde_json::Value;

/// The words that are no names in CEL, as `escaping.go` of Kubernetes' API server lists them.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// What a key of a mapping is called in an expression: `Escape` in `escaping.go` of Kubernetes' API
/// server.
pub(super) fn name(key: &str) -> String {
    if RESERVED.contains(&key) {
        return format!("__{key}__");
    }
    // The first brings in the underscores that the others must not find.
    key.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

/// A value with the formats of its schema, of which there may be none. The keys of a mapping with
/// `additionalProperties` are data and stay as they are.
pub(super) fn cel(value: &Value, schema: Option<&CompiledSchema>) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Cel::Int(integer),
            (None, Some(integer)) => Cel::UInt(integer),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => string(text, schema.map(|schema| &schema.format)),
        Value::Array(items) => {
            let inner = schema.and_then(|schema| schema.items.as_deref());
            let items = items.iter().map(|item| cel(item, inner));
            Cel::List(Arc::new(items.collect()))
        }
        Value::Object(map) => {
            let is_data = schema.is_some_and(|schema| schema.is_map);
            let entry = |(key, value): (&String, &Value)| {
                let inner = schema.and_then(|schema| below(schema, key));
                let key = if is_data { key.clone() } else { name(key) };
                (Key::String(Arc::new(key)), cel(value, inner))
            };
            let map: HashMap<Key, Cel> = map.iter().map(entry).collect();
            Cel::Map(Map { map: Arc::new(map) })
        }
    }
}

/// The schema of what a mapping has below a key.
pub(super) fn below<'s>(schema: &'s CompiledSchema, key: &str) -> Option<&'s CompiledSchema> {
    let own = schema.properties.get(key);
    own.or(schema.additional_properties.as_deref())
}

/// A text that does not have its format stays a text.
fn string(text: &str, format: Option<&SchemaFormat>) -> Cel {
    let text = Arc::new(text.to_owned());
    let read = match format {
        Some(SchemaFormat::DateTime) => time::timestamp(Arc::clone(&text)).ok(),
        Some(SchemaFormat::Duration) => time::duration(Arc::clone(&text)).ok(),
        Some(SchemaFormat::Bytes) => {
            let bytes = STANDARD.decode(text.as_bytes()).ok();
            bytes.map(|bytes| Cel::Bytes(Arc::new(bytes)))
        }
        _ => None,
    };
    read.unwrap_or(Cel::String(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, expected: &str) {
        assert_eq!(name(key), expected);
    }

    #[test]
    fn keys_are_named_as_in_kubernetes() {
        check("replicas", "replicas");
        check("a_b", "a_b");
        check("_a", "_a");
        check("a__b", "a__underscores__b");
        check("a___b", "a__underscores___b");
        check("a-b_c.d/e", "a__dash__b_c__dot__d__slash__e");
        check("namespace", "__namespace__");
        check("default", "default");
        check("", "");
    }
}
