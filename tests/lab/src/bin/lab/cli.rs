//! The command line of the lab binary, by clap.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

/// Runs a Kubernetes cluster with real nodes and containers on this machine.
#[derive(Debug, Parser)]
#[command(name = "lab", version)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Says whether a lab can run here, and what is missing if not.
    Check,
    /// Builds the parts that are missing.
    Build,
    /// Starts the machine's lab unless it is up, and prints how to use it.
    Up,
    /// Prints how to use the lab that is up.
    Env,
    /// Stops the lab and removes all of it, also what a killed one has left.
    Down {
        /// Also while tests use it.
        #[arg(long)]
        force: bool,
    },
    /// Runs a lab until stdin ends, and prints where it is as one line of JSON.
    Serve,
    /// The lab's nodes.
    #[command(subcommand)]
    Node(NodeAction),
    /// Runs what `up` starts, in a session of its own.
    #[command(hide = true)]
    Daemon,
    /// Waits until stdin ends and removes what is left of the lab.
    #[command(hide = true)]
    Janitor,
    /// Becomes a program that dies with its parent.
    #[command(hide = true)]
    Child {
        /// The process id of the parent.
        #[arg(long)]
        parent: u32,
        /// The program and its arguments.
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
}

/// The commands about nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeAction {
    /// Lists the nodes with their addresses.
    List,
    /// Adds a node to the host cluster, unless it is there.
    Add {
        /// Its name.
        name: String,
        /// Leave it out of every cluster: containerd and the images are there, and kubeadm.
        #[arg(long)]
        bare: bool,
    },
    /// Turns a node off and on.
    Restart {
        /// Its name.
        name: String,
    },
    /// Turns a node off and removes it with its data.
    Remove {
        /// Its name.
        name: String,
    },
    /// Runs a command on a node and exits with its code.
    Exec {
        /// The node's name.
        name: String,
        /// The command and its arguments.
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
}
