//! The resources that a chart renders to, parsed once.
//!
//! Rendered text comes in, ordered resources with unique ids and hooks go out, and the text that
//! Helm records. What the cluster holds is left to `plan`.

mod id;

pub use id::ResourceId;
