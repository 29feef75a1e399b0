//! A kind as data.

use serde::Deserialize;

/// A kind that an API server serves, with what a request for it needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
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
    /// Returns a kind of the core group, version `v1`, whose resources live in namespaces.
    pub fn core(kind: &str, plural: &str) -> Self {
        Self {
            group: String::new(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
        }
    }

    /// Returns `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Tells whether `api_version` is this kind's group and version.
    pub fn is_in(&self, api_version: &str) -> bool {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        self.group == group && self.version == version
    }
}
