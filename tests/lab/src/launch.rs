//! Starts a lab: the bridge, the host's control plane, its first node, and the controllers that
//! stand in for a cloud. Built parts come in, a [`Place`] that programs can use goes out.

mod nodes;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nodes::NAME_LENGTH;
use testbed::component::{Component, dependent};

use crate::command::{self, run};
use crate::control_plane::{self, Program};
use crate::controllers::{self, Controllers};
use crate::images::Home;
use crate::node::{self, Node};
use crate::parts::Parts;
use crate::place::{Place, Role};
use crate::{cgroups, network, registry};

/// The node that every lab has.
const FIRST_NODE: &str = "host-1";

/// Something that a new lab has on its first node.
struct AddOn {
    name: &'static str,
    /// Puts it into the cluster.
    apply: fn(&Place) -> Result<(), command::Error>,
    /// The arguments of a kubectl that succeeds when it is there.
    wait: &'static [&'static str],
}

/// What a new lab has on its first node, in the order in which they need each other.
const ADD_ONS: [AddOn; 2] = [
    AddOn {
        name: "kube-proxy",
        apply: control_plane::kube_proxy,
        wait: &[
            "rollout",
            "status",
            "daemonset/kube-proxy",
            "--namespace=kube-system",
        ],
    },
    AddOn {
        name: "CoreDNS",
        apply: control_plane::coredns,
        wait: &[
            "wait",
            "deployment/coredns",
            "--for=condition=Available",
            "--namespace=kube-system",
        ],
    },
];

/// How long anything may take to be ready.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is no lab, or not the node that was wanted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refuses a file or a group.
    #[error("preparing a lab in {}", folder.display())]
    Prepare {
        /// The lab's folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program that sets something up fails.
    #[error(transparent)]
    Command(#[from] command::Error),
    /// A component does not start.
    #[error("starting {name}")]
    Start {
        /// The component.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A component ended though it should run.
    #[error("{name} ended; it said last:\n{log}")]
    Ended {
        /// The component.
        name: String,
        /// The last lines of its log.
        log: String,
    },
    /// Something is not ready in time.
    #[error("waiting for {what}: not ready after {} s: {said}", READY_WITHIN.as_secs())]
    NotReady {
        /// What was waited for.
        what: String,
        /// What was said about it last.
        said: String,
    },
    /// A node does not run.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// An image is not in the registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The name of a node cannot be.
    #[error(
        "the node's name {0:?} must be up to {NAME_LENGTH} lower-case letters, digits and dashes, \
         begin with a letter, and not be `system`"
    )]
    Name(String),
    /// The lab has no such node.
    #[error("the lab has no node {0}")]
    NoNode(String),
    /// There is such a node, of the other role.
    #[error("the node {0} is there already, for something else")]
    OtherRole(String),
    /// All addresses are in use.
    #[error("the lab has no address left for the node {0}")]
    Full(String),
}

/// What a lab is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder it is to make and to have everything in.
    pub folder: PathBuf,
    /// The path of the lab binary, through which processes are started.
    pub launcher: PathBuf,
    /// Told what goes wrong in controllers while the lab runs.
    pub report: fn(&str),
}

/// A running lab. Its processes end with it; what else there is of it, [`crate::remains`] removes.
#[derive(Debug)]
pub struct Lab {
    components: Vec<Component>,
    nodes: BTreeMap<String, Node>,
    place: Place,
    parts: Parts,
    launcher: PathBuf,
    report: fn(&str),
    controllers: Option<Controllers>,
}

impl Lab {
    /// Starts a lab with one node and waits until that is ready and runs CoreDNS and kube-proxy.
    ///
    /// To be called by a thread that lives as long as the lab: all processes die with it.
    ///
    /// # Errors
    /// [`Error::Ended`] and [`Error::NotReady`] when a component does not work, others when the
    /// system does not give what a lab needs.
    pub fn start(parts: Parts, options: &Options) -> Result<Self, Error> {
        let place = Place::new(&options.folder);
        write_files(&place, &parts).map_err(preparing(&place.folder))?;
        cgroups::make(cgroups::SYSTEM).map_err(preparing(&place.folder))?;
        network::make_bridge()?;
        let mut lab = Self {
            components: Vec::new(),
            nodes: BTreeMap::new(),
            place,
            parts,
            launcher: options.launcher.clone(),
            report: options.report,
            controllers: None,
        };
        lab.start_all()?;
        Ok(lab)
    }

