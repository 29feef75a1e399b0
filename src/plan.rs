//! Everything that is decided before the first write.
//!
//! A desired manifest, the base it follows, what the cluster holds and the time come in; a
//! complete, printable and immutable [`Plan`] goes out. Nothing here reads or writes. Carrying a
//! plan out is left to `ops`, showing it to the binary.

pub mod addresses;
mod attribution;
mod awaited;
pub mod between;
mod checked;
mod clash;
mod consent;
pub mod credentials;
pub mod definition;
pub mod diff;
pub mod drift;
mod ending;
pub mod file;
mod hook;
pub mod ignored;
mod immutable;
pub mod leftover;
mod made;
mod method;
mod objection;
pub mod ownership;
mod part;
mod pod_template;
mod precondition;
pub mod redact;
mod refuse;
pub mod rehearsal;
mod removal;
pub mod report;
mod resource;
pub mod rights;
mod roll;
pub mod server_side;
mod stage;
mod state;
mod step;
pub mod structure;
mod trend;
pub mod untouched;
mod unwanted;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

pub use checked::Checked;
pub use consent::{Consent, Named, NamedError, Permit};
pub use ending::is_ending;
pub use hook::{HookAim, HookStep, Hooks, Left, Remains, is_cleaned_up, is_hook};
pub use immutable::{Recreation, Way};
pub use made::is_as_wanted;
pub use method::{Conflicts, Method};
pub use objection::{About, Class, Objection};
pub use ownership::Owner;
pub use precondition::Precondition;
pub use stage::{Gate, Part, Stage, Until};
pub use step::{Action, Cascade, Counts, Credential, Effect, Keep, Step};
pub use trend::Trend;

use crate::builtin::Type;
use crate::capabilities::Kinds;
use crate::manifest::generator::Generator;
use crate::manifest::{Manifest, Origin, Resource, ResourceId, group};
use crate::release::ApplyMethod;
use addresses::Services;
use part::Parts;
use resource::{Base, Credentials};
use stage::phases;

/// What the cluster holds of the resources that a plan is about; what is absent has no entry.
pub type Observed = BTreeMap<ResourceId, Value>;

/// What a plan is made from.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// What is wanted.
    pub desired: &'a Manifest,
    /// Everything applied since the last good revision, oldest first.
    pub base: &'a [Manifest],
    /// What the cluster holds of both, and what is generated for the release.
    pub observed: &'a Observed,
    /// The Secrets whose generators a revision in the history has, by name, with the newest such
    /// revision; those that nothing makes any more are looked up in it.
    pub mentions: &'a BTreeMap<String, u32>,
    /// The release that owns the resources.
    pub owner: Owner<'a>,
    /// The kinds that the cluster knows, and those that the manifest defines.
    pub kinds: &'a Kinds,
    /// What else was looked up.
    pub found: &'a Found,
    /// How resources are written.
    pub method: Method,
    /// How those of the base were written.
    pub before: ApplyMethod,
    /// What the user has agreed to.
    pub consent: &'a Consent,
    /// The time, against which certificates expire.
    pub now: Timestamp,
}

impl Inputs<'_> {
    /// How a resource merges.
    fn schema(&self, resource: &Resource) -> Option<Type<'_>> {
        let kind = &resource.id.kind;
        self.kinds.schema(&resource.api_version, kind)
    }
}

/// What a plan rests on besides the resources that it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The workloads that an autoscaler of somebody else has as its target.
    pub scaled: BTreeSet<ResourceId>,
    /// The definitions of whose kinds there is something that the plan does not delete, in words.
    pub instances: BTreeMap<ResourceId, String>,
    /// The wanted definitions that belong to no release.
    pub shared: BTreeSet<ResourceId>,
}

