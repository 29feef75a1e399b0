//! A client that writes to the tenant without a pause.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// The client, as long as this value lives.
pub(crate) struct Writer {
    is_done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Writer {
    /// Starts one that creates config maps by a kubectl with that kubeconfig.
    pub(crate) fn start(kubectl: Command, kubeconfig: PathBuf) -> Self {
        let is_done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_done);
        let thread = thread::spawn(move || write(&kubectl, &kubeconfig, &stop));
        Self {
            is_done,
            thread: Some(thread),
        }
    }

    /// Ends it, and returns the names of the config maps that the API has accepted.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.is_done.store(true, Ordering::Relaxed);
        let thread = self.thread.take().unwrap();
        thread.join().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
    }
}

fn write(like: &Command, kubeconfig: &PathBuf, stop: &AtomicBool) -> Vec<String> {
    let mut accepted = vec![];
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("write-{number}");
        let mut kubectl = Command::new(like.get_program());
        kubectl.envs(
            like.get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        kubectl.arg("--kubeconfig").arg(kubeconfig);
        kubectl.args(["--request-timeout=10s", "create", "configmap", &name]);
        let output = kubectl.output().unwrap();
        if output.status.success() {
            accepted.push(name);
        }
    }
    accepted
}
