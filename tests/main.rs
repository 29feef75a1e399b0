//! The one integration test crate: the layers, and everything that needs the real testbed or the
//! real binary.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read files and the environment themselves"
)]
#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts the bodies of tests, but not what they share"
)]

mod addresses;
mod archives;
mod bad_input;
mod cli;
mod cluster;
mod create;
mod crowd;
mod drift;
mod ending;
mod faults;
mod groups;
mod hooks;
mod hopeless;
mod hostile;
mod inside;
mod interop;
mod kcp;
mod layers;
mod lifecycle;
mod lint;
mod lock;
mod plan;
mod progress;
mod readiness;
mod records;
mod rights;
mod schemas;
mod strings;
mod support;
mod template;
mod tenant;
mod tour;
mod umbrella;
mod undo;
mod values;
