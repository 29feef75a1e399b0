//! The commands. Most ask the running lab.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::Parser;
use lab::control::{self, Reply, Request};
use lab::place::{Place, Role};
use lab::{parts, place, remains, requirements};
use testbed::builder::Progress;
use testbed::cache::Cache;

use crate::cli::{Action, Cli, NodeAction};
use crate::daemon;
use crate::error::{Error, system};

/// The exit code of a shell for a program that cannot be run.
const CANNOT_RUN: u8 = 127;

/// The file in the cache of what a lab in the background says.
const LOG: &str = "lab.log";

/// Runs the command that the arguments tell.
pub(crate) fn run() -> Result<ExitCode, Error> {
    match Cli::parse().action {
        Action::Check => check(),
        Action::Build => build(),
        Action::Up => up(),
        Action::Env => {
            print_exports(&ask(&Request::Place)?);
            Ok(ExitCode::SUCCESS)
        }
        Action::Down { force: false } => down(&Request::Stop),
        Action::Down { force: true } => down(&Request::Force),
        Action::Serve => {
            require(&Cache::from_environment()?)?;
            daemon::serve()
        }
        Action::Node(action) => node(action),
        Action::Daemon => daemon::daemon(),
        Action::Janitor => daemon::janitor(),
        Action::Child { parent, command } => {
            daemon::child(parent, &command).print();
            Ok(ExitCode::from(CANNOT_RUN))
        }
    }
}

fn check() -> Result<ExitCode, Error> {
    require(&Cache::from_environment()?)?;
    anstream::println!("a lab can run here");
    Ok(ExitCode::SUCCESS)
}

fn build() -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    require(&cache)?;
    let parts = parts::build(&cache, &mut report)?;
    for image in parts.images {
        anstream::println!("{}", image.name);
    }
    Ok(ExitCode::SUCCESS)
}

fn require(cache: &Cache) -> Result<(), Error> {
    let missing = requirements::missing(&cache.path(""));
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Missing(missing))
}

fn up() -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    require(&cache)?;
    if let Ok(Some(Reply::Done(place))) = control::ask(&Request::Place) {
        anstream::eprintln!("lab: already up in {}", place.folder.display());
        print_exports(&place);
        return Ok(ExitCode::SUCCESS);
    }
    // Here, where its progress is seen.
    parts::build(&cache, &mut report)?;
    let begin = Instant::now();
    let place = launch(&cache)?;
    anstream::eprintln!(
        "lab: up in {} after {:.1} s; `lab down` stops it",
        place.folder.display(),
        begin.elapsed().as_secs_f32()
    );
    print_exports(&place);
    Ok(ExitCode::SUCCESS)
}

fn launch(cache: &Cache) -> Result<Place, Error> {
    let launcher = std::env::current_exe().map_err(system("finding the lab binary"))?;
    let log = cache.path(LOG);
    let errors = File::create(&log).map_err(system("writing the log of the lab"))?;
    let mut daemon = Command::new(launcher)
        .arg("daemon")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(system("running the lab binary"))?;
    let mut line = String::new();
    if let Some(stdout) = daemon.stdout.take() {
        let read = BufReader::new(stdout).read_line(&mut line);
        read.map_err(system("reading the place of the lab"))?;
    }
    serde_json::from_str(&line).map_err(|_| {
        let said = fs::read_to_string(&log).unwrap_or_default();
        Error::Daemon(said.trim_end().to_owned())
    })
}

fn down(request: &Request) -> Result<ExitCode, Error> {
    let cache = Cache::from_environment()?;
    // It may have ended by itself, and its janitor may be at work.
    let asked = control::ask(request);
    if let Ok(Some(Reply::Failed(reason))) = asked {
        return Err(Error::Refused(reason));
    }
    let _name = daemon::claim()?;
    let folder = match asked {
        Ok(Some(Reply::Done(place))) => place.folder,
        _ => place::folder(&cache),
    };
    remains::remove(&folder)?;
    let _ = fs::remove_file(cache.path(LOG));
    anstream::eprintln!("lab: down");
    Ok(ExitCode::SUCCESS)
}

fn node(action: NodeAction) -> Result<ExitCode, Error> {
    let place = match action {
        NodeAction::List => ask(&Request::Place)?,
        NodeAction::Add { name, bare } => {
            let role = if bare { Role::Bare } else { Role::Host };
            ask(&Request::Add { name, role })?
        }
        NodeAction::Restart { name } => ask(&Request::Restart { name })?,
        NodeAction::Remove { name } => ask(&Request::Remove { name })?,
        NodeAction::Exec { name, command } => return exec(name, &command),
    };
    for node in place.nodes() {
        let role = match node.role {
            Role::Host => "host",
            Role::Bare => "bare",
        };
        anstream::println!("{}\t{}\t{role}", node.name, node.address);
    }
    Ok(ExitCode::SUCCESS)
}

fn exec(name: String, command: &[OsString]) -> Result<ExitCode, Error> {
    let node = ask(&Request::Place)?
        .node(&name)
        .ok_or(Error::NoNode(name))?;
    let program = command[0].to_string_lossy();
    let source = node.command(&program).args(&command[1..]).exec();
    Err(system("entering the node")(source))
}

fn ask(request: &Request) -> Result<Place, Error> {
    match control::ask(request).map_err(system("asking the lab"))? {
        Some(Reply::Done(place)) => Ok(place),
        Some(Reply::Failed(reason)) => Err(Error::Refused(reason)),
        None => Err(Error::NotUp),
    }
}

/// Says on stderr how building goes.
pub(crate) fn report(progress: &Progress) {
    match progress {
        Progress::Waiting => {
            anstream::eprintln!("lab: waiting for another process that builds");
        }
        Progress::Building {
            tool,
            number,
            total,
            elapsed,
        } => anstream::eprintln!(
            "lab: building {} {} ({number} of {total}, {} s so far)",
            tool.name,
            tool.version,
            elapsed.as_secs()
        ),
        Progress::Built(elapsed) => anstream::eprintln!("lab: built in {} s", elapsed.as_secs()),
    }
}

fn print_exports(place: &Place) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (name, value) in place.environment(&path) {
        let value = value.to_string_lossy().replace('\'', r"'\''");
        anstream::println!("export {name}='{value}'");
    }
}
