//! A release of the chart in an API server of its own, as a tenant's is: without nodes, and with
//! nothing in it but what Kubernetes puts there. kubeadm then does the same there.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testbed::Running;

use super::compare::{Objects, differences};
use super::{CHART, tenant};
use crate::support::{Place, path};

/// Where a release differs from what kubeadm writes, and why: the beginnings of what
/// [`differences`] says. All else is the same.
const DIFFERENT: [(&str, &str); 23] = [
    (
        "ClusterRoleBinding kubeadm:cluster-admins",
        "kubeadm makes it in another phase, which needs a kubeconfig that it has made itself",
    ),
    (
        "PodDisruptionBudget kube-system/coredns",
        "a drain of two nodes at once must not take DNS away",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.caCertificateValidityPeriod",
        "authorities are pintle's business",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.certificateValidityPeriod",
        "as are certificates",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.encryptionAlgorithm",
        "as are keys",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.etcd",
        "no node of a tenant has an etcd",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.dns.disabled",
        "kubeadm must not upgrade what this release looks after",
    ),
    (
        "ConfigMap kube-system/kubeadm-config data.ClusterConfiguration.proxy.disabled",
        "nor this",
    ),
    (
        "ConfigMap kube-system/kubelet-config metadata.annotations.kubeadm.kubernetes.io/component-config.hash",
        "by it kubeadm takes the text for its own and writes it anew in upgrades",
    ),
    (
        "ConfigMap kube-system/kube-proxy metadata.annotations.kubeadm.kubernetes.io/component-config.hash",
        "the same",
    ),
    (
        "ConfigMap kube-system/kube-proxy data.config.conf.mode",
        "kubeadm leaves the choice to kube-proxy, which takes iptables",
    ),
    (
        "ConfigMap kube-system/kube-proxy data.config.conf.conntrack",
        "these are kube-proxy's own defaults, written out",
    ),
    (
        "DaemonSet kube-system/kube-proxy spec.template.metadata.annotations.checksum/config",
        "kube-proxy starts anew when its configuration changes",
    ),
    (
        "DaemonSet kube-system/kube-proxy spec.template.spec.containers.[kube-proxy].volumeMounts",
        "volumes have other names",
    ),
    (
        "DaemonSet kube-system/kube-proxy spec.template.spec.volumes",
        "the same",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.affinity",
        "the same selector in the shorter form",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.containers.[coredns].ports",
        "the ports of probes have no names",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.containers.[coredns].livenessProbe",
        "so probes name them by number",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.containers.[coredns].readinessProbe",
        "the same",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.securityContext.seccompProfile",
        "it needs no unusual system calls",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.tolerations",
        "a tenant has no nodes of a control plane",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.containers.[coredns].volumeMounts",
        "its volume has another name",
    ),
    (
        "Deployment kube-system/coredns spec.template.spec.volumes",
        "the same, and it has all of a config map with one file",
    ),
];

/// What controllers and API servers keep in the same namespaces.
const FOREIGN: [&str; 4] = [
    "extension-apiserver-authentication",
    "kube-apiserver-legacy-service-account-token-tracking",
    "kube-root-ca.crt",
    "kube-system",
];

/// The kinds that a release or kubeadm writes, as kubectl names them.
const KINDS: &str = "configmaps,services,deployments.apps,daemonsets.apps,\
                     poddisruptionbudgets,roles,rolebindings,clusterroles,clusterrolebindings";

/// The accounts of what runs on nodes; controllers get theirs when they please.
const ACCOUNTS: [&str; 2] = ["coredns", "kube-proxy"];

/// What there is now of what a release or kubeadm would write.
fn objects(place: &Place) -> Objects {
    let mut objects = Objects::new();
    let mut add = |kinds: &str, is_meant: &dyn Fn(&str) -> bool| {
        let all = place.get(&[kinds, "--all-namespaces"]);
        for object in all["items"].as_array().unwrap() {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
            if is_meant(text("name")) {
                let kind = object["kind"].as_str().unwrap();
                let name = match text("namespace") {
                    "" => text("name").to_owned(),
                    namespace => format!("{namespace}/{}", text("name")),
                };
                objects.insert(format!("{kind} {name}"), object.clone());
            }
        }
    };
    add(KINDS, &|name| !FOREIGN.contains(&name));
    add("serviceaccounts", &|name| ACCOUNTS.contains(&name));
    objects
}

/// The objects that came since `before`.
fn added(place: &Place, before: &Objects) -> Objects {
    let mut objects = objects(place);
    objects.retain(|name, _| !before.contains_key(name));
    objects
}

