//! The chart `charts/tenant`: what it refuses, what it renders to, and whether a tenant has with it
//! what kubeadm would have given it.

mod compare;
mod live;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use pintle::capabilities::{Capabilities, Kinds};
use pintle::chart::{Chart, Tree, Values, schema};
use pintle::manifest::{Manifest, Placement, Resource};
use pintle::render::{self, Operation, ReleaseFacts, Rendered, Scope};
use pintle::source::{self, ChartRef};
use pintle::yaml;
use serde_json::{Value, json};

use crate::support::{path, testbed};

/// The chart.
const CHART: &str = "charts/tenant";
/// The config maps with objects of Kubernetes in them: name, key, apiVersion and kind.
const OBJECTS: [[&str; 4]; 5] = [
    ["cluster-info", "kubeconfig", "v1", "Config"],
    [
        "kubeadm-config",
        "ClusterConfiguration",
        "kubeadm.k8s.io/v1beta4",
        "ClusterConfiguration",
    ],
    [
        "kubelet-config",
        "kubelet",
        "kubelet.config.k8s.io/v1beta1",
        "KubeletConfiguration",
    ],
    [
        "kube-proxy",
        "config.conf",
        "kubeproxy.config.k8s.io/v1alpha1",
        "KubeProxyConfiguration",
    ],
    ["kube-proxy", "kubeconfig.conf", "v1", "Config"],
];

fn chart() -> Chart {
    source::load(&ChartRef::parse(&path(CHART)).unwrap()).unwrap()
}

/// What `--into` would say of a tenant.
fn tenant() -> Value {
    json!({"tenant": {
        "name": "tenant-a",
        "server": "https://api.example:6443",
        "certificateAuthority": "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
        "kubernetesVersion": "1.36.3",
        "serviceCIDRs": ["10.96.0.0/16"],
        "podCIDRs": ["10.244.0.0/16"],
        "dnsDomain": "cluster.local",
    }})
}

/// The chart's values below those of a tenant below those that are given.
fn values(chart: &Chart, given: &Value) -> Values {
    let over = |below: &Values, above: &Value| {
        Values::coalesce(below, &serde_json::from_value(above.clone()).unwrap())
    };
    over(&over(&chart.values, &tenant()), given)
}

fn rendered(given: &Value) -> Rendered {
    let chart = chart();
    let values = values(&chart, given);
    schema::check(chart.schema.as_ref().unwrap(), &values, &[]).unwrap();
    let facts = ReleaseFacts {
        name: "addons",
        namespace: "kube-system",
        revision: 1,
        operation: Operation::Install,
    };
    let capabilities = Capabilities::builtin();
    let scope = Scope {
        release: facts,
        values,
        off: &BTreeSet::new(),
        capabilities: &capabilities,
    };
    render::render(&Tree::of(&chart).unwrap(), scope).unwrap()
}

fn resources(given: &Value) -> Vec<Resource> {
    let placement = Placement {
        namespace: "kube-system",
        kinds: &Kinds::default(),
    };
    let manifest = Manifest::parse(&rendered(given), placement).unwrap();
    manifest.resources
}

/// The body of a resource.
#[track_caller]
fn body<'a>(resources: &'a [Resource], kind: &str, name: &str) -> &'a Value {
    let is_it = |one: &&Resource| one.id.kind == kind && one.id.name == name;
    let found = resources.iter().find(is_it);
    &found.unwrap_or_else(|| panic!("no {kind} {name}")).body
}

/// A file in a config map, parsed.
#[track_caller]
fn file(resources: &[Resource], name: &str, key: &str) -> Value {
    let text = body(resources, "ConfigMap", name)["data"][key].as_str();
    yaml::parse(text.unwrap_or_else(|| panic!("no {key} in {name}"))).unwrap()
}

/// All output in one text, as a golden file.
fn golden(given: &Value) -> String {
    let rendered = rendered(given);
    let files = rendered.files.iter();
    let files = files.map(|file| format!("--- {}\n{}", file.path, file.text));
    let notes = rendered.notes.iter();
    let notes = notes.map(|notes| format!("--- notes\n{notes}"));
    files.chain(notes).collect()
}

/// A tenant of this version.
fn of(version: &str) -> Value {
    json!({"tenant": {"kubernetesVersion": version}})
}

/// A tenant with networks of both families.
fn dual_stack() -> Value {
    json!({"tenant": {
        "server": "https://[2001:db8::1]:6443",
        "serviceCIDRs": ["fd00:96::/108", "10.96.0.0/16"],
        "podCIDRs": ["fd00:244::/48", "10.244.0.0/16"],
    }})
}

