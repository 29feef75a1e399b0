//! Generated files as kubeadm sees them: as those of a control plane that it has made itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::boot::answer;
use super::issued::Issued;
use crate::support::testbed;

/// The Secrets of certificates, without the name of the release, and kubeadm's name of their
/// files.
const PAIRS: [(&str, &str); 10] = [
    ("kubernetes-ca", "ca"),
    ("apiserver", "apiserver"),
    ("apiserver-kubelet-client", "apiserver-kubelet-client"),
    ("front-proxy-ca", "front-proxy-ca"),
    ("front-proxy-client", "front-proxy-client"),
    ("etcd-ca", "etcd/ca"),
    ("etcd-server", "etcd/server"),
    ("etcd-peer", "etcd/peer"),
    ("etcd-healthcheck-client", "etcd/healthcheck-client"),
    ("apiserver-etcd-client", "apiserver-etcd-client"),
];

/// Asserts that kubeadm takes every file of a release as it is, and misses none.
#[track_caller]
pub(super) fn accepts(issued: &Issued) {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    fs::create_dir_all(pki.join("etcd")).unwrap();
    for (name, data) in files(issued) {
        fs::write(pki.join(name), data).unwrap();
    }
    let before = read(&pki);
    let output = make_certificates(folder.path());
    assert!(!output.contains("Generating"), "{output}");
    for (_, name) in PAIRS {
        let kind = match name {
            "ca" | "front-proxy-ca" | "etcd/ca" => "certificate authority",
            _ => "certificate and key on disk",
        };
        let line = format!("[certs] Using existing {name} {kind}\n");
        assert!(output.contains(&line), "no {line:?} in\n{output}");
    }
    assert!(
        output.contains("[certs] Using the existing \"sa\" key\n"),
        "{output}"
    );
    assert!(read(&pki) == before, "kubeadm has changed files:\n{output}");
}

/// The data of a release by the names of kubeadm's files.
fn files(issued: &Issued) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut add = |name: String, part: &str, key: &str| {
        files.insert(name, issued.part(part, key).to_vec());
    };
    for (part, name) in PAIRS {
        add(format!("{name}.crt"), part, "tls.crt");
        add(format!("{name}.key"), part, "tls.key");
    }
    for key in ["sa.key", "sa.pub"] {
        add(key.to_owned(), "service-account", key);
    }
    files
}

/// Runs the phase of kubeadm that makes what certificates are missing in `pki` of `folder`, and
/// returns what it prints.
fn make_certificates(folder: &Path) -> String {
    let mut command = Command::new(testbed().bin.join("kubeadm"));
    command.env_clear().env("HOME", folder);
    command.args(["init", "phase", "certs", "all", "--cert-dir"]);
    command.arg(folder.join("pki"));
    // An address of its own machine is needed, which no tenant has; that of the tenant's Service
    // kubernetes is in the certificate. Without a version it would ask the Internet for one.
    let flags = [
        "--apiserver-advertise-address=10.96.0.1",
        "--kubernetes-version=v1.36.3",
    ];
    let answer = answer(command.args(flags));
    assert!(answer.is_good, "{}{}", answer.output, answer.complaint);
    answer.output
}

/// Every file below a folder, by its path there.
fn read(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            found.insert(name.to_owned(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn what_the_library_makes_is_what_kubeadm_expects() {
    accepts(&Issued::made(&json!({})));
    accepts(&Issued::made(&json!({"pki": {"algorithm": "ECDSA-P384"}})));
}
