//! Waiting for a Lease that somebody else holds.
//!
//! It is watched, so that nobody asks again and again. What no watch tells is found out without a request: that
//! its holder has not renewed it in time, or is a process of this machine that has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Claim, Tenure, kind};
use crate::cluster::scope::Scope;
use crate::cluster::watch::Change;
use crate::cluster::{Cluster, Error};
use crate::manifest::ResourceId;

/// How often it is found out whether the holder still counts.
const LOOK: Duration = Duration::from_millis(250);

impl Cluster {
    /// Waits until a Lease is not held as `tenure` says any more, or `deadline` comes: until it is given back or
    /// over, or somebody else has it.
    ///
    /// # Errors
    /// A refusal to list or watch.
    pub async fn lease_turn(
        &self,
        claim: Claim<'_>,
        tenure: &Tenure,
        deadline: Instant,
    ) -> Result<(), Error> {
        let (kind, name) = (kind(), claim.name());
        let id = ResourceId {
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            namespace: Some(claim.namespace.to_owned()),
            name: name.clone(),
        };
        let scope = Scope {
            kind: &kind,
            namespace: Some(claim.namespace),
            ids: BTreeMap::from([(name.as_str(), &id)]),
            makers: vec![],
            labels: "",
        };
        let mut changes = self.follow_all(&scope);
        let mut held = tenure.clone();
        while !claim.is_over(self, &held) {
            let change = tokio::select! {
                change = changes.next() => change,
                () = sleep_until(deadline) => return Ok(()),
                () = sleep(LOOK) => continue,
            };
            let Some(change) = change else {
                return Ok(());
            };
            match now(&change?) {
                Some(now) if now.holder == held.holder && now.since == held.since => held = now,
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Who holds the Lease after a change.
fn now(change: &Change) -> Option<Tenure> {
    match change {
        Change::All(leases) => Tenure::of(leases.first()?),
        Change::One(lease) => Tenure::of(lease),
        Change::Gone(_) => None,
    }
}
