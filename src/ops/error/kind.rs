//! What kind of failure an error is.

use super::{Error, StepError};
use crate::cluster;
use crate::history;
use crate::plan::{self, Class, Objection};

/// What kind of failure an error is; the binary gives each its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It was tried and did not work.
    Failed,
    /// The command, the values or the chart are wrong; nothing was written.
    Usage,
    /// What was written is not ready in time; a change with gates may not be written as a whole.
    NotReady,
    /// Somebody else holds the release or a resource.
    Conflict,
    /// It was asked to stop.
    Interrupted,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(_)
            | Self::Source(_)
            | Self::Chart(_)
            | Self::Values(_)
            | Self::Render(_)
            | Self::Manifest(_)
            | Self::Selector { .. }
            | Self::Record { .. }
            | Self::Back { .. }
            | Self::PlanFile { .. }
            | Self::NoConflicts { .. }
            | Self::NoTest { .. }
            | Self::Plan(
                plan::Error::UnknownKinds(_)
                | plan::Error::Group(_)
                | plan::Error::UnknownUses(_)
                | plan::Error::NoSuchResource(_)
                | plan::Error::NoService(_)
                | plan::Error::Ungrouped(_),
            ) => ErrorKind::Usage,
            Self::Pending { .. }
            | Self::Held { .. }
            | Self::Overtaken { .. }
            | Self::Outdated(_)
            | Self::Lost {
                source: cluster::Lost::Taken { .. } | cluster::Lost::Deleted,
                ..
            }
            | Self::History(history::Error::Exists { .. } | history::Error::Gone { .. })
            | Self::Plan(plan::Error::Foreign(_) | plan::Error::Credentials(_)) => {
                ErrorKind::Conflict
            }
            Self::Plan(plan::Error::Refused(objections)) | Self::Rest(objections) => {
                refused(objections)
            }
            Self::Cluster(error)
            | Self::Gate { source: error, .. }
            | Self::NoAddress { source: error }
                if error.is_not_ready() =>
            {
                ErrorKind::NotReady
            }
            Self::AddressLost { .. } => ErrorKind::NotReady,
            Self::Hook(error) if error.is_late() => ErrorKind::NotReady,
            Self::Interrupted => ErrorKind::Interrupted,
            // That it went back, or could not, is not why it failed.
            Self::WentBack { source, .. } | Self::Stranded { source, .. } => source.kind(),
            Self::Steps(errors) if errors.iter().any(StepError::is_interruption) => {
                ErrorKind::Interrupted
            }
            Self::Steps(errors) if errors.iter().any(StepError::is_conflict) => ErrorKind::Conflict,
            Self::Steps(errors) if errors.iter().all(StepError::is_late) => ErrorKind::NotReady,
            _ => ErrorKind::Failed,
        }
    }
}

impl Error {
    /// Whether a right is missing, as far as nothing could be planned.
    pub(in crate::ops) fn is_forbidden(&self) -> bool {
        match self {
            Self::Cluster(source)
            | Self::History(
                history::Error::List { source }
                | history::Error::Read { source, .. }
                | history::Error::Write { source, .. },
            ) => source.is_forbidden(),
            _ => false,
        }
    }
}

fn refused(objections: &[Objection]) -> ErrorKind {
    let conflicts = [Class::Conflict, Class::Owned, Class::Taken];
    let is_conflict = |one: &Objection| conflicts.contains(&one.class);
    if objections.iter().any(is_conflict) {
        ErrorKind::Conflict
    } else {
        ErrorKind::Failed
    }
}
