//! What can be wrong with rendered text.

use super::{Origin, ResourceId, generator, group, order, readiness};
use crate::yaml;

/// Rendered text that is not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template rendered to something that is not YAML.
    #[error("{}: not valid YAML", origin.with_column(source.column))]
    Yaml {
        /// The template and the line of its output.
        origin: Origin,
        /// The rendered lines around the fault, the faulty one marked.
        excerpt: String,
        /// The fault.
        source: yaml::Error,
    },
    /// A document lacks what makes it a resource, or has it wrong.
    #[error("{}: {message}", origin.in_words())]
    Resource {
        /// Where the document starts.
        origin: Origin,
        /// What is wrong.
        message: String,
    },
    /// A generator is wrong.
    #[error(transparent)]
    Generator(#[from] generator::Error),
    /// The groups have no order.
    #[error(transparent)]
    Group(#[from] group::Error),
    /// When a resource is ready is said wrongly.
    #[error("{}: {id}: {source}", origin.in_words())]
    Readiness {
        /// Where the resource is written.
        origin: Origin,
        /// The resource.
        id: ResourceId,
        /// What is wrong.
        source: readiness::Error,
    },
    /// The charts of a tree have no order.
    #[error(transparent)]
    Order(#[from] order::Error),
    /// Two documents ask for the same resource.
    #[error("{}: {id} is already defined at {}", second.in_words(), first.in_words())]
    Duplicate {
        /// The resource.
        id: ResourceId,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
}

impl Error {
    /// The rendered lines around the fault, where there is one in them.
    pub fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Yaml { excerpt, .. } => Some(excerpt),
            _ => None,
        }
    }
}
