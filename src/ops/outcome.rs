//! The record of a change: its beginning and its end.

use std::error::Error as _;

use futures::{TryStreamExt, stream};

use super::prepare::Past;
use super::{Change, Error, Session};
use crate::history::Entry;
use crate::release::{Release, Status};

/// How many records are deleted at once.
const CONCURRENCY: usize = 16;
/// The longest description that a record gets, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// Records the pending revision, which locks the release; an uninstallation marks the newest one.
pub(super) async fn begin(session: &Session<'_>, change: &Change) -> Result<(), Error> {
    let now = (session.now)();
    match change.release.info.status {
        Status::Uninstalling => session.store().update(&change.release, now).await?,
        _ => session.store().create(&change.release, now).await?,
    }
    Ok(())
}

/// Records that the change succeeded, and what that means for the other revisions.
pub(super) async fn succeed(
    session: &Session<'_>,
    change: Change,
    history_max: usize,
) -> Result<Release, Error> {
    let Change {
        mut release,
        mut past,
        completed,
        ..
    } = change;
    release.info.description = completed;
    if release.info.status == Status::Uninstalling {
        release.info.status = Status::Uninstalled;
        return forget(session, release, past.entries).await;
    }
    release.info.status = Status::Deployed;
    // The new revision first: between the two writes Helm takes the newer of two deployed ones,
    // while it would refuse to work with none.
    session.store().update(&release, (session.now)()).await?;
    for previous in &mut past.base {
        retire(session, previous, release.revision).await?;
    }
    for mut previous in left_deployed(session, &past).await? {
        retire(session, &mut previous, release.revision).await?;
    }
    prune(session, &past.entries, history_max).await?;
    Ok(release)
}

/// The revisions before the base that are deployed, because a change ended between its last writes.
async fn left_deployed(session: &Session<'_>, past: &Past) -> Result<Vec<Release>, Error> {
    let is_base = |entry: &Entry| {
        let mut base = past.base.iter();
        base.any(|release| release.revision == entry.revision)
    };
    let left = past.entries.iter();
    let left = left.filter(|entry| entry.status == Status::Deployed && !is_base(entry));
    let mut releases = vec![];
    for entry in left {
        releases.push(session.store().read(entry).await?);
    }
    Ok(releases)
}

/// Records why the change failed.
pub(super) async fn fail(
    session: &Session<'_>,
    change: Change,
    error: &Error,
) -> Result<Release, Error> {
    let mut release = change.release;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    release.info.status = Status::Failed;
    release.info.description = text.chars().take(MAX_DESCRIPTION).collect();
    session.store().update(&release, (session.now)()).await?;
    Ok(release)
}

/// Gives a revision that the new one follows its final status.
async fn retire(
    session: &Session<'_>,
    previous: &mut Release,
    successor: u32,
) -> Result<(), Error> {
    match previous.info.status {
        Status::Deployed => previous.info.status = Status::Superseded,
        status if status.is_pending() => {
            previous.info.status = Status::Failed;
            previous.info.description = format!("Interrupted; followed by revision {successor}");
        }
        _ => return Ok(()),
    }
    session.store().update(previous, (session.now)()).await?;
    Ok(())
}

/// Deletes the oldest records so that `history_max` stay, the new one included.
async fn prune(session: &Session<'_>, older: &[Entry], history_max: usize) -> Result<(), Error> {
    let excess = match history_max {
        0 => 0,
        max => (older.len() + 1).saturating_sub(max).min(older.len()),
    };
    delete(session, &older[..excess]).await
}

/// Deletes all records of an uninstalled release, the newest last: as long as it stands, the next
/// command sees an uninstallation that is not finished.
async fn forget(
    session: &Session<'_>,
    release: Release,
    entries: Vec<Entry>,
) -> Result<Release, Error> {
    if let Some((newest, older)) = entries.split_last() {
        delete(session, older).await?;
        session.store().delete(newest).await?;
    }
    Ok(release)
}

async fn delete(session: &Session<'_>, entries: &[Entry]) -> Result<(), Error> {
    let store = session.store();
    stream::iter(entries.iter().map(Ok))
        .try_for_each_concurrent(
            CONCURRENCY,
            |entry| async move { store.delete(entry).await },
        )
        .await?;
    Ok(())
}
