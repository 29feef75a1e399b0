//! The command line of the testbed binary, by clap.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

/// Builds and runs a real Kubernetes control plane for tests, demo and benchmarks.
#[derive(Debug, Parser)]
#[command(name = "testbed", version)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Builds the components that are missing and prints the folders they are in.
    Build,
    /// Runs a command with a testbed of its own and exits with the command's code.
    ///
    /// The command finds `KUBECONFIG` and `PINTLE_TESTBED` set, kubectl, helm, etcdctl
    /// and kubeadm in `PATH`.
    Exec {
        /// How many simulated nodes there are.
        #[arg(long, default_value_t = 3)]
        nodes: usize,
        /// The command and its arguments.
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
    /// Runs a testbed until stdin ends, and prints where it is as one line of JSON.
    Serve {
        /// How many simulated nodes there are.
        #[arg(long, default_value_t = 3)]
        nodes: usize,
        /// The minor of the API server, such as 1.35; that of the other components by default.
        #[arg(long)]
        minor: Option<String>,
    },
    /// Starts a testbed that stays when the shell goes, and prints how to use it.
    Up {
        /// How many simulated nodes there are.
        #[arg(long, default_value_t = 3)]
        nodes: usize,
    },
    /// Stops what `up` started and removes all of it.
    Down,
    /// Prints how to use what `up` started.
    Env,
    /// Runs what `up` starts, in a session of its own.
    #[command(hide = true)]
    Daemon {
        /// How many simulated nodes there are.
        #[arg(long)]
        nodes: usize,
    },
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
