//! The store of images that nodes begin with: the folder of a containerd that has imported them,
//! made once and linked into every node. Archives go in, a folder comes out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::cache::{self, Cache};

use crate::command::{self, run};
use crate::images::{Home, Image};

/// What makes a store.
const SCRIPT: &str = include_str!("../node/store");

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// containerd does not import an image.
    #[error("importing the images of nodes")]
    Import(#[from] command::Error),
    /// A file cannot be written.
    #[error("keeping {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes a store of those of `images` that nodes have in `folder`, unless it is there already.
/// `tools` is the folder of the programs of nodes.
///
/// # Errors
/// [`Error::Import`] when containerd refuses an image, others when the cache cannot be written.
pub fn make(cache: &Cache, folder: &Path, tools: &Path, images: &[Image]) -> Result<(), Error> {
    let _lock = cache.lock("store.lock")?;
    if folder.exists() {
        return Ok(());
    }
    let failed = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).map_err(failed)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["--propagation", "private", "--", "bash", "-c", SCRIPT]);
    command.arg("store").arg(&unfinished).arg(tools);
    let of_nodes = images.iter().filter(|image| image.home == Home::Nodes);
    command.args(of_nodes.map(|image| &image.archive));
    run(&mut command)?;
    fs::rename(&unfinished, folder).map_err(failed)
}
