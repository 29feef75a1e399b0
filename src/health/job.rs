//! Jobs: ready when complete.

use serde_json::Value;

use super::{Health, count, explanation, holds, number, waiting};

pub(super) fn job(live: &Value) -> Health {
    match end(live) {
        // A suspended job runs nothing until somebody else lets it: it is what its spec asks for.
        Health::InProgress(_) if live.pointer("/spec/suspend") == Some(&Value::Bool(true)) => {
            Health::Ready
        }
        health => health,
    }
}

/// Whether a job has come to its end, suspended or not.
pub(super) fn end(live: &Value) -> Health {
    if holds(live, "Complete").is_some() {
        return Health::Ready;
    }
    if let Some(failed) = holds(live, "Failed") {
        return Health::Failed(explanation(failed, "the job failed").to_owned());
    }
    let succeeded = count(live, "/status/succeeded");
    let progress = match number(live, "/spec/completions") {
        Some(wanted) => format!("{succeeded} of {wanted} pods succeeded"),
        None => format!("{succeeded} succeeded so far"),
    };
    waiting(match count(live, "/status/failed") {
        0 => progress,
        failed => format!("{progress}, {failed} failed"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(spec: &Value, status: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "migrate", "generation": 1}, "spec": spec, "status": status}),
            want,
        );
    }

    #[test]
    fn jobs_end_well_or_not() {
        let spec = json!({"completions": 1, "parallelism": 1, "backoffLimit": 6});
        check(&spec, &json!({}), "… 0 of 1 pods succeeded");
        check(
            &spec,
            &json!({"active": 1, "failed": 2, "startTime": "2026-11-21T10:00:00Z"}),
            "… 0 of 1 pods succeeded, 2 failed",
        );
        check(
            &spec,
            &json!({"succeeded": 1, "conditions": [
                {"type": "SuccessCriteriaMet", "status": "True"},
                {"type": "Complete", "status": "True"}]}),
            "Ready",
        );
        check(
            &spec,
            &json!({"failed": 7, "conditions": [
                {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"},
                {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                 "message": "Job has reached the specified backoff limit"}]}),
            "! Job has reached the specified backoff limit",
        );
        check(
            &spec,
            &json!({"conditions": [{"type": "Failed", "status": "False"}]}),
            "… 0 of 1 pods succeeded",
        );
        check(
            &json!({"parallelism": 2}),
            &json!({"succeeded": 1}),
            "… 1 succeeded so far",
        );
    }

    #[test]
    fn suspended_jobs_are_what_they_should_be() {
        let spec = json!({"completions": 1, "suspend": true});
        check(
            &spec,
            &json!({"conditions": [{"type": "Suspended", "status": "True"}]}),
            "Ready",
        );
        check(
            &spec,
            &json!({"conditions": [{"type": "Failed", "status": "True",
                "reason": "DeadlineExceeded", "message": ""}]}),
            "! DeadlineExceeded",
        );
        let suspended = json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec});
        let end = super::super::until(&suspended, super::super::Condition::Complete);
        assert_eq!(end.reason(), Some("0 of 1 pods succeeded"));
    }
}
