//! What a cluster can do, as plain data: its version, the API versions and the kinds it serves.
//!
//! Comes from discovery or from flags; rendering and planning never ask a cluster themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::builtin::custom::Structure;
use crate::builtin::openapi::Minor;
use crate::builtin::{self, Type};

pub use crate::builtin::Kind;

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

    /// Whether it is this major and minor or a later one; not if its numbers cannot be read.
    pub fn is_at_least(&self, least: (u32, u32)) -> bool {
        let own = (self.major.parse(), self.minor.parse());
        matches!(own, (Ok(major), Ok(minor)) if (major, minor) >= least)
    }

    /// The minor, if it is one of those whose kinds are known.
    pub fn known_minor(&self) -> Option<Minor> {
        let mut all = Minor::all().into_iter();
        all.find(|minor| self.major == "1" && self.minor == minor.number().to_string())
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)
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

impl Capabilities {
    /// Returns what a cluster of the newest known Kubernetes without additions can do.
    pub fn builtin() -> Self {
        let mut api_versions: BTreeSet<String> = builtin::other_kinds()
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        for kind in builtin::kinds() {
            api_versions.insert(format!("{}/{}", kind.api_version(), kind.kind));
        }
        let versions: Vec<String> = api_versions
            .iter()
            .filter_map(|name| name.rsplit_once('/'))
            .map(|(version, _)| version.to_owned())
            .collect();
        api_versions.extend(versions);
        Self::new(builtin::version(), api_versions)
    }

    /// Returns what a cluster of a known minor without additions can do.
    pub fn of(minor: Minor) -> Self {
        let kinds = minor.kinds().map(str::to_owned);
        let mut api_versions: BTreeSet<String> = kinds.collect();
        let versions = minor.kinds().filter_map(|name| name.rsplit_once('/'));
        api_versions.extend(versions.map(|(version, _)| version.to_owned()));
        Self::new(minor.version(), api_versions)
    }

    /// Returns what a cluster of `version` without additions can do; of a minor that is not known,
    /// what [`builtin`](Self::builtin) says.
    pub fn at(version: KubeVersion) -> Self {
        let known = version.known_minor();
        Self {
            kube_version: version,
            ..known.map_or_else(Self::builtin, Self::of)
        }
    }

    fn new(version: &str, api_versions: BTreeSet<String>) -> Self {
        let bare = version.trim_start_matches('v');
        let mut numbers = bare.split('.').map(str::to_owned);
        Self {
            kube_version: KubeVersion {
                version: version.to_owned(),
                major: numbers.next().unwrap_or_default(),
                minor: numbers.next().unwrap_or_default(),
            },
            api_versions,
        }
    }
}

/// Every kind that is known: Kubernetes' own and those that a cluster was found to serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    discovered: Vec<Kind>,
    /// How those that are not Kubernetes' own merge, as far as that was asked for.
    structures: BTreeMap<Kind, Structure>,
}

impl Kinds {
    /// Adds the kinds that a cluster serves, preferred versions first, to Kubernetes' own.
    pub fn with_discovered(discovered: impl IntoIterator<Item = Kind>) -> Self {
        Self {
            discovered: discovered.into_iter().collect(),
            structures: BTreeMap::new(),
        }
    }

    /// Takes note of how kinds merge that a cluster adds.
    pub fn learn(&mut self, structures: impl IntoIterator<Item = (Kind, Structure)>) {
        self.structures.extend(structures);
    }

