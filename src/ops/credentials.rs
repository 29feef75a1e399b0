//! The generated Secrets of a release: those that the cluster holds, those that the history needs,
//! and how they fare.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::prepare::{Desired, Past};
use super::{Error, Session};
use crate::builtin;
use crate::capabilities::Kind;
use crate::history;
use crate::manifest::ResourceId;
use crate::manifest::generator::{GENERATOR_LABEL, RELEASE_LABEL, specs_from_yaml};
use crate::plan::credentials::{self, Decision, ForeignSecret, Live};
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
    let mut mentions = BTreeMap::new();
    for entry in &past.entries {
        let release = match session.store().read(entry).await {
            Ok(release) => release,
            // What cannot be read cannot be gone back to either.
            Err(history::Error::Decode { .. } | history::Error::Gone { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let names: Vec<String> = match release.generators().map(|text| specs_from_yaml(&text)) {
            None => vec![],
            Some(Ok(generators)) => generators.into_iter().map(|one| one.name).collect(),
            // Any of them may be meant.
            Some(Err(_)) => generated.iter().map(|(id, _)| id.name.clone()).collect(),
        };
        mentions.extend(names.into_iter().map(|name| (name, release.revision)));
    }
    Ok(mentions)
}

/// The state of the generated Secrets of a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    /// For each what the next plan would do about it, when what it holds expires, and why it would
    /// be issued.
    pub decisions: Vec<Decision>,
    /// Those that another release has generated, so that no plan is possible.
    pub foreign: Vec<ForeignSecret>,
}

/// The state of the generated Secrets of a revision.
///
/// # Errors
/// If the revision's generators cannot be read, or the cluster cannot be asked.
pub async fn credentials(session: &Session<'_>, release: &Release) -> Result<Credentials, Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let mut generators = catalogue.recorded(release).await?.generators;
    let mut wanted = vec![];
    if let Some(kind) = builtin::kind("", "Secret") {
        let ids = generators
            .iter()
            .map(|generator| id(session, generator.name.clone()));
        wanted.extend(ids.map(|id| (id, kind.clone())));
    }
    let observed = session.cluster.observe(&wanted).await?;
    let secrets = observed.iter().map(|(id, live)| (id.name.as_str(), live));
    let secrets: BTreeMap<_, _> = secrets.collect();
    let live = Live {
        release: session.release,
        secrets: &secrets,
    };
    let foreign = credentials::foreign(&generators, live);
    generators.retain(|generator| foreign.iter().all(|other| other.name != generator.name));
    let decisions = credentials::decide(&generators, live, (session.now)());
    let decisions = decisions.map_err(crate::plan::Error::from)?;
    Ok(Credentials { decisions, foreign })
}
