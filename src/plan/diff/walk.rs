//! The walk down a resource, object by object.
//!
//! Three values and the shape of the field they stand in come in; an edit of the live value goes
//! out, and the changes are noted on the way. Lists are left to `list` and `keyed`.

use serde_json::{Map, Value, json};

use super::edit::{Edit, Form, Values, insert};
use super::equal::{is_nothing, is_shared, same, without_nulls};
use super::path::Path;
use super::{Cause, Change, shared};
use crate::builtin::{self, Element, Presence, Shape, Type};

/// The names of an object's fields, and how they merge.
#[derive(Clone, Copy)]
pub(in crate::plan) enum Fields<'a> {
    /// A whole resource of a kind without a schema.
    Bare,
    Typed(Type<'a>),
    Each(Element<'a>),
    Unknown,
}

impl<'a> Fields<'a> {
    pub(in crate::plan) fn shape(self, key: &str) -> Shape<'a> {
        match self {
            Self::Bare if key == "metadata" => {
                Shape::Object(builtin::object_meta(), Presence::Always)
            }
            Self::Bare | Self::Unknown => Shape::Unknown,
            Self::Typed(of) => of.field(key),
            Self::Each(of) => of.shape(),
        }
    }
}

/// Whether a field of the object at a path is one that only the API server writes, or makes the resource
/// itself.
pub(in crate::plan) fn is_servers(path: &str, key: &str) -> bool {
    match path {
        "" => matches!(key, "apiVersion" | "kind" | "status"),
        "metadata" => matches!(
            key,
            "creationTimestamp"
                | "deletionGracePeriodSeconds"
                | "deletionTimestamp"
                | "generateName"
                | "generation"
                | "managedFields"
                | "name"
                | "namespace"
                | "resourceVersion"
                | "selfLink"
                | "uid"
        ),
        _ => false,
    }
}

/// The state of one comparison.
pub(super) struct Walk {
    pub(super) form: Form,
    pub(super) path: Path,
    changes: Vec<Change>,
}

