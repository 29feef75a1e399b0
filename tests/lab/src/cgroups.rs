//! The lab's control groups: `lab/NAME` for the pods of each node and `lab/system` for everything
//! else that a lab starts, so that no process of it can be missed. Both versions are understood.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Where the hierarchies are.
const ROOT: &str = "/sys/fs/cgroup";

/// The lab's group in each hierarchy.
const LAB: &str = "lab";

/// The group of the processes that are no pods.
pub const SYSTEM: &str = "system";

/// What a kubelet wants to control.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// How long the processes of a lab may take to end, and its groups to be empty.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Returns what is missing for a lab, an item a sentence.
pub(crate) fn missing() -> Vec<String> {
    let unified = fs::read_to_string(Path::new(ROOT).join("cgroup.controllers")).ok();
    let has = |controller: &str| match &unified {
        Some(controllers) => controllers.split_whitespace().any(|one| one == controller),
        None => Path::new(ROOT)
            .join(controller)
            .join("cgroup.procs")
            .exists(),
    };
    let missing = CONTROLLERS.iter().filter(|controller| !has(controller));
    missing
        .map(|controller| format!("it needs the cgroup controller `{controller}` in {ROOT}"))
        .collect()
}

/// Makes the group `name` of the lab in every hierarchy.
///
/// # Errors
/// An [`io::Error`] when the system does not allow it.
pub(crate) fn make(name: &str) -> io::Result<()> {
    for hierarchy in hierarchies() {
        let lab = hierarchy.join(LAB);
        let group = lab.join(name);
        fs::create_dir_all(&group)?;
        // In version 1 a new group may use no processor until it is told which.
        if hierarchy.join("cpuset.cpus").exists() {
            for group in [&lab, &group] {
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    fs::write(group.join(file), fs::read(hierarchy.join(file))?)?;
                }
            }
        }
    }
    Ok(())
}

/// Moves this process into the group of the lab's own processes.
///
/// # Errors
/// An [`io::Error`] when there is no such group.
pub fn enter() -> io::Result<()> {
    let group = tracking().join(LAB).join(SYSTEM);
    fs::write(group.join("cgroup.procs"), "0")
}

/// Returns the processes of the lab.
pub fn processes() -> Vec<Pid> {
    let mut found = Vec::new();
    walk(&tracking().join(LAB), &mut |group| {
        let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        let ids = text.lines().filter_map(|line| line.parse().ok());
        found.extend(ids.filter_map(Pid::from_raw));
    });
    found
}

/// Kills every process of the lab and waits for their end.
///
/// # Errors
/// An [`io::Error`] when one does not end.
pub(crate) fn kill_all() -> io::Result<()> {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let processes = processes();
        if processes.is_empty() {
            return Ok(());
        }
        for process in &processes {
            // Fails only if it has just ended.
            let _ = kill_process(*process, Signal::KILL);
        }
        if Instant::now() > deadline {
            let left = format!("{} processes of the lab do not end", processes.len());
            return Err(io::Error::other(left));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Removes the group `name` of the lab with those below it; its processes have ended.
///
/// # Errors
/// An [`io::Error`] when one stays in use.
pub(crate) fn remove(name: &str) -> io::Result<()> {
    mounted()
        .iter()
        .try_for_each(|hierarchy| remove_group(&hierarchy.join(LAB).join(name)))
}

/// Removes all groups of the lab; its processes have ended.
///
/// # Errors
/// An [`io::Error`] when one stays in use.
pub(crate) fn remove_all() -> io::Result<()> {
    mounted()
        .iter()
        .try_for_each(|hierarchy| remove_group(&hierarchy.join(LAB)))
}

fn remove_group(group: &Path) -> io::Result<()> {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let mut result = Ok(());
        // The kernel lets go of a process some moments after its end.
        walk(group, &mut |group| {
            if let Err(error) = fs::remove_dir(group) {
                result = Err(error);
            }
        });
        if result.is_ok() || Instant::now() > deadline {
            return result;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Calls `visit` with `group` and those below it, the deepest first.
fn walk(group: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(group) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), visit);
        }
    }
    visit(group);
}

/// Returns the roots of the hierarchies that control pods: the one of version 2, or all of version
/// 1.
fn hierarchies() -> Vec<PathBuf> {
    let mut roots = mounted();
    if roots.len() > 1 {
        roots.retain(|root| !is_unified(root));
    }
    roots
}

/// Returns the roots of all hierarchies. Beside those of version 1 there may be one of version 2,
/// which controls nothing but where runc makes groups too.
fn mounted() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if is_unified(root) {
        return vec![root.to_owned()];
    }
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let paths = folders.map(|entry| entry.path());
    paths
        .filter(|path| path.join("cgroup.procs").exists())
        .collect()
}

/// Returns the root of the hierarchy by which the lab's processes are found.
fn tracking() -> PathBuf {
    let root = Path::new(ROOT);
    if is_unified(root) {
        return root.to_owned();
    }
    root.join("pids")
}

fn is_unified(root: &Path) -> bool {
    root.join("cgroup.controllers").exists()
}
