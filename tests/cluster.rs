//! The handle to the Kubernetes API, against a real API server with controllers and simulated
//! nodes. `PINTLE_TESTBED` names the folder of a running testbed.

#![expect(
    clippy::disallowed_methods,
    reason = "tests find the testbed by the environment and write kubeconfigs"
)]

mod leases;
mod reads;
mod waits;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use kube::config::Kubeconfig;
use pintle::capabilities::Kind;
use pintle::cluster::{Address, Cluster, Deletion, Target, Write, Written};
use pintle::manifest::ResourceId;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The kubeconfig of the running testbed.
fn kubeconfig() -> PathBuf {
    let Some(folder) = std::env::var_os("PINTLE_TESTBED") else {
        panic!("PINTLE_TESTBED is not set: these tests need a running testbed");
    };
    let text = fs::read_to_string(Path::new(&folder).join("testbed.json")).unwrap();
    let testbed: Value = serde_json::from_str(&text).unwrap();
    PathBuf::from(testbed["kubeconfig"].as_str().unwrap())
}

async fn connect(path: PathBuf, namespace: &str) -> Cluster {
    let target = Target {
        kubeconfig: Some(path),
        context: None,
        namespace: Some(namespace.to_owned()),
    };
    Cluster::connect(&target).await.unwrap()
}

/// A connection whose default namespace is new and belongs to one test.
async fn new_namespace(test: &str) -> Cluster {
    let namespace = format!("cluster-{test}-{:x}", nanoseconds());
    let cluster = connect(kubeconfig(), &namespace).await;
    cluster.create_namespace(&namespace).await.unwrap();
    cluster
}

fn nanoseconds() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

/// The same API server with another user in the kubeconfig; the folder holds that kubeconfig.
async fn as_user(namespace: &str, change: impl Fn(&mut Value, &Path)) -> (Cluster, TempDir) {
    let config = Kubeconfig::read_from(kubeconfig()).unwrap();
    let mut config = serde_json::to_value(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for user in config["users"].as_array_mut().unwrap() {
        change(&mut user["user"], folder.path());
    }
    let path = folder.path().join("config");
    fs::write(&path, config.to_string()).unwrap();
    (connect(path, namespace).await, folder)
}

fn kind(group: &str, kind: &str) -> Kind {
    Kind {
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
        namespaced: true,
    }
}

fn config_map() -> Kind {
    kind("", "ConfigMap")
}

fn address<'a>(kind: &'a Kind, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: None,
        name,
    }
}

fn id(kind: &Kind, name: &str) -> ResourceId {
    ResourceId {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespace: None,
        name: name.to_owned(),
    }
}

fn wanted(kind: &Kind, names: &[&str]) -> Vec<(ResourceId, Kind)> {
    names
        .iter()
        .map(|name| (id(kind, name), kind.clone()))
        .collect()
}

/// Creates a resource of this kind with these fields beside its identity.
async fn create(cluster: &Cluster, (kind, name): (&Kind, &str), fields: Value) -> Written {
    let mut body = fields;
    body["apiVersion"] = kind.api_version().into();
    body["kind"] = kind.kind.clone().into();
    body["metadata"]["name"] = name.into();
    let at = address(kind, name);
    cluster.create(&at, &body, Write::by("helm")).await.unwrap()
}

async fn delete(cluster: &Cluster, kind: &Kind, name: &str) {
    let at = address(kind, name);
    cluster.delete(&at, Deletion::default()).await.unwrap();
}

/// The spec of a workload whose pods the simulated node runs.
fn workload(replicas: u32) -> Value {
    let labels = json!({"app": "web"});
    json!({"spec": {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "app:1"}]},
        },
    }})
}
