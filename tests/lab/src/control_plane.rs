//! The host cluster's control plane: processes of this machine that listen on the lab's bridge, set
//! up by kubeadm's phases.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::addresses::{API_PORT, GATEWAY, PODS, SERVICES};
use crate::command::{self, run};
use crate::images::Versions;
use crate::place::Place;

/// By which nodes join. The lab is nobody else's, and its API is reachable from this machine only.
pub(crate) const TOKEN: &str = "abcdef.0123456789abcdef";

/// Where containerd listens on a node.
const SOCKET: &str = "unix:///run/containerd/containerd.sock";

/// A component and its arguments.
pub(crate) type Program = (&'static str, Vec<String>);

/// Writes keys, certificates and kubeconfigs, and all that kubeadm and kubectl are to read.
///
/// # Errors
/// An [`io::Error`] when a file cannot be written or kubeadm fails.
pub(crate) fn prepare(place: &Place, versions: &Versions) -> io::Result<()> {
    let folder = &place.folder;
    let config = include_str!("../cluster/kubeadm.yaml")
        .replace("{address}", &GATEWAY.to_string())
        .replace("{port}", &API_PORT.to_string())
        .replace("{token}", TOKEN)
        .replace("{version}", &format!("v{}", versions.kubernetes))
        .replace("{folder}", &folder.display().to_string())
        .replace("{services}", SERVICES)
        .replace("{pods}", PODS)
        .replace("{etcd}", &etcd_url());
    fs::write(folder.join("kubeadm.yaml"), config)?;
    let storage_class = include_str!("../cluster/storage-class.yaml");
    fs::write(folder.join("storage-class.yaml"), storage_class)?;
    run(phase(place, &["certs", "all"]).args(config_flag(place))).map_err(io::Error::other)?;
    for user in ["super-admin", "controller-manager", "scheduler"] {
        let mut command = phase(place, &["kubeconfig", user]);
        command
            .args(config_flag(place))
            .arg("--kubeconfig-dir")
            .arg(folder);
        run(&mut command).map_err(io::Error::other)?;
    }
    fs::rename(folder.join("super-admin.conf"), &place.kubeconfig)?;
    let authority = fs::read(folder.join("pki/ca.crt"))?;
    fs::write(folder.join("discovery.conf"), discovery(place, &authority))
}

/// What a node knows about the cluster before it joins: where it is, whom to trust, and the token.
fn discovery(place: &Place, authority: &[u8]) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: {}
    certificate-authority-data: {}
users:
- name: lab
  user:
    token: {TOKEN}
contexts:
- name: lab
  context:
    cluster: lab
    user: lab
current-context: lab
",
        place.server,
        STANDARD.encode(authority)
    )
}

/// Returns what makes up the API.
pub(crate) fn servers(place: &Place) -> [Program; 2] {
    [("etcd", etcd(place)), ("kube-apiserver", api_server(place))]
}

/// Returns what uses the API, to be started when it is ready.
pub(crate) fn clients(place: &Place) -> [Program; 2] {
    let controller_manager = [
        kubeconfig(place, "controller-manager"),
        key(place, "service-account-private-key-file", "sa.key"),
        key(place, "root-ca-file", "ca.crt"),
        key(place, "cluster-signing-cert-file", "ca.crt"),
        key(place, "cluster-signing-key-file", "ca.key"),
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
        "--controllers=*,bootstrapsigner,tokencleaner".to_owned(),
        "--allocate-node-cidrs=true".to_owned(),
        format!("--cluster-cidr={PODS}"),
        "--node-cidr-mask-size=24".to_owned(),
        "--secure-port=0".to_owned(),
        // Each controller gets an account when it starts: at the usual rate that is seconds.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=500".to_owned(),
    ];
    let scheduler = [
        kubeconfig(place, "scheduler"),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ];
    [
        ("kube-controller-manager", controller_manager.to_vec()),
        ("kube-scheduler", scheduler.to_vec()),
    ]
}

