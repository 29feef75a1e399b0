//! Deployments, stateful sets, daemon sets and replica sets.
//!
//! Their controllers write one status at a time, so its counts fit together once it is about the
//! newest generation.

use serde_json::Value;

use super::{Health, condition, count, explanation, holds, number, text, unobserved, waiting};

/// The state of one rollout in pods.
struct Pods {
    desired: i64,
    existing: i64,
    ready: i64,
    available: i64,
}

impl Pods {
    fn of(live: &Value) -> Self {
        Self {
            desired: number(live, "/spec/replicas").unwrap_or(1),
            existing: count(live, "/status/replicas"),
            ready: count(live, "/status/readyReplicas"),
            available: count(live, "/status/availableReplicas"),
        }
    }

    /// What is missing until all pods are up for as long as `minReadySeconds` asks.
    fn missing(&self) -> Option<String> {
        if self.ready < self.desired {
            Some(format!("{} of {} pods ready", self.ready, self.desired))
        } else if self.available < self.desired {
            Some(format!(
                "{} of {} pods available",
                self.available, self.desired
            ))
        } else {
            None
        }
    }

    fn surplus(&self) -> Option<String> {
        (self.existing > self.desired)
            .then(|| format!("{} too many", pods(self.existing - self.desired)))
    }
}

fn pods(number: i64) -> String {
    match number {
        1 => "1 pod".to_owned(),
        _ => format!("{number} pods"),
    }
}

fn too_few_updated(updated: i64, wanted: i64) -> Option<String> {
    (updated < wanted).then(|| format!("{updated} of {wanted} pods updated"))
}

fn observed(live: &Value) -> Option<Health> {
    unobserved(live, number(live, "/status/observedGeneration"))
}

pub(super) fn deployment(live: &Value) -> Health {
    if let Some(wait) = observed(live) {
        return wait;
    }
    if live.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return Health::Ready;
    }
    let pods_now = Pods::of(live);
    let updated = count(live, "/status/updatedReplicas");
    let old = pods_now.existing - updated;
    let missing = too_few_updated(updated, pods_now.desired)
        .or_else(|| (old > 0).then(|| format!("{} of an older template left", pods(old))))
        .or_else(|| pods_now.surplus())
        .or_else(|| pods_now.missing());
    let Some(missing) = missing else {
        return Health::Ready;
    };
    match exceeded_deadline(live) {
        Some(progress) => {
            Health::Failed(format!("{missing}: {}", explanation(progress, "too late")))
        }
        None => waiting(with_failure(live, missing)),
    }
}

/// The condition by which a Deployment says that a rollout has exceeded its deadline. It stays until
/// the controller has begun another one.
pub fn exceeded_deadline(live: &Value) -> Option<&Value> {
    condition(live, "Progressing")
        .filter(|progress| text(progress, "/reason") == Some("ProgressDeadlineExceeded"))
}

/// Adds why pods cannot even be made, such as a quota.
fn with_failure(live: &Value, missing: String) -> String {
    match holds(live, "ReplicaFailure") {
        Some(failure) => format!(
            "{missing}: {}",
            explanation(failure, "pods cannot be created")
        ),
        None => missing,
    }
}

pub(super) fn replica_set(live: &Value) -> Health {
    if let Some(wait) = observed(live) {
        return wait;
    }
    let pods_now = Pods::of(live);
    match pods_now.surplus().or_else(|| pods_now.missing()) {
        Some(missing) => waiting(with_failure(live, missing)),
        None => Health::Ready,
    }
}

pub(super) fn stateful_set(live: &Value) -> Health {
    if let Some(wait) = observed(live) {
        return wait;
    }
    let mut pods_now = Pods::of(live);
    if count(live, "/spec/minReadySeconds") == 0 {
        // Older hosts do not report it.
        pods_now.available = pods_now.ready;
    }
    let missing = stale(live, pods_now.desired)
        .or_else(|| pods_now.surplus())
        .or_else(|| pods_now.missing())
        .or_else(|| unfinished(live));
    missing.map_or(Health::Ready, waiting)
}

/// Where the pods that must be updated start, counted from the highest ordinal downwards.
pub(super) fn partition(live: &Value) -> i64 {
    count(live, "/spec/updateStrategy/rollingUpdate/partition")
}

pub(super) fn by_hand(live: &Value) -> bool {
    text(live, "/spec/updateStrategy/type") == Some("OnDelete")
}

