//! The resources that a chart renders to, parsed once.
//!
//! Rendered text comes in; documents in Helm's order, resources with unique ids and hooks go out,
//! and the text that Helm records. What the cluster holds is left to `plan`.

mod cut;
mod edit;
mod error;
pub mod generator;
pub mod group;
mod hook;
mod id;
mod kind_order;
mod listing;
pub mod order;
mod parse;
pub mod readiness;

use std::fmt;

use serde_json::Value;

pub use error::Error;
pub use hook::{DeletePolicy, EVENTS as HOOK, Hook, HookEvent, OutputLogPolicy, in_order};
pub use id::ResourceId;
pub use kind_order::{install_rank, uninstall_rank};
pub use listing::{Extra, Listed};
pub use parse::{Placement, Recorded, ResourcePolicy};

use generator::Generator;

/// The annotation of a resource that says when a change of it is complete.
pub const READY: &str = "pintle.dev/ready";
/// A value of [`READY`]: a workload is ready when no pod of an older template is left, ending ones
/// included.
pub const NO_OLD_PODS: &str = "no-old-pods";
/// A value of [`READY`]: nothing waits for the resource once it is written. Its health is what it
/// is.
pub const WRITTEN: &str = "written";

/// Everything that a chart renders to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// The documents that are not hooks, in Helm's install order.
    pub documents: Vec<Document>,
    /// The resources of these documents in the same order; a `List` gives several.
    pub resources: Vec<Resource>,
    /// The generators, in the order of the templates; the stub of each Secret is among the
    /// resources.
    pub generators: Vec<Generator>,
    /// The hooks, in Helm's install order of their kinds.
    pub hooks: Vec<Hook>,
}

/// One YAML document as it was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The template it came from, such as `web/templates/service.yaml`.
    pub template: String,
    /// Its kind, by which it is ordered.
    pub kind: String,
    /// Its text, without the separator.
    pub text: String,
}

/// One resource that the manifest asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// What makes it itself.
    pub id: ResourceId,
    /// `group/version`, as written.
    pub api_version: String,
    /// The whole resource.
    pub body: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// The place in a template's output that a resource came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The template, such as `web/templates/service.yaml`.
    pub template: String,
    /// The line of the rendered text on which the resource starts, from 1.
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.template, self.line)
    }
}

impl Origin {
    /// The place in words, so that nobody looks for the line in the template itself: `line 5 of what
    /// web/templates/a.yaml renders to`. Files of `crds/` are what they are.
    pub fn in_words(&self) -> String {
        self.words(&format!("line {}", self.line))
    }

    /// As [`Origin::in_words`], with a column.
    fn with_column(&self, column: u64) -> String {
        self.words(&format!("line {}, column {column}", self.line))
    }

    fn words(&self, place: &str) -> String {
        let Self { template, .. } = self;
        if template == parse::RECORDED {
            format!("{place} of the recorded manifest")
        } else if template.contains("/crds/") {
            format!("{place} of {template}")
        } else {
            format!("{place} of what {template} renders to")
        }
    }
}

/// The annotation of a resource with that key.
pub fn annotation<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Whether the resource asks by [`READY`] for what `word` means.
pub fn asks_for(body: &Value, word: &str) -> bool {
    annotation(body, READY).is_some_and(|found| found.trim().eq_ignore_ascii_case(word))
}

impl Manifest {
    /// The text that Helm records for the resources: each document below a line that names its
    /// template, ending in a blank line.
    pub fn to_text(&self) -> String {
        let mut text =
            String::with_capacity(self.documents.iter().map(|d| d.text.len() + 64).sum());
        for Document {
            template,
            text: body,
            ..
        } in &self.documents
        {
            for part in ["---\n# Source: ", template, "\n", body, "\n"] {
                text.push_str(part);
            }
        }
        text
    }
}
