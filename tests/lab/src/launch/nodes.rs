//! The nodes of a lab: adding, restarting and removing them.

use std::fs;
use std::time::Instant;

use super::{Error, Lab, PAUSE, READY_WITHIN, preparing};
use crate::addresses::{self, BRIDGE};
use crate::cgroups;
use crate::command::run;
use crate::control_plane;
use crate::node::{Node, Site};
use crate::place::{self, Role};

/// The longest name of a node: the names of interfaces have an end.
pub(super) const NAME_LENGTH: usize = 15 - BRIDGE.len() - 1;

impl Lab {
    /// Adds a node, unless it is there, and waits until it can be used: until it is ready in the
    /// host cluster, or until its containerd runs.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::OtherRole`], [`Error::Full`], and others when it does not start.
    pub fn add_node(&mut self, name: &str, role: Role) -> Result<(), Error> {
        if let Some(node) = self.nodes.get(name) {
            let is_same = node.record.role == role;
            return if is_same {
                Ok(())
            } else {
                Err(Error::OtherRole(name.to_owned()))
            };
        }
        let record = self.start_node(name, role)?;
        let furnished = self.furnish_node(&record);
        if furnished.is_err() {
            // Or it would count as there. What went wrong first is what matters.
            let _ = self.remove_node(name);
        }
        furnished
    }

    fn furnish_node(&mut self, node: &place::Node) -> Result<(), Error> {
        if node.role == Role::Host {
            self.join(&node.name)?;
            self.wait_for_node(&node.name)?;
        }
        Ok(())
    }

    /// Turns a node off, as a loss of power does, and on again.
    ///
    /// # Errors
    /// [`Error::NoNode`], and others when it does not start.
    pub fn restart_node(&mut self, name: &str) -> Result<(), Error> {
        let record = self.stop_node(name)?;
        let is_host = record.role == Role::Host;
        // The cluster goes on calling it ready until it misses the next sign of life.
        let last = self.sign_of_life(name);
        let node = Node::start(self.site(), record)?;
        self.nodes.insert(name.to_owned(), node);
        let last = last?;
        let deadline = Instant::now() + READY_WITHIN;
        while is_host && self.sign_of_life(name)? == last && Instant::now() < deadline {
            self.check()?;
            std::thread::sleep(PAUSE);
        }
        if is_host {
            self.wait_for_node(name)
        } else {
            Ok(())
        }
    }

    /// Returns when the host cluster has heard from a node last; empty if it never has.
    fn sign_of_life(&self, name: &str) -> Result<String, Error> {
        let mut kubectl = self.place.command("kubectl");
        kubectl.args(["--namespace=kube-node-lease", "get", "lease", name]);
        kubectl.args(["--ignore-not-found", "--output=jsonpath={.spec.renewTime}"]);
        Ok(run(&mut kubectl)?)
    }

    /// Turns a node off and removes it with its data, also from the host cluster.
    ///
    /// # Errors
    /// [`Error::NoNode`], and others when something of it stays.
    pub fn remove_node(&mut self, name: &str) -> Result<(), Error> {
        let record = self.stop_node(name)?;
        let folder = place::Node::folder(&self.place.folder, name);
        fs::remove_dir_all(&folder).map_err(preparing(&folder))?;
        if record.role == Role::Host {
            run(self.place.command("kubectl").args([
                "delete",
                "node",
                name,
                "--ignore-not-found",
            ]))?;
        }
        Ok(())
    }

    pub(super) fn start_node(&mut self, name: &str, role: Role) -> Result<place::Node, Error> {
        check_name(name)?;
        let taken: Vec<_> = self
            .nodes
            .values()
            .map(|node| node.record.address)
            .collect();
        let address = addresses::for_node(&taken).ok_or_else(|| Error::Full(name.to_owned()))?;
        let record = place::Node {
            name: name.to_owned(),
            address,
            role,
            init: 0,
        };
        // Of a node that has not come back from a restart.
        let _ = fs::remove_dir_all(place::Node::folder(&self.place.folder, name));
        let node = Node::start(self.site(), record)?;
        let record = node.record.clone();
        self.nodes.insert(name.to_owned(), node);
        Ok(record)
    }

    fn stop_node(&mut self, name: &str) -> Result<place::Node, Error> {
        let node = self
            .nodes
            .remove(name)
            .ok_or_else(|| Error::NoNode(name.to_owned()))?;
        let record = node.record.clone();
        node.stop();
        cgroups::remove(name).map_err(preparing(&self.place.folder))?;
        Ok(record)
    }

    pub(super) fn join(&mut self, name: &str) -> Result<(), Error> {
        let node = self
            .nodes
            .get(name)
            .ok_or_else(|| Error::NoNode(name.to_owned()))?;
        let mut kubeadm = node.record.command("kubeadm");
        run(kubeadm.args(control_plane::join(&self.place.folder, name)))?;
        Ok(())
    }

    pub(super) fn wait_for_node(&mut self, name: &str) -> Result<(), Error> {
        let what = format!("the node {name}");
        self.wait_for(
            &what,
            &["wait", &format!("node/{name}"), "--for=condition=Ready"],
        )
    }

    fn site(&self) -> Site<'_> {
        Site {
            folder: &self.place.folder,
            launcher: &self.launcher,
            parts: &self.parts,
        }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_part)
        && !name.ends_with('-')
        && name.len() <= NAME_LENGTH
        && name != cgroups::SYSTEM;
    is_good
        .then_some(())
        .ok_or_else(|| Error::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_of_nodes_fit_everything_that_is_named_after_them() {
        for good in ["a", "host-1", "worker-123"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1", "A", "a.b", "a-", "system", "worker-1234", "../x"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