    /// Finds how a kind merges, in the version that [`find`](Self::find) gives; none for a kind that a
    /// cluster adds unless it was [learned](Self::learn).
    pub fn schema(&self, api_version: &str, kind: &str) -> Option<Type<'_>> {
        let known = self.find(api_version, kind)?;
        builtin::schema(&known.api_version(), kind)
            .or_else(|| self.structures.get(known).map(Structure::root))
    }

    /// Finds a kind by its `apiVersion` and name.
    ///
    /// Where this version is not served but another one of the same group has the kind, that one
    /// is returned: the same resource can be read through it. A cluster that was found to serve
    /// the kind has the last word on its versions.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let named = || self.discovered.iter().filter(|known| known.kind == kind);
        named()
            .find(|known| known.is_in(api_version))
            .or_else(|| named().find(|known| known.group == group))
            .or_else(|| builtin::kind_in(api_version, kind))
            .or_else(|| builtin::kind(group, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let check = |version: &str, want: bool| {
            let version = KubeVersion::parse(version).unwrap();
            assert_eq!(version.is_at_least((1, 35)), want, "{version}");
        };
        check("v1.9.0", false);
        check("v1.34.9", false);
        check("v1.35.1-eks-abc", true);
        check("v1.100.0", true);
        check("v2.0.0", true);
        let nonsense = KubeVersion {
            minor: String::new(),
            ..KubeVersion::parse("v1.36.0").unwrap()
        };
        assert!(!nonsense.is_at_least((1, 35)));
    }

    #[test]
    fn lists_api_versions_as_helm_does() {
        let capabilities = Capabilities::builtin();
        assert_eq!(capabilities.kube_version.minor, "36");
        for name in [
            "v1",
            "v1/Pod",
            "apps/v1",
            "apps/v1/Deployment",
            "authorization.k8s.io/v1",
            "authorization.k8s.io/v1/SubjectAccessReview",
        ] {
            assert!(capabilities.api_versions.contains(name), "{name}");
        }
        assert!(!capabilities.api_versions.contains("apps"));
    }

    #[test]
    fn kinds_of_a_cluster_merge_as_was_learned() {
        let widget = |version: &str| Kind {
            group: "example.com".to_owned(),
            version: version.to_owned(),
            kind: "Widget".to_owned(),
            plural: "widgets".to_owned(),
            namespaced: true,
        };
        let mut kinds = Kinds::with_discovered([widget("v1"), widget("v2")]);
        assert_eq!(kinds.schema("example.com/v1", "Widget"), None);
        let structure = Structure::of(&serde_json::json!({})).unwrap();
        kinds.learn([(widget("v1"), structure)]);
        let schema = |version| kinds.schema(version, "Widget").map(Type::is_custom);
        // What is not served is read in the first version that is.
        assert_eq!(schema("example.com/v1"), Some(true));
        assert_eq!(schema("example.com/v1alpha1"), Some(true));
        assert_eq!(schema("example.com/v2"), None);
        let pod = kinds.schema("v1", "Pod").map(Type::is_custom);
        assert_eq!(pod, Some(false));
    }

    #[track_caller]
    fn check_find(api_version: &str, kind: &str, expected: Option<&str>) {
        let widget = |version: &str, group: &str| Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: "Widget".to_owned(),
            plural: "widgets".to_owned(),
            namespaced: true,
        };
        let kinds = Kinds::with_discovered([
            widget("v2", "example.com"),
            widget("v1", "example.com"),
            Kind {
                kind: "DeviceClass".to_owned(),
                ..widget("v1beta1", "resource.k8s.io")
            },
        ]);
        let found = kinds.find(api_version, kind).map(Kind::api_version);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn finds_kinds() {
        check_find("v1", "Pod", Some("v1"));
        check_find(
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            Some("autoscaling/v1"),
        );
        check_find(
            "autoscaling/v2beta2",
            "HorizontalPodAutoscaler",
            Some("autoscaling/v2"),
        );
        check_find("example.com/v1", "Widget", Some("example.com/v1"));
        check_find("example.com/v1alpha1", "Widget", Some("example.com/v2"));
        check_find(
            "resource.k8s.io/v1beta2",
            "DeviceClass",
            Some("resource.k8s.io/v1beta1"),
        );
        check_find(
            "resource.k8s.io/v1",
            "DeviceClass",
            Some("resource.k8s.io/v1beta1"),
        );
        check_find("other.com/v1", "Widget", None);
        check_find("example.com/v1", "Pod", None);
    }
}
