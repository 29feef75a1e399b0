//! Custom resource definitions: ready when the API server serves them.

use serde_json::Value;

use super::{Health, condition, explanation, holds, text, waiting};

pub(super) fn definition(live: &Value) -> Health {
    if let Some(names) = condition(live, "NamesAccepted")
        && text(names, "/status") == Some("False")
    {
        return Health::Failed(explanation(names, "its names are taken").to_owned());
    }
    if holds(live, "Established").is_some() {
        return Health::Ready;
    }
    match condition(live, "Established") {
        // `Installing` is what a new definition says for the first seconds.
        Some(established) if text(established, "/reason") != Some("Installing") => {
            waiting(explanation(established, "not served yet"))
        }
        _ => waiting("not served yet"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(conditions: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "cars.example.com", "generation": 1},
                "status": {"conditions": conditions}}),
            want,
        );
    }

    #[test]
    fn definitions_are_served_or_refused() {
        check(&json!(null), "… not served yet");
        check(
            &json!([{"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"},
                {"type": "Established", "status": "False", "reason": "Installing",
                 "message": "the initial names have been accepted"}]),
            "… not served yet",
        );
        check(
            &json!([{"type": "NamesAccepted", "status": "True"},
                {"type": "Established", "status": "True", "reason": "InitialNamesAccepted"}]),
            "Ready",
        );
        check(
            &json!([{"type": "NamesAccepted", "status": "False", "reason": "PluralConflict",
                "message": "\"cars\" is already in use"},
                {"type": "Established", "status": "False", "reason": "NotAccepted"}]),
            "! \"cars\" is already in use",
        );
        check(
            &json!([{"type": "Established", "status": "False", "reason": "NotAccepted",
                "message": "not all names are accepted"}]),
            "… not all names are accepted",
        );
    }
}
