//! A hook as the record holds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::info::time;
use super::null_is_empty;
use crate::manifest::Hook;

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
