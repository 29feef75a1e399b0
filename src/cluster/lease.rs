//! Locks of releases: one `coordination.k8s.io/v1` Lease for each release that is being changed.
//!
//! A [`Claim`] comes in; the [`Lease`], or the [`Tenure`] of somebody else who holds it, goes out.
//! A Lease is renewed while its holder works, and deleted at the end. One that is over is taken
//! over by an update that holds only for the version that was read, so that exactly one wins.
//!
//! Whether a Lease is over is counted from the `renewTime` that its holder wrote. Both are times of the API
//! server's clock as far as that is known from its answers, and else of the own one: it is renewed three times
//! within its duration, so clocks that differ by up to 20 s do no harm. A holder that has not renewed its Lease until 5 s before that is over does not count
//! as one, whatever has kept it from doing so, and does again when a renewal succeeds, which shows that nobody
//! has taken it over meanwhile: its [`Hold`] is asked before every write. What is under way by then is left
//! to the preconditions of each write. A Lease from a clock that is far ahead holds for as much longer.

mod hold;
mod left;
mod tenure;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

pub use hold::Hold;
use hold::Renewal;
pub use left::Left;
use tenure::DURATION;
pub use tenure::Tenure;

use super::deletion::{Deletion, Precondition};
use super::path::Address;
use super::resource::Write;
use super::{Cluster, Error};
use crate::capabilities::Kind;

/// The label that names the release.
const LABEL: &str = "pintle.dev/release";
/// The field manager of what is pintle's alone.
const MANAGER: &str = "pintle";
/// By how much the own clock has to differ from an API server's to count for nothing: API servers that differ as
/// much do not trust each other's tokens.
const WRONG: SignedDuration = SignedDuration::from_mins(5);
/// How long after one renewal the next one follows.
const PERIOD: Duration = Duration::from_secs(10);
/// How long one try to renew may take.
const TRY: Duration = Duration::from_secs(5);
/// The pause before a renewal that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a race with others for the same Lease is run again.
const RACES: usize = 8;

/// Who takes a Lease, and who of the others is dead for certain.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// What the holder calls itself; people read it, and no other process is called so.
    pub identity: &'a str,
    /// Tells from the identity of a holder that it is a process that has ended. Where that cannot
    /// be known it is false, and the Lease's own end decides.
    pub is_dead: fn(&str) -> bool,
}

/// The wish to be the only one who changes a release.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The namespace of the release.
    pub namespace: &'a str,
    /// The release.
    pub release: &'a str,
    /// Who wishes it.
    pub holder: Holder<'a>,
    /// The clock that renewals are told by.
    pub now: fn() -> Timestamp,
}

/// What came of a [`Claim`].
pub enum Taking<'a> {
    /// The Lease is the claimant's, until it is released or lost.
    Taken(Lease<'a>),
    /// Somebody else has it.
    Held(Tenure),
}

/// A Lease that is held.
pub struct Lease<'a> {
    cluster: &'a Cluster,
    claim: Claim<'a>,
    live: Value,
    acquired: Timestamp,
    renewed: watch::Sender<Renewal>,
    /// Where it is asked for a renewal before its turn.
    wanted: Arc<Notify>,
    before: Option<Tenure>,
}

/// Why a Lease is no longer held.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another holds it now.
    #[error("{holder} has taken it over")]
    Taken {
        /// The holder, as it calls itself.
        holder: String,
    },
    /// It does not exist any more.
    #[error("its Lease was deleted")]
    Deleted,
}

/// Why one try to renew failed.
enum Refused {
    ForGood(Lost),
    ForNow(Error),
}

