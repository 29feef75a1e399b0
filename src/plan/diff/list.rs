//! Lists without keys: those that are replaced as wholes, and sets.

use std::collections::HashSet;

use serde_json::Value;

use super::Cause;
use super::edit::{Edit, Form, ListPatch, Values};
use super::equal::without_nulls;
use super::walk::Walk;
use crate::builtin::{SetMerge, Shape};

/// What any item of an applied list has, where the items may have changed places: what an item has lost
/// since must not pass for something of somebody else.
///
/// That matters where it is not known whether items have keys. Elsewhere they are compared by their places.
fn moved(shape: Shape<'_>, desired: &[Value], values: &Values<'_>) -> Option<Value> {
    let base = values.base.iter().map(|base| Values::array(*base));
    let changed = base.filter(|base| shape == Shape::Unknown && *base != desired);
    changed.flatten().cloned().reduce(union)
}

fn union(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (key, value) in other {
                let both = match one.remove(&key) {
                    Some(own) => union(own, value),
                    None => value,
                };
                one.insert(key, both);
            }
            Value::Object(one)
        }
        (Value::Array(mut one), Value::Array(other)) => {
            one.extend(other);
            Value::Array(one)
        }
        (one, _) => one,
    }
}

impl Walk {
    /// Compares lists that are replaced as wholes.
    ///
    /// Lists of one length are compared item by item, so that what the server has added to an
    /// item makes no difference; a change of any item sends the whole list.
    pub(super) fn items(
        &mut self,
        shape: Shape<'_>,
        (desired, live): (&[Value], &[Value]),
        values: &Values<'_>,
    ) -> Edit {
        let of = match shape {
            Shape::Items(of) => of.shape(),
            _ => Shape::Unknown,
        };
        let moved = moved(shape, desired, values);
        let mut is_changed = false;
        if desired.len() == live.len() {
            for index in 0..desired.len() {
                let base = values.base.iter();
                let base = base.map(|base| Values::array(*base).get(index));
                let item = Values {
                    base: [moved.as_ref()].into_iter().chain(base).collect(),
                    desired: desired.get(index),
                    live: live.get(index),
                };
                let mark = self.path.push_index(index);
                is_changed |= !matches!(self.value(of, &item), Edit::Keep);
                self.path.truncate(mark);
            }
        } else {
            self.note(shape, values);
            is_changed = true;
        }
        if !is_changed {
            return Edit::Keep;
        }
        Edit::Set(desired.iter().map(without_nulls).collect())
    }

    /// Compares sets of scalars: their order makes no difference.
    pub(super) fn set(&mut self, merge: SetMerge, values: &Values<'_>) -> Edit {
        let desired = Values::array(values.desired);
        let live = Values::array(values.live);
        // Sets may be large.
        let [is_live, is_desired]: [HashSet<&Value>; 2] =
            [live, desired].map(|items| items.iter().collect());
        let bases = values.base.iter().flat_map(|base| Values::array(*base));
        let is_applied: HashSet<&Value> = bases.collect();
        let mut is_added = HashSet::new();
        let added = desired.iter();
        let added = added.filter(|item| !is_live.contains(item) && is_added.insert(*item));
        let added: Vec<Value> = added.cloned().collect();
        let (removed, mut all): (Vec<Value>, Vec<Value>) = live
            .iter()
            .cloned()
            .partition(|item| !is_desired.contains(item) && is_applied.contains(item));
        if added.is_empty() && removed.is_empty() {
            return Edit::Keep;
        }
        all.extend(added.iter().cloned());
        let newest = Values::array(values.base.last().copied().flatten());
        let newest: HashSet<&Value> = newest.iter().collect();
        let is_old = removed.is_empty() && added.iter().all(|item| newest.contains(item));
        let cause = if is_old { Cause::Drift } else { Cause::Chart };
        self.push_change(values.live.cloned(), Some(Value::Array(all.clone())), cause);
        match (merge, self.form) {
            (SetMerge::Merge, Form::Strategic) => Edit::List(ListPatch {
                items: added,
                removed,
                order: Vec::new(),
            }),
            _ => Edit::Set(Value::Array(all)),
        }
    }
}
