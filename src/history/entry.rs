//! What a record's metadata says, without its payload.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SUMMARY;
use crate::chart;
use crate::cluster::Metadata;
use crate::release::{Info, Outline, Release, SYSTEM_LABELS, Status};

/// The name of the record of a revision.
pub(super) fn secret_name(release: &str, revision: u32) -> String {
    format!("sh.helm.release.v1.{release}.v{revision}")
}

/// One stored revision, as its Secret's metadata tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The release.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The revision.
    pub revision: u32,
    /// Where it stands.
    pub status: Status,
    /// The Secret's name.
    pub secret: String,
    /// The Secret's version, which changes with every write.
    pub version: String,
    /// The user's labels.
    pub labels: BTreeMap<String, String>,
    /// What a list shows besides; none where Helm wrote last.
    pub summary: Option<Summary>,
}

/// What a list shows of a revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The chart's name and version, joined by a dash.
    pub chart: String,
    /// The version of what the chart installs.
    #[serde(default)]
    pub app_version: String,
    /// When the revision was begun.
    #[serde(default)]
    pub updated: Option<Timestamp>,
    /// What happened, in words.
    #[serde(default)]
    pub description: String,
    /// The revision that this one went back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_revision: Option<u32>,
}

/// What tells a revision from all others of a cluster.
pub type Key = (String, String, u32);

impl Entry {
    /// Its namespace, its release and its number.
    pub fn key(&self) -> Key {
        (self.namespace.clone(), self.name.clone(), self.revision)
    }

    /// Reads the metadata of a release Secret; none if it lacks Helm's labels.
    pub(super) fn of(metadata: Metadata) -> Option<Self> {
        let mut labels = metadata.labels;
        let name = labels.remove("name")?;
        let revision = labels.get("version")?.parse().ok()?;
        let status = labels
            .get("status")
            .map_or(Status::Unknown, |name| Status::named(name));
        labels.retain(|key, _| !SYSTEM_LABELS.contains(&key.as_str()));
        let summary = metadata.annotations.get(SUMMARY);
        Some(Self {
            name,
            namespace: metadata.namespace,
            revision,
            status,
            secret: metadata.name,
            version: metadata.resource_version,
            labels,
            summary: summary.and_then(|text| serde_json::from_str(text).ok()),
        })
    }
}

impl Summary {
    /// The summary of `release`.
    pub fn of(release: &Release) -> Self {
        Self::from_parts(&release.info, &release.chart.metadata)
    }

    pub(super) fn of_outline(outline: &Outline) -> Self {
        Self::from_parts(&outline.info, &outline.chart.metadata)
    }

    fn from_parts(info: &Info, chart: &chart::Metadata) -> Self {
        Self {
            chart: format!("{}-{}", chart.name, chart.version),
            app_version: chart.app_version.clone(),
            updated: info.last_deployed,
            description: info.description.clone(),
            rollback_revision: info.rollback_revision,
        }
    }

    pub(super) fn to_text(&self) -> String {
        // A struct of strings always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}
