//! `template`: what a chart renders to, without a cluster.

use super::Error;
use super::prepare::check_kube_version;
use crate::capabilities::{Capabilities, Kinds};
use crate::chart::{Chart, Overrides, schema};
use crate::manifest::{Manifest, Placement};
use crate::release::check_name;
use crate::render::{self, Operation, ReleaseFacts, Scope};

/// What to render.
#[derive(Debug, Clone, Copy)]
pub struct TemplateRequest<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// The user's values.
    pub overrides: &'a Overrides,
    /// The release's name.
    pub release: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
    /// What the cluster is taken to be able to do.
    pub capabilities: &'a Capabilities,
}

/// What a chart renders to.
#[derive(Debug, Clone, PartialEq)]
pub struct Templated {
    /// The resources and hooks.
    pub manifest: Manifest,
    /// The notes.
    pub notes: Option<String>,
}

/// Renders a chart as the first installation of a release.
///
/// # Errors
/// If the name is bad, or the chart cannot be rendered with these values.
pub fn template(request: &TemplateRequest<'_>) -> Result<Templated, Error> {
    check_name(request.release)?;
    let chart = request.chart;
    let resolved = request.overrides.resolve(&chart.values)?;
    if let Some(text) = &chart.schema {
        schema::check(text, &resolved.values, &[])
            .map_err(|error| error.traced(request.overrides))?;
    }
    check_kube_version(chart, request.capabilities)?;
    let release = ReleaseFacts {
        name: request.release,
        namespace: request.namespace,
        revision: 1,
        operation: Operation::Install,
    };
    let scope = Scope {
        release,
        values: &resolved.values,
        capabilities: request.capabilities,
    };
    let rendered = render::render(chart, &scope)?;
    let kinds = Kinds::default();
    let placement = Placement {
        namespace: request.namespace,
        kinds: &kinds,
    };
    let manifest = Manifest::parse(&rendered, placement)?;
    Ok(Templated {
        manifest,
        notes: rendered.notes,
    })
}
