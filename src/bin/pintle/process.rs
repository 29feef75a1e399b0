//! What this process calls itself in locks, and whether another one has ended.
//!
//! `alice@laptop pid 4711 (3f2a9c1d5e6b7a80/283746)`: who and where for people, then the processes
//! among which the number counts and the ticks after boot at which this one started. The former is
//! a digest of the kernel's boot id and the namespace of processes, so that a container does not
//! judge by its own processes what runs in another one. Where `/proc` does not tell, or hides the
//! processes of others, the brackets are left out and nothing is known about anybody.

use std::fs;
use std::io;
use std::process;

use sha2::{Digest, Sha256};

/// What this process calls itself.
pub(crate) fn identity() -> String {
    let pid = process::id();
    let who = format!("{}@{} pid {pid}", user(), host());
    match (kernel(), read("/proc/self/stat").as_deref().map(stat)) {
        (Some(kernel), Ok(Some((_, start)))) => format!("{who} ({kernel}/{start})"),
        _ => who,
    }
}

/// Whether `identity` is that of a process among those of this machine that has ended.
pub(crate) fn is_dead(identity: &str) -> bool {
    let Some(mark) = Mark::of(identity) else {
        return false;
    };
    kernel().is_some_and(|kernel| kernel == mark.kernel)
        && mark.is_dead(read(&format!("/proc/{}/stat", mark.pid)))
}

/// What an identity says for people.
pub(crate) struct Who<'a> {
    pub(crate) user: &'a str,
    pub(crate) host: &'a str,
    pub(crate) pid: u32,
}

impl<'a> Who<'a> {
    /// Reads what [`identity`] writes; none if others call themselves otherwise.
    pub(crate) fn of(identity: &'a str) -> Option<Self> {
        let (who, rest) = identity.rsplit_once(" pid ")?;
        let (user, host) = who.rsplit_once('@')?;
        let pid = rest.split_once(' ').map_or(rest, |(pid, _)| pid);
        let pid = pid.parse().ok()?;
        Some(Self { user, host, pid })
    }
}

/// What an identity says for machines.
struct Mark<'a> {
    pid: u32,
    kernel: &'a str,
    start: u64,
}

impl<'a> Mark<'a> {
    fn of(identity: &'a str) -> Option<Self> {
        let (_, rest) = identity.rsplit_once(" pid ")?;
        let (pid, rest) = rest.split_once(" (")?;
        let (kernel, start) = rest.strip_suffix(')')?.split_once('/')?;
        Some(Self {
            pid: pid.parse().ok()?,
            kernel,
            start: start.parse().ok()?,
        })
    }

    /// Whether it has ended, by the status of the process that has its number now.
    fn is_dead(&self, status: io::Result<String>) -> bool {
        match status {
            Ok(text) => stat(&text)
                .is_some_and(|(state, start)| start != self.start || matches!(state, 'Z' | 'X')),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// The state and the start of a process (proc(5), `/proc/PID/stat`). Its name stands in brackets
/// and may hold any of them.
fn stat(text: &str) -> Option<(char, u64)> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Which processes the numbers in `/proc` are about; none if it does not show all of them.
fn kernel() -> Option<String> {
    let own = link("/proc/self")?;
    // Where the processes of others are hidden, the first one is.
    if own != process::id().to_string() || read("/proc/1/stat").is_err() {
        return None;
    }
    let boot = read("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = link("/proc/self/ns/pid")?;
    let digest = Sha256::digest(format!("{} {namespace}", boot.trim()));
    let digest = digest.first_chunk()?;
    Some(format!("{:016x}", u64::from_be_bytes(*digest)))
}

fn user() -> String {
    variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned())
}

fn host() -> String {
    let name = read("/proc/sys/kernel/hostname").ok();
    let name = name
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    name.or_else(|| variable(&["HOSTNAME", "COMPUTERNAME"]))
        .unwrap_or_else(|| "somewhere".to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment comes in"
)]
fn variable(names: &[&str]) -> Option<String> {
    let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
    values.find(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the machine is looked at"
)]
fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(path)
}

fn link(path: &str) -> Option<String> {
    Some(fs::read_link(path).ok()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str =
        "42 (a) b (c) S 1 42 42 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 777 3133440";

    #[track_caller]
    fn check(start: u64, status: io::Result<&str>, expected: &str) {
        let identity = format!("a pid 1 (x)@host pid 42 (0123456789abcdef/{start})");
        let mark = Mark::of(&identity).unwrap();
        assert_eq!((mark.pid, mark.kernel), (42, "0123456789abcdef"));
        let found = if mark.is_dead(status.map(str::to_owned)) {
            "dead"
        } else {
            "not known to be dead"
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_process_is_dead_when_its_number_is_free_or_anothers() {
        let living = "not known to be dead";
        check(777, Ok(STATUS), living);
        check(776, Ok(STATUS), "dead");
        check(777, Ok(&STATUS.replace(") S", ") Z")), "dead");
        check(777, Ok("nonsense"), living);
        check(777, Err(io::ErrorKind::NotFound.into()), "dead");
        check(777, Err(io::ErrorKind::PermissionDenied.into()), living);
    }

    #[test]
    fn what_others_call_themselves_says_nothing() {
        for identity in [
            "",
            "bob",
            "bob pid 1",
            "bob pid x (0/1)",
            "bob pid 1 (0/x)",
            "bob pid 1 (0)",
        ] {
            assert!(Mark::of(identity).is_none(), "{identity}");
            assert!(!is_dead(identity), "{identity}");
        }
    }

    #[test]
    fn who_holds_a_lock_is_told() {
        let who = Who::of("a@b@host pid 42 (0123456789abcdef/777)").unwrap();
        assert_eq!((who.user, who.host, who.pid), ("a@b", "host", 42));
        assert_eq!(Who::of("a@host pid 7").unwrap().pid, 7);
        for other in ["", "somebody", "a@host", "a@host pid x", "host pid 1"] {
            assert!(Who::of(other).is_none(), "{other}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives_and_its_predecessor_does_not() {
        let own = identity();
        let mark = Mark::of(&own).unwrap();
        assert!(!is_dead(&own), "{own}");
        let earlier = own.replace(&format!("/{})", mark.start), "/1)");
        assert!(is_dead(&earlier), "{earlier}");
        let elsewhere = earlier.replace(mark.kernel, "0000000000000000");
        assert!(!is_dead(&elsewhere), "{elsewhere}");
    }
}
