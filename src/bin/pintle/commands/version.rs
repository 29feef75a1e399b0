//! `pintle version`.

use std::io::Write;
use std::process::ExitCode;

use crate::cli::Version;
use crate::failure::Failure;

pub(super) fn run(args: &Version) -> Result<ExitCode, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut stdout = std::io::stdout().lock();
    if args.short {
        writeln!(stdout, "{version}")?;
    } else {
        writeln!(stdout, "pintle {version}")?;
    }
    Ok(ExitCode::SUCCESS)
}
