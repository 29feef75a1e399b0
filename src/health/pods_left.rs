//! Whether pods of an older template are left, which readiness alone does not tell: a rollout is
//! complete while old pods still end and answer requests.
//!
//! Deployments count their ending pods in `status.terminatingReplicas` (Kubernetes 1.35; behind a
//! gate from 1.33). Where no such count is, the pods have to be looked at.

use serde_json::Value;

use super::workload::{by_hand, partition};
use super::{Health, count, group, number, text, unobserved, waiting};
use crate::manifest::{self, NO_OLD_PODS};

/// Whether a workload asks to be ready only when no old pod is left.
pub(super) fn is_asked_for(live: &Value) -> bool {
    manifest::asks_for(live, NO_OLD_PODS)
}

/// What is left of older pods, as far as the status tells; ready if nothing is.
pub(super) fn left(live: &Value) -> Health {
    if !has_pods(live) || (by_hand(live) && !is_asked_for(live)) {
        return Health::Ready;
    }
    if let Some(wait) = unobserved(live, number(live, "/status/observedGeneration")) {
        return wait;
    }
    let (existing, updated) = match text(live, "/kind") {
        Some("DaemonSet") => (
            count(live, "/status/currentNumberScheduled"),
            count(live, "/status/updatedNumberScheduled"),
        ),
        _ => (
            count(live, "/status/replicas"),
            count(live, "/status/updatedReplicas"),
        ),
    };
    let old = existing - updated - partition(live);
    if old > 0 {
        return waiting(format!("{} of an older template left", pods(old)));
    }
    match count(live, "/status/terminatingReplicas") {
        0 => Health::Ready,
        ending => waiting(format!("{} still ending", pods(ending))),
    }
}

/// Returns the selector of a workload's pods, as a list of labels, if its status does not count
/// those that are ending.
pub(super) fn uncounted(live: &Value) -> Option<String> {
    if !has_pods(live) || live.pointer("/status/terminatingReplicas").is_some() {
        return None;
    }
    let selector = live.pointer("/spec/selector")?;
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let pairs = labels.into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let expressions = expressions.into_iter().flatten().filter_map(requirement);
    let text = pairs.chain(expressions).collect::<Vec<_>>().join(",");
    // An empty one would match every pod there is.
    Some(text).filter(|text| !text.is_empty())
}

/// One requirement of a selector as text: `tier in (a,b)`.
fn requirement(expression: &Value) -> Option<String> {
    let key = text(expression, "/key")?;
    let values = expression.get("values").and_then(Value::as_array);
    let values = values.into_iter().flatten().filter_map(Value::as_str);
    let values = values.collect::<Vec<_>>().join(",");
    Some(match text(expression, "/operator")? {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

fn has_pods(live: &Value) -> bool {
    let kind = text(live, "/kind").unwrap_or_default();
    group(live) == "apps" && matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet")
}

fn pods(number: i64) -> String {
    match number {
        1 => "1 pod".to_owned(),
        _ => format!("{number} pods"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::health::{Condition, of, until};

    fn workload(kind: &str, annotation: Option<&str>, status: &Value) -> Value {
        let mut body = json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": "web", "generation": 4},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web", "tier": "a"}}},
            "status": {"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2,
                "readyReplicas": 2, "availableReplicas": 2},
        });
        if let Some(value) = annotation {
            body["metadata"]["annotations"] = json!({manifest::READY: value});
        }
        for (name, value) in status.as_object().unwrap() {
            body["status"][name] = value.clone();
        }
        body
    }

    #[track_caller]
    fn check(health: &Health, want: &str) {
        assert_eq!(health.reason().unwrap_or("ready"), want);
    }

    #[test]
    fn ending_pods_count_where_that_is_asked_for() {
        let ending = json!({"terminatingReplicas": 1});
        let asked = workload("Deployment", Some(NO_OLD_PODS), &ending);
        check(&of(&asked), "1 pod still ending");
        check(&of(&workload("Deployment", None, &ending)), "ready");
        check(
            &of(&workload("Deployment", Some("No-Old-Pods"), &ending)),
            "1 pod still ending",
        );
        let none = json!({"terminatingReplicas": 0});
        check(
            &of(&workload("Deployment", Some(NO_OLD_PODS), &none)),
            "ready",
        );
    }

    #[test]
    fn old_pods_alone_can_be_waited_for() {
        let wait =
            |kind, status: Value| until(&workload(kind, None, &status), Condition::NoOldPods);
        // New pods that never become ready do not count.
        check(&wait("Deployment", json!({"readyReplicas": 0})), "ready");
        check(
            &wait("Deployment", json!({"replicas": 3})),
            "1 pod of an older template left",
        );
        check(
            &wait("Deployment", json!({"terminatingReplicas": 2})),
            "2 pods still ending",
        );
        check(
            &wait("Deployment", json!({"observedGeneration": 3})),
            "waiting for the controller to observe generation 4",
        );
        check(
            &wait("StatefulSet", json!({"updatedReplicas": 1})),
            "1 pod of an older template left",
        );
        let daemon = json!({"currentNumberScheduled": 3, "updatedNumberScheduled": 1});
        check(
            &wait("DaemonSet", daemon),
            "2 pods of an older template left",
        );
        let mut by_hand = workload("StatefulSet", None, &json!({"updatedReplicas": 0}));
        by_hand["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        check(&until(&by_hand, Condition::NoOldPods), "ready");
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        check(&until(&map, Condition::NoOldPods), "ready");
    }

    #[test]
    fn pods_are_looked_at_where_no_status_counts_them() {
        let old = workload("Deployment", None, &json!({}));
        assert_eq!(uncounted(&old).as_deref(), Some("app=web,tier=a"));
        let new = workload("Deployment", None, &json!({"terminatingReplicas": 0}));
        assert_eq!(uncounted(&new), None);
        let set = workload("StatefulSet", None, &json!({}));
        assert_eq!(uncounted(&set).as_deref(), Some("app=web,tier=a"));
        let mut chosen = workload("StatefulSet", None, &json!({}));
        chosen["spec"]["selector"] = json!({"matchExpressions": [
            {"key": "a", "operator": "In", "values": ["x", "y"]},
            {"key": "b", "operator": "NotIn", "values": ["z"]},
            {"key": "c", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist"}]});
        let text = "a in (x,y),b notin (z),c,!d";
        assert_eq!(uncounted(&chosen).as_deref(), Some(text));
        chosen["spec"]["selector"] = json!({});
        assert_eq!(uncounted(&chosen), None);
        assert_eq!(
            uncounted(&json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            None
        );
    }
}
