//! The generated Secrets of a release: those that the cluster holds, those that the history needs,
//! and how they fare.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::prepare::{Desired, Past};
use super::{Error, Session};
use crate::builtin;
use crate::capabilities::Kind;
use crate::manifest::ResourceId;
use crate::manifest::generator::{GENERATOR_LABEL, RELEASE_LABEL, specs_from_yaml};
use crate::plan::credentials::{self, Decision, Live};
use crate::release::{Release, Status};

/// The Secrets that were generated for the release, by their labels.
pub(super) async fn generated(session: &Session<'_>) -> Result<Vec<(ResourceId, Kind)>, Error> {
    let Some(kind) = builtin::kind("", "Secret") else {
        return Ok(vec![]);
    };
    let selector = format!("{RELEASE_LABEL}={},{GENERATOR_LABEL}", session.release);
    let namespace = Some(session.namespace);
    let found = session.cluster.list_metadata(kind, namespace, &selector);
    let found = found.await?.into_iter();
    Ok(found
        .map(|secret| (id(session, secret.name), kind.clone()))
        .collect())
}

fn id(session: &Session<'_>, name: String) -> ResourceId {
    ResourceId {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: Some(session.namespace.to_owned()),
        name,
    }
}

/// For Secrets whose generator the next revision has no more, the newest revision that has it and
/// that can be gone back to. All payloads are read only where there is such a Secret.
pub(super) async fn mentions(
    session: &Session<'_>,
    desired: &Desired,
    (past, generated): (&Past, &[(ResourceId, Kind)]),
) -> Result<BTreeMap<String, u32>, Error> {
    let wanted = |name: &str| {
        let mut generators = desired.manifest.generators.iter();
        generators.any(|generator| generator.name == name)
    };
    let is_complete = generated.iter().all(|(id, _)| wanted(&id.name));
    if is_complete || desired.release.info.status == Status::Uninstalling {
        return Ok(BTreeMap::new());
    }
    let revisions = session.store().read_all(&past.entries).await?;
    let mut mentions = BTreeMap::new();
    for release in &revisions {
        // What cannot be read cannot be gone back to either.
        let generators = release.generators().map(|text| specs_from_yaml(&text));
        for generator in generators.into_iter().flatten().flatten() {
            mentions.insert(generator.name, release.revision);
        }
    }
    Ok(mentions)
}

/// The generated Secrets of a revision: for each what the next plan would do about it, when what
/// it holds expires, and why it would be issued.
///
/// # Errors
/// If the revision's generators cannot be read, the cluster cannot be asked, or a Secret belongs
/// to another release.
pub async fn credentials(session: &Session<'_>, release: &Release) -> Result<Vec<Decision>, Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let generators = catalogue.recorded(release).await?.generators;
    let Some(kind) = builtin::kind("", "Secret").filter(|_| !generators.is_empty()) else {
        return Ok(vec![]);
    };
    let wanted: Vec<_> = generators
        .iter()
        .map(|generator| (id(session, generator.name.clone()), kind.clone()))
        .collect();
    let observed = session.cluster.observe(&wanted).await?;
    let secrets = observed.iter().map(|(id, live)| (id.name.as_str(), live));
    let secrets: BTreeMap<_, _> = secrets.collect();
    let live = Live {
        release: session.release,
        secrets: &secrets,
    };
    let decided = credentials::decide(&generators, live, (session.now)());
    Ok(decided.map_err(crate::plan::Error::from)?)
}
