//! The images of the lab: what is in them and by which names pods ask for them. Built binaries and
//! unpacked packages come in, archives go out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use testbed::builder::Binaries;

use crate::archive::{self, Config, Content};
use crate::command;
use crate::packages::{self, BUSYBOX, NFT, NGINX};

/// The name of the image that holds a pod's namespaces.
pub const PAUSE: &str = "registry.k8s.io/pause:3.10.2";

/// The repository of kubeadm's images.
const REGISTRY: &str = "registry.k8s.io";

/// The tag of CoreDNS that kubeadm and charts ask for. The registries of Go modules do not have that
/// version: what is in the image is the nearest one.
const COREDNS: &str = "v1.14.2";

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A binary is not among those that were built.
    #[error("making the image {image}: nothing gives the binary {binary}")]
    NoBinary {
        /// The image.
        image: String,
        /// The binary.
        binary: &'static str,
    },
    /// A file cannot be read or written.
    #[error("making the image {image}")]
    Write {
        /// The image.
        image: String,
        /// What the system said.
        source: io::Error,
    },
    /// A packaged program does not tell what it can do.
    #[error(transparent)]
    Program(#[from] command::Error),
}

/// Where an image is when a lab has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// On every node.
    Nodes,
    /// In the registry alone: it comes to nodes as it does in life, by being pulled.
    Registry,
}

/// An image that can be imported.
#[derive(Debug, Clone)]
pub struct Image {
    /// The name it is pulled by.
    pub name: String,
    /// The archive.
    pub archive: PathBuf,
    /// Where it is.
    pub home: Home,
}

/// What images are made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The testbed's binaries.
    pub testbed: &'a Binaries,
    /// The lab's binaries.
    pub lab: &'a Binaries,
    /// The folder of the unpacked packages.
    pub packages: &'a Path,
    /// The versions in the images' names.
    pub versions: &'a Versions,
}

/// The versions of what is in the images, without `v`.
#[derive(Debug, Clone)]
pub struct Versions {
    /// Of Kubernetes.
    pub kubernetes: String,
    /// Of the testbed's etcd.
    pub etcd: String,
    /// Of the later etcd.
    pub etcd_next: String,
}

/// An image to make.
struct Recipe {
    name: String,
    entrypoint: Vec<&'static str>,
    contents: Vec<Content>,
    home: Home,
}

/// Makes the images that are missing in `folder` and returns all.
///
/// # Errors
/// [`Error::Write`] when an archive cannot be written, others when a part is missing.
pub fn make(folder: &Path, sources: Sources) -> Result<Vec<Image>, Error> {
    let mut images = Vec::new();
    for recipe in recipes(sources)? {
        let file = recipe.name.replace(['/', ':'], "_");
        let archive = folder.join(format!("{file}.tar"));
        if !archive.exists() {
            let config = Config {
                name: &recipe.name,
                entrypoint: &recipe.entrypoint,
            };
            let unfinished = archive.with_extension("unfinished");
            let written = fs::create_dir_all(folder)
                .and_then(|()| archive::write(&unfinished, &config, &recipe.contents))
                .and_then(|()| fs::rename(&unfinished, &archive));
            written.map_err(|source| Error::Write {
                image: recipe.name.clone(),
                source,
            })?;
        }
        images.push(Image {
            name: recipe.name,
            archive,
            home: recipe.home,
        });
    }
    Ok(images)
}

fn recipes(sources: Sources) -> Result<Vec<Recipe>, Error> {
    let versions = sources.versions;
    let mut recipes = vec![pause(sources), kube_proxy(sources)?, coredns(sources)?];
    for name in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ] {
        let image = format!("{REGISTRY}/{name}:v{}", versions.kubernetes);
        recipes.push(control_plane(image, name, sources.testbed)?);
    }
    let etcd = |version| format!("{REGISTRY}/etcd:{version}-0");
    recipes.push(control_plane(
        etcd(&versions.etcd),
        "etcd",
        sources.testbed,
    )?);
    recipes.push(Recipe {
        home: Home::Registry,
        ..control_plane(etcd(&versions.etcd_next), "etcd", sources.lab)?
    });
    recipes.push(nginx(sources));
    recipes.push(busybox(sources)?);
    Ok(recipes)
}

