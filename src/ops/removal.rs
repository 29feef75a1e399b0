//! Deletions that hold only for what was decided on.

use serde_json::Value;

use super::step::ATTEMPTS;
use crate::cluster::{self, Address, Cluster, Deletion, Effect, Propagation};
use crate::plan::Precondition;

/// When a deletion was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// By this one, or by one whose answer was lost.
    Now,
    /// Before: there is nothing to delete.
    Before,
}

/// Deletes a resource as long as it is what a precondition says: if it has another version it is read
/// again, and if nothing but its status has changed, the deletion is sent again.
///
/// # Errors
/// [`cluster::Error::Conflict`] if it has changed in substance, or is another one; and any other refusal.
pub(super) async fn remove(
    cluster: &Cluster,
    at: &Address<'_>,
    precondition: &Precondition,
    (propagation, effect): (Propagation, Effect),
) -> Result<Begun, cluster::Error> {
    let mut version = precondition.resource_version.clone();
    let mut left = ATTEMPTS;
    loop {
        let deletion = Deletion {
            propagation,
            only_if: cluster::Precondition {
                uid: Some(&precondition.uid),
                resource_version: Some(&version),
            },
            effect,
        };
        let conflict = match cluster.delete(at, deletion).await {
            Ok(()) => return Ok(Begun::Now),
            Err(error) if error.is_not_found() => return Ok(Begun::Before),
            Err(error) if error.is_conflict() => error,
            Err(error) => return Err(error),
        };
        left -= 1;
        match cluster.get(at).await? {
            None => return Ok(Begun::Before),
            Some(live) if is_going(&live, precondition) => return Ok(Begun::Now),
            Some(live) if left > 0 && precondition.holds(&live) => {
                version = Precondition::of(&live).resource_version;
            }
            Some(_) => return Err(conflict),
        }
    }
}

/// Whether the resource that was decided on is being deleted.
fn is_going(live: &Value, precondition: &Precondition) -> bool {
    live["metadata"]["uid"] == precondition.uid && live["metadata"]["deletionTimestamp"].is_string()
}
