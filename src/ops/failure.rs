//! What is known of a change that failed: gathered when it fails, kept in its record, and read again.
//!
//! An error with what pods, events and logs say goes in, without the values of Secrets that are known;
//! the [`Failure`] of the record goes out.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::{Change, Error, Session, credentials, outcome, read, reread};
use crate::cluster::{KnownValues, SickPod, Unready, Warning};
use crate::history::Entry;
use crate::release::{FailedEvent, FailedPod, FailedResource, Failure, Release, Status};

/// How long the Secrets may take whose values are to be hidden.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the values of the Secrets of a release, live and wanted, out of what pods, events and logs say in
/// an error. If what is live cannot be read, nothing that pods have written stays: no logs, and no events,
/// which tell what probes have got as an answer.
pub(super) async fn cover(session: &Session<'_>, change: &Change, error: &mut Error) {
    let unready = error.unready_mut();
    if unready.is_empty() {
        return;
    }
    let manifests = change.aim.base.iter().chain([&change.aim.desired]);
    let resources = manifests.flat_map(|manifest| {
        let hooks = manifest.hooks.iter().map(|hook| &hook.resource);
        manifest.resources.iter().chain(hooks)
    });
    let bodies = resources.map(|resource| &resource.body);
    let own = bodies.filter(|body| body["kind"] == "Secret");
    let live = async {
        let generated = credentials::generated(session).await?;
        let secrets: Vec<_> = generated
            .into_iter()
            .filter(|(id, _)| id.kind == "Secret")
            .collect();
        Ok::<_, Error>(session.cluster.observe(&secrets).await?)
    };
    let live = timeout(PATIENCE, live).await.ok().and_then(Result::ok);
    let known = KnownValues::of(own.chain(live.iter().flat_map(BTreeMap::values)));
    if live.is_none() {
        let pods = unready.iter_mut().flat_map(|one| &mut one.diagnosis.pods);
        pods.for_each(|pod| {
            pod.log.clear();
            pod.events.clear();
        });
    }
    for one in unready {
        known.hide_in(one);
    }
}

/// What is recorded of an error.
pub(super) fn of(session: &Session<'_>, release: &Release, error: &Error) -> Failure {
    Failure {
        revision: release.revision,
        time: Some((session.now)()),
        error: outcome::told(error),
        resources: error.unready().iter().map(resource).collect(),
        omitted: 0,
    }
}

fn resource(unready: &Unready) -> FailedResource {
    let Unready {
        id,
        health,
        diagnosis,
    } = unready;
    FailedResource {
        group: id.group.clone(),
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        reason: health.reason().unwrap_or_default().to_owned(),
        pods: diagnosis.pods.iter().map(pod).collect(),
        more_pods: diagnosis.others,
        events: diagnosis.events.iter().map(event).collect(),
    }
}

fn pod(pod: &SickPod) -> FailedPod {
    FailedPod {
        name: pod.name.clone(),
        container: pod.trouble.container.clone(),
        reason: pod.trouble.reason.clone(),
        events: pod.events.iter().map(event).collect(),
        log: pod.log.clone(),
    }
}

fn event(warning: &Warning) -> FailedEvent {
    FailedEvent {
        reason: warning.reason.clone(),
        message: warning.message.clone(),
        count: warning.count,
        last: warning.last,
    }
}

/// The revision of a release that failed: of this number, or the newest one.
///
/// # Errors
/// If there is no such release or revision, it did not fail, or its record cannot be read.
pub async fn failed(session: &Session<'_>, revision: Option<u32>) -> Result<Release, Error> {
    reread::steadily(async || {
        let entries = session.store().history(session.release).await?;
        let entry = find(session, &entries, revision)?;
        Ok(session.store().read(entry).await?)
    })
    .await
}

/// The entry of a revision that failed.
fn find<'a>(
    session: &Session<'_>,
    entries: &'a [Entry],
    revision: Option<u32>,
) -> Result<&'a Entry, Error> {
    if entries.is_empty() {
        return Err(Error::no_release(session));
    }
    let is_failed = |entry: &&Entry| entry.status == Status::Failed;
    let release = || session.release.to_owned();
    match revision {
        None => {
            let newest = entries.iter().rev().find(is_failed);
            newest.ok_or_else(|| Error::NoFailure { release: release() })
        }
        Some(wanted) => {
            let found = read::numbered(session, entries, wanted)?;
            Some(found).filter(is_failed).ok_or(Error::NotFailed {
                release: release(),
                revision: wanted,
                status: found.status,
            })
        }
    }
}
