//! How resources are deleted (`DeleteOptions` of `meta.k8s.io/v1`).

use serde_json::{Value, json};

use super::resource::Effect;

/// How a resource is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deletion<'a> {
    /// What becomes of the resources that it owns.
    pub propagation: Propagation,
    /// What has to hold, or nothing is deleted.
    pub only_if: Precondition<'a>,
    /// Whether it is deleted at all.
    pub effect: Effect,
}

/// What becomes of the resources that a deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// What has to hold of a resource, or [`Error::Conflict`](super::Error::Conflict) is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Precondition<'a> {
    /// It is this one and not another of the same name.
    pub uid: Option<&'a str>,
    /// Nobody has written to it since.
    pub resource_version: Option<&'a str>,
}

impl Deletion<'_> {
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": match self.propagation {
                Propagation::Background => "Background",
                Propagation::Foreground => "Foreground",
                Propagation::Orphan => "Orphan",
            },
        });
        if let Some(uid) = self.only_if.uid {
            body["preconditions"]["uid"] = uid.into();
        }
        if let Some(version) = self.only_if.resource_version {
            body["preconditions"]["resourceVersion"] = version.into();
        }
        if self.effect == Effect::DryRun {
            body["dryRun"] = json!(["All"]);
        }
        body
    }
}
