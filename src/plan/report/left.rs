//! What of a resource is left as it is, as it may be shown.

use serde::Serialize;
use serde_json::Value;

use super::fields;
use crate::plan::Step;
use crate::plan::diff::{Cause, Change};
use crate::plan::drift::Author;
use crate::plan::ignored::Ignored;
use crate::plan::redact::Secrets;
use crate::plan::untouched::Whose;

/// One field that differs from what is wanted and is left to its owner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IgnoredField {
    /// Where: `spec.replicas`.
    pub path: String,
    /// The live value.
    pub live: Value,
    /// The value that the chart has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// Whose it is.
    pub owner: &'static str,
}

/// One field that no chart speaks of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UntouchedField {
    /// Where: `spec.template.spec.containers[name=side]`.
    pub path: String,
    /// The live value.
    pub live: Value,
    /// `other` or `server`.
    pub owner: &'static str,
    /// Who wrote it, where it is another's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
}

pub(super) fn ignored(ignored: &Ignored) -> IgnoredField {
    IgnoredField {
        path: ignored.path.clone(),
        live: ignored.live.clone(),
        wanted: ignored.wanted.clone(),
        owner: ignored.owner,
    }
}

/// What is left alone of a resource, as it may be shown.
pub(super) fn untouched(step: &Step, secrets: Secrets) -> Vec<UntouchedField> {
    let left = step.checked.untouched.iter();
    let changes = left.clone().map(|one| Change {
        path: one.path.clone(),
        old: Some(one.live.clone()),
        new: None,
        cause: Cause::Drift,
    });
    let changes: Vec<Change> = changes.collect();
    let shown = fields(&step.id, &changes, secrets).into_iter();
    let shown = shown.zip(left).map(|(field, one)| {
        let (owner, by) = match &one.whose {
            Whose::Other(author) => ("other", Some(author.clone())),
            Whose::Server => ("server", None),
        };
        UntouchedField {
            path: field.path,
            live: field.old.unwrap_or_default(),
            owner,
            by,
        }
    });
    shown.collect()
}
