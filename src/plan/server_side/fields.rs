//! Sets of fields as the API server records them for each field manager (`fieldsV1`).
//!
//! The format is that of `fieldpath` in `sigs.k8s.io/structured-merge-diff`: `f:NAME` is a field,
//! `k:{KEYS}` an item of a list by its keys, `v:VALUE` an item of a set and `i:INDEX` one by its
//! place; `.` says that what stands around it is itself in the set. It says by itself how lists merge,
//! so it needs no schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A set of fields of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    is_member: bool,
    children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// Reads a set; what is no set is an empty one.
    pub(super) fn read(fields: &Value) -> Self {
        let mut set = Self::node(fields);
        set.is_member = false;
        set
    }

    fn node(fields: &Value) -> Self {
        let Some(fields) = fields.as_object() else {
            return Self::default();
        };
        let children = fields.iter().filter(|(key, _)| *key != ".");
        Self {
            is_member: fields.is_empty() || fields.contains_key("."),
            children: children
                .map(|(key, below)| (key.clone(), Self::node(below)))
                .collect(),
        }
    }

    /// The set of one field, by the names on the way to it.
    pub(super) fn of<'a>(names: impl DoubleEndedIterator<Item = &'a str>) -> Self {
        let leaf = Self {
            is_member: true,
            ..Self::default()
        };
        names.rev().fold(leaf, |below, name| Self {
            is_member: false,
            children: BTreeMap::from([(format!("f:{name}"), below)]),
        })
    }

    /// Writes the set as the API server does.
    pub(super) fn write(&self) -> Value {
        let below = self.children.iter();
        let mut fields: Map<_, _> = below
            .map(|(key, below)| (key.clone(), below.write()))
            .collect();
        if self.is_member && !fields.is_empty() {
            fields.insert(".".to_owned(), json!({}));
        }
        fields.into()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_member && self.children.is_empty()
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.get(&format!("f:{name}"))
    }

    /// Whether a field, or anything below it, is in the set.
    pub(super) fn touches<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        match names.next() {
            None => !self.is_empty(),
            Some(_) if self.is_leaf() => true,
            Some(name) => self.child(name).is_some_and(|below| below.touches(names)),
        }
    }

    fn is_leaf(&self) -> bool {
        self.is_member && self.children.is_empty()
    }

    /// Adds what is in another set.
    pub(super) fn add(&mut self, other: &Self) {
        self.is_member |= other.is_member;
        for (key, below) in &other.children {
            self.children.entry(key.clone()).or_default().add(below);
        }
    }

    /// What is not in another set.
    pub(super) fn without(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(key, below)| {
            let left = match other.children.get(key) {
                Some(taken) => below.without(taken),
                None => below.clone(),
            };
            (!left.is_empty()).then(|| (key.clone(), left))
        });
        Self {
            is_member: self.is_member && !other.is_member,
            children: children.collect(),
        }
    }

    /// What is in another set as well.
    pub(super) fn both(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(key, below)| {
            let both = below.both(other.children.get(key)?);
            (!both.is_empty()).then(|| (key.clone(), both))
        });
        Self {
            is_member: self.is_member && other.is_member,
            children: children.collect(),
        }
    }

    /// What stands in any of these bodies.
    pub(super) fn within(&self, bodies: &[&Value]) -> Self {
        let children = self.children.iter().filter_map(|(key, below)| {
            let found = bodies.iter().filter_map(|body| at(body, key));
            let found: Vec<&Value> = found.filter(|value| !value.is_null()).collect();
            let kept = below.within(&found);
            (!found.is_empty() && !kept.is_empty()).then(|| (key.clone(), kept))
        });
        Self {
            is_member: self.is_member,
            children: children.collect(),
        }
    }

    /// The same without the objects and lists that fields of the set stand in.
    pub(super) fn leaves(&self) -> Self {
        let children = self.children.iter();
        Self {
            is_member: self.is_leaf(),
            children: children
                .map(|(key, below)| (key.clone(), below.leaves()))
                .collect(),
        }
    }

    /// What of a body is in the set, is nobody's, or stands in `wanted` as well.
    pub(super) fn part(
        &self,
        others: &Self,
        (body, wanted): (&Value, Option<&Value>),
    ) -> Option<Value> {
        let none = Self::default();
        match body {
            _ if self.is_leaf() => Some(body.clone()),
            Value::Object(fields) => {
                let kept = fields.iter().filter_map(|(name, value)| {
                    let below = self.child(name).unwrap_or(&none);
                    let others = others.child(name).unwrap_or(&none);
                    let wanted = wanted.and_then(|wanted| wanted.get(name));
                    if below.is_empty() && wanted.is_none() {
                        return others.is_empty().then(|| (name.clone(), value.clone()));
                    }
                    Some((name.clone(), below.part(others, (value, wanted))?))
                });
                Some(Value::Object(kept.collect()))
            }
            Value::Array(items) if self.has_items() => {
                let kept = items.iter().filter_map(|item| {
                    let mut keys = self.children.iter();
                    let (key, below) = keys.find(|(key, _)| is_item(item, key))?;
                    let others = others.children.get(key).unwrap_or(&none);
                    Some(with_keys(below.part(others, (item, None))?, item, key))
                });
                Some(Value::Array(kept.collect()))
            }
            _ => (wanted.is_some() || self.is_member).then(|| body.clone()),
        }
    }

    /// A live body without the items of lists that are in this set alone and not wanted.
    pub(super) fn trimmed(&self, own: &Self, (live, wanted): (&Value, &Value)) -> Value {
        let none = Self::default();
        match (live, wanted) {
            (Value::Object(fields), Value::Object(_)) => {
                let kept = fields.iter().map(|(name, value)| {
                    let sides = self.child(name).zip(wanted.get(name));
                    let value = sides.map_or_else(
                        || value.clone(),
                        |(others, wanted)| {
                            let own = own.child(name).unwrap_or(&none);
                            others.trimmed(own, (value, wanted))
                        },
                    );
                    (name.clone(), value)
                });
                Value::Object(kept.collect())
            }
            (Value::Array(items), Value::Array(_)) => {
                let is_theirs = |item: &Value| {
                    let mut keys = self.children.keys();
                    let key = keys.find(|key| is_item(item, key));
                    key.is_some_and(|key| {
                        !own.children.contains_key(key) && at(wanted, key).is_none()
                    })
                };
                let kept = items.iter().filter(|item| !is_theirs(item));
                Value::Array(kept.cloned().collect())
            }
            _ => live.clone(),
        }
    }

    fn has_items(&self) -> bool {
        let mut keys = self.children.keys();
        keys.any(|key| key.starts_with("k:") || key.starts_with("v:"))
    }
}

