//! Whether one live resource is ready, by the rules of kstatus, one file per family of kinds.
//!
//! A live body comes in, its [`Health`] goes out. Watching until it changes is left to `cluster`.
//!
//! The rules are those of `sigs.k8s.io/cli-utils/pkg/kstatus`, with these differences: a paused
//! Deployment is ready, because it would wait for ever; an unfinished Job is not; a workload that
//! is updated by hand (`OnDelete`) is held to its pods' readiness; a claim that waits for its first
//! consumer is ready; a pod that has ended badly has failed; `minReadySeconds` counts for sets, too; a
//! load balancer has to have an address, an API service to be reached. Expressions in annotations, if
//! there are any, stand for the rules of the kind.

mod api_service;
mod crd;
mod expressions;
mod generic;
mod hopeless;
mod job;
mod pod;
mod pods_left;
mod service;
mod storage;
mod workload;

use serde_json::Value;

pub use hopeless::{Past, REVISION, Template, hopeless, newest_template};
pub use pod::{Trouble, container_troubles, trouble};
pub use workload::exceeded_deadline;

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The resource is what its spec asks for, as [`of`] judges it.
    Ready,
    /// No pod of an older template is left, be the new ones ready or not.
    NoOldPods,
    /// A Job or a Pod has run to its end, and well; other kinds need only be there.
    Complete,
}

/// The state of one live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is what its spec asks for.
    Ready,
    /// It is on its way; the reason says what is missing.
    InProgress(String),
    /// It cannot become ready by itself; the reason says why.
    Failed(String),
}

impl Health {
    /// Tells whether nothing is missing.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }

    /// Tells whether waiting on is of no use.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Returns what is missing or wrong; none when ready.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::InProgress(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// Judges one resource as the API server returned it, `apiVersion` and `kind` included.
///
/// A kind without a status, and a body without anything that could be judged, is ready. Where a chart
/// gives [expressions](crate::manifest::readiness), they alone count. A workload
/// with the annotation [`READY`](crate::manifest::READY) is not as long as old pods are ending.
///
/// ```
/// use pintle::health::{self, Health};
/// let live = serde_json::json!({
///     "apiVersion": "apps/v1", "kind": "Deployment",
///     "metadata": {"name": "web", "generation": 1},
///     "spec": {"replicas": 3},
///     "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 1},
/// });
/// assert_eq!(health::of(&live), Health::InProgress("1 of 3 pods ready".to_owned()));
/// ```
pub fn of(live: &Value) -> Health {
    match of_kind(live) {
        Health::Ready if pods_left::is_asked_for(live) => pods_left::left(live),
        health => health,
    }
}

/// Judges one resource by what is waited for.
pub fn until(live: &Value, condition: Condition) -> Health {
    match condition {
        Condition::Ready => of(live),
        Condition::NoOldPods => pods_left::left(live),
        Condition::Complete => end(live),
    }
}

/// Judges how far what runs to an end has come. It may be deleted by then: a Job can ask for that.
fn end(live: &Value) -> Health {
    let health = match (group(live), text(live, "/kind")) {
        ("batch", Some("Job")) => job::end(live),
        ("", Some("Pod")) => pod::end(live),
        _ => return Health::Ready,
    };
    match health {
        Health::InProgress(_) if text(live, "/metadata/deletionTimestamp").is_some() => {
            waiting("being deleted")
        }
        health => health,
    }
}

/// Tells whether a Job or a Pod has run to its end, and well, so that nothing is missing when it is deleted.
///
/// One that is being deleted by the time that it is seen counts only if it asks for that itself
/// (`ttlSecondsAfterFinished`): otherwise it may be somebody else who wants it gone.
pub fn has_finished(live: &Value) -> bool {
    let end = match (group(live), text(live, "/kind")) {
        ("batch", Some("Job")) => job::end(live),
        ("", Some("Pod")) => pod::end(live),
        _ => return false,
    };
    let may_count = deletes_itself(live) || text(live, "/metadata/deletionTimestamp").is_none();
    let judged = expressions::judged(live);
    end.is_ready() && may_count && judged.is_none_or(|health| health.is_ready())
}

/// Tells whether a resource asks to be deleted when it has finished.
pub fn deletes_itself(body: &Value) -> bool {
    (group(body), text(body, "/kind")) == ("batch", Some("Job"))
        && number(body, "/spec/ttlSecondsAfterFinished").is_some()
}

/// Returns the selector of a workload's pods if, to know whether old ones are left, somebody has
/// to look whether any of them is ending: the status of the workload does not say.
pub fn uncounted_pods(live: &Value, condition: Condition) -> Option<String> {
    let asks = condition == Condition::NoOldPods || pods_left::is_asked_for(live);
    asks.then(|| pods_left::uncounted(live)).flatten()
}

fn of_kind(live: &Value) -> Health {
    if text(live, "/metadata/deletionTimestamp").is_some() {
        return waiting("being deleted");
    }
    if let Some(health) = expressions::judged(live) {
        return health;
    }
    let kind = text(live, "/kind").unwrap_or_default();
    match (group(live), kind) {
        ("apps", "Deployment") => workload::deployment(live),
        ("apps", "StatefulSet") => workload::stateful_set(live),
        ("apps", "DaemonSet") => workload::daemon_set(live),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => workload::replica_set(live),
        ("batch", "Job") => job::job(live),
        ("", "Pod") => pod::pod(live),
        ("", "Service") => service::service(live),
        ("", "PersistentVolumeClaim") => storage::claim(live),
        ("", "PersistentVolume") => storage::volume(live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crd::definition(live),
        ("apiregistration.k8s.io", "APIService") => api_service::api_service(live),
        // What their status says is the state of other resources, not their own.
        ("batch", "CronJob")
        | ("policy", "PodDisruptionBudget")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("", "Node") => Health::Ready,
        _ => generic::generic(live),
    }
}

fn group(live: &Value) -> &str {
    text(live, "/apiVersion")
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// A number that some controllers write as a string.
fn number(value: &Value, pointer: &str) -> Option<i64> {
    match value.pointer(pointer)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// A count of pods; the API leaves out zeros.
fn count(live: &Value, pointer: &str) -> i64 {
    number(live, pointer).unwrap_or(0)
}

fn condition<'a>(live: &'a Value, name: &str) -> Option<&'a Value> {
    live.pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|condition| text(condition, "/type") == Some(name))
}

/// The condition if it is `True`.
fn holds<'a>(live: &'a Value, name: &str) -> Option<&'a Value> {
    condition(live, name).filter(|condition| text(condition, "/status") == Some("True"))
}

