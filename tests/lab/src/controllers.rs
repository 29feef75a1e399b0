//! What a cloud does for a host cluster: volumes for claims, addresses for Services of type
//! `LoadBalancer`, and routes between the networks of pods. A thread of the launcher looks at the
//! cluster several times a second and does what is missing; state is in the cluster alone.

mod balancer;
mod routes;
mod volumes;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::command;
use crate::network::{Fact, Network};
use crate::place::{Place, Role};

/// The time between two passes.
const PAUSE: Duration = Duration::from_millis(300);

/// Why a pass was not completed. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The API refuses something.
    #[error("asking the API of the lab: {0}")]
    Api(#[from] kube::Error),
    /// A route or an address cannot be set.
    #[error(transparent)]
    Network(#[from] command::Error),
    /// A folder of a volume cannot be made or removed.
    #[error("keeping volumes: {0}")]
    Volume(#[from] io::Error),
    /// An object of ours has not the form it should have.
    #[error("writing an object: {0}")]
    Object(#[from] serde_json::Error),
    /// All addresses are in use.
    #[error("no address is left for Services of type LoadBalancer")]
    Full,
}

/// Running controllers. Once this is dropped they only finish what they are at, and say nothing.
#[derive(Debug)]
pub(crate) struct Controllers {
    is_stopped: Arc<AtomicBool>,
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// Starts the controllers. They end with the process at the latest.
pub(crate) fn start(place: &Place, report: fn(&str)) -> Controllers {
    let place = place.clone();
    let is_stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_stopped);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(run(&place, &flag, report)),
            Err(error) => report(&error.to_string()),
        }
    });
    Controllers { is_stopped }
}

async fn run(place: &Place, is_stopped: &AtomicBool, report: fn(&str)) {
    let client = match connect(place).await {
        Ok(client) => client,
        Err(error) => return report(&error.to_string()),
    };
    let mut network = Network::default();
    let mut said = String::new();
    while !is_stopped.load(Ordering::Relaxed) {
        let result = pass(place, &client, &mut network).await;
        let error = result.err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        // Once, not at every pass, and not about an API that is being stopped.
        if !error.is_empty() && error != said && !is_stopped.load(Ordering::Relaxed) {
            report(&error);
        }
        said = error;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn connect(place: &Place) -> Result<Client, Box<dyn std::error::Error>> {
    let kubeconfig = Kubeconfig::read_from(&place.kubeconfig)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    Ok(Client::try_from(config)?)
}

async fn pass(place: &Place, client: &Client, network: &mut Network) -> Result<(), Error> {
    let nodes = place.nodes();
    let mut facts: BTreeSet<Fact> = routes::wanted(&place.folder, &nodes);
    let addresses = balancer::assign(client).await?;
    if let Some(node) = nodes.iter().find(|node| node.role == Role::Host) {
        let at = node.init;
        facts.extend(
            addresses
                .into_iter()
                .map(|address| Fact::Address { at, address }),
        );
    }
    network.settle(facts)?;
    volumes::settle(client, &place.folder).await
}
