//! `Chart.yaml`.
//!
//! Its text comes in, checked [`Metadata`] goes out. What the files beside it mean is left to
//! the loader.

pub(super) mod read;

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Constraint, Error, Position, Problem};
use crate::capabilities::KubeVersion;

/// The annotation that names the template engine.
pub(super) const ENGINE: &str = "pintle.dev/engine";

/// What `Chart.yaml` says of a chart, in the field names of Helm's chart format v2, which are
/// also those of Helm's release record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The project's home page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where the sources are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The chart's version (`SemVer` 2).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence about the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find the chart by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who maintains the chart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// The address of an icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// The chart format: `v1` or `v2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The value that turns the chart on as a subchart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// The tags that turn the chart on as a subchart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of what the chart installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether the chart should no longer be used.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Free annotations; `pintle.dev/engine` names the template engine.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The Kubernetes versions that the chart works with, as a version constraint.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts that this one contains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// `application` or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Fields of a record that are not known here, kept as they are; a `Chart.yaml` has none.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What renders a chart's templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Tera.
    Tera,
    /// Nothing: the templates are plain text.
    None,
}

impl Engine {
    /// The engines that an annotation can name.
    const KNOWN: [(&str, Self); 1] = [("tera", Self::Tera)];
}

/// What a chart is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It can be installed.
    Application,
    /// It only lends its templates to other charts.
    Library,
}

impl Metadata {
    /// Whether a name is one that all repositories and registries take: of lower-case letters, digits
    /// and dashes.
    pub fn is_common_name(name: &str) -> bool {
        let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !name.is_empty() && name.chars().all(is_good)
    }

    /// Reads and checks the text of a `Chart.yaml`.
    ///
    /// Follows Helm: unknown fields are passed over, numbers and booleans become strings where
    /// strings belong, a missing `apiVersion` is `v1`, and characters that are not printable are
    /// taken out. In addition `kubeVersion` must be a constraint.
    ///
    /// # Errors
    /// If `text` is not YAML, or a field is missing, of the wrong type or not allowed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        read::metadata(text)
    }

    /// Reads and checks the dependencies in the text of a `requirements.yaml`, where charts of
    /// format v1 have them; none if it lists none.
    ///
    /// # Errors
    /// As [`Metadata::parse`].
    pub(super) fn parse_requirements(text: &str) -> Result<Option<Vec<Dependency>>, Error> {
        read::requirements(text)
    }

    /// The template engine that the chart asks for.
    ///
    /// # Errors
    /// If the annotation `pintle.dev/engine` names an engine that does not exist.
    pub fn engine(&self) -> Result<Engine, Error> {
        let Some(name) = self.annotations.get(ENGINE) else {
            return Ok(Engine::None);
        };
        let known = Engine::KNOWN.iter().find(|(known, _)| known == name);
        known
            .map(|(_, engine)| *engine)
            .ok_or_else(|| Error::Field {
                at: Position {
                    file: "Chart.yaml".to_owned(),
                    ..Position::default()
                },
                field: format!("annotations.{ENGINE}"),
                problem: Problem::Value {
                    value: name.clone(),
                    expected: Engine::KNOWN.map(|(name, _)| name).join(" or "),
                },
            })
    }

    /// What the chart is for.
    pub fn chart_kind(&self) -> Kind {
        if self.kind == "library" {
            Kind::Library
        } else {
            Kind::Application
        }
    }

    /// Checks that the chart is one that can be installed.
    ///
    /// # Errors
    /// If it is a library chart.
    pub fn check_installable(&self) -> Result<(), Error> {
        match self.chart_kind() {
            Kind::Application => Ok(()),
            Kind::Library => Err(Error::Library {
                chart: self.name.clone(),
            }),
        }
    }

    /// Checks the cluster's version against `kubeVersion`.
    ///
    /// What follows the numbers of the cluster's version, such as a vendor's suffix, does not
    /// count, as in Helm.
    ///
    /// # Errors
    /// If the version is outside of the constraint, or the constraint cannot be read.
    pub fn check_kube_version(&self, found: &KubeVersion) -> Result<(), Error> {
        if self.kube_version.is_empty() {
            return Ok(());
        }
        let fits = Constraint::parse(&self.kube_version)
            .is_ok_and(|needed| needed.matches(&release_version(found)));
        if fits {
            return Ok(());
        }
        Err(Error::KubeVersion {
            chart: self.name.clone(),
            needed: self.kube_version.clone(),
            found: found.version.clone(),
        })
    }
}

