//! The values that are compared at one place, and what is to become of the live one.
//!
//! A walk makes both; what the words of a strategic merge patch are is written here.

use serde_json::{Map, Value};

use super::equal::asked;
use crate::builtin::Shape;

/// The values of one field; none where a side does not have it.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Values<'a> {
    /// One for each base, the newest last.
    pub(in crate::plan) base: Vec<Option<&'a Value>>,
    pub(in crate::plan) desired: Option<&'a Value>,
    pub(in crate::plan) live: Option<&'a Value>,
}

impl<'a> Values<'a> {
    /// Goes down into a field; what asks for nothing is none.
    pub(in crate::plan) fn field(&self, key: &str, shape: Shape<'_>) -> Self {
        let find = |side: Option<&'a Value>| side.and_then(|body| asked(shape, body.get(key)?));
        Self {
            base: self.base.iter().map(|base| find(*base)).collect(),
            desired: find(self.desired),
            live: self
                .live
                .and_then(|body| body.get(key))
                .filter(|live| !live.is_null()),
        }
    }

    /// The fields that a side has, none if it is no object.
    pub(in crate::plan) fn object(
        side: Option<&'a Value>,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        side.and_then(Value::as_object).into_iter().flatten()
    }

    /// The array that a side has, empty if it has none.
    pub(in crate::plan) fn array(side: Option<&'a Value>) -> &'a [Value] {
        side.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// What to do with one field of the live object.
pub(super) enum Edit {
    /// Nothing.
    Keep,
    /// Set it: to the whole value in a [`Form::Whole`], else to this patch.
    Set(Value),
    /// Remove it.
    Remove,
    /// Patch the list that it is.
    List(ListPatch),
}

/// The parts of a patch of one list, each absent if empty.
#[derive(Default)]
pub(super) struct ListPatch {
    /// Patches of items, or scalars to add.
    pub(super) items: Vec<Value>,
    /// The keys of all items in their order (`$setElementOrder`).
    pub(super) order: Vec<Value>,
    /// Scalars to remove (`$deleteFromPrimitiveList`).
    pub(super) removed: Vec<Value>,
}

/// What an edit has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A strategic merge patch.
    Strategic,
    /// A JSON merge patch.
    Merge,
    /// The complete new value, for what stands in something that is replaced as a whole.
    Whole,
}

/// Writes the edit of one field into the edits of its object.
pub(super) fn insert(edits: &mut Map<String, Value>, key: &str, edit: Edit) {
    match edit {
        Edit::Keep => {}
        Edit::Set(value) => {
            edits.insert(key.to_owned(), value);
        }
        Edit::Remove => {
            edits.insert(key.to_owned(), Value::Null);
        }
        Edit::List(list) => {
            let parts = [
                (key.to_owned(), list.items),
                (format!("$setElementOrder/{key}"), list.order),
                (format!("$deleteFromPrimitiveList/{key}"), list.removed),
            ];
            let parts = parts.into_iter().filter(|(_, items)| !items.is_empty());
            edits.extend(parts.map(|(key, items)| (key, Value::Array(items))));
        }
    }
}