/// What a condition says, in the words that are most telling: its message or else its reason.
fn explanation<'a>(condition: &'a Value, fallback: &'a str) -> &'a str {
    ["/message", "/reason"]
        .iter()
        .filter_map(|field| text(condition, field))
        .find(|said| !said.is_empty())
        .unwrap_or(fallback)
}

fn waiting(reason: impl Into<String>) -> Health {
    Health::InProgress(reason.into())
}

/// Waits for a controller whose last report is about an older generation.
fn unobserved(live: &Value, observed: Option<i64>) -> Option<Health> {
    let generation = number(live, "/metadata/generation")?;
    (observed.unwrap_or(0) < generation).then(|| {
        waiting(format!(
            "waiting for the controller to observe generation {generation}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `want` is `Ready`, or the reason with `… ` before one of progress and `! ` before a failure.
    #[track_caller]
    pub(super) fn check(live: &Value, want: &str) {
        let got = match of(live) {
            Health::Ready => "Ready".to_owned(),
            Health::InProgress(reason) => format!("… {reason}"),
            Health::Failed(reason) => format!("! {reason}"),
        };
        assert_eq!(got, want);
    }

    #[test]
    fn anything_being_deleted_is_not_ready() {
        for (version, kind) in [
            ("v1", "ConfigMap"),
            ("apps/v1", "Deployment"),
            ("v1", "Pod"),
        ] {
            check(
                &json!({"apiVersion": version, "kind": kind, "metadata": {
                    "name": "a", "deletionTimestamp": "2026-11-21T10:00:00Z"}}),
                "… being deleted",
            );
        }
    }

    #[test]
    fn kinds_without_a_state_of_their_own_are_ready() {
        check(&json!({"apiVersion": "v1", "kind": "ConfigMap"}), "Ready");
        check(&json!({}), "Ready");
        check(&json!(null), "Ready");
        check(
            &json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": {"generation": 2},
                "status": {"observedGeneration": 1, "currentHealthy": 0, "desiredHealthy": 2}}),
            "Ready",
        );
        check(
            &json!({"apiVersion": "batch/v1", "kind": "CronJob", "status": {"active": [{}]}}),
            "Ready",
        );
    }

    /// Checks whether a resource has finished, with this spec and status, deleted or not.
    #[track_caller]
    fn finished(kind: [&str; 2], spec: &Value, status: &Value) -> [bool; 2] {
        let [version, kind] = kind;
        let mut live = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"},
            "spec": spec, "status": status});
        let before = has_finished(&live);
        live["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z".into();
        [before, has_finished(&live)]
    }

    #[test]
    fn what_has_run_to_its_end_has_finished() {
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        let failed = json!({"conditions": [{"type": "Failed", "status": "True"}]});
        let passing = json!({"ttlSecondsAfterFinished": 0});
        let job = ["batch/v1", "Job"];
        assert_eq!(finished(job, &json!({}), &complete), [true, false]);
        assert_eq!(finished(job, &passing, &complete), [true, true]);
        for status in [failed, json!({})] {
            assert_eq!(finished(job, &passing, &status), [false, false]);
        }
        // It is ready, and will run.
        let suspended = json!({"suspend": true, "ttlSecondsAfterFinished": 0});
        assert_eq!(finished(job, &suspended, &json!({})), [false, false]);
        let pod = ["v1", "Pod"];
        let phase = |phase: &str| {
            json!({"phase": phase, "conditions":
            [{"type": "Ready", "status": "True"}]})
        };
        assert_eq!(
            finished(pod, &json!({}), &phase("Succeeded")),
            [true, false]
        );
        assert_eq!(finished(pod, &json!({}), &phase("Running")), [false, false]);
        let other = ["example.com/v1", "Job"];
        assert_eq!(finished(other, &passing, &complete), [false, false]);
    }

    #[test]
    fn a_kind_is_known_by_its_group() {
        let foreign = json!({"apiVersion": "example.com/v1", "kind": "Deployment",
            "metadata": {"generation": 1}, "spec": {"replicas": 3}, "status": {}});
        check(&foreign, "Ready");
    }

    #[test]
    fn reasons_belong_to_what_is_not_ready() {
        assert_eq!(Health::Ready.reason(), None);
        assert_eq!(Health::Failed("no".to_owned()).reason(), Some("no"));
        assert!(Health::Failed(String::new()).is_failed());
        assert!(!waiting("x").is_ready() && !waiting("x").is_failed());
    }
}
