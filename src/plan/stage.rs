//! The stages of a plan: which resource group follows which, and what is waited for in between.
//!
//! Groups and what happens to each come in; groups in the order of execution with their gates go
//! out. Where versions rise or stay, a group waits until those it depends on are ready. Where they
//! fall, it waits until no old pod is left of those that depend on it, which does not need them to
//! be ready, so that the way out of a broken state is never barred. What is not healthy is repaired
//! before what depends on it in either direction: nothing else could become ready.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::step::Step;
use super::trend::Trend;
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// A part of a plan that starts when its gates are passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What it is about.
    pub part: Part,
    /// What has to be true of earlier stages first.
    pub gates: Vec<Gate>,
    /// Its phases in order; the steps of one phase are independent of each other.
    pub phases: Vec<Vec<Step>>,
    /// The resources to wait for until they are ready: those that change and those that are not
    /// healthy now.
    pub awaited: Vec<(ResourceId, Kind)>,
}

/// What a stage is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Custom resource definitions, before anything of their kinds.
    Definitions,
    /// The Services whose addresses the rest depends on: it can be planned when they are known.
    Addresses,
    /// Generated Secrets, authorities first: they are written before any pod learns of them.
    Credentials,
    /// The resources of this group.
    Group(String),
    /// The resources of no group.
    Ungrouped,
    /// What is wanted no more; where there are groups, what of it is in none.
    Deletions,
    /// What is wanted no more of this group.
    GroupDeletions(String),
    /// What was generated and is wanted no more, behind all that may use it.
    CredentialDeletions,
    /// Definitions that are wanted no more, behind everything of their kinds.
    DefinitionDeletions,
}

/// `group etcd`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definitions => f.write_str("custom resource definitions"),
            Self::Addresses => f.write_str("addresses"),
            Self::Credentials => f.write_str("credentials"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Ungrouped => f.write_str("resources without a group"),
            Self::Deletions => f.write_str("deletions"),
            Self::GroupDeletions(name) => write!(f, "deletions of group {name}"),
            Self::CredentialDeletions => f.write_str("deletions of credentials"),
            Self::DefinitionDeletions => f.write_str("deletions of custom resource definitions"),
        }
    }
}

/// What has to be true of an earlier stage before another starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gate {
    /// The index of the earlier stage in the plan.
    pub stage: usize,
    /// What has to be true of it.
    pub until: Until,
}

/// What can have to be true of a stage; `ready` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// Its steps are done.
    Written,
    /// Its steps are done, and the kinds that it defines are served.
    Established,
    /// Its steps are done, and its Services have their addresses.
    Known,
    /// Its steps are done, and its resources ready.
    Ready,
    /// Its steps are done, and no pod of an older template is left.
    NoOldPods,
    /// Its steps are done, and what they delete is gone, pods included.
    Gone,
}

impl Stage {
    /// Whether a step of this stage sends anything.
    pub fn has_changes(&self) -> bool {
        self.phases.iter().flatten().any(Step::is_change)
    }

    /// What is being deleted when its steps are done, whoever has begun that.
    pub fn deleted(&self) -> Vec<(ResourceId, Kind)> {
        let steps = self.phases.iter().flatten();
        let deleted = steps.filter(|step| step.is_end());
        deleted
            .map(|step| (step.id.clone(), step.kind.clone()))
            .collect()
    }
}

/// Cuts sorted steps into phases of one rank each.
pub(super) fn phases(steps: Vec<Step>, rank: fn(&str) -> (usize, &str)) -> Vec<Vec<Step>> {
    let mut phases: Vec<Vec<Step>> = vec![];
    for step in steps {
        match phases.last_mut() {
            Some(phase) if rank(&phase[0].id.kind) == rank(&step.id.kind) => phase.push(step),
            _ => phases.push(vec![step]),
        }
    }
    phases
}

/// One group as the order sees it; the resources of no group count as one that depends on others.
#[derive(Debug)]
pub(super) struct Node {
    /// The indices of the groups that it depends on.
    pub(super) after: Vec<usize>,
    /// Whether any of its steps sends anything, or an earlier change of it is still under way.
    pub(super) moves: bool,
    /// Whether all that it has in the cluster is healthy.
    pub(super) health: NodeHealth,
    /// How its versions change.
    pub(super) trend: Trend,
}

/// The state of a group in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeHealth {
    Healthy,
    Broken,
}

/// A node and the earlier nodes that it waits for.
pub(super) type Ordered = (usize, Vec<(usize, Until)>);

/// Puts nodes, each of which stands behind those it depends on, in the order of execution.
///
/// A node that does not move is not waited for; who would wait for it waits for what it would.
pub(super) fn order(nodes: &[Node]) -> Vec<Ordered> {
    let by_versions = sorted(nodes, &waits(nodes, is_backward));
    if by_versions.len() == nodes.len() {
        return by_versions;
    }
    // Some rise and some fall in a circle, so that no order suits them all.
    sorted(nodes, &waits(nodes, |_, _| false))
}

/// Whether the dependent goes before its dependency: the version of one of them falls, and that of
/// the other does not rise.
fn is_backward(dependency: &Node, dependent: &Node) -> bool {
    dependency.trend.and(dependent.trend) == Trend::Falling
}

