//! One running node: a process in namespaces of its own that ends, and with it all of the node,
//! with the launcher. Its data stays in its folder until it is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testbed::component::{Component, dependent};

use crate::addresses::GATEWAY;
use crate::cgroups;
use crate::command;
use crate::network;
use crate::parts::Parts;
use crate::place;

/// The time between two looks at a node that is starting.
const PAUSE: Duration = Duration::from_millis(20);

/// The file in a node's folder of what its containerd says.
const CONTAINERD_LOG: &str = "containerd.log";

/// What it says when all of it serves.
const CONTAINERD_IS_READY: &str = "containerd successfully booted";

/// How often a node is looked at before it counts as failed.
const LOOKS: usize = 1500;

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refuses a folder, a group or a process.
    #[error("starting the node {name}")]
    System {
        /// The node.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its first process has ended, or containerd does not answer.
    #[error("starting the node {name}; it said last:\n{log}")]
    Ended {
        /// The node.
        name: String,
        /// The last lines of its logs.
        log: String,
    },
    /// It is not connected.
    #[error("connecting the node {name}")]
    Setup {
        /// The node.
        name: String,
        /// What went wrong.
        source: command::Error,
    },
}

/// What nodes of a lab have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The lab's folder.
    pub(crate) folder: &'a Path,
    /// The binary through which processes are started.
    pub(crate) launcher: &'a Path,
    /// What nodes are made of.
    pub(crate) parts: &'a Parts,
}

/// A running node. Dropping it ends all of its processes.
#[derive(Debug)]
pub(crate) struct Node {
    /// What is known about it.
    pub(crate) record: place::Node,
    component: Component,
}

impl Node {
    /// Starts a node and waits until its containerd answers. `record.init` is found here.
    ///
    /// To be called by a thread that lives as long as the node.
    ///
    /// # Errors
    /// One of [`Error`], after which nothing of the node runs.
    pub(crate) fn start(site: Site, mut record: place::Node) -> Result<Self, Error> {
        let name = record.name.clone();
        let failed = |source| Error::System {
            name: name.clone(),
            source,
        };
        let folder = place::Node::folder(site.folder, &name);
        fs::create_dir_all(&folder).map_err(failed)?;
        cgroups::make(&name).map_err(failed)?;
        // One that is restarted has a log already.
        let log = folder.join(CONTAINERD_LOG);
        let seen = fs::read(&log).map_or(0, |log| log.len());
        let mut command = dependent(site.launcher);
        command.args(["unshare", "--mount", "--uts", "--ipc", "--net", "--pid"]);
        command.args(["--fork", "--kill-child", "--mount-proc"]);
        command.args(["--propagation", "private", "--"]);
        command.arg(site.folder.join("node/init"));
        command.args([&name, &record.address.to_string(), &GATEWAY.to_string()]);
        command.arg(&folder).arg(&site.parts.tools);
        command.arg(&site.parts.store);
        let component = Component::start(&log_name(&name), &mut command, site.folder);
        let mut component = component.map_err(failed)?;
        let parent = component.pid();
        record.init = wait(&mut component, &folder, || child_of(parent))?;
        let mut node = Self { record, component };
        let setup = |source| Error::Setup {
            name: name.clone(),
            source,
        };
        network::attach(&node.record).map_err(setup)?;
        // It listens before it serves.
        wait(&mut node.component, &folder, || {
            let log = fs::read(&log).ok()?;
            let new = String::from_utf8_lossy(log.get(seen..)?).into_owned();
            new.contains(CONTAINERD_IS_READY).then_some(())
        })?;
        node.record.write(site.folder).map_err(failed)?;
        Ok(node)
    }

    /// Tells whether its first process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.component.ended().is_some()
    }

    /// Ends the node and waits until all of its processes are gone.
    pub(crate) fn stop(self) {
        let init = PathBuf::from("/proc").join(self.record.init.to_string());
        drop(self.component);
        // The first process of a namespace goes last.
        for _ in 0..LOOKS {
            if !init.exists() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn log_name(name: &str) -> String {
    format!("node-{name}")
}

/// Waits for what `look` finds while the node's first process lives.
fn wait<T>(
    component: &mut Component,
    folder: &Path,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Error> {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return Ok(found);
        }
        if component.ended().is_some() {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let containerd = fs::read(folder.join(CONTAINERD_LOG)).unwrap_or_default();
    let containerd = command::last_lines(&String::from_utf8_lossy(&containerd));
    Err(Error::Ended {
        name: component.name().trim_start_matches("node-").to_owned(),
        log: format!("{}\n{containerd}", component.tail()),
    })
}

/// Returns the process that `parent` has started.
fn child_of(parent: u32) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?;
    let processes = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids = processes.filter_map(|name| name.parse::<u32>().ok());
    ids.find(|id| parent_of(*id) == Some(parent))
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // PID (NAME) STATE PARENT …, and a name may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::{child_of, parent_of};

    #[test]
    fn processes_know_their_parents() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert_eq!(parent_of(child.id()), Some(std::process::id()));
        assert!(child_of(std::process::id()).is_some());
        assert_eq!(child_of(child.id()), None);
        child.wait().unwrap();
    }
}
