//! Following the health of resources for as long as anybody looks.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Cluster, Error, Goal, Kind, ResourceId, Scope};
use crate::health::{self, Health};

/// What is known of resources; who is told decides when to stop looking.
struct Looking<'a> {
    known: BTreeMap<ResourceId, Option<Health>>,
    on: &'a mut dyn FnMut(&ResourceId, Option<&Health>) -> ControlFlow<()>,
    is_over: bool,
}

impl Goal for Looking<'_> {
    fn note(&mut self, id: &ResourceId, live: Option<&Value>) {
        let now = live.map(health::of);
        if !self.is_over && self.known.get(id) != Some(&now) {
            self.is_over = (self.on)(id, now.as_ref()).is_break();
            self.known.insert(id.clone(), now);
        }
    }

    fn is_decided(&self) -> bool {
        self.is_over
    }

    /// What is settled now may be deleted later.
    fn is_settled(&self, _: &Scope<'_>, _: &[Value]) -> bool {
        false
    }
}

impl Cluster {
    /// Tells of every change of the health of resources from what is `known` on, where none is that
    /// of one that does not exist, until `on` breaks.
    ///
    /// # Errors
    /// A refusal to list or watch.
    pub async fn follow_health(
        &self,
        wanted: &[(ResourceId, Kind)],
        known: BTreeMap<ResourceId, Option<Health>>,
        on: &mut dyn FnMut(&ResourceId, Option<&Health>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut looking = Looking {
            known,
            on,
            is_over: false,
        };
        self.pursue(wanted, &mut looking).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_alone_are_told() {
        let id = ResourceId {
            group: String::new(),
            kind: "Pod".to_owned(),
            namespace: None,
            name: "a".to_owned(),
        };
        let mut told = Vec::new();
        let mut on = |_: &ResourceId, health: Option<&Health>| {
            told.push(health.cloned());
            match told.len() {
                3 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        let mut goal = Looking {
            known: BTreeMap::from([(id.clone(), None)]),
            on: &mut on,
            is_over: false,
        };
        let pod =
            |phase: &str| json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase}});
        goal.note(&id, None);
        goal.note(&id, Some(&pod("Pending")));
        goal.note(&id, Some(&pod("Pending")));
        goal.note(&id, Some(&pod("Succeeded")));
        assert!(!goal.is_decided());
        goal.note(&id, None);
        assert!(goal.is_decided());
        goal.note(&id, Some(&pod("Pending")));
        let starting = Health::InProgress("starting".to_owned());
        assert_eq!(told, [Some(starting), Some(Health::Ready), None]);
    }
}
