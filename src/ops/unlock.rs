//! `unlock`: taking away what keeps others from changing a release.

use jiff::{SignedDuration, Timestamp};

use super::prepare::Past;
use super::{Error, Session, lock};
use crate::cluster::{Left, Tenure};
use crate::history::Entry;
use crate::release::{Release, Status};

/// What keeps others from changing a release.
#[derive(Debug)]
pub struct Locked {
    /// The Lease of the release.
    lease: Option<Left>,
    /// What Helm has left pending, and until when it counts as under way.
    pending: Option<(Release, Timestamp)>,
    /// What is done under the lock.
    doing: String,
}

impl Locked {
    /// Who holds the Lease, or has held it last without giving it back.
    pub fn holder(&self) -> Option<&Tenure> {
        self.lease.as_ref()?.tenure.as_ref()
    }

    /// What is done under the lock, as far as that is recorded.
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// Whether the holder of the Lease may be at work: it is not known to be dead, and has renewed the
    /// Lease in time.
    pub fn is_held(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| !lease.is_over)
    }

    /// The revision that Helm has left pending, how far it had come, and until when it counts as under
    /// way.
    pub fn pending(&self) -> Option<(u32, Status, Timestamp)> {
        let (release, until) = self.pending.as_ref()?;
        Some((release.revision, release.info.status, *until))
    }

    /// Whether nothing does.
    pub fn is_free(&self) -> bool {
        self.lease.is_none() && self.pending.is_none()
    }
}

/// Reads what keeps others from changing a release, where Helm has this long for a revision.
///
/// # Errors
/// If there is neither a release nor a lock of that name, or they cannot be read.
pub async fn locked(session: &Session<'_>, patience: SignedDuration) -> Result<Locked, Error> {
    let lease = session.cluster.lease(lock::claim(session)).await?;
    let mut past = Past::read(session).await?;
    if past.entries.is_empty() && lease.is_none() {
        return Err(Error::no_release(session));
    }
    let until = past
        .newest()
        .zip(past.base.last())
        .and_then(|(entry, release)| lock::helms_until(entry, &release.info, patience));
    Ok(Locked {
        doing: lock::told(past.newest()),
        lease,
        pending: past.base.pop().zip(until),
    })
}

/// Takes that away: deletes the Lease, and records a revision that Helm has left pending as failed.
///
/// # Errors
/// If the Lease was renewed or taken since it was read, Helm has come to an end since, or a write fails.
pub async fn unlock(session: &Session<'_>, locked: Locked) -> Result<(), Error> {
    if let Some(left) = &locked.lease {
        let claim = lock::claim(session);
        session.cluster.delete_lease(claim, left).await?;
    }
    if let Some((mut release, _)) = locked.pending {
        let entries = session.store().history(session.release).await?;
        let newest = entries.last();
        let is_same = |entry: &Entry| {
            (entry.revision, entry.status) == (release.revision, release.info.status)
        };
        let overtaken = || Error::Overtaken {
            release: session.release.to_owned(),
        };
        if !newest.is_some_and(is_same) {
            return Err(overtaken());
        }
        release.info.description = format!("Unlocked while it was {}", release.info.status);
        release.info.status = Status::Failed;
        let store = session.store();
        match store.update(&mut release, (session.now)()).await {
            Err(error) if error.is_outdated() => return Err(overtaken()),
            updated => updated?,
        }
    }
    Ok(())
}
