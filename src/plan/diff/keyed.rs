//! Lists whose items are identified by keys.
//!
//! Where a strategic merge patch finds items by the same key, each item is patched. Elsewhere
//! (ports, whose protocol is a part of their key; lists that hold a key twice; JSON merge patches)
//! the merged list is made here and sent as a whole. In a strategic merge patch the API server moves
//! the items of such a list together that have the merge key in common, behind the first of them, so
//! no other order can be had, and none is asked for. In custom resources such a list is a map, of which the
//! order is no part.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::Cause;
use super::edit::{Edit, Form, ListPatch, Values};
use super::equal::without_nulls;
use super::walk::Walk;
use crate::builtin::{Keyed, Shape};

/// The items of one list by their keys; of items with one key only the last counts.
pub(in crate::plan) struct Index<'a> {
    /// The items in their order.
    pub(in crate::plan) items: Vec<(String, &'a Value)>,
    by_key: HashMap<String, &'a Value>,
    /// How many items the list has.
    len: usize,
}

impl<'a> Index<'a> {
    /// None if an item lacks a key.
    pub(in crate::plan) fn new(keyed: &Keyed, list: &'a [Value]) -> Option<Self> {
        let mut items = Vec::with_capacity(list.len());
        let mut by_key = HashMap::with_capacity(list.len());
        for item in list.iter().rev() {
            let key = key_text(keyed, item)?;
            if let Entry::Vacant(entry) = by_key.entry(key) {
                items.push((entry.key().clone(), item));
                entry.insert(item);
            }
        }
        items.reverse();
        Some(Self {
            items,
            by_key,
            len: list.len(),
        })
    }

    pub(in crate::plan) fn get(&self, key: &str) -> Option<&'a Value> {
        self.by_key.get(key).copied()
    }

    fn has_duplicates(&self) -> bool {
        self.items.len() < self.len
    }
}

fn key_text(keyed: &Keyed, item: &Value) -> Option<String> {
    let mut text = String::new();
    for (name, default) in &keyed.keys {
        match item.get(name).filter(|value| !value.is_null()) {
            Some(Value::String(value)) => text.push_str(value),
            Some(value) => text.push_str(&value.to_string()),
            None => text.push_str(default.as_deref()?),
        }
        text.push('\0');
    }
    Some(text)
}

/// What a comparison of two lists has found, item by item.
#[derive(Default)]
struct Found<'a> {
    /// The edits of wanted items, in their order.
    edits: Vec<(&'a str, &'a Value, Value)>,
    /// The live items to remove.
    removed: HashSet<&'a str>,
}

impl Walk {
    /// Compares lists that merge by keys. What is in neither base nor desired stays.
    pub(super) fn keyed(&mut self, keyed: &Keyed, values: &Values<'_>) -> Edit {
        let (wanted, held) = (Values::array(values.desired), Values::array(values.live));
        let (Some(desired), Some(live)) = (Index::new(keyed, wanted), Index::new(keyed, held))
        else {
            return self.unkeyed(keyed, values);
        };
        let base: Vec<Option<Index<'_>>> = values
            .base
            .iter()
            .map(|base| Index::new(keyed, Values::array(*base)))
            .collect();
        let patch_key = keyed
            .patch_key()
            .filter(|_| self.form == Form::Strategic && !live.has_duplicates());
        let form = self.form;
        if patch_key.is_none() {
            self.form = Form::Whole;
        }
        let lists = Lists {
            keyed,
            grouped_by: keyed
                .merge_key()
                .filter(|_| patch_key.is_none() && form == Form::Strategic),
            base,
            desired,
            live,
        };
        let mut found = Found::default();
        self.wanted_items(&lists, &mut found);
        self.applied_items(&lists, &mut found);
        let is_moved = !keyed.is_custom() && self.moved_items(&lists);
        self.form = form;

        if found.edits.is_empty() && found.removed.is_empty() && !is_moved {
            return Edit::Keep;
        }
        match patch_key {
            Some(key) => Edit::List(lists.patch(key, found)),
            None => Edit::Set(lists.whole(&found, form)),
        }
    }

    /// Compares lists that have an item without its key, which only a whole list can hold.
    fn unkeyed(&mut self, keyed: &Keyed, values: &Values<'_>) -> Edit {
        let lists = (Values::array(values.desired), Values::array(values.live));
        match self.items(Shape::Unknown, lists, values) {
            Edit::Set(Value::Array(mut list))
                if keyed.merge_key().is_some() && self.form == Form::Strategic =>
            {
                list.insert(0, json!({"$patch": "replace"}));
                Edit::Set(Value::Array(list))
            }
            edit => edit,
        }
    }

