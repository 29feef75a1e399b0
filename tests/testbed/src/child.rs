//! Becomes another program that dies with the process that started it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Why this process is not the program yet.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not promise the signal.
    #[error("asking for a signal at the parent's death")]
    Ask(#[source] io::Error),
    /// The parent is gone already.
    #[error("the process that started this is gone")]
    Orphan,
    /// The program cannot be run.
    #[error("running {}", program.display())]
    Run {
        /// The program.
        program: OsString,
        /// What the system said.
        source: io::Error,
    },
}

/// Replaces this process by `command`, which gets a SIGKILL when the thread of `parent` that
/// started it ends. Returns only if that does not work.
pub fn become_program(parent: u32, command: &[OsString]) -> Error {
    if let Err(error) = die_with_parent(parent) {
        return error;
    }
    let mut words = command.iter();
    let program = words.next().map(OsString::as_os_str);
    let program = program.unwrap_or(OsStr::new(""));
    let source = Command::new(program).args(words).exec();
    Error::Run {
        program: program.to_owned(),
        source,
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(parent: u32) -> Result<(), Error> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    asked.map_err(|error| Error::Ask(error.into()))?;
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
