//! API services: ready when the API server that they name can be reached through this one.

use serde_json::Value;

use super::{Health, condition, generic, waiting};

pub(super) fn api_service(live: &Value) -> Health {
    // Before the first try there is no condition, which elsewhere means that there is nothing to judge.
    match condition(live, "Available") {
        None => waiting("waiting for the API server to reach it"),
        Some(_) => generic::generic(live),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(conditions: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": "v1.example.com"}, "status": {"conditions": conditions}}),
            want,
        );
    }

    #[test]
    fn an_api_service_has_to_be_reached() {
        let available = |status: &str| json!([{"type": "Available", "status": status, "message": "no endpoints"}]);
        check(&json!(null), "… waiting for the API server to reach it");
        check(&available("True"), "Ready");
        check(
            &available("False"),
            "… condition Available is not met: no endpoints",
        );
    }
}