fn etcd(place: &Place) -> Vec<String> {
    let peer = format!("http://{GATEWAY}:2380");
    vec![
        format!("--data-dir={}", place.folder.join("etcd").display()),
        format!("--listen-client-urls={}", etcd_url()),
        format!("--advertise-client-urls={}", etcd_url()),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // The data need not outlive the process.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn etcd_url() -> String {
    format!("http://{GATEWAY}:2379")
}

fn api_server(place: &Place) -> Vec<String> {
    vec![
        format!("--etcd-servers={}", etcd_url()),
        format!("--bind-address={GATEWAY}"),
        format!("--advertise-address={GATEWAY}"),
        format!("--secure-port={API_PORT}"),
        key(place, "client-ca-file", "ca.crt"),
        key(place, "tls-cert-file", "apiserver.crt"),
        key(place, "tls-private-key-file", "apiserver.key"),
        key(
            place,
            "kubelet-client-certificate",
            "apiserver-kubelet-client.crt",
        ),
        key(place, "kubelet-client-key", "apiserver-kubelet-client.key"),
        // The names of nodes are in no DNS.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        key(place, "service-account-key-file", "sa.pub"),
        key(place, "service-account-signing-key-file", "sa.key"),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--enable-bootstrap-token-auth=true".to_owned(),
        "--allow-privileged=true".to_owned(),
        key(place, "requestheader-client-ca-file", "front-proxy-ca.crt"),
        key(place, "proxy-client-cert-file", "front-proxy-client.crt"),
        key(place, "proxy-client-key-file", "front-proxy-client.key"),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
    ]
}

fn key(place: &Place, flag: &str, file: &str) -> String {
    format!("--{flag}={}", place.folder.join("pki").join(file).display())
}

fn kubeconfig(place: &Place, user: &str) -> String {
    let path = place.folder.join(format!("{user}.conf"));
    format!("--kubeconfig={}", path.display())
}

/// Puts into the cluster what nodes read when they join, and the storage class. The API is ready.
///
/// # Errors
/// A [`command::Error`] when kubeadm or kubectl fail.
pub(crate) fn furnish(place: &Place) -> Result<(), command::Error> {
    run_phase(place, &["upload-config", "all"])?;
    run_phase(place, &["bootstrap-token"])?;
    let mut apply = place.command("kubectl");
    apply.args(["apply", "--filename"]);
    run(apply.arg(place.folder.join("storage-class.yaml"))).map(drop)
}

/// Puts kube-proxy into the cluster. A node is ready: pods that are there before it fail at first,
/// as the kubelet has not read the Services, and it waits before it tries again.
///
/// # Errors
/// A [`command::Error`] when kubeadm fails.
pub(crate) fn kube_proxy(place: &Place) -> Result<(), command::Error> {
    run_phase(place, &["addon", "kube-proxy"])
}

/// Puts CoreDNS into the cluster, which wants the API's Service to work.
///
/// # Errors
/// A [`command::Error`] when kubeadm or kubectl fail.
pub(crate) fn coredns(place: &Place) -> Result<(), command::Error> {
    let mut print = phase(place, &["addon", "coredns"]);
    print.args(config_flag(place)).arg("--print-manifest");
    let manifest = run(&mut print)?;
    // It is ready a moment after it is looked at for the first time; the next look is 10 s later.
    let probe = "        readinessProbe:\n";
    let manifest = manifest.replace(probe, &format!("{probe}          periodSeconds: 1\n"));
    let path = place.folder.join("coredns.yaml");
    fs::write(&path, manifest).map_err(|source| command::Error::Start {
        line: format!("writing {}", path.display()),
        source,
    })?;
    run(place
        .command("kubectl")
        .args(["apply", "--filename"])
        .arg(path))
    .map(drop)
}

fn run_phase(place: &Place, words: &[&str]) -> Result<(), command::Error> {
    let mut command = phase(place, words);
    command.args(config_flag(place));
    run(command.arg("--kubeconfig").arg(&place.kubeconfig)).map(drop)
}

/// Returns the arguments of the kubeadm that makes a node one of the host cluster's.
pub(crate) fn join(folder: &Path, name: &str) -> Vec<String> {
    vec![
        "join".to_owned(),
        format!(
            "--discovery-file={}",
            folder.join("discovery.conf").display()
        ),
        format!("--tls-bootstrap-token={TOKEN}"),
        format!("--node-name={name}"),
        format!("--cri-socket={SOCKET}"),
    ]
}

fn phase(place: &Place, words: &[&str]) -> Command {
    let mut command = place.command("kubeadm");
    command.args(["init", "phase"]).args(words);
    command
}

fn config_flag(place: &Place) -> [String; 1] {
    [format!(
        "--config={}",
        place.folder.join("kubeadm.yaml").display()
    )]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{clients, discovery, servers};
    use crate::place::Place;

    #[test]
    fn components_meet_on_the_bridge() {
        let place = Place::new(Path::new("/lab"));
        let [(_, etcd), (_, api)] = servers(&place);
        let has = |arguments: &[String], expected: &str| {
            assert!(arguments.iter().any(|one| one == expected), "{expected}");
        };
        has(&etcd, "--listen-client-urls=http://10.77.0.1:2379");
        has(&api, "--etcd-servers=http://10.77.0.1:2379");
        has(&api, "--client-ca-file=/lab/pki/ca.crt");
        let [(_, manager), (_, scheduler)] = clients(&place);
        has(&manager, "--kubeconfig=/lab/controller-manager.conf");
        has(&scheduler, "--kubeconfig=/lab/scheduler.conf");
    }

    #[test]
    fn discovery_names_the_server_and_trusts_its_authority() {
        let text = discovery(&Place::new(Path::new("/lab")), b"authority");
        assert!(text.contains("server: https://10.77.0.1:6443\n"), "{text}");
        assert!(
            text.contains("certificate-authority-data: YXV0aG9yaXR5\n"),
            "{text}"
        );
    }
}
