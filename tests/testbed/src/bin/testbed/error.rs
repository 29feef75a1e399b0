//! What can go wrong in the binary, and how it is printed.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use testbed::{builder, cache, child, launch};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no cache folder.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// The components cannot be built.
    #[error(transparent)]
    Build(#[from] builder::Error),
    /// The testbed does not start or has broken.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// The system refuses something.
    #[error("{doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// This process does not become a component.
    #[error(transparent)]
    Child(#[from] child::Error),
    /// The detached testbed does not start.
    #[error("starting the detached testbed; it said:\n{0}")]
    Daemon(String),
    /// There is no API server of that minor.
    #[error("there is no API server of the minor {0}: those of 1.34 and 1.35 can be built")]
    Minor(String),
    /// There is no detached testbed.
    #[error("no testbed is up: start one with `testbed up`")]
    NotUp,
    /// The detached testbed does not stop.
    #[error("stopping the testbed in {}: its process {pid} does not end", folder.display())]
    Stuck {
        /// The run folder.
        folder: PathBuf,
        /// The process.
        pid: u32,
    },
}

impl Error {
    /// Prints the error and its causes on stderr.
    pub(crate) fn print(&self) {
        let mut text = format!("error: {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        anstream::eprintln!("{text}");
    }
}

/// Makes an [`Error::System`] of an [`io::Error`].
pub(crate) fn system<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::System {
        doing,
        source: error.into(),
    }
}
