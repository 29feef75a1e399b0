//! The values of the Secrets that pods in trouble use, so that what is told of them shows none.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::future::join_all;
use serde_json::Value;

use super::clean::HIDDEN;
use super::pods::Source;
use crate::builtin;
use crate::cluster::Cluster;
use crate::cluster::path::Address;

/// How many Secrets are read.
const READ: usize = 16;
/// What is shorter stands in other words as well.
const SHORTEST: usize = 5;

/// Texts that must not be shown, the longest first.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<String>);

impl Known {
    /// The values of Secrets, each as a whole, line by line, and in base64.
    fn of<'a>(secrets: impl Iterator<Item = &'a Value>) -> Self {
        let mut texts = BTreeSet::new();
        for secret in secrets {
            let data = secret.get("data").and_then(Value::as_object);
            let values = data.into_iter().flat_map(|data| data.values());
            for value in values.filter_map(Value::as_str) {
                texts.insert(value.to_owned());
                let decoded = BASE64_STANDARD.decode(value).unwrap_or_default();
                if let Ok(text) = String::from_utf8(decoded) {
                    texts.extend(text.lines().map(|line| line.trim().to_owned()));
                }
            }
        }
        let mut texts: Vec<_> = texts
            .into_iter()
            .filter(|text| text.len() >= SHORTEST)
            .collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(texts)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let hide = |text: String, known: &String| text.replace(known.as_str(), HIDDEN);
        self.0.iter().fold(text.to_owned(), hide)
    }
}

impl Cluster {
    /// Reads the Secrets that pods of each place use; what may not be read is not known.
    pub(super) async fn secrets_of(&self, pods: &[(&str, &Source)]) -> Known {
        let Some(kind) = builtin::kind("", "Secret") else {
            return Known::default();
        };
        let names = pods.iter().flat_map(|(place, pod)| {
            let names = pod.secrets.iter();
            names.map(|name| (*place, name.as_str()))
        });
        let names: BTreeSet<(&str, &str)> = names.collect();
        let reads = names.into_iter().take(READ).map(async |(place, name)| {
            let at = Address {
                kind,
                namespace: Some(place),
                name,
            };
            self.get(&at).await.ok().flatten()
        });
        let secrets = join_all(reads).await;
        Known::of(secrets.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let data = |value: &str| BASE64_STANDARD.encode(value);
        let secret = json!({"data": {"password": data("hunter2"), "longer": data("hunter2000"),
            "flag": data("true"), "file": data("user: alice1\nkey: k\n"), "odd": "%"}});
        let known = Known::of([&secret, &json!(null)].into_iter());
        assert_eq!(known.hide(text), expected);
    }

    #[test]
    fn values_of_secrets_are_hidden() {
        check("no access for hunter2", "no access for [hidden]");
        check("hunter2000 and hunter2", "[hidden] and [hidden]");
        check("got aHVudGVyMg==", "got [hidden]");
        check("user: alice1 is not known", "[hidden] is not known");
        check("it is true that key: k", "it is true that [hidden]");
    }
}
