//! Runs the binary and measures what it takes.
//!
//! The system tells the peak of memory of a process together with that of the process which started
//! it, if that is larger, and of all children of a process together. So a process that is small and
//! starts nothing else is in between: this test binary again, with nothing but [`measured`].

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

/// No run may have more memory than this, in KiB.
pub(crate) const MOST_MEMORY: i64 = 200_000_000 / 1024;
/// Only to get on with the other tests: what is still at work then has failed.
const PATIENCE: Duration = Duration::from_mins(3);
/// The folder of the run that [`measured`] measures.
const FOLDER: &str = "PINTLE_TEST_RUN";

#[derive(Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// None if a signal ended it, which is how a process crashes or is killed.
    pub(crate) code: Option<i32>,
    /// The peak of its memory in KiB.
    pub(crate) memory: i64,
    /// What it took of the processor, in milliseconds.
    pub(crate) milliseconds: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = |text: &str| text.chars().take(2000).collect::<String>();
        let (code, memory, time) = (self.code, self.memory, self.milliseconds);
        let (stdout, stderr) = (start(&self.stdout), start(&self.stderr));
        write!(
            f,
            "({code:?}, {memory} KiB, {time} ms)\nstdout:\n{stdout:?}\nstderr:\n{stderr:?}"
        )
    }
}

/// Runs pintle in the folder `work` of `trap`, with `home` for a home. Work on a chart may take so many
/// `seconds` of the processor.
pub(super) fn run(args: &[&str], trap: &Path, seconds: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("args", &serde_json::to_string(args).unwrap());
    let run = Command::new(env::current_exe().unwrap())
        .args(["hostile::measure::measured", "--exact", "--ignored"])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", trap.join("home"))
        .env(FOLDER, folder.path())
        .env("PINTLE_CHART_SECONDS", seconds)
        .current_dir(trap.join("work"))
        .output()
        .unwrap();
    let text = fs::read_to_string(folder.path().join("outcome"));
    let told = || String::from_utf8_lossy(&run.stdout).into_owned();
    let text = text.unwrap_or_else(|error| panic!("{error}: {}", told()));
    serde_json::from_str(&text).unwrap()
}

#[test]
#[ignore = "the other tests of this module run it"]
fn measured() {
    let folder = env::var_os(FOLDER).expect("a run to measure");
    let folder = Path::new(&folder);
    let args: Vec<String> =
        serde_json::from_str(&fs::read_to_string(folder.join("args")).unwrap()).unwrap();
    let file = |name| fs::File::create(folder.join(name)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(args)
        .env_remove(FOLDER)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .unwrap();
    let kill = format!("kill -9 {}", child.id());
    let (done, patience) = mpsc::channel::<()>();
    thread::spawn(move || {
        if patience.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
    });
    let status = child.wait().unwrap();
    drop(done);
    let read = |name| String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap()).into_owned();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let outcome = Outcome {
        code: status.code(),
        memory: usage.max_rss(),
        milliseconds: (usage.user_time() + usage.system_time()).num_milliseconds(),
        stdout: read("stdout"),
        stderr: read("stderr"),
    };
    fs::write(
        folder.join("outcome"),
        serde_json::to_string(&outcome).unwrap(),
    )
    .unwrap();
}
