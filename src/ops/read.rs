//! `history`, `status` and `get`: what is recorded, and how it fares.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::catalogue::Catalogue;
use super::{Error, Session, lock, reread};
use crate::capabilities::Kind;
use crate::cluster::{Depth, Diagnosis, Tenure, Unready};
use crate::health::{self, Health};
use crate::history::{self, Entry};
use crate::manifest::group::{self, Group};
use crate::manifest::{Manifest, ResourceId};
use crate::release::Release;

/// Which revision is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// The newest one.
    Newest,
    /// The newest one that is deployed, or was last.
    Deployed,
    /// The one with this number.
    Number(u32),
}

/// One resource of a release in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceStatus {
    /// The resource.
    pub id: ResourceId,
    /// The resource group it is in; none for what is in none.
    pub group: Option<String>,
    /// Its health; none if it is missing.
    pub health: Option<Health>,
    /// Whether it is deleted when it has finished, so that it may be missing because of that.
    pub deletes_itself: bool,
    /// Why it is not ready, without logs; empty if it is ready.
    pub diagnosis: Diagnosis,
}

/// How the resources of a revision fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The resource groups, each behind those that it depends on; none where what is recorded gives
    /// them no order.
    pub groups: Vec<Group>,
    /// The resources in the order of the manifest.
    pub resources: Vec<ResourceStatus>,
}

/// The revisions of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Revisions {
    /// The revisions, oldest first, with summaries.
    pub entries: Vec<Entry>,
    /// Those that are pending and that nobody works on.
    pub interrupted: BTreeSet<u32>,
}

/// The newest `max` revisions of a release; 0 means all. A revision that Helm left pending counts as
/// interrupted after `patience`.
///
/// # Errors
/// If there is no such release or the records cannot be read.
pub async fn history(
    session: &Session<'_>,
    max: usize,
    patience: SignedDuration,
) -> Result<Revisions, Error> {
    let mut entries = session.store().history(session.release).await?;
    if entries.is_empty() {
        return Err(Error::no_release(session));
    }
    if max > 0 {
        entries.drain(..entries.len().saturating_sub(max));
    }
    // Who may not read locks is told nothing of interruptions that these would show.
    let other = match lock::other(session, &entries).await {
        Err(Error::Cluster(error)) if error.is_forbidden() => None,
        read => Some(read?),
    };
    let is_helms = entries.last().is_some_and(|entry| entry.summary.is_none());
    session.store().summarise(&mut entries).await?;
    let newest = entries.last();
    let begun = newest.and_then(|entry| entry.summary.as_ref()?.updated);
    let until = begun.and_then(|begun| begun.checked_add(patience).ok());
    let is_under_way = if is_helms {
        until.is_none_or(|until| (session.now)() < until)
    } else {
        other.is_none_or(|holder| holder.is_some())
    };
    let under_way = newest.map(|entry| entry.revision);
    let interrupted = interrupted(&entries, under_way.filter(|_| is_under_way));
    Ok(Revisions {
        entries,
        interrupted,
    })
}

/// Those of `entries` that are pending, but for the one that is under way.
fn interrupted(entries: &[Entry], under_way: Option<u32>) -> BTreeSet<u32> {
    let pending = entries.iter().filter(|entry| entry.status.is_pending());
    let pending = pending.map(|entry| entry.revision);
    pending
        .filter(|revision| Some(*revision) != under_way)
        .collect()
}

/// Whether a revision is pending and nobody works on it, as [`history()`] tells it.
///
/// # Errors
/// If the records or the lock cannot be read.
pub async fn is_interrupted(
    session: &Session<'_>,
    release: &Release,
    patience: SignedDuration,
) -> Result<bool, Error> {
    if !release.info.status.is_pending() {
        return Ok(false);
    }
    let newest = history(session, 1, patience).await?;
    let is_newest = |entry: &Entry| entry.revision == release.revision;
    Ok(!newest.entries.iter().any(is_newest) || newest.interrupted.contains(&release.revision))
}

/// One whole revision of a release.
///
/// # Errors
/// If there is no such release or revision, or its record cannot be read.
pub async fn find(session: &Session<'_>, revision: Revision) -> Result<Release, Error> {
    reread::steadily(async || {
        let entries = session.store().history(session.release).await?;
        let newest = entries.last().ok_or_else(|| Error::no_release(session))?;
        let entry = match revision {
            Revision::Newest => newest,
            Revision::Deployed => history::deployed(&entries).unwrap_or(newest),
            Revision::Number(wanted) => numbered(session, &entries, wanted)?,
        };
        Ok(session.store().read(entry).await?)
    })
    .await
}

/// The revision of a number.
pub(super) fn numbered<'a>(
    session: &Session<'_>,
    entries: &'a [Entry],
    wanted: u32,
) -> Result<&'a Entry, Error> {
    let found = entries.iter().find(|entry| entry.revision == wanted);
    found.ok_or_else(|| Error::NoRevision {
        release: session.release.to_owned(),
        revision: wanted,
        known: entries.iter().map(|entry| entry.revision).collect(),
    })
}

/// Who is changing a release now; none if nobody is, or if that may not be read.
///
/// # Errors
/// If the lock cannot be read for another reason.
pub async fn holder(session: &Session<'_>) -> Result<Option<Tenure>, Error> {
    match session.cluster.lease_holder(lock::claim(session)).await {
        Err(error) if error.is_forbidden() => Ok(None),
        read => Ok(read?),
    }
}

/// The resources of a revision with their health, and what pods and events say about those that are
/// not ready.
///
/// # Errors
/// If the manifest cannot be read or the cluster cannot be asked.
pub async fn resources(session: &Session<'_>, release: &Release) -> Result<Standing, Error> {
    let (manifest, wanted) = wanted(session, release).await?;
    let observed = session.cluster.observe(&wanted).await?;
    let healths = observed
        .into_iter()
        .map(|(id, live)| (id, health::of(&live)));
    let mut healths: BTreeMap<ResourceId, Health> = healths.collect();
    let unready = healths.iter().filter(|(_, health)| !health.is_ready());
    let mut unready: Vec<Unready> = unready
        .map(|(id, health)| Unready::new(id.clone(), health.clone()))
        .collect();
    session.cluster.explain(&mut unready, Depth::Events).await;
    let diagnoses = unready.into_iter().map(|one| (one.id, one.diagnosis));
    let mut diagnoses: BTreeMap<ResourceId, Diagnosis> = diagnoses.collect();
    let groups = group::groups(&manifest.resources).unwrap_or_default();
    let resources = manifest.resources.into_iter();
    let resources = resources.map(|resource| ResourceStatus {
        group: group::group_of(&resource.body).map(str::to_owned),
        health: healths.remove(&resource.id),
        deletes_itself: health::deletes_itself(&resource.body),
        diagnosis: diagnoses.remove(&resource.id).unwrap_or_default(),
        id: resource.id,
    });
    Ok(Standing {
        groups,
        resources: resources.collect(),
    })
}

/// The manifest of a revision, and its resources of kinds that are known.
pub(super) async fn wanted(
    session: &Session<'_>,
    release: &Release,
) -> Result<(Manifest, Vec<(ResourceId, Kind)>), Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = catalogue.applied(release).await?;
    let kinds = manifest.resources.iter().filter_map(|resource| {
        let kind = catalogue
            .kinds()
            .find(&resource.api_version, &resource.id.kind)?;
        Some((resource.id.clone(), kind.clone()))
    });
    let wanted = kinds.collect();
    Ok((manifest, wanted))
}
