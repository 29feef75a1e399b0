//! Programs and libraries from Debian packages, which are downloaded and unpacked into the cache
//! and never installed: sets of packages, each a folder with their files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::cache::{self, Cache};

use crate::command::{self, run};

/// Packages that are used together.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// What they are for: the name of their folder.
    pub name: &'static str,
    /// Their names.
    pub packages: &'static [&'static str],
}

/// What is added to the programs of the machine on every node.
pub const TOOLS: Set = Set {
    name: "tools",
    packages: &[
        "conntrack",
        "containernetworking-plugins",
        "iptables",
        "kmod",
        "libbsd0",
        "libedit2",
        "libgmp10",
        "libip4tc2",
        "libip6tc2",
        "libjansson4",
        "libkmod2",
        "liblzma5",
        "libmd0",
        "libmnl0",
        "libnetfilter-conntrack3",
        "libnfnetlink0",
        "libnftables1",
        "libnftnl11",
        "libseccomp2",
        "libtinfo6",
        "libxtables12",
        "libzstd1",
        "nftables",
        "runc",
    ],
};

/// What kube-proxy runs.
pub const NFT: Set = Set {
    name: "nft",
    packages: &[
        "libbsd0",
        "libc6",
        "libedit2",
        "libgmp10",
        "libjansson4",
        "libmd0",
        "libmnl0",
        "libnftables1",
        "libnftnl11",
        "libtinfo6",
        "libxtables12",
        "nftables",
    ],
};

/// A web server for the pods of tests.
pub const NGINX: Set = Set {
    name: "nginx",
    packages: &[
        "libc6",
        "libcrypt1",
        "libpcre2-8-0",
        "libssl3",
        "nginx",
        "nginx-common",
        "zlib1g",
    ],
};

/// A static program that does what others do.
pub const BUSYBOX: Set = Set {
    name: "busybox",
    packages: &["busybox-static"],
};

/// Every set.
pub const SETS: [Set; 4] = [TOOLS, NFT, NGINX, BUSYBOX];

/// Why the packages are not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A file cannot be written.
    #[error("keeping {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A package cannot be downloaded or unpacked.
    #[error("getting Debian packages: try `apt-get update`")]
    Package(#[from] command::Error),
}

/// Returns the folder of `set` below the folder that [`unpack`] was given.
pub fn folder_of(packages: &Path, set: Set) -> PathBuf {
    packages.join(set.name)
}

/// Downloads and unpacks every set into `folder`, unless it is there already.
///
/// # Errors
/// [`Error::Package`] when apt or dpkg fail, [`Error::File`] when the folder cannot be written.
pub fn unpack(cache: &Cache, folder: &Path) -> Result<(), Error> {
    let _lock = cache.lock("packages.lock")?;
    if folder.exists() {
        return Ok(());
    }
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let debs = unfinished.join("debs");
    fs::create_dir_all(&debs).map_err(failed(&debs))?;
    for set in SETS {
        let target = folder_of(&unfinished, set);
        fs::create_dir_all(&target).map_err(failed(&target))?;
        unpack_set(set, &debs, &target)?;
    }
    fs::remove_dir_all(&debs).map_err(failed(&debs))?;
    fs::rename(&unfinished, folder).map_err(failed(folder))
}

fn unpack_set(set: Set, debs: &Path, target: &Path) -> Result<(), Error> {
    let mut apt = Command::new("apt-get");
    // Its own user may not write into the cache.
    apt.args(["download", "--quiet", "--option=APT::Sandbox::User=root"]);
    run(apt.args(set.packages).current_dir(debs))?;
    let downloaded = fs::read_dir(debs).map_err(failed(debs))?;
    for entry in downloaded.flatten() {
        let mut dpkg = Command::new("dpkg-deb");
        run(dpkg.arg("--extract").arg(entry.path()).arg(target))?;
        fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::File { path, source }
}