/// What a body has at one step of a path.
fn at<'a>(body: &'a Value, key: &str) -> Option<&'a Value> {
    match key.split_once(':')? {
        ("f", name) => body.get(name),
        ("i", index) => body.get(index.parse::<usize>().ok()?),
        _ => {
            let items = body.as_array()?;
            // An item that says all of its keys goes before one that leaves some to defaults.
            let exact = items.iter().find(|item| has_all(item, key));
            exact.or_else(|| items.iter().find(|item| is_item(item, key)))
        }
    }
}

fn has_all(item: &Value, key: &str) -> bool {
    matches(item, key, |value, wanted| value == Some(wanted))
}

/// Whether a step of a path leads to an item; a key that the item does not say is a default.
fn is_item(item: &Value, key: &str) -> bool {
    matches(item, key, |value, wanted| {
        value.is_none_or(|value| value.is_null() || value == wanted)
    })
}

fn matches(item: &Value, key: &str, same: fn(Option<&Value>, &Value) -> bool) -> bool {
    let Some((kind, text)) = key.split_once(':') else {
        return false;
    };
    let Ok(wanted) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    match (kind, &wanted) {
        ("v", wanted) => item == wanted,
        ("k", Value::Object(keys)) => {
            item.is_object()
                && keys
                    .iter()
                    .all(|(name, wanted)| same(item.get(name), wanted))
        }
        _ => false,
    }
}

