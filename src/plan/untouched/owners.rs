//! Whose a live value is, by the managed fields of its resource (`metadata.managedFields`, `FieldsV1` of
//! sigs.k8s.io/structured-merge-diff).

use serde_json::Value;

use crate::plan::drift::author::{self, Author};

/// The manager under which pintle writes what stands in no manifest.
const GENERATED: &str = "pintle";
/// The manager under which the API server itself writes.
const SERVER: &str = "kube-apiserver";

/// Who owns a field that no chart speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// This manager wrote it.
    Other(Author),
    /// Nobody says that it is theirs, or it came with what the release wrote: a default, or what admission
    /// has added.
    Server,
}

/// Whose a value is with all that stands in it.
#[derive(Debug, PartialEq)]
pub(super) enum Share {
    /// There is nothing in it.
    Nobody,
    /// It is generated for the release.
    Own,
    /// It has one owner.
    One(Whose),
    /// Its parts have several.
    Several,
}

/// The entries of managed fields that have a value or something in it: each beside its fields from there
/// on, of which there are none where it has the whole value.
pub(super) struct Owners<'a>(Vec<(&'a Value, &'a Value)>);

impl<'a> Owners<'a> {
    /// Those of a live resource.
    pub(super) fn of(live: &'a Value) -> Self {
        let fields = |entry: &'a Value| {
            let fields = entry.get("fieldsV1")?;
            let has_some = fields.as_object().is_some_and(|fields| !fields.is_empty());
            has_some.then_some((entry, fields))
        };
        Self(author::entries(live).filter_map(fields).collect())
    }

    /// Those of a field of an object.
    pub(super) fn field(&self, name: &str) -> Self {
        let key = format!("f:{name}");
        self.below(|fields| fields.get(&key))
    }

    /// Those of an item of a list.
    pub(super) fn item(&self, item: &Value) -> Self {
        self.below(|fields| {
            let mut fields = fields.as_object()?.iter();
            let found = fields.find(|(key, _)| is_item(key, item));
            found.map(|(_, below)| below)
        })
    }

    fn below(&self, find: impl Fn(&'a Value) -> Option<&'a Value>) -> Self {
        let all = self.0.iter();
        let below = all.filter_map(|(entry, fields)| {
            let is_whole = fields.as_object().is_none_or(serde_json::Map::is_empty);
            let below = if is_whole { fields } else { find(fields)? };
            Some((*entry, below))
        });
        Self(below.collect())
    }

    /// Whose a value is, all that is in it included.
    pub(super) fn share(&self, live: &Value) -> Share {
        let parts: Vec<Share> = match live {
            Value::Null => vec![],
            Value::Object(fields) => {
                let fields = fields.iter();
                let share = |(key, value): (&String, &Value)| self.field(key).share(value);
                fields.map(share).collect()
            }
            Value::Array(items) if self.tells_items_apart() => {
                let items = items.iter();
                items.map(|item| self.item(item).share(item)).collect()
            }
            Value::Array(items) if items.is_empty() => vec![],
            _ => return self.whole(),
        };
        let parts = parts.into_iter().filter(|part| *part != Share::Nobody);
        let both = |one, other| if one == other { one } else { Share::Several };
        parts.reduce(both).unwrap_or(Share::Nobody)
    }

    fn tells_items_apart(&self) -> bool {
        let mut all = self.0.iter().filter_map(|(_, fields)| fields.as_object());
        all.any(|fields| {
            fields
                .keys()
                .any(|key| !key.starts_with("f:") && key != ".")
        })
    }

    /// Whose a value is that has no parts.
    fn whole(&self) -> Share {
        let all = self.0.iter();
        let all: Vec<Author> = all.filter_map(|(entry, _)| Author::read(entry)).collect();
        let foreign = all
            .iter()
            .filter(|one| !one.is_own() && one.manager != SERVER);
        if let Some(newest) = foreign.max_by_key(|one| one.time) {
            return Share::One(Whose::Other(newest.clone()));
        }
        if all.iter().any(|one| one.manager == GENERATED) {
            Share::Own
        } else {
            Share::One(Whose::Server)
        }
    }
}

/// Whether a key of a set of fields is that of an item: `k:{…}` by its keys, or `v:…` by its value.
fn is_item(key: &str, item: &Value) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    if let Some(keys) = key.strip_prefix("k:") {
        let keys = read(keys);
        let keys = keys.as_ref().and_then(Value::as_object);
        return keys
            .is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value)));
    }
    let value = key.strip_prefix("v:").and_then(read);
    value.is_some_and(|value| value == *item)
}
