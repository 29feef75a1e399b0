//! Tenants of `charts/kcp` as real containers, installed by the real binary.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab::place::Node;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::{Site, lab, output, shared, until};

/// The chart.
const CHART: &str = "charts/kcp";

/// The user of a tenant's pods.
const USER: &str = "65532";

/// A release in a namespace of its own, which goes with this value.
struct Tenant<'a> {
    site: &'a Site,
    name: String,
    folder: TempDir,
}

impl<'a> Tenant<'a> {
    /// Installs a tenant with the values in `values`, a YAML text.
    fn install(site: &'a Site, test: &str, values: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("values.yaml");
        fs::write(&file, values).unwrap();
        let name = format!("{test}-{}", std::process::id());
        let tenant = Self { site, name, folder };
        let values = file.to_str().unwrap();
        tenant.pintle(&[
            "install",
            &tenant.name,
            CHART,
            "--create-namespace",
            "-f",
            values,
        ]);
        tenant
    }

    fn pintle(&self, args: &[&str]) -> String {
        self.site
            .pintle(&[args, &["--namespace", &self.name, "--timeout", "3m"]].concat())
    }

    fn get(&self, args: &[&str]) -> Value {
        self.site
            .get(&[&["--namespace", &self.name], args].concat())
    }

    /// The kubeconfig that pintle has made for `user`, as a file.
    fn kubeconfig(&self, user: &str) -> PathBuf {
        let secret = self.get(&["secret", &format!("{}-kubeconfig-{user}", self.name)]);
        let data = secret["data"]["kubeconfig"].as_str().unwrap();
        let path = self.folder.path().join(user);
        fs::write(&path, STANDARD.decode(data).unwrap()).unwrap();
        path
    }

    /// A kubectl that uses the kubeconfig of `user`.
    fn kubectl(&self, user: &str) -> Command {
        let mut kubectl = self.site.command("kubectl");
        kubectl.arg("--kubeconfig").arg(self.kubeconfig(user));
        kubectl
    }

    /// Expects `count` pods, each ready and with a running process on its node.
    #[track_caller]
    fn has_containers(&self, count: usize) {
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
    fn volumes(&self) -> Vec<PathBuf> {
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
            .args(["delete", "namespace", &self.name, "--ignore-not-found"])
            .output();
    }
}

fn on_node(node: &str, command: &[&str]) -> String {
    output(lab().args(["node", "exec", node, "--"]).args(command))
}

pub(crate) fn of_one_member() {
    let site = shared();
    let tenant = Tenant::install(&site, "one", "{}");
    tenant.has_containers(4);

    let service = format!("{}-apiserver", tenant.name);
    let address = tenant.get(&["service", &service]);
    let address = address["spec"]["clusterIP"].as_str().unwrap();
    let server_name = format!("{service}.{}.svc", tenant.name);
    let mut kubectl = tenant.kubectl("super-admin");
    kubectl.args(["--server", &format!("https://{address}:6443")]);
    kubectl.args(["--tls-server-name", &server_name]);
    assert_eq!(output(kubectl.args(["get", "--raw=/readyz"])), "ok");

    let [volume] = <[PathBuf; 1]>::try_from(tenant.volumes()).unwrap();
    assert!(
        volume.join("data/member/snap/db").exists(),
        "{}",
        volume.display()
    );
    tenant.pintle(&["uninstall", &tenant.name]);
    until("the data of an uninstalled tenant stays", || {
        tenant.volumes().is_empty() && !volume.exists()
    });
}

pub(crate) fn of_three_members() {
    let site = shared();
    for node in ["host-2", "host-3"] {
        output(lab().args(["node", "add", node]));
    }
    let address = "10.77.0.240";
    let values = format!(
        "etcd: {{replicas: 3}}
endpoint:
  type: LoadBalancer
  ip: {address}
  annotations: {{metallb.io/loadBalancerIPs: {address}}}
"
    );
    let tenant = Tenant::install(&site, "three", &values);
    tenant.has_containers(6);
    let volumes = tenant.volumes();
    let nodes = site.nodes();
    for node in nodes.iter().filter(|node| node.name.starts_with("host-")) {
        let folder = Node::folder(&site.folder, &node.name);
        let here = volumes.iter().filter(|volume| volume.starts_with(&folder));
        assert_eq!(here.count(), 1, "{volumes:?}");
    }
    // By the address that is in it.
    let mut kubectl = tenant.kubectl("admin");
    assert_eq!(output(kubectl.args(["get", "--raw=/readyz"])), "ok");
}
