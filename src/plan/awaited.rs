//! What a change waits for at its end: what has to be ready, and what has to be gone.

use std::collections::BTreeMap;

use super::{Action, Plan, Stage, Step};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

impl Plan {
    /// The resources to wait for until they are ready, at the end: those that change and those
    /// that are not healthy now.
    pub fn awaited(&self) -> Vec<(ResourceId, Kind)> {
        let stages = self.stages.iter();
        stages.flat_map(|stage| stage.awaited.clone()).collect()
    }

    /// What is wanted no more and being deleted when its steps are done, whoever has begun that.
    pub fn deleted(&self) -> Vec<(ResourceId, Kind)> {
        self.stages.iter().flat_map(Stage::deleted).collect()
    }

    /// The uids of the resources that it deletes.
    pub fn doomed(&self) -> BTreeMap<ResourceId, String> {
        let uid = |step: &Step| match &step.action {
            Action::Delete(precondition, _) => Some((step.id.clone(), precondition.uid.clone())),
            _ => None,
        };
        self.steps().filter_map(uid).collect()
    }
}
