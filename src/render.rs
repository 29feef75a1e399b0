//! Rendering a chart's templates.
//!
//! A [`Chart`](crate::chart::Chart) and a [`Scope`] come in, the text of each output file goes
//! out. Rendering is pure: the same input gives the same bytes. Reading the text as resources is
//! left to `manifest`.

use crate::capabilities::Capabilities;
use crate::chart::Values;

/// Everything that a template can see besides its own chart.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The release that is rendered for.
    pub release: ReleaseFacts<'a>,
    /// The final values.
    pub values: &'a Values,
    /// What the cluster can do.
    pub capabilities: &'a Capabilities,
}

/// What a template can see of its release.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseFacts<'a> {
    /// The release's name.
    pub name: &'a str,
    /// The namespace it lives in.
    pub namespace: &'a str,
    /// The revision being made, from 1.
    pub revision: u32,
    /// Whether this is a first installation or a change of one.
    pub operation: Operation,
}

/// The two cases that a template can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `release.is_install` is true.
    Install,
    /// `release.is_upgrade` is true.
    Upgrade,
}

/// What a chart renders to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The output files that are not blank, sorted by path.
    pub files: Vec<RenderedFile>,
    /// `NOTES.txt`, if the chart has one.
    pub notes: Option<String>,
}

/// The output of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// The template's path with the chart's name before it, such as `kcp/templates/etcd.yaml`.
    pub path: String,
    /// The text: a YAML stream.
    pub text: String,
}
