//! What a cloud does for a host cluster: volumes for claims, addresses for Services of type
//! `LoadBalancer`, and routes between the networks of pods. A thread of the launcher looks at the
//! cluster several times a second and does what is missing; state is in the cluster alone.

mod balancer;
mod routes;
mod volumes;

use std::collections::BTreeSet;
use std::io;
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

/// Starts the controllers. They end with the process.
pub(crate) fn start(place: &Place, report: fn(&str)) {
    let place = place.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(run(&place, report)),
            Err(error) => report(&error.to_string()),
        }
    });
}

async fn run(place: &Place, report: fn(&str)) {
    let client = match connect(place).await {
        Ok(client) => client,
        Err(error) => return report(&error.to_string()),
    };
    let mut network = Network::default();
    let mut said = String::new();
    loop {
        let result = pass(place, &client, &mut network).await;
        let error = result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        // Once, not at every pass.
        if !error.is_empty() && error != said {
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