#[test]
fn every_rule_has_its_message() {
    let chart = chart();
    let text = fs::read_to_string(path("tests/tenant/rules.yaml")).unwrap();
    let cases = yaml::parse(&text).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 24, "{}", cases.len());
    for case in cases {
        let values = values(&chart, &case["values"]);
        let refused = schema::check(chart.schema.as_ref().unwrap(), &values, &[]).unwrap_err();
        let message = case["message"].as_str().unwrap();
        assert!(
            refused.to_string().contains(message),
            "{message}\nis not in\n{refused}"
        );
    }
}

#[test]
fn the_newest_minor() {
    insta::assert_snapshot!(golden(&json!({})));
}

/// What another minor changes: versions, and nothing that an older kubelet would not know.
#[test]
fn older_minors_differ_in_versions_alone() {
    for (version, coredns) in [("1.34.4", "v1.12.1"), ("1.35.4", "v1.13.1")] {
        let newer = golden(&json!({}));
        let older = golden(&of(version));
        let renamed = newer.replace("1.36.3", version).replace("v1.14.2", coredns);
        assert_eq!(older, renamed);
        assert_ne!(older, newer);
    }
}

#[test]
fn both_families() {
    let resources = resources(&dual_stack());
    let service = &body(&resources, "Service", "kube-dns")["spec"];
    assert_eq!(service["clusterIP"], "fd00:96::a");
    assert_eq!(service["clusterIPs"], json!(["fd00:96::a", "10.96.0.10"]));
    assert_eq!(service["ipFamilies"], json!(["IPv6", "IPv4"]));
    let kubelet = file(&resources, "kubelet-config", "kubelet");
    assert_eq!(kubelet["clusterDNS"], json!(["fd00:96::a"]));
    let proxy = file(&resources, "kube-proxy", "config.conf");
    assert_eq!(proxy["bindAddress"], "::");
    assert_eq!(proxy["clusterCIDR"], "fd00:244::/48,10.244.0.0/16");
    let kubeadm = file(&resources, "kubeadm-config", "ClusterConfiguration");
    assert_eq!(kubeadm["controlPlaneEndpoint"], "[2001:db8::1]:6443");
    assert_eq!(
        kubeadm["networking"]["serviceSubnet"],
        "fd00:96::/108,10.96.0.0/16"
    );
}

#[test]
fn config_maps_hold_what_their_readers_expect() {
    for given in [
        json!({}),
        of("1.34.4"),
        of("1.35.4"),
        dual_stack(),
        json!({"tenant": {"podCIDRs": []}}),
    ] {
        let resources = resources(&given);
        for [name, key, version, kind] in OBJECTS {
            let file = file(&resources, name, key);
            assert_eq!(file["apiVersion"], version, "{name}");
            assert_eq!(file["kind"], kind, "{name}");
        }
        let maps = resources.iter().filter(|one| one.id.kind == "ConfigMap");
        let keys = maps.map(|map| map.body["data"].as_object().unwrap().len());
        // A Corefile is no object.
        assert_eq!(keys.sum::<usize>(), OBJECTS.len() + 1);
    }
    let resources = resources(&json!({"tenant": {"podCIDRs": []}}));
    let kubeadm = file(&resources, "kubeadm-config", "ClusterConfiguration");
    assert_eq!(kubeadm["networking"].get("podSubnet"), None);
}

#[test]
fn kubeadm_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("kubeadm.yaml");
    // It knows its own minor and the one before.
    for given in [json!({}), of("1.35.4"), dual_stack()] {
        let resources = resources(&given);
        let files = OBJECTS.iter().filter(|[.., kind]| *kind != "Config");
        let texts = files.map(|[name, key, ..]| {
            let text = &body(&resources, "ConfigMap", name)["data"][key];
            text.as_str().unwrap().to_owned()
        });
        fs::write(&config, texts.collect::<Vec<_>>().join("---\n")).unwrap();
        let mut command = Command::new(testbed().bin.join("kubeadm"));
        command.env_clear().env("HOME", folder.path());
        command
            .args(["config", "validate", "--config"])
            .arg(&config);
        let output = command.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        assert!(!complaint.contains("unknown field"), "{complaint}");
    }
}

