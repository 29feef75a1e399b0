//! Wall time and peak memory of one process.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Says that this process is to measure its arguments instead of being the benchmark.
const PROBE: &str = "PINTLE_BENCH_PROBE";

/// What one run of a program took.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    /// Peak resident memory in KiB.
    pub(crate) memory: u64,
}

/// A program and the home folder it runs with.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) home: PathBuf,
}

impl Program {
    /// Runs the program once and measures it.
    ///
    /// The kernel reports the peak memory of children as one maximum over all of them, so each run
    /// gets a parent of its own: this very binary as a probe.
    pub(crate) fn measure(&self, args: &[&str]) -> Sample {
        let binary = env::current_exe().expect("the benchmark's own path");
        let output = Command::new(binary)
            .arg(&self.path)
            .args(args)
            .env(PROBE, "1")
            .env("HOME", &self.home)
            .output()
            .expect("the probe runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {args:?}: {errors}",
            self.path.display()
        );
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text
            .split_whitespace()
            .map(|word| word.parse().expect("a number"));
        let mut next = || numbers.next().expect("two numbers");
        Sample {
            wall: Duration::from_micros(next()),
            memory: next(),
        }
    }

    /// Runs the program without measuring it, and gives what it prints.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = Command::new(&self.path)
            .args(args)
            .env("HOME", &self.home)
            .output()
            .expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {args:?}: {errors}",
            self.path.display()
        );
        String::from_utf8(output.stdout).expect("UTF-8 text")
    }
}

/// Whether this process is a probe.
pub(crate) fn is_probe() -> bool {
    env::var_os(PROBE).is_some()
}

/// Runs the arguments as a program and prints its microseconds and KiB.
pub(crate) fn probe() {
    let mut args = env::args_os().skip(1);
    let mut command = Command::new(args.next().expect("a program"));
    command
        .args(args)
        .env_remove(PROBE)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().expect("the program runs");
    let wall = start.elapsed();
    assert!(status.success(), "{status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of the child");
    println!("{} {}", wall.as_micros(), usage.max_rss());
}
