//! Building with progress on stderr, starting, and waiting for the end: what the commands share.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use testbed::builder::{self, Binaries, Progress};
use testbed::cache::Cache;
use testbed::module::{MODULES, OLDER};
use testbed::{Options, Testbed};

use crate::error::{Error, system};

/// Builds what is missing and prints the folders.
pub(crate) fn build() -> Result<ExitCode, Error> {
    let binaries = built(&Cache::from_environment()?)?;
    for folder in binaries.folders() {
        anstream::println!("{}", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a testbed until stdin ends or a signal comes.
pub(crate) fn serve(nodes: usize, minor: Option<&str>) -> Result<ExitCode, Error> {
    let mut testbed = start_of(nodes, minor)?;
    let mut signals = signals()?;
    let handle = signals.handle();
    std::thread::spawn(move || {
        // An error is an end as well.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        handle.close();
    });
    announce(&testbed)?;
    until_ended(&mut testbed, &mut signals)
}

/// Builds and starts a testbed.
pub(crate) fn start(nodes: usize) -> Result<Testbed, Error> {
    start_of(nodes, None)
}

/// Builds and starts a testbed whose API server is of an earlier `minor`.
fn start_of(nodes: usize, minor: Option<&str>) -> Result<Testbed, Error> {
    let cache = Cache::from_environment()?;
    let mut binaries = built(&cache)?;
    if let Some(minor) = minor {
        let name = format!("kubernetes-{minor}");
        let index = OLDER.iter().position(|module| module.name == name);
        let index = index.ok_or_else(|| Error::Minor(minor.to_owned()))?;
        let module = &OLDER[index..=index];
        binaries = binaries.with(builder::build(&cache, module, None, &mut report)?);
    }
    let launcher = std::env::current_exe().map_err(system("finding the testbed binary"))?;
    let options = Options { launcher, nodes };
    Ok(Testbed::start(&cache, &binaries, &options)?)
}

/// Builds what is missing and says on stderr how it goes.
pub(crate) fn built(cache: &Cache) -> Result<Binaries, Error> {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS");
    Ok(builder::build(
        cache,
        &MODULES,
        assets.as_deref().map(Path::new),
        &mut report,
    )?)
}

fn report(progress: &Progress) {
    match progress {
        Progress::Waiting => {
            anstream::eprintln!("testbed: waiting for another process that builds the testbed");
        }
        Progress::Building {
            tool,
            number,
            total,
            elapsed,
        } => anstream::eprintln!(
            "testbed: building {} {} ({number} of {total}, {} s so far; the first build takes \
             about 8 minutes on 2 cores)",
            tool.name,
            tool.version,
            elapsed.as_secs()
        ),
        Progress::Built(elapsed) => {
            anstream::eprintln!("testbed: built in {} s", elapsed.as_secs());
        }
    }
}

/// Listens for the signals that end a testbed and for those of ended child processes.
pub(crate) fn signals() -> Result<Signals, Error> {
    Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGTERM]).map_err(system("listening for signals"))
}

/// Prints where the testbed is, as one line of JSON.
pub(crate) fn announce(testbed: &Testbed) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    let place = serde_json::to_string(testbed.place()).map_err(system("printing the place"))?;
    let printed = writeln!(stdout, "{place}").and_then(|()| stdout.flush());
    printed.map_err(system("printing the place"))
}

/// Waits for a signal to end, for the end of `signals`, or for a component to break.
pub(crate) fn until_ended(testbed: &mut Testbed, signals: &mut Signals) -> Result<ExitCode, Error> {
    for signal in signals.forever() {
        if signal != SIGCHLD {
            break;
        }
        testbed.check()?;
    }
    Ok(ExitCode::SUCCESS)
}
