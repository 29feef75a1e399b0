//! What a template can see.
//!
//! A chart's facts and a [`Scope`] come in, the template engine's context goes out, with exactly
//! the names of [`ROOTS`]. Functions are left to `functions`.

use serde_json::{Value as Json, json};
use tera::{Context, Value};

use super::value::{map_to_tera, to_tera};
use super::{Operation, Scope};
use crate::capabilities::Capabilities;
use crate::chart::Metadata;

/// The names at the top of every template.
pub(super) const ROOTS: [&str; 5] = ["capabilities", "chart", "release", "template", "values"];

/// Makes the context of one rendering, without `template`.
pub(super) fn context(chart: &Value, scope: &Scope<'_>) -> Context {
    let release = json!({
        "name": scope.release.name,
        "namespace": scope.release.namespace,
        "revision": scope.release.revision,
        "is_install": scope.release.operation == Operation::Install,
        "is_upgrade": scope.release.operation == Operation::Upgrade,
        // Charts label their resources with it, and Helm recognises its own by this word.
        "service": "Helm",
    });
    let mut context = Context::new();
    context.insert_value("values", map_to_tera(&scope.selection.values.0));
    context.insert_value("release", to_tera(&release));
    context.insert_value("chart", chart.clone());
    context.insert_value("capabilities", capabilities(scope.capabilities));
    context
}

/// Puts the facts about one template into `context`.
pub(super) fn enter(context: &mut Context, chart: &str, path: &str) {
    let facts = json!({ "name": path, "base_path": format!("{chart}/templates") });
    context.insert_value("template", to_tera(&facts));
}

fn capabilities(capabilities: &Capabilities) -> Value {
    let version = &capabilities.kube_version;
    to_tera(&json!({
        "kube_version": {
            "version": version.version,
            "major": version.major,
            "minor": version.minor,
        },
        "api_versions": capabilities.api_versions,
    }))
}

/// The facts of `Chart.yaml`. Every field is there, so that an optional one can be asked for.
pub(super) fn chart(metadata: &Metadata) -> Value {
    let kind = match metadata.kind.as_str() {
        "" => "application",
        kind => kind,
    };
    let maintainers: Vec<Json> = (metadata.maintainers.iter())
        .map(|person| json!({ "name": person.name, "email": person.email, "url": person.url }))
        .collect();
    let dependencies: Vec<Json> = (metadata.dependencies.iter())
        .map(|chart| {
            json!({
                "name": chart.name,
                "version": chart.version,
                "repository": chart.repository,
                "alias": chart.alias,
                "condition": chart.condition,
                "tags": chart.tags,
                "enabled": chart.enabled,
            })
        })
        .collect();
    to_tera(&json!({
        "name": metadata.name,
        "version": metadata.version,
        "app_version": metadata.app_version,
        "api_version": metadata.api_version,
        "kube_version": metadata.kube_version,
        "description": metadata.description,
        "type": kind,
        "home": metadata.home,
        "icon": metadata.icon,
        "sources": metadata.sources,
        "keywords": metadata.keywords,
        "maintainers": maintainers,
        "annotations": metadata.annotations,
        "condition": metadata.condition,
        "tags": metadata.tags,
        "deprecated": metadata.deprecated,
        "dependencies": dependencies,
    }))
}