impl Walk {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            path: Path::default(),
            changes: Vec::new(),
        }
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Compares whole resources and returns the patch, if anything is to change.
    pub(super) fn root(&mut self, schema: Option<Type<'_>>, values: &Values<'_>) -> Option<Value> {
        let fields = schema.map_or(Fields::Bare, Fields::Typed);
        let edits = self.fields(fields, values);
        (!edits.is_empty()).then_some(Value::Object(edits))
    }

    /// Compares one value.
    pub(super) fn value(&mut self, shape: Shape<'_>, values: &Values<'_>) -> Edit {
        let (desired, live) = match (values.desired, values.live) {
            (Some(desired), Some(live)) => (desired, live),
            (Some(desired), None) => return self.add(shape, desired, values),
            (None, Some(live)) => return self.drop_applied(shape, live, values),
            (None, None) => return Edit::Keep,
        };
        match (shape, desired, live) {
            _ if desired == live => Edit::Keep,
            (Shape::Object(of, presence), Value::Object(_), Value::Object(_)) => {
                self.typed(of, presence, values)
            }
            (Shape::Map(of), Value::Object(_), Value::Object(_)) => {
                let edits = self.fields(Fields::Each(of), values);
                self.finish(edits, values)
            }
            (Shape::Unknown, Value::Object(_), Value::Object(_)) => {
                let edits = self.fields(Fields::Unknown, values);
                self.finish(edits, values)
            }
            (Shape::Keyed(keyed), Value::Array(_), Value::Array(_)) => self.keyed(keyed, values),
            (Shape::Set(merge), Value::Array(_), Value::Array(_)) => self.set(merge, values),
            (_, Value::Array(desired), Value::Array(live)) => {
                self.items(shape, (desired, live), values)
            }
            _ if same(shape, desired, live) => Edit::Keep,
            _ => {
                self.note(shape, values);
                Edit::Set(self.replacement(desired, live))
            }
        }
    }

    /// Compares objects of a known type.
    pub(super) fn typed(&mut self, of: Type<'_>, presence: Presence, values: &Values<'_>) -> Edit {
        match presence {
            Presence::Always | Presence::Optional => {
                let edits = self.fields(Fields::Typed(of), values);
                self.finish(edits, values)
            }
            Presence::Replace => {
                let form = std::mem::replace(&mut self.form, Form::Whole);
                let edits = self.fields(Fields::Typed(of), values);
                let edit = self.finish(edits, values);
                self.form = form;
                edit
            }
            Presence::Retain => {
                let mut edits = self.fields(Fields::Typed(of), values);
                if !edits.is_empty() {
                    self.retain(&mut edits, values);
                }
                self.finish(edits, values)
            }
        }
    }

    /// Compares the fields of two objects, and returns the edit of each that differs.
    fn fields(&mut self, fields: Fields<'_>, values: &Values<'_>) -> Map<String, Value> {
        let mut edits = Map::new();
        for (key, desired) in Values::object(values.desired) {
            let live = values.live.and_then(|live| live.get(key));
            if live == Some(desired) || is_servers(self.path.as_str(), key) {
                continue;
            }
            let shape = fields.shape(key);
            let mark = self.path.push_field(key);
            let field = values.field(key, shape);
            let edit = match field.live {
                Some(live) if desired.is_null() && !is_shared(shape) => {
                    let base = values.base.last().copied().flatten();
                    let is_old = base.and_then(|base| base.get(key)) == Some(desired);
                    self.remove(
                        shape,
                        live,
                        if is_old { Cause::Drift } else { Cause::Chart },
                    )
                }
                _ => self.value(shape, &field),
            };
            self.path.truncate(mark);
            insert(&mut edits, key, edit);
        }
        for (key, _) in values.base.iter().flat_map(|base| Values::object(*base)) {
            let is_desired = values.desired.is_some_and(|body| body.get(key).is_some());
            if is_desired || edits.contains_key(key) || is_servers(self.path.as_str(), key) {
                continue;
            }
            let shape = fields.shape(key);
            let mark = self.path.push_field(key);
            let edit = self.value(shape, &values.field(key, shape));
            self.path.truncate(mark);
            insert(&mut edits, key, edit);
        }
        edits
    }

    /// Makes edits into the edit of the object that they are in.
    fn finish(&self, edits: Map<String, Value>, values: &Values<'_>) -> Edit {
        if edits.is_empty() {
            return Edit::Keep;
        }
        if self.form != Form::Whole {
            return Edit::Set(Value::Object(edits));
        }
        let mut whole = values.live.and_then(Value::as_object).cloned();
        let fields = whole.get_or_insert_default();
        for (key, value) in edits {
            if value.is_null() {
                fields.remove(&key);
            } else {
                fields.insert(key, value);
            }
        }
        Edit::Set(whole.into())
    }

    /// Drops the fields of a changed union that are not wanted.
    fn retain(&mut self, edits: &mut Map<String, Value>, values: &Values<'_>) {
        let cause = self
            .changes
            .last()
            .map_or(Cause::Chart, |change| change.cause);
        let is_desired = |key: &str| {
            let desired = values.desired.and_then(|body| body.get(key));
            desired.is_some_and(|value| !value.is_null())
        };
        for (key, live) in Values::object(values.live) {
            if is_desired(key) || edits.contains_key(key) {
                continue;
            }
            let mark = self.path.push_field(key);
            self.push_change(Some(live.clone()), None, cause);
            self.path.truncate(mark);
            edits.insert(key.clone(), Value::Null);
        }
        if self.form == Form::Strategic {
            edits.retain(|_, edit| !edit.is_null());
            let keys = Values::object(values.desired).filter(|(_, value)| !value.is_null());
            let keys: Value = keys.map(|(key, _)| key.as_str()).collect();
            edits.insert("$retainKeys".to_owned(), keys);
        }
    }

    fn add(&mut self, shape: Shape<'_>, desired: &Value, values: &Values<'_>) -> Edit {
        if is_nothing(shape, desired) {
            return Edit::Keep;
        }
        self.note(shape, values);
        Edit::Set(without_nulls(desired))
    }

    /// Removes what was applied and is no longer wanted.
    ///
    /// In maps, keyed lists and objects that always exist, what others have put there stays; any
    /// other object is removed with all that the server has added to it.
    fn drop_applied(&mut self, shape: Shape<'_>, live: &Value, values: &Values<'_>) -> Edit {
        if values.base.iter().all(Option::is_none) || is_nothing(shape, live) {
            return Edit::Keep;
        }
        let mark = self.changes.len();
        let edit = match (shape, live) {
            (Shape::Object(of, Presence::Always), Value::Object(_)) => {
                self.typed(of, Presence::Always, values)
            }
            // A definition does not say whether the presence of an object means something: it stays
            // where others have their own in it, and goes otherwise.
            (Shape::Object(of, Presence::Optional), Value::Object(_))
                if of.is_custom() && shared::holds_others(shape, values) =>
            {
                self.typed(of, Presence::Always, values)
            }
            (Shape::Map(of), Value::Object(_)) => {
                let edits = self.fields(Fields::Each(of), values);
                self.finish(edits, values)
            }
            (Shape::Keyed(keyed), Value::Array(_)) => self.keyed(keyed, values),
            (Shape::Set(merge), Value::Array(_)) => self.set(merge, values),
            _ => return self.remove(shape, live, Cause::Chart),
        };
        if !self.is_emptied(&edit, live) {
            return edit;
        }
        self.changes.truncate(mark);
        self.remove(shape, live, Cause::Chart)
    }

    /// Tells whether an edit leaves nothing of a live object or list.
    fn is_emptied(&self, edit: &Edit, live: &Value) -> bool {
        match (edit, live) {
            (Edit::Set(Value::Object(whole)), _) if self.form == Form::Whole => whole.is_empty(),
            (Edit::Set(Value::Object(edits)), Value::Object(live)) => {
                edits.len() == live.len() && edits.values().all(Value::is_null)
            }
            (Edit::Set(Value::Array(items)), _) => {
                items.iter().all(|item| item.get("$patch").is_some())
            }
            (Edit::List(list), Value::Array(live)) => {
                let deleted = list
                    .items
                    .iter()
                    .filter(|item| item.get("$patch").is_some());
                deleted.count() + list.removed.len() == live.len()
            }
            _ => false,
        }
    }

    fn remove(&mut self, shape: Shape<'_>, live: &Value, cause: Cause) -> Edit {
        if is_nothing(shape, live) {
            return Edit::Keep;
        }
        self.push_change(Some(live.clone()), None, cause);
        Edit::Remove
    }

    /// What sets a live value to another one that it cannot be merged with.
    fn replacement(&self, desired: &Value, live: &Value) -> Value {
        let mut value = without_nulls(desired);
        let fields = value.as_object_mut().filter(|_| live.is_object());
        if let (Some(fields), Form::Strategic) = (fields, self.form) {
            fields.insert("$patch".to_owned(), json!("replace"));
        }
        value
    }

    /// Notes the change of a field from its live to its desired value.
    pub(super) fn note(&mut self, shape: Shape<'_>, values: &Values<'_>) {
        let newest = values.base.last().copied().flatten();
        let is_old = match (newest, values.desired) {
            (Some(base), Some(desired)) => same(shape, base, desired),
            _ => false,
        };
        let cause = if is_old { Cause::Drift } else { Cause::Chart };
        self.push_change(values.live.cloned(), values.desired.cloned(), cause);
    }

    /// Notes a change at the path that the walk is at.
    pub(super) fn push_change(&mut self, old: Option<Value>, new: Option<Value>, cause: Cause) {
        self.changes.push(Change {
            path: self.path.as_str().to_owned(),
            old,
            new,
            cause,
        });
    }
}
