//! What can go wrong in the binary, and how it is printed.

use std::io;

use lab::{launch, parts, remains};
use testbed::{cache, child};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no cache folder.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A lab cannot run here.
    #[error("a lab cannot run here: {}", .0.join("; "))]
    Missing(Vec<String>),
    /// The parts cannot be built.
    #[error(transparent)]
    Parts(#[from] parts::Error),
    /// The lab does not start or has broken.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// Something of the lab stays.
    #[error(transparent)]
    Remains(#[from] remains::Error),
    /// This process does not become a component.
    #[error(transparent)]
    Child(#[from] child::Error),
    /// The system refuses something.
    #[error("{doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The lab does not start in the background.
    #[error("starting the lab; it said:\n{0}")]
    Daemon(String),
    /// The running lab refuses.
    #[error("{0}")]
    Refused(String),
    /// There is no lab.
    #[error("no lab is up: start one with `lab up`")]
    NotUp,
    /// The lab has no such node.
    #[error("the lab has no node {0}: `lab node list` shows all")]
    NoNode(String),
    /// Another lab is there and does not go.
    #[error("another lab runs on this machine, and one can at a time: `lab down` stops it")]
    Taken,
}

impl Error {
    /// Prints the error and its causes on stderr.
    pub(crate) fn print(&self) {
        anstream::eprintln!("error: {}", self.text());
    }

    /// Returns the error and its causes as one text.
    pub(crate) fn text(&self) -> String {
        text(self)
    }
}

/// Returns an error and its causes as one text.
pub(crate) fn text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Makes an [`Error::System`] of an [`io::Error`].
pub(crate) fn system<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::System {
        doing,
        source: error.into(),
    }
}
