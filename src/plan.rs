//! Everything that is decided before the first write.
//!
//! A desired manifest, the base it follows and what the cluster holds come in; a complete,
//! printable and immutable [`Plan`] goes out. Nothing here reads or writes. Carrying a plan out
//! is left to `ops`, showing it to the binary.

pub mod credentials;
pub mod diff;
pub mod ownership;
mod precondition;
pub mod redact;
pub mod report;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use ownership::Owner;
pub use precondition::{Precondition, digest};
pub use step::{Action, Counts, Keep, Step};

use crate::builtin;
use crate::capabilities::{Kind, Kinds};
use crate::health;
use crate::manifest::{
    Manifest, Origin, Resource, ResourceId, ResourcePolicy, install_rank, uninstall_rank,
};
use diff::Sides;

/// What the cluster holds of the resources that a plan is about; what is absent has no entry.
pub type Observed = BTreeMap<ResourceId, Value>;

/// What a plan is made from.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// What is wanted.
    pub desired: &'a Manifest,
    /// Everything applied since the last good revision, oldest first.
    pub base: &'a [Manifest],
    /// What the cluster holds of both.
    pub observed: &'a Observed,
    /// The release that owns the resources.
    pub owner: Owner<'a>,
    /// The kinds that the cluster knows.
    pub kinds: &'a Kinds,
}

/// The whole change: phases in order, whose steps are independent of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The phases: first what is wanted in Helm's install order, then deletions in Helm's
    /// uninstall order.
    pub phases: Vec<Vec<Step>>,
    /// The resources to wait for until they are ready: those that change and those that are not
    /// healthy now.
    pub awaited: Vec<(ResourceId, Kind)>,
}

/// A change that cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster does not know these kinds.
    #[error("the cluster does not know {}", list(.0))]
    UnknownKinds(Vec<(String, Origin)>),
    /// Resources exist already and belong to somebody else.
    #[error("resources exist already and do not belong to this release: {}", list(.0))]
    Foreign(Vec<(ResourceId, String)>),
}

fn list<A: std::fmt::Display, B: std::fmt::Display>(items: &[(A, B)]) -> String {
    items
        .iter()
        .map(|(what, why)| format!("{what} ({why})"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Plan {
    /// Decides what has to be done.
    ///
    /// # Errors
    /// If a wanted kind is unknown, or a wanted resource exists, was not applied by the base and
    /// does not carry the release's ownership marks.
    pub fn new(inputs: &Inputs<'_>) -> Result<Self, Error> {
        refuse_unknown(inputs)?;
        let base = Base::new(inputs);
        refuse_foreign(inputs, &base)?;
        let wanted: BTreeSet<&ResourceId> =
            inputs.desired.resources.iter().map(|r| &r.id).collect();
        let mut applies = Vec::with_capacity(inputs.desired.resources.len());
        let mut awaited = vec![];
        for resource in &inputs.desired.resources {
            let Some(step) = apply(resource, inputs, &base) else {
                continue;
            };
            if is_awaited(&step, resource, inputs.observed) {
                awaited.push((step.id.clone(), step.kind.clone()));
            }
            applies.push(step);
        }
        let mut deletes: Vec<Step> = base
            .resources
            .iter()
            .filter(|(id, _)| !wanted.contains(*id))
            .filter_map(|(_, versions)| prune(versions.last()?.0, inputs))
            .collect();
        deletes.sort_by(|a, b| uninstall_rank(&a.id.kind).cmp(&uninstall_rank(&b.id.kind)));
        Ok(Self {
            awaited,
            phases: [
                phases(applies, install_rank),
                phases(deletes, uninstall_rank),
            ]
            .concat(),
        })
    }

    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.phases.iter().flatten()
    }

    /// How many steps do what.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.steps().for_each(|step| counts.add(&step.action));
        counts
    }
}

/// The resources of the base: for each the versions that were applied, oldest first, with the
/// ownership marks that they were applied with.
struct Base<'a> {
    resources: BTreeMap<&'a ResourceId, Vec<(&'a Resource, Value)>>,
}

