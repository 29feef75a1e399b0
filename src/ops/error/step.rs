//! Why one step of a plan failed.

use crate::cluster;
use crate::manifest::ResourceId;
use crate::pki;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A request was refused or not answered.
    #[error("cannot {doing} {id} ({origin}): {source}")]
    Request {
        /// The resource.
        id: ResourceId,
        /// What was being done.
        doing: &'static str,
        /// The template that asks for the resource.
        origin: String,
        /// Why.
        source: cluster::Error,
    },
    /// The data of a generated Secret cannot be made.
    #[error("cannot issue {id} ({origin}): {source}")]
    Issue {
        /// The Secret.
        id: ResourceId,
        /// The template that asks for it.
        origin: String,
        /// Why.
        source: pki::Error,
    },
    /// An authority whose key is needed cannot be read.
    #[error(
        "cannot issue {id}: its issuer {issuer} cannot be read: {}",
        source.as_ref().map_or("it holds no certificate and key".to_owned(), ToString::to_string)
    )]
    Issuer {
        /// The Secret.
        id: ResourceId,
        /// The Secret of the authority.
        issuer: String,
        /// Why; none if it does not exist.
        source: Option<cluster::Error>,
    },
    /// The change was asked to stop before the resource was written.
    #[error("interrupted before {id} was written")]
    Interrupted {
        /// The resource.
        id: ResourceId,
    },
    /// The lock of the release was not renewed in time, so that the resource was not written.
    #[error("{id} was not written: the lock of the release could not be renewed in time")]
    Stalled {
        /// The resource.
        id: ResourceId,
    },
    /// The resource is not what the step was decided on.
    #[error("{id} was changed by somebody else since the plan was made")]
    Changed {
        /// The resource.
        id: ResourceId,
    },
}

impl StepError {
    /// The resource that the step was about.
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::Request { id, .. }
            | Self::Issue { id, .. }
            | Self::Issuer { id, .. }
            | Self::Interrupted { id }
            | Self::Stalled { id }
            | Self::Changed { id } => id,
        }
    }

    /// Whether the change was asked to stop.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// Whether the lock was not renewed in time.
    pub(in crate::ops) fn is_stalled(&self) -> bool {
        matches!(self, Self::Stalled { .. })
    }

    /// Whether the resource is not what the step was decided on, so that it may be decided again. That
    /// others own fields of it is no such reason.
    pub(in crate::ops) fn is_outdated(&self) -> bool {
        match self {
            Self::Changed { .. } => true,
            Self::Request { source, .. } => source.is_already_exists() || source.is_outdated(),
            Self::Issue { .. }
            | Self::Issuer { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. } => false,
        }
    }

    /// Whether what is being deleted was not gone in time.
    pub(super) fn is_late(&self) -> bool {
        matches!(self, Self::Request { source, .. } if source.is_not_ready())
    }

    /// Whether somebody else holds the resource or has changed it.
    pub(super) fn is_conflict(&self) -> bool {
        match self {
            Self::Changed { .. } => true,
            Self::Issue { .. }
            | Self::Issuer { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. } => false,
            Self::Request { source, .. } => source.is_already_exists() || source.is_conflict(),
        }
    }
}
