//! Writing records that are there already, under the lock of their release.

use super::guard::{GRACE, Guard};
use super::prepare::Past;
use super::{Error, Session, lock};
use crate::event::Event;
use crate::history::Entry;
use crate::release::{Release, Status};

/// The records of a release that is being changed.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) guard: &'a Guard<'a>,
}

/// Changes a few records under the lock, if the release is still as it was when that was decided.
///
/// # Errors
/// If another process has the lock or takes it meanwhile, or has changed the release; and those of `work`.
pub(super) async fn under_lock(
    (session, past): (&Session<'_>, &Past),
    on: &mut dyn FnMut(Event),
    work: impl AsyncFnOnce(Ledger<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut lease = lock::take(session, on).await?;
    let guard = Guard::of_few(session, &lease);
    let ledger = Ledger {
        session,
        guard: &guard,
    };
    let work = async {
        lock::confirm(session, past).await?;
        work(ledger).await
    };
    let done = lock::keep(session, &mut lease, work).await?;
    lock::release(lease, on).await;
    done
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

    /// Gives a revision whose payload cannot be read another status, by its labels alone.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub(super) async fn mark(&self, entry: &Entry, status: Status) -> Result<(), Error> {
        self.pass().await?;
        let (store, now) = (self.session.store(), (self.session.now)());
        Ok(store.mark(entry, status, now).await?)
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
