//! The programs that tests run, and APIs as kubectl reaches them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A host cluster and the programs of its testbed.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    /// A kubeconfig that may read Secrets.
    pub(crate) kubeconfig: PathBuf,
    /// The folder with kube-apiserver, etcd, kubectl, etcdctl and so on.
    pub(crate) bin: PathBuf,
}

impl Host {
    /// Returns the host's API.
    pub(crate) fn api(&self) -> Api {
        let kubeconfig = self.kubeconfig.display().to_string();
        Api::new(self, &["--kubeconfig", &kubeconfig])
    }

    /// Returns a command that runs a program of the testbed with no environment but what is given
    /// to it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        // Some programs want a home for their caches.
        command.env_clear().env("HOME", std::env::temp_dir());
        command.stdin(Stdio::null());
        command
    }
}

/// One user of one API server.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    host: Host,
    flags: Vec<String>,
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether it ended well.
    pub(crate) is_good: bool,
    /// What it printed.
    pub(crate) output: String,
    /// What it complained of.
    pub(crate) complaint: String,
}

impl Api {
    /// Returns the API that `flags` of kubectl lead to.
    pub(crate) fn new(host: &Host, flags: &[&str]) -> Self {
        Self {
            host: host.clone(),
            flags: flags.iter().copied().map(str::to_owned).collect(),
        }
    }

    /// Returns the same API with more flags.
    pub(crate) fn with(&self, flags: &[&str]) -> Self {
        let mut api = self.clone();
        api.flags.extend(flags.iter().copied().map(str::to_owned));
        api
    }

    /// Runs kubectl with `arguments`.
    pub(crate) fn try_run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Answer {
        let mut command = self.host.command("kubectl");
        command.args(&self.flags).args(arguments);
        answer(&mut command)
    }

    /// Runs kubectl with `arguments` and returns what it prints.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let answer = self.try_run(arguments);
        let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        assert!(
            answer.is_good,
            "kubectl {arguments:?}: {}",
            answer.complaint
        );
        answer.output
    }

    /// Runs `kubectl get` and returns the object or list that it prints.
    #[track_caller]
    pub(crate) fn get(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["get", "--output=json"], arguments].concat());
        serde_json::from_str(&output).unwrap()
    }

    /// Applies the manifest in `file`.
    #[track_caller]
    pub(crate) fn apply(&self, file: &Path) {
        self.run(&[
            OsStr::new("apply"),
            OsStr::new("--filename"),
            file.as_os_str(),
        ]);
    }
}

/// Runs a command to its end.
pub(crate) fn answer(command: &mut Command) -> Answer {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Answer {
        is_good: status.success(),
        output: String::from_utf8(stdout).unwrap(),
        complaint: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
