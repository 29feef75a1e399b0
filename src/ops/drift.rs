//! `drift`: what of releases is not as it is recorded any more, and who changed it.
//!
//! However many releases there are, this takes one list of records, one list of payloads, and one list
//! per kind and namespace.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::catalogue::Catalogue;
use super::{Error, lookup, structure};
use crate::capabilities::{Kind, Kinds};
use crate::cluster::Cluster;
use crate::history::{Driver, Entry, Store};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::drift::{self, Drifted};
use crate::plan::ignored::Rule;
use crate::plan::structure::unlearned;
use crate::plan::{Consent, Found, Inputs, Method, Observed, Owner};
use crate::release::{ApplyMethod, Release, Status, check_name};

/// Which releases are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Releases<'a> {
    /// The namespace they are in; none for all.
    pub namespace: Option<&'a str>,
    /// Their names; none for all.
    pub names: &'a [String],
    /// What holds their records.
    pub driver: Driver,
}

/// One release beside what is live of it.
#[derive(Debug)]
pub struct ReleaseDrift {
    /// The release.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The number of its newest revision.
    pub newest: u32,
    /// Where that stands.
    pub status: Status,
    /// What was found.
    pub found: Finding,
}

/// What was found about one release.
#[derive(Debug)]
pub enum Finding {
    /// Its resources beside what is recorded of them.
    Compared {
        /// The revision whose record it is: the newest that is deployed.
        revision: u32,
        /// The resources in the order of the manifest.
        resources: Vec<Drifted>,
    },
    /// No revision of it is deployed.
    NotDeployed,
    /// Its record cannot be read, and why.
    Unreadable(String),
}

/// A release with the manifest of its deployed revision.
struct Known {
    entry: Entry,
    manifest: Result<(u32, Manifest), String>,
}

/// Compares each release as it was deployed last with what is live. Nothing is written.
///
/// # Errors
/// If a name is none, a release that is named does not exist, or the cluster cannot be asked. A record that cannot be
/// read is a finding.
pub async fn drift(
    cluster: &Cluster,
    releases: Releases<'_>,
    now: Timestamp,
) -> Result<Vec<ReleaseDrift>, Error> {
    for name in releases.names {
        check_name(name)?;
    }
    let entries = entries(cluster, releases).await?;
    let mut catalogue = Catalogue::new(cluster, "");
    let known = manifests(cluster, releases, (&entries, &mut catalogue)).await?;
    let wanted: BTreeMap<ResourceId, Kind> = known
        .iter()
        .filter_map(|one| one.manifest.as_ref().ok())
        .flat_map(|(_, manifest)| &manifest.resources)
        .filter_map(|resource| {
            let kinds = catalogue.kinds();
            let kind = kinds.find(&resource.api_version, &resource.id.kind)?;
            Some((resource.id.clone(), kind.clone()))
        })
        .collect();
    let wanted: Vec<_> = wanted.into_iter().collect();
    let observed = cluster.survey(&wanted).await?;
    let view = View {
        kinds: catalogue.kinds(),
        observed: &observed,
        found: Found::default(),
        now,
    };
    let first: Vec<_> = known.iter().map(|one| view.compare(one)).collect();
    learn(cluster, catalogue.kinds_mut(), (&first, &known)).await?;
    let mut view = View {
        kinds: catalogue.kinds(),
        observed: &observed,
        found: Found::default(),
        now,
    };
    view.found.scaled = scaled(cluster, &first).await?;
    Ok(known.into_iter().map(|one| view.drift(one)).collect())
}

/// What all releases are compared with.
struct View<'a> {
    kinds: &'a Kinds,
    observed: &'a Observed,
    found: Found,
    now: Timestamp,
}

