//! Starts and ends a testbed: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and
//! kwok, with nodes and a default storage class. Built binaries come in, a [`Place`] that programs
//! can use goes out. A testbed belongs to the process and thread that started it and to a run
//! folder; all of it goes when the [`Testbed`] is dropped.

mod arguments;
mod credentials;
mod objects;
mod ports;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arguments::{Arguments, CLIENTS, Layout, SERVERS};
pub use credentials::Error as CredentialsError;
use ports::Ports;

use crate::builder::Binaries;
use crate::cache::Cache;
use crate::component::{Component, dependent};
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
        name: String,
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
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// From launching etcd and the apiserver to its `/readyz`.
    pub api: Duration,
    /// From the same moment until nodes and controllers are ready as well.
    pub all: Duration,
}

/// Something a start waits for.
struct Goal {
    what: &'static str,
    /// The component whose log tells why it does not come.
    component: &'static str,
    /// The arguments of a kubectl that succeeds when it is there.
    kubectl: &'static [&'static str],
}

const API: Goal = Goal {
    what: "the apiserver",
    component: "kube-apiserver",
    kubectl: &["get", "--raw=/readyz"],
};

const NODES: Goal = Goal {
    what: "the nodes",
    component: "kwok",
    kubectl: &[
        "wait",
        "--for=condition=Ready",
        "node",
        "--all",
        "--timeout=1s",
    ],
};

/// Every namespace gets this account from the controller-manager, and pods need it.
const CONTROLLERS: Goal = Goal {
    what: "the controllers",
    component: "kube-controller-manager",
    kubectl: &["get", "serviceaccount/default", "--namespace=default"],
};

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
    /// Starts a testbed and waits until nodes and controllers are ready.
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
        let place = Place::new(folder.path(), (ports.api, ports.etcd));
        credentials::write(&place.folder, &place.server)?;
        let objects = objects::initial(options.nodes).to_string();
        write_files(&place, binaries, &objects).map_err(preparing(&place.folder))?;
        let mut testbed = Self {
            components: Vec::new(),
            place,
            timing: Timing::default(),
            _folder: folder,
        };
        testbed.start_all(ports, options)?;
        let place = &testbed.place;
        place.write().map_err(preparing(&place.folder))?;
        Ok(testbed)
    }

    fn start_all(&mut self, ports: Ports, options: &Options) -> Result<(), Error> {
        let begin = Instant::now();
        let deadline = begin + READY_WITHIN;
        self.start_components(&SERVERS, ports, &options.launcher)?;
        self.wait(&API, deadline)?;
        self.timing.api = begin.elapsed();
        self.start_components(&CLIENTS, ports, &options.launcher)?;
        self.create_objects()?;
        if options.nodes > 0 {
            self.wait(&NODES, deadline)?;
        }
        self.wait(&CONTROLLERS, deadline)?;
        self.timing.all = begin.elapsed();
        Ok(())
    }

    fn start_components(
        &mut self,
        components: &[(&'static str, Arguments)],
        ports: Ports,
        launcher: &Path,
    ) -> Result<(), Error> {
        let folder = &self.place.folder;
        for (name, arguments) in components {
            let mut command = dependent(launcher);
            command.arg(self.place.bin.join(name));
            command.args(arguments(Layout { folder, ports }));
            let started = Component::start(name, &mut command, folder);
            self.components.push(started.map_err(starting(name))?);
        }
        Ok(())
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
                    name: component.name().to_owned(),
                    status,
                    log: component.tail(),
                });
            }
        }
        Ok(())
    }

    fn wait(&mut self, goal: &Goal, deadline: Instant) -> Result<(), Error> {
        loop {
            self.check()?;
            let mut kubectl = self.place.command("kubectl");
            // Whoever has taken the port may not answer at all.
            kubectl.args(goal.kubectl).arg("--request-timeout=2s");
            kubectl.stdin(Stdio::null());
            let output = kubectl.output().map_err(starting("kubectl"))?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.not_ready(goal));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn not_ready(&self, goal: &Goal) -> Error {
        let mut components = self.components.iter();
        let component = components.find(|component| component.name() == goal.component);
        Error::NotReady {
            what: goal.what,
            name: goal.component,
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
    if let Some(stages) = binaries.stages() {
        fs::copy(stages, folder.join("stages.yaml"))?;
    }
    let volumes = include_str!("../stages/volumes.yaml");
    fs::write(folder.join("volumes.yaml"), volumes)?;
    let pods = include_str!("../stages/pods.yaml");
    fs::write(folder.join("pods.yaml"), pods)?;
    fs::write(folder.join(OBJECTS), objects)
}

fn preparing(folder: &Path) -> impl FnOnce(io::Error) -> Error {
    let folder = folder.to_owned();
    |source| Error::Prepare { folder, source }
}

fn starting(name: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Start { name, source }
}
