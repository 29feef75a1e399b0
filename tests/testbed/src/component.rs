//! One running component: a process in a group of its own that dies with its launcher, and its
//! log.
//!
//! A process dies with the launcher because it is started through the launcher's own binary as
//! `LAUNCHER child --parent PID -- PROGRAM ARGUMENTS`, which asks the system for a SIGKILL at the
//! parent's death and then becomes PROGRAM ([`crate::child`]). The system takes the parent to be the *thread* that
//! started the process, so components are to be started by a thread that lives as long as they.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// How many of a log's last lines are shown.
const TAIL_LINES: usize = 15;

/// Returns a command of `launcher`, a binary with the command `child`, that runs the program and arguments which
/// are added to it, for as long as this thread lives.
pub fn dependent(launcher: &Path) -> Command {
    let mut command = Command::new(launcher);
    let parent = std::process::id().to_string();
    command.args(["child", "--parent", &parent, "--"]);
    command
}

/// A started component. Dropping it kills its process group.
#[derive(Debug)]
pub struct Component {
    name: String,
    process: Child,
    log: PathBuf,
}

impl Component {
    /// Starts `command` with its output going to `logs/NAME.log` of the run folder.
    ///
    /// All components are Go programs of a short life: they collect garbage half as often as they
    /// would, which takes more memory and a tenth less of the processor's time.
    ///
    /// # Errors
    /// An [`io::Error`] when the log cannot be made or the process does not start.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> io::Result<Self> {
        let log = folder.join("logs").join(format!("{name}.log"));
        let output = File::create(&log)?;
        let process = command
            .current_dir(folder)
            .env("GOGC", "200")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let name = name.to_owned();
        Ok(Self { name, process, log })
    }

    /// Returns the component's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id of the component's process and of its group.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns how the component ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Returns the last lines of the component's log.
    pub fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Sends SIGKILL to the component's group without waiting for its end.
    pub fn kill(&self) {
        if let Some(group) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            // Fails only if the whole group is gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.kill();
        let _ = self.process.wait();
    }
}
