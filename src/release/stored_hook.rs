//! A hook as the record holds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::info::time;
use super::null_is_empty;
use crate::manifest::{Hook, HookEvent};

/// A hook as the record holds it (helm/helm `pkg/release/v1/hook.go`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredHook {
    /// The resource's name.
    #[serde(default)]
    pub name: String,
    /// The resource's kind.
    #[serde(default)]
    pub kind: String,
    /// The template it came from.
    #[serde(default)]
    pub path: String,
    /// The resource's text.
    #[serde(default)]
    pub manifest: String,
    /// When it is applied.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub events: Vec<String>,
    /// How it ran last.
    #[serde(default)]
    pub last_run: HookRun,
    /// Hooks of one event run by rising weight.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// When its resource is deleted.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub delete_policies: Vec<String>,
    /// When its logs are shown.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub output_log_policies: Vec<String>,
    /// Fields that are not known here, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The phase of a run that has not ended.
const RUNNING: &str = "Running";

/// How a run of a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookOutcome {
    /// Well.
    Succeeded,
    /// Not well.
    Failed,
    /// Before it was known how, because the command was stopped.
    Unknown,
}

/// How a hook ran last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HookRun {
    /// When it was applied.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "time"
    )]
    pub started_at: Option<Timestamp>,
    /// When it had finished.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "time"
    )]
    pub completed_at: Option<Timestamp>,
    /// `Running`, `Succeeded`, `Failed`, `Unknown`, or empty before the first run.
    #[serde(default)]
    pub phase: String,
}

impl HookRun {
    /// A run that begins now.
    pub fn begun(now: Timestamp) -> Self {
        Self {
            started_at: Some(now),
            completed_at: None,
            phase: RUNNING.to_owned(),
        }
    }

    /// The same run, which ends now.
    pub fn end(&mut self, now: Timestamp, outcome: HookOutcome) {
        self.completed_at = Some(now);
        outcome.name().clone_into(&mut self.phase);
    }

    /// Whether it has ended well.
    pub fn has_succeeded(&self) -> bool {
        self.phase == HookOutcome::Succeeded.name()
    }

    /// Whether it has ended, and not well.
    pub fn has_failed(&self) -> bool {
        self.phase == HookOutcome::Failed.name()
    }
}

impl HookOutcome {
    /// Helm's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }
}

impl StoredHook {
    /// Whether two revisions have this hook, however it ran: all else comes from its text.
    pub fn is_same(&self, other: &Self) -> bool {
        self.path == other.path && self.manifest == other.manifest
    }

    /// Whether it is run at an event of this name.
    pub fn is_at(&self, event: HookEvent) -> bool {
        let mut events = self.events.iter();
        events.any(|name| HookEvent::named(name) == Some(event))
    }
}

impl From<Hook> for StoredHook {
    fn from(hook: Hook) -> Self {
        Self {
            name: hook.resource.id.name,
            kind: hook.resource.id.kind,
            path: hook.resource.origin.template,
            manifest: hook.text,
            events: hook
                .events
                .iter()
                .map(|event| event.name().to_owned())
                .collect(),
            last_run: HookRun::default(),
            weight: hook.weight,
            delete_policies: hook
                .delete_policies
                .iter()
                .map(|p| p.name().to_owned())
                .collect(),
            output_log_policies: hook
                .output_log_policies
                .iter()
                .map(|p| p.name().to_owned())
                .collect(),
            other: Map::new(),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(weight: &i64) -> bool {
    *weight == 0
}