/// A part of an item with its keys.
fn with_keys(part: Value, item: &Value, key: &str) -> Value {
    let keys = key
        .strip_prefix("k:")
        .and_then(|keys| serde_json::from_str::<Map<String, Value>>(keys).ok());
    let (Value::Object(mut part), Some(keys)) = (part, keys) else {
        return item.clone();
    };
    for name in keys.keys() {
        if let Some(value) = item.get(name) {
            part.insert(name.clone(), value.clone());
        }
    }
    Value::Object(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn set(fields: Value) -> FieldSet {
        FieldSet::read(&fields)
    }

    fn container(fields: &Value) -> Value {
        json!({"f:containers": {r#"k:{"name":"app"}"#: fields}})
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_within(fields: Value, bodies: &[Value], expected: Value) {
        let bodies: Vec<&Value> = bodies.iter().collect();
        assert_eq!(FieldSet::read(&fields).within(&bodies).write(), expected);
    }

    #[test]
    fn what_is_read_is_written() {
        for fields in [
            json!({}),
            json!({"f:data": {".": {}, "f:a": {}}, "f:spec": {"f:ports": {"i:0": {}}}}),
            container(&json!({".": {}, "f:name": {}})),
        ] {
            assert_eq!(FieldSet::read(&fields).write(), fields);
        }
        assert!(FieldSet::read(&json!("x")).is_empty());
    }

    #[test]
    fn what_stands_in_no_body_is_left_out() {
        let data = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}});
        check_within(
            data.clone(),
            &[json!({"data": {"a": 1}})],
            json!({"f:data": {".": {}, "f:a": {}}}),
        );
        check_within(
            data.clone(),
            &[json!({"data": {"a": 1}}), json!({"data": {"b": 1}})],
            data.clone(),
        );
        check_within(data, &[json!({"data": null})], json!({}));
        let app = container(&json!({".": {}, "f:name": {}, "f:image": {}}));
        let body = json!({"containers": [{"name": "other", "image": "a"}, {"name": "app"}]});
        check_within(app, &[body], container(&json!({".": {}, "f:name": {}})));
    }

    #[test]
    fn items_are_found_by_keys_that_they_leave_to_defaults() {
        let port = |protocol: &str| format!(r#"k:{{"port":53,"protocol":"{protocol}"}}"#);
        let fields = json!({"f:ports": {port("TCP"): {"f:name": {}}, port("UDP"): {"f:name": {}}}});
        let body = json!({"ports": [{"port": 53}, {"port": 53, "protocol": "UDP", "name": "u"}]});
        check_within(
            fields,
            &[body],
            json!({"f:ports": {port("UDP"): {"f:name": {}}}}),
        );
    }

    #[test]
    fn sets_are_added_and_taken_away() {
        let mut all = set(json!({"f:a": {".": {}, "f:b": {}}}));
        all.add(&set(json!({"f:a": {"f:c": {}}, "f:d": {}})));
        assert_eq!(
            all.write(),
            json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}})
        );
        let taken = set(json!({"f:a": {".": {}, "f:c": {}}, "f:d": {}}));
        assert_eq!(all.without(&taken).write(), json!({"f:a": {"f:b": {}}}));
        assert_eq!(all.both(&taken), taken);
        assert_eq!(
            all.leaves().write(),
            json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}})
        );
    }

    #[test]
    fn items_of_others_are_trimmed() {
        let item = |name: &str| (format!(r#"k:{{"name":"{name}"}}"#), json!({"f:v": {}}));
        let items = |names: &[&str]| {
            let items = names.iter().map(|name| item(name));
            set(json!({"f:list": items.collect::<Map<_, _>>()}))
        };
        let body = |names: &[&str]| {
            let items = names.iter().map(|name| json!({"name": name, "v": 1}));
            json!({"list": items.collect::<Vec<_>>(), "other": [{"name": "z"}]})
        };
        let live = body(&["own", "shared", "wanted", "theirs", "nobodys"]);
        let trimmed = items(&["shared", "wanted", "theirs"]).trimmed(
            &items(&["own", "shared"]),
            (&live, &body(&["own", "wanted"])),
        );
        assert_eq!(trimmed, body(&["own", "shared", "wanted", "nobodys"]));
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check_part(own: Value, others: Value, wanted: Value, expected: Value) {
        let body =
            json!({"data": {"a": 1, "b": 2}, "list": [{"name": "x", "v": 1}, {"name": "y"}]});
        let part = set(own).part(&set(others), (&body, Some(&wanted)));
        assert_eq!(part.unwrap(), expected);
    }

    #[test]
    fn a_part_is_what_is_own_or_nobodys_or_wanted() {
        let x = json!({"f:list": {r#"k:{"name":"x"}"#: {"f:v": {}}}});
        let list = json!([{"name": "x", "v": 1}]);
        check_part(
            x.clone(),
            json!({}),
            json!({}),
            json!({"data": {"a": 1, "b": 2}, "list": list}),
        );
        let others = json!({"f:data": {"f:a": {}, "f:b": {}}});
        check_part(
            x.clone(),
            others.clone(),
            json!({"data": {"b": 0}}),
            json!({"data": {"b": 2}, "list": list}),
        );
        check_part(x, others, json!({}), json!({ "list": list }));
    }
}
