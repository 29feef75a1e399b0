//! Whether a Lease that is being kept holds at this very moment.
//!
//! A renewal is a moment by two clocks, of which the one by which more time has gone since counts: that of
//! the day may be set back, and the other one may stand still while the machine sleeps. So a process that was
//! stopped or suspended for long does not take its Lease for held when it goes on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::{Claim, Lost, Tenure, at, kind};
use crate::cluster::{Cluster, Error};

/// How long after the last renewal a holder that cannot renew counts as one no more.
const GIVE_UP: Duration = Duration::from_secs(25);

/// When a Lease was renewed last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renewal {
    time: Timestamp,
    at: Instant,
}

impl Renewal {
    /// A renewal of this moment, which is `time` by the own clock.
    pub(super) fn of(time: Timestamp) -> Self {
        Self {
            time,
            at: Instant::now(),
        }
    }

    /// For how long the Lease holds after all without another one.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        let gone = Duration::try_from(now.duration_since(self.time)).unwrap_or_default();
        GIVE_UP.saturating_sub(gone.max(self.at.elapsed()))
    }
}

/// What tells whether a Lease is held, while it is being kept.
#[derive(Clone)]
pub struct Hold<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) claim: Claim<'a>,
    pub(super) acquired: Timestamp,
    pub(super) renewed: watch::Receiver<Renewal>,
    /// Asks whoever keeps the Lease to renew it at once.
    pub(super) wanted: Arc<Notify>,
}

impl Hold<'_> {
    /// Whether the Lease was renewed so short a time ago that nobody can have taken it over, which asks
    /// nobody.
    pub fn is_fresh(&self) -> bool {
        is_fresh(*self.renewed.borrow(), self.claim)
    }

    /// Waits until the Lease is fresh; one that is not is renewed at once.
    pub async fn renewed(&self) {
        let mut renewed = self.renewed.clone();
        loop {
            let last = *renewed.borrow_and_update();
            if is_fresh(last, self.claim) {
                return;
            }
            self.wanted.notify_one();
            if renewed.changed().await.is_err() {
                // Nobody keeps it any more.
                return std::future::pending().await;
            }
        }
    }

    /// Reads the Lease, and tells why it is held no longer; none if it is. One that cannot be read is held
    /// as long as it is fresh.
    ///
    /// # Errors
    /// If it cannot be read, and was renewed too long ago.
    pub async fn lost(&self) -> Result<Option<Lost>, Error> {
        let (kind, name) = (kind(), self.claim.name());
        let address = at(&kind, self.claim.namespace, &name);
        let live = match self.cluster.get(&address).await {
            Err(_) if self.is_fresh() => return Ok(None),
            live => live?,
        };
        Ok(match live.as_ref().and_then(Tenure::of) {
            Some(tenure) if self.claim.is_own(&tenure, self.acquired) => None,
            Some(Tenure { holder, .. }) => Some(Lost::Taken { holder }),
            None => Some(Lost::Deleted),
        })
    }
}

fn is_fresh(last: Renewal, claim: Claim<'_>) -> bool {
    !last.left((claim.now)()).is_zero()
}
