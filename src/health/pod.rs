//! Pods: ready when running and ready, or when they have succeeded.
//!
//! A container that crashes again and again, or an image that cannot be pulled, is reported but is
//! not a failure here: both heal by themselves when what they lack appears.

use serde_json::Value;

use super::{Health, condition, explanation, holds, number, text, waiting};

pub(super) fn pod(live: &Value) -> Health {
    match text(live, "/status/phase") {
        Some("Succeeded") => Health::Ready,
        Some("Failed") => Health::Failed(why_failed(live)),
        Some("Running") if holds(live, "Ready").is_some() => Health::Ready,
        _ => waiting(why_not_ready(live)),
    }
}

fn why_failed(live: &Value) -> String {
    ["/status/message", "/status/reason"]
        .iter()
        .filter_map(|field| text(live, field))
        .find(|said| !said.is_empty())
        .map(str::to_owned)
        .or_else(|| containers(live).find_map(exit))
        .unwrap_or_else(|| "the pod failed".to_owned())
}

fn why_not_ready(live: &Value) -> String {
    let unscheduled = condition(live, "PodScheduled")
        .filter(|scheduled| text(scheduled, "/status") == Some("False"))
        .map(|scheduled| format!("not scheduled: {}", explanation(scheduled, "no node fits")));
    unscheduled
        .or_else(|| containers(live).find_map(stuck))
        .or_else(|| containers(live).find_map(unready))
        .unwrap_or_else(|| match text(live, "/status/phase") {
            Some("Running") => "not ready".to_owned(),
            _ => "starting".to_owned(),
        })
}

/// Init containers first, because the others wait for them.
fn containers(live: &Value) -> impl Iterator<Item = &Value> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|list| live.pointer(list)?.as_array())
        .flatten()
}

fn name(container: &Value) -> &str {
    text(container, "/name").unwrap_or("?")
}

/// Why a container waits, unless it is about to start.
fn stuck(container: &Value) -> Option<String> {
    let waiting = container.pointer("/state/waiting")?;
    let reason = text(waiting, "/reason")?;
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let detail = exit_code(container, "/lastState/terminated")
        .or_else(|| text(waiting, "/message").map(str::to_owned))
        .filter(|said| !said.is_empty());
    let name = name(container);
    Some(match detail {
        Some(detail) => format!("container {name}: {reason}: {detail}"),
        None => format!("container {name}: {reason}"),
    })
}

fn exit(container: &Value) -> Option<String> {
    let code = exit_code(container, "/state/terminated")?;
    Some(format!("container {}: {code}", name(container)))
}

fn exit_code(container: &Value, state: &str) -> Option<String> {
    let ended = container.pointer(state)?;
    let code = number(ended, "/exitCode").filter(|code| *code != 0)?;
    Some(match text(ended, "/reason") {
        Some(reason) if reason != "Error" => format!("exit code {code} ({reason})"),
        _ => format!("exit code {code}"),
    })
}

fn unready(container: &Value) -> Option<String> {
    let running = container.pointer("/state/running").is_some();
    let ready = container.pointer("/ready") == Some(&Value::Bool(true));
    (running && !ready).then(|| format!("container {} is not ready", name(container)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(status: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]}, "status": status}),
            want,
        );
    }

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"phase": "Pending", "containerStatuses": [{"name": "app", "ready": false,
            "state": {"waiting": {"reason": reason, "message": message}}}]})
    }

    #[test]
    fn pods_run_or_end() {
        let ready = |status: &str| json!([{"type": "Ready", "status": status}]);
        check(
            &json!({"phase": "Running", "conditions": ready("True")}),
            "Ready",
        );
        check(
            &json!({"phase": "Succeeded", "conditions": ready("False")}),
            "Ready",
        );
        check(
            &json!({"phase": "Running", "conditions": ready("False")}),
            "… not ready",
        );
        check(&json!({}), "… starting");
        check(
            &json!({"phase": "Running", "conditions": ready("False"), "containerStatuses": [
                {"name": "proxy", "ready": true, "state": {"running": {}}},
                {"name": "app", "ready": false, "state": {"running": {}}}]}),
            "… container app is not ready",
        );
    }

    #[test]
    fn failed_pods_say_why() {
        check(
            &json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}),
            "! The node was low on memory.",
        );
        check(
            &json!({"phase": "Failed", "containerStatuses": [{"name": "app",
                "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}),
            "! container app: exit code 137 (OOMKilled)",
        );
        check(&json!({"phase": "Failed"}), "! the pod failed");
    }

    #[test]
    fn waiting_pods_say_what_they_wait_for() {
        check(
            &json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}),
            "… not scheduled: 0/1 nodes are available: 1 Insufficient cpu.",
        );
        check(
            &waiting("ImagePullBackOff", "Back-off pulling image \"app:1\""),
            "… container app: ImagePullBackOff: Back-off pulling image \"app:1\"",
        );
        check(
            &waiting("CreateContainerConfigError", ""),
            "… container app: CreateContainerConfigError",
        );
        check(&waiting("ContainerCreating", ""), "… starting");
        check(
            &json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}),
            "… container app: CrashLoopBackOff: exit code 1",
        );
        check(
            &json!({"phase": "Pending",
                "initContainerStatuses": [{"name": "setup",
                    "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}],
                "containerStatuses": [{"name": "app",
                    "state": {"waiting": {"reason": "PodInitializing"}}}]}),
            "… container setup: ErrImagePull: not found",
        );
    }
}
