//! The `pintle` command: flags come in, the library does the work, stdout, stderr and the exit
//! code go out.

mod cli;
mod commands;
mod connection;
mod failure;
mod output;
mod overrides;
mod process;
mod signals;
mod watchdog;

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

use failure::Failure;

fn main() -> ExitCode {
    // One TLS provider, before anything can ask for one: rustls panics where it has to choose.
    // It fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given: Vec<OsString> = env::args_os().collect();
    let cli = match cli::parse(&given) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    cli.everywhere.colour();
    match watchdog::set_up().and_then(|()| commands::run(cli)) {
        Ok(code) => code,
        Err(failure) if failure.io_kind() == Some(ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        // Whoever has sent the signal knows why.
        Err(failure @ Failure::Interrupted) => ExitCode::from(failure.exit_code()),
        Err(failure) => output::error::print(&failure),
    }
}
