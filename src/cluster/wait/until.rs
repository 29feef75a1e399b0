//! Waiting until one resource has something, whatever its health.

use std::time::Duration;

use serde_json::Value;

use super::{Cluster, Error, Goal, Kind, ResourceId, Scope};

/// One resource that has to have something.
struct Holds<'a> {
    condition: &'a dyn Fn(&Value) -> bool,
    is_met: bool,
}

impl Goal for Holds<'_> {
    fn note(&mut self, _: &ResourceId, live: Option<&Value>) {
        self.is_met |= live.is_some_and(self.condition);
    }

    fn is_decided(&self) -> bool {
        self.is_met
    }

    fn is_settled(&self, _: &Scope<'_>, _: &[Value]) -> bool {
        false
    }
}

impl Cluster {
    /// Waits for at most `deadline` until `condition` holds for a resource, and tells whether it does.
    ///
    /// # Errors
    /// A refusal to list or watch.
    pub async fn wait_until(
        &self,
        (id, kind): (&ResourceId, &Kind),
        deadline: Duration,
        condition: &dyn Fn(&Value) -> bool,
    ) -> Result<bool, Error> {
        let wanted = [(id.clone(), kind.clone())];
        let mut goal = Holds {
            condition,
            is_met: false,
        };
        match tokio::time::timeout(deadline, self.pursue(&wanted, &mut goal)).await {
            Ok(Err(error)) => Err(error),
            _ => Ok(goal.is_met),
        }
    }
}
