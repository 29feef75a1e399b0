//! The wires of a lab: the bridge in the machine's own network, a pair of interfaces for each node,
//! and the routes and addresses that controllers want.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use crate::addresses::{BRIDGE, GATEWAY};
use crate::command::{Error, run};
use crate::place::Node;

/// Makes the bridge.
///
/// # Errors
/// An [`Error`] when `ip` fails.
pub(crate) fn make_bridge() -> Result<(), Error> {
    run(ip().args(["link", "add", BRIDGE, "type", "bridge"]))?;
    run(ip().args(["address", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE]))?;
    run(ip().args(["link", "set", BRIDGE, "up"])).map(drop)
}

/// Connects a node with the bridge. Its own end is called `eth0`.
///
/// # Errors
/// An [`Error`] when `ip` fails.
pub(crate) fn attach(node: &Node) -> Result<(), Error> {
    let name = interface(&node.name);
    // Of a node that has been killed it goes a moment after the node.
    remove_link(&name)?;
    let mut add = ip();
    add.args(["link", "add", &name, "master", BRIDGE, "up", "type", "veth"]);
    add.args(["peer", "name", "eth0", "netns", &node.init.to_string()]);
    run(&mut add).map(drop)
}

/// Removes the bridge and what is connected to it.
///
/// # Errors
/// An [`Error`] when `ip` fails.
pub(crate) fn remove() -> Result<(), Error> {
    let folder = format!("/sys/class/net/{BRIDGE}/brif");
    let connected = fs::read_dir(folder).into_iter().flatten().flatten();
    for interface in connected {
        remove_link(&interface.file_name().to_string_lossy())?;
    }
    remove_link(BRIDGE)
}

fn remove_link(name: &str) -> Result<(), Error> {
    let path = format!("/sys/class/net/{name}");
    let removed = run(ip().args(["link", "delete", name]));
    match removed {
        Err(error) if fs::exists(path).unwrap_or(true) => Err(error),
        _ => Ok(()),
    }
}

fn interface(node: &str) -> String {
    format!("{BRIDGE}-{node}")
}

fn ip() -> Command {
    Command::new("ip")
}

/// Something that a controller wants to be so in the network of a node or, without one, of the
/// machine. Nodes are told apart by their first process: a restarted one has forgotten all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// A network is reached by way of a node.
    Route {
        /// The first process of the node where it holds.
        at: Option<u32>,
        /// The network.
        network: String,
        /// The node's address.
        via: Ipv4Addr,
    },
    /// A node answers for an address.
    Address {
        /// The node's first process.
        at: u32,
        /// The address.
        address: Ipv4Addr,
    },
}

impl Fact {
    fn command(&self, action: &str) -> Command {
        let (at, words) = match self {
            Self::Route { at, network, via } => {
                let via = via.to_string();
                (
                    *at,
                    vec![
                        "route".to_owned(),
                        action.to_owned(),
                        network.clone(),
                        "via".to_owned(),
                        via,
                    ],
                )
            }
            Self::Address { at, address } => {
                let address = format!("{address}/32");
                let device = ["dev", "eth0"].map(str::to_owned);
                let words = ["address".to_owned(), action.to_owned(), address];
                (Some(*at), [words.as_slice(), &device].concat())
            }
        };
        let mut command = match at {
            None => ip(),
            Some(init) => {
                let mut command = Command::new("nsenter");
                command.args(["--target", &init.to_string(), "--net", "--", "ip"]);
                command
            }
        };
        command.args(words);
        command
    }
}

/// What controllers have made so.
#[derive(Debug, Default)]
pub(crate) struct Network {
    facts: BTreeSet<Fact>,
}

impl Network {
    /// Makes exactly `wanted` so, of what this value has to do with.
    ///
    /// # Errors
    /// An [`Error`] when `ip` fails; the next call tries again.
    pub(crate) fn settle(&mut self, wanted: BTreeSet<Fact>) -> Result<(), Error> {
        let stale: Vec<Fact> = self.facts.difference(&wanted).cloned().collect();
        for fact in stale {
            // Fails if it has gone with its node.
            let _ = run(&mut fact.command("delete"));
            self.facts.remove(&fact);
        }
        for fact in wanted {
            if !self.facts.contains(&fact) {
                run(&mut fact.command("replace"))?;
                self.facts.insert(fact);
            }
        }
        Ok(())
    }
}