impl<'a> Base<'a> {
    fn new(inputs: &'a Inputs<'_>) -> Self {
        let mut resources: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for resource in inputs.base.iter().flat_map(|manifest| &manifest.resources) {
            let body = inputs.owner.marked(&resource.body);
            resources
                .entry(&resource.id)
                .or_default()
                .push((resource, body));
        }
        Self { resources }
    }
}

fn refuse_unknown(inputs: &Inputs<'_>) -> Result<(), Error> {
    let unknown: Vec<_> = inputs
        .desired
        .unknown_kinds(inputs.kinds)
        .map(|r| (format!("{} {}", r.api_version, r.id.kind), r.origin.clone()))
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownKinds(unknown))
    }
}

fn refuse_foreign(inputs: &Inputs<'_>, base: &Base<'_>) -> Result<(), Error> {
    let foreign: Vec<_> = inputs
        .desired
        .resources
        .iter()
        .filter(|resource| !base.resources.contains_key(&resource.id))
        .filter_map(|resource| {
            let live = inputs.observed.get(&resource.id)?;
            let why = inputs.owner.mismatch(live)?;
            Some((resource.id.clone(), why))
        })
        .collect();
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(Error::Foreign(foreign))
    }
}

fn apply(resource: &Resource, inputs: &Inputs<'_>, base: &Base<'_>) -> Option<Step> {
    let kind = inputs
        .kinds
        .find(&resource.api_version, &resource.id.kind)?
        .clone();
    let desired = inputs.owner.marked(&resource.body);
    let action = match inputs.observed.get(&resource.id) {
        None => Action::Create(desired),
        Some(live) => {
            let versions = base.resources.get(&resource.id);
            let base: Vec<&Value> = versions
                .into_iter()
                .flatten()
                .map(|(_, body)| body)
                .collect();
            let schema = builtin::schema(&kind.api_version(), &kind.kind);
            match diff::three_way(
                schema,
                &Sides {
                    base: &base,
                    desired: &desired,
                    live,
                },
            ) {
                None => Action::Unchanged,
                Some(difference) => Action::Configure(difference, Precondition::of(live)),
            }
        }
    };
    Some(Step {
        id: resource.id.clone(),
        kind,
        origin: Some(resource.origin.clone()),
        action,
    })
}

/// What happens to a resource that was applied and is wanted no more; nothing if it is gone.
fn prune(resource: &Resource, inputs: &Inputs<'_>) -> Option<Step> {
    let live = inputs.observed.get(&resource.id)?;
    let kind = inputs
        .kinds
        .find(&resource.api_version, &resource.id.kind)?
        .clone();
    let keeps = ownership::annotation(live, "helm.sh/resource-policy")
        .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"));
    let action = if keeps || resource.policy() == ResourcePolicy::Keep {
        Action::Keep(Keep::Policy)
    } else if let Some(why) = inputs.owner.mismatch(live) {
        Action::Keep(Keep::Foreign(why))
    } else if live.pointer("/metadata/deletionTimestamp").is_some() {
        Action::Keep(Keep::BeingDeleted)
    } else {
        Action::Delete(Precondition::of(live))
    };
    Some(Step {
        id: resource.id.clone(),
        kind,
        origin: Some(resource.origin.clone()),
        action,
    })
}

/// Cuts sorted steps into phases of one rank each.
fn phases(steps: Vec<Step>, rank: fn(&str) -> (usize, &str)) -> Vec<Vec<Step>> {
    let mut phases: Vec<Vec<Step>> = vec![];
    for step in steps {
        match phases.last_mut() {
            Some(phase) if rank(&phase[0].id.kind) == rank(&step.id.kind) => phase.push(step),
            _ => phases.push(vec![step]),
        }
    }
    phases
}

/// Whether there is something to wait for: a step that changes a resource which is not ready by
/// its mere existence, or a resource that needs no change and is not healthy.
fn is_awaited(step: &Step, resource: &Resource, observed: &Observed) -> bool {
    match step.action {
        Action::Create(_) | Action::Configure(..) => {
            let is_known = builtin::kind_in(&resource.api_version, &resource.id.kind).is_some();
            !(is_known && health::of(&resource.body).is_ready())
        }
        Action::Unchanged => observed
            .get(&step.id)
            .is_some_and(|live| !health::of(live).is_ready()),
        Action::Delete(_) | Action::Keep(_) => false,
    }
}
