//! What the API server says about a plan before anything is written.

mod compared;
mod definitions;
pub(crate) mod output;
mod owners;
mod recreation;
mod refusals;
pub(crate) mod requests;
mod server_side;
mod weak_points;

use serde_json::Value;

use crate::support::Place;

/// A chart of one template without values of its own.
pub(crate) fn chart(place: &Place, name: &str, template: &str) -> String {
    let text = format!(
        "apiVersion: v2\nname: {name}\nversion: 1.0.0\nannotations: {{pintle.dev/engine: tera}}\n"
    );
    place.file(&format!("{name}/values.yaml"), "{}\n");
    place.file(&format!("{name}/templates/all.yaml"), template);
    let file = place.file(&format!("{name}/Chart.yaml"), &text);
    file.trim_end_matches("/Chart.yaml").to_owned()
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
