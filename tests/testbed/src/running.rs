//! How a test gets a testbed: the one that `PINTLE_TESTBED` names, or one of its own that ends
//! with the test process. Starting is left to the binary, for components die with the thread that
//! starts them, and a test has no thread that lives long enough.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::place::Place;
use crate::run_folder;

/// Why a test has no testbed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `PINTLE_TESTBED` names a folder without a running testbed.
    #[error("reading the testbed at {}, which PINTLE_TESTBED names", folder.display())]
    Read {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with its file.
        source: io::Error,
    },
    /// The testbed in the folder that `PINTLE_TESTBED` names has been killed.
    #[error("the testbed at {}, which PINTLE_TESTBED names, runs no more", .0.display())]
    Gone(PathBuf),
    /// The testbed binary does not run.
    #[error("running the testbed binary")]
    Run(#[source] io::Error),
    /// The testbed binary ended; it has said on stderr why.
    #[error("starting a testbed failed ({0}): see above, or run `testbed exec -- true`")]
    Ended(ExitStatus),
    /// The testbed binary printed no place.
    #[error("reading the place of a started testbed")]
    Answer(#[source] serde_json::Error),
}

/// A testbed that can be used; it derefs to its [`Place`]. One that [`Running::find_or_start`]
/// started ends when this is dropped or the process ends, however that happens.
#[derive(Debug)]
pub struct Running {
    place: Place,
    server: Option<Child>,
}

impl Running {
    /// Finds the testbed in the folder `PINTLE_TESTBED`, or else starts one through
    /// `cargo run --package testbed -- serve`, which builds what is missing first and says so on
    /// stderr.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Gone`] when the variable names no running testbed; the others when one cannot be started.
    pub fn find_or_start() -> Result<Self, Error> {
        if let Some(folder) = env::var_os("PINTLE_TESTBED").filter(|value| !value.is_empty()) {
            let folder = PathBuf::from(folder);
            return Self::find(folder);
        }
        Self::serve(&mut serving())
    }

    /// Starts a testbed for one test alone, which may do in it what would disturb others, with this
    /// number of simulated nodes.
    ///
    /// # Errors
    /// Those of [`Running::find_or_start`] for one that cannot be started.
    pub fn start_own(nodes: usize) -> Result<Self, Error> {
        Self::serve(serving().arg("--nodes").arg(nodes.to_string()))
    }

    /// Starts a testbed without nodes whose API server is of an earlier minor, such as `1.35`.
    ///
    /// # Errors
    /// Those of [`Running::find_or_start`] for one that cannot be started.
    pub fn start_older(minor: &str) -> Result<Self, Error> {
        Self::serve(serving().args(["--nodes", "0", "--minor", minor]))
    }

    /// Finds the testbed in `folder`.
    ///
    /// # Errors
    /// [`Error::Read`] when no testbed is there, [`Error::Gone`] when its process has been killed.
    pub fn find(folder: PathBuf) -> Result<Self, Error> {
        match Place::read(&folder) {
            Ok(_) if !run_folder::is_live(&folder) => Err(Error::Gone(folder)),
            Ok(place) => Ok(Self {
                place,
                server: None,
            }),
            Err(source) => Err(Error::Read { folder, source }),
        }
    }

    /// Starts a testbed by `command`, which is to run `testbed serve`.
    ///
    /// # Errors
    /// [`Error::Run`], [`Error::Ended`] or [`Error::Answer`] when no testbed comes of it.
    pub fn serve(command: &mut Command) -> Result<Self, Error> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().map_err(Error::Run)?;
        let mut line = String::new();
        if let Some(stdout) = server.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            stdout.read_line(&mut line).map_err(Error::Run)?;
        }
        if line.is_empty() {
            return Err(Error::Ended(server.wait().map_err(Error::Run)?));
        }
        Ok(Self {
            place: serde_json::from_str(&line).map_err(Error::Answer)?,
            server: Some(server),
        })
    }
}

/// The variable by which `testbed exec` names its own binary.
pub const PROGRAM: &str = "PINTLE_TESTBED_PROGRAM";

/// Returns a command that runs `testbed serve`: by the binary that the whole run was started with, or else by one
/// that is built first. Building this package alone gives shared dependencies other features than building the
/// workspace does, so that in the middle of a run it would make others build everything once more.
fn serving() -> Command {
    if let Some(program) = env::var_os(PROGRAM).filter(|value| !value.is_empty()) {
        let mut command = Command::new(program);
        command.arg("serve");
        return command;
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--manifest-path", manifest]);
    command.args(["--bin", "testbed", "--", "serve"]);
    command
}

impl Deref for Running {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // `wait` closes its stdin first, which is the sign to stop.
            let _ = server.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Error, Running};
    use crate::place::Place;

    fn served(script: &str) -> Error {
        Running::serve(Command::new("sh").args(["-c", script])).unwrap_err()
    }

    #[test]
    fn a_server_that_fails_or_says_nonsense_is_an_error() {
        let text = served("exit 3").to_string();
        assert!(text.contains("(exit status: 3)"), "{text}");
        assert!(matches!(served("echo '{}'"), Error::Answer(_)));
    }

    #[test]
    fn a_folder_without_a_running_testbed_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let find = || Running::find(folder.path().to_owned()).unwrap_err();
        assert!(matches!(find(), Error::Read { .. }));
        Place::new(folder.path(), (1, 2)).write().unwrap();
        assert!(matches!(find(), Error::Gone(_)));
    }
}