fn stale(live: &Value, desired: i64) -> Option<String> {
    if by_hand(live) {
        return None;
    }
    let updated = count(live, "/status/updatedReplicas");
    too_few_updated(updated, (desired - partition(live)).max(0))
}

/// The controller names the new revision current only when a whole rollout is done.
fn unfinished(live: &Value) -> Option<String> {
    if by_hand(live) || partition(live) > 0 {
        return None;
    }
    let update = text(live, "/status/updateRevision")?;
    (text(live, "/status/currentRevision") != Some(update))
        .then(|| "waiting for the controller to finish the rollout".to_owned())
}

pub(super) fn daemon_set(live: &Value) -> Health {
    if let Some(wait) = observed(live) {
        return wait;
    }
    let desired = count(live, "/status/desiredNumberScheduled");
    let scheduled = count(live, "/status/currentNumberScheduled");
    let updated = count(live, "/status/updatedNumberScheduled");
    let pods_now = Pods {
        desired,
        existing: desired,
        ready: count(live, "/status/numberReady"),
        available: count(live, "/status/numberAvailable"),
    };
    let missing = (scheduled < desired)
        .then(|| format!("{scheduled} of {desired} pods created"))
        .or_else(|| too_few_updated(updated, desired).filter(|_| !by_hand(live)))
        .or_else(|| pods_now.missing());
    missing.map_or(Health::Ready, waiting)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    /// A workload of three pods with this status, and then with these fields of its spec.
    #[track_caller]
    fn check(kind: &str, (spec, status): (Value, Value), want: &str) {
        let mut body = json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": "web", "namespace": "shop", "generation": 4},
            "spec": {"replicas": 3},
            "status": {"observedGeneration": 4},
        });
        for (part, fields) in [("spec", spec), ("status", status)] {
            for (name, value) in fields.as_object().unwrap() {
                body[part][name] = value.clone();
            }
        }
        check_body(&body, want);
    }

    fn none() -> Value {
        json!({})
    }

    fn up() -> Value {
        json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3})
    }

    #[test]
    fn nothing_is_judged_before_the_controller_has_seen_it() {
        let late = "… waiting for the controller to observe generation 4";
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"] {
            check(kind, (none(), json!({"observedGeneration": 3})), late);
            check(kind, (none(), json!({"observedGeneration": null})), late);
        }
        check(
            "Deployment",
            (json!({"paused": true}), json!({"observedGeneration": 3})),
            late,
        );
    }

    #[test]
    fn deployments_roll_out_step_by_step() {
        let kind = "Deployment";
        check(kind, (none(), up()), "Ready");
        check(kind, (none(), none()), "… 0 of 3 pods updated");
        let half = json!({"replicas": 4, "updatedReplicas": 2, "readyReplicas": 3,
            "availableReplicas": 3});
        check(kind, (none(), half), "… 2 of 3 pods updated");
        let old = json!({"replicas": 4, "updatedReplicas": 3, "readyReplicas": 4,
            "availableReplicas": 4});
        check(kind, (none(), old), "… 1 pod of an older template left");
        let one = json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 1,
            "availableReplicas": 1, "unavailableReplicas": 2});
        check(kind, (none(), one), "… 1 of 3 pods ready");
        let fresh = json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3});
        check(
            kind,
            (json!({"minReadySeconds": 30}), fresh),
            "… 0 of 3 pods available",
        );
        check(kind, (json!({"replicas": 1}), up()), "… 2 pods too many");
        check(kind, (json!({"replicas": 0}), none()), "Ready");
        check(kind, (json!({"replicas": null}), up()), "… 2 pods too many");
        check(kind, (json!({"paused": true}), none()), "Ready");
    }

    fn late() -> Value {
        json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet \"web-5d8\" has timed out progressing."}])
    }

    #[test]
    fn deployments_fail_when_their_deadline_is_over() {
        let status = json!({"replicas": 4, "updatedReplicas": 1, "readyReplicas": 3,
            "availableReplicas": 3, "conditions": late()});
        check(
            "Deployment",
            (none(), status),
            "! 1 of 3 pods updated: ReplicaSet \"web-5d8\" has timed out progressing.",
        );
        let mut healed = up();
        healed["conditions"] = late();
        check("Deployment", (none(), healed), "Ready");
    }

    #[test]
    fn pods_that_cannot_be_created_are_explained() {
        let status = json!({"conditions": [
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated"},
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
             "message": "pods \"web-1\" is forbidden: exceeded quota: pods"}]});
        check(
            "Deployment",
            (none(), status.clone()),
            "… 0 of 3 pods updated: pods \"web-1\" is forbidden: exceeded quota: pods",
        );
        check(
            "ReplicaSet",
            (none(), status),
            "… 0 of 3 pods ready: pods \"web-1\" is forbidden: exceeded quota: pods",
        );
    }

    #[test]
    fn replica_sets_count_their_pods() {
        check("ReplicaSet", (none(), up()), "Ready");
        check(
            "ReplicaSet",
            (json!({"replicas": 2}), up()),
            "… 1 pod too many",
        );
        check(
            "ReplicaSet",
            (
                none(),
                json!({"replicas": 3, "readyReplicas": 2, "availableReplicas": 2}),
            ),
            "… 2 of 3 pods ready",
        );
    }

    fn revisions(current: &str, status: &Value) -> Value {
        let mut all = json!({"currentRevision": current, "updateRevision": "db-2"});
        for (name, value) in status.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    }

    #[test]
    fn stateful_sets_roll_out_pod_by_pod() {
        let kind = "StatefulSet";
        check(kind, (none(), revisions("db-2", &up())), "Ready");
        check(kind, (none(), up()), "Ready");
        let mid = json!({"replicas": 3, "updatedReplicas": 1, "readyReplicas": 2});
        check(
            kind,
            (none(), revisions("db-1", &mid)),
            "… 1 of 3 pods updated",
        );
        let end = json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 2});
        check(
            kind,
            (none(), revisions("db-1", &end)),
            "… 2 of 3 pods ready",
        );
        check(
            kind,
            (none(), revisions("db-1", &up())),
            "… waiting for the controller to finish the rollout",
        );
        check(kind, (json!({"replicas": 2}), up()), "… 1 pod too many");
        check(
            kind,
            (json!({"replicas": 0}), revisions("db-2", &none())),
            "Ready",
        );
    }

    #[test]
    fn stateful_sets_keep_their_availability_to_those_who_ask() {
        let fresh = json!({"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
            "availableReplicas": 1});
        check("StatefulSet", (none(), fresh.clone()), "Ready");
        check(
            "StatefulSet",
            (json!({"minReadySeconds": 10}), fresh),
            "… 1 of 3 pods available",
        );
    }

    #[test]
    fn a_partition_holds_back_the_lower_ordinals() {
        let spec = |from: i64| {
            json!({"updateStrategy": {"type": "RollingUpdate",
                "rollingUpdate": {"partition": from}}})
        };
        let one = json!({"replicas": 3, "updatedReplicas": 1, "readyReplicas": 3});
        check("StatefulSet", (spec(2), revisions("db-1", &one)), "Ready");
        check(
            "StatefulSet",
            (spec(1), revisions("db-1", &one)),
            "… 1 of 2 pods updated",
        );
        check("StatefulSet", (spec(7), revisions("db-1", &one)), "Ready");
        let down = json!({"replicas": 3, "updatedReplicas": 1, "readyReplicas": 2});
        check(
            "StatefulSet",
            (spec(2), revisions("db-1", &down)),
            "… 2 of 3 pods ready",
        );
    }

    #[test]
    fn sets_updated_by_hand_only_need_ready_pods() {
        let spec = || json!({"updateStrategy": {"type": "OnDelete"}});
        let none_new = json!({"replicas": 3, "updatedReplicas": 0, "readyReplicas": 3});
        check(
            "StatefulSet",
            (spec(), revisions("db-1", &none_new)),
            "Ready",
        );
        let down = json!({"replicas": 3, "readyReplicas": 1});
        check(
            "StatefulSet",
            (spec(), revisions("db-1", &down)),
            "… 1 of 3 pods ready",
        );
        let daemon = json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2,
            "numberReady": 2, "numberAvailable": 2});
        check("DaemonSet", (spec(), daemon), "Ready");
    }

    #[test]
    fn daemon_sets_run_on_every_node() {
        let kind = "DaemonSet";
        let on = |created: i64, updated: i64, ready: i64| {
            json!({"desiredNumberScheduled": 2, "currentNumberScheduled": created,
                "updatedNumberScheduled": updated, "numberReady": ready, "numberAvailable": ready})
        };
        check(kind, (none(), on(2, 2, 2)), "Ready");
        check(kind, (none(), on(1, 1, 1)), "… 1 of 2 pods created");
        check(kind, (none(), on(2, 1, 2)), "… 1 of 2 pods updated");
        check(kind, (none(), on(2, 2, 0)), "… 0 of 2 pods ready");
        check(
            kind,
            (none(), json!({"desiredNumberScheduled": 0})),
            "Ready",
        );
    }
}
