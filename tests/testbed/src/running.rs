//! How a test gets a testbed: the one that `PINTLE_TESTBED` names, or one of its own that ends
//! with the test process. Starting is left to the binary, for components die with the thread that
//! starts them, and a test has no thread that lives long enough.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::place::Place;

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
    /// [`Error::Read`] when the variable names no testbed; the others when one cannot be started.
    pub fn find_or_start() -> Result<Self, Error> {
        if let Some(folder) = env::var_os("PINTLE_TESTBED").filter(|value| !value.is_empty()) {
            let folder = PathBuf::from(folder);
            return match Place::read(&folder) {
                Ok(place) => Ok(Self {
                    place,
                    server: None,
                }),
                Err(source) => Err(Error::Read { folder, source }),
            };
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let mut command = Command::new(cargo);
        command.args(["run", "--quiet", "--manifest-path", manifest]);
        command.args(["--bin", "testbed", "--", "serve"]);
        Self::serve(&mut command)
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
