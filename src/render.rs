//! Rendering a chart's templates.
//!
//! A [`Tree`] of charts and a [`Scope`] come in, the text of each output file goes out. Rendering is pure:
//! the same input gives the same bytes. Every chart has a template engine of its own, so that none sees what
//! belongs to another; what library charts lend is put into the engines of those that contain them
//! (`names`). Reading the text as resources is left to `manifest`.
//! What a template can call is described in `docs/functions.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::capabilities::Capabilities;
use crate::chart::{Tree, Values};

mod context;
mod engine;
mod error;
mod excerpt;
mod explain;
mod functions;
mod include;
mod name;
mod names;
mod nearest;
mod reads;
mod stack;
mod strict;
mod templates;
mod value;
mod writer;

pub use error::{Error, Fault, Place};
pub use excerpt::{shortened, window};
pub(crate) use name::{MAX_LABEL, k8s_name};
pub(crate) use nearest::nearest;
pub use reads::{Missing, Read, reads};
pub use stack::with_room;
pub use templates::Templates;

/// The annotation of a chart that names its template engine.
const ENGINE: &str = "pintle.dev/engine";

/// The bytes that one rendering may put out unless a caller says otherwise: 64 MiB.
pub const OUTPUT_BYTES: usize = 64 << 20;

/// How long one rendering may take unless a caller says otherwise. The caller has the clock, and
/// tells by [`Budget::expired`] when the time is up.
pub const TIME: Duration = Duration::from_secs(10);

/// Renders a tree of charts for one release, within the default [`Budget`]. Whoever renders one more
/// than once prepares its [`Templates`] instead.
///
/// # Errors
/// As [`Templates::prepare`] and [`Templates::render`].
pub fn render(tree: &Tree<'_>, scope: Scope<'_>) -> Result<Rendered, Error> {
    Templates::prepare(tree)?.render(scope)
}

/// What one rendering may use up.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// How many bytes all output files and the notes may have together.
    pub output_bytes: usize,
    /// Tells whether the time is up. It is asked while output is written; none means that there
    /// is all the time in the world.
    pub expired: Option<&'a (dyn Fn() -> bool + Sync)>,
}

/// [`OUTPUT_BYTES`] and no deadline.
impl Default for Budget<'_> {
    fn default() -> Self {
        Self {
            output_bytes: OUTPUT_BYTES,
            expired: None,
        }
    }
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("output_bytes", &self.output_bytes)
            .field("has_deadline", &self.expired.is_some())
            .finish()
    }
}

/// Everything that a template can see besides its own chart.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The release that is rendered for.
    pub release: ReleaseFacts<'a>,
    /// The final values of the root and, below their names, of the charts in it. They are taken apart, since
    /// they may be large.
    pub values: Values,
    /// The paths of the charts that take no part.
    pub off: &'a BTreeSet<String>,
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

/// What a tree of charts renders to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The output files that are not blank, sorted by path.
    pub files: Vec<RenderedFile>,
    /// `NOTES.txt` of the root, if it has one.
    pub notes: Option<String>,
    /// The notes of the subcharts that have any, sorted by path.
    pub subchart_notes: Vec<RenderedFile>,
    /// Every chart of the tree, each before those that it contains.
    pub charts: Vec<RenderedChart>,
}

/// What stands for the field `depends-on` of a chart's dependencies (HIP-0025) beside its annotations:
/// a JSON map of lists of names.
pub const DEPENDS_ON: &str = "depends-on";

/// Whose notes a release has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notes {
    /// The root's.
    #[default]
    Root,
    /// The root's, and below them those of the subcharts.
    WithSubcharts,
}

impl Rendered {
    /// The notes that are asked for, with a line break between those of two charts, as Helm has it. Helm
    /// gives them in any order; here the root's come first, the others by path.
    pub fn notes(&self, notes: Notes) -> Option<String> {
        let more = match notes {
            Notes::Root => &[],
            Notes::WithSubcharts => self.subchart_notes.as_slice(),
        };
        let all = self.notes.iter().chain(more.iter().map(|file| &file.text));
        all.cloned().reduce(|all, next| format!("{all}\n{next}"))
    }
}

/// A chart of the tree that was rendered, whether it takes part or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedChart {
    /// Its path in the tree.
    pub path: String,
    /// The annotations of `Chart.yaml` that are about the order of its subcharts, and as
    /// [`DEPENDS_ON`] what its dependencies say.
    pub order: BTreeMap<String, String>,
}

/// The output of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// The template's path with the chart's path before it, such as `kcp/templates/etcd.yaml`.
    pub path: String,
    /// The text: a YAML stream.
    pub text: String,
}

#[cfg(test)]
mod tests;
