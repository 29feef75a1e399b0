//! The path of the field that a walk is at, as people read it.

use serde_json::Value;

use crate::builtin::Keyed;

/// A path such as `metadata.labels["app.kubernetes.io/name"]`, built up and down along a walk.
#[derive(Debug, Default)]
pub(in crate::plan) struct Path(String);

impl Path {
    pub(in crate::plan) fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends a field and returns the length to go back to.
    pub(in crate::plan) fn push_field(&mut self, name: &str) -> usize {
        let mark = self.0.len();
        if is_plain(name) {
            if mark > 0 {
                self.0.push('.');
            }
            self.0.push_str(name);
        } else {
            self.0.push('[');
            self.0.push_str(&Value::from(name).to_string());
            self.0.push(']');
        }
        mark
    }

    /// Appends a position in a list and returns the length to go back to.
    pub(in crate::plan) fn push_index(&mut self, index: usize) -> usize {
        self.push_text(&format!("[{index}]"))
    }

    /// Appends the keys of a list item and returns the length to go back to.
    pub(super) fn push_keys<'a>(
        &mut self,
        keys: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> usize {
        let mark = self.0.len();
        for (position, (name, value)) in keys.enumerate() {
            self.0.push(if position == 0 { '[' } else { ',' });
            self.0.push_str(name);
            self.0.push('=');
            match value.as_str() {
                Some(text) if !text.contains([',', ']', '"', '\n']) => self.0.push_str(text),
                _ => self.0.push_str(&value.to_string()),
            }
        }
        self.0.push(']');
        mark
    }

    /// Appends the item of a list with keys and returns the length to go back to.
    pub(in crate::plan) fn push_item(&mut self, keyed: &Keyed, item: &Value) -> usize {
        let keys = keyed.keys.iter();
        self.push_keys(keys.filter_map(|(name, _)| Some((name.as_str(), item.get(name)?))))
    }

    /// Appends text as it is and returns the length to go back to.
    pub(super) fn push_text(&mut self, text: &str) -> usize {
        let mark = self.0.len();
        self.0.push_str(text);
        mark
    }

    pub(in crate::plan) fn truncate(&mut self, mark: usize) {
        self.0.truncate(mark);
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !name.is_empty() && name.bytes().all(plain)
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) enum Segment {
    /// A field of an object.
    Field(String),
    /// The item at a position of a list.
    Index(usize),
    /// The item of a list with these keys, whose values are as text.
    Keys(Vec<(String, String)>),
}

/// Takes a path apart that a walk has made. What says that only the order of a list differs is left out.
pub(in crate::plan) fn segments(path: &str) -> Vec<Segment> {
    let mut rest = path.strip_suffix(" (order)").unwrap_or(path);
    let mut found = vec![];
    while !rest.is_empty() {
        let (segment, after) = match rest.strip_prefix('[') {
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                (Segment::Field(name[..end].to_owned()), &name[end..])
            }
            Some(inner) if inner.starts_with('"') => {
                let (name, after) = text(inner);
                (Segment::Field(name), after.strip_prefix(']').unwrap_or(""))
            }
            Some(inner) => item(inner),
        };
        found.push(segment);
        rest = after;
    }
    found
}

/// The position or the keys of an item, up to the bracket behind them.
fn item(inner: &str) -> (Segment, &str) {
    let (number, after) = inner.split_once(']').unwrap_or((inner, ""));
    if let Ok(index) = number.parse() {
        return (Segment::Index(index), after);
    }
    let mut keys = vec![];
    let mut rest = inner;
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = if value.starts_with('"') {
            text(value)
        } else {
            let end = value.find([',', ']']).unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        keys.push((name.to_owned(), value));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (Segment::Keys(keys), after.strip_prefix(']').unwrap_or("")),
        }
    }
    (Segment::Keys(keys), "")
}

/// A text in quotes, and what stands behind it.
fn text(quoted: &str) -> (String, &str) {
    let mut texts = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
    let found = texts.next().and_then(Result::ok).unwrap_or_default();
    (found, quoted.get(texts.byte_offset()..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn a_path_is_taken_apart_as_it_was_made(
            names in vec(any::<String>(), 1..4), index in any::<usize>(),
            keys in vec(("[a-zA-Z]{1,5}", any::<String>()), 1..3),
        ) {
            let mut path = Path::default();
            let mut expected = vec![];
            for name in names {
                path.push_field(&name);
                expected.push(Segment::Field(name));
                path.push_index(index);
                expected.push(Segment::Index(index));
            }
            let values: Vec<(String, Value)> =
                keys.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            path.push_keys(values.iter().map(|(key, value)| (key.as_str(), value)));
            expected.push(Segment::Keys(keys));
            prop_assert_eq!(segments(path.as_str()), expected);
        }
    }

    #[test]
    fn numbers_are_keys_and_an_order_is_none() {
        let keys = |number: u16, protocol: &str| {
            let port = ("port".to_owned(), number.to_string());
            Segment::Keys(vec![port, ("protocol".to_owned(), protocol.to_owned())])
        };
        let field = |name: &str| Segment::Field(name.to_owned());
        let path = "spec.ports[port=53,protocol=UDP].name";
        let expected = [
            field("spec"),
            field("ports"),
            keys(53, "UDP"),
            field("name"),
        ];
        assert_eq!(segments(path), expected);
        assert_eq!(segments("spec.ports (order)"), expected[..2]);
        assert_eq!(segments(""), []);
    }

    #[track_caller]
    fn check_field(name: &str, expected: &str) {
        let mut path = Path::default();
        path.push_field("data");
        let mark = path.push_field(name);
        assert_eq!(path.as_str(), expected);
        path.truncate(mark);
        assert_eq!(path.as_str(), "data");
    }

    #[test]
    fn quotes_what_is_not_a_word() {
        check_field("plain-word_1", "data.plain-word_1");
        check_field("tls.crt", r#"data["tls.crt"]"#);
        check_field("a/b", r#"data["a/b"]"#);
        check_field("a\"b", r#"data["a\"b"]"#);
        check_field("", r#"data[""]"#);
    }

    #[test]
    fn names_items_by_their_keys() {
        let mut path = Path::default();
        path.push_field("ports");
        let (port, protocol) = (Value::from(53), Value::from("UDP"));
        let mark = path.push_keys([("port", &port), ("protocol", &protocol)].into_iter());
        assert_eq!(path.as_str(), "ports[port=53,protocol=UDP]");
        path.truncate(mark);
        path.push_keys([("name", &Value::from("a]b"))].into_iter());
        assert_eq!(path.as_str(), r#"ports[name="a]b"]"#);
    }
}