/// A file with the values of the tenant whose API `own` is.
fn values(place: &Place, own: &Running) -> String {
    let mut values = tenant();
    let authority = fs::read_to_string(own.folder.join("ca.crt")).unwrap();
    values["tenant"]["server"] = json!(own.server);
    values["tenant"]["certificateAuthority"] = json!(authority);
    values["tenant"]["serviceCIDRs"] = json!(["10.0.0.0/16"]);
    place.file("values.yaml", &values.to_string())
}

/// Runs the phases by which kubeadm gives a new cluster the same.
fn kubeadm(place: &Place, own: &Running) {
    let endpoint = own.server.trim_start_matches("https://");
    let port = endpoint.rsplit(':').next().unwrap();
    let config = format!(
        "apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: 10.96.0.1, bindPort: {port}}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: tenant-a
kubernetesVersion: v1.36.3
controlPlaneEndpoint: {endpoint}
networking: {{serviceSubnet: 10.0.0.0/16, podSubnet: 10.244.0.0/16, dnsDomain: cluster.local}}
"
    );
    let config = place.file("kubeadm.yaml", &config);
    for phase in [
        &["bootstrap-token"][..],
        &["upload-config", "all"],
        &["addon", "all"],
    ] {
        let mut command = Command::new(own.bin.join("kubeadm"));
        command.env_clear().env("HOME", place.folder());
        command.args(["init", "phase"]).args(phase);
        command.args(["--config", &config, "--kubeconfig"]);
        let output = command.arg(&own.kubeconfig).output().unwrap();
        assert!(
            output.status.success(),
            "{phase:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The health of a resource as `status` tells it.
fn health(place: &Place, name: &str) -> Value {
    let status = place
        .pintle(&["status", "addons", "-o", "json"])
        .ok()
        .json();
    let all = status["resources"].as_array().unwrap();
    let is_it = |one: &&Value| one["name"] == name && one["group"] == "apps";
    all.iter().find(is_it).unwrap()["health"].clone()
}

/// What anybody can read of `cluster-info` without being known.
fn cluster_info(place: &Place) -> Value {
    let url = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
    let run = place.kubectl(&["--as=system:anonymous", "get", "--raw", url]);
    run.ok().json()["data"].clone()
}

#[test]
fn a_release_comes_goes_and_leaves_alone_what_others_add() {
    let own = Running::start_own(0).unwrap();
    let place = Place::of(&own, "kube-system");
    let (chart, values) = (path(CHART), values(&place, &own));
    let before = objects(&place);
    let change = |command: &str, more: &[&str]| {
        let args = [command, "addons", &chart, "-f", &values, "--timeout", "1m"];
        place.pintle(&[&args[..], more].concat()).ok()
    };

    // No node is there, and none of its pods can run.
    change("install", &[]).prints(&["pintle join tenant-a"]);
    assert_ne!(health(&place, "coredns"), "ready");
    let ours = added(&place, &before);

    // As the controller that signs it does for each token.
    let signature = r#"{"data":{"jws-kubeconfig-abcdef":"signature"}}"#;
    let patch = [
        "patch",
        "configmap/cluster-info",
        "--namespace=kube-public",
        "--patch",
        signature,
    ];
    place.kubectl(&patch).ok();
    let first = cluster_info(&place);
    change("upgrade", &[]).prints(&["is unchanged"]);
    let moved = ["--set", "tenant.server=https://other.example:6443"];
    let no_proxy = ["--set", "kubeProxy.enabled=false"];
    change("upgrade", &[moved, no_proxy].concat()).says(&["deleted DaemonSet kube-proxy"]);
    let second = cluster_info(&place);
    assert_eq!(second["jws-kubeconfig-abcdef"], "signature");
    assert_ne!(second["kubeconfig"], first["kubeconfig"]);
    place.pintle(&["rollback", "addons", "1"]).ok();
    assert_eq!(cluster_info(&place), first);

    place.pintle(&["uninstall", "addons"]).ok();
    let left: Vec<String> = added(&place, &before).into_keys().collect();
    assert!(left.is_empty(), "{left:?}");

    kubeadm(&place, &own);
    as_listed(&differences(&ours, &added(&place, &before)));
}

/// Asserts that there are these differences and no others.
#[track_caller]
fn as_listed(found: &BTreeSet<String>) {
    let is_listed = |one: &&String| DIFFERENT.iter().any(|(start, _)| one.starts_with(start));
    let unlisted: Vec<_> = found.iter().filter(|one| !is_listed(one)).collect();
    assert!(unlisted.is_empty(), "not listed: {unlisted:#?}");
    let is_found = |start: &str| found.iter().any(|one| one.starts_with(start));
    let gone: Vec<_> = DIFFERENT
        .iter()
        .filter(|(start, _)| !is_found(start))
        .collect();
    assert!(gone.is_empty(), "no difference any more: {gone:#?}");
}
