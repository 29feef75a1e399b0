//! Refused dry runs, as a plan is told of them.

use super::error::{Error, FieldConflict, Missing};
use crate::plan::rehearsal::{Absent, Claim, Refusal};
use crate::plan::server_side::Handover;

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
        let claims = match self {
            Self::Conflict { fields, .. } => fields.iter().map(claim).collect(),
            _ => vec![],
        };
        Some(Refusal {
            code,
            absent,
            said,
            claims,
            told: self.to_string(),
        })
    }
}

impl Error {
    /// The conflicts of an apply with others than those whose fields are handed over; none if there are
    /// none.
    pub fn with_others(self, handover: &Handover) -> Option<Self> {
        match self {
            Self::Conflict {
                verb,
                what,
                mut fields,
                detail,
            } => {
                fields.retain(|conflict| !handover.is_from(&claim(conflict).manager));
                (!fields.is_empty()).then_some(Self::Conflict {
                    verb,
                    what,
                    fields,
                    detail,
                })
            }
            _ => None,
        }
    }
}

/// `conflict with "kubectl" using apps/v1` names the owner.
fn claim(conflict: &FieldConflict) -> Claim {
    let mut parts = conflict.message.split('"');
    let manager = parts.nth(1).unwrap_or(&conflict.message);
    Claim {
        field: conflict.field.trim_start_matches('.').to_owned(),
        manager: manager.to_owned(),
    }
}

fn absent(missing: Missing) -> Absent {
    match missing {
        Missing::Kind => Absent::Kind,
        Missing::Namespace => Absent::Namespace,
        Missing::Resource => Absent::Resource,
    }
}
