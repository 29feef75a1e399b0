//! Pods: ready when running and ready, or when they have succeeded.
//!
//! A container that crashes again and again, or an image that cannot be pulled, is reported but is
//! not a failure here: both heal by themselves when what they lack appears. Whether waiting for
//! that is of use is told by [`hopeless`](super::hopeless()).

use std::fmt;

use serde_json::Value;

use super::hopeless::{Past, hopeless};
use super::{Health, condition, explanation, holds, number, text, waiting};

/// What keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The container; none if it is the pod as a whole.
    pub container: Option<String>,
    /// What it waits for or how it ended: `CrashLoopBackOff: exit code 1, 5 restarts`.
    pub reason: String,
}

/// `container etcd: CrashLoopBackOff: exit code 1, 5 restarts`.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.container {
            Some(name) => write!(f, "container {name}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// Returns what keeps a pod from being ready; none if it is ready or has succeeded.
///
/// ```
/// let pod = serde_json::json!({
///     "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"},
///     "status": {"phase": "Pending", "containerStatuses": [
///         {"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
/// });
/// let trouble = pintle::health::trouble(&pod).unwrap();
/// assert_eq!(trouble.to_string(), "container app: ImagePullBackOff");
/// ```
pub fn trouble(pod: &Value) -> Option<Trouble> {
    if text(pod, "/metadata/deletionTimestamp").is_some() {
        return Some(whole("being deleted"));
    }
    match text(pod, "/status/phase") {
        Some("Succeeded") => None,
        Some("Failed") => Some(why_failed(pod)),
        Some("Running") if holds(pod, "Ready").is_some() => None,
        _ => Some(why_not_ready(pod)),
    }
}

/// Returns what is wrong with each container of a pod that keeps it from being ready: with those that cannot
/// start or have failed, and with those that run and are not ready.
///
/// ```
/// let pod = serde_json::json!({
///     "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"},
///     "status": {"phase": "Running", "containerStatuses": [
///         {"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}},
///         {"name": "log", "ready": true, "state": {"running": {}}},
///         {"name": "proxy", "state": {"terminated": {"exitCode": 2}}}]},
/// });
/// let troubles = pintle::health::container_troubles(&pod);
/// let troubles: Vec<String> = troubles.iter().map(ToString::to_string).collect();
/// assert_eq!(troubles, ["container app: ImagePullBackOff", "container proxy: exit code 2"]);
/// ```
pub fn container_troubles(pod: &Value) -> Vec<Trouble> {
    let broken = containers(pod).filter_map(|one| stuck(one).or_else(|| exit(one)));
    let unready = list(pod, MAIN).filter_map(|one| unready(pod, one));
    broken.chain(unready).collect()
}

pub(super) fn pod(live: &Value) -> Health {
    match trouble(live) {
        None => Health::Ready,
        Some(why) if text(live, "/status/phase") == Some("Failed") => {
            Health::Failed(why.to_string())
        }
        Some(why) => waiting(why.to_string()),
    }
}

/// Whether a pod of its own has come to its end. It is new, so whatever keeps it from running for
/// good has to do with this run.
pub(super) fn end(live: &Value) -> Health {
    match text(live, "/status/phase") {
        Some("Succeeded") => Health::Ready,
        Some("Failed") => Health::Failed(why_failed(live).to_string()),
        _ => match (hopeless(live, &Past::default()), trouble(live)) {
            (Some(why), _) => Health::Failed(why.to_string()),
            (None, Some(why)) => waiting(why.to_string()),
            (None, None) => waiting("running"),
        },
    }
}

fn whole(reason: &str) -> Trouble {
    Trouble {
        container: None,
        reason: reason.to_owned(),
    }
}

fn of_container(container: &Value, reason: String) -> Trouble {
    Trouble {
        container: Some(name(container).to_owned()),
        reason,
    }
}

fn why_failed(live: &Value) -> Trouble {
    ["/status/message", "/status/reason"]
        .iter()
        .filter_map(|field| text(live, field))
        .find(|said| !said.is_empty())
        .map(whole)
        .or_else(|| containers(live).find_map(exit))
        .unwrap_or_else(|| whole("the pod failed"))
}

fn why_not_ready(live: &Value) -> Trouble {
    let unscheduled = condition(live, "PodScheduled")
        .filter(|scheduled| text(scheduled, "/status") == Some("False"))
        .map(|scheduled| {
            let why = explanation(scheduled, "no node fits");
            whole(&format!("not scheduled: {}", unfit(why)))
        });
    unscheduled
        .or_else(|| containers(live).find_map(stuck))
        .or_else(|| containers(live).find_map(exit))
        .or_else(|| initialising(live))
        .or_else(|| list(live, MAIN).find_map(|one| unready(live, one)))
        .unwrap_or_else(|| match text(live, "/status/phase") {
            Some("Running") => whole(not_ready(live)),
            _ => whole("starting"),
        })
}

/// Why no node fits, without the scheduler's thoughts on what else it could do: evict other pods, or
/// take back devices.
fn unfit(why: &str) -> &str {
    let why = why.split(" preemption: ").next().unwrap_or(why);
    why.strip_suffix(" no new claims to deallocate,")
        .unwrap_or(why)
}

/// Why a pod is not ready whose containers are.
fn not_ready(live: &Value) -> &str {
    condition(live, "Ready")
        .filter(|ready| text(ready, "/reason") == Some("ReadinessGatesNotReady"))
        .map_or("not ready", |ready| explanation(ready, "not ready"))
}

const INIT: &str = "/status/initContainerStatuses";
const MAIN: &str = "/status/containerStatuses";

fn list<'a>(live: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = live.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The states of a pod's containers; init containers first, because the others wait for them.
pub(super) fn containers(live: &Value) -> impl Iterator<Item = &Value> {
    list(live, INIT).chain(list(live, MAIN))
}

pub(super) fn name(container: &Value) -> &str {
    text(container, "/name").unwrap_or("?")
}

/// Why a container waits, unless it is about to start.
fn stuck(container: &Value) -> Option<Trouble> {
    let waiting = container.pointer("/state/waiting")?;
    let reason = text(waiting, "/reason")?;
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let said = text(waiting, "/message").filter(|said| !said.is_empty());
    let said = said.map(str::to_owned);
    let detail = match reason {
        // The message only says how long the pause is.
        "CrashLoopBackOff" => ended(container, "/lastState/terminated").or(said),
        _ => said,
    };
    let reason = match detail {
        Some(detail) => format!("{reason}: {detail}"),
        None => reason.to_owned(),
    };
    Some(of_container(container, reason))
}

/// How a container ended that should not have.
fn exit(container: &Value) -> Option<Trouble> {
    let code = number(container, "/state/terminated/exitCode")?;
    let how = ended(container, "/state/terminated").filter(|_| code != 0)?;
    Some(of_container(container, how))
}

/// `exit code 137 (OOMKilled), 3 restarts`.
fn ended(container: &Value, state: &str) -> Option<String> {
    let state = container.pointer(state)?;
    let code = number(state, "/exitCode")?;
    let how = text(state, "/reason").filter(|reason| *reason != "Error");
    let how = how.map_or_else(String::new, |reason| format!(" ({reason})"));
    let restarts = match number(container, "/restartCount").unwrap_or(0) {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        many => format!(", {many} restarts"),
    };
    Some(format!("exit code {code}{how}{restarts}"))
}

/// The init container that the others wait for, while it runs.
fn initialising(live: &Value) -> Option<Trouble> {
    if holds(live, "Initialized").is_some() {
        return None;
    }
    list(live, INIT)
        .find(|one| is_running(one) && !is(one, "/ready") && !is(one, "/started"))
        .map(|one| of_container(one, "initialising".to_owned()))
}

fn is(container: &Value, pointer: &str) -> bool {
    container.pointer(pointer) == Some(&Value::Bool(true))
}

fn is_running(container: &Value) -> bool {
    container.pointer("/state/running").is_some()
}

fn unready(live: &Value, container: &Value) -> Option<Trouble> {
    if !is_running(container) || is(container, "/ready") {
        return None;
    }
    let spec = list(live, "/spec/containers").find(|spec| name(spec) == name(container));
    let has = |probe: &str| spec.is_some_and(|spec| spec.get(probe).is_some_and(Value::is_object));
    let reason = match container.pointer("/started") {
        Some(Value::Bool(false)) if has("startupProbe") => "startup probe failing",
        Some(Value::Bool(true)) if has("readinessProbe") => "readiness probe failing",
        _ => "not ready",
    };
    Some(of_container(container, reason.to_owned()))
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
            "… container app: not ready",
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
                "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, \
                 preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."}]}),
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
            "… container app: CrashLoopBackOff: exit code 1, 4 restarts",
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

    #[test]
    fn running_containers_say_which_probe_fails() {
        let mut body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"},
            "spec": {"containers": [{"name": "app", "readinessProbe": {}, "startupProbe": {}}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false,
                "started": true, "state": {"running": {}}}]}});
        check_body(&body, "… container app: readiness probe failing");
        body["status"]["containerStatuses"][0]["started"] = json!(false);
        check_body(&body, "… container app: startup probe failing");
        body["spec"]["containers"][0]["startupProbe"] = json!(null);
        check_body(&body, "… container app: not ready");
    }

    #[test]
    fn init_containers_and_crashes_between_back_offs_are_told() {
        check(
            &json!({"phase": "Pending",
                "initContainerStatuses": [
                    {"name": "proxy", "started": true, "ready": false, "state": {"running": {}}},
                    {"name": "setup", "started": false, "ready": false, "state": {"running": {}}}],
                "containerStatuses": [{"name": "app",
                    "state": {"waiting": {"reason": "PodInitializing"}}}]}),
            "… container setup: initialising",
        );
        check(
            &json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 1,
                "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}),
            "… container app: exit code 137 (OOMKilled), 1 restart",
        );
        check(
            &json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False",
                "reason": "ReadinessGatesNotReady", "message": "gate example.com/lb is not met"}]}),
            "… gate example.com/lb is not met",
        );
    }

    #[test]
    fn what_a_container_waits_for_now_is_told() {
        let waiting = |reason: &str, message: &str, code: i64| {
            json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 7,
                "state": {"waiting": {"reason": reason, "message": message}},
                "lastState": {"terminated": {"exitCode": code, "reason": "Completed"}}}]})
        };
        check(
            &waiting("CrashLoopBackOff", "back-off 5m0s", 0),
            "… container app: CrashLoopBackOff: exit code 0 (Completed), 7 restarts",
        );
        check(
            &waiting("CreateContainerConfigError", "secret \"a\" not found", 1),
            "… container app: CreateContainerConfigError: secret \"a\" not found",
        );
    }
}
