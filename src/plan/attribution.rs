//! Who has changed what a plan puts back.
//!
//! A plan with the differences that it has found comes in, with live resources and their managed fields; the
//! plan goes out with a name for each field that somebody changed. What is asked of the cluster, and when,
//! is left to `ops`.

use super::diff::{Cause, Change};
use super::drift::author;
use super::{Observed, Plan, Step};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

impl Plan {
    /// The resources with fields that somebody changed.
    pub fn drifted(&self) -> Vec<(ResourceId, Kind)> {
        let drifted = self.steps().filter(|step| moved(step).next().is_some());
        drifted
            .map(|step| (step.id.clone(), step.kind.clone()))
            .collect()
    }

    /// Takes note of who changed them, as the managed fields of what is live say.
    pub fn attribute(&mut self, live: &Observed) {
        let stages = self.stages.iter_mut();
        let phases = stages.flat_map(|stage| &mut stage.phases);
        for step in phases.flatten() {
            let Some(live) = live.get(&step.id) else {
                continue;
            };
            let named = moved(step).filter_map(|change| {
                let author = author::of(live, change).filter(|author| !author.is_own())?;
                Some((change.path.clone(), author))
            });
            step.checked.authors = named.collect();
        }
    }
}

fn moved(step: &Step) -> impl Iterator<Item = &Change> {
    let changes = step.action.difference().into_iter();
    let changes = changes.flat_map(|found| &found.changes);
    changes.filter(|change| change.cause == Cause::Drift)
}
