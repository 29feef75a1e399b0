//! pintle renders versioned control-plane charts with per-tenant values, keeps their release
//! history as Secrets in the cluster, and moves a live release between revisions by a three-way
//! diff.
//!
//! The library is a pipeline of pure stages between reads at one end and writes at the other;
//! [`ops`] walks it. Modules stand below in the order of their layers: a module uses only those
//! above it, which `tests/layers.rs` holds. The library prints nothing, reads neither the
//! environment nor the clock, and never exits: that is the binary's work.

pub mod yaml;

pub mod builtin;

pub mod capabilities;

pub mod chart;

pub mod render;

pub mod manifest;

pub mod lint;

pub mod release;

pub mod health;

pub mod x509;

pub mod kubeconfig;

pub mod plan;

pub mod event;

pub mod pki;

pub mod source;

pub mod cluster;

pub mod history;

pub mod ops;