impl View<'_> {
    /// The resources of a release; none if its manifest is not known.
    fn compare(&self, known: &Known) -> Vec<Drifted> {
        let Ok((_, manifest)) = &known.manifest else {
            return vec![];
        };
        drift::of(&Inputs {
            desired: manifest,
            base: &[],
            observed: self.observed,
            mentions: &BTreeMap::new(),
            // Nothing is written.
            method: Method::ClientSide,
            before: ApplyMethod::ClientSide,
            owner: Owner {
                release: &known.entry.name,
                namespace: &known.entry.namespace,
            },
            kinds: self.kinds,
            found: &self.found,
            consent: &Consent::default(),
            now: self.now,
        })
    }

    fn drift(&self, known: Known) -> ReleaseDrift {
        let resources = self.compare(&known);
        let Known { entry, manifest } = known;
        let found = match manifest {
            Ok((revision, _)) => Finding::Compared {
                revision,
                resources,
            },
            Err(why) if why.is_empty() => Finding::NotDeployed,
            Err(why) => Finding::Unreadable(why),
        };
        ReleaseDrift {
            name: entry.name,
            namespace: entry.namespace,
            newest: entry.revision,
            status: entry.status,
            found,
        }
    }
}

/// Learns how the custom resources merge that seem to have drifted, from the manifests or the cluster.
async fn learn(
    cluster: &Cluster,
    kinds: &mut Kinds,
    (drifted, known): (&[Vec<Drifted>], &[Known]),
) -> Result<(), Error> {
    let manifests = known.iter().filter_map(|one| one.manifest.as_ref().ok());
    let manifests: Vec<&Manifest> = manifests.map(|(_, manifest)| manifest).collect();
    let fields = drifted.iter().flatten().flat_map(|one| {
        let fields = one.fields.iter();
        fields.map(|field| (&one.id, field.change.path.as_str()))
    });
    let wanted = unlearned(fields, &manifests, kinds);
    structure::learn(cluster, kinds, (wanted, &manifests)).await?;
    Ok(())
}

/// The newest revision of each release that is meant, by namespace and name.
async fn entries(cluster: &Cluster, releases: Releases<'_>) -> Result<Vec<Entry>, Error> {
    let mut entries = store(cluster, releases).newest(releases.names).await?;
    let has = |name: &String| entries.iter().any(|entry| entry.name == *name);
    if let Some(missing) = releases.names.iter().find(|name| !has(name)) {
        return Err(Error::NoRelease {
            release: missing.clone(),
            namespace: releases.namespace.unwrap_or_default().to_owned(),
        });
    }
    entries.retain(|entry| entry.status != Status::Uninstalled);
    Ok(entries)
}

fn store<'a>(cluster: &'a Cluster, releases: Releases<'a>) -> Store<'a> {
    match releases.namespace {
        Some(namespace) => Store::in_namespace(cluster, namespace),
        None => Store::everywhere(cluster),
    }
    .with(releases.driver)
}

/// Reads the manifest of what is deployed of each release.
async fn manifests<'a>(
    cluster: &Cluster,
    releases: Releases<'_>,
    (entries, catalogue): (&'a [Entry], &mut Catalogue<'a>),
) -> Result<Vec<Known>, Error> {
    let deployed = store(cluster, releases).deployed(releases.names).await?;
    let mut deployed: BTreeMap<(String, String), Result<Release, String>> = deployed
        .into_iter()
        .map(|(entry, release)| ((entry.namespace, entry.name), release))
        .collect();
    let mut known = vec![];
    for entry in entries {
        let release = deployed.remove(&(entry.namespace.clone(), entry.name.clone()));
        catalogue.enter(&entry.namespace);
        let manifest = match release {
            None => Err(String::new()),
            Some(Err(why)) => Err(why),
            Some(Ok(release)) => match catalogue.recorded(&release).await {
                Ok(manifest) => Ok((release.revision, manifest)),
                Err(error @ Error::Manifest(_)) => Err(error.to_string()),
                Err(error) => return Err(error),
            },
        };
        known.push(Known {
            entry: entry.clone(),
            manifest,
        });
    }
    Ok(known)
}

/// The workloads whose replicas differ because an autoscaler of somebody else has them as its target.
async fn scaled(
    cluster: &Cluster,
    drifted: &[Vec<Drifted>],
) -> Result<BTreeSet<ResourceId>, Error> {
    let is_scaled = |one: &&Drifted| {
        let mut fields = one.fields.iter();
        Rule::replicas().is_about(&one.id)
            && fields.any(|field| field.change.path == "spec.replicas")
    };
    let all = drifted.iter().flatten();
    let changed: Vec<&ResourceId> = all.filter(is_scaled).map(|one| &one.id).collect();
    lookup::autoscaled(cluster, &changed, |_| false).await
}
