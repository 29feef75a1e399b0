//! What the API server says about a plan before anything is written.

mod compared;
mod definitions;
pub(crate) mod files;
mod lists;
mod matrix;
mod meanwhile;
pub(crate) mod output;
mod owners;
mod peers;
mod random;
mod recreation;
mod refusals;
mod removals;
pub(crate) mod requests;
mod server_side;
mod weak_points;

use serde_json::Value;

use crate::support::Place;

/// A chart of one template without values of its own.
pub(crate) fn chart(place: &Place, name: &str, template: &str) -> String {
    place.chart(name, "{}\n", template)
}

/// Writes resources as somebody else.
fn apply(place: &Place, name: &str, text: &str) {
    let file = place.file(name, text);
    place.kubectl(&["apply", "-f", &file]).ok();
}

/// The line of a plan in JSON that is about a resource.
#[track_caller]
fn line<'a>(plan: &'a Value, kind: &str, name: &str) -> &'a Value {
    let mut lines = plan["lines"].as_array().unwrap().iter();
    lines
        .find(|line| line["kind"] == kind && line["name"] == name)
        .unwrap_or_else(|| panic!("no {kind} {name} in {plan}"))
}

/// A Deployment of one container, with what else its pods have.
pub(crate) fn deployment(name: &str, replicas: u8, pod: &str) -> String {
    format!(
        "\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: app, image: 'app:1'}}]
      {pod}
"
    )
}

/// What an admission policy forbids in the namespace of a place.
pub(crate) struct Denial<'a> {
    pub(crate) operation: &'a str,
    pub(crate) resource: &'a str,
    /// In CEL.
    pub(crate) unless: &'a str,
    /// What is asked of kubectl until it is refused.
    pub(crate) refused: &'a [&'a str],
}

impl Denial<'_> {
    /// The policy and its binding, both called `name`, for the namespace of that name.
    fn text(&self, name: &str) -> String {
        let Self {
            operation,
            resource,
            unless,
            ..
        } = self;
        format!(
            "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: ['*'], apiVersions: ['*'], operations: [{operation}], resources: [{resource}]}}
  validations:
  - {{expression: \"{unless}\", message: it has to stay}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec:
  policyName: {name}
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
"
        )
    }
}

/// Makes the API server heed a policy in the namespace of a place.
pub(crate) fn deny(place: &Place, denial: &Denial<'_>) {
    apply(place, "denial.yaml", &denial.text(&place.namespace));
    // It takes a moment until the API server heeds it.
    let asked = [denial.refused, &["--dry-run=server"]].concat();
    while place.kubectl(&asked).code == Some(0) {}
}