/// The whole change: stages in the order in which they start, except that one may overtake others
/// that its gates do not name.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Custom resource definitions, Services whose addresses are known after the apply, generated
    /// Secrets, then the resource groups, then what is in none, then deletions; what is empty is
    /// left out.
    pub stages: Vec<Stage>,
    /// How it is written.
    pub method: Method,
    /// How the versions of all workloads change.
    pub trend: Trend,
    /// The generators of the wanted manifest, with the addresses in them that are known.
    pub generators: Vec<Generator>,
    /// What stands against it and belongs to no step.
    pub objections: Vec<Objection>,
    /// What runs before and after it.
    pub hooks: Hooks,
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
    /// The API server would refuse steps of the plan, or is certain to.
    #[error("{} cannot be written as planned: {}", .0.len(), objections(.0))]
    Refused(Vec<Objection>),
    /// The user has named resources that are not in the manifest.
    #[error("the manifest has no {}", names(.0))]
    NoSuchResource(Vec<Named>),
    /// The generated Secrets cannot be decided about.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The resource groups have no order.
    #[error(transparent)]
    Group(#[from] group::Error),
    /// Pods of a group need what comes after all groups.
    #[error("pods of a resource group need resources that are in none, which come after all groups: {}", list(.0))]
    Ungrouped(Vec<(String, Origin)>),
    /// Generators ask for the addresses of Services that are not there.
    #[error("the manifest has no Service for generators: {}", list(.0))]
    NoService(Vec<(String, Origin)>),
    /// Pods take the address of an endpoint that has only a host name.
    #[error("the load balancer gave a host name and no address, which pods ask for: {}", list(.0))]
    NoAddress(Vec<(String, Origin)>),
    /// Workloads say that they use generated Secrets which nothing makes.
    #[error("no generator makes what pintle.dev/uses or pintle.dev/reloads names: {}", list(.0))]
    UnknownUses(Vec<(String, Origin)>),
}

