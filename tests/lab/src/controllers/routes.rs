//! Routes to the pods. Nodes reach the pods on each other, those of their own cluster first, and the
//! machine reaches the pods of all nodes and the Services of the host cluster. What pods a node has is read from
//! the configuration of its containerd, so that nodes of tenants are served like the host's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::addresses::SERVICES;
use crate::network::Fact;
use crate::place::{Node, Role};

/// What is known about a node's pods.
#[derive(Debug, PartialEq, Eq)]
struct Pods {
    /// The API of the node's cluster.
    cluster: String,
    /// The networks of its pods.
    networks: Vec<String>,
}

/// Returns the routes that there should be among `nodes` of the lab in `folder`.
pub(super) fn wanted(folder: &Path, nodes: &[Node]) -> BTreeSet<Fact> {
    let mut known: Vec<(&Node, Pods)> = nodes
        .iter()
        .filter_map(|node| Some((node, read(&Node::folder(folder, &node.name))?)))
        .collect();
    // Clusters may use the same networks. The machine then reaches the host's.
    known.sort_by_key(|(node, _)| node.role != Role::Host);
    let mut facts = BTreeSet::new();
    let mut reached = BTreeSet::new();
    if let Some((host, _)) = known.first().filter(|(node, _)| node.role == Role::Host) {
        facts.insert(route(None, SERVICES, host));
    }
    for (node, pods) in &known {
        for network in &pods.networks {
            if reached.insert(network.clone()) {
                facts.insert(route(None, network, node));
            }
        }
        facts.extend(from(node, pods, &known));
    }
    facts
}

/// Returns the routes of a node: to the pods of its cluster, and to those of other clusters whose
/// networks are none of its own, as a tenant's nodes and its API need each other. The machine
/// between them forwards nothing.
fn from(node: &Node, own: &Pods, known: &[(&Node, Pods)]) -> Vec<Fact> {
    let mut reached: BTreeSet<&String> = own.networks.iter().collect();
    let mut facts = Vec::new();
    for is_own in [true, false] {
        let others = known.iter().filter(|(other, theirs)| {
            other.name != node.name && (theirs.cluster == own.cluster) == is_own
        });
        for (other, theirs) in others {
            let new = theirs.networks.iter().filter(|one| reached.insert(one));
            facts.extend(new.map(|network| route(Some(node.init), network, other)));
        }
    }
    facts
}

fn route(at: Option<u32>, network: &str, node: &Node) -> Fact {
    Fact::Route {
        at,
        network: network.to_owned(),
        via: node.address,
    }
}

/// Reads what is known about the pods of the node with this folder, once it has joined a cluster.
fn read(node: &Path) -> Option<Pods> {
    let etc = node.join("etc/upper");
    let kubeconfig = fs::read_to_string(etc.join("kubernetes/kubelet.conf")).ok()?;
    let server = kubeconfig
        .lines()
        .find(|line| line.trim_start().starts_with("server:"))?;
    let mut networks = Vec::new();
    for entry in fs::read_dir(etc.join("cni/net.d")).ok()?.flatten() {
        let text = fs::read(entry.path()).unwrap_or_default();
        networks.extend(subnets(&serde_json::from_slice(&text).unwrap_or_default()));
    }
    Some(Pods {
        cluster: server.trim().to_owned(),
        networks,
    })
}

/// Returns the subnets that a CNI configuration hands out.
fn subnets(config: &Value) -> Vec<String> {
    let plugins = config["plugins"].as_array().into_iter().flatten();
    let ranges = plugins
        .filter_map(|plugin| plugin["ipam"]["ranges"].as_array())
        .flatten();
    let parts = ranges.filter_map(Value::as_array).flatten();
    let subnets = parts.filter_map(|part| part["subnet"].as_str());
    subnets.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::Ipv4Addr;
    use std::path::Path;

    use super::{Fact, wanted};
    use crate::place::{Node, Role};

    fn node(lab: &Path, last: u8, cluster: &str, subnet: &str) -> Node {
        let name = format!("n{last}");
        let etc = Node::folder(lab, &name).join("etc/upper");
        for folder in ["kubernetes", "cni/net.d"] {
            fs::create_dir_all(etc.join(folder)).unwrap();
        }
        let kubeconfig = format!("clusters:\n- cluster:\n    server: {cluster}\n");
        fs::write(etc.join("kubernetes/kubelet.conf"), kubeconfig).unwrap();
        let ranges =
            format!(r#"{{"plugins":[{{"ipam":{{"ranges":[[{{"subnet":"{subnet}"}}]]}}}}]}}"#);
        fs::write(etc.join("cni/net.d/10.conflist"), ranges).unwrap();
        let role = if cluster == "host" {
            Role::Host
        } else {
            Role::Bare
        };
        Node {
            name,
            address: Ipv4Addr::new(10, 77, 0, last),
            role,
            init: u32::from(last),
        }
    }

    #[test]
    fn nodes_reach_their_own_cluster_first_and_the_machine_reaches_all() {
        let lab = tempfile::tempdir().unwrap();
        let nodes = [
            node(lab.path(), 1, "tenant", "10.78.1.0/24"),
            node(lab.path(), 2, "host", "10.78.1.0/24"),
            node(lab.path(), 3, "host", "10.78.2.0/24"),
        ];
        let routes: Vec<String> = wanted(lab.path(), &nodes)
            .into_iter()
            .map(|fact| match fact {
                Fact::Route { at, network, via } => format!("{} {network} {via}", at.unwrap_or(0)),
                Fact::Address { .. } => unreachable!(),
            })
            .collect();
        let expected = [
            "0 10.78.1.0/24 10.77.0.2",
            "0 10.78.2.0/24 10.77.0.3",
            "0 10.79.0.0/16 10.77.0.2",
            "1 10.78.2.0/24 10.77.0.3",
            "2 10.78.2.0/24 10.77.0.3",
            "3 10.78.1.0/24 10.77.0.2",
        ];
        assert_eq!(routes, expected);
    }

    #[test]
    fn nodes_of_no_cluster_have_no_routes() {
        let lab = tempfile::tempdir().unwrap();
        let mut node = node(lab.path(), 1, "tenant", "10.78.1.0/24");
        node.name = "other".to_owned();
        assert!(wanted(lab.path(), &[node]).is_empty());
    }
}
