//! Boots a tenant's control plane as processes of this machine.
//!
//! A host cluster of simulated nodes runs no container, so it cannot tell whether the pods of a
//! tenant would work. Here their commands, arguments, environment and mounted Secrets and
//! `ConfigMap`s are read back from the host's API and become processes: mounts become folders, and
//! the names of Services and pods become ports of 127.0.0.1. Nothing is known of the chart but the
//! labels of its pods.
//!
//! What a container may do (its user, its capabilities, a read-only root) is not looked at.

use std::path::{Path, PathBuf};

use serde_json::Value;

mod container;
mod guard;
mod host;
mod json;
mod network;
mod process;
mod snapshot;
mod visitor;
mod volume;

use container::Container;
use guard::Guard;
pub(crate) use host::{Answer, Api, Host, answer};
use network::Network;
use process::Process;
use snapshot::Snapshot;
pub(crate) use visitor::ask;

/// The components in the order in which they need each other.
const ORDER: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// A release whose pods are to be booted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Release<'a> {
    /// Its namespace in the host cluster.
    pub(crate) namespace: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
}

/// A running control plane. Dropping it kills its processes.
pub(crate) struct Tenant {
    host: Host,
    /// The namespace and the name of its release.
    release: (String, String),
    scene: Scene,
    /// Goes first: the processes wait for their end.
    guard: Guard,
    processes: Vec<Process>,
}

/// What a pod needs to become a process.
struct Scene {
    snapshot: Snapshot,
    network: Network,
    /// Where volumes, logs and other files go.
    folder: PathBuf,
}

impl Tenant {
    /// Boots the pods of `release` as they are on the host now, etcd first, and returns when all
    /// of them pass their own readiness probes. Files go to `folder`, an absolute path; a tenant
    /// that is booted there again finds the data of its volumes.
    ///
    /// # Panics
    /// If a pod asks for what the host does not have, or a process ends or never becomes ready;
    /// the message then has the end of its log.
    pub(crate) fn boot(host: &Host, release: Release<'_>, folder: &Path) -> Self {
        let snapshot = Snapshot::read(host, release);
        let mut tenant = Self {
            host: host.clone(),
            release: (release.namespace.to_owned(), release.name.to_owned()),
            scene: Scene {
                network: Network::lay(&snapshot),
                snapshot,
                folder: folder.to_owned(),
            },
            guard: Guard::new(),
            processes: Vec::new(),
        };
        for component in ORDER {
            tenant.start(component);
        }
        tenant
    }

    /// Starts the pods of a component and waits until they are ready.
    fn start(&mut self, component: &str) {
        let first = self.processes.len();
        for pod in self.scene.snapshot.pods_of(component) {
            let mounts = volume::mount(pod, &self.scene);
            let container = Container::of(pod, &mounts, &self.scene);
            let process = Process::start(&self.host, container, &self.scene.folder);
            self.guard.take_on(&process.child);
            self.processes.push(process);
        }
        assert!(
            self.processes.len() > first,
            "there is no pod of {component}"
        );
        for process in &mut self.processes[first..] {
            process.wait_until_ready();
        }
    }

    /// Returns the tenant's API as the user of the generated kubeconfig `part` reaches it through
    /// the pod of kube-apiserver number `index`.
    pub(crate) fn api(&self, part: &str, index: usize) -> Api {
        let text = self
            .scene
            .snapshot
            .secret_text(&self.name_of(part), "kubeconfig");
        let text = self.scene.network.translate(&text);
        let file = self.write(&format!("{part}.kubeconfig"), &text);
        let server = self.server(index);
        Api::new(&self.host, &["--kubeconfig", &file, "--server", &server])
    }

    /// Returns the tenant's API as the owner of `token` reaches it through the pod of
    /// kube-apiserver number `index`.
    pub(crate) fn api_by_token(&self, token: &str, index: usize) -> Api {
        let authority = self.secret_file("kubernetes-ca", "tls.crt");
        Api::new(
            &self.host,
            &[
                "--kubeconfig=/dev/null",
                "--server",
                &self.server(index),
                "--certificate-authority",
                &authority,
                "--token",
                token,
            ],
        )
    }

    /// Returns the address of the pod of kube-apiserver number `index`, as a URL.
    pub(crate) fn server(&self, index: usize) -> String {
        format!(
            "https://{}",
            self.addresses("kube-apiserver", "https")[index]
        )
    }

    /// Returns where each pod of a component listens on the port called `port`, as
    /// `127.0.0.1:PORT`.
    pub(crate) fn addresses(&self, component: &str, port: &str) -> Vec<String> {
        let pods = self.scene.snapshot.pods_of(component);
        pods.map(|pod| self.scene.network.address_of(pod, port))
            .collect()
    }

    /// Returns the addresses that the pods of a component have on the host.
    pub(crate) fn pod_ips(&self, component: &str) -> Vec<String> {
        let pods = self.scene.snapshot.pods_of(component);
        pods.map(|pod| json::text(pod, "/status/podIP").to_owned())
            .collect()
    }

    /// Writes one key of a Secret of the release to a file and returns its path.
    pub(crate) fn secret_file(&self, part: &str, key: &str) -> String {
        let data = self.scene.snapshot.secret_text(&self.name_of(part), key);
        self.write(&format!("{part}.{key}"), &data)
    }

    /// Returns the host name of a Service of the release inside the host cluster.
    pub(crate) fn host_name(&self, part: &str) -> String {
        format!("{}.{}.svc", self.name_of(part), self.release.0)
    }

    /// Returns the name of an object of the release.
    fn name_of(&self, part: &str) -> String {
        format!("{}-{part}", self.release.1)
    }

    /// Returns the host that the tenant was booted from.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.scene.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// Returns the component that a pod belongs to.
fn component(pod: &Value) -> &str {
    json::text(pod, "/metadata/labels/app.kubernetes.io~1component")
}
