//! The three-way difference of one resource.
//!
//! What was applied before, what is wanted and what is live come in; one patch and its changes
//! field by field go out. A field that is wanted is set, a field that was applied and is no
//! longer wanted is removed, and every other field belongs to somebody else and stays. Values
//! that the API server writes in another form (`1000m`, `stringData`, empty maps) are equal.
//!
//! A null asks for a field to be absent; for maps, keyed lists and objects that always exist it
//! asks for nothing of ours to be in them, because charts write `annotations:` with nothing below.
//!
//! Whether the patch is allowed, and what to do when it is not, is left to the planner.

mod account;
mod edit;
mod equal;
mod keyed;
mod list;
mod path;
mod quantity;
mod secret;
mod shared;
mod walk;

use std::borrow::Cow;

use serde_json::Value;

use crate::builtin::Type;
use edit::Form;
use walk::Walk;

pub(super) use edit::Values;
pub(super) use equal::{is_shared, without_nulls};
pub(super) use keyed::Index;
pub(super) use path::{Path, Segment, segments};
pub(super) use quantity::billionths;
pub(super) use secret::folded;
pub(super) use walk::{Fields, is_servers};

/// The three states of one resource that a difference rests on.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The resource in everything applied since the last good revision, oldest first.
    pub base: &'a [&'a Value],
    /// The resource as the new manifest has it, with the ownership marks.
    pub desired: &'a Value,
    /// The resource in the cluster, read in the version of `desired`.
    pub live: &'a Value,
}

/// What has to change about a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The one request that brings the change about.
    pub patch: Patch,
    /// The same change field by field, in the order of the paths.
    pub changes: Vec<Change>,
}

/// A patch and how the API server reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// `application/strategic-merge-patch+json`: built-in kinds.
    StrategicMerge(Value),
    /// `application/merge-patch+json` (RFC 7386): everything else.
    Merge(Value),
}

/// One changed field.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: `spec.template.spec.containers[name=app].image`.
    ///
    /// A path that ends in ` (order)` is that of a list whose items only change places; its
    /// values are then the keys of the items.
    pub path: String,
    /// The live value; none if the field is added.
    pub old: Option<Value>,
    /// The wanted value; none if the field is removed.
    pub new: Option<Value>,
    /// Why it changes.
    pub cause: Cause,
}

/// Why a field differs from what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The chart or its values changed.
    Chart,
    /// Somebody changed the live resource.
    Drift,
}

/// Returns what has to change, or none if the live resource is as wanted and nothing is to be
/// sent.
///
/// With the schema of a built-in kind (see [`crate::builtin::schema`]) the patch is a strategic merge
/// patch, otherwise a JSON merge patch. Lists merge by their keys where the schema says so; in a JSON merge
/// patch they are then complete, with what belongs to others. Without a schema they are replaced as wholes.
/// `status` and the fields of `metadata` that only the API server writes never count, nor do
/// `apiVersion`, `kind`, name and namespace.
///
/// ```
/// use pintle::builtin;
/// use pintle::plan::diff::{Patch, Sides, three_way};
/// use serde_json::json;
///
/// let base = json!({"spec": {"replicas": 1}});
/// let desired = json!({"spec": {"replicas": 3}});
/// let live = json!({"spec": {"replicas": 1, "paused": true}});
/// let sides = Sides { base: &[&base], desired: &desired, live: &live };
///
/// let difference = three_way(builtin::schema("apps/v1", "Deployment"), &sides).unwrap();
/// assert_eq!(difference.patch, Patch::StrategicMerge(json!({"spec": {"replicas": 3}})));
/// assert_eq!(difference.changes[0].path, "spec.replicas");
/// ```
pub fn three_way(schema: Option<Type<'_>>, sides: &Sides<'_>) -> Option<Difference> {
    let desired = secret::folded(sides.desired);
    let base = sides.base.iter().map(|body| secret::folded(body));
    let base: Vec<Cow<'_, Value>> = base
        .map(|body| account::with_both_names(body, &desired))
        .collect();
    let values = Values {
        base: base.iter().map(|body| Some(&**body)).collect(),
        desired: Some(&desired),
        live: Some(sides.live),
    };
    let form = match schema {
        Some(of) if !of.is_custom() => Form::Strategic,
        _ => Form::Merge,
    };
    let mut walk = Walk::new(form);
    let patch = walk.root(schema, &values)?;
    let mut changes = walk.into_changes();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let patch = match form {
        Form::Strategic => Patch::StrategicMerge(patch),
        _ => Patch::Merge(patch),
    };
    Some(Difference { patch, changes })
}

#[cfg(test)]
mod tests;
