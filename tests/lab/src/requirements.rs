//! Whether a lab can run on this machine, and what is missing if not.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::cgroups;

/// The programs a lab runs, and the Debian packages they are in.
const PROGRAMS: [(&str, &str); 7] = [
    ("apt-get", "apt"),
    ("bash", "bash"),
    ("dpkg-deb", "dpkg"),
    ("ip", "iproute2"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
];

/// The folders that nodes have of their own.
const HIDDEN: [&str; 6] = ["/etc", "/opt", "/run", "/tmp", "/usr", "/var/lib"];

/// Returns what a lab that keeps its files in `cache` lacks here, an item a sentence; none if it
/// can run.
pub fn missing(cache: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    if !geteuid().is_root() {
        missing.push("it needs root, for namespaces, mounts and cgroups".to_owned());
    }
    for (program, package) in PROGRAMS {
        if !is_in_path(program) {
            missing.push(format!("it needs `{program}` (Debian package {package})"));
        }
    }
    if let Some(folder) = HIDDEN.iter().find(|folder| cache.starts_with(folder)) {
        let cache = cache.display();
        missing.push(format!(
            "its cache {cache} must not be in {folder}: set XDG_CACHE_HOME"
        ));
    }
    if missing.is_empty() {
        missing.extend(cgroups::missing());
        missing.extend(missing_in_kernel());
    }
    missing
}

fn is_in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn missing_in_kernel() -> Vec<String> {
    let mut missing = Vec::new();
    let unshared = Command::new("unshare")
        .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--fork"])
        .args(["--mount-proc", "true"])
        .stdin(Stdio::null())
        .output();
    if !unshared.is_ok_and(|output| output.status.success()) {
        missing.push("it may not make namespaces here".to_owned());
    }
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.lines().any(|line| line.ends_with("\toverlay")) {
        missing.push("it needs overlay file systems: try `modprobe overlay`".to_owned());
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::missing;

    #[test]
    fn a_cache_that_nodes_would_not_see_is_refused() {
        let hidden = |path: &str| {
            let missing = missing(Path::new(path));
            missing.iter().any(|item| item.contains("XDG_CACHE_HOME"))
        };
        assert!(hidden("/tmp/x"));
        assert!(hidden("/var/lib/x/.cache"));
        assert!(!hidden("/home/x/.cache"));
    }
}