/// Sleeps, as the first process of every pod. It leaves the processes of containers alone unless a
/// pod shares its process ids.
fn pause(sources: Sources) -> Recipe {
    Recipe {
        name: PAUSE.to_owned(),
        entrypoint: vec!["/bin/busybox", "sleep", "infinity"],
        contents: vec![busybox_program(sources)],
        home: Home::Nodes,
    }
}

fn kube_proxy(sources: Sources) -> Result<Recipe, Error> {
    let name = format!("{REGISTRY}/kube-proxy:v{}", sources.versions.kubernetes);
    let mut contents = base();
    contents.push(Content::Tree(packages::folder_of(sources.packages, NFT)));
    contents.push(Content::Program {
        from: binary(sources.lab, "kube-proxy", &name)?,
        to: "usr/local/bin/kube-proxy",
    });
    Ok(Recipe {
        name,
        entrypoint: vec!["kube-proxy"],
        contents,
        home: Home::Nodes,
    })
}

fn coredns(sources: Sources) -> Result<Recipe, Error> {
    let name = format!("{REGISTRY}/coredns/coredns:{COREDNS}");
    let mut contents = base();
    contents.push(Content::Program {
        from: binary(sources.lab, "coredns", &name)?,
        to: "coredns",
    });
    Ok(Recipe {
        name,
        entrypoint: vec!["/coredns"],
        contents,
        home: Home::Nodes,
    })
}

fn control_plane(
    name: String,
    program: &'static str,
    binaries: &Binaries,
) -> Result<Recipe, Error> {
    let mut contents = base();
    contents.push(Content::Program {
        from: binary(binaries, program, &name)?,
        to: match program {
            "kube-apiserver" => "usr/local/bin/kube-apiserver",
            "kube-controller-manager" => "usr/local/bin/kube-controller-manager",
            "kube-scheduler" => "usr/local/bin/kube-scheduler",
            _ => "usr/local/bin/etcd",
        },
    });
    Ok(Recipe {
        name,
        entrypoint: vec![program],
        contents,
        home: Home::Nodes,
    })
}

fn nginx(sources: Sources) -> Recipe {
    let mut contents = base();
    contents.push(Content::Tree(packages::folder_of(sources.packages, NGINX)));
    contents.push(Content::Text {
        text: include_str!("../images/nginx.conf"),
        to: "etc/nginx/nginx.conf",
    });
    Recipe {
        name: "docker.io/library/nginx:lab".to_owned(),
        entrypoint: vec!["/usr/sbin/nginx", "-g", "daemon off;"],
        contents,
        home: Home::Nodes,
    }
}

/// A shell and its company, which real images bring along, for tests that look around in a pod.
fn busybox(sources: Sources) -> Result<Recipe, Error> {
    let program = packages::folder_of(sources.packages, BUSYBOX).join("bin/busybox");
    let names = command::run(std::process::Command::new(program).arg("--list"))?;
    let link = |name: &str| Content::Link {
        to: format!("bin/{name}"),
        target: "busybox",
    };
    let mut contents = base();
    contents.push(busybox_program(sources));
    contents.extend(names.lines().filter(|name| *name != "busybox").map(link));
    Ok(Recipe {
        name: "docker.io/library/busybox:lab".to_owned(),
        entrypoint: vec!["/bin/sh"],
        contents,
        home: Home::Registry,
    })
}

fn busybox_program(sources: Sources) -> Content {
    Content::Program {
        from: packages::folder_of(sources.packages, BUSYBOX).join("bin/busybox"),
        to: "bin/busybox",
    }
}

/// What every image but the smallest has.
fn base() -> Vec<Content> {
    vec![
        Content::Shared("tmp"),
        Content::Shared("run"),
        Content::Text {
            text: include_str!("../images/passwd"),
            to: "etc/passwd",
        },
        Content::Text {
            text: include_str!("../images/group"),
            to: "etc/group",
        },
    ]
}

fn binary(binaries: &Binaries, name: &'static str, image: &str) -> Result<PathBuf, Error> {
    let path = binaries.path(name).map(Path::to_owned);
    path.ok_or_else(|| Error::NoBinary {
        image: image.to_owned(),
        binary: name,
    })
}
