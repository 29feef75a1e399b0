//! What a release and its chart are, in Helm's layout (helm/helm `pkg/cmd/get_metadata.go`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use pintle::release::{ApplyMethod, Release};
use serde::Serialize;
use serde_json::Value;

use super::{print_data, print_text};
use crate::cli::Format;
use crate::failure::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    name: &'a str,
    chart: &'a str,
    version: &'a str,
    app_version: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<Value>,
    namespace: &'a str,
    revision: u32,
    status: &'a str,
    deployed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_method: Option<ApplyMethod>,
}

/// Prints what a release and its chart are.
pub(crate) fn print(release: &Release, format: Format) -> Result<(), Failure> {
    // What is plain data can be written.
    let chart = serde_json::to_value(&release.chart.metadata).unwrap_or_default();
    let text = |key: &str| chart[key].as_str().unwrap_or_default();
    let annotations = serde_json::from_value(chart["annotations"].clone());
    let dependencies = chart.get("dependencies").filter(|value| !value.is_null());
    let metadata = Metadata {
        name: &release.name,
        chart: text("name"),
        version: text("version"),
        app_version: text("appVersion"),
        annotations: annotations.unwrap_or_default(),
        labels: &release.labels,
        dependencies: dependencies.cloned(),
        namespace: &release.namespace,
        revision: release.revision,
        status: release.info.status.name(),
        deployed_at: (release.info.last_deployed.map(time)).unwrap_or_default(),
        apply_method: release.apply_method,
    };
    match format {
        Format::Table => print_text(&lines(&metadata)),
        format => print_data(&metadata, format),
    }
}

/// Whole seconds, as Helm shows them.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn lines(metadata: &Metadata<'_>) -> String {
    let pairs = |map: &BTreeMap<String, String>| {
        let pairs = map.iter().map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    };
    let dependencies = metadata.dependencies.iter().filter_map(Value::as_array);
    let mut names: Vec<&str> = dependencies
        .flatten()
        .filter_map(|one| one["name"].as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let method = match metadata.apply_method {
        None => "client-side apply (defaulted)",
        Some(ApplyMethod::ClientSide) => "client-side apply",
        Some(ApplyMethod::ServerSide) => "server-side apply",
    };
    let rows = [
        ("NAME", metadata.name),
        ("CHART", metadata.chart),
        ("VERSION", metadata.version),
        ("APP_VERSION", metadata.app_version),
        ("ANNOTATIONS", &pairs(&metadata.annotations)),
        ("LABELS", &pairs(metadata.labels)),
        ("DEPENDENCIES", &names.join(",")),
        ("NAMESPACE", metadata.namespace),
        ("REVISION", &metadata.revision.to_string()),
        ("STATUS", metadata.status),
        ("DEPLOYED_AT", &metadata.deployed_at),
        ("APPLY_METHOD", method),
    ];
    rows.map(|(name, value)| format!("{name}: {value}\n"))
        .concat()
}