/// The three numbers of a cluster's version.
fn release_version(version: &KubeVersion) -> Version {
    let mut numbers = version
        .version
        .trim_start_matches('v')
        .split('.')
        .map(|part| {
            &part[..part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len())]
        })
        .map(|digits| digits.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Version::new(next(), next(), next())
}

/// A person who maintains a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintainer {
    /// The person's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The person's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The person's page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A chart that another one contains.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Dependency {
    /// The contained chart's name.
    pub name: String,
    /// The versions that will do, as a constraint.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// The value that turns it on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// The tags that turn it on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is on, as Helm records it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Values to bring up from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<serde_json::Value>,
    /// The name it goes by here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// The dependencies that it comes after, by the names that they go by (HIP-0025). Helm neither
    /// packs nor records it.
    #[serde(skip_serializing)]
    pub depends_on: Vec<String>,
}

impl Dependency {
    /// The name that it goes by in the chart that has it.
    pub fn goes_by(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_engine(annotation: Option<&str>, expected: Result<Engine, &str>) {
        let mut metadata = Metadata::default();
        if let Some(name) = annotation {
            metadata.annotations.insert(ENGINE.into(), name.into());
        }
        let found = metadata.engine().map_err(|error| error.to_string());
        assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected);
    }

    #[test]
    fn the_engine_is_an_annotation() {
        check_engine(Some("tera"), Ok(Engine::Tera));
        check_engine(None, Ok(Engine::None));
        check_engine(
            Some("gotpl"),
            Err("Chart.yaml: annotations.pintle.dev/engine is \"gotpl\": must be tera"),
        );
    }

    #[track_caller]
    fn check_kube_version(needed: &str, found: &str, expected: Result<(), &str>) {
        let metadata = Metadata {
            name: "kcp".into(),
            kube_version: needed.into(),
            ..Metadata::default()
        };
        let found = KubeVersion::parse(found).unwrap();
        let result = metadata
            .check_kube_version(&found)
            .map_err(|error| error.to_string());
        assert_eq!(
            result.as_ref().map_err(String::as_str).copied(),
            expected,
            "{needed} {found}"
        );
    }

    #[test]
    fn a_vendors_suffix_does_not_count() {
        check_kube_version("", "v1.2.3", Ok(()));
        check_kube_version(">=1.35", "v1.35.1-eks-abc", Ok(()));
        check_kube_version(">=1.35.0", "v1.35.0+k3s1", Ok(()));
        check_kube_version("1.35.x", "1.35", Ok(()));
        check_kube_version(
            ">=1.36",
            "v1.35.9-gke.100",
            Err("chart kcp needs Kubernetes >=1.36, the cluster has v1.35.9-gke.100"),
        );
        check_kube_version(
            "nonsense",
            "1.35",
            Err("chart kcp needs Kubernetes nonsense, the cluster has v1.35.0"),
        );
    }

    #[test]
    fn library_charts_cannot_be_installed() {
        let metadata = |kind: &str| Metadata {
            kind: kind.into(),
            ..Metadata::default()
        };
        assert!(metadata("").check_installable().is_ok());
        assert!(metadata("application").check_installable().is_ok());
        assert_eq!(metadata("library").chart_kind(), Kind::Library);
        assert!(matches!(
            metadata("library").check_installable(),
            Err(Error::Library { .. })
        ));
    }
}
