//! The one testbed that stays when the shell goes: `up`, `env` and `down`. A link in the cache
//! folder remembers where it is.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, setsid};
use testbed::Place;
use testbed::cache::Cache;
use testbed::run_folder;

use crate::error::{Error, system};
use crate::session;

/// Held while a detached testbed is being started or stopped.
const LOCK: &str = "up.lock";

/// How often, and at which distance, the end of a stopped testbed is looked for.
const LOOKS: (usize, Duration) = (100, Duration::from_millis(50));

/// Starts a detached testbed unless one is up, and prints how to use it.
pub(crate) fn up(nodes: usize) -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    let _lock = cache.lock(LOCK)?;
    if let Some(place) = find(&cache) {
        anstream::eprintln!("testbed: already up in {}", place.folder.display());
        print_exports(&place);
        return Ok(ExitCode::SUCCESS);
    }
    // Here, where its progress is seen.
    session::built(&cache)?;
    let place = launch(&cache, nodes)?;
    let link = cache.detached();
    let _ = fs::remove_file(&link);
    symlink(&place.folder, &link).map_err(system("remembering the testbed"))?;
    anstream::eprintln!(
        "testbed: up in {}; `testbed down` stops it",
        place.folder.display()
    );
    print_exports(&place);
    Ok(ExitCode::SUCCESS)
}

/// Prints how to use the detached testbed.
pub(crate) fn env() -> Result<ExitCode, Error> {
    let place = find(&Cache::from_environment()?).ok_or(Error::NotUp)?;
    print_exports(&place);
    Ok(ExitCode::SUCCESS)
}

/// Stops the detached testbed and waits until its folder is gone.
pub(crate) fn down() -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    let _lock = cache.lock(LOCK)?;
    let place = find(&cache).ok_or(Error::NotUp)?;
    let pid = i32::try_from(place.pid).ok().and_then(Pid::from_raw);
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
        if is_gone(&place) {
            run_folder::sweep(&cache)?;
            let _ = fs::remove_file(cache.detached());
            let _ = fs::remove_file(cache.detached_log());
            anstream::eprintln!("testbed: down");
            return Ok(ExitCode::SUCCESS);
        }
    }
    Err(Error::Stuck {
        folder: place.folder,
        pid: place.pid,
    })
}

/// Runs a testbed in a session of its own until a signal comes.
pub(crate) fn daemon(nodes: usize) -> Result<ExitCode, Error> {
    setsid().map_err(system("leaving the session of the shell"))?;
    let mut testbed = session::start(nodes)?;
    let mut signals = session::signals()?;
    session::announce(&testbed)?;
    session::until_ended(&mut testbed, &mut signals)
}

fn find(cache: &Cache) -> Option<Place> {
    let folder = fs::read_link(cache.detached()).ok()?;
    if !run_folder::is_live(&folder) {
        return None;
    }
    Place::read(&folder).ok()
}

fn launch(cache: &Cache, nodes: usize) -> Result<Place, Error> {
    let launcher = std::env::current_exe().map_err(system("finding the testbed binary"))?;
    let log = cache.detached_log();
    let errors = File::create(&log).map_err(system("writing the log of the testbed"))?;
    let mut daemon = Command::new(launcher)
        .args(["daemon", "--nodes", &nodes.to_string()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(system("running the testbed binary"))?;
    let mut line = String::new();
    if let Some(stdout) = daemon.stdout.take() {
        let read = BufReader::new(stdout).read_line(&mut line);
        read.map_err(system("reading the place of the testbed"))?;
    }
    serde_json::from_str(&line).map_err(|_| {
        let said = fs::read_to_string(&log).unwrap_or_default();
        Error::Daemon(said.trim_end().to_owned())
    })
}

fn is_gone(place: &Place) -> bool {
    let (times, distance) = LOOKS;
    for _ in 0..times {
        if !run_folder::is_live(&place.folder) {
            return true;
        }
        std::thread::sleep(distance);
    }
    false
}

fn print_exports(place: &Place) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (name, value) in place.environment(&path) {
        let value = value.to_string_lossy().replace('\'', r"'\''");
        anstream::println!("export {name}='{value}'");
    }
}
