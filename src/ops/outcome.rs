//! The record of a change: its beginning and its end.

use futures::{TryStreamExt, stream};

use super::guard::Guard;
use super::ledger::Ledger;
use super::prepare::Past;
use super::rights::Records;
use super::{Change, Error, History, Session, Terms, failure};
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

/// What a change that begins with this status does to the records in the end.
pub(super) fn records(begun: Status, older: &[Entry], terms: &Terms) -> Records {
    let recording = &terms.recording;
    let deletes = match begun {
        Status::Uninstalling => recording.history == History::Delete,
        _ => excess(older, recording.history_max) > 0,
    };
    if deletes {
        Records::Replaced
    } else {
        Records::Written
    }
}

/// Records that the change succeeded, and what that means for the other revisions.
pub(super) async fn succeed(ledger: Ledger<'_>, change: Change) -> Result<Release, Error> {
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
    let pruned = pruned(&past.entries, terms.recording.history_max);
    delete(ledger, pruned).await?;
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
        retire_stored(ledger, entry, successor).await?;
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
    let begun = release.info.status;
    release.info.status = Status::Failed;
    release.info.description = told(error).chars().take(MAX_DESCRIPTION).collect();
    let recorded = release.record_failure(&failure::of(ledger.session, &release, error));
    recorded.map_err(|source| history::Error::Encode { source })?;
    ledger.update(&mut release).await?;
    if begun != Status::Uninstalling && !ledger.guard.stop.is_there() {
        let target = release.info.rollback_revision;
        let max = change.terms.recording.history_max;
        let passed = passed((&change.past.entries, target), max);
        // That the change has failed is recorded, and the next one deletes what this one cannot.
        let _ = delete(ledger, passed).await;
    }
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

/// What a revision is once another one follows it; none if that makes no difference to it.
fn retired(status: Status) -> Option<Status> {
    match status {
        Status::Deployed | Status::Uninstalled => Some(Status::Superseded),
        status if status.is_pending() => Some(Status::Failed),
        _ => None,
    }
}

/// Gives a revision that the new one follows its final status.
async fn retire(ledger: Ledger<'_>, previous: &mut Release, successor: u32) -> Result<(), Error> {
    let Some(status) = retired(previous.info.status) else {
        return Ok(());
    };
    match previous.info.status {
        Status::Deployed => {}
        Status::Uninstalled => {
            "superseded by new release".clone_into(&mut previous.info.description);
        }
        _ => {
            previous.info.description = format!("Interrupted; followed by revision {successor}");
        }
    }
    previous.info.status = status;
    ledger.update(previous).await
}

/// The same for a revision that has not been read. Its labels have to do where its payload cannot be, and one
/// that has gone meanwhile needs no status.
async fn retire_stored(ledger: Ledger<'_>, entry: &Entry, successor: u32) -> Result<(), Error> {
    match ledger.session.store().read(entry).await {
        Ok(mut previous) => retire(ledger, &mut previous, successor).await,
        Err(history::Error::Gone { .. }) => Ok(()),
        Err(history::Error::Decode { .. }) => match retired(entry.status) {
            Some(status) => ledger.mark(entry, status).await,
            None => Ok(()),
        },
        Err(error) => Err(error.into()),
    }
}

/// How many of the oldest records are deleted so that `history_max` stay, the new one included.
fn excess(older: &[Entry], history_max: usize) -> usize {
    match history_max {
        0 => 0,
        max => (older.len() + 1).saturating_sub(max).min(older.len()),
    }
}

/// The records that are deleted behind a good revision: the oldest, and the one that can be gone back to last, as
/// Helm does.
fn pruned(older: &[Entry], history_max: usize) -> impl Iterator<Item = &Entry> {
    let good = history::deployed(older).map(|good| good.revision);
    let is_good = move |entry: &&Entry| Some(entry.revision) == good;
    let others = older.iter().filter(move |entry| !is_good(entry));
    let all = others.chain(older.iter().filter(is_good));
    all.take(excess(older, history_max))
}

/// The records that are deleted behind a revision that failed: the oldest, as far as the next change does not rest
/// on them, and without that which the failed one was to go back to: the same command goes there again.
fn passed(
    (older, target): (&[Entry], Option<u32>),
    history_max: usize,
) -> impl Iterator<Item = &Entry> {
    let before = older.len() - history::base(older).len();
    let before = older[..before].iter();
    let before = before.filter(move |entry| Some(entry.revision) != target);
    before.take(excess(older, history_max))
}

/// Records that a release is uninstalled, and keeps its history: no revision is deployed any more.
async fn keep(ledger: Ledger<'_>, release: &mut Release, past: &Past) -> Result<(), Error> {
    ledger.update(release).await?;
    for entry in &past.entries {
        let is_followed = entry.status == Status::Deployed || entry.status.is_pending();
        if is_followed && entry.revision != release.revision {
            retire_stored(ledger, entry, release.revision).await?;
        }
    }
    Ok(())
}

/// Deletes all records of a release, the newest last: as long as it stands, the next command sees an
/// uninstallation that is not finished.
pub(super) async fn delete_all(ledger: Ledger<'_>, entries: &[Entry]) -> Result<(), Error> {
    if let Some((newest, older)) = entries.split_last() {
        delete(ledger, older.iter()).await?;
        ledger.delete(newest).await?;
    }
    Ok(())
}

async fn delete<'a>(
    ledger: Ledger<'_>,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<(), Error> {
    let each = stream::iter(entries.map(Ok));
    each.try_for_each_concurrent(CONCURRENCY, |entry| ledger.delete(entry))
        .await
}
