//! `pintle create`.

use std::io::Write;
use std::process::ExitCode;

use pintle::ops;
use pintle::source;

use crate::cli::Create;
use crate::failure::Failure;

pub(super) fn run(args: &Create) -> Result<ExitCode, Failure> {
    source::create(&args.path, args.starter).map_err(ops::Error::from)?;
    let path = args.path.display();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Created {path}")?;
    Ok(ExitCode::SUCCESS)
}
