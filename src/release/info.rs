//! The status, times and notes of a revision.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The status, times and notes of a revision (helm/helm `pkg/release/v1/info.go`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// When revision 1 was begun.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "time"
    )]
    pub first_deployed: Option<Timestamp>,
    /// When this revision was begun.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "time"
    )]
    pub last_deployed: Option<Timestamp>,
    /// When the release was uninstalled.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "time"
    )]
    pub deleted: Option<Timestamp>,
    /// What happened, in words.
    #[serde(default)]
    pub description: String,
    /// Where the revision stands.
    #[serde(default)]
    pub status: Status,
    /// The revision that this one went back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_revision: Option<u32>,
    /// The rendered `NOTES.txt`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Fields that are not known here, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where a revision stands (helm/helm `pkg/release/common/status.go`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// What the cluster is meant to hold.
    Deployed,
    /// Removed, with its history kept.
    Uninstalled,
    /// Followed by a later revision.
    Superseded,
    /// Its change did not succeed.
    Failed,
    /// Being removed.
    Uninstalling,
    /// Being installed.
    PendingInstall,
    /// Being upgraded to.
    PendingUpgrade,
    /// Being rolled back to.
    PendingRollback,
    /// Not known.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Status {
    const NAMES: [(Self, &'static str); 9] = [
        (Self::Unknown, "unknown"),
        (Self::Deployed, "deployed"),
        (Self::Uninstalled, "uninstalled"),
        (Self::Superseded, "superseded"),
        (Self::Failed, "failed"),
        (Self::Uninstalling, "uninstalling"),
        (Self::PendingInstall, "pending-install"),
        (Self::PendingUpgrade, "pending-upgrade"),
        (Self::PendingRollback, "pending-rollback"),
    ];

    /// Helm's word for the status, which also stands in the label of the Secret.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(status, _)| *status == self)
            .map_or("unknown", |(_, name)| name)
    }

    /// The status of that name; any other name is `Unknown`.
    pub fn named(name: &str) -> Self {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map_or(Self::Unknown, |(s, _)| *s)
    }

    /// What whoever holds the lock does, by the status of the newest revision: a change that is not recorded
    /// yet, or no more, begins or ends.
    pub fn doing(self, revision: u32) -> String {
        match self {
            Self::PendingInstall => format!("installing revision {revision}"),
            Self::PendingUpgrade => format!("upgrading to revision {revision}"),
            Self::PendingRollback => format!("rolling back with revision {revision}"),
            Self::Uninstalling => "uninstalling".to_owned(),
            _ => "beginning or ending a change".to_owned(),
        }
    }

    /// Whether a change is under way, or was when its process ended.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall
                | Self::PendingUpgrade
                | Self::PendingRollback
                | Self::Uninstalling
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a time as any version of Helm writes it: RFC 3339 with an offset, or as nothing at all
/// in the forms null, `""` and Go's zero time.
pub(super) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text.is_empty() || text.starts_with("0001-01-01T") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(json: &str, expected: Option<&str>) {
        let info: Info = serde_json::from_str(&format!("{{\"deleted\":{json}}}")).unwrap();
        assert_eq!(
            info.deleted.map(|t| t.to_string()).as_deref(),
            expected,
            "{json}"
        );
    }

    #[test]
    fn times_are_read_as_every_helm_writes_them() {
        check_time("null", None);
        check_time("\"\"", None);
        check_time("\"0001-01-01T00:00:00Z\"", None);
        check_time(
            "\"2026-11-01T10:00:00.5+09:00\"",
            Some("2026-11-01T01:00:00.5Z"),
        );
    }

    #[test]
    fn every_status_has_helms_name() {
        for (status, name) in Status::NAMES {
            assert_eq!(serde_json::to_value(status).unwrap(), name);
            assert_eq!(Status::named(name), status);
        }
        assert_eq!(
            serde_json::from_str::<Status>("\"new-word\"").unwrap(),
            Status::Unknown
        );
    }
}
