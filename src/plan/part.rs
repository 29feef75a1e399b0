//! Steps sorted into the parts of a plan, and the parts put in order.

use std::collections::{BTreeMap, BTreeSet};

use super::stage::{self, Gate, Node, NodeHealth, Part, Stage, Until};
use super::trend::Trend;
use super::{Step, definition, phases};
use crate::capabilities::Kind;
use crate::manifest::generator::Generator;
use crate::manifest::group::{self, Group};
use crate::manifest::{Resource, ResourceId, install_rank};

/// The steps for what is wanted, by what they belong to.
pub(super) struct Parts {
    /// Custom resource definitions.
    definitions: Vec<Step>,
    /// Services whose addresses are known after the apply, and their namespace.
    addresses: Vec<Step>,
    /// What is generated, in the order of the manifest.
    credentials: Vec<Step>,
    /// The groups, each behind those it depends on, and what is in none as the last one.
    groups: Vec<Members>,
    index: BTreeMap<String, usize>,
}

/// The steps of one group.
struct Members {
    part: Part,
    after: Vec<usize>,
    steps: Vec<Step>,
    awaited: Vec<(ResourceId, Kind)>,
    health: NodeHealth,
    rollout: Rollout,
    trend: Trend,
}

/// What is known of a resource besides its step.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) health: NodeHealth,
    pub(super) wait: NodeWait,
    pub(super) rollout: Rollout,
    pub(super) trend: Trend,
}

impl State {
    /// The same of a resource that nothing waits for: whatever its health, it is neither waited for
    /// nor in the way of what depends on it.
    pub(super) fn unawaited(self) -> Self {
        Self {
            health: NodeHealth::Healthy,
            wait: NodeWait::Passed,
            rollout: Rollout::Finished,
            ..self
        }
    }
}

/// Whether an earlier change of a workload has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollout {
    Finished,
    /// Pods of an older template are left: what depends on the newer one may not start yet, even
    /// if this plan changes nothing about it.
    Unfinished,
}

/// Whether a resource has to be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeWait {
    Awaited,
    Passed,
}

impl Parts {
    pub(super) fn of(groups: &[Group]) -> Self {
        let index: BTreeMap<String, usize> = (0..)
            .zip(groups)
            .map(|(index, group)| (group.name.clone(), index))
            .collect();
        let places = |names: &BTreeSet<String>| {
            let places = names.iter().filter_map(|name| index.get(name));
            places.copied().collect()
        };
        let mut members: Vec<Members> = groups
            .iter()
            .map(|group| Members::new(Part::Group(group.name.clone()), places(&group.after)))
            .collect();
        let dependencies = || groups.iter().flat_map(|group| &group.after);
        let last = (0..)
            .zip(groups)
            .filter(|(_, group)| dependencies().all(|name| *name != group.name));
        let last = last.map(|(index, _)| index).collect();
        members.push(Members::new(Part::Ungrouped, last));
        Self {
            definitions: vec![],
            addresses: vec![],
            credentials: vec![],
            groups: members,
            index,
        }
    }

    /// How the versions of all workloads change.
    pub(super) fn trend(&self) -> Trend {
        let trends = self.groups.iter().map(|members| members.trend);
        trends.fold(Trend::Level, Trend::and)
    }

    /// Adds what has to be there before the rest can be known.
    pub(super) fn add_early(&mut self, step: Step) {
        self.addresses.push(step);
    }

    pub(super) fn add(&mut self, resource: &Resource, step: Step, state: State) {
        if step.credential.is_some() {
            self.credentials.push(step);
            return;
        }
        let group = group::group_of(&resource.body).and_then(|name| self.index.get(name));
        if definition::is_one(&step.id) && group.is_none() {
            self.definitions.push(step);
            return;
        }
        let place = group.copied().unwrap_or(self.groups.len() - 1);
        let members = &mut self.groups[place];
        if state.health == NodeHealth::Broken {
            members.health = NodeHealth::Broken;
        }
        if state.rollout == Rollout::Unfinished {
            members.rollout = Rollout::Unfinished;
        }
        members.trend = members.trend.and(state.trend);
        if state.wait == NodeWait::Awaited {
            members.awaited.push((step.id.clone(), step.kind.clone()));
        }
        members.steps.push(step);
    }

