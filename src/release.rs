//! One revision of a release, in the shape of Helm's record, and the encoding of that record.
//!
//! A chart, values and a manifest come in; the payload that is stored goes out, and the other way
//! round. The type serialises to the JSON of helm/helm `pkg/release/v1`, so that Helm reads what
//! pintle writes; fields that are not known here travel along. Where records are stored is left
//! to `history`, how they change to `plan` and `ops`.

mod chart;
mod failure;
mod info;
mod label;
mod name;
mod outline;
mod past_hooks;
mod payload;
mod sources;
mod stored_hook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use chart::{RecordedChart, RecordedFile};
pub use failure::{FAILURE_FILE, FailedEvent, FailedPod, FailedResource, Failure};
pub use info::{Info, Status};
pub use label::{Label, LabelError, SYSTEM_LABELS};
pub use name::{NameError, check_name};
pub use outline::Outline;
pub use past_hooks::{PAST_HOOKS_FILE, PastHook};
pub use payload::{Error as PayloadError, decode, decode_outline, encode};
pub use sources::{FitError, SOURCES_FILE, SourcePiece, TooLarge};
pub use stored_hook::{HookOutcome, HookRun, StoredHook};

use crate::chart::Values;
use crate::manifest::generator::RECORD_FILE;

/// One immutable revision of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The release's name.
    #[serde(default)]
    pub name: String,
    /// Its status, times and notes.
    #[serde(default)]
    pub info: Info,
    /// The chart it was rendered from.
    #[serde(default)]
    pub chart: RecordedChart,
    /// The values that the user gave, without the chart's defaults.
    #[serde(
        default,
        skip_serializing_if = "Values::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub config: Values,
    /// The text of the resources.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// The hooks.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub hooks: Vec<StoredHook>,
    /// The revision, from 1.
    #[serde(rename = "version", default)]
    pub revision: u32,
    /// The namespace it lives in.
    #[serde(default)]
    pub namespace: String,
    /// How its resources were written; absent means from the client side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_method: Option<ApplyMethod>,
    /// Fields that are not known here, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
    /// The user's labels, which stand on the Secret and not in the payload.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// The version of its record when that was read or written last, which changes with every write; none
    /// where it was not, or where it does not matter.
    #[serde(skip)]
    pub record_version: Option<String>,
}

/// How the resources of a revision were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyMethod {
    /// By patches that the client computes.
    #[serde(rename = "csa")]
    ClientSide,
    /// By server-side apply.
    #[serde(rename = "ssa")]
    ServerSide,
}

impl Release {
    /// The text of the generators of this revision, as [`RECORD_FILE`] holds it; none if it has
    /// none, or if Helm has upgraded to another chart since.
    pub fn generators(&self) -> Option<String> {
        String::from_utf8(self.chart.file(RECORD_FILE)?).ok()
    }
}

/// Reads null as the empty value: Go writes null for what is empty.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
