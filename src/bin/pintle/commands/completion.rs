//! `pintle completion`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(shell: Shell) -> Result<ExitCode, Failure> {
    // Into memory first: the generator panics where its output is closed early.
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "pintle", &mut script);
    output::print_text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
