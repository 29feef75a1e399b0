//! Tenants of `charts/kcp` as real containers, installed by the real binary.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::addresses::{GATEWAY, PODS, SERVICES};
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
            .pintle(&[args, &["--namespace", &self.name]].concat())
    }

    fn get(&self, args: &[&str]) -> Value {
        self.site
            .get(&[&["--namespace", &self.name], args].concat())
    }

    /// The kubeconfig that pintle has made for `user`, as a file.
    fn kubeconfig(&self, user: &str) -> PathBuf {
        let text = self.pintle(&["kubeconfig", &self.name, "--user", user]);
        let path = self.folder.path().join(user);
        fs::write(&path, text).unwrap();
        path
    }

    /// The kubeconfig of a user that may do everything, for use at `address`: what it has in it is
    /// known inside the host cluster only.
    fn kubeconfig_at(&self, address: &str) -> PathBuf {
        let path = self.kubeconfig("super-admin");
        let inside = format!("{}.{}.svc", self.service(), self.name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&inside), "{inside}");
        fs::write(&path, text.replace(&inside, address)).unwrap();
        path
    }

    /// A kubectl that uses a kubeconfig.
    fn kubectl(&self, kubeconfig: &Path) -> Command {
        let mut kubectl = self.site.command("kubectl");
        kubectl.arg("--kubeconfig").arg(kubeconfig);
        kubectl
    }

    /// The name of the tenant's API in its namespace.
    fn service(&self) -> String {
        format!("{}-apiserver", self.name)
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

fn on_node(node: &str, command: &[&str]) -> String {
    output(lab().args(["node", "exec", node, "--"]).args(command))
}

/// The values by which a tenant is reached at `address`.
fn endpoint(address: &str) -> String {
    format!(
        "endpoint:
  type: LoadBalancer
  ip: {address}
  annotations: {{metallb.io/loadBalancerIPs: {address}}}
"
    )
}

pub(crate) fn of_one_member() {
    let site = shared();
    let tenant = Tenant::install(&site, "one", "{}");
    tenant.has_containers(4);

    let service = tenant.service();
    let address = tenant.get(&["service", &service]);
    let address = address["spec"]["clusterIP"].as_str().unwrap();
    let server_name = format!("{service}.{}.svc", tenant.name);
    let mut kubectl = tenant.kubectl(&tenant.kubeconfig("super-admin"));
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
    let values = format!("etcd: {{replicas: 3}}\n{}", endpoint("10.77.0.240"));
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
    let mut kubectl = tenant.kubectl(&tenant.kubeconfig("admin"));
    assert_eq!(output(kubectl.args(["get", "--raw=/readyz"])), "ok");
}

impl Tenant<'_> {
    /// Puts into the tenant what kubeadm puts into a cluster, with nothing in it for nodes of the
    /// lab, and returns the command by which nodes join at `address`.
    fn furnish(&self, address: &str) -> String {
        let lab = fs::read_to_string(self.site.folder.join("kubeadm.yaml")).unwrap();
        let config = lab
            .replace(&GATEWAY.to_string(), address)
            .replace(SERVICES, "10.96.0.0/16")
            .replace(PODS, "10.244.0.0/16")
            .replace(
                &self.site.folder.join("pki").display().to_string(),
                "/etc/kubernetes/pki",
            );
        assert!(!config.contains("KubeletConfiguration"), "{config}");
        let file = self.folder.path().join("kubeadm.yaml");
        fs::write(&file, config).unwrap();
        let kubeconfig = self.kubeconfig_at(address);
        for phase in [
            &["upload-config", "all"],
            &["bootstrap-token"] as &[&str],
            &["addon", "kube-proxy"],
            &["addon", "coredns"],
        ] {
            let mut kubeadm = self.site.command("kubeadm");
            kubeadm.args(["init", "phase"]).args(phase);
            kubeadm.arg("--config").arg(&file);
            output(kubeadm.arg("--kubeconfig").arg(&kubeconfig));
        }
        let mut create = self.site.command("kubeadm");
        create.args(["token", "create", "--print-join-command", "--kubeconfig"]);
        let join = output(create.arg(&kubeconfig));
        let (_, token) = join.split_once("--token ").unwrap();
        let (id, _) = token.split_once('.').unwrap();
        // Until the token has signed what joining nodes read, they only wait.
        until("the token signs nothing", || {
            let mut kubectl = self.kubectl(&kubeconfig);
            kubectl.args([
                "--namespace=kube-public",
                "get",
                "configmap",
                "cluster-info",
            ]);
            let signed = output(kubectl.arg("--output=yaml"));
            signed.contains(&format!("jws-kubeconfig-{id}"))
        });
        join
    }
}

pub(crate) fn with_a_worker() {
    let site = shared();
    let address = "10.77.0.241";
    let tenant = Tenant::install(&site, "join", &endpoint(address));
    let join = tenant.furnish(address);
    assert!(join.starts_with(&format!("kubeadm join {address}:6443 --token ")));
    assert!(join.contains(" --discovery-token-ca-cert-hash sha256:"));
    output(lab().args(["node", "add", "worker-1", "--bare"]));
    on_node("worker-1", &join.split_whitespace().collect::<Vec<&str>>());

    let kubeconfig = tenant.kubeconfig_at(address);
    let kubectl = |args: &[&str]| output(tenant.kubectl(&kubeconfig).args(args));
    kubectl(&[
        "create",
        "deployment",
        "web",
        "--image=docker.io/library/nginx:lab",
    ]);
    kubectl(&[
        "expose",
        "deployment",
        "web",
        "--type=NodePort",
        "--port=80",
    ]);
    kubectl(&["rollout", "status", "deployment/web", "--timeout=2m"]);
    let port = kubectl(&[
        "get",
        "service",
        "web",
        "--output=jsonpath={.spec.ports[0].nodePort}",
    ]);
    let worker = site.node("worker-1").unwrap().address;
    until("the web server of a tenant does not answer", || {
        get(&format!("{worker}:{port}")).is_ok_and(|page| page.contains("Welcome to nginx"))
    });
    output(lab().args(["node", "remove", "worker-1"]));
}

/// What is served at `/`.
fn get(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}
