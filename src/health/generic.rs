//! Every other kind, judged by what controllers agree on: the observed generation and the
//! conditions `Reconciling`, `Stalled`, and `Ready` or else `Available`.

use serde_json::Value;

use super::{Health, condition, explanation, holds, number, text, unobserved, waiting};

pub(super) fn generic(live: &Value) -> Health {
    // Many controllers report no generation at all, so a missing one means nothing.
    if let Some(observed) = number(live, "/status/observedGeneration")
        && let Some(wait) = unobserved(live, Some(observed))
    {
        return wait;
    }
    if let Some(stalled) = holds(live, "Stalled") {
        return Health::Failed(explanation(stalled, "stalled").to_owned());
    }
    if let Some(reconciling) = holds(live, "Reconciling") {
        return waiting(explanation(reconciling, "reconciling"));
    }
    ["Ready", "Available"]
        .iter()
        .find_map(|name| condition(live, name))
        .map_or(Health::Ready, |found| positive(live, found))
}

/// Judges a condition that has to be `True`, which may carry a generation of its own.
fn positive(live: &Value, found: &Value) -> Health {
    if let Some(observed) = number(found, "/observedGeneration")
        && let Some(wait) = unobserved(live, Some(observed))
    {
        return wait;
    }
    if text(found, "/status") == Some("True") {
        return Health::Ready;
    }
    let name = text(found, "/type").unwrap_or_default();
    match explanation(found, "") {
        "" => waiting(format!("condition {name} is not met")),
        said => waiting(format!("condition {name} is not met: {said}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(status: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "example.com/v1", "kind": "Car",
                "metadata": {"name": "red", "generation": 4}, "status": status}),
            want,
        );
    }

    #[test]
    fn without_anything_to_judge_by_it_is_ready() {
        check(&json!(null), "Ready");
        check(&json!({}), "Ready");
        check(&json!({"conditions": null}), "Ready");
        check(&json!({"conditions": "none"}), "Ready");
        check(
            &json!({"conditions": [{"type": "Painted", "status": "False"}]}),
            "Ready",
        );
    }

    #[test]
    fn the_observed_generation_counts_where_it_is_reported() {
        let late = "… waiting for the controller to observe generation 4";
        check(&json!({"observedGeneration": 3}), late);
        check(&json!({"observedGeneration": "3"}), late);
        check(&json!({"observedGeneration": 4}), "Ready");
        check(&json!({"observedGeneration": "4"}), "Ready");
        check(&json!({"observedGeneration": "four"}), "Ready");
        check(&json!({"observedGeneration": {}}), "Ready");
        check(
            &json!({"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 3}]}),
            late,
        );
        check(
            &json!({"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 4}]}),
            "Ready",
        );
    }

    #[test]
    fn conditions_decide() {
        let one = |name: &str, status: &str| json!({"conditions": [{"type": name, "status": status, "message": "no fuel"}]});
        check(&one("Ready", "True"), "Ready");
        check(
            &one("Ready", "False"),
            "… condition Ready is not met: no fuel",
        );
        check(
            &one("Ready", "Unknown"),
            "… condition Ready is not met: no fuel",
        );
        check(
            &one("Available", "False"),
            "… condition Available is not met: no fuel",
        );
        check(&one("Reconciling", "True"), "… no fuel");
        check(&one("Reconciling", "False"), "Ready");
        check(&one("Stalled", "True"), "! no fuel");
        check(&one("Stalled", "False"), "Ready");
        check(
            &json!({"conditions": [{"type": "Ready", "status": "False"}]}),
            "… condition Ready is not met",
        );
        check(
            &json!({"conditions": [{"type": "Available", "status": "False"},
                {"type": "Ready", "status": "True"}]}),
            "Ready",
        );
        check(
            &json!({"conditions": [{"type": "Reconciling", "status": "True", "reason": "Building"},
                {"type": "Stalled", "status": "True", "reason": "Broken"}]}),
            "! Broken",
        );
    }
}
