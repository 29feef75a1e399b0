//! Builds and launches a real Kubernetes control plane for tests, demo and benchmarks: etcd,
//! kube-apiserver, kube-controller-manager, kube-scheduler, and kwok, which plays the nodes.
//!
//! [`builder`] compiles the components from Go modules into a cache folder, [`launch`] starts them
//! and ends them, and [`running`] is what a test uses to find a testbed or to start one.
//! [`recorder`] writes down what a client asks the API server, [`faults`] spoils it, and a [`meddler`] is
//! faster; all go through a [`gateway`]. On a [`relay`] connections fall silent. A [`terminal`] shows what a program
//! draws. The library prints nothing; the binary `testbed` beside it is the process that the components live and die
//! with.

#![expect(
    clippy::disallowed_methods,
    reason = "files, environment, clock and processes are the work of this package"
)]

pub mod gomod;

pub mod module;

pub mod cache;

pub mod builder;

pub mod run_folder;

pub mod place;

pub mod child;

pub mod component;

pub mod launch;

pub mod running;

pub mod gateway;

pub mod recorder;

pub mod faults;

pub mod meddler;

pub mod relay;

pub mod terminal;

pub use faults::{Fault, Faulty};
pub use gateway::Gateway;
pub use launch::{Options, Testbed};
pub use meddler::Meddler;
pub use place::{Place, User};
pub use recorder::Recorder;
pub use relay::Relay;
pub use running::Running;
pub use terminal::Terminal;
