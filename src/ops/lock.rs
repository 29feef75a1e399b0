//! The lock of a release: who may change it now, and what an unfinished change means.
//!
//! Among pintles the Lease of the release decides. Helm takes none: a revision that it left pending
//! counts as under way for a while, then as abandoned. One that pintle wrote last is known by its
//! summary, which Helm drops whenever it writes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::prepare::Past;
use super::{Error, Session};
use crate::cluster::{Claim, Lease, Lost, Taking, Tenure};
use crate::event::Event;
use crate::history::Entry;
use crate::release::{Info, Status};

/// The first pause before a lock that is held is looked at again; it doubles each time.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Takes the lock, or tells who has it.
pub(super) async fn take<'a>(
    session: &Session<'a>,
    on: &mut dyn FnMut(Event),
) -> Result<Lease<'a>, Error> {
    match session.cluster.take_lease(claim(session)).await? {
        Taking::Held(tenure) => Err(held(session, tenure).await),
        Taking::Taken(lease) => {
            if let Some(tenure) = lease.before() {
                on(Event::TakenOver {
                    holder: tenure.holder.clone(),
                });
            }
            Ok(lease)
        }
    }
}

/// Waits a moment, and then until nobody holds the release or `deadline` comes. Helm, which holds no lock,
/// has until `helms` for a revision that it has left pending.
///
/// A Lease is watched. Where that may not be done, and for Helm, it is looked again after pauses that grow.
///
/// # Errors
/// If the Lease or the records cannot be read.
pub async fn wait(
    session: &Session<'_>,
    (deadline, helms): (Instant, Option<Timestamp>),
    on: &mut dyn FnMut(Event),
) -> Result<(), Error> {
    let mut told = None;
    let mut pause = PAUSE;
    let mut may_watch = true;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
        let tenure = session.cluster.lease_holder(claim(session)).await?;
        let (holder, since) = match &tenure {
            Some(tenure) => (tenure.holder.clone(), tenure.since),
            None if is_with_helm(session, helms).await? => ("Helm".to_owned(), None),
            None => return Ok(()),
        };
        if told.as_ref() != Some(&holder) {
            on(Event::Locked {
                holder: holder.clone(),
                since,
                doing: doing(session).await,
            });
            told = Some(holder);
        }
        if left.is_zero() {
            return Ok(());
        }
        if let Some(tenure) = tenure.filter(|_| may_watch) {
            let turn = session
                .cluster
                .lease_turn(claim(session), &tenure, deadline);
            match turn.await {
                Err(error) if error.is_forbidden() => may_watch = false,
                waited => {
                    waited?;
                    pause = Duration::ZERO;
                }
            }
        }
    }
}

/// Whether Helm may still be at work on the newest revision.
async fn is_with_helm(session: &Session<'_>, until: Option<Timestamp>) -> Result<bool, Error> {
    if until.is_none_or(|until| until <= (session.now)()) {
        return Ok(false);
    }
    let entries = session.store().history(session.release).await?;
    let newest = entries.last();
    Ok(newest.is_some_and(|entry| entry.status.is_pending() && entry.summary.is_none()))
}

/// What is done to the release, as far as that can be read.
async fn doing(session: &Session<'_>) -> String {
    let entries = session.store().history(session.release).await;
    told(entries.unwrap_or_default().last())
}

/// What is done to a release with this newest revision.
pub(super) fn told(newest: Option<&Entry>) -> String {
    let newest = newest.map(|entry| (entry.status, entry.revision));
    let (status, revision) = newest.unwrap_or((Status::Unknown, 0));
    status.doing(revision)
}

/// Gives the lock back. That fails without harm: it ends by itself.
pub(super) async fn release(lease: Lease<'_>, on: &mut dyn FnMut(Event)) {
    if let Err(error) = lease.release().await {
        on(Event::Unreleased {
            reason: error.to_string(),
        });
    }
}

/// Takes away what a process that ended has left of the lock of a release that is gone.
pub(super) async fn sweep(session: &Session<'_>) -> Result<(), Error> {
    let claim = claim(session);
    match session.cluster.lease(claim).await? {
        Some(left) if left.is_over => Ok(session.cluster.delete_lease(claim, &left).await?),
        _ => Ok(()),
    }
}

/// Checks, under the lock, that the release is still as it was when the change was planned.
pub(super) async fn confirm(session: &Session<'_>, past: &Past) -> Result<(), Error> {
    let entries = session.store().history(session.release).await?;
    if entries == past.entries {
        return Ok(());
    }
    Err(Error::Overtaken {
        release: session.release.to_owned(),
    })
}

