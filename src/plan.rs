//! Everything that is decided before the first write.
//!
//! A desired release, the base it follows and what the cluster holds come in; a complete,
//! printable and immutable plan goes out. Nothing here reads or writes, and time is an argument.

pub mod diff;
pub mod redact;
