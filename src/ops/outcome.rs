//! The record of a change: its beginning and its end.

use futures::{TryStreamExt, stream};

use super::guard::Guard;
use super::ledger::Ledger;
use super::prepare::Past;
use super::{Change, Error, History, Session, failure};
use crate::history::{self, Entry};
use crate::release::{Release, Status};
use crate::render::Operation;

/// How many records are deleted at once.
const CONCURRENCY: usize = 16;
/// The longest description that a record gets, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// Records the pending revision, which locks the release, and gives the uid of its record; an uninstallation
/// marks the newest one.
pub(super) async fn begin(
    session: &Session<'_>,
    change: &mut Change,
    guard: &Guard<'_>,
) -> Result<Option<String>, Error> {
    let release = &mut change.release;
    if release.info.status == Status::Uninstalling {
        Ledger { session, guard }.update(release).await?;
        return Ok(None);
    }
    guard.pass().await?;
    let uid = session.store().create(release, (session.now)()).await?;
    Ok(Some(uid))
}

/// Stores what the record that was begun has too much of.
pub(super) async fn keep_sources(
    session: &Session<'_>,
    change: &Change,
    (record, guard): (Option<&str>, &Guard<'_>),
) -> Result<(), Error> {
    if let Some(uid) = record {
        guard.pass().await?;
        let store = session.store();
        store
            .keep_sources(&change.release, &change.sources, uid)
            .await?;
    }
    Ok(())
}

/// Records that the change succeeded, and what that means for the other revisions.
pub(super) async fn succeed(
    ledger: Ledger<'_>,
    change: Change,
    history_max: usize,
) -> Result<Release, Error> {
    let Change {
        mut release,
        mut past,
        completed,
        terms,
        ..
    } = change;
    release.info.description = completed;
    if release.info.status == Status::Uninstalling {
        release.info.status = Status::Uninstalled;
        if terms.recording.history == History::Keep {
            keep(ledger, &mut release, &past).await?;
        } else {
            delete_all(ledger, &past.entries).await?;
        }
        return Ok(release);
    }
    release.info.status = Status::Deployed;
    // The new revision first: between the two writes Helm takes the newer of two deployed ones,
    // while it would refuse to work with none.
    ledger.update(&mut release).await?;
    for previous in &mut past.base {
        retire(ledger, previous, release.revision).await?;
    }
    tidy(ledger, &past, release.revision).await?;
    prune(ledger, &past.entries, history_max).await?;
    Ok(release)
}

/// The revisions before the base that the new one follows: those that are unfinished or deployed,
/// because a change ended between its last writes, and one that was uninstalled and is installed anew.
fn left(past: &Past) -> impl Iterator<Item = &Entry> {
    let is_base = |entry: &Entry| {
        let mut base = past.base.iter();
        base.any(|release| release.revision == entry.revision)
    };
    let is_left = |entry: &&Entry| match entry.status {
        Status::Deployed => true,
        Status::Uninstalled => past.operation == Operation::Install,
        status => status.is_pending(),
    };
    let left = past.entries.iter().filter(is_left);
    left.filter(move |entry| !is_base(entry))
}

/// Whether there are such.
pub(super) fn is_untidy(past: &Past) -> bool {
    left(past).next().is_some()
}

/// Gives them their final status; `successor` is the revision that counts.
pub(super) async fn tidy(ledger: Ledger<'_>, past: &Past, successor: u32) -> Result<(), Error> {
    for entry in left(past) {
        let mut previous = ledger.session.store().read(entry).await?;
        retire(ledger, &mut previous, successor).await?;
    }
    Ok(())
}

/// Records why the change failed.
pub(super) async fn fail(
    ledger: Ledger<'_>,
    change: Change,
    error: &Error,
) -> Result<Release, Error> {
    let mut release = change.release;
    release.info.status = Status::Failed;
    release.info.description = told(error).chars().take(MAX_DESCRIPTION).collect();
    let recorded = release.record_failure(&failure::of(ledger.session, &release, error));
    recorded.map_err(|source| history::Error::Encode { source })?;
    ledger.update(&mut release).await?;
    Ok(release)
}

/// An error and its causes in one line.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// Gives a revision that the new one follows its final status.
async fn retire(ledger: Ledger<'_>, previous: &mut Release, successor: u32) -> Result<(), Error> {
    match previous.info.status {
        Status::Deployed => previous.info.status = Status::Superseded,
        Status::Uninstalled => {
            previous.info.status = Status::Superseded;
            "superseded by new release".clone_into(&mut previous.info.description);
        }
        status if status.is_pending() => {
            previous.info.status = Status::Failed;
            previous.info.description = format!("Interrupted; followed by revision {successor}");
        }
        _ => return Ok(()),
    }
    ledger.update(previous).await
}

/// Deletes the oldest records so that `history_max` stay, the new one included.
async fn prune(ledger: Ledger<'_>, older: &[Entry], history_max: usize) -> Result<(), Error> {
    let excess = match history_max {
        0 => 0,
        max => (older.len() + 1).saturating_sub(max).min(older.len()),
    };
    delete(ledger, &older[..excess]).await
}

/// Records that a release is uninstalled, and keeps its history: no revision is deployed any more.
async fn keep(ledger: Ledger<'_>, release: &mut Release, past: &Past) -> Result<(), Error> {
    ledger.update(release).await?;
    for entry in &past.entries {
        let is_followed = entry.status == Status::Deployed || entry.status.is_pending();
        if is_followed && entry.revision != release.revision {
            let mut previous = ledger.session.store().read(entry).await?;
            retire(ledger, &mut previous, release.revision).await?;
        }
    }
    Ok(())
}

/// Deletes all records of a release, the newest last: as long as it stands, the next command sees an
/// uninstallation that is not finished.
pub(super) async fn delete_all(ledger: Ledger<'_>, entries: &[Entry]) -> Result<(), Error> {
    if let Some((newest, older)) = entries.split_last() {
        delete(ledger, older).await?;
        ledger.delete(newest).await?;
    }
    Ok(())
}

async fn delete(ledger: Ledger<'_>, entries: &[Entry]) -> Result<(), Error> {
    let each = stream::iter(entries.iter().map(Ok));
    each.try_for_each_concurrent(CONCURRENCY, |entry| ledger.delete(entry))
        .await
}
