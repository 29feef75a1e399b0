//! The folder of one running testbed. It exists as long as the process that made it holds its lock
//! file; what dead processes left behind is removed when the next one is made.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cache::{self, Cache};

/// The file in a run folder that its owner holds locked.
const LOCK: &str = "lock";
/// Held by who makes or removes run folders.
const RUNS: &str = "runs.lock";

/// Why there is no folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache folder cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// The folder or its lock cannot be made.
    #[error("making the folder of a testbed at {}", path.display())]
    Make {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder that goes when this value does, or when its process is gone and another testbed starts.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Removes the folders of dead testbeds and makes a new one, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Cache`] or [`Error::Make`] when the cache folder cannot be written.
    pub fn create(cache: &Cache) -> Result<Self, Error> {
        // Held until the new folder is locked: to any other process a folder without a locked file
        // in it is a dead one.
        let _runs = cache.lock(RUNS)?;
        let runs = cache.runs();
        remove_dead(&runs);
        Self::make(&runs).map_err(|source| Error::Make { path: runs, source })
    }

    fn make(runs: &Path) -> io::Result<Self> {
        fs::create_dir_all(runs)?;
        let mut number = std::process::id();
        let path = loop {
            let path = runs.join(number.to_string());
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number = number.wrapping_add(1);
                }
                Err(error) => return Err(error),
            }
        };
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// Returns the folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Nobody is left to tell; the next testbed tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Tells whether the process that made the run folder `path` still lives.
pub fn is_live(path: &Path) -> bool {
    let lock = File::open(path.join(LOCK));
    // Shared, so that two who ask at once do not take each other for the owner.
    lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// Removes the folders of dead testbeds.
///
/// # Errors
/// [`cache::Error`] when the cache folder cannot be written.
pub fn sweep(cache: &Cache) -> Result<(), cache::Error> {
    let _runs = cache.lock(RUNS)?;
    remove_dead(&cache.runs());
    Ok(())
}

/// What cannot be removed, such as a folder in which a dying process still finishes a write, is left
/// to the next sweep.
fn remove_dead(runs: &Path) {
    let Ok(entries) = fs::read_dir(runs) else {
        return;
    };
    for entry in entries.flatten() {
        if !is_live(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{RunFolder, is_live};
    use crate::cache::Cache;

    fn runs(cache: &Cache) -> usize {
        fs::read_dir(cache.runs()).unwrap().count()
    }

    #[test]
    fn goes_with_its_owner() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().to_owned());
        let folder = RunFolder::create(&cache).unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("data"), "x").unwrap();
        assert!(is_live(&path));
        drop(folder);
        assert!(!path.exists());
        assert!(!is_live(&path));
    }

    #[test]
    fn making_one_removes_dead_ones_and_keeps_live_ones() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().to_owned());
        let live = RunFolder::create(&cache).unwrap();
        for dead in ["unlocked", "half-made"] {
            fs::create_dir_all(cache.runs().join(dead)).unwrap();
        }
        fs::write(cache.runs().join("unlocked/lock"), "").unwrap();
        let second = RunFolder::create(&cache).unwrap();
        assert_ne!(live.path(), second.path());
        assert_eq!(runs(&cache), 2);
        assert!(is_live(live.path()) && is_live(second.path()));
    }
}
