//! What somebody has changed of what was applied.
//!
//! The manifest of a revision and what the cluster holds come in; field by field, what differs goes
//! out, with who wrote it last. What the revision does not speak of is not looked at, and neither is
//! what [`ignored`] leaves to autoscalers and controllers.

pub(super) mod author;
pub mod report;

use std::borrow::Cow;

use super::Inputs;
use super::credentials::{self, Issues};
use super::diff::{self, Change, Sides};
use super::ignored;
use crate::manifest::generator::ISSUE_ANNOTATION;
use crate::manifest::{Origin, Resource, ResourceId, annotation};

pub use author::Author;

/// One resource of a revision beside its live form.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// The resource.
    pub id: ResourceId,
    /// The template that asks for it.
    pub origin: Origin,
    /// How it fares.
    pub state: State,
    /// The fields that differ, in the order of their paths.
    pub fields: Vec<Moved>,
    /// Who wrote the resource last, apart from its status.
    pub last_write: Option<Author>,
}

/// How a live resource stands to what is recorded of it; `missing` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is as it is recorded.
    Same,
    /// Fields of it differ.
    Changed,
    /// It does not exist.
    Missing,
    /// It is being deleted.
    Deleting,
}

/// One field that is not as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The difference, as a change from what is live to what is recorded.
    pub change: Change,
    /// Who wrote what is live; none if the field is gone, or nobody says that it is theirs.
    pub by: Option<Author>,
}

/// Compares what `inputs` wants with what it observes, resource by resource in the order of the
/// manifest. The base of the inputs does not count, and resources have to have their managed fields.
pub fn of(inputs: &Inputs<'_>) -> Vec<Drifted> {
    let issues = issues(inputs);
    let resources = inputs.desired.resources.iter();
    resources
        .map(|resource| compare(resource, inputs, &issues))
        .collect()
}

/// The issues that the live Secrets and config maps say they are of.
fn issues(inputs: &Inputs<'_>) -> Issues {
    let found = inputs.desired.generators.iter().filter_map(|generator| {
        let product = generator.spec.product();
        let id = ResourceId {
            group: String::new(),
            kind: product.kind().to_owned(),
            namespace: Some(inputs.owner.namespace.to_owned()),
            name: generator.name.clone(),
        };
        let issue = annotation(inputs.observed.get(&id)?, ISSUE_ANNOTATION)?;
        Some((id.name, (product, issue.to_owned())))
    });
    found.collect()
}

fn compare(resource: &Resource, inputs: &Inputs<'_>, issues: &Issues) -> Drifted {
    let drifted = |state, fields, last_write| Drifted {
        id: resource.id.clone(),
        origin: resource.origin.clone(),
        state,
        fields,
        last_write,
    };
    let Some(live) = inputs.observed.get(&resource.id) else {
        return drifted(State::Missing, vec![], None);
    };
    let last_write = author::last(live);
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return drifted(State::Deleting, vec![], last_write);
    }
    let mut desired = inputs.owner.marked(&resource.body);
    credentials::stamp(&mut desired, issues);
    let namespace = inputs.owner.namespace;
    let is_generated = inputs.desired.generator(&resource.id, namespace).is_some();
    if let Some(kind) = live.get("type").filter(|_| is_generated) {
        // One that was adopted may have another type, which cannot change.
        desired["type"] = kind.clone();
    }
    let mut applied = [Cow::Owned(desired.clone())];
    ignored::leave(&resource.id, (&mut desired, &mut applied), live, inputs);
    let sides = Sides {
        base: &[&applied[0]],
        desired: &desired,
        live,
    };
    let difference = diff::three_way(inputs.schema(resource), &sides);
    let changes = difference.into_iter().flat_map(|found| found.changes);
    let fields: Vec<Moved> = changes
        .map(|change| Moved {
            by: author::of(live, &change),
            change,
        })
        .collect();
    let state = if fields.is_empty() {
        State::Same
    } else {
        State::Changed
    };
    drifted(state, fields, last_write)
}

#[cfg(test)]
mod tests;