impl Claim<'_> {
    /// The name of the Lease. With at most 53 characters in the name of a release, it is a DNS
    /// subdomain as well.
    pub fn name(&self) -> String {
        format!("pintle.{}", self.release)
    }

    /// Whether a Lease is over by the clock of the API server, and by the own one unless that is wrong: API
    /// servers of one cluster, which answer in turn, may differ as well.
    fn is_over(&self, cluster: &Cluster, tenure: &Tenure) -> bool {
        let own = (self.now)();
        let theirs = cluster.clock.at(own);
        let is_wrong = own.duration_since(theirs).abs() > WRONG;
        let is_dead = self.holder.is_dead;
        tenure.is_over(theirs, is_dead) && (is_wrong || tenure.is_over(own, is_dead))
    }

    /// Whether `tenure` is this claim's, taken at `acquired`.
    fn is_own(&self, tenure: &Tenure, acquired: Timestamp) -> bool {
        tenure.holder == self.holder.identity && tenure.since == Some(acquired)
    }

    /// The Lease as this claim wants it, made of what is there.
    fn body(&self, live: Option<&Value>, (acquired, renewed): (Timestamp, Timestamp)) -> Value {
        let mut body = live.cloned().unwrap_or_else(|| {
            json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self.name(), "namespace": self.namespace},
            })
        });
        body["metadata"]["labels"][LABEL] = self.release.into();
        body["spec"]["holderIdentity"] = self.holder.identity.into();
        body["spec"]["leaseDurationSeconds"] = DURATION.as_secs().into();
        body["spec"]["acquireTime"] = format!("{acquired:.6}").into();
        body["spec"]["renewTime"] = format!("{renewed:.6}").into();
        body
    }
}

impl Cluster {
    /// Takes the Lease of a release: creates it, or takes over one that is over.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the namespace does not exist, and any other refusal.
    pub async fn take_lease<'a>(&'a self, claim: Claim<'a>) -> Result<Taking<'a>, Error> {
        let acquired = self.lease_time((claim.now)());
        for _ in 0..RACES {
            if let Some(taking) = self.try_to_take(claim, acquired).await? {
                return Ok(taking);
            }
        }
        Err(Error::Conflict {
            verb: "update",
            what: format!("Lease {} in namespace {}", claim.name(), claim.namespace),
            fields: vec![],
            detail: None,
        })
    }

    /// A time of the own clock as Leases have it: by that of the API server, to the microsecond.
    fn lease_time(&self, own: Timestamp) -> Timestamp {
        let time = self.clock.at(own);
        Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
    }

    /// One round for a Lease; none if others were faster and it has to be looked at again.
    async fn try_to_take<'a>(
        &'a self,
        claim: Claim<'a>,
        acquired: Timestamp,
    ) -> Result<Option<Taking<'a>>, Error> {
        let (kind, name) = (kind(), claim.name());
        let at = at(&kind, claim.namespace, &name);
        let now = (claim.now)();
        let (renewed, renewal) = (self.lease_time(now), Renewal::of(now));
        let taken = |live: Value, before: Option<Tenure>| {
            Some(Taking::Taken(Lease {
                cluster: self,
                claim,
                live,
                acquired,
                renewed: watch::Sender::new(renewal),
                wanted: Arc::default(),
                before,
            }))
        };
        let body = claim.body(None, (acquired, renewed));
        match self.create(&at, &body, Write::by(MANAGER)).await {
            Err(error) if error.is_already_exists() => {}
            created => return Ok(taken(created?.live, None)),
        }
        let Some(live) = self.get(&at).await? else {
            return Ok(None);
        };
        let before = Tenure::of(&live).filter(|tenure| !claim.is_own(tenure, acquired));
        if let Some(tenure) = &before
            && !claim.is_over(self, tenure)
        {
            return Ok(Some(Taking::Held(tenure.clone())));
        }
        let body = claim.body(Some(&live), (acquired, renewed));
        match self.replace(&at, &body, Write::by(MANAGER)).await {
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(None),
            replaced => Ok(taken(replaced?.live, before)),
        }
    }

    /// Tells who holds the Lease of a release; none if it could be taken.
    ///
    /// # Errors
    /// Any refusal.
    pub async fn lease_holder(&self, claim: Claim<'_>) -> Result<Option<Tenure>, Error> {
        let left = self.lease(claim).await?;
        Ok(left
            .filter(|left| !left.is_over)
            .and_then(|left| left.tenure))
    }
}

