//! The Go modules the components come from, each a `go.mod` and `go.sum` under `modules/`: which
//! binaries they give, at which version, and how those are linked. The files are compiled in, so a
//! built testbed needs nothing of the repository. Building is left to [`crate::builder`].

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::gomod::GoMod;

/// What a module's texts do not give.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A `tool` directive names a package of a module that is not required.
    #[error("reading modules/{module}/go.mod: no required module holds the tool {package}")]
    NoVersion {
        /// The folder under `modules/`.
        module: &'static str,
        /// The package of the `tool` directive.
        package: String,
    },
}

/// One folder under `modules/`.
#[derive(Debug)]
pub struct Module {
    /// The folder's name.
    pub name: &'static str,
    /// The text of `go.mod`: the one source of versions.
    pub manifest: &'static str,
    /// The text of `go.sum`.
    pub sums: &'static str,
    /// Which of the manifest's tools are built, by the names of their binaries. None: all.
    pub binaries: &'static [&'static str],
    /// The build tags.
    pub tags: &'static [&'static str],
    /// The Go variables that a release build sets, as `NAME=VALUE` where VALUE may hold
    /// `{version}`, `{major}` and `{minor}`.
    pub variables: &'static [&'static str],
    /// The files of the first tool's own module, by path, which go joined into `stages.yaml`.
    pub stages: &'static [&'static str],
}

/// One binary of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The name of the binary.
    pub name: String,
    /// The Go package it is built from.
    pub package: String,
    /// The version of the package's module, with its `v`.
    pub version: String,
}

/// How every binary is built, apart from what a module adds: without debug data, and alike in
/// whichever folder it is built.
pub const BUILD_FLAGS: [&str; 3] = ["build", "-trimpath", "-mod=readonly"];

/// The variables of Kubernetes' binaries. Without them the apiserver calls itself v0.0.0 and
/// clients refuse it.
pub const KUBERNETES_VARIABLES: [&str; 4] = [
    "k8s.io/component-base/version.gitVersion={version}",
    "k8s.io/component-base/version.gitMajor={major}",
    "k8s.io/component-base/version.gitMinor={minor}",
    "k8s.io/client-go/pkg/version.gitVersion={version}",
];

/// Every module of the testbed, in the order of building.
pub const MODULES: [Module; 4] = [
    Module {
        name: "etcd",
        manifest: include_str!("../modules/etcd/go.mod"),
        sums: include_str!("../modules/etcd/go.sum"),
        binaries: &[],
        tags: &[],
        variables: &[],
        stages: &[],
    },
    Module {
        name: "kubernetes",
        manifest: include_str!("../modules/kubernetes/go.mod"),
        sums: include_str!("../modules/kubernetes/go.sum"),
        // All but what only a node runs.
        binaries: &[
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubeadm",
            "kubectl",
        ],
        tags: &[],
        variables: &KUBERNETES_VARIABLES,
        stages: &[],
    },
    Module {
        name: "kwok",
        manifest: include_str!("../modules/kwok/go.mod"),
        sums: include_str!("../modules/kwok/go.sum"),
        binaries: &[],
        tags: &[],
        variables: &[],
        stages: &[
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
            "kustomize/stage/pod/fast/pod-ready.yaml",
            "kustomize/stage/pod/fast/pod-complete.yaml",
            "kustomize/stage/pod/fast/pod-delete.yaml",
        ],
    },
    Module {
        name: "helm",
        manifest: include_str!("../modules/helm/go.mod"),
        sums: include_str!("../modules/helm/go.sum"),
        binaries: &[],
        tags: &[],
        variables: &["helm.sh/helm/v4/internal/version.version={version}"],
        stages: &[],
    },
];

/// The API servers of earlier minors, alone: what they publish is compared with `schemas/`. They are
/// built when a test asks for them.
pub const OLDER: [Module; 2] = [
    older(
        "kubernetes-1.34",
        include_str!("../modules/kubernetes-1.34/go.mod"),
        include_str!("../modules/kubernetes-1.34/go.sum"),
    ),
    older(
        "kubernetes-1.35",
        include_str!("../modules/kubernetes-1.35/go.mod"),
        include_str!("../modules/kubernetes-1.35/go.sum"),
    ),
];

const fn older(name: &'static str, manifest: &'static str, sums: &'static str) -> Module {
    Module {
        name,
        manifest,
        sums,
        binaries: &[],
        tags: &[],
        variables: &KUBERNETES_VARIABLES,
        stages: &[],
    }
}

impl Module {
    /// Returns the binaries that are built, in the order of the manifest's `tool` directives.
    ///
    /// # Errors
    /// [`Error::NoVersion`] when a tool belongs to no required module.
    pub fn tools(&self) -> Result<Vec<Tool>, Error> {
        let gomod = GoMod::parse(self.manifest);
        let tool = |package: &&str| {
            let (_, version) = gomod.module_of(package).ok_or_else(|| Error::NoVersion {
                module: self.name,
                package: (*package).to_owned(),
            })?;
            Ok(Tool {
                name: binary_name(package).to_owned(),
                package: (*package).to_owned(),
                version: version.to_owned(),
            })
        };
        let is_built = |package: &&&str| {
            self.binaries.is_empty() || self.binaries.contains(&binary_name(package))
        };
        gomod.tools.iter().filter(is_built).map(tool).collect()
    }

