//! What the pods of workloads that are not ready say.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::error::Unready;
use super::scope::name;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::health;
use crate::manifest::ResourceId;

/// How many pods are quoted for one workload.
const QUOTED: usize = 3;
/// How long all of this may take; it only explains.
const PATIENCE: Duration = Duration::from_secs(5);
/// The label whose value a Deployment appends to the names of its replica sets.
const TEMPLATE_HASH: &str = "/metadata/labels/pod-template-hash";

fn pods() -> Kind {
    Kind {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
        namespaced: true,
    }
}

impl Cluster {
    /// Adds to each workload what its pods say, as far as they may be listed.
    pub(super) async fn ask_pods(&self, unready: &mut [Unready]) {
        // What cannot be had is left out: the reason itself is known.
        let _ = tokio::time::timeout(PATIENCE, self.add_pods(unready)).await;
    }

    /// How many pods that match a selector, beside a workload, are ending.
    pub(super) async fn ending_pods(
        &self,
        beside: &ResourceId,
        selector: &str,
    ) -> Result<usize, Error> {
        let kind = pods();
        let place = self.namespace_of(&kind, beside.namespace.as_deref());
        let listed = self.list(&kind, place, selector).await?;
        let is_ending = |pod: &&Value| pod.pointer("/metadata/deletionTimestamp").is_some();
        Ok(listed.iter().filter(is_ending).count())
    }

    async fn add_pods(&self, unready: &mut [Unready]) {
        let kind = pods();
        let namespaces: BTreeSet<Option<String>> = unready
            .iter()
            .filter(|one| has_pods(&one.id))
            .map(|one| one.id.namespace.clone())
            .collect();
        for namespace in namespaces {
            let place = self.namespace_of(&kind, namespace.as_deref());
            let Ok(listed) = self.list(&kind, place, "").await else {
                continue;
            };
            let here = unready
                .iter_mut()
                .filter(|one| one.id.namespace == namespace);
            for one in here {
                let own = listed.iter().filter(|pod| owns(&one.id, pod));
                one.pods = own.filter_map(say).take(QUOTED).collect();
            }
        }
    }
}

fn has_pods(id: &ResourceId) -> bool {
    matches!(
        (id.group.as_str(), id.kind.as_str()),
        (
            "apps",
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        ) | ("batch", "Job")
            | ("", "ReplicationController")
    )
}

/// Whether a workload has made a pod, directly or through a replica set of its own.
fn owns(id: &ResourceId, pod: &Value) -> bool {
    let text = |pointer| pod.pointer(pointer).and_then(Value::as_str);
    let (Some(kind), Some(owner)) = (
        text("/metadata/ownerReferences/0/kind"),
        text("/metadata/ownerReferences/0/name"),
    ) else {
        return false;
    };
    if id.kind == "Deployment" && kind == "ReplicaSet" {
        let hash = text(TEMPLATE_HASH).unwrap_or_default();
        return owner
            .strip_suffix(hash)
            .and_then(|rest| rest.strip_suffix('-'))
            == Some(&id.name);
    }
    id.kind == kind && id.name == owner
}

fn say(pod: &Value) -> Option<String> {
    let health = health::of(pod);
    let reason = health.reason()?;
    Some(format!("pod {}: {reason}", name(pod)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(owner: (&str, &str), hash: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "labels": {"pod-template-hash": hash},
                "ownerReferences": [{"kind": owner.0, "name": owner.1}]},
            "status": {"phase": "Pending", "containerStatuses": [{"name": "app",
                "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}})
    }

    #[track_caller]
    fn check(kind: &str, pod: &Value, want: Option<&str>) {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: "web".to_owned(),
        };
        let said = Some(pod).filter(|pod| owns(&id, pod)).and_then(say);
        assert_eq!(said.as_deref(), want);
    }

    #[test]
    fn pods_speak_for_their_workload() {
        let said = Some("pod web-1: container app: ImagePullBackOff");
        check("Deployment", &pod(("ReplicaSet", "web-5d8"), "5d8"), said);
        check(
            "Deployment",
            &pod(("ReplicaSet", "web-api-5d8"), "5d8"),
            None,
        );
        check("Deployment", &pod(("ReplicaSet", "web"), ""), None);
        check("StatefulSet", &pod(("StatefulSet", "web"), ""), said);
        check("StatefulSet", &pod(("DaemonSet", "web"), ""), None);
        check("StatefulSet", &json!({"metadata": {"name": "web-1"}}), None);
    }
}