fn list<A: std::fmt::Display, B: std::fmt::Display>(items: &[(A, B)]) -> String {
    items
        .iter()
        .map(|(what, why)| format!("{what} ({why})"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn objections(objections: &[Objection]) -> String {
    let told: Vec<_> = objections.iter().map(ToString::to_string).collect();
    told.join("; ")
}

fn names(names: &[Named]) -> String {
    let told: Vec<_> = names.iter().map(ToString::to_string).collect();
    told.join(", ")
}

impl Plan {
    /// Decides what has to be done.
    ///
    /// What would certainly be refused is in it as [objections](Self::objections). What is wanted and being
    /// deleted counts as absent, and is made when it is gone.
    ///
    /// # Errors
    /// If a wanted kind is unknown, a resource to be made anew is not wanted, a wanted resource exists, was not applied by the base and does
    /// not carry the release's ownership marks, a generated Secret is another release's, a
    /// workload names a generated Secret that nothing makes, or the resource groups have no order.
    pub fn new(inputs: &Inputs<'_>) -> Result<Self, Error> {
        let ending = ending::of(inputs);
        if ending.is_empty() {
            return Self::decide(inputs);
        }
        let mut plan = Self::decide(&Inputs {
            observed: &ending::without(inputs.observed, &ending),
            ..*inputs
        })?;
        plan.steps_mut()
            .for_each(|step| ending::postpone(step, &ending));
        plan.stages.iter_mut().for_each(ending::defer);
        Ok(plan)
    }

    fn decide(inputs: &Inputs<'_>) -> Result<Self, Error> {
        refuse::unknown(inputs)?;
        refuse::unnamed(inputs)?;
        let base = Base::new(inputs);
        refuse::foreign(inputs, &base)?;
        let groups = group::groups(&inputs.desired.resources)?;
        let services = Services::of(inputs.desired, inputs.observed, inputs.owner.namespace);
        let generators = addresses::resolve(&inputs.desired.generators, &services);
        refuse::no_service(&generators, &services)?;
        refuse::no_address(inputs, &generators)?;
        let credentials = decide(inputs, &generators)?;
        refuse::unknown_uses(inputs, &credentials)?;
        refuse::ungrouped(inputs)?;
        let mut parts = Parts::of(&groups);
        for resource in &inputs.desired.resources {
            if let Some(step) = resource::apply(resource, inputs, &base, &credentials) {
                let state = state::of(&step, resource, inputs);
                if credentials.precedes(resource, inputs) {
                    parts.add_early(step);
                } else {
                    parts.add(resource, step, state);
                }
            }
        }
        let trend = parts.trend();
        let mut stages = parts.into_stages(&generators);
        let removal = removal::stages(inputs, &base, &stages);
        stages.extend(removal);
        Ok(Self {
            stages,
            method: inputs.method,
            trend,
            generators,
            objections: clash::node_ports(inputs.desired),
            hooks: Hooks::default(),
        })
    }

    /// The same plan, with everything that is deleted deleted in this way, if one is given.
    #[must_use]
    pub fn deleting(mut self, how: Option<Cascade>) -> Self {
        let steps = self.stages.iter_mut().flat_map(|stage| &mut stage.phases);
        for step in steps.flatten() {
            if let (Action::Delete(_, cascade), Some(how)) = (&mut step.action, how) {
                *cascade = how;
            }
        }
        self
    }

    /// The same with hooks. What was a resource before and is the resource of a hook now is left to
    /// the hook.
    #[must_use]
    pub fn with_hooks(mut self, hooks: Hooks) -> Self {
        let phases = self.stages.iter_mut().flat_map(|stage| &mut stage.phases);
        for phase in phases {
            phase.retain(|step| !step.is_end() || !hooks.has(&step.id));
        }
        self.hooks = hooks;
        self
    }

    /// Whether all of it is known. If it is not, only the stages up to that of the Services whose
    /// addresses are known after it can be carried out; the rest has to be planned anew then.
    pub fn is_whole(&self) -> bool {
        self.known() == self.stages.len()
    }

    /// How many of the stages can be carried out as they are.
    pub fn known(&self) -> usize {
        let mut stages = self.stages.iter();
        let addresses = stages.position(|stage| stage.part == Part::Addresses);
        addresses.map_or(self.stages.len(), |index| index + 1)
    }

    /// The Services whose addresses are known after the apply.
    pub fn unknown(&self) -> Vec<String> {
        let stages = self.stages.iter();
        let services = stages
            .filter(|stage| stage.part == Part::Addresses)
            .flat_map(|stage| &stage.awaited);
        services.map(|(id, _)| id.to_string()).collect()
    }

    /// Whether there is more than one thing after the other: generated Secrets or groups.
    pub fn is_staged(&self) -> bool {
        self.stages.iter().any(|stage| match stage.part {
            Part::Ungrouped | Part::Deletions => false,
            Part::Definitions => stage.has_changes(),
            _ => true,
        })
    }

    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let phases = self.stages.iter().flat_map(|stage| &stage.phases);
        phases.flatten()
    }

    /// All steps and those of hooks, to take note of what was found out about them.
    pub fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        let stages = self.stages.iter_mut();
        let steps = stages.flat_map(|stage| stage.phases.iter_mut().flatten());
        let hooks = self.hooks.steps.iter_mut();
        steps.chain(hooks.map(|hook| &mut hook.step))
    }

    /// All steps that are tried before anything is written: those of each hook once.
    fn tried(&self) -> impl Iterator<Item = &Step> {
        self.steps().chain(self.hooks.tried())
    }

    /// Takes note of the quotas that the plan as a whole exceeds, unless one step by itself exceeds
    /// one: that is told already, with the resource.
    pub fn exceed(&mut self, quotas: Vec<Objection>) {
        let objections = self.objections();
        let mut classes = objections.iter().map(|one| one.class);
        if classes.all(|class| class != Class::OverQuota) {
            self.objections.extend(quotas);
        }
    }

    /// Takes note of what else stands against the plan as a whole.
    pub fn oppose(&mut self, objections: Vec<Objection>) {
        let new = objections.into_iter();
        let new: Vec<_> = new.filter(|one| !self.objections.contains(one)).collect();
        self.objections.extend(new);
    }

    /// Everything that stands against the plan, in the order of its steps.
    pub fn objections(&self) -> Vec<Objection> {
        let own = self.objections.iter();
        let hooks = self.hooks.steps.iter().map(|hook| &hook.step);
        let steps = self.steps().chain(hooks);
        let steps = steps.flat_map(|step| &step.checked.objections);
        steps.chain(own).cloned().collect()
    }

    /// How many steps do what.
    pub fn counts(&self) -> Counts {
        Counts::of(self.steps())
    }
}

fn decide(inputs: &Inputs<'_>, generators: &[Generator]) -> Result<Credentials, Error> {
    let is_wanted = |id: &ResourceId| {
        let generator = inputs.desired.generator(id, inputs.owner.namespace);
        generator.is_some()
    };
    let secrets: BTreeMap<&str, &Value> = inputs
        .observed
        .iter()
        .filter(|(id, _)| is_wanted(id))
        .map(|(id, live)| (id.name.as_str(), live))
        .collect();
    let live = credentials::Live {
        release: inputs.owner.release,
        secrets: &secrets,
    };
    let decisions = credentials::decide(generators, live, inputs.now)?;
    Ok(Credentials::new(decisions))
}

#[cfg(test)]
mod tests;
