//! What a template can see.
//!
//! A chart's facts and a [`Scope`] come in, the template engine's contexts go out, with exactly
//! the names of [`ROOTS`]. Functions are left to `functions`.

use serde_json::{Value as Json, json};
use tera::{Context, Value};

use super::names::last;
use super::value::{map_to_tera, to_key, to_tera};
use super::{Operation, Scope};
use crate::capabilities::Capabilities;
use crate::chart::Node;

/// The names at the top of every template.
pub(super) const ROOTS: [&str; 5] = ["capabilities", "chart", "release", "template", "values"];

/// What all charts of a rendering share. It is made once: to copy one of these values is cheap.
pub(super) struct Shared {
    values: Value,
    release: Value,
    capabilities: Value,
}

impl Shared {
    /// Takes a scope into the template engine.
    pub(super) fn new(scope: Scope<'_>) -> Self {
        let release = json!({
            "name": scope.release.name,
            "namespace": scope.release.namespace,
            "revision": scope.release.revision,
            "is_install": scope.release.operation == Operation::Install,
            "is_upgrade": scope.release.operation == Operation::Upgrade,
            // Charts label their resources with it, and Helm recognises its own by this word.
            "service": "Helm",
        });
        Self {
            values: map_to_tera(scope.values.0),
            release: to_tera(release),
            capabilities: capabilities(scope.capabilities),
        }
    }

    /// Makes the context of one chart, without `template`. `facts` are those of [`chart`], `keys` are
    /// those below which its values stand.
    pub(super) fn context(&self, facts: &Value, keys: &[String]) -> Context {
        let below = |values: &Value, key: &String| values.as_map()?.get(&to_key(key)).cloned();
        let values = keys
            .iter()
            .try_fold(self.values.clone(), |at, key| below(&at, key));
        let values = values.filter(|values| values.as_map().is_some());
        let mut context = Context::new();
        context.insert_value(
            "values",
            values.unwrap_or_else(|| Value::from(tera::Map::new())),
        );
        context.insert_value("release", self.release.clone());
        context.insert_value("chart", facts.clone());
        context.insert_value("capabilities", self.capabilities.clone());
        context
    }
}

/// Puts the facts about one template of the chart at the path `chart` into `context`.
pub(super) fn enter(context: &mut Context, chart: &str, path: &str) {
    let facts = json!({ "name": path, "base_path": format!("{chart}/templates") });
    context.insert_value("template", to_tera(facts));
}

fn capabilities(capabilities: &Capabilities) -> Value {
    let version = &capabilities.kube_version;
    to_tera(json!({
        "kube_version": {
            "version": version.version,
            "major": version.major,
            "minor": version.minor,
        },
        "api_versions": capabilities.api_versions,
    }))
}

/// The facts of `Chart.yaml`, with the name that the chart goes by. Every field is there, so that an
/// optional one can be asked for.
pub(super) fn chart(node: &Node<'_>) -> Value {
    let metadata = &node.chart.metadata;
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
    to_tera(json!({
        "name": last(&node.path),
        "is_root": node.keys.is_empty(),
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
