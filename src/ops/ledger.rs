//! Writing records that are there already, under the lock of their release.

use super::guard::{GRACE, Guard};
use super::{Error, Session};
use crate::history::Entry;
use crate::release::Release;

/// The records of a release that is being changed.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) guard: &'a Guard<'a>,
}

impl Ledger<'_> {
    /// Writes a revision as it is now. Where somebody else has written its record since this process has read
    /// or written it, the lock has to be proven first: Helm heeds none, and another pintle has taken it then.
    ///
    /// # Errors
    /// If the lock is lost or uncertain for too long, or the record cannot be written.
    pub(super) async fn update(&self, release: &mut Release) -> Result<(), Error> {
        self.pass().await?;
        let (store, now) = (self.session.store(), (self.session.now)());
        match store.update(release, now).await {
            Err(error) if error.is_outdated() => {
                self.guard.beyond(GRACE).prove().await?;
                release.record_version = None;
                Ok(store.update(release, now).await?)
            }
            updated => Ok(updated?),
        }
    }

    /// Deletes the record of a revision; one that is gone already is fine.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub(super) async fn delete(&self, entry: &Entry) -> Result<(), Error> {
        self.pass().await?;
        Ok(self.session.store().delete(entry).await?)
    }

    async fn pass(&self) -> Result<(), Error> {
        self.guard.beyond(GRACE).pass().await
    }
}
