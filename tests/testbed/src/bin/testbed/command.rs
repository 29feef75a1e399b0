//! Runs a command beside a testbed of its own.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT};
use signal_hook::iterator::Signals;
use testbed::Testbed;
use testbed::component::dependent;
use testbed::running::PROGRAM;

use crate::error::{Error, system};
use crate::session;

/// Starts a testbed, runs `command` with it and exits with its code: 128 and the signal's number if
/// a signal ended it.
pub(crate) fn exec(nodes: usize, command: &[OsString]) -> Result<ExitCode, Error> {
    let mut testbed = session::start(nodes)?;
    let mut signals = session::signals()?;
    let mut command = spawn(&testbed, command)?;
    let status = wait(&mut testbed, &mut command, &mut signals)?;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn spawn(testbed: &Testbed, arguments: &[OsString]) -> Result<Child, Error> {
    let launcher = std::env::current_exe().map_err(system("finding the testbed binary"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = dependent(&launcher);
    command
        .args(arguments)
        .envs(testbed.place().environment(&path))
        .env(PROGRAM, &launcher);
    command
        .spawn()
        .map_err(system("running the testbed binary"))
}

/// Waits for the command's end, and passes on the signals that come meanwhile.
fn wait(
    testbed: &mut Testbed,
    command: &mut Child,
    signals: &mut Signals,
) -> Result<ExitStatus, Error> {
    for signal in signals.forever() {
        if signal == SIGCHLD {
            let ended = command.try_wait();
            if let Some(status) = ended.map_err(system("waiting for the command"))? {
                return Ok(status);
            }
            // The command dies with this process.
            testbed.check()?;
        } else if !(signal == SIGINT && is_foreground()) {
            send(command, signal);
        }
    }
    command.wait().map_err(system("waiting for the command"))
}

/// Tells whether this process and the command, which share a group, are what the terminal sends an
/// interrupt to: then the command has got it already.
fn is_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}

fn send(command: &Child, signal: i32) {
    let signal = match signal {
        SIGINT => Signal::INT,
        SIGHUP => Signal::HUP,
        _ => Signal::TERM,
    };
    if let Some(pid) = i32::try_from(command.id()).ok().and_then(Pid::from_raw) {
        // Fails only if the command has just ended, which SIGCHLD tells.
        let _ = kill_process(pid, signal);
    }
}