/// Refuses a change that was planned while another one was under way, even if that has ended since.
pub(super) async fn refuse_other(session: &Session<'_>, past: &Past) -> Result<(), Error> {
    match &past.other {
        None => Ok(()),
        Some(tenure) => Err(held(session, tenure.clone()).await),
    }
}

/// Who works on the newest of `entries`, if that is a pending revision of pintle.
pub(super) async fn other(
    session: &Session<'_>,
    entries: &[Entry],
) -> Result<Option<Tenure>, Error> {
    match entries.last() {
        Some(entry) if entry.status.is_pending() && entry.summary.is_some() => {
            Ok(session.cluster.lease_holder(claim(session)).await?)
        }
        _ => Ok(None),
    }
}

/// Refuses to change a release that Helm may be changing.
pub(super) fn refuse_helm(
    session: &Session<'_>,
    past: &Past,
    patience: SignedDuration,
) -> Result<(), Error> {
    let (Some(entry), Some(release)) = (past.newest(), past.base.last()) else {
        return Ok(());
    };
    match helms_until(entry, &release.info, patience) {
        Some(until) if (session.now)() < until => Err(Error::Pending {
            release: session.release.to_owned(),
            revision: entry.revision,
            status: entry.status,
            until,
        }),
        _ => Ok(()),
    }
}

/// When a revision counts as abandoned by Helm; none if Helm has left nothing pending.
pub(super) fn helms_until(
    entry: &Entry,
    info: &Info,
    patience: SignedDuration,
) -> Option<Timestamp> {
    if !entry.status.is_pending() || entry.summary.is_some() {
        return None;
    }
    let begun = info.last_deployed.max(info.deleted)?;
    // What is longer than there is time is for ever.
    Some(begun.checked_add(patience).unwrap_or(Timestamp::MAX))
}

/// Does something under a lock that is renewed meanwhile, and no longer than until it is lost.
pub(super) async fn keep<T>(
    session: &Session<'_>,
    lease: &mut Lease<'_>,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        source = lease.keep() => Err(lost(session, source)),
    }
}

/// The error of a lock that was lost while the change was under way.
fn lost(session: &Session<'_>, source: Lost) -> Error {
    Error::Lost {
        release: session.release.to_owned(),
        source,
    }
}

async fn held(session: &Session<'_>, tenure: Tenure) -> Error {
    Error::Held {
        doing: doing(session).await,
        release: session.release.to_owned(),
        holder: tenure.holder,
        since: tenure.since,
    }
}

pub(super) fn claim<'a>(session: &Session<'a>) -> Claim<'a> {
    Claim {
        namespace: session.namespace,
        release: session.release,
        holder: session.holder,
        now: session.now,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::history::Summary;
    use crate::release::Status;

    /// Checks until when Helm may be at work on a revision in this status, with or without
    /// pintle's summary, that was begun and deleted at these times.
    #[track_caller]
    fn check(
        (status, summary): (Status, Option<Summary>),
        (begun, deleted): (&str, &str),
        expected: &str,
    ) {
        let entry = Entry {
            name: "web".to_owned(),
            namespace: "shop".to_owned(),
            revision: 2,
            status,
            secret: "sh.helm.release.v1.web.v2".to_owned(),
            version: "7".to_owned(),
            labels: BTreeMap::new(),
            summary,
        };
        let info = Info {
            last_deployed: begun.parse().ok(),
            deleted: deleted.parse().ok(),
            ..Info::default()
        };
        let until = helms_until(&entry, &info, SignedDuration::from_mins(10));
        let found = until.map_or(String::new(), |until| until.to_string());
        assert_eq!(found, expected, "{status} {begun} {deleted}");
    }

    #[test]
    fn helm_is_given_time_for_what_it_left_pending() {
        let (ten, later) = ("2026-11-21T10:00:00Z", "2026-11-21T10:10:00Z");
        for status in [
            Status::PendingInstall,
            Status::PendingUpgrade,
            Status::PendingRollback,
        ] {
            check((status, None), (ten, ""), later);
            check((status, Some(Summary::default())), (ten, ""), "");
        }
        for status in [Status::Deployed, Status::Failed, Status::Superseded] {
            check((status, None), (ten, ""), "");
        }
        let leaving = (Status::Uninstalling, None);
        check(leaving, ("2026-11-01T10:00:00Z", ten), later);
        check((Status::PendingUpgrade, None), ("", ""), "");
    }
}
