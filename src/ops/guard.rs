//! What is asked before every write of a change: whether the lock still holds.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::stop::Wish;
use super::{Error, Session};
use crate::cluster::{Hold, Lease};

/// How long the last writes of a change, its outcome, wait for a lock that is uncertain.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Lets a change write while its lock holds.
#[derive(Clone)]
pub(super) struct Guard<'a> {
    release: &'a str,
    /// None where nothing is written.
    hold: Option<Hold<'a>>,
    /// When everything has to be done.
    pub(super) deadline: Instant,
    /// When nothing is to be begun or waited for any more.
    pub(super) stop: Wish,
}

impl<'a> Guard<'a> {
    /// Guards what is done under a lock, for which there is this much time.
    pub(super) fn of(session: &Session<'a>, lease: &Lease<'a>, time: Duration) -> Self {
        Self {
            hold: Some(lease.hold()),
            ..Self::without_lock(session, time)
        }
    }

    /// Guards what takes a request or two, which nobody stops in order.
    pub(super) fn of_few(session: &Session<'a>, lease: &Lease<'a>) -> Self {
        let session = Session {
            stop: None,
            ..*session
        };
        Self::of(&session, lease, GRACE)
    }

    /// Lets everything pass: for what writes nothing.
    pub(super) fn without_lock(session: &Session<'a>, time: Duration) -> Self {
        Self {
            release: session.release,
            hold: None,
            deadline: Instant::now() + time,
            stop: Wish::of(session.stop),
        }
    }

    /// The same for what comes after the change, whether that was to stop or not, and for which there is this
    /// much time.
    pub(super) fn beyond(&self, time: Duration) -> Self {
        Self {
            deadline: Instant::now() + time,
            stop: Wish::of(None),
            ..self.clone()
        }
    }

    /// How much time there is left.
    pub(super) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Passes at once while the lock was renewed a short time ago. Otherwise, be it that the API server does
    /// not answer or that this process was stopped, waits until it is renewed.
    ///
    /// # Errors
    /// If it is not renewed in time, or the change is to stop before.
    pub(super) async fn pass(&self) -> Result<(), Error> {
        let Some(hold) = self.hold.as_ref().filter(|hold| !hold.is_fresh()) else {
            return Ok(());
        };
        let renewed = async {
            let renewed = timeout(self.time_left(), hold.renewed()).await;
            renewed.map_err(|_| self.stalled())
        };
        self.stop.or(renewed).await
    }

    /// Checks that the lock is held for certain: somebody may have taken it away since it was renewed last.
    ///
    /// # Errors
    /// As [`pass`](Self::pass), and if the lock is lost.
    pub(super) async fn prove(&self) -> Result<(), Error> {
        self.pass().await?;
        let Some(hold) = &self.hold else {
            return Ok(());
        };
        match hold.lost().await {
            Ok(None) => Ok(()),
            Ok(Some(source)) => Err(Error::Lost {
                release: self.release.to_owned(),
                source,
            }),
            Err(_) => Err(self.stalled()),
        }
    }

    /// The error of a lock that is not renewed in time.
    pub(super) fn stalled(&self) -> Error {
        Error::Stalled {
            release: self.release.to_owned(),
        }
    }
}
