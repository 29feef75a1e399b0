//! What can be wrong with an archive.

use std::io;

use super::stream::Crossed;
use super::{MAX_RATIO, MAX_RECORDS};

/// So much of a name is shown.
const SHOWN: usize = 100;

/// An archive that is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is something else, or damaged.
    #[error("it is no gzipped tar, or is damaged{}", behind(after))]
    Broken {
        /// The entry at which or after which it is so; empty at the start.
        after: String,
        /// What the reader says.
        #[source]
        cause: io::Error,
    },
    /// Something stands behind its end.
    #[error(
        "something other than zeros stands behind its last entry{}",
        behind(after)
    )]
    Trailing {
        /// The last entry.
        after: String,
    },
    /// There is no file in it.
    #[error("it is empty")]
    Empty,
    /// An entry is of a kind, or has a name, that is not allowed.
    #[error("{entry:?} {problem}")]
    Entry {
        /// The entry's name, or the beginning of a long one.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry is too large.
    #[error("{entry:?} is larger than {} MiB", limit >> 20)]
    TooLarge {
        /// The entry's name.
        entry: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The archive is too large.
    #[error("it has more than {limit} {unit}{}", behind(entry))]
    TooMuch {
        /// The entry at which the limit was met.
        entry: String,
        /// The limit.
        limit: usize,
        /// What was counted.
        unit: &'static str,
    },
    /// The archive unpacks to far more than it is.
    #[error("it unpacks to more than {MAX_RATIO} times its size{}", behind(entry))]
    Ratio {
        /// The entry at which the limit was met.
        entry: String,
    },
    /// The records before an entry are too large.
    #[error("the records after {after:?} are larger than {} KiB", MAX_RECORDS >> 10)]
    Records {
        /// The entry before them.
        after: String,
    },
}

fn behind(entry: &str) -> String {
    if entry.is_empty() {
        String::new()
    } else {
        format!(" (at {entry:?})")
    }
}

/// The beginning of a name.
fn shown(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

impl Error {
    pub(super) fn entry(name: &str, problem: &'static str) -> Self {
        let entry = shown(name);
        Self::Entry { entry, problem }
    }

    pub(super) fn too_large(name: &str, limit: usize) -> Self {
        let entry = shown(name);
        Self::TooLarge { entry, limit }
    }

    pub(super) fn too_much(name: &str, limit: usize, unit: &'static str) -> Self {
        let entry = shown(name);
        Self::TooMuch { entry, limit, unit }
    }

    /// Reading stopped at the entry `name`, which is empty before the first: because a limit was
    /// met, or because there is nothing good to read.
    pub(super) fn broken(name: &str, cause: io::Error) -> Self {
        let crossed = cause.get_ref().and_then(|inner| inner.downcast_ref());
        match crossed {
            Some(Crossed::Bytes(limit)) => Self::too_much(name, limit >> 20, "MiB"),
            Some(Crossed::Ratio) => Self::Ratio { entry: shown(name) },
            Some(Crossed::Trailing) => Self::Trailing { after: shown(name) },
            None => {
                let after = shown(name);
                Self::Broken { after, cause }
            }
        }
    }
}
