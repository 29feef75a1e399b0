//! Becomes another program that dies with the process that started it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::error::Error;

/// The exit code of a shell for a program that cannot be run.
const CANNOT_RUN: u8 = 127;

/// Replaces this process by `command`, which gets a SIGKILL when the thread that started it ends.
/// Returns only if that does not work.
pub(crate) fn become_program(parent: u32, command: &[OsString]) -> Result<ExitCode, Error> {
    die_with_parent(parent)?;
    let Some((program, arguments)) = command.split_first() else {
        return Ok(ExitCode::from(CANNOT_RUN));
    };
    let source = Command::new(program).args(arguments).exec();
    let program = program.clone();
    Error::Run { program, source }.print();
    Ok(ExitCode::from(CANNOT_RUN))
}

#[cfg(target_os = "linux")]
fn die_with_parent(parent: u32) -> Result<(), Error> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL)).map_err(crate::error::system(
        "asking for a signal at the parent's death",
    ))?;
    // The parent may have died before that: then no signal comes.
    let actual = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if actual == Some(parent) {
        return Ok(());
    }
    Err(Error::Orphan)
}

/// Only Linux can do this. Elsewhere components outlive a testbed that is killed by SIGKILL.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn die_with_parent(_parent: u32) -> Result<(), Error> {
    Ok(())
}
