//! The process that a lab lives and dies with. Its first thread starts everything and serves
//! requests one by one; another process cleans up after it, however it ends.

use std::io::{self, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use lab::control::{self, Caller, Holder, Reply, Request};
use lab::launch::{Lab, Options};
use lab::{cgroups, parts, place, remains};
use rustix::process::setsid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use testbed::cache::Cache;

use crate::commands::report;
use crate::error::{Error, system, text};

/// How long another lab may take to go.
const FREE_WITHIN: Duration = Duration::from_secs(30);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What the first thread waits for.
enum Event {
    /// Somebody asks for something.
    Call(Caller),
    /// A process has ended.
    Child,
    /// It is time to end.
    Stop,
}

/// Runs a lab in a session of its own until it is told to stop.
pub(crate) fn daemon() -> Result<ExitCode, Error> {
    setsid().map_err(system("leaving the session of the shell"))?;
    let (events, received) = channel();
    run(&events, &received)
}

/// Runs a lab until stdin ends or it is told to stop.
pub(crate) fn serve() -> Result<ExitCode, Error> {
    let (events, received) = channel();
    let stop = events.clone();
    std::thread::spawn(move || {
        // An error is an end as well.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = stop.send(Event::Stop);
    });
    run(&events, &received)
}

fn run(events: &Sender<Event>, received: &Receiver<Event>) -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    let listener = claim()?;
    let parts = parts::build(&cache, &mut report)?;
    let options = Options {
        folder: place::folder(&cache),
        launcher: std::env::current_exe().map_err(system("finding the lab binary"))?,
        report: |problem| anstream::eprintln!("lab: {problem}"),
    };
    remains::remove(&options.folder)?;
    // Has its eye on this process from here on.
    let _janitor = start_janitor(&options.launcher)?;
    let mut lab = Lab::start(parts, &options)?;
    listen(listener, events)?;
    announce(&lab)?;
    let mut holders = Vec::new();
    while let Ok(event) = received.recv() {
        match event {
            Event::Stop => break,
            Event::Child => lab.check()?,
            Event::Call(caller) => {
                let request = caller.request.clone();
                holders.retain(|holder: &Holder| holder.pid().is_some());
                let reply = serve_request(&mut lab, &request, &holders);
                let caller = caller.answer(&reply);
                match (request, reply) {
                    (Request::Stop | Request::Force, Reply::Done(_)) => break,
                    (Request::Hold, _) => holders.push(caller),
                    _ => {}
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve_request(lab: &mut Lab, request: &Request, holders: &[Holder]) -> Reply {
    if let (Request::Stop, Some(pid)) = (request, holders.iter().find_map(Holder::pid)) {
        return Reply::Failed(format!(
            "process {pid} uses the lab: wait for its end, or give --force"
        ));
    }
    let result = match request {
        Request::Place | Request::Hold | Request::Stop | Request::Force => Ok(()),
        Request::Add { name, role } => lab.add_node(name, *role),
        Request::Restart { name } => lab.restart_node(name),
        Request::Remove { name } => lab.remove_node(name),
    };
    match result {
        Ok(()) => Reply::Done(lab.place().clone()),
        Err(error) => Reply::Failed(text(&error)),
    }
}

/// Takes the name of the machine's one lab, waiting while the janitor of another has it.
pub(crate) fn claim() -> Result<UnixListener, Error> {
    let deadline = Instant::now() + FREE_WITHIN;
    loop {
        match control::claim() {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                return Err(system("taking the name of the lab")(error));
            }
            Err(_) if Instant::now() > deadline => return Err(Error::Taken),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Starts what cleans up after this process. It notices the end by its stdin.
fn start_janitor(launcher: &Path) -> Result<Child, Error> {
    let mut command = Command::new(launcher);
    command.arg("janitor").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().map_err(system("running the lab binary"))
}

/// Waits for the end of the lab that has started this, and removes what is left.
pub(crate) fn janitor() -> Result<ExitCode, Error> {
    setsid().map_err(system("leaving the session of the lab"))?;
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    let _name = claim()?;
    remains::remove(&place::folder(&Cache::from_environment()?))?;
    Ok(ExitCode::SUCCESS)
}

/// Becomes a component that is counted among the lab's processes and dies with the launcher.
pub(crate) fn child(parent: u32, command: &[std::ffi::OsString]) -> Error {
    match cgroups::enter() {
        Ok(()) => testbed::child::become_program(parent, command).into(),
        Err(error) => system("entering the control group of the lab")(error),
    }
}

/// Turns connections and signals into events.
fn listen(listener: UnixListener, events: &Sender<Event>) -> Result<(), Error> {
    let signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGTERM]);
    let mut signals = signals.map_err(system("listening for signals"))?;
    let calls = events.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Ok(caller) = Caller::read(stream) {
                let _ = calls.send(Event::Call(caller));
            }
        }
    });
    let events = events.clone();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let event = if signal == SIGCHLD {
                Event::Child
            } else {
                Event::Stop
            };
            let _ = events.send(event);
        }
    });
    Ok(())
}

/// Prints where the lab is, as one line of JSON.
fn announce(lab: &Lab) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let place = serde_json::to_string(lab.place()).map_err(system("printing the place"))?;
    let printed = writeln!(stdout, "{place}").and_then(|()| stdout.flush());
    printed.map_err(system("printing the place"))
}
