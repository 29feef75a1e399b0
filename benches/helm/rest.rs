//! Waiting until a cluster has come to rest, so that no command is measured beside what the one before has begun.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long that may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// The pause before the cluster is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the Deployments of a namespace have all of their pods and no others, and none of anything that
/// is gone is left.
pub(crate) fn wait(namespace: &str) {
    let start = Instant::now();
    while !is_at_rest(namespace) {
        assert!(
            start.elapsed() < PATIENCE,
            "{namespace} does not come to rest"
        );
        thread::sleep(PAUSE);
    }
}

fn is_at_rest(namespace: &str) -> bool {
    let kinds = "deployments,replicasets,pods";
    let output = Command::new("kubectl")
        .args(["get", kinds, "--namespace", namespace, "-o", "json"])
        .output()
        .expect("kubectl runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("a list");
    let items = found["items"].as_array().expect("items");
    let has_deployments = items.iter().any(|item| item["kind"] == "Deployment");
    items.iter().all(|item| match item["kind"].as_str() {
        Some("Deployment") => is_complete(item),
        Some("Pod") => has_deployments && item["metadata"]["deletionTimestamp"].is_null(),
        _ => has_deployments,
    })
}

/// Whether a rollout is over, with the pods before it.
fn is_complete(deployment: &Value) -> bool {
    let number = |pointer: &str| deployment.pointer(pointer).and_then(Value::as_i64);
    let wanted = number("/spec/replicas");
    number("/status/observedGeneration") == number("/metadata/generation")
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .iter()
            .all(|field| number(&format!("/status/{field}")) == wanted)
        && number("/status/terminatingReplicas").unwrap_or(0) == 0
}
