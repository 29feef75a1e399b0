//! Labels of the user on a record.

use std::str::FromStr;

/// The labels that Helm sets itself (helm/helm `pkg/storage/driver/util.go`); all others are the
/// user's.
pub const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

/// The longest name and value of a label.
const MAX_LENGTH: usize = 63;
/// The longest prefix of a label's key.
const MAX_PREFIX: usize = 253;

/// A label as a flag gives it: `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The key.
    pub key: String,
    /// The value; none, written `null`, takes the label away.
    pub value: Option<String>,
}

/// A text that is no label of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// There is no equals sign.
    #[error("expected KEY=VALUE, such as team=web")]
    NoValue,
    /// The key is Helm's own.
    #[error("{0} is a label that Helm sets itself")]
    System(String),
    /// The key is none that Kubernetes takes.
    #[error(
        "{0:?} is no key of a label: at most 63 letters, digits, '-', '_' and '.', with a letter or \
         digit at both ends, behind a DNS name and '/' if there is one"
    )]
    Key(String),
    /// The value is none that Kubernetes takes.
    #[error(
        "{0:?} is no value of a label: at most 63 letters, digits, '-', '_' and '.', with a letter or \
         digit at both ends"
    )]
    Value(String),
}

impl FromStr for Label {
    type Err = LabelError;

    /// Reads a label, and checks it as the API server does (Kubernetes, "Labels and Selectors").
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or(LabelError::NoValue)?;
        if SYSTEM_LABELS.contains(&key) {
            return Err(LabelError::System(key.to_owned()));
        }
        let (prefix, name) = match key.rsplit_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, key),
        };
        if !is_word(name) || !prefix.is_none_or(is_prefix) {
            return Err(LabelError::Key(key.to_owned()));
        }
        if !value.is_empty() && !is_word(value) {
            return Err(LabelError::Value(value.to_owned()));
        }
        Ok(Self {
            key: key.to_owned(),
            value: Some(value.to_owned()).filter(|value| value != "null"),
        })
    }
}

fn is_word(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    bytes.len() <= MAX_LENGTH
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(is_inner)
}

fn is_prefix(text: &str) -> bool {
    text.len() <= MAX_PREFIX
        && text.split('.').all(is_word)
        && !text.contains('_')
        && !text.contains(|letter: char| letter.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, Option<&str>), &str>) {
        let found = text.parse::<Label>();
        match (&found, expected) {
            (Ok(label), Ok(expected)) => {
                assert_eq!((label.key.as_str(), label.value.as_deref()), expected);
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn labels_are_what_the_api_server_takes() {
        check("team=web", Ok(("team", Some("web"))));
        check("example.com/a_b=1.0", Ok(("example.com/a_b", Some("1.0"))));
        check("team=", Ok(("team", Some(""))));
        check("team=null", Ok(("team", None)));
        check("team", Err("expected KEY=VALUE"));
        check("owner=me", Err("owner is a label that Helm sets itself"));
        check("=a", Err("is no key"));
        check("a b=c", Err("is no key"));
        check("A.com/x=c", Err("is no key"));
        check("a=b c", Err("is no value"));
        check("a=-b", Err("is no value"));
        check(&format!("a={}", "b".repeat(64)), Err("is no value"));
    }
}
