//! What can go wrong with records.

use crate::cluster;
use crate::release;

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Secrets cannot be listed.
    #[error("cannot read the release records")]
    List {
        /// Why.
        source: cluster::Error,
    },
    /// A Secret cannot be read.
    #[error("cannot read the release record {secret}")]
    Read {
        /// The Secret.
        secret: String,
        /// Why.
        source: cluster::Error,
    },
    /// A Secret was listed and is gone.
    #[error("the release record {secret} was deleted while it was being read")]
    Gone {
        /// The Secret.
        secret: String,
    },
    /// A Secret holds no release.
    #[error("cannot decode the release record {secret}")]
    Decode {
        /// The Secret.
        secret: String,
        /// Why.
        source: release::PayloadError,
    },
    /// A record cannot be made.
    #[error("cannot encode the release record")]
    Encode {
        /// Why.
        source: release::PayloadError,
    },
    /// Another process has begun this revision.
    #[error("another operation has just begun revision {revision} of release {release}")]
    Exists {
        /// The release.
        release: String,
        /// The revision.
        revision: u32,
    },
    /// A Secret cannot be written.
    #[error("cannot write the release record {secret}")]
    Write {
        /// The Secret.
        secret: String,
        /// Why.
        source: cluster::Error,
    },
}

impl Error {
    /// Whether a record was not written because somebody else has done so meanwhile.
    pub fn is_outdated(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.is_outdated())
    }
}
