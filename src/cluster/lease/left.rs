//! Leases as they were left: what they say, and taking them away.

use super::{Claim, Tenure, at, kind};
use crate::cluster::deletion::{Deletion, Precondition};
use crate::cluster::{Cluster, Error};

/// A Lease as it was read, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Who holds it, or has held it last.
    pub tenure: Option<Tenure>,
    /// Whether it could be taken: its holder is dead, or has not renewed it in time.
    pub is_over: bool,
    uid: String,
    version: String,
}

impl Cluster {
    /// Reads the Lease of a release; none if there is none.
    ///
    /// # Errors
    /// Any refusal.
    pub async fn lease(&self, claim: Claim<'_>) -> Result<Option<Left>, Error> {
        let live = self
            .get(&at(&kind(), claim.namespace, &claim.name()))
            .await?;
        Ok(live.map(|live| {
            let text = |field: &str| live["metadata"][field].as_str().unwrap_or_default();
            let tenure = Tenure::of(&live);
            Left {
                is_over: tenure
                    .as_ref()
                    .is_none_or(|tenure| claim.is_over(self, tenure)),
                tenure,
                uid: text("uid").to_owned(),
                version: text("resourceVersion").to_owned(),
            }
        }))
    }

    /// Deletes the Lease of a release as it was read; one that is gone meanwhile is fine.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was renewed or taken since, and any other refusal.
    pub async fn delete_lease(&self, claim: Claim<'_>, left: &Left) -> Result<(), Error> {
        let how = Deletion {
            only_if: Precondition {
                uid: Some(&left.uid),
                resource_version: Some(&left.version),
            },
            ..Deletion::default()
        };
        let (kind, name) = (kind(), claim.name());
        match self.delete(&at(&kind, claim.namespace, &name), how).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
