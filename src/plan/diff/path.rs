//! The path of the field that a walk is at, as people read it.

use serde_json::Value;

/// A path such as `metadata.labels["app.kubernetes.io/name"]`, built up and down along a walk.
#[derive(Debug, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends a field and returns the length to go back to.
    pub(super) fn push_field(&mut self, name: &str) -> usize {
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
    pub(super) fn push_index(&mut self, index: usize) -> usize {
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

    /// Appends text as it is and returns the length to go back to.
    pub(super) fn push_text(&mut self, text: &str) -> usize {
        let mark = self.0.len();
        self.0.push_str(text);
        mark
    }

    pub(super) fn truncate(&mut self, mark: usize) {
        self.0.truncate(mark);
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !name.is_empty() && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

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
