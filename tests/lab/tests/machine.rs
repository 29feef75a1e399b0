//! What a lab could leave behind on a machine. Of what others do at the same time, only that is
//! seen which looks like a lab's doing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use lab::cgroups;
use testbed::cache::Cache;

use crate::site::output;

/// Folders whose entries must stay the same.
const FOLDERS: [&str; 8] = [
    "/etc",
    "/opt",
    "/run",
    "/run/lock",
    "/run/netns",
    "/usr/lib",
    "/var/lib",
    "/var/log",
];

/// Settings of the kernel that change by themselves.
const RESTLESS: [&str; 13] = [
    "fs/aio-nr",
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random",
    "kernel/sched_domain",
    "net/ipv4/neigh",
    "net/ipv6/neigh",
    "net/netfilter/nf_conntrack_count",
];

/// The kinds of namespaces.
const NAMESPACES: [&str; 6] = ["cgroup", "ipc", "mnt", "net", "pid", "uts"];

/// The state of the machine.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// Everything there is, as `KIND NAME`.
    things: BTreeSet<String>,
    /// The kernel's settings.
    settings: BTreeMap<String, String>,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look() -> Self {
        let mut machine = Self::default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        // The first word is a number of no meaning.
        let mounts = mounts.lines().filter_map(|line| line.split_once(' '));
        machine.add("mount", mounts.map(|(_, mount)| mount.to_owned()));
        for folder in ["/sys/class/net"].iter().chain(&FOLDERS) {
            machine.add(folder, names(Path::new(folder)));
        }
        let routes = output(Command::new("ip").args(["route", "show", "table", "all"]));
        machine.add("route", routes.lines().map(str::to_owned));
        let cache = Cache::from_environment().unwrap();
        let kept = ["lab", "lab.log"].map(|name| cache.path(name));
        let kept = kept.iter().filter(|path| path.exists());
        machine.add("file", kept.map(|path| path.display().to_string()));
        machine.add_groups(Path::new("/sys/fs/cgroup"));
        machine.add_processes();
        machine.add_settings(Path::new("/proc/sys"));
        machine
    }

    /// What is different in `self`, of which `before` was the state.
    pub(crate) fn differences(&self, before: &Self) -> Vec<String> {
        let new = self.things.difference(&before.things);
        let mut differences: Vec<String> = new.map(|thing| format!("+ {thing}")).collect();
        for (name, value) in &self.settings {
            if let Some(old) = before.settings.get(name).filter(|old| *old != value) {
                differences.push(format!("{name}: {old:?} → {value:?}"));
            }
        }
        differences
    }

    fn add(&mut self, kind: &str, names: impl Iterator<Item = String>) {
        self.things
            .extend(names.map(|name| format!("{kind} {name}")));
    }

    /// Adds the control groups that are empty: those of others have processes.
    fn add_groups(&mut self, group: &Path) {
        let entries = fs::read_dir(group).into_iter().flatten().flatten();
        for entry in entries {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.add_groups(&entry.path());
            }
        }
        let processes = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        if processes.trim().is_empty() {
            self.add("cgroup", std::iter::once(group.display().to_string()));
        }
    }

    /// Adds the lab's processes and the namespaces of all.
    fn add_processes(&mut self) {
        let own = cgroups::processes();
        self.add(
            "process",
            own.iter().map(|pid| pid.as_raw_nonzero().to_string()),
        );
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            if command.starts_with(env!("CARGO_BIN_EXE_lab")) {
                self.add("process", std::iter::once(command.clone()));
            }
            for kind in NAMESPACES {
                let link = fs::read_link(process.path().join("ns").join(kind));
                let link = link.ok().map(|link| link.display().to_string());
                self.add("namespace", link.into_iter());
            }
        }
    }

    fn add_settings(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix("/proc/sys").unwrap();
            if RESTLESS.iter().any(|restless| name.starts_with(restless)) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.add_settings(&path);
            } else if let Ok(value) = fs::read(&path) {
                let value = String::from_utf8_lossy(&value).into_owned();
                self.settings.insert(name.display().to_string(), value);
            }
        }
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}
