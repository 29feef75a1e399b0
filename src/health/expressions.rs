//! Resources whose chart says by expressions when they are ready.

use serde_json::Value;

use super::{Health, number, unobserved, waiting};
use crate::manifest::readiness::{FAILURE, Readiness, SUCCESS};

/// Judges a resource by its expressions; none if it has none, or they were spoilt by somebody.
pub(super) fn judged(live: &Value) -> Option<Health> {
    let readiness = Readiness::of(live).ok()??;
    // A status about an older generation says nothing, whatever the expressions are about.
    if let Some(observed) = number(live, "/status/observedGeneration")
        && let Some(wait) = unobserved(live, Some(observed))
    {
        return Some(wait);
    }
    let status = live.get("status").unwrap_or(&Value::Null);
    if let Some(failed) = readiness.failure.iter().find(|one| one.holds(status)) {
        return Some(Health::Failed(format!("{FAILURE} holds: {failed}")));
    }
    if readiness.success.iter().any(|one| one.holds(status)) {
        return Some(Health::Ready);
    }
    let expressions: Vec<String> = readiness.success.iter().map(ToString::to_string).collect();
    Some(waiting(format!(
        "{SUCCESS} does not hold: {}",
        expressions.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(status: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "once", "generation": 2, "annotations": {
                    "helm.sh/readiness-success": "[\"{.succeeded} >= 2\", \"{.phase} == Done\"]",
                    "helm.sh/readiness-failure": "[\"{.failed} > 1\"]"}},
                "status": status}),
            want,
        );
    }

    #[test]
    fn expressions_stand_for_the_rules_of_the_kind() {
        let none = "… helm.sh/readiness-success does not hold: {.succeeded} >= 2, {.phase} == Done";
        check(&json!(null), none);
        check(
            &json!({"conditions": [{"type": "Complete", "status": "True"}]}),
            none,
        );
        check(&json!({"succeeded": 2}), "Ready");
        check(&json!({"phase": "Done", "failed": 1}), "Ready");
        check(
            &json!({"succeeded": 2, "failed": 2}),
            "! helm.sh/readiness-failure holds: {.failed} > 1",
        );
        check(
            &json!({"succeeded": 2, "observedGeneration": 1}),
            "… waiting for the controller to observe generation 2",
        );
    }

    #[test]
    fn spoilt_annotations_say_nothing() {
        check_body(
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": {
                "helm.sh/readiness-success": "[\"{.a} == 1\"]"}}}),
            "Ready",
        );
    }
}
