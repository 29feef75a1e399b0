//! From the global flags to a cluster.

use std::env;
use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use pintle::chart::{Chart, Values};
use pintle::cluster::{Cluster, Holder, Target};
use pintle::history::Driver;
use pintle::ops::{self, Session, Stop, Tenant};

use crate::cli::{Global, Place};
use crate::failure::Failure;
use crate::process;
use crate::signals;
use crate::watchdog;

/// Where `--into` works unless told otherwise: what a tenant's operator runs in the tenant belongs
/// there, and not among what is the tenant's own.
const INSIDE: &str = "kube-system";

/// A cluster and the namespace that the command works in.
pub(crate) struct Connection {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    /// Whether the user has said which namespace that is.
    is_chosen: bool,
    /// The tenant whose API the cluster is.
    tenant: Option<Tenant>,
    /// What this process calls itself.
    identity: String,
    /// What holds the records.
    pub(crate) driver: Driver,
    /// Where signals come in.
    stop: Arc<Stop>,
}

impl Connection {
    /// What an operation on the release `name` needs.
    pub(crate) fn session<'a>(&'a self, name: &'a str) -> Session<'a> {
        self.session_in(&self.namespace, name)
    }

    /// What an operation on the release `name` in `namespace` needs.
    pub(crate) fn session_in<'a>(&'a self, namespace: &'a str, name: &'a str) -> Session<'a> {
        Session {
            cluster: &self.cluster,
            namespace,
            release: name,
            now,
            holder: Holder {
                identity: &self.identity,
                is_dead: process::is_dead,
            },
            driver: self.driver,
            stop: Some(&self.stop),
            watch: watchdog::watch_for_library,
        }
    }

    /// The namespace of the release that runs a tenant: the user's, or the only one that has it.
    pub(crate) async fn home(&self, name: &str) -> Result<String, Failure> {
        if self.is_chosen {
            return Ok(self.namespace.clone());
        }
        Ok(ops::home(&self.cluster, self.driver, &self.namespace, name).await?)
    }

    /// What `chart` is told about the tenant that it is installed into.
    pub(crate) fn tenant_values(&self, chart: &Chart) -> Values {
        let tenant = self.tenant.as_ref();
        tenant
            .map(|tenant| tenant.values(chart))
            .unwrap_or_default()
    }

    /// The connection to the tenant at `place`, in its namespace `inside`.
    async fn enter(self, place: &Place, inside: Option<&str>) -> Result<Self, Failure> {
        let namespace = match &place.namespace {
            Some(namespace) => namespace.clone(),
            None => self.home(&place.release).await?,
        };
        let session = self.session_in(&namespace, &place.release);
        let (tenant, cluster) = ops::enter(&session, inside.unwrap_or(INSIDE)).await?;
        Ok(Self {
            namespace: cluster.namespace().to_owned(),
            cluster,
            is_chosen: inside.is_some(),
            tenant: Some(tenant),
            identity: self.identity,
            driver: self.driver,
            stop: self.stop,
        })
    }
}

/// The clock of the whole program.
#[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Connects and runs `work` to its end.
pub(crate) fn with_cluster<T, F>(
    global: &Global,
    work: impl FnOnce(Connection) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let inside = global.namespace.as_deref();
        let connection = if let Some(place) = &global.into {
            let host = connect(global, helm_namespace()).await?;
            host.enter(place, inside).await?
        } else {
            let namespace = global.namespace.clone().or_else(helm_namespace);
            connect(global, namespace).await?
        };
        let stop = Arc::clone(&connection.stop);
        tokio::select! {
            result = work(connection) => result,
            failure = signals::end(&stop) => Err(failure),
        }
    })
}

/// Connects to the cluster of the kubeconfig.
async fn connect(global: &Global, namespace: Option<String>) -> Result<Connection, Failure> {
    let is_chosen = namespace.is_some();
    let target = Target {
        kubeconfig: global.kubeconfig.clone(),
        // An empty variable of the environment says nothing.
        context: (global.kube_context.clone()).filter(|name| !name.is_empty()),
        namespace,
    };
    let access = global.access.access();
    let cluster = Cluster::connect_with(&target, &access).await;
    let cluster = cluster.map_err(ops::Error::from)?;
    let cluster = cluster
        .answering_within(global.request_timeout)
        .beside_clock(now);
    Ok(Connection {
        namespace: cluster.namespace().to_owned(),
        cluster,
        is_chosen,
        tenant: None,
        identity: process::identity(),
        driver: global.driver,
        stop: Arc::default(),
    })
}

/// The namespace that Helm's users set for a whole shell. It is one of the host cluster.
#[expect(clippy::disallowed_methods, reason = "this is the binary")]
fn helm_namespace() -> Option<String> {
    env::var("HELM_NAMESPACE")
        .ok()
        .filter(|name| !name.is_empty())
}
