//! `history`, `status` and `get`: what is recorded, and how it fares.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::{Error, Session};
use crate::capabilities::Kind;
use crate::cluster::{Depth, Diagnosis, Unready};
use crate::health::{self, Health};
use crate::history::{self, Entry};
use crate::manifest::{ResourceId, group};
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
    /// Why it is not ready, without logs; empty if it is ready.
    pub diagnosis: Diagnosis,
}

/// The newest `max` revisions of a release, oldest first, with summaries; 0 means all.
///
/// # Errors
/// If there is no such release or the records cannot be read.
pub async fn history(session: &Session<'_>, max: usize) -> Result<Vec<Entry>, Error> {
    let mut entries = session.store().history(session.release).await?;
    if entries.is_empty() {
        return Err(Error::no_release(session));
    }
    if max > 0 {
        entries.drain(..entries.len().saturating_sub(max));
    }
    session.store().summarise(&mut entries).await?;
    Ok(entries)
}

/// One whole revision of a release.
///
/// # Errors
/// If there is no such release or revision, or its record cannot be read.
pub async fn find(session: &Session<'_>, revision: Revision) -> Result<Release, Error> {
    let entries = session.store().history(session.release).await?;
    let newest = entries.last().ok_or_else(|| Error::no_release(session))?;
    let entry = match revision {
        Revision::Newest => newest,
        Revision::Deployed => history::deployed(&entries).unwrap_or(newest),
        Revision::Number(wanted) => entries
            .iter()
            .find(|entry| entry.revision == wanted)
            .ok_or_else(|| Error::NoRevision {
                release: session.release.to_owned(),
                revision: wanted,
                known: entries.iter().map(|entry| entry.revision).collect(),
            })?,
    };
    Ok(session.store().read(entry).await?)
}

/// The resources of a revision with their health, in the order of the manifest, and what pods and
/// events say about those that are not ready.
///
/// # Errors
/// If the manifest cannot be read or the cluster cannot be asked.
pub async fn resources(
    session: &Session<'_>,
    release: &Release,
) -> Result<Vec<ResourceStatus>, Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = catalogue.applied(release).await?;
    let wanted: Vec<(ResourceId, Kind)> = manifest
        .resources
        .iter()
        .filter_map(|resource| {
            let kind = catalogue
                .kinds()
                .find(&resource.api_version, &resource.id.kind)?;
            Some((resource.id.clone(), kind.clone()))
        })
        .collect();
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
    let resources = manifest.resources.into_iter();
    Ok(resources
        .map(|resource| ResourceStatus {
            group: group::group_of(&resource.body).map(str::to_owned),
            health: healths.remove(&resource.id),
            diagnosis: diagnoses.remove(&resource.id).unwrap_or_default(),
            id: resource.id,
        })
        .collect())
}
