//! Removes whatever is left of a lab, however it ended. The caller has the lab's name
//! ([`crate::control::claim`]), so that no lab runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{cgroups, command, network};

/// Why something stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Processes or control groups stay.
    #[error("removing the processes and control groups of the lab")]
    Groups(#[source] io::Error),
    /// An interface stays.
    #[error("removing the network of the lab")]
    Network(#[source] command::Error),
    /// The folder stays.
    #[error("removing {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Ends all processes of the lab in `folder` and removes its control groups, its network and the
/// folder. Namespaces and mounts go with the processes. Nothing there is nothing to do.
///
/// # Errors
/// One of [`Error`] for the first thing that stays.
pub fn remove(folder: &Path) -> Result<(), Error> {
    cgroups::kill_all().map_err(Error::Groups)?;
    network::remove().map_err(Error::Network)?;
    cgroups::remove_all().map_err(Error::Groups)?;
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Folder {
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
