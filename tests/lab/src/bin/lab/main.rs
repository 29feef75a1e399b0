//! The process that a lab lives and dies with, and the commands that talk to it. Reads arguments and
//! environment, prints, and leaves building and launching to the library.

#![expect(
    clippy::disallowed_methods,
    reason = "files, environment, clock and processes are the work of this package"
)]

#[cfg(target_os = "linux")]
mod cli;
#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod error;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    commands::run().unwrap_or_else(|error| {
        error.print();
        ExitCode::FAILURE
    })
}

/// Nodes are made of namespaces.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    anstream::eprintln!("error: a lab runs on Linux only");
    ExitCode::FAILURE
}
