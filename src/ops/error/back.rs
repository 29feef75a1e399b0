//! What became of a change that failed and was to go back, and what was not ready when it did.

use std::fmt;

use super::Error;
use crate::cluster::{self, Unready};

/// Where a change that failed has gone back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// To an earlier revision, which is recorded anew.
    To {
        /// The earlier revision.
        revision: u32,
        /// What it is recorded as now.
        now: u32,
    },
    /// To nothing: what was installed is uninstalled.
    ToNothing,
}

/// `revision 1 is back, as revision 3`.
impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To { revision, now } => {
                write!(f, "revision {revision} is back, as revision {now}")
            }
            Self::ToNothing => f.write_str("what it had installed is deleted again"),
        }
    }
}

/// A way back from a change that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    /// The last good revision is rolled back to.
    Rollback,
    /// What was installed is uninstalled.
    Uninstallation,
    /// What was created is deleted again.
    CleanUp,
}

/// `the rollback`.
impl fmt::Display for WayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollback => "the rollback",
            Self::Uninstallation => "its uninstallation",
            Self::CleanUp => "the deletion of what it had created",
        })
    }
}

impl Error {
    /// What went wrong first, where something was done about it; otherwise the error itself.
    pub fn first(&self) -> &Self {
        match self {
            Self::WentBack { source, .. } | Self::Stranded { source, .. } => source.first(),
            error => error,
        }
    }

    /// What went wrong when something was done about it.
    pub fn second(&self) -> Option<&Self> {
        match self {
            Self::Stranded { second, .. } => Some(second),
            Self::WentBack { source, .. } => source.second(),
            _ => None,
        }
    }

    /// The resources that are not ready, if that is what went wrong first.
    pub fn unready(&self) -> &[Unready] {
        let source = match self.first() {
            Self::Cluster(source) | Self::Gate { source, .. } | Self::NoAddress { source } => {
                source
            }
            Self::Hook(error) => &error.source,
            _ => return &[],
        };
        match source {
            cluster::Error::NotReady { resources } => resources,
            _ => &[],
        }
    }

    /// The same, to be changed.
    pub(in crate::ops) fn unready_mut(&mut self) -> &mut [Unready] {
        let source = match self {
            Self::Cluster(source) | Self::Gate { source, .. } | Self::NoAddress { source } => {
                source
            }
            Self::Hook(error) => &mut error.source,
            _ => return &mut [],
        };
        match source {
            cluster::Error::NotReady { resources } => resources,
            _ => &mut [],
        }
    }
}
