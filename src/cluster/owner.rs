//! Which pods a workload has made.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::scope::Scope;
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// The label whose value a Deployment appends to the names of its replica sets.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// The kind of pods.
pub(super) fn pods() -> &'static Kind {
    static PODS: LazyLock<Kind> = LazyLock::new(|| Kind::core("Pod", "pods"));
    &PODS
}

/// Whether resources of this kind make pods.
pub(super) fn has_pods(id: &ResourceId) -> bool {
    matches!(
        (id.group.as_str(), id.kind.as_str()),
        (
            "apps",
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        ) | ("batch", "Job")
            | ("", "ReplicationController")
    )
}

/// Whether resources of this kind are pods or make some.
pub(super) fn runs_pods(id: &ResourceId) -> bool {
    is_pod(id) || has_pods(id)
}

fn is_pod(id: &ResourceId) -> bool {
    (id.group.as_str(), id.kind.as_str()) == ("", "Pod")
}

/// The pods of workloads of one namespace, as one request can list or watch them.
pub(super) fn scope<'a>(namespace: Option<&'a str>, workloads: Vec<&'a ResourceId>) -> Scope<'a> {
    Scope {
        kind: pods(),
        namespace,
        ids: BTreeMap::new(),
        makers: workloads,
        labels: "",
    }
}

/// The pods of a namespace that match a label selector.
pub(super) fn selected<'a>(namespace: Option<&'a str>, labels: &'a str) -> Scope<'a> {
    Scope {
        labels,
        ..scope(namespace, vec![])
    }
}

/// The kind and name of what controls a resource with this metadata.
pub(super) fn controller(metadata: &Map<String, Value>) -> Option<(&str, &str)> {
    let owner = metadata.get("ownerReferences")?.get(0)?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}

/// Whether a workload has made the pod with this metadata, directly or through a replica set. A pod by
/// itself is its own.
pub(super) fn has_made(id: &ResourceId, metadata: &Map<String, Value>) -> bool {
    if is_pod(id) {
        return metadata.get("name").and_then(Value::as_str) == Some(&id.name);
    }
    let Some((kind, owner)) = controller(metadata) else {
        return false;
    };
    if id.kind == "Deployment" && kind == "ReplicaSet" {
        let hash = label(metadata, TEMPLATE_HASH).unwrap_or_default();
        return owner
            .strip_suffix(hash)
            .and_then(|rest| rest.strip_suffix('-'))
            == Some(&id.name);
    }
    id.kind == kind && id.name == owner
}

/// The value of a label.
pub(super) fn label<'a>(metadata: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    metadata.get("labels")?.get(name)?.as_str()
}

/// The metadata of a body.
pub(super) fn metadata(body: &Value) -> Option<&Map<String, Value>> {
    body.get("metadata")?.as_object()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(owner: (&str, &str), hash: &str) -> Value {
        json!({"metadata": {"name": "web-1", "labels": {"pod-template-hash": hash},
            "ownerReferences": [{"kind": owner.0, "name": owner.1}]}})
    }

    /// The workload as `Kind/name`, if it has made the pod.
    #[track_caller]
    fn check(kind: &str, pod: &Value, want: Option<&str>) {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: "web".to_owned(),
        };
        let made = has_made(&id, metadata(pod).unwrap()).then(|| id.to_string());
        assert_eq!(made.as_deref(), want);
    }

    #[test]
    fn pods_are_known_by_who_made_them() {
        let (deployment, set) = ("Deployment", "StatefulSet");
        let of = |kind, name, hash| pod((kind, name), hash);
        check(
            deployment,
            &of("ReplicaSet", "web-5d8", "5d8"),
            Some("Deployment web"),
        );
        check(deployment, &of("ReplicaSet", "web-api-5d8", "5d8"), None);
        check(deployment, &of("ReplicaSet", "web", ""), None);
        check(set, &of("StatefulSet", "web", ""), Some("StatefulSet web"));
        check(set, &of("DaemonSet", "web", ""), None);
        check(set, &json!({"metadata": {"name": "web-1"}}), None);
        check(set, &json!({"metadata": {"ownerReferences": 3}}), None);
    }
}
