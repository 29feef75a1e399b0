//! What must not stand in a file, wherever it turns up.
//!
//! Values of Secrets are redacted in every report. A file lies about for longer than a line on a
//! terminal, so what stands in a Secret, or under a key that is likely to be secret, is left out of
//! every other resource in it as well.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::chart::{Values, is_likely_secret};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::Observed;

/// From which length on a secret is looked for inside of texts.
const LONG: usize = 6;
/// What stands in its place.
const REDACTED: &str = "(redacted)";

/// What must not stand in a file.
#[derive(Default)]
pub struct Withheld(BTreeSet<String>);

impl Withheld {
    /// What the wanted Secrets and those of the cluster hold, and what is likely to be secret by its key
    /// of the values that made what is wanted, or what is there.
    pub fn of<'a>(
        desired: &Manifest,
        observed: &Observed,
        values: impl IntoIterator<Item = &'a Values>,
    ) -> Self {
        let mut all = Self::default();
        let is_secret = |id: &ResourceId| id.kind == "Secret" && id.group.is_empty();
        let live = observed.iter().filter(|(id, _)| is_secret(id));
        let live = live.map(|(_, body)| body);
        let wanted = desired.resources.iter();
        let wanted = wanted.filter(|resource| is_secret(&resource.id));
        let wanted = wanted.map(|resource| &resource.body);
        wanted.chain(live).for_each(|body| all.secret(body));
        let entries = values.into_iter().flat_map(|values| &values.0);
        entries.for_each(|(key, value)| all.value(key, value));
        all
    }

    fn secret(&mut self, body: &Value) {
        for field in ["data", "stringData"] {
            let entries = body.get(field).and_then(Value::as_object);
            for (_, text) in entries.into_iter().flatten() {
                let text = text.as_str().unwrap_or_default();
                self.add(text);
                let decoded = BASE64_STANDARD.decode(text).unwrap_or_default();
                self.add(std::str::from_utf8(&decoded).unwrap_or_default());
            }
        }
    }

    /// Takes in what is likely to be secret of a value by its key.
    fn value(&mut self, key: &str, value: &Value) {
        match value {
            _ if is_likely_secret(key) => self.all(value),
            Value::Object(map) => map.iter().for_each(|(key, value)| self.value(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.value(key, item)),
            _ => {}
        }
    }

    /// Takes in all texts and numbers of a value.
    fn all(&mut self, value: &Value) {
        match value {
            Value::Object(map) => map.values().for_each(|value| self.all(value)),
            Value::Array(items) => items.iter().for_each(|item| self.all(item)),
            Value::String(text) => self.add(text),
            Value::Number(number) if number.to_string().len() >= LONG => {
                self.add(&number.to_string());
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.0.insert(text.to_owned());
        }
    }

    /// The value without what must not be shown.
    pub fn redacted(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.has(&text) => REDACTED.into(),
            Value::Number(number) if self.has_number(&number.to_string()) => REDACTED.into(),
            Value::Array(items) => items.into_iter().map(|item| self.redacted(item)).collect(),
            Value::Object(map) => {
                let entries = map.into_iter();
                let entries = entries.map(|(key, value)| (key, self.redacted(value)));
                Value::Object(entries.collect())
            }
            other => other,
        }
    }

    /// Short numbers are everywhere.
    fn has_number(&self, digits: &str) -> bool {
        digits.len() >= LONG && self.0.contains(digits)
    }

    fn has(&self, text: &str) -> bool {
        let mut long = self.0.iter().filter(|secret| secret.len() >= LONG);
        self.0.contains(text.trim()) || long.any(|secret| text.contains(secret.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, expected: &Value) {
        let live = json!({"kind": "Secret", "data": {"a": "aHVudGVyMg==", "b": "eA==", "c": "!"}});
        let id = ResourceId {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: None,
            name: "a".to_owned(),
        };
        let observed = Observed::from([(id, live)]);
        let config = json!({"db": {"password": "swordfish", "pin": 123_456, "keys": [987_654]}});
        let config: Values = serde_json::from_value(config).unwrap();
        let withheld = Withheld::of(&Manifest::default(), &observed, [&config]);
        assert_eq!(withheld.redacted(value), *expected);
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let hidden = json!(REDACTED);
        check(json!("hunter2"), &hidden);
        check(json!("aHVudGVyMg=="), &hidden);
        check(
            json!({"url": ["postgres://me:hunter2@db", "x", "xy", "!"]}),
            &json!({"url": [REDACTED, REDACTED, "xy", REDACTED]}),
        );
        check(json!("--password=swordfish"), &hidden);
        check(json!([987_654, 123_456, 3]), &json!([REDACTED, 123_456, 3]));
        check(json!(null), &json!(null));
    }
}
