//! A host cluster with real nodes and containers, on one machine, for tests: a control plane of
//! processes, and nodes that are namespaces with a containerd and a kubelet each.
//!
//! [`parts`] builds what nodes and images are made of, [`launch`] starts a lab, [`place`] is what
//! its users need to know, and [`remains`] removes whatever is left of one. One lab runs on a
//! machine at a time. The library prints nothing; the binary `lab` beside it is the process that a
//! lab lives and dies with.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    reason = "files, environment, clock and processes are the work of this package"
)]

pub mod requirements;

pub mod modules;

pub mod packages;

mod archive;

pub mod images;

pub mod store;

pub mod parts;

pub mod addresses;

pub mod cgroups;

pub mod place;

pub mod control;

pub mod command;

mod node;

mod control_plane;

mod network;

mod registry;

mod controllers;

pub mod launch;

pub mod remains;