    fn wanted_items<'l>(&mut self, lists: &'l Lists<'_>, found: &mut Found<'l>) {
        for (key, desired) in &lists.desired.items {
            let values = lists.values(key);
            if values.live == Some(*desired) {
                continue;
            }
            let mark = self.path.push_item(lists.keyed, desired);
            let edit = if values.live.is_some() {
                self.typed(
                    lists.keyed.item_type(),
                    lists.keyed.item_presence(),
                    &values,
                )
            } else {
                self.note(Shape::Unknown, &values);
                Edit::Set(without_nulls(desired))
            };
            self.path.truncate(mark);
            if let Edit::Set(edit) = edit {
                found.edits.push((key, desired, edit));
            }
        }
    }

    fn applied_items<'l>(&mut self, lists: &'l Lists<'_>, found: &mut Found<'l>) {
        for (key, live) in &lists.live.items {
            let is_applied = || {
                lists
                    .base
                    .iter()
                    .flatten()
                    .any(|base| base.get(key).is_some())
            };
            if lists.desired.get(key).is_some() || !is_applied() {
                continue;
            }
            let mark = self.path.push_item(lists.keyed, live);
            self.push_change(Some((*live).clone()), None, Cause::Chart);
            self.path.truncate(mark);
            found.removed.insert(key);
        }
    }

    /// Notes it if the items that are wanted and live stand in another order.
    fn moved_items(&mut self, lists: &Lists<'_>) -> bool {
        let kept = |of: &Index<'_>, other: &Index<'_>| -> Vec<String> {
            let keys = of.items.iter().map(|(key, _)| key);
            keys.filter(|key| other.get(key).is_some())
                .cloned()
                .collect()
        };
        let desired = kept(&lists.desired, &lists.live);
        let live = kept(&lists.live, &lists.desired);
        if desired == live
            || lists.together(&desired, &lists.desired) == lists.together(&live, &lists.live)
        {
            return false;
        }
        let newest = lists.base.last().and_then(Option::as_ref);
        let is_old = newest.is_some_and(|base| {
            let known = kept(&lists.desired, base);
            known == kept(base, &lists.desired) && known.len() >= desired.len()
        });
        let cause = if is_old { Cause::Drift } else { Cause::Chart };
        let names = |keys: &[String], of: &Index<'_>| -> Value {
            let items = keys.iter().filter_map(|key| of.get(key));
            items.map(|item| lists.name(item)).collect()
        };
        let old = names(&live, &lists.live);
        let new = names(&desired, &lists.desired);
        let mark = self.path.push_text(" (order)");
        self.push_change(Some(old), Some(new), cause);
        self.path.truncate(mark);
        true
    }
}

/// Items by their keys.
type Items<'l, 'a> = Vec<&'l (String, &'a Value)>;

/// The lists that are compared.
struct Lists<'a> {
    keyed: &'a Keyed,
    /// The field by which the API server groups items.
    grouped_by: Option<&'static str>,
    base: Vec<Option<Index<'a>>>,
    desired: Index<'a>,
    live: Index<'a>,
}

