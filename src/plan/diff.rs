//! The three-way difference of one resource.
//!
//! What was applied before, what is wanted and what is live come in; one patch and its changes
//! field by field go out.

use serde_json::Value;

/// The three states of one resource that a difference rests on.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The resource in everything applied since the last good revision, oldest first.
    pub base: &'a [&'a Value],
    /// The resource as the new manifest has it, with the ownership marks.
    pub desired: &'a Value,
    /// The resource in the cluster.
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
