//! A container that runs as a process.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::container::Container;
use super::host::Host;
use super::visitor::ask;

/// How long a process may take until it is ready. Real ones take seconds.
const PATIENCE: Duration = Duration::from_mins(2);
/// How many of a log's last lines are shown.
const TAIL: usize = 25;

/// A running process, the first of a group. Dropping it waits for its end.
pub(super) struct Process {
    container: Container,
    pub(super) child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a container; what it prints goes to `logs/POD.log` of `folder`.
    pub(super) fn start(host: &Host, container: Container, folder: &Path) -> Self {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).unwrap();
        let log = logs.join(format!("{}.log", container.pod));
        let output = File::create(&log).unwrap();
        let mut command = host.command(&container.program);
        let child = command
            .args(&container.arguments)
            .envs(&container.environment)
            .current_dir(folder)
            .process_group(0)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self {
            container,
            child,
            log,
        }
    }

    /// Waits until the readiness probe of the container passes.
    ///
    /// # Panics
    /// If the process ends before, or takes too long.
    pub(super) fn wait_until_ready(&mut self) {
        let (server, path) = &self.container.probe;
        let deadline = Instant::now() + PATIENCE;
        // As kubelets ask: as nobody, and without looking at the certificate.
        while let Err(error) = ask(server, path, None) {
            let pod = &self.container.pod;
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{pod} ended: {status}\n{}", self.tail());
            }
            let is_late = Instant::now() > deadline;
            assert!(!is_late, "{pod} is not ready: {error}\n{}", self.tail());
            sleep(Duration::from_millis(100));
        }
    }

    fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.wait();
    }
}
