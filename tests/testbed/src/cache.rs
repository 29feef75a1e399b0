//! Where the testbed keeps things: built components by module and key, the folders of running
//! testbeds, and the locks between processes. Names go out; what is in the places is left to their
//! users.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::module::Module;

/// Why a place could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where the cache is.
    #[error("finding the cache folder: neither XDG_CACHE_HOME nor HOME is set")]
    NoHome,
    /// A folder or lock file cannot be made.
    #[error("preparing {}", path.display())]
    Prepare {
        /// What cannot be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The testbed's folder in the user's cache.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Finds `${XDG_CACHE_HOME:-$HOME/.cache}/pintle/testbed`.
    ///
    /// # Errors
    /// [`Error::NoHome`] when neither variable is set.
    pub fn from_environment() -> Result<Self, Error> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let base = match (set("XDG_CACHE_HOME"), set("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => Path::new(&home).join(".cache"),
            (None, None) => return Err(Error::NoHome),
        };
        Ok(Self::at(base.join("pintle/testbed")))
    }

    /// Takes `root` as the testbed's folder.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the path of `name` in the cache folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the folder of what is built from `module`.
    pub fn module_folder(&self, module: &Module) -> PathBuf {
        self.root.join(module.key())
    }

    /// Returns the folder that has a folder for every running testbed.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Returns the link to the folder of the one testbed that `testbed up` started.
    pub fn detached(&self) -> PathBuf {
        self.root.join("up")
    }

    /// Returns the file of what a detached testbed says.
    pub fn detached_log(&self) -> PathBuf {
        self.root.join("up.log")
    }

    /// Opens the lock file `name`, not yet locked, and makes it and the cache folder if needed.
    ///
    /// # Errors
    /// [`Error::Prepare`] when the folder or the file cannot be made.
    pub fn lock_file(&self, name: &str) -> Result<File, Error> {
        let path = self.root.join(name);
        let opened = fs::create_dir_all(&self.root).and_then(|()| File::create(&path));
        opened.map_err(|source| Error::Prepare { path, source })
    }

    /// Takes the lock `name`, waiting while another process has it; it is given back when the file
    /// is dropped or the process ends.
    ///
    /// # Errors
    /// [`Error::Prepare`] when the lock file cannot be made or locked.
    pub fn lock(&self, name: &str) -> Result<File, Error> {
        let file = self.lock_file(name)?;
        file.lock().map_err(|source| Error::Prepare {
            path: self.root.join(name),
            source,
        })?;
        Ok(file)
    }
}
