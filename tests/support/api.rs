//! Requests to the API server for what tests look at most, without a process for each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, mpsc};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A kind's name with kubectl, the path of its version, and its plural, which kubectl takes too.
const KINDS: [(&str, &str, &str); 14] = [
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
    ("role", RBAC, "roles"),
    ("rolebinding", RBAC, "rolebindings"),
    ("lease", "apis/coordination.k8s.io/v1", "leases"),
    (
        "endpointslice",
        "apis/discovery.k8s.io/v1",
        "endpointslices",
    ),
];

const RBAC: &str = "apis/rbac.authorization.k8s.io/v1";

/// What `kubectl get -o json` prints for these arguments, where these are objects of a namespace or
/// all of some kinds that a selector chooses; `None` where they are anything else, or one is not there.
pub(crate) fn get(kubeconfig: &Path, namespace: &str, args: &[&str]) -> Option<Value> {
    let (args, owners) = match args {
        [args @ .., "--show-managed-fields"] => (args, Owners::Shown),
        args => (args, Owners::Hidden),
    };
    let (paths, selector) = paths(args)?;
    let mut found = vec![];
    for path in &paths {
        let query = selector.map(|selector| format!("?labelSelector={selector}"));
        let query = query.unwrap_or_default();
        let (version, rest) = path.rsplit_once("/*/")?;
        let path = format!("/{version}/namespaces/{namespace}/{rest}{query}");
        let request = http::Request::get(path).body(vec![]).unwrap();
        let answer: Value = serde_json::from_str(&send(kubeconfig, request).ok()?).unwrap();
        found.extend(objects(answer, owners));
    }
    let is_list = paths.len() > 1 || !paths[0].rsplit_once("/*/")?.1.contains('/');
    if is_list {
        return Some(json!({"apiVersion": "v1", "kind": "List", "items": found}));
    }
    found.pop()
}

/// The paths of what these arguments mean, `*` standing for the namespace, and the selector.
fn paths<'a>(args: &[&'a str]) -> Option<(Vec<String>, Option<&'a str>)> {
    let path = |kind: &str, name: &str| {
        let is_named =
            |(singular, _, plural): &&(&str, &str, &str)| [*singular, *plural].contains(&kind);
        let (_, version, plural) = KINDS.iter().find(is_named)?;
        let path = format!("{version}/*/{plural}/{name}");
        Some(path.trim_end_matches('/').to_owned())
    };
    let all = |kinds: &str| -> Option<Vec<String>> {
        kinds.split(',').map(|kind| path(kind, "")).collect()
    };
    match args {
        [kinds, "-l", selector] => Some((all(kinds)?, Some(*selector))),
        [kinds, last] if last.starts_with("--selector=") => {
            Some((all(kinds)?, last.strip_prefix("--selector=")))
        }
        [kind, name]
            if !kind.contains(['/', ',']) && !name.starts_with('-') && !name.contains('/') =>
        {
            Some((vec![path(kind, name)?], None))
        }
        [kinds] if !kinds.contains('/') => Some((all(kinds)?, None)),
        names => {
            let path = |name: &&str| {
                name.split_once('/')
                    .and_then(|(kind, name)| path(kind, name))
            };
            Some((names.iter().map(path).collect::<Option<_>>()?, None))
        }
    }
}

/// What becomes of the entries that say who owns which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owners {
    Shown,
    Hidden,
}

/// The object or objects of an answer, each with its kind.
fn objects(mut answer: Value, owners: Owners) -> Vec<Value> {
    let version = answer["apiVersion"].clone();
    let kind = answer["kind"].as_str().unwrap_or_default().to_owned();
    let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) else {
        hide(&mut answer, owners);
        return vec![answer];
    };
    let mut items = std::mem::take(items);
    for item in &mut items {
        item["apiVersion"] = version.clone();
        item["kind"] = kind.trim_end_matches("List").into();
        hide(item, owners);
    }
    items
}

/// Leaves out what kubectl shows only when it is asked to.
fn hide(object: &mut Value, owners: Owners) {
    if owners == Owners::Hidden
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.remove("managedFields");
    }
}

/// Makes a namespace.
pub(crate) fn create_namespace(kubeconfig: &Path, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    create(kubeconfig, "/api/v1/namespaces", &namespace);
}

/// Creates an object in the collection at `path`.
pub(crate) fn create(kubeconfig: &Path, path: &str, body: &Value) {
    let request = http::Request::post(path)
        .header("Content-Type", "application/json")
        .body(body.to_string().into_bytes())
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
