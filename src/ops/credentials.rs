//! What is generated for a release: what the cluster holds of it, what the history needs, and how
//! it fares.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Catalogue;
use super::prepare::Past;
use super::{Error, Session};
use crate::builtin;
use crate::capabilities::Kind;
use crate::cluster;
use crate::history;
use crate::manifest::generator::{GENERATOR_LABEL, Product, RELEASE_LABEL, specs_from_yaml};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::addresses::{self, Services};
use crate::plan::credentials::{self, Decision, ForeignSecret, Live};
use crate::release::Release;

/// The Secrets and config maps that were generated for the release, by their labels.
pub(super) async fn generated(session: &Session<'_>) -> Result<Vec<(ResourceId, Kind)>, Error> {
    let of = |product| products(session, product);
    let found = futures::try_join!(of(Product::Secret), of(Product::ConfigMap))?;
    Ok(<[_; 2]>::from(found).concat())
}

async fn products(
    session: &Session<'_>,
    product: Product,
) -> Result<Vec<(ResourceId, Kind)>, Error> {
    let Some(kind) = builtin::kind("", product.kind()) else {
        return Ok(vec![]);
    };
    let selector = format!("{RELEASE_LABEL}={},{GENERATOR_LABEL}", session.release);
    let namespace = Some(session.namespace);
    let found = session.cluster.list_metadata(kind, namespace, &selector);
    let found = match found.await {
        // Who may not see config maps has none of an endpoint made.
        Err(cluster::Error::Forbidden { .. }) if product == Product::ConfigMap => vec![],
        found => found?,
    };
    Ok(found
        .into_iter()
        .map(|found| (id(session, product.kind(), &found.name), kind.clone()))
        .collect())
}

fn id(session: &Session<'_>, kind: &str, name: &str) -> ResourceId {
    ResourceId {
        group: String::new(),
        kind: kind.to_owned(),
        namespace: Some(session.namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// For Secrets whose generator the next revision has no more, the newest revision that has it and
/// that can be gone back to. All payloads are read only where there is such a Secret.
pub(super) async fn mentions(
    session: &Session<'_>,
    past: &Past,
    (desired, generated): (&Manifest, &[(ResourceId, Kind)]),
) -> Result<BTreeMap<String, u32>, Error> {
    let wanted = |name: &str| {
        let mut generators = desired.generators.iter();
        generators.any(|generator| generator.name == name)
    };
    let is_complete = generated.iter().all(|(id, _)| wanted(&id.name));
    if is_complete {
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

/// The state of what is generated for a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    /// For each what the next plan would do about it, when what it holds expires, and why it would
    /// be issued.
    pub decisions: Vec<Decision>,
    /// Those that another release has generated, so that no plan is possible.
    pub foreign: Vec<ForeignSecret>,
}

/// The state of what is generated for a revision.
///
/// # Errors
/// If the revision's generators cannot be read, or the cluster cannot be asked.
pub async fn credentials(session: &Session<'_>, release: &Release) -> Result<Credentials, Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = catalogue.recorded(release).await?;
    let made = manifest.generators.iter();
    let made = made.map(|generator| (generator.spec.product().kind(), generator.name.as_str()));
    let services = manifest.generators.iter().flat_map(|generator| {
        let waits = addresses::waits(generator, &manifest.generators);
        waits.into_iter().map(|name| ("Service", name))
    });
    let wanted: BTreeSet<(&str, &str)> = made.chain(services).collect();
    let wanted: Vec<_> = wanted
        .into_iter()
        .filter_map(|(kind, name)| {
            Some((id(session, kind, name), builtin::kind("", kind)?.clone()))
        })
        .collect();
    let observed = session.cluster.observe(&wanted).await?;
    let services = Services::of(&manifest, &observed, session.namespace);
    let mut generators = addresses::resolve(&manifest.generators, &services);
    let secrets = observed.iter().filter(|(id, _)| id.kind != "Service");
    let secrets = secrets.map(|(id, live)| (id.name.as_str(), live));
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