    pub(super) fn into_stages(self, generators: &[Generator]) -> Vec<Stage> {
        let nodes: Vec<Node> = self.groups.iter().map(Members::node).collect();
        let mut stages: Vec<Stage> = definitions(self.definitions).into_iter().collect();
        let definitions = stages.first().filter(|stage| stage.has_changes());
        let established = definitions.map(|_| Gate {
            stage: 0,
            until: Until::Established,
        });
        let mut addresses = addresses(self.addresses);
        let known = addresses.as_mut().map(|stage| {
            stage.gates.extend(established);
            Gate {
                stage: stages.len(),
                until: Until::Known,
            }
        });
        stages.extend(addresses);
        let mut credentials = credentials(self.credentials, generators);
        if let Some(stage) = &mut credentials {
            stage.gates.extend(known);
        }
        let written = credentials.as_ref().filter(|stage| stage.has_changes());
        let written = written.map(|_| Gate {
            stage: stages.len(),
            until: Until::Written,
        });
        stages.extend(credentials);
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut groups: Vec<Option<Members>> = self.groups.into_iter().map(Some).collect();
        for (node, waits) in stage::order(&nodes) {
            let Some(members) = groups[node]
                .take()
                .filter(|members| !members.steps.is_empty())
            else {
                continue;
            };
            let gate = |(other, until)| {
                let stage = *places.get(&other)?;
                Some(Gate { stage, until })
            };
            let gates = established
                .into_iter()
                .chain(written)
                .chain(waits.into_iter().filter_map(gate));
            let stage = members.into_stage(gates.collect());
            places.insert(node, stages.len());
            stages.push(stage);
        }
        stages
    }
}

impl Members {
    fn new(part: Part, after: Vec<usize>) -> Self {
        Self {
            part,
            after,
            steps: vec![],
            awaited: vec![],
            health: NodeHealth::Healthy,
            rollout: Rollout::Finished,
            trend: Trend::Level,
        }
    }

    fn node(&self) -> Node {
        Node {
            after: self.after.clone(),
            moves: self.rollout == Rollout::Unfinished || self.steps.iter().any(Step::is_change),
            health: self.health,
            trend: self.trend,
        }
    }

    fn into_stage(self, gates: Vec<Gate>) -> Stage {
        Stage {
            part: self.part,
            gates,
            phases: phases(self.steps, install_rank),
            awaited: self.awaited,
        }
    }
}

/// The stage of the definitions, of which those that change are waited for.
fn definitions(steps: Vec<Step>) -> Option<Stage> {
    if steps.is_empty() {
        return None;
    }
    let changing = steps.iter().filter(|step| step.is_change());
    Some(Stage {
        part: Part::Definitions,
        gates: vec![],
        awaited: changing
            .map(|step| (step.id.clone(), step.kind.clone()))
            .collect(),
        phases: phases(steps, install_rank),
    })
}

/// The stage of what the rest depends on, of which all Services are waited for.
fn addresses(steps: Vec<Step>) -> Option<Stage> {
    if steps.is_empty() {
        return None;
    }
    let services = steps.iter().filter(|step| step.id.kind == "Service");
    Some(Stage {
        part: Part::Addresses,
        gates: vec![],
        awaited: services
            .map(|step| (step.id.clone(), step.kind.clone()))
            .collect(),
        phases: phases(steps, install_rank),
    })
}

/// The stage of what is generated: authorities and endpoints, then the rest.
fn credentials(steps: Vec<Step>, generators: &[Generator]) -> Option<Stage> {
    if steps.is_empty() {
        return None;
    }
    let sources: BTreeSet<&str> = generators
        .iter()
        .filter(|generator| generator.spec.is_source())
        .map(|generator| generator.name.as_str())
        .collect();
    let is_source = |step: &Step| sources.contains(step.id.name.as_str());
    let (first, second): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(is_source);
    let phases = [first, second]
        .into_iter()
        .filter(|phase| !phase.is_empty());
    Some(Stage {
        part: Part::Credentials,
        gates: vec![],
        phases: phases.collect(),
        awaited: vec![],
    })
}
