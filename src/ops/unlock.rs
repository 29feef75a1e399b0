//! `unlock`: taking away what keeps others from changing a release.

use jiff::{SignedDuration, Timestamp};

use super::prepare::Past;
use super::{Error, Session, lock, reread};
use crate::cluster::{Left, Tenure};
use crate::history::{self, Entry};
use crate::release::{Release, Status};

/// What keeps others from changing a release.
#[derive(Debug)]
pub struct Locked {
    /// The Lease of the release.
    lease: Option<Left>,
    /// What Helm has left pending.
    pending: Option<Pending>,
    /// What is done under the lock.
    doing: String,
}

/// A revision that Helm has left pending.
#[derive(Debug)]
struct Pending {
    entry: Entry,
    /// The whole of it, and until when it counts as under way; none where its payload cannot be read.
    whole: Option<(Release, Timestamp)>,
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
    /// way; one whose record cannot be read does not.
    pub fn pending(&self) -> Option<(u32, Status, Option<Timestamp>)> {
        let Pending { entry, whole } = self.pending.as_ref()?;
        let until = whole.as_ref().map(|(_, until)| *until);
        Some((entry.revision, entry.status, until))
    }

    /// Whether nothing does.
    pub fn is_free(&self) -> bool {
        self.lease.is_none() && self.pending.is_none()
    }
}

/// Reads what keeps others from changing a release, where Helm has this long for a revision. No payload is
/// read but that of what Helm has left pending, which need not be legible.
///
/// # Errors
/// If there is neither a release nor a lock of that name, or they cannot be read.
pub async fn locked(session: &Session<'_>, patience: SignedDuration) -> Result<Locked, Error> {
    let lease = session.cluster.lease(lock::claim(session)).await?;
    let (past, pending) = reread::steadily(async || {
        let past = Past::listed(session).await?;
        let pending = pending(session, past.newest(), patience).await?;
        Ok((past, pending))
    })
    .await?;
    if past.entries.is_empty() && lease.is_none() {
        return Err(Error::no_release(session));
    }
    Ok(Locked {
        doing: lock::told(past.newest()),
        lease,
        pending,
    })
}

/// What Helm has left pending, if it has.
async fn pending(
    session: &Session<'_>,
    newest: Option<&Entry>,
    patience: SignedDuration,
) -> Result<Option<Pending>, Error> {
    let is_helms = |entry: &&Entry| entry.status.is_pending() && entry.summary.is_none();
    let Some(entry) = newest.filter(is_helms) else {
        return Ok(None);
    };
    let whole = match session.store().read(entry).await {
        Ok(release) => match lock::helms_until(entry, &release.info, patience) {
            Some(until) => Some((release, until)),
            None => return Ok(None),
        },
        Err(history::Error::Decode { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let entry = entry.clone();
    Ok(Some(Pending { entry, whole }))
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
    let Some(Pending { entry, whole }) = locked.pending else {
        return Ok(());
    };
    let store = session.store();
    let entries = store.history(session.release).await?;
    let overtaken = || Error::Overtaken {
        release: session.release.to_owned(),
    };
    let is_same =
        |newest: &Entry| (newest.revision, newest.status) == (entry.revision, entry.status);
    if !entries.last().is_some_and(is_same) {
        return Err(overtaken());
    }
    let now = (session.now)();
    let written = match whole {
        Some((mut release, _)) => {
            release.info.description = format!("Unlocked while it was {}", release.info.status);
            release.info.status = Status::Failed;
            store.update(&mut release, now).await
        }
        None => store.mark(&entry, Status::Failed, now).await,
    };
    match written {
        Err(error) if error.is_outdated() => return Err(overtaken()),
        written => written?,
    }
    Ok(())
}