    fn start_all(&mut self) -> Result<(), Error> {
        let push = self.start_registry()?;
        self.start_node(FIRST_NODE, Role::Host)?;
        control_plane::prepare(&self.place, &self.parts.versions)
            .map_err(preparing(&self.place.folder))?;
        self.start_components(control_plane::servers(&self.place))?;
        self.wait_for("the API", &["get", "--raw=/readyz"])?;
        self.start_components(control_plane::clients(&self.place))?;
        control_plane::furnish(&self.place)?;
        self.join(FIRST_NODE)?;
        // Before that, there is nothing for them to control.
        self.controllers = Some(controllers::start(&self.place, self.report));
        self.wait_for_node(FIRST_NODE)?;
        for add_on in ADD_ONS {
            (add_on.apply)(&self.place)?;
            self.wait_for(add_on.name, add_on.wait)?;
        }
        let pushed = push.join();
        Ok(pushed.unwrap_or_else(|panic| resume_unwind(panic))?)
    }

    /// Starts the registry and begins to put images into it.
    fn start_registry(&mut self) -> Result<JoinHandle<Result<(), registry::Error>>, Error> {
        let program = registry::prepare(&self.place).map_err(preparing(&self.place.folder))?;
        self.start_components([program])?;
        while !registry::answers() {
            self.check()?;
            std::thread::sleep(PAUSE);
        }
        let images = self.parts.images.clone().into_iter();
        let mut images = images.filter(|image| image.home == Home::Registry);
        Ok(std::thread::spawn(move || {
            images.try_for_each(|image| registry::push(&image))
        }))
    }

    fn start_components<const N: usize>(&mut self, programs: [Program; N]) -> Result<(), Error> {
        for (name, arguments) in programs {
            let mut command = dependent(&self.launcher);
            command.arg(self.place.bin.join(name)).args(arguments);
            // Nobody listens; the registry asks for a collector even so.
            command.env("OTEL_TRACES_EXPORTER", "none");
            let started = Component::start(name, &mut command, &self.place.folder);
            self.components
                .push(started.map_err(|source| Error::Start { name, source })?);
        }
        Ok(())
    }

    /// Returns where the lab is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Checks that every component and every node still runs.
    ///
    /// # Errors
    /// [`Error::Ended`] for the first that does not.
    pub fn check(&mut self) -> Result<(), Error> {
        let ended = |component: &mut Component| component.ended().is_some();
        if let Some(component) = self
            .components
            .iter_mut()
            .find_map(|one| ended(one).then_some(one))
        {
            return Err(Error::Ended {
                name: component.name().to_owned(),
                log: component.tail(),
            });
        }
        let node = self
            .nodes
            .iter_mut()
            .find_map(|(name, node)| node.has_ended().then_some(name));
        node.map_or(Ok(()), |name| {
            Err(Error::Ended {
                name: format!("the node {name}"),
                log: String::new(),
            })
        })
    }

    /// Waits until kubectl succeeds with `arguments`, looking after the components meanwhile.
    fn wait_for(&mut self, what: &str, arguments: &[&str]) -> Result<(), Error> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            self.check()?;
            let mut kubectl = self.place.command("kubectl");
            kubectl.args(arguments).arg("--request-timeout=5s");
            if arguments.first() == Some(&"wait") {
                kubectl.arg("--timeout=2s");
            }
            match run(&mut kubectl) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(Error::NotReady {
                        what: what.to_owned(),
                        said: error.to_string(),
                    });
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.controllers = None;
        // All at once: an apiserver that outlives its etcd hangs in its shutdown.
        for component in &self.components {
            component.kill();
        }
    }
}

fn write_files(place: &Place, parts: &Parts) -> io::Result<()> {
    let folder = &place.folder;
    for part in ["logs", "node", "nodes"] {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join(part))?;
    }
    fs::create_dir(&place.bin)?;
    for (name, path) in &parts.binaries {
        symlink(path, place.bin.join(name))?;
    }
    let files = [
        ("init", include_str!("../node/init"), 0o755),
        ("cni.template", include_str!("../node/cni.template"), 0o644),
        (
            "containerd.toml",
            include_str!("../node/containerd.toml"),
            0o644,
        ),
        ("hosts.toml", include_str!("../node/hosts.toml"), 0o644),
        ("kubelet.conf", include_str!("../node/kubelet.conf"), 0o644),
        ("hook", include_str!("../node/hook"), 0o755),
    ];
    for (name, text, mode) in files {
        let text = text.replace("{registry}", &registry::address().to_string());
        write_with_mode(&folder.join("node").join(name), &text, mode)?;
    }
    Ok(())
}

fn write_with_mode(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn preparing(folder: &Path) -> impl FnOnce(io::Error) -> Error {
    let folder = folder.to_owned();
    |source| Error::Prepare { folder, source }
}