impl<'a> Lists<'a> {
    fn values(&self, key: &str) -> Values<'a> {
        let find = |index: &Option<Index<'a>>| index.as_ref().and_then(|index| index.get(key));
        Values {
            base: self.base.iter().map(find).collect(),
            desired: self.desired.get(key),
            live: self.live.get(key),
        }
    }

    /// The key of an item as people know it: one value, or an object of several.
    fn name(&self, item: &Value) -> Value {
        let part = |name: &str| item.get(name).cloned().unwrap_or_default();
        match self.keyed.keys.as_slice() {
            [(name, _)] => part(name),
            keys => keys
                .iter()
                .map(|(name, _)| (name.clone(), part(name)))
                .collect(),
        }
    }

    /// Makes the patch of each item, in the order of the wanted list.
    fn patch(&self, key: &str, found: Found<'_>) -> ListPatch {
        let order = if self.keeps_places(&found) {
            Vec::new()
        } else {
            let items = self.desired.items.iter();
            items.map(|(_, item)| json!({key: item[key]})).collect()
        };
        let mut items: Vec<Value> = found
            .edits
            .into_iter()
            .map(|(_, item, mut edit)| {
                edit[key] = item[key].clone();
                edit
            })
            .collect();
        let removed = self.live.items.iter();
        let removed = removed.filter(|(key, _)| found.removed.contains(key.as_str()));
        items.extend(removed.map(|(_, item)| json!({"$patch": "delete", key: item[key]})));
        ListPatch {
            items,
            order,
            removed: Vec::new(),
        }
    }

    /// Whether the API server puts the items in the wanted order by itself: it takes those of the
    /// patch in their order, and each other live item before the first one of these that it stood
    /// before. So a new item comes before all that are not in the patch.
    fn keeps_places(&self, found: &Found<'_>) -> bool {
        let live = self.live.items.iter().map(|(key, _)| key.as_str());
        let live = live.filter(|key| !found.removed.contains(key));
        let places: HashMap<&str, usize> = live.clone().zip(0..).collect();
        let patched: HashSet<&str> = found.edits.iter().map(|(key, ..)| *key).collect();
        let mut rest = live.filter(|key| !patched.contains(key)).peekable();
        let mut merged = Vec::new();
        for (key, ..) in &found.edits {
            let place = places.get(key);
            while let Some(other) = rest.next_if(|other| place > places.get(other)) {
                merged.push(other);
            }
            merged.push(key);
        }
        merged.extend(rest);
        merged.retain(|key| self.desired.get(key).is_some());
        merged
            .into_iter()
            .eq(self.desired.items.iter().map(|(key, _)| key.as_str()))
    }

    /// The keys of items in the order in which the API server puts them.
    fn together<'k>(&self, keys: &'k [String], of: &Index<'_>) -> Vec<&'k String> {
        let mut all: Vec<&String> = keys.iter().collect();
        if let Some(field) = self.grouped_by {
            let group = |key: &String| of.get(key)?.get(field);
            let first = |key: &String| keys.iter().position(|other| group(other) == group(key));
            all.sort_by_cached_key(|key| first(key));
        }
        all
    }

    fn in_group(&self, a: &Value, b: &Value) -> bool {
        let field = self.grouped_by;
        field.is_some_and(|field| a.get(field) == b.get(field))
    }

    /// The live items that belong to others: those that are grouped with wanted ones, and the rest.
    fn others<'l>(&'l self, found: &Found<'_>) -> (Items<'l, 'a>, Items<'l, 'a>) {
        let others = self.live.items.iter().filter(|(key, _)| {
            self.desired.get(key).is_none() && !found.removed.contains(key.as_str())
        });
        others.partition(|(_, item)| {
            let mut wanted = self.desired.items.iter();
            wanted.any(|(_, wanted)| self.in_group(wanted, item))
        })
    }

    /// Makes the whole merged list. What belongs to others keeps its place before the items that
    /// it stood before, or stands behind the items that it is grouped with.
    fn whole(&self, found: &Found<'_>, form: Form) -> Value {
        let edits: HashMap<&str, &Value> = found.edits.iter().map(|(k, _, v)| (*k, v)).collect();
        let places: HashMap<&str, usize> = self
            .live
            .items
            .iter()
            .enumerate()
            .map(|(place, (key, _))| (key.as_str(), place))
            .collect();
        let (mut grouped, others) = self.others(found);
        let mut others = others.into_iter().peekable();
        let mut list = Vec::new();
        if form == Form::Strategic && self.keyed.merge_key().is_some() {
            list.push(json!({"$patch": "replace"}));
        }
        for (key, desired) in &self.desired.items {
            let place = places.get(key.as_str());
            let is_before = |other: &&(String, &Value)| {
                place.is_none_or(|place| places[other.0.as_str()] < *place)
            };
            while let Some((_, other)) = others.next_if(|other| is_before(other)) {
                list.push((*other).clone());
            }
            let edit = edits.get(key.as_str()).copied();
            let live = self.live.get(key);
            list.push(edit.or(live).unwrap_or(desired).clone());
            let (own, rest): (Items<'_, '_>, _) = grouped
                .into_iter()
                .partition(|(_, other)| self.in_group(desired, other));
            list.extend(own.into_iter().map(|(_, other)| (*other).clone()));
            grouped = rest;
        }
        list.extend(others.map(|(_, other)| (*other).clone()));
        Value::Array(list)
    }
}
