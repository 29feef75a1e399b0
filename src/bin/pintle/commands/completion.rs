//! `pintle completion`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;

#[expect(clippy::unnecessary_wraps, reason = "all commands have one signature")]
pub(super) fn run(shell: Shell) -> Result<ExitCode, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "pintle", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
