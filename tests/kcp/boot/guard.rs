//! Makes processes end with the test, however that ends.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Reads process groups from stdin, and kills them all when that ends.
const SCRIPT: &str = "while read -r group; do groups=\"$groups -$group\"; done
test -z \"$groups\" || kill -s KILL -- $groups";

/// A process that outlives this one for a moment, to kill what this one has started. Dropping it
/// kills at once.
pub(super) struct Guard(Child);

impl Guard {
    /// Starts with nothing to kill.
    pub(super) fn new() -> Self {
        let child = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the test by its group, such as Ctrl-C, must not end the guard.
            .process_group(0)
            .spawn();
        Self(child.unwrap())
    }

    /// Takes on a process, the first of its group.
    pub(super) fn take_on(&mut self, process: &Child) {
        let stdin = self.0.stdin.as_mut().unwrap();
        writeln!(stdin, "{}", process.id()).unwrap();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_with_their_guard() {
        let mut guard = Guard::new();
        let start = |script| {
            let mut command = Command::new("sh");
            command
                .args(["-c", script])
                .process_group(0)
                .spawn()
                .unwrap()
        };
        let mut ended = start("exit 3");
        let mut running = start("sleep 1000; exit 4");
        let mut other = start("sleep 1000 & wait; exit 5");
        for process in [&ended, &running, &other] {
            guard.take_on(process);
        }
        assert_eq!(ended.wait().unwrap().code(), Some(3));
        drop(guard);
        assert_eq!(running.wait().unwrap().code(), None);
        assert_eq!(other.wait().unwrap().code(), None);
    }
}
