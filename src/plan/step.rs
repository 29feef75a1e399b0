//! One step of a plan.

use serde::Serialize;
use serde_json::Value;

use super::diff::Difference;
use super::precondition::Precondition;
use crate::capabilities::Kind;
use crate::manifest::{Origin, ResourceId};

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The resource.
    pub id: ResourceId,
    /// How the API server addresses it.
    pub kind: Kind,
    /// The template that asks for it, or asked for it before.
    pub origin: Option<Origin>,
    /// What is done.
    pub action: Action,
}

/// What is done to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It is created with this body.
    Create(Value),
    /// It is patched, provided that it is still what the patch was computed from.
    Configure(Difference, Precondition),
    /// It is what is wanted; nothing is sent.
    Unchanged,
    /// It is deleted, provided that it is still the same resource.
    Delete(Precondition),
    /// It is wanted no more and stays.
    Keep(Keep),
}

/// Why a resource that is wanted no more stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Its `helm.sh/resource-policy` says so.
    Policy,
    /// It does not carry the release's ownership marks; the text says which differ.
    Foreign(String),
    /// It is being deleted already.
    BeingDeleted,
}

/// How many steps of a plan do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Resources to create.
    pub create: usize,
    /// Resources to patch.
    pub configure: usize,
    /// Resources that are what is wanted.
    pub unchanged: usize,
    /// Resources to delete.
    pub delete: usize,
    /// Resources that stay though they are wanted no more.
    pub keep: usize,
}

impl Counts {
    pub(super) fn add(&mut self, action: &Action) {
        match action {
            Action::Create(_) => self.create += 1,
            Action::Configure(..) => self.configure += 1,
            Action::Unchanged => self.unchanged += 1,
            Action::Delete(_) => self.delete += 1,
            Action::Keep(_) => self.keep += 1,
        }
    }

    /// Whether a plan with these counts sends nothing about its resources.
    pub fn is_no_change(self) -> bool {
        self.create + self.configure + self.delete == 0
    }
}