    /// Returns the flag of `go build` that names the build tags, if there are any.
    pub fn tag_flags(&self) -> Option<String> {
        (!self.tags.is_empty()).then(|| format!("-tags={}", self.tags.join(",")))
    }

    /// Returns the value of `-ldflags` for a binary of `version`.
    pub fn link_flags(&self, version: &str) -> String {
        let mut numbers = version.trim_start_matches('v').split('.');
        let major = numbers.next().unwrap_or_default();
        let minor = numbers.next().unwrap_or_default();
        let mut flags = String::from("-s -w");
        for variable in self.variables {
            flags.push_str(" -X ");
            flags.push_str(
                &variable
                    .replace("{version}", version)
                    .replace("{major}", major)
                    .replace("{minor}", minor),
            );
        }
        flags
    }

    /// Returns the name of the module's folder in the cache: its name and 12 hexadecimal digits
    /// over all that decides what is built.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let own = [self.manifest, self.sums];
        let parts = own.iter().chain(&BUILD_FLAGS).chain(self.variables);
        let choice = self.stages.iter().chain(self.binaries).chain(self.tags);
        for part in parts.chain(choice) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut key = format!("{}-", self.name);
        for byte in &hash.finalize()[..6] {
            // Writing to a String cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        key
    }
}

/// Returns the name a package's binary goes by: the last part of its path that is no major
/// version, and for etcd, whose main package is called `server`, its own name.
fn binary_name(package: &str) -> &str {
    let is_major = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let last = package.rsplit('/').find(|part| !is_major(part));
    match last.unwrap_or(package) {
        "server" => "etcd",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, MODULES, Module, OLDER, binary_name};

    fn module(manifest: &'static str) -> Module {
        Module {
            name: "m",
            manifest,
            sums: "",
            binaries: &[],
            tags: &[],
            variables: &["p.v={version}", "p.m={major}.{minor}"],
            stages: &[],
        }
    }

    #[track_caller]
    fn check_name(package: &str, expected: &str) {
        assert_eq!(binary_name(package), expected);
    }

    #[test]
    fn names_binaries() {
        check_name("k8s.io/kubernetes/cmd/kubectl", "kubectl");
        check_name("go.etcd.io/etcd/etcdctl/v3", "etcdctl");
        check_name("go.etcd.io/etcd/server/v3", "etcd");
        check_name("a.b/cmd/viewer", "viewer");
    }

    #[test]
    fn the_modules_give_every_binary_a_testbed_needs() {
        let names: Vec<String> = MODULES
            .iter()
            .flat_map(|module| module.tools().unwrap())
            .map(|tool| tool.name)
            .collect();
        let expected = [
            "etcdctl",
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubeadm",
            "kubectl",
            "kwok",
            "helm",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_module_can_give_some_of_its_tools() {
        let manifest = "tool (\n\ta.b/c\n\ta.b/d\n)\nrequire a.b v1.0.0\n";
        let names = |binaries| {
            let module = Module {
                binaries,
                ..module(manifest)
            };
            let tools = module.tools().unwrap();
            tools.into_iter().map(|tool| tool.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["c", "d"]);
        assert_eq!(names(&["d"]), ["d"]);
    }

    #[test]
    fn tags_are_one_flag_and_part_of_the_key() {
        assert_eq!(module("").tag_flags(), None);
        let tagged = Module {
            tags: &["x", "y"],
            ..module("")
        };
        assert_eq!(tagged.tag_flags().unwrap(), "-tags=x,y");
        assert_ne!(tagged.key(), module("").key());
    }

    #[test]
    fn a_tool_of_no_required_module_is_an_error() {
        let expected = Error::NoVersion {
            module: "m",
            package: "a.b/c".to_owned(),
        };
        assert_eq!(module("tool a.b/c\n").tools(), Err(expected));
    }

    #[test]
    fn link_flags_carry_the_version() {
        let flags = module("").link_flags("v1.36.3");
        assert_eq!(flags, "-s -w -X p.v=v1.36.3 -X p.m=1.36");
    }

    #[test]
    fn the_key_follows_what_is_built() {
        let key = module("a").key();
        assert_eq!(key.len(), "m-".len() + 12);
        assert_eq!(key, module("a").key());
        assert_ne!(key, module("b").key());
    }

    #[test]
    fn kubernetes_replacements_follow_its_version() {
        for kubernetes in OLDER.iter().chain([&MODULES[1]]) {
            let tools = kubernetes.tools().unwrap();
            let staging = tools[0].version.replacen("v1.", "v0.", 1);
            let lines = kubernetes.manifest.lines();
            for line in lines.filter(|line| line.contains("=>")) {
                assert!(line.ends_with(&staging), "{line}");
            }
        }
    }
}
