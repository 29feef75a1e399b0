//! Everything that is decided before the first write.
//!
//! A desired manifest, the base it follows, what the cluster holds and the time come in; a
//! complete, printable and immutable [`Plan`] goes out. Nothing here reads or writes. Carrying a
//! plan out is left to `ops`, showing it to the binary.

pub mod addresses;
pub mod credentials;
pub mod diff;
pub mod ownership;
mod part;
mod pod_template;
mod precondition;
pub mod redact;
mod removal;
pub mod report;
mod resource;
mod stage;
mod step;
mod trend;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

pub use ownership::Owner;
pub use precondition::Precondition;
pub use stage::{Gate, Part, Stage, Until};
pub use step::{Action, Cascade, Counts, Credential, Effect, Keep, Step};
pub use trend::Trend;

use crate::capabilities::{Kind, Kinds};
use crate::manifest::generator::Generator;
use crate::manifest::{Manifest, Origin, Resource, ResourceId, group};
use addresses::Services;
use part::Parts;
use resource::{Base, Credentials};

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
    /// The kinds that the cluster knows.
    pub kinds: &'a Kinds,
    /// The time, against which certificates expire.
    pub now: Timestamp,
}

/// The whole change: stages in the order in which they start, except that one may overtake others
/// that its gates do not name.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Services whose addresses are known after the apply, generated Secrets, then the resource
    /// groups, then what is in none, then deletions; what is empty is left out.
    pub stages: Vec<Stage>,
    /// How the versions of all workloads change.
    pub trend: Trend,
    /// The generators of the wanted manifest, with the addresses in them that are known.
    pub generators: Vec<Generator>,
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

impl Plan {
    /// Decides what has to be done.
    ///
    /// # Errors
    /// If a wanted kind is unknown, a wanted resource exists, was not applied by the base and does
    /// not carry the release's ownership marks, a generated Secret is another release's, a
    /// workload names a generated Secret that nothing makes, or the resource groups have no order.
    pub fn new(inputs: &Inputs<'_>) -> Result<Self, Error> {
        refuse_unknown(inputs)?;
        let base = Base::new(inputs);
        refuse_foreign(inputs, &base)?;
        let groups = group::groups(&inputs.desired.resources)?;
        let services = Services::of(inputs.desired, inputs.observed, inputs.owner.namespace);
        let generators = addresses::resolve(&inputs.desired.generators, &services);
        refuse_no_service(&generators, &services)?;
        refuse_no_address(inputs, &generators)?;
        let credentials = decide(inputs, &generators)?;
        refuse_unknown_uses(inputs, &credentials)?;
        refuse_ungrouped(inputs)?;
        let mut parts = Parts::of(&groups);
        for resource in &inputs.desired.resources {
            if let Some(step) = resource::apply(resource, inputs, &base, &credentials) {
                let state = resource::state(&step, resource, inputs);
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
            trend,
            generators,
        })
    }

    /// Whether all of it is known. If it is not, only the first stage, of the Services whose
    /// addresses are known after it, can be carried out; the rest has to be planned anew then.
    pub fn is_whole(&self) -> bool {
        let first = self.stages.first();
        first.is_none_or(|stage| stage.part != Part::Addresses)
    }

    /// The Services whose addresses are known after the apply.
    pub fn unknown(&self) -> Vec<String> {
        let first = self.stages.iter().take(1).filter(|_| !self.is_whole());
        let services = first.flat_map(|stage| &stage.awaited);
        services.map(|(id, _)| id.to_string()).collect()
    }

    /// Whether there is more than one thing after the other: generated Secrets or groups.
    pub fn is_staged(&self) -> bool {
        let mut parts = self.stages.iter().map(|stage| &stage.part);
        parts.any(|part| !matches!(part, Part::Ungrouped | Part::Deletions))
    }

    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let phases = self.stages.iter().flat_map(|stage| &stage.phases);
        phases.flatten()
    }

    /// The resources to wait for until they are ready, at the end: those that change and those
    /// that are not healthy now.
    pub fn awaited(&self) -> Vec<(ResourceId, Kind)> {
        let stages = self.stages.iter();
        stages.flat_map(|stage| stage.awaited.clone()).collect()
    }

    /// How many steps do what.
    pub fn counts(&self) -> Counts {
        Counts::of(self.steps())
    }
}

fn refuse_no_service(generators: &[Generator], services: &Services<'_>) -> Result<(), Error> {
    let missing: Vec<_> = generators
        .iter()
        .flat_map(|generator| {
            let waits = addresses::waits(generator, generators).into_iter();
            let missing = waits.filter(|name| !services.has(name));
            missing.map(|name| (name.to_owned(), generator.origin.clone()))
        })
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::NoService(missing))
    }
}

fn refuse_no_address(inputs: &Inputs<'_>, generators: &[Generator]) -> Result<(), Error> {
    let resources = inputs.desired.resources.iter();
    let own = resources.filter(|resource| resource::is_own(resource, inputs));
    let bodies = own.map(|resource| &resource.body);
    let found = addresses::without_address(generators, bodies);
    if found.is_empty() {
        return Ok(());
    }
    let place = |generator: &Generator| (generator.to_string(), generator.origin.clone());
    Err(Error::NoAddress(found.into_iter().map(place).collect()))
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

/// Refuses pods of a group that could not start before what is in no group is there, which waits
/// for the group.
fn refuse_ungrouped(inputs: &Inputs<'_>) -> Result<(), Error> {
    let resources = &inputs.desired.resources;
    let is_grouped = |resource: &&Resource| group::group_of(&resource.body).is_some();
    let namespace = inputs.owner.namespace;
    let late: BTreeMap<&ResourceId, &Resource> = resources
        .iter()
        .filter(|resource| !is_grouped(resource))
        .filter(|resource| inputs.desired.generator(&resource.id, namespace).is_none())
        .filter(|resource| !inputs.observed.contains_key(&resource.id))
        .map(|resource| (&resource.id, resource))
        .collect();
    let found: Vec<_> = resources
        .iter()
        .filter(is_grouped)
        .flat_map(|resource| {
            let needs = pod_template::needs(&resource.body).into_iter();
            needs.filter_map(|(kind, name)| {
                let id = ResourceId {
                    group: String::new(),
                    kind: kind.to_owned(),
                    namespace: resource.id.namespace.clone(),
                    name: name.to_owned(),
                };
                let (id, _) = late.get_key_value(&id)?;
                Some((
                    format!("{} needs {id}", resource.id),
                    resource.origin.clone(),
                ))
            })
        })
        .collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(Error::Ungrouped(found))
    }
}

fn refuse_unknown_uses(inputs: &Inputs<'_>, credentials: &Credentials) -> Result<(), Error> {
    let resources = inputs.desired.resources.iter();
    let own = resources.filter(|resource| resource::is_own(resource, inputs));
    let unknown: Vec<_> = own
        .flat_map(|resource| {
            let names = credentials::unknown_mentions(&resource.body, &credentials.issues);
            names
                .into_iter()
                .map(|name| (name, resource.origin.clone()))
        })
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownUses(unknown))
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
