//! All that a lab is made of, built where it is missing: binaries, the tools of nodes, images.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use testbed::builder::{self, Binaries, Progress};
use testbed::cache::Cache;
use testbed::module;

use crate::archive::hex;
use crate::images::{self, Image, Sources, Versions};
use crate::modules::{self, version};
use crate::packages::{self, SETS, TOOLS};
use crate::store;

/// Goes up when images or tools are made in another way from the same parts.
const FORMAT: &str = "4";

/// The lab's binaries that nodes run.
const NODE_BINARIES: [&str; 4] = ["containerd", "containerd-shim-runc-v2", "ctr", "kubelet"];

/// The testbed's binaries that nodes run.
const NODE_CLIENTS: [&str; 2] = ["kubeadm", "kubectl"];

/// What nodes run under the name of kubeadm. It runs the binary, by the path that stands in it.
const KUBEADM: &str = include_str!("../node/kubeadm");

/// The lab's binaries that this machine runs.
const OWN_BINARIES: [&str; 1] = ["registry"];

/// Why the parts are not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binaries cannot be built.
    #[error(transparent)]
    Build(#[from] builder::Error),
    /// The packages cannot be had.
    #[error(transparent)]
    Packages(#[from] packages::Error),
    /// An image cannot be made.
    #[error(transparent)]
    Images(#[from] images::Error),
    /// The images cannot be imported.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A file cannot be written.
    #[error("putting the tools of nodes into {}", path.display())]
    Tools {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where the parts are.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The binaries that this machine runs, by name.
    pub binaries: BTreeMap<String, PathBuf>,
    /// The folder whose `usr` is added to `/usr` on nodes.
    pub tools: PathBuf,
    /// The images.
    pub images: Vec<Image>,
    /// What the containerd of a node begins with.
    pub store: PathBuf,
    /// Their versions.
    pub versions: Versions,
}

/// Builds what is missing. `report` is told about binaries.
///
/// # Errors
/// One of [`Error`] when the network, Go, apt or the cache do not serve.
pub fn build(cache: &Cache, report: &mut dyn FnMut(&Progress)) -> Result<Parts, Error> {
    let testbed = builder::build(cache, &module::MODULES, None, report)?;
    let lab = builder::build(cache, &modules::MODULES, None, report)?;
    let key = key();
    let unpacked = cache.path(&format!("packages-{key}"));
    packages::unpack(cache, &unpacked)?;
    let tools = packages::folder_of(&unpacked, TOOLS);
    finish_tools(&tools, &testbed, &lab).map_err(|source| Error::Tools {
        path: tools.clone(),
        source,
    })?;
    let versions = versions();
    let sources = Sources {
        testbed: &testbed,
        lab: &lab,
        packages: &unpacked,
        versions: &versions,
    };
    let images = images::make(&cache.path(&format!("images-{key}")), sources)?;
    let store = cache.path(&format!("store-{key}"));
    store::make(cache, &store, &tools, &images)?;
    let own = OWN_BINARIES.map(|name| (name, lab.path(name)));
    let own = own
        .into_iter()
        .filter_map(|(name, path)| Some((name, path?)));
    let binaries = testbed.iter().chain(own);
    Ok(Parts {
        binaries: binaries
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .collect(),
        tools,
        images,
        store,
        versions,
    })
}

fn versions() -> Versions {
    let bare = |modules, name| version(modules, name).trim_start_matches('v').to_owned();
    Versions {
        kubernetes: bare(&module::MODULES, "kube-apiserver"),
        etcd: bare(&module::MODULES, "etcd"),
        etcd_next: bare(&modules::MODULES, "etcd"),
    }
}

/// Moves everything into `usr`, as the machine has it, and adds links to the binaries.
fn finish_tools(tools: &Path, testbed: &Binaries, lab: &Binaries) -> io::Result<()> {
    let programs = tools.join("usr/local/bin");
    if programs.exists() {
        return Ok(());
    }
    for folder in ["bin", "sbin", "lib"] {
        let from = tools.join(folder);
        if from.exists() {
            merge(&from, &tools.join("usr").join(folder))?;
        }
    }
    let sbin = tools.join("usr/sbin");
    for name in ["iptables", "ip6tables"] {
        for suffix in ["", "-save", "-restore"] {
            symlink("xtables-nft-multi", sbin.join(format!("{name}{suffix}")))?;
        }
    }
    // kubeadm and kube-proxy look here for modules of the kernel.
    fs::create_dir_all(tools.join("usr/lib/modules"))?;
    let unfinished = tools.join("usr/local/unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished)?;
    let lab = NODE_BINARIES.iter().map(|name| (name, lab.path(name)));
    let clients = NODE_CLIENTS.iter().map(|name| (name, testbed.path(name)));
    for (name, path) in lab.chain(clients) {
        let path = path.ok_or_else(|| io::Error::other(format!("no binary {name}")))?;
        symlink(path, unfinished.join(name))?;
    }
    // Beside the programs, where nobody looks for one.
    let own = tools.join("usr/local/libexec");
    fs::create_dir_all(&own)?;
    fs::rename(unfinished.join("kubeadm"), own.join("kubeadm"))?;
    let wrapper = unfinished.join("kubeadm");
    fs::write(&wrapper, KUBEADM)?;
    fs::set_permissions(wrapper, Permissions::from_mode(0o755))?;
    fs::rename(unfinished, programs)
}

/// Moves what is in `from` into `to`, folder by folder.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            merge(&entry.path(), &target)?;
        } else {
            fs::rename(entry.path(), target)?;
        }
    }
    fs::remove_dir(from)
}

/// Returns 12 hexadecimal digits over all that decides what tools and images are.
fn key() -> String {
    let mut hash = Sha256::new();
    hash.update(FORMAT);
    for module in module::MODULES.iter().chain(&modules::MODULES) {
        hash.update(module.key());
    }
    for set in SETS {
        hash.update(set.name);
        for package in set.packages {
            hash.update(package);
        }
    }
    hex(&hash.finalize()[..6])
}

#[cfg(test)]
mod tests {
    use super::{NODE_BINARIES, NODE_CLIENTS, OWN_BINARIES, versions};
    use crate::modules::{MODULES, version};

    #[test]
    fn every_part_has_a_version() {
        for name in NODE_BINARIES.iter().chain(&OWN_BINARIES) {
            assert!(version(&MODULES, name).starts_with('v'), "{name}");
        }
        for name in NODE_CLIENTS {
            assert!(
                version(&testbed::module::MODULES, name).starts_with('v'),
                "{name}"
            );
        }
        let versions = versions();
        assert_eq!(
            version(&MODULES, "kubelet"),
            format!("v{}", versions.kubernetes)
        );
        let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        assert_eq!(minor(&versions.etcd), minor(&versions.etcd_next));
        assert_ne!(versions.etcd, versions.etcd_next);
    }
}
