//! Refused dry runs, as a plan is told of them.

use super::error::{Error, Missing};
use crate::plan::rehearsal::{Absent, Refusal};

impl Error {
    /// What a plan has to know of a refused request; none if no request was answered at all, so that
    /// nothing can be said about the resource.
    pub fn refusal(&self) -> Option<Refusal> {
        let (code, absent, said) = match self {
            Self::Forbidden { detail, .. } => (403, None, detail.clone()),
            Self::NotFound { missing, .. } => (404, Some(absent(*missing)), None),
            Self::Conflict { detail, .. } => (409, None, detail.clone()),
            Self::AlreadyExists { .. } => (409, None, None),
            Self::Invalid { detail, .. } => (422, None, detail.clone()),
            Self::Other { code, detail, .. } => (*code, None, detail.clone()),
            Self::Timeout { .. } | Self::Answer { .. } | Self::Name { .. } => (0, None, None),
            _ => return None,
        };
        Some(Refusal {
            code,
            absent,
            said,
            told: self.to_string(),
        })
    }
}

fn absent(missing: Missing) -> Absent {
    match missing {
        Missing::Kind => Absent::Kind,
        Missing::Namespace => Absent::Namespace,
        Missing::Resource => Absent::Resource,
    }
}
