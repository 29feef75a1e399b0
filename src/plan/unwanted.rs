//! What happens to one resource that is wanted no more: it is deleted, or stays for a reason.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::checked::Checked;
use super::consent::Permit;
use super::ending::is_ending;
use super::resource::Base;
use super::step::{Cascade, Keep};
use super::{Action, Inputs, Precondition, Step, ownership};
use crate::builtin;
use crate::manifest::generator::{GENERATOR_LABEL, Product, RELEASE_LABEL};
use crate::manifest::{self, Resource, ResourceId, ResourcePolicy};

const POLICY: &str = "helm.sh/resource-policy";

/// What happens to a resource that was applied and is wanted no more; none if it is gone.
pub(super) fn prune(resource: &Resource, inputs: &Inputs<'_>, base: &Base<'_>) -> Option<Step> {
    let live = inputs.observed.get(&resource.id)?;
    let kind = inputs
        .kinds
        .find(&resource.api_version, &resource.id.kind)?
        .clone();
    let action = if resource.policy() == ResourcePolicy::Keep {
        Action::Keep(Keep::Policy)
    } else {
        unwanted(&resource.id, live, (inputs, base))
    };
    Some(Step::of(resource, (kind, action)))
}

/// What was generated for the release and no generator makes any more, by its labels.
///
/// They stay as long as a revision in the history has their generator, because a rollback to it
/// goes on with their keys.
pub(super) fn orphans(
    inputs: &Inputs<'_>,
    base: &Base<'_>,
    wanted: &BTreeSet<&ResourceId>,
) -> Vec<Step> {
    let found = inputs
        .observed
        .iter()
        .filter(|(id, live)| is_generated(id, live, inputs) && !wanted.contains(id));
    let step = |(id, live): (&ResourceId, &Value)| {
        let applied = base.resources.get(id).and_then(|versions| versions.last());
        let applied = applied.map(|(resource, _)| resource);
        let keeps = applied.is_some_and(|resource| resource.policy() == ResourcePolicy::Keep);
        let action = if keeps {
            Action::Keep(Keep::Policy)
        } else {
            unwanted(id, live, (inputs, base))
        };
        Some(Step {
            id: id.clone(),
            kind: builtin::kind("", &id.kind)?.clone(),
            origin: applied.map(|resource| resource.origin.clone()),
            action,
            apply: None,
            credential: None,
            follows: None,
            remark: None,
            checked: Checked::default(),
        })
    };
    found.filter_map(step).collect()
}

/// Whether a live Secret or config map carries the marks of what is generated for this release.
fn is_generated(id: &ResourceId, live: &Value, inputs: &Inputs<'_>) -> bool {
    [Product::Secret, Product::ConfigMap]
        .iter()
        .any(|product| id.kind == product.kind())
        && id.group.is_empty()
        && id.namespace.as_deref() == Some(inputs.owner.namespace)
        && ownership::label(live, RELEASE_LABEL) == Some(inputs.owner.release)
        && ownership::label(live, GENERATOR_LABEL).is_some()
}

fn unwanted(id: &ResourceId, live: &Value, (inputs, base): (&Inputs<'_>, &Base<'_>)) -> Action {
    let keeps = manifest::annotation(live, POLICY)
        .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"));
    let mention = inputs
        .mentions
        .get(&id.name)
        .filter(|_| is_generated(id, live, inputs));
    if keeps {
        Action::Keep(Keep::Policy)
    } else if let Some(why) = inputs.owner.mismatch(live) {
        Action::Keep(Keep::Foreign(why))
    } else if is_ending(live) {
        Action::Keep(Keep::BeingDeleted)
    } else if let Some(text) = instances(id, inputs) {
        Action::Keep(Keep::Instances(text))
    } else if let Some(revision) = mention {
        Action::Keep(Keep::Mentioned(*revision))
    } else {
        Action::Delete(as_applied(id, live, base), Cascade::Background)
    }
}

/// What a deletion rests on: the fields that were applied, the marks among them, and the policy that
/// would keep the resource. What others do to other fields, such as a controller that takes note of
/// something in an annotation, does not touch it. All of it counts where nothing was applied.
fn as_applied(id: &ResourceId, live: &Value, base: &Base<'_>) -> Precondition {
    let Some(forms) = base.resources.get(id) else {
        return Precondition::of(live);
    };
    let policy = json!({"metadata": {"annotations": {POLICY: null}}});
    let mut bodies: Vec<&Value> = forms.iter().map(|(_, body)| body).collect();
    bodies.push(&policy);
    Precondition::about(live, &bodies)
}

/// What there is of the kind of a definition that is wanted no more.
fn instances(id: &ResourceId, inputs: &Inputs<'_>) -> Option<String> {
    if inputs.consent.permits(Permit::DeleteDefinitions) {
        return None;
    }
    inputs.found.instances.get(id).cloned()
}
