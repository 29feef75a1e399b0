//! Requests to the API server for what tests look at most, without a process for each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, mpsc};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A kind's name with kubectl, the path of its version, and its plural, which kubectl takes too.
const KINDS: [(&str, &str, &str); 12] = [
    ("configmap", "api/v1", "configmaps"),
    ("secret", "api/v1", "secrets"),
    ("service", "api/v1", "services"),
    ("serviceaccount", "api/v1", "serviceaccounts"),
    ("pod", "api/v1", "pods"),
    ("pvc", "api/v1", "persistentvolumeclaims"),
    ("deployment", "apis/apps/v1", "deployments"),
    ("statefulset", "apis/apps/v1", "statefulsets"),
    ("job", "apis/batch/v1", "jobs"),
    ("pdb", "apis/policy/v1", "poddisruptionbudgets"),
    ("lease", "apis/coordination.k8s.io/v1", "leases"),
    (
        "endpointslice",
        "apis/discovery.k8s.io/v1",
        "endpointslices",
    ),
];

/// What `kubectl get -o json` prints for these arguments, where it is one object of a namespace or
/// all of one kind; `None` where it is neither, or not there.
pub(crate) fn get(kubeconfig: &Path, namespace: &str, args: &[&str]) -> Option<Value> {
    let (kind, name) = match args {
        [one] => one
            .split_once('/')
            .map_or((*one, None), |(kind, name)| (kind, Some(name))),
        [kind, name] if !name.starts_with('-') => (*kind, Some(*name)),
        _ => return None,
    };
    let named = |(singular, _, plural): &&(&str, &str, &str)| [*singular, *plural].contains(&kind);
    let (_, version, plural) = KINDS.iter().find(named)?;
    let name = name.map(|name| format!("/{name}")).unwrap_or_default();
    let path = format!("/{version}/namespaces/{namespace}/{plural}{name}");
    let request = http::Request::get(path).body(vec![]).unwrap();
    let mut answer: Value = serde_json::from_str(&send(kubeconfig, request).ok()?).unwrap();
    let items = answer.get_mut("items").and_then(Value::as_array_mut);
    let Some(items) = items else {
        hide(&mut answer);
        return Some(answer);
    };
    items.iter_mut().for_each(hide);
    Some(answer)
}

/// Leaves out what kubectl shows only when it is asked to.
fn hide(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
}

/// Makes a namespace.
pub(crate) fn create_namespace(kubeconfig: &Path, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let request = http::Request::post("/api/v1/namespaces")
        .header("Content-Type", "application/json")
        .body(namespace.to_string().into_bytes())
        .unwrap();
    send(kubeconfig, request).unwrap();
}

/// The text that the API server answers to the user of a kubeconfig.
pub(crate) fn send(
    kubeconfig: &Path,
    request: http::Request<Vec<u8>>,
) -> Result<String, kube::Error> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    let kubeconfig = kubeconfig.to_owned();
    // Through a channel, because the caller may run in a runtime of its own.
    let (sender, answer) = mpsc::channel();
    RUNTIME.spawn(async move {
        let client = client(kubeconfig).await;
        sender.send(client.request_text(request).await)
    });
    answer.recv().expect("an answer or an error")
}

async fn client(kubeconfig: PathBuf) -> Client {
    static CLIENTS: LazyLock<Mutex<HashMap<PathBuf, Client>>> = LazyLock::new(Mutex::default);
    let known = CLIENTS.lock().unwrap().get(&kubeconfig).cloned();
    if let Some(client) = known {
        return client;
    }
    let read = Kubeconfig::read_from(&kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(read, &options);
    let client = Client::try_from(config.await.unwrap()).unwrap();
    CLIENTS.lock().unwrap().insert(kubeconfig, client.clone());
    client
}
