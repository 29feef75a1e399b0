//! `template`: what a chart renders to, without a cluster.

use super::Error;
use super::prepare::check_usable;
use crate::capabilities::{Capabilities, Kinds};
use crate::chart::schema::{self, Schemas};
use crate::chart::{Chart, File, Origins, Overrides, Selection, Tree, Values};
use crate::manifest::{Manifest, Placement};
use crate::release::check_name;
use crate::render::{Notes, Operation, ReleaseFacts, Scope, Templates};

/// What to render a chart for.
#[derive(Debug, Clone, Copy)]
pub struct TemplateRequest<'a> {
    /// The user's values.
    pub overrides: &'a Overrides,
    /// The release's name.
    pub release: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
    /// What the cluster is taken to be able to do.
    pub capabilities: &'a Capabilities,
    /// What templates are told that this is.
    pub operation: Operation,
    /// Whose notes are wanted.
    pub notes: Notes,
}

/// What a chart renders to.
#[derive(Debug, Clone, PartialEq)]
pub struct Templated<'a> {
    /// The resources and hooks.
    pub manifest: Manifest,
    /// The notes.
    pub notes: Option<String>,
    /// The files of custom resource definitions that no template renders, each with its path below
    /// the chart's name, such as `web/crds/backup.yaml`.
    pub crds: Vec<(String, &'a File)>,
}

/// A chart whose schema and templates are compiled, to be rendered for any number of releases.
#[derive(Debug)]
pub struct Prepared<'a> {
    tree: Tree<'a>,
    schemas: Schemas,
    templates: Templates,
}

/// Renders a chart for a release. Whoever renders a chart more than
/// once prepares it instead.
///
/// # Errors
/// If the name is bad, or the chart cannot be rendered with these values.
pub fn template<'a>(
    chart: &'a Chart,
    request: &TemplateRequest<'_>,
) -> Result<Templated<'a>, Error> {
    // Nothing of the schema is kept while the chart is rendered: it is larger than all the rest.
    let tree = Tree::of(chart)?;
    let selection = judged(&tree, &Schemas::compile(&tree)?, request)?;
    render(&tree, (&Templates::prepare(&tree)?, selection), request)
}

/// Renders a chart for a release with values that its schema may refuse, as [`template`] else.
///
/// # Errors
/// If the name is bad, or the chart cannot be rendered with these values.
pub fn template_unjudged<'a>(
    chart: &'a Chart,
    request: &TemplateRequest<'_>,
) -> Result<Templated<'a>, Error> {
    let tree = Tree::of(chart)?;
    let selection = select(&tree, request)?;
    render(&tree, (&Templates::prepare(&tree)?, selection), request)
}

impl<'a> Prepared<'a> {
    /// Compiles what every release shares.
    ///
    /// # Errors
    /// If a chart that is depended on is missing, or if a schema, a rule of it or a template is
    /// wrong.
    pub fn new(chart: &'a Chart) -> Result<Self, Error> {
        let tree = Tree::of(chart)?;
        Ok(Self {
            schemas: Schemas::compile(&tree)?,
            templates: Templates::prepare(&tree)?,
            tree,
        })
    }

    /// Renders the chart for a release.
    ///
    /// # Errors
    /// If the name is bad, or the chart cannot be rendered with these values.
    pub fn template(&self, request: &TemplateRequest<'_>) -> Result<Templated<'a>, Error> {
        let selection = judged(&self.tree, &self.schemas, request)?;
        render(&self.tree, (&self.templates, selection), request)
    }
}

/// Names the layer of each value at fault.
fn traced(error: schema::Error, mut origins: Origins, overrides: &Overrides) -> schema::Error {
    match origins.overrides(overrides) {
        Ok(()) => error.traced(&origins),
        // They have been merged, so they can be read.
        Err(_) => error,
    }
}

/// What takes part, with final values.
fn select(tree: &Tree<'_>, request: &TemplateRequest<'_>) -> Result<Selection, Error> {
    check_name(request.release)?;
    let config = request.overrides.config(Values::default())?;
    let selection = tree.select(config)?;
    check_usable(tree, &selection, request.capabilities)?;
    Ok(selection)
}

/// What takes part, with final values that the schemas of all charts accept.
fn judged(
    tree: &Tree<'_>,
    schemas: &Schemas,
    request: &TemplateRequest<'_>,
) -> Result<Selection, Error> {
    let selection = select(tree, request)?;
    schemas.check(&selection, &[]).map_err(|error| {
        let origins = Origins::of(tree, &selection);
        traced(error, origins, request.overrides)
    })?;
    Ok(selection)
}

fn render<'a>(
    tree: &Tree<'a>,
    (templates, selection): (&Templates, Selection),
    request: &TemplateRequest<'_>,
) -> Result<Templated<'a>, Error> {
    let release = ReleaseFacts {
        name: request.release,
        namespace: request.namespace,
        revision: 1,
        operation: request.operation,
    };
    let crds = tree.crds(&selection);
    let scope = Scope {
        release,
        values: selection.values,
        off: &selection.off,
        capabilities: request.capabilities,
    };
    let rendered = templates.render(scope)?;
    let kinds = Kinds::default();
    let placement = Placement {
        namespace: request.namespace,
        kinds: &kinds,
    };
    let manifest = Manifest::parse(&rendered, placement)?;
    Ok(Templated {
        manifest,
        notes: rendered.notes(request.notes),
        crds,
    })
}
