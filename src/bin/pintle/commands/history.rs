//! `pintle history`.

use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, History};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(global: &Global, args: &History) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let entries = ops::history(&connection.session(&args.name), args.max).await?;
        output::entries::print_history(&entries, args.output.output)?;
        Ok(ExitCode::SUCCESS)
    })
}