/// Takes out, again and again, the first node that all it waits for is out of.
fn sorted(nodes: &[Node], waits: &[Vec<(usize, Until)>]) -> Vec<Ordered> {
    let mut gates: Vec<Option<Vec<(usize, Until)>>> = vec![None; nodes.len()];
    let mut ordered = Vec::with_capacity(nodes.len());
    let is_free = |index: &usize, gates: &[Option<Vec<(usize, Until)>>]| {
        let mut before = waits[*index].iter();
        gates[*index].is_none() && before.all(|(other, _)| gates[*other].is_some())
    };
    while let Some(index) = (0..nodes.len()).find(|index| is_free(index, &gates)) {
        let own = resolve(&waits[index], nodes, &gates);
        gates[index] = Some(own.clone());
        ordered.push((index, own));
    }
    ordered
}

/// For each node those that come before it, and what has to be true of them.
fn waits(nodes: &[Node], is_backward: impl Fn(&Node, &Node) -> bool) -> Vec<Vec<(usize, Until)>> {
    let mut waits = vec![vec![]; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let mut before = all_after(index, nodes);
        before.retain(|other| nodes[*other].health == NodeHealth::Broken);
        for &dependency in &node.after {
            if before.contains(&dependency) || !is_backward(&nodes[dependency], node) {
                before.insert(dependency);
            } else {
                waits[dependency].push((index, Until::NoOldPods));
            }
        }
        waits[index].extend(before.into_iter().map(|other| (other, Until::Ready)));
    }
    waits
}

/// Everything that a node depends on, directly or not; what comes first in the order comes first.
fn all_after(index: usize, nodes: &[Node]) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut open = nodes[index].after.clone();
    while let Some(next) = open.pop() {
        if all.insert(next) {
            open.extend(&nodes[next].after);
        }
    }
    all
}

/// Looks through nodes that do not move to those that do.
fn resolve(
    waits: &[(usize, Until)],
    nodes: &[Node],
    gates: &[Option<Vec<(usize, Until)>>],
) -> Vec<(usize, Until)> {
    let mut found: Vec<(usize, Until)> = vec![];
    for wait in waits {
        let through = gates[wait.0].as_deref().unwrap_or_default();
        let own = if nodes[wait.0].moves {
            std::slice::from_ref(wait)
        } else {
            through
        };
        for gate in own {
            if !found.contains(gate) {
                found.push(*gate);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `nodes` are their states, separated by commas, with what they depend on: `up`, `down` or
    /// `same` for the versions of one that changes, `idle` for one that does not, an exclamation
    /// mark for one that is broken: `down! < 0 1`.
    #[track_caller]
    fn check(nodes: &[&str], expected: &str) {
        let node = |text: &&str| {
            let (state, after) = text.split_once(" < ").unwrap_or((text, ""));
            let after = after.split_whitespace().map(|n| n.parse().unwrap());
            Node {
                after: after.collect(),
                moves: state != "idle",
                health: if state.ends_with('!') {
                    NodeHealth::Broken
                } else {
                    NodeHealth::Healthy
                },
                trend: match state.trim_end_matches('!') {
                    "up" => Trend::Rising,
                    "down" => Trend::Falling,
                    _ => Trend::Level,
                },
            }
        };
        let nodes: Vec<_> = nodes.iter().map(node).collect();
        let told = order(&nodes).into_iter().map(|(index, gates)| {
            let gates = gates.iter().map(|(other, until)| match until {
                Until::Known => format!(" {other} known"),
                Until::Established => format!(" {other} established"),
                Until::Written => format!(" {other} written"),
                Until::Ready => format!(" {other} ready"),
                Until::NoOldPods => format!(" {other} replaced"),
                Until::Gone => format!(" {other} gone"),
            });
            format!("{index}:{}", gates.collect::<String>())
        });
        assert_eq!(told.collect::<Vec<_>>().join(", "), expected);
    }

    #[test]
    fn forward_waits_for_readiness() {
        check(&["up", "up < 0", "up < 1"], "0:, 1: 0 ready, 2: 1 ready");
        check(&["same", "same < 0"], "0:, 1: 0 ready");
        let fan = ["same", "same", "same < 0 1", "same"];
        check(&fan, "0:, 1:, 2: 0 ready 1 ready, 3:");
    }

    #[test]
    fn what_sends_nothing_is_looked_through() {
        check(
            &["same", "idle < 0", "same < 1"],
            "0:, 1: 0 ready, 2: 0 ready",
        );
        check(&["idle", "same < 0"], "0:, 1:");
    }

    #[test]
    fn backward_waits_for_old_pods_only() {
        check(
            &["down", "down < 0", "down < 1"],
            "2:, 1: 2 replaced, 0: 1 replaced",
        );
        check(
            &["down", "idle < 0", "down < 1"],
            "2:, 1: 2 replaced, 0: 2 replaced",
        );
        // Those whose versions fall drag along what they depend on and what depends on them.
        check(&["same", "down < 0"], "1:, 0: 1 replaced");
    }

    #[test]
    fn each_dependency_has_a_direction_of_its_own() {
        check(
            &["up", "down < 0", "down < 1"],
            "0:, 2:, 1: 0 ready 2 replaced",
        );
        check(&["down", "down < 0", "up"], "1:, 0: 1 replaced, 2:");
        // 0 before 1 and 1 before 2, as 1 rises; 2 before 0, as 0 falls.
        check(
            &["down", "up < 0", "same < 0 1"],
            "0:, 1: 0 ready, 2: 0 ready 1 ready",
        );
    }

    #[test]
    fn what_is_broken_is_repaired_first() {
        check(
            &["down!", "down < 0", "down < 1"],
            "0:, 2: 0 ready, 1: 0 ready 2 replaced",
        );
        check(
            &["down", "down! < 0", "down < 1"],
            "1:, 0: 1 replaced, 2: 1 ready",
        );
    }
}
