//! From the global flags to a cluster.

use std::future::Future;

use jiff::Timestamp;
use pintle::cluster::{Cluster, Holder, Target};
use pintle::ops::{self, Session};

use crate::cli::Global;
use crate::failure::Failure;
use crate::process;

/// A cluster and the namespace that the command works in.
pub(crate) struct Connection {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    /// What this process calls itself.
    identity: String,
}

impl Connection {
    /// What an operation on the release `name` needs.
    pub(crate) fn session<'a>(&'a self, name: &'a str) -> Session<'a> {
        Session {
            cluster: &self.cluster,
            namespace: &self.namespace,
            release: name,
            now,
            holder: Holder {
                identity: &self.identity,
                is_dead: process::is_dead,
            },
        }
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
        let target = Target {
            kubeconfig: global.kubeconfig.clone(),
            context: global.kube_context.clone(),
            namespace: global.namespace.clone(),
        };
        let cluster = Cluster::connect(&target).await.map_err(ops::Error::from)?;
        let namespace = cluster.namespace().to_owned();
        work(Connection {
            cluster,
            namespace,
            identity: process::identity(),
        })
        .await
    })
}
