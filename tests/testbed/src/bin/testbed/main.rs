//! The process that a testbed lives and dies with. Reads arguments and environment, prints, and
//! leaves building and launching to the library.

#![expect(
    clippy::disallowed_methods,
    reason = "files, environment, clock and processes are the work of this package"
)]

mod cli;
mod command;
mod detached;
mod error;
mod session;

use std::process::ExitCode;

use clap::Parser;
use testbed::child;

/// The exit code of a shell for a program that cannot be run.
const CANNOT_RUN: u8 = 127;

fn main() -> ExitCode {
    let result = match cli::Cli::parse().action {
        cli::Action::Build => session::build(),
        cli::Action::Exec { nodes, command } => command::exec(nodes, &command),
        cli::Action::Serve { nodes, minor } => session::serve(nodes, minor.as_deref()),
        cli::Action::Up { nodes } => detached::up(nodes),
        cli::Action::Down => detached::down(),
        cli::Action::Env => detached::env(),
        cli::Action::Daemon { nodes } => detached::daemon(nodes),
        cli::Action::Child { parent, command } => {
            error::Error::from(child::become_program(parent, &command)).print();
            Ok(ExitCode::from(CANNOT_RUN))
        }
    };
    result.unwrap_or_else(|error| {
        error.print();
        ExitCode::FAILURE
    })
}