impl Lease<'_> {
    /// Who held it before and never gave it back.
    pub fn before(&self) -> Option<&Tenure> {
        self.before.as_ref()
    }

    /// Renews the Lease every 10 s, and when it is asked for, until it is lost. May be dropped at any time.
    pub async fn keep(&mut self) -> Lost {
        loop {
            let _ = timeout(PERIOD, self.wanted.notified()).await;
            if let Err(lost) = self.renew().await {
                return lost;
            }
        }
    }

    async fn renew(&mut self) -> Result<(), Lost> {
        loop {
            // As long as it holds it is looked at in time; afterwards a try may take all that it may.
            let left = Some(self.left()).filter(|left| !left.is_zero());
            let (limit, pause) = left.map_or((TRY, PAUSE), |left| (TRY.min(left), PAUSE.min(left)));
            match timeout(limit, self.try_to_renew()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(Refused::ForGood(lost))) => return Err(lost),
                // It is tried for as long as the work goes on, which has a time limit of its own.
                Ok(Err(Refused::ForNow(_))) | Err(_) => {}
            }
            sleep(pause).await;
        }
    }

    /// For how long it holds after all without being renewed.
    fn left(&self) -> Duration {
        self.renewed.borrow().left((self.claim.now)())
    }

    async fn try_to_renew(&mut self) -> Result<(), Refused> {
        let (kind, name) = (kind(), self.claim.name());
        let at = at(&kind, self.claim.namespace, &name);
        loop {
            let now = (self.claim.now)();
            let (renewed, renewal) = (self.cluster.lease_time(now), Renewal::of(now));
            let body = self.claim.body(Some(&self.live), (self.acquired, renewed));
            match self.cluster.replace(&at, &body, Write::by(MANAGER)).await {
                Ok(written) => {
                    self.live = written.live;
                    self.renewed.send_replace(renewal);
                    return Ok(());
                }
                Err(error) if error.is_conflict() || error.is_not_found() => self.reread().await?,
                Err(error) => return Err(Refused::ForNow(error)),
            }
        }
    }

    /// Reads the Lease after somebody has written to it, be it this process by a request whose
    /// answer was lost.
    async fn reread(&mut self) -> Result<(), Refused> {
        let (kind, name) = (kind(), self.claim.name());
        let at = at(&kind, self.claim.namespace, &name);
        let live = self.cluster.get(&at).await.map_err(Refused::ForNow)?;
        let Some(live) = live else {
            return Err(Refused::ForGood(Lost::Deleted));
        };
        match Tenure::of(&live) {
            Some(tenure) if self.claim.is_own(&tenure, self.acquired) => {
                self.live = live;
                Ok(())
            }
            Some(Tenure { holder, .. }) => Err(Refused::ForGood(Lost::Taken { holder })),
            None => Err(Refused::ForGood(Lost::Deleted)),
        }
    }

    /// Gives the Lease back. One that is not this holder's any more is left alone.
    ///
    /// # Errors
    /// If it cannot be deleted: then it ends by itself.
    pub async fn release(mut self) -> Result<(), Error> {
        let (kind, name) = (kind(), self.claim.name());
        let at = at(&kind, self.claim.namespace, &name);
        loop {
            let live = self.live.clone();
            let text = |field: &str| live["metadata"][field].as_str();
            let only_if = Precondition {
                uid: text("uid"),
                resource_version: text("resourceVersion"),
            };
            let how = Deletion {
                only_if,
                ..Deletion::default()
            };
            match self.cluster.delete(&at, how).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) if error.is_conflict() => match self.reread().await {
                    Ok(()) => {}
                    Err(Refused::ForGood(_)) => return Ok(()),
                    Err(Refused::ForNow(error)) => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }
}

impl<'a> Lease<'a> {
    /// What tells whether the Lease is held, while it is being kept.
    pub fn hold(&self) -> Hold<'a> {
        Hold {
            cluster: self.cluster,
            claim: self.claim,
            acquired: self.acquired,
            renewed: self.renewed.subscribe(),
            wanted: Arc::clone(&self.wanted),
        }
    }
}

/// The kind of locks.
pub fn kind() -> Kind {
    Kind {
        group: "coordination.k8s.io".to_owned(),
        ..Kind::core("Lease", "leases")
    }
}

fn at<'a>(kind: &'a Kind, namespace: &'a str, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: Some(namespace),
        name,
    }
}

#[cfg(test)]
mod tests;
