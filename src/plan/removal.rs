//! The stages of what is wanted no more: first what is in no group, then the resource groups in
//! reverse order, then what is generated.
//!
//! The steps that change something else come first, because pods of an older template may use what
//! goes. A group is deleted when all that depends on it is gone with its pods: an API server that
//! has lost its etcd cannot end in order.

use std::collections::{BTreeMap, BTreeSet};

use super::resource::Base;
use super::stage::{Gate, Part, Stage, Until};
use super::{Inputs, Step, definition, phases, unwanted};
use crate::manifest::group::{self, Dependencies};
use crate::manifest::{ResourceId, uninstall_rank};

/// What deletions belong to, in the order in which they are carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Ungrouped,
    /// A group, and how many groups stand below it, negated: the last one goes first.
    Group(isize, String),
    Generated,
}

/// Returns the stages of what is deleted, to be put behind `stages`.
pub(super) fn stages(inputs: &Inputs<'_>, base: &Base<'_>, stages: &[Stage]) -> Vec<Stage> {
    let dependencies = Dependencies::of(base.newest());
    let mut places: BTreeMap<Place, Vec<Step>> = BTreeMap::new();
    let mut definitions = vec![];
    for (place, step) in steps(inputs, base, &dependencies) {
        if definition::is_one(&step.id) {
            definitions.push(step);
        } else {
            places.entry(place).or_default().push(step);
        }
    }
    let mut removal = placed(places, &dependencies, stages);
    if !definitions.is_empty() {
        let gone = (0..removal.len()).map(|earlier| Gate {
            stage: stages.len() + earlier,
            until: Until::Gone,
        });
        let gates = written(stages).into_iter().chain(gone).collect();
        removal.push(stage(Part::DefinitionDeletions, definitions, gates));
    }
    removal
}

/// The stages of what is no definition.
fn placed(
    places: BTreeMap<Place, Vec<Step>>,
    dependencies: &Dependencies,
    stages: &[Stage],
) -> Vec<Stage> {
    let is_staged = places.keys().any(|place| matches!(place, Place::Group(..)));
    if !is_staged {
        let all: Vec<Step> = places.into_values().flatten().collect();
        let stage = (!all.is_empty()).then(|| stage(Part::Deletions, all, written(stages)));
        return stage.into_iter().collect();
    }
    let order: Vec<Place> = places.keys().cloned().collect();
    let places = places.into_iter().enumerate();
    let removal = places.map(|(index, (place, steps))| {
        let gone = before(index, &order, dependencies).map(|earlier| Gate {
            stage: stages.len() + earlier,
            until: Until::Gone,
        });
        let gates = written(stages).into_iter().chain(gone).collect();
        let steps = steps.into_iter().map(Step::with_dependents_first).collect();
        stage(part(&place), steps, gates)
    });
    removal.collect()
}

/// The places that the one at `index` has to wait for, without those that one of them waits for.
fn before<'a>(
    index: usize,
    order: &'a [Place],
    dependencies: &'a Dependencies,
) -> impl Iterator<Item = usize> + use<'a> {
    let waits = move |later: usize, earlier: usize| match (&order[later], &order[earlier]) {
        (Place::Group(_, name), Place::Group(_, other)) => dependencies.has(other, name),
        _ => true,
    };
    (0..index).filter(move |&earlier| {
        let mut between = earlier + 1..index;
        let is_waited_for = |other| waits(index, other) && waits(other, earlier);
        waits(index, earlier) && !between.any(is_waited_for)
    })
}

fn part(place: &Place) -> Part {
    match place {
        Place::Ungrouped => Part::Deletions,
        Place::Group(_, name) => Part::GroupDeletions(name.clone()),
        Place::Generated => Part::CredentialDeletions,
    }
}

/// The steps with the places that they belong to.
fn steps(inputs: &Inputs<'_>, base: &Base<'_>, dependencies: &Dependencies) -> Vec<(Place, Step)> {
    let wanted: BTreeSet<&ResourceId> = inputs.desired.resources.iter().map(|r| &r.id).collect();
    let orphans = unwanted::orphans(inputs, base, &wanted);
    let is_generated: BTreeSet<ResourceId> = orphans.iter().map(|step| step.id.clone()).collect();
    let dropped = base.newest().filter(|resource| {
        let id = &resource.id;
        !wanted.contains(id) && !is_generated.contains(id)
    });
    let pruned = dropped.filter_map(|resource| {
        let place = match group::group_of(&resource.body) {
            Some(name) => Place::Group(-dependencies.height(name), name.to_owned()),
            None => Place::Ungrouped,
        };
        Some((place, unwanted::prune(resource, inputs, base)?))
    });
    let orphans = orphans.into_iter().map(|step| (Place::Generated, step));
    pruned
        .collect::<Vec<_>>()
        .into_iter()
        .chain(orphans)
        .collect()
}

/// The gates behind the stages that change something.
fn written(stages: &[Stage]) -> Vec<Gate> {
    let is_grouped = |stage: &Stage| matches!(stage.part, Part::Group(_));
    let until = if stages.iter().any(is_grouped) {
        Until::Ready
    } else {
        Until::Written
    };
    let changing = (0..).zip(stages).filter(|(_, stage)| stage.has_changes());
    changing.map(|(stage, _)| Gate { stage, until }).collect()
}

fn stage(part: Part, mut steps: Vec<Step>, gates: Vec<Gate>) -> Stage {
    steps.sort_by(|a, b| uninstall_rank(&a.id.kind).cmp(&uninstall_rank(&b.id.kind)));
    Stage {
        part,
        gates,
        phases: phases(steps, uninstall_rank),
        awaited: vec![],
    }
}
