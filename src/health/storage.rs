//! Claims and volumes.
//!
//! A claim whose class binds with `WaitForFirstConsumer` stays `Pending` until a pod uses it, and
//! that pod may belong to a later step, or to nothing yet. The claim itself does not say how its
//! class binds, but it says when binding has begun: the scheduler or the volume controller then
//! annotates it. So a claim of a named class on which nothing has begun is ready, and one that is
//! being bound is waited for. Where a volume never comes, the pod that needs it is not ready.

use serde_json::Value;

use super::{Health, text, waiting};

/// Set by the scheduler once a pod that uses the claim has a node.
const NODE: &str = "volume.kubernetes.io/selected-node";
/// Set by the volume controller once it has asked a provisioner; the second is the older name.
const PROVISIONERS: [&str; 2] = [
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
];

pub(super) fn claim(live: &Value) -> Health {
    match text(live, "/status/phase") {
        Some("Bound") => return Health::Ready,
        Some("Lost") => return Health::Failed("its volume is lost".to_owned()),
        _ => {}
    }
    if let Some(volume) = text(live, "/spec/volumeName").filter(|name| !name.is_empty()) {
        return waiting(format!("waiting for volume {volume}"));
    }
    if binding(live) {
        return waiting("waiting for a volume to be provisioned");
    }
    match text(live, "/spec/storageClassName") {
        None => waiting("waiting for a volume or a default storage class"),
        Some("") => waiting("waiting for a volume without a class"),
        Some(_) => Health::Ready,
    }
}

fn binding(live: &Value) -> bool {
    let annotations = live.pointer("/metadata/annotations");
    annotations.is_some_and(|all| {
        all.get(NODE).is_some() || PROVISIONERS.iter().any(|name| all.get(name).is_some())
    })
}

pub(super) fn volume(live: &Value) -> Health {
    match text(live, "/status/phase") {
        Some("Failed") => Health::Failed(
            text(live, "/status/message")
                .filter(|said| !said.is_empty())
                .unwrap_or("the volume failed")
                .to_owned(),
        ),
        Some("Pending") => waiting("the volume is not available yet"),
        _ => Health::Ready,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(annotations: &Value, spec: &Value, phase: &str, want: &str) {
        check_body(
            &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data-0", "annotations": annotations},
                "spec": spec, "status": {"phase": phase}}),
            want,
        );
    }

    #[test]
    fn claims_bind() {
        let spec = json!({"storageClassName": "fast", "volumeName": "pvc-1"});
        check(&json!({}), &spec, "Bound", "Ready");
        check(&json!({}), &spec, "Lost", "! its volume is lost");
        check(&json!({}), &spec, "Pending", "… waiting for volume pvc-1");
    }

    #[test]
    fn claims_that_wait_for_a_consumer_are_ready() {
        let spec = json!({"storageClassName": "fast"});
        check(&json!({}), &spec, "Pending", "Ready");
        for begun in [
            "volume.kubernetes.io/selected-node",
            "volume.kubernetes.io/storage-provisioner",
            "volume.beta.kubernetes.io/storage-provisioner",
        ] {
            let late = "… waiting for a volume to be provisioned";
            check(&json!({begun: "a"}), &spec, "Pending", late);
        }
    }

    #[test]
    fn claims_without_a_class_wait_for_a_volume() {
        let late = "… waiting for a volume or a default storage class";
        check(&json!({}), &json!({}), "Pending", late);
        let late = "… waiting for a volume without a class";
        check(
            &json!({}),
            &json!({"storageClassName": ""}),
            "Pending",
            late,
        );
    }

    #[test]
    fn volumes_are_available_or_bound() {
        let volume = |status: &Value| json!({"apiVersion": "v1", "kind": "PersistentVolume", "status": status});
        check_body(&volume(&json!({"phase": "Available"})), "Ready");
        check_body(&volume(&json!({"phase": "Released"})), "Ready");
        check_body(
            &volume(&json!({"phase": "Pending"})),
            "… the volume is not available yet",
        );
        check_body(
            &volume(&json!({"phase": "Failed", "message": "gone"})),
            "! gone",
        );
        check_body(&volume(&json!({"phase": "Failed"})), "! the volume failed");
    }
}
