//! What a cluster can do, as plain data: its version, the API versions and the kinds it serves.
//!
//! Comes from discovery or from flags; rendering and planning never ask a cluster themselves.

use std::collections::BTreeSet;
use std::fmt;

/// A Kubernetes version as the API server reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// The whole version with its leading `v`, such as `v1.36.3`.
    pub version: String,
    /// The major number, such as `1`.
    pub major: String,
    /// The minor number, such as `36`, without a vendor's trailing `+`.
    pub minor: String,
}

/// A version that is not of the form `[v]MAJOR.MINOR[.PATCH][-SUFFIX]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Kubernetes version such as v1.36.3")]
pub struct VersionError(pub String);

impl KubeVersion {
    /// Reads a version such as `1.36`, `v1.36.3` or `v1.35.1-eks-abc`.
    ///
    /// # Errors
    /// If major or minor is not a number.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        let mut parts = bare.splitn(3, '.');
        let mut number = || {
            parts
                .next()
                .map(|part| part.trim_end_matches('+'))
                .filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
                .map(str::to_owned)
                .ok_or_else(|| VersionError(text.to_owned()))
        };
        let (major, minor) = (number()?, number()?);
        let version = match bare.matches('.').count() {
            1 => format!("v{major}.{minor}.0"),
            _ => format!("v{bare}"),
        };
        Ok(Self {
            version,
            major,
            minor,
        })
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)
    }
}

/// A kind that an API server serves, with what a request for it needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version within the group, such as `v1`.
    pub version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The resource name in request paths, such as `deployments`.
    pub plural: String,
    /// Whether resources of this kind live in a namespace.
    pub namespaced: bool,
}

impl Kind {
    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// What a chart may ask about the cluster that it is rendered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The version of the API server.
    pub kube_version: KubeVersion,
    /// `group/version` and `group/version/Kind` of everything served, as Helm lists it.
    pub api_versions: BTreeSet<String>,
}