#[test]
fn parts_can_be_left_to_others() {
    let parts = |given: &Value| {
        let all = resources(given).into_iter();
        let of =
            |one: &Resource| one.body["metadata"]["labels"]["app.kubernetes.io/component"].clone();
        let mut parts: Vec<_> = all
            .map(|one| of(&one).as_str().unwrap().to_owned())
            .collect();
        parts.sort();
        parts.dedup();
        parts
    };
    assert_eq!(
        parts(&json!({})),
        ["coredns", "kube-proxy", "nodes", "rights"]
    );
    let no_proxy = json!({"kubeProxy": {"enabled": false}});
    assert_eq!(parts(&no_proxy), ["coredns", "nodes", "rights"]);
    assert!(!golden(&no_proxy).contains("name: kube-proxy"));
    let no_dns = json!({"coredns": {"enabled": false}});
    assert_eq!(parts(&no_dns), ["kube-proxy", "nodes", "rights"]);
    assert!(!golden(&no_dns).contains("name: coredns"));
}

#[test]
fn what_is_given_goes_over_what_is_set() {
    let resources = resources(&json!({
        "kubelet": {"config": {
            "cgroupDriver": "cgroupfs",
            "authentication": {"webhook": {"cacheTTL": "1m"}},
            "clusterDNS": ["169.254.20.10"],
        }},
        "kubeProxy": {
            "mode": "iptables",
            "conntrack": {"maxPerCore": 0, "min": 0},
            "config": {"conntrack": {"tcpBeLiberal": true}, "metricsBindAddress": "0.0.0.0"},
        },
        "coredns": {
            "replicas": 1,
            "image": {"tag": "v1.15.0"},
            "corefile": ".:53 {\n  whoami\n}\n",
        },
        "image": {"registry": "registry.example/k8s", "pullSecrets": ["a", "b"]},
    }));
    let kubelet = file(&resources, "kubelet-config", "kubelet");
    assert_eq!(kubelet["cgroupDriver"], "cgroupfs");
    assert_eq!(kubelet["clusterDNS"], json!(["169.254.20.10"]));
    let webhook = json!({"enabled": true, "cacheTTL": "1m"});
    assert_eq!(kubelet["authentication"]["webhook"], webhook);
    let proxy = file(&resources, "kube-proxy", "config.conf");
    let conntrack = json!({"maxPerCore": 0, "min": 0, "tcpBeLiberal": true});
    assert_eq!(proxy["conntrack"], conntrack);
    assert_eq!(proxy["mode"], "iptables");
    assert_eq!(proxy["metricsBindAddress"], "0.0.0.0");
    let corefile = &body(&resources, "ConfigMap", "coredns")["data"]["Corefile"];
    assert_eq!(corefile, ".:53 {\n  whoami\n}\n");
    let spec = |kind, name| &body(&resources, kind, name)["spec"]["template"]["spec"];
    for (pod, image) in [
        (
            spec("Deployment", "coredns"),
            "registry.example/k8s/coredns/coredns:v1.15.0",
        ),
        (
            spec("DaemonSet", "kube-proxy"),
            "registry.example/k8s/kube-proxy:v1.36.3",
        ),
    ] {
        assert_eq!(pod["containers"][0]["image"], image);
        assert_eq!(
            pod["imagePullSecrets"],
            json!([{"name": "a"}, {"name": "b"}])
        );
    }
    // One pod has no budget: it could only keep its node from being drained.
    let is_budget = |one: &Resource| one.id.kind == "PodDisruptionBudget";
    assert!(!resources.iter().any(is_budget));
}

#[test]
fn kube_proxy_starts_anew_when_its_configuration_changes() {
    let template =
        |given: &Value| body(&resources(given), "DaemonSet", "kube-proxy")["spec"].clone();
    let before = template(&json!({}));
    let unrelated = json!({"coredns": {"replicas": 3}, "kubelet": {"config": {"maxPods": 50}}});
    assert_eq!(template(&unrelated), before);
    assert_ne!(
        template(&json!({"kubeProxy": {"mode": "iptables"}})),
        before
    );
    let moved = json!({"tenant": {"server": "https://other.example:6443"}});
    assert_ne!(template(&moved), before);
}

#[test]
fn the_whole_of_it_stands_in_fixed_places() {
    let release = |one: &Resource| one.id.namespace.clone().unwrap_or_default();
    let mut namespaces: Vec<_> = resources(&json!({})).iter().map(release).collect();
    namespaces.sort();
    namespaces.dedup();
    assert_eq!(namespaces, ["", "kube-public", "kube-system"]);
}
