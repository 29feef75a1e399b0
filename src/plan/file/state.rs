//! What the decision about each resource rests on, as a file holds it.
//!
//! A Secret to which something is sent counts with what it holds, by a fingerprint, because a digest of what
//! is secret could be guessed at. What it holds of one that stays is compared field by field, and counts here
//! by its length.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::resource::{Sources, is_secret};
use crate::chart::hex;
use crate::manifest::{Resource, ResourceId};
use crate::plan::resource::{Base, standing};
use crate::plan::{Action, Inputs, Plan, Precondition, Step, redact};

/// The states of the resources of a plan; what does not exist has none, nor what is kept or has to be gone first.
pub(super) fn states(plan: &Plan, sources: &Sources<'_>) -> BTreeMap<ResourceId, String> {
    let inputs = sources.inputs;
    let base = Base::new(inputs);
    let wanted = inputs.desired.resources.iter();
    let wanted: BTreeMap<&ResourceId, &Resource> =
        wanted.map(|resource| (&resource.id, resource)).collect();
    let state = |step: &Step| {
        let state = match changed(step) {
            Some(found) if is_secret(&step.id) => (sources.fingerprint)(found.digest()),
            Some(found) => format!("sha256:{}", hex(found.digest())),
            None => {
                let resource = wanted.get(&step.id)?;
                format!(
                    "sha256:{}",
                    hex(unchanged(resource, (inputs, &base))?.digest())
                )
            }
        };
        Some((step.id.clone(), state))
    };
    let steps = plan.steps().filter(|step| step.follows.is_none());
    steps.filter_map(state).collect()
}

/// What a decision to send something rests on.
fn changed(step: &Step) -> Option<&Precondition> {
    let own = match &step.action {
        Action::Configure(_, precondition) | Action::Delete(precondition, _) => Some(precondition),
        Action::Recreate(recreation) => Some(&recreation.precondition),
        Action::Create(_) | Action::Unchanged | Action::Keep(_) => None,
    };
    let credential = step.credential.as_ref();
    let credential = credential.and_then(|made| made.precondition.as_ref());
    own.or(credential).filter(|_| step.is_change())
}

/// What a decision to send nothing rests on.
fn unchanged(
    resource: &Resource,
    (inputs, base): (&Inputs<'_>, &Base<'_>),
) -> Option<Precondition> {
    let mut live = Cow::Borrowed(inputs.observed.get(&resource.id)?);
    if is_secret(&resource.id) {
        // What lists give has no kind of its own.
        let body: &mut Value = live.to_mut();
        body["apiVersion"] = "v1".into();
        body["kind"] = "Secret".into();
        redact::body(body);
    }
    Some(standing(resource, &live, (inputs, base)))
}
