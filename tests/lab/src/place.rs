//! Where a running lab is and how its users reach it. Launcher and users agree here on the names
//! of files.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use testbed::cache::Cache;

use crate::addresses::{API_PORT, GATEWAY};

/// The paths and address of a running lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The folder that has everything of this lab in it.
    pub folder: PathBuf,
    /// The kubeconfig of an administrator.
    pub kubeconfig: PathBuf,
    /// A folder with binaries, among them kubectl, kubeadm, etcdctl and helm.
    pub bin: PathBuf,
    /// The address of the host cluster's API, an `https` URL.
    pub server: String,
    /// The process that the lab lives and dies with.
    pub pid: u32,
}

impl Place {
    /// Returns the place of a lab in `folder`, owned by this process.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            kubeconfig: folder.join("kubeconfig"),
            bin: folder.join("bin"),
            server: format!("https://{GATEWAY}:{API_PORT}"),
            pid: std::process::id(),
        }
    }

    /// Returns the variables that point a program at this lab: `KUBECONFIG`, `PINTLE_LAB`,
    /// `KUBECACHEDIR` and `PATH`, which is `path` after the binaries' folder.
    pub fn environment(&self, path: &OsString) -> [(&'static str, OsString); 4] {
        let folders = std::iter::once(self.bin.clone()).chain(env::split_paths(path));
        // Fails only if our own folder has a colon in its name; then nothing is put before.
        let path = env::join_paths(folders).unwrap_or_else(|_| path.clone());
        [
            ("KUBECONFIG", self.kubeconfig.clone().into()),
            ("PINTLE_LAB", self.folder.clone().into()),
            ("KUBECACHEDIR", self.folder.join("cache").into()),
            ("PATH", path),
        ]
    }

    /// Returns a command that runs `program`, one of the binaries, as administrator of this lab.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.envs(self.environment(&env::var_os("PATH").unwrap_or_default()));
        command
    }

    /// Returns the nodes of this lab, by name.
    pub fn nodes(&self) -> Vec<Node> {
        nodes(&self.folder)
    }

    /// Returns the node `name`, if the lab has it.
    pub fn node(&self, name: &str) -> Option<Node> {
        self.nodes().into_iter().find(|node| node.name == name)
    }
}

/// Returns the folder of the lab, be there one or not.
pub fn folder(cache: &Cache) -> PathBuf {
    cache.path("lab")
}

/// Whose node a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It belongs to the host cluster.
    Host,
    /// It belongs to no cluster, or to one that a user of the lab has joined it to.
    Bare,
}

/// What is known about a running node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, which is its host name.
    pub name: String,
    /// Its address on the bridge.
    pub address: Ipv4Addr,
    /// Whose it is.
    pub role: Role,
    /// The process id of its first process, as the machine sees it.
    pub init: u32,
}

/// Where nodes look for programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The file in a node's folder that holds its [`Node`] as JSON.
const NODE_FILE: &str = "node.json";

impl Node {
    /// Returns the folder of the node `name` of the lab in `lab`.
    pub fn folder(lab: &Path, name: &str) -> PathBuf {
        lab.join("nodes").join(name)
    }

    /// Writes down what is known, in the node's folder.
    ///
    /// # Errors
    /// An [`io::Error`] when the file cannot be written.
    pub(crate) fn write(&self, lab: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        let path = Self::folder(lab, &self.name).join(NODE_FILE);
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, text)?;
        fs::rename(unfinished, path)
    }

    /// Returns a command that runs `program` on the node.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string()]);
        command.args(["--mount", "--uts", "--ipc", "--pid", "--net", "--", program]);
        command.env("PATH", PATH);
        command
    }
}

/// Returns what is written about the nodes of the lab in `folder`, by name.
pub(crate) fn nodes(folder: &Path) -> Vec<Node> {
    let entries = fs::read_dir(folder.join("nodes"))
        .into_iter()
        .flatten()
        .flatten();
    let texts = entries.filter_map(|entry| fs::read(entry.path().join(NODE_FILE)).ok());
    let mut nodes: Vec<Node> = texts
        .filter_map(|text| serde_json::from_slice(&text).ok())
        .collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    nodes
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::Ipv4Addr;
    use std::path::Path;

    use super::{Node, Place, Role, nodes};

    #[test]
    fn environment_puts_the_binaries_first() {
        let place = Place::new(Path::new("/cache/lab"));
        let environment = place.environment(&"/usr/bin:/bin".into());
        assert_eq!(environment[0].1, "/cache/lab/kubeconfig");
        assert_eq!(environment[3].1, "/cache/lab/bin:/usr/bin:/bin");
    }

    #[test]
    fn nodes_are_found_by_their_files() {
        let lab = tempfile::tempdir().unwrap();
        assert_eq!(nodes(lab.path()), []);
        let node = Node {
            name: "a".to_owned(),
            address: Ipv4Addr::new(10, 77, 0, 11),
            role: Role::Bare,
            init: 7,
        };
        for name in ["a", "damaged"] {
            fs::create_dir_all(Node::folder(lab.path(), name)).unwrap();
        }
        node.write(lab.path()).unwrap();
        fs::write(lab.path().join("nodes/damaged/node.json"), "{").unwrap();
        assert_eq!(nodes(lab.path()), [node]);
    }
}
