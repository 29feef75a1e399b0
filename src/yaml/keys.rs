//! Keys that Kubernetes reads as booleans.
//!
//! `sigs.k8s.io/yaml` gives unquoted keys a type, as it does with values, and makes text of them
//! again: `y:` becomes `true:`. Here keys stay as they are written, so whoever gives one is told.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::settings;

/// The words that Kubernetes takes for booleans, but for those that it writes as they are.
const WORDS: [&str; 20] = [
    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "n", "N", "no", "No", "NO",
    "off", "Off", "OFF", "False", "FALSE",
];
/// The first of [`WORDS`] that means false.
const FIRST_FALSE: usize = 10;

/// A key that Kubernetes would read as a boolean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BooleanKey {
    /// The key as it is written.
    pub key: String,
    /// What Kubernetes reads it as.
    pub value: bool,
    /// The line it stands on, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

/// Finds the keys in a YAML stream that Kubernetes would read as booleans, in their order; none if
/// `text` is not YAML.
pub fn boolean_keys(text: &str) -> Vec<BooleanKey> {
    // Few texts hold any, and looking is much cheaper than reading.
    if !may_have_keys(text) {
        return vec![];
    }
    let documents = serde_saphyr::from_multiple_with_options::<Keys>(text, settings());
    let places = documents.unwrap_or_default().into_iter().flat_map(|k| k.0);
    let mut found: Vec<_> = places.filter_map(|place| key_at(text, place)).collect();
    found.sort_by_key(|key| (key.line, key.column));
    // An alias repeats the keys of its anchor.
    found.dedup();
    found
}

/// Whether one of [`WORDS`] stands before a colon, or any key is written with a question mark. Values may be
/// large, so this looks at bytes, and at each once.
fn may_have_keys(text: &str) -> bool {
    let bytes = text.as_bytes();
    (bytes.iter().enumerate()).any(|(at, byte)| match byte {
        b':' => ends_in_word(&bytes[..at]),
        b'?' => matches!(bytes.get(at + 1), Some(b' ' | b'\t')),
        _ => false,
    })
}

/// Whether `text` ends in one of [`WORDS`], before any blanks.
fn ends_in_word(text: &[u8]) -> bool {
    /// That of the longest one.
    const LENGTH: usize = 5;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.\"'".contains(byte);
    let blanks = text
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'));
    let text = &text[..text.len() - blanks.count()];
    let letters = text.iter().rev().take(LENGTH + 1);
    let length = letters
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let (rest, word) = text.split_at(text.len() - length);
    WORDS.iter().any(|known| known.as_bytes() == word) && !rest.last().is_some_and(is_part)
}

fn key_at(text: &str, (line, column): (u64, u64)) -> Option<BooleanKey> {
    let content = text
        .lines()
        .nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let start = usize::try_from(column).ok()?.checked_sub(1)?;
    let word: String = content
        .trim_start_matches('\u{feff}')
        .chars()
        .skip(start)
        .take_while(char::is_ascii_alphabetic)
        .collect();
    let place = WORDS.iter().position(|known| *known == word)?;
    Some(BooleanKey {
        key: word,
        value: place < FIRST_FALSE,
        line,
        column,
    })
}

/// Line and column of each key below a node that was read as a boolean.
struct Keys(Vec<(u64, u64)>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_none<E>(self) -> Result<Keys, E> {
        Ok(Keys(vec![]))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Keys, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Keys(vec![]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Keys, A::Error> {
        let mut found = vec![];
        while let Some(Keys(inner)) = access.next_element()? {
            found.extend(inner);
        }
        Ok(Keys(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Keys, A::Error> {
        let mut found = vec![];
        while let Some((key, Keys(inner))) = access.next_entry::<Spanned<Key>, Keys>()? {
            if key.value == Key::Boolean {
                found.push((key.referenced.line(), key.referenced.column()));
            }
            found.extend(inner);
        }
        Ok(Keys(found))
    }
}

#[derive(PartialEq, Eq)]
enum Key {
    Boolean,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(match value {
            serde_json::Value::Bool(_) => Self::Boolean,
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = boolean_keys(text);
        let found: Vec<_> = found
            .iter()
            .map(|key| format!("{}:{} {}={}", key.line, key.column, key.key, key.value))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn keys_that_become_booleans_are_found() {
        check("y: 1\n", &["1:1 y=true"]);
        check(
            "a:\n  no: 1\n  on: {Off: 2}\n",
            &["2:3 no=false", "3:3 on=true", "3:8 Off=false"],
        );
        check(
            "a: [{N: 1}]\n---\nb: 1\n---\nYES: 1\n",
            &["1:6 N=false", "5:1 YES=true"],
        );
        check("? on\n: 1\n", &["1:3 on=true"]);
        check("a: &x {y: 1}\nb: *x\n", &["1:8 y=true"]);
        check("y : 1\n", &["1:1 y=true"]);
        check("True: 1\nfalse: 2\n", &["1:1 True=true"]);
    }

    #[test]
    fn texts_and_values_are_left_alone() {
        for text in [
            "'y': 1\n\"on\": 1\n",
            "a: yes\nb: [on, off]\n",
            "true: 1\nfalse: 2\n",
            "only: 1\nnope: 2\nyes-man: 3\n",
            "a: |\n  y: 1\n",
            "# on: 1\na: 'no: 1'\n",
            "y: [",
            "",
        ] {
            check(text, &[]);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text in "([yn]|on|[:{}\\[\\]?'\" \n-]|é){0,30}") {
            for key in boolean_keys(&text) {
                prop_assert!(WORDS.contains(&key.key.as_str()));
            }
        }
    }
}
