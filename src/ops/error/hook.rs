//! Why a hook failed.

use crate::cluster;
use crate::manifest::{HookEvent, ResourceId};

/// A hook that failed: `pre-upgrade hook Job migrate (web/templates/migrate.yaml:1) failed`.
#[derive(Debug, thiserror::Error)]
#[error("{event} hook {id} ({origin}) failed")]
pub struct HookError {
    /// When it ran.
    pub event: HookEvent,
    /// Its resource.
    pub id: ResourceId,
    /// The template that asks for it.
    pub origin: String,
    /// Why.
    pub source: cluster::Error,
}

impl HookError {
    /// Whether the hook might still have come to its end: it was waited for in vain, and nothing
    /// says that it cannot.
    pub(super) fn is_late(&self) -> bool {
        match &self.source {
            cluster::Error::NotReady { resources } => {
                !resources.iter().any(|one| one.health.is_failed())
            }
            error => error.is_not_ready(),
        }
    }
}
