//! A tenant of `charts/kcp` on the lab, by the real binary, as tests use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab::place::Node;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::{Site, lab, output};

/// The chart.
pub(crate) const CHART: &str = "charts/kcp";

/// The user of a tenant's pods.
const USER: &str = "65532";

/// A release in a namespace of its own, which goes with this value.
pub(crate) struct Tenant<'a> {
    pub(crate) site: &'a Site,
    pub(crate) name: String,
    pub(crate) folder: TempDir,
}

impl<'a> Tenant<'a> {
    /// A tenant whose release and namespace are called after `test`, not installed yet.
    pub(crate) fn new(site: &'a Site, test: &str) -> Self {
        Self {
            site,
            name: format!("{test}-{}", std::process::id()),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Installs it with further arguments, and returns what pintle said while it worked.
    #[track_caller]
    pub(crate) fn install(&self, args: &[&str]) -> String {
        let output = self.try_to("install", args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// Installs or upgrades it with further arguments.
    pub(crate) fn try_to(&self, change: &str, args: &[&str]) -> Output {
        let namespace = ["--namespace", &self.name];
        let mut all = [&[change, &self.name, CHART], &namespace[..], args].concat();
        if change == "install" {
            all.push("--create-namespace");
        }
        self.site.pintle_command(&all).output().unwrap()
    }

    /// What pintle says about its namespace.
    #[track_caller]
    pub(crate) fn pintle(&self, args: &[&str]) -> String {
        self.site
            .pintle(&[args, &["--namespace", &self.name]].concat())
    }

    /// What its namespace holds.
    #[track_caller]
    pub(crate) fn get(&self, args: &[&str]) -> Value {
        self.site
            .get(&[&["--namespace", &self.name], args].concat())
    }

    /// The kubeconfig that pintle has made for `user`, as a file.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        let text = self.pintle(&["kubeconfig", &self.name, "--user", user]);
        let path = self.folder.path().join(user);
        fs::write(&path, text).unwrap();
        path
    }

    /// A kubectl that uses a kubeconfig.
    pub(crate) fn kubectl(&self, kubeconfig: &Path) -> Command {
        let mut kubectl = self.site.command("kubectl");
        kubectl.arg("--kubeconfig").arg(kubeconfig);
        kubectl
    }

    /// The name of the tenant's API in its namespace.
    pub(crate) fn service(&self) -> String {
        format!("{}-apiserver", self.name)
    }

    /// Expects `count` pods, each ready and with a running process on its node.
    #[track_caller]
    pub(crate) fn has_containers(&self, count: usize) {
        let pods = self.get(&["pods"]);
        let pods = pods["items"].as_array().unwrap();
        assert_eq!(pods.len(), count, "{pods:#?}");
        for pod in pods {
            let status = &pod["status"]["containerStatuses"][0];
            assert_eq!(status["ready"], true, "{pod:#}");
            let node = pod["spec"]["nodeName"].as_str().unwrap();
            let id = status["containerID"].as_str().unwrap();
            let id = id.strip_prefix("containerd://").unwrap();
            let tasks = on_node(node, &["ctr", "--namespace=k8s.io", "tasks", "list"]);
            let task = tasks.lines().find(|line| line.starts_with(id)).unwrap();
            assert!(task.ends_with("RUNNING"), "{task}");
            let process = task.split_whitespace().nth(1).unwrap();
            let user = on_node(node, &["stat", "--format=%u", &format!("/proc/{process}")]);
            assert_eq!(user.trim(), USER);
        }
    }

    /// The folders of the tenant's volumes, as the machine sees them.
    pub(crate) fn volumes(&self) -> Vec<PathBuf> {
        let volumes = self.site.get(&["persistentvolumes"]);
        let volumes = volumes["items"].as_array().unwrap().iter();
        let own = volumes.filter(|volume| volume["spec"]["claimRef"]["namespace"] == *self.name);
        let folder = |volume: &Value| {
            let node = volume["metadata"]["labels"]["kubernetes.io/hostname"]
                .as_str()
                .unwrap();
            let path = volume["spec"]["local"]["path"].as_str().unwrap();
            let disk = Node::folder(&self.site.folder, node).join("disk");
            disk.join(path.trim_start_matches('/'))
        };
        own.map(folder).collect()
    }
}

impl Drop for Tenant<'_> {
    fn drop(&mut self) {
        let mut kubectl = self.site.command("kubectl");
        let _ = kubectl
            .args([
                "delete",
                "namespace",
                &self.name,
                "--ignore-not-found",
                "--wait=false",
            ])
            .output();
    }
}

/// Runs a command on a node.
#[track_caller]
pub(crate) fn on_node(node: &str, command: &[&str]) -> String {
    output(lab().args(["node", "exec", node, "--"]).args(command))
}
