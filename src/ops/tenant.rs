//! The tenant whose control plane a release runs: where releases are found, how their tenant's API
//! is reached, and what charts that are installed into it are told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::catalogue::Catalogue;
use super::kubeconfig::secret_data;
use super::read::{Revision, find};
use super::{Error, Session};
use crate::chart::{Chart, Values};
use crate::cluster::Cluster;
use crate::history::{self, Driver, Store};
use crate::kubeconfig::Kubeconfig;
use crate::manifest::generator::{Generator, Spec};

/// The annotation of the `Kubeconfig` generator by which a tenant is set up: what charts that are
/// installed into the tenant are told about it, as a JSON object.
const TENANT: &str = "pintle.dev/tenant";
/// The annotation of a chart that is installed into tenants: the key of its values under which it
/// is told about the tenant.
const TENANT_VALUES: &str = "pintle.dev/tenant-values";

/// A tenant, as the release that runs it in a host cluster knows it.
pub struct Tenant {
    /// The release.
    pub release: String,
    /// How its API is reached, with every right in it.
    pub kubeconfig: Kubeconfig,
    /// What charts are told: what the release's chart says, and `server` and
    /// `certificateAuthority` (PEM) of the kubeconfig.
    facts: Map<String, Value>,
}

impl Tenant {
    /// The values that `chart` asks for by its annotation `pintle.dev/tenant-values`; none if it
    /// does not.
    pub fn values(&self, chart: &Chart) -> Values {
        let key = chart.metadata.annotations.get(TENANT_VALUES);
        let facts = || Value::Object(self.facts.clone());
        Values(key.map(|key| (key.clone(), facts())).into_iter().collect())
    }
}

/// Finds the one namespace of the host cluster that has the release `name`: `likely` if it is there.
/// `driver` says what holds the records.
///
/// # Errors
/// If no namespace has it, or several others, or the records cannot be listed.
pub async fn home(
    cluster: &Cluster,
    driver: Driver,
    likely: &str,
    name: &str,
) -> Result<String, Error> {
    let here = Store::in_namespace(cluster, likely).with(driver);
    let here = here.history(name).await?;
    if !here.is_empty() {
        return Ok(likely.to_owned());
    }
    let not_here = Error::NoRelease {
        release: name.to_owned(),
        namespace: likely.to_owned(),
    };
    let all = match Store::everywhere(cluster).with(driver).history(name).await {
        Ok(all) => all,
        // Who may look into one namespace only is told about that one.
        Err(history::Error::List { source }) if source.is_forbidden() => return Err(not_here),
        Err(error) => return Err(error.into()),
    };
    let places: BTreeSet<String> = all.into_iter().map(|entry| entry.namespace).collect();
    let mut places = places.into_iter();
    match (places.next(), places.next()) {
        (None, _) => Err(not_here),
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => Err(Error::Ambiguous {
            release: name.to_owned(),
            namespaces: [first, second].into_iter().chain(places).collect(),
        }),
    }
}

/// Connects to the API of the tenant that a release runs; `namespace` is the one in it for whatever
/// names none.
///
/// # Errors
/// If there is no such release, it runs no tenant, its kubeconfig cannot be read or has not been
/// made, or the tenant's API does not answer.
pub async fn enter(session: &Session<'_>, namespace: &str) -> Result<(Tenant, Cluster), Error> {
    let tenant = read(session).await?;
    let called = format!("the kubeconfig of release {}", tenant.release);
    let connected = async {
        let by = (&tenant.kubeconfig, called.as_str());
        let cluster = Cluster::connect_as(session.cluster, by, namespace).await?;
        cluster.version().await?;
        Ok(cluster)
    };
    match connected.await {
        Ok(cluster) => Ok((tenant, cluster)),
        Err(source) => Err(Error::Silent {
            release: tenant.release,
            source,
        }),
    }
}

/// Reads how the tenant of a release is reached.
async fn read(session: &Session<'_>) -> Result<Tenant, Error> {
    let release = find(session, Revision::Newest).await?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let generators = catalogue.recorded(&release).await?.generators;
    let found = generators.iter().find_map(way_in);
    let (generator, key, facts) = found.ok_or_else(|| Error::NoTenant {
        release: session.release.to_owned(),
    })?;
    let data = secret_data(session, &generator.name).await?;
    let kubeconfig = data.get(key).and_then(Kubeconfig::read);
    let kubeconfig = kubeconfig.ok_or_else(|| Error::NotIssued {
        release: session.release.to_owned(),
        secret: generator.name.clone(),
    })?;
    Ok(Tenant {
        release: session.release.to_owned(),
        facts: complete(facts, &kubeconfig),
        kubeconfig,
    })
}

/// A generator by which a tenant is set up, the data key of its kubeconfig, and what its chart says.
fn way_in(generator: &Generator) -> Option<(&Generator, &str, Map<String, Value>)> {
    let Spec::Kubeconfig(spec) = &generator.spec else {
        return None;
    };
    let facts = serde_json::from_str(generator.annotation(TENANT)?).ok()?;
    Some((generator, &spec.key, facts))
}

fn complete(mut facts: Map<String, Value>, kubeconfig: &Kubeconfig) -> Map<String, Value> {
    let authorities = String::from_utf8_lossy(&kubeconfig.authorities).into_owned();
    facts.insert("server".to_owned(), kubeconfig.server.clone().into());
    facts.insert("certificateAuthority".to_owned(), authorities.into());
    facts
}
