//! Starts and ends a testbed: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and
//! kwok, with nodes and a default storage class. Built binaries come in, a [`Place`] that programs
//! can use goes out. A testbed belongs to the process and thread that started it and to a run
//! folder; all of it goes when the [`Testbed`] is dropped.

mod arguments;
mod component;
mod credentials;
mod objects;
mod ports;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arguments::{Arguments, COMPONENTS, Layout};
use component::Component;
pub use component::dependent;
pub use credentials::Error as CredentialsError;
use ports::Ports;

use crate::builder::Binaries;
use crate::cache::Cache;
use crate::place::Place;
use crate::run_folder::{self, RunFolder};

/// How often a start whose ports somebody else took is repeated.
const ATTEMPTS: usize = 5;

/// How long the components may take to be ready; usually it is about three seconds.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// The time between two looks at a component that is not ready yet.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is no testbed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run folder cannot be made.
    #[error(transparent)]
    Folder(#[from] run_folder::Error),
    /// Keys, tokens or kubeconfigs cannot be made.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// A file of the run folder cannot be written, or no port is free.
    #[error("preparing a testbed in {}", folder.display())]
    Prepare {
        /// The run folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A binary cannot be started.
    #[error("starting {name}")]
    Start {
        /// The binary.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A component ended though it should run.
    #[error("{name} ended ({status}); its last lines were:\n{log}")]
    Ended {
        /// The component.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// Something is not ready in time though every component runs.
    #[error("waiting for {what}: not ready after {} s; {name} said last:\n{log}", READY_WITHIN.as_secs())]
    NotReady {
        /// What was waited for.
        what: &'static str,
        /// The component that matters for it.
        name: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// kubectl cannot create the nodes and the storage class.
    #[error("creating the nodes and the storage class ({status}): {output}")]
    Objects {
        /// How kubectl ended.
        status: ExitStatus,
        /// What it said.
        output: String,
    },
}

/// What a testbed is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The path of the testbed binary, through which components are started.
    pub launcher: PathBuf,
    /// How many simulated nodes there are.
    pub nodes: usize,
}

/// How long a start took.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// From launching the components to `/readyz` of the apiserver.
    pub api: Duration,
    /// From launching the components to Ready nodes.
    pub nodes: Duration,
}

/// A running testbed. Dropping it kills the components and removes the run folder.
#[derive(Debug)]
pub struct Testbed {
    components: Vec<Component>,
    place: Place,
    timing: Timing,
    // Last, so that it goes after the components.
    _folder: RunFolder,
}

impl Testbed {
    /// Starts a testbed and waits until its nodes are Ready.
    ///
    /// To be called by a thread that lives as long as the testbed: the components die with it.
    ///
    /// # Errors
    /// [`Error::Ended`] and [`Error::NotReady`] when a component does not work, and others when the
    /// system does not give what a start needs.
    pub fn start(cache: &Cache, binaries: &Binaries, options: &Options) -> Result<Self, Error> {
        let mut attempt = 1;
        loop {
            let folder = RunFolder::create(cache)?;
            let ports = Ports::choose().map_err(preparing(folder.path()))?;
            match Self::start_in(folder, ports, binaries, options) {
                Err(Error::Ended { .. }) if attempt < ATTEMPTS && ports.are_taken() => attempt += 1,
                result => return result,
            }
        }
    }

    fn start_in(
        folder: RunFolder,
        ports: Ports,
        binaries: &Binaries,
        options: &Options,
    ) -> Result<Self, Error> {
        let place = Place::new(folder.path(), ports.api);
        credentials::write(&place.folder, &place.server)?;
        let objects = objects::initial(options.nodes).to_string();
        write_files(&place, binaries, &objects).map_err(preparing(&place.folder))?;
        let begin = Instant::now();
        let mut testbed = Self {
            components: start_components(&place, ports, &options.launcher)?,
            place,
            timing: Timing {
                api: Duration::ZERO,
                nodes: Duration::ZERO,
            },
            _folder: folder,
        };
        let deadline = begin + READY_WITHIN;
        testbed.wait("the apiserver", deadline, &["get", "--raw=/readyz"])?;
        testbed.timing.api = begin.elapsed();
        testbed.create_objects()?;
        let node = [
            "wait",
            "--for=condition=Ready",
            "node",
            "--all",
            "--timeout=1s",
        ];
        if options.nodes > 0 {
            testbed.wait("the nodes", deadline, &node)?;
        }
        testbed.timing.nodes = begin.elapsed();
        let place = &testbed.place;
        place.write().map_err(preparing(&place.folder))?;
        Ok(testbed)
    }

    /// Returns where the testbed is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns how long the start took.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Checks that every component still runs.
    ///
    /// # Errors
    /// [`Error::Ended`] for the first that does not.
    pub fn check(&mut self) -> Result<(), Error> {
        for component in &mut self.components {
            if let Some(status) = component.ended() {
                return Err(Error::Ended {
                    name: component.name,
                    status,
                    log: component.tail(),
                });
            }
        }
        Ok(())
    }

    /// Runs kubectl with `arguments` until it succeeds.
    fn wait(
        &mut self,
        what: &'static str,
        deadline: Instant,
        arguments: &[&str],
    ) -> Result<(), Error> {
        loop {
            self.check()?;
            let mut kubectl = self.place.command("kubectl");
            kubectl.args(arguments).stdin(Stdio::null());
            let output = kubectl.output().map_err(starting("kubectl"))?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.not_ready(what));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn not_ready(&self, what: &'static str) -> Error {
        let matters = match what {
            "the apiserver" => "kube-apiserver",
            _ => "kwok",
        };
        let component = self.components.iter().find(|one| one.name == matters);
        Error::NotReady {
            what,
            name: matters,
            log: component.map(Component::tail).unwrap_or_default(),
        }
    }

    fn create_objects(&self) -> Result<(), Error> {
        let mut kubectl = self.place.command("kubectl");
        kubectl.args(["create", "--validate=false", "--filename"]);
        kubectl.arg(self.place.folder.join(OBJECTS));
        let output = kubectl.output().map_err(starting("kubectl"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Objects {
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        // All at once: an apiserver that outlives its etcd hangs in its shutdown.
        for component in &self.components {
            component.kill();
        }
    }
}

/// The file of the initial objects in a run folder.
const OBJECTS: &str = "objects.json";

fn write_files(place: &Place, binaries: &Binaries, objects: &str) -> io::Result<()> {
    let folder = &place.folder;
    fs::create_dir(folder.join("logs"))?;
    fs::create_dir(&place.bin)?;
    for (name, path) in binaries.iter() {
        symlink(path, place.bin.join(name))?;
    }
    fs::copy(binaries.stages(), folder.join("stages.yaml"))?;
    let volumes = include_str!("../stages/volumes.yaml");
    fs::write(folder.join("volumes.yaml"), volumes)?;
    fs::write(folder.join(OBJECTS), objects)
}

fn start_components(place: &Place, ports: Ports, launcher: &Path) -> Result<Vec<Component>, Error> {
    let folder = &place.folder;
    let start = |(name, arguments): (&'static str, Arguments)| {
        let mut command = dependent(launcher, &place.bin.join(name));
        command.args(arguments(Layout { folder, ports }));
        Component::start(name, &mut command, folder).map_err(starting(name))
    };
    COMPONENTS.into_iter().map(start).collect()
}

fn preparing(folder: &Path) -> impl FnOnce(io::Error) -> Error {
    let folder = folder.to_owned();
    |source| Error::Prepare { folder, source }
}

fn starting(name: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Start { name, source }
}
