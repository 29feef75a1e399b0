//! What a list shows of a revision.

use serde::Deserialize;

use super::{Info, null_is_empty};
use crate::chart::Metadata;

/// The parts of a record that a list shows; everything else is skipped while it is read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Outline {
    /// Its status, times and notes.
    #[serde(default)]
    pub info: Info,
    /// The chart it was rendered from.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub chart: OutlinedChart,
}

/// What a list shows of a chart.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct OutlinedChart {
    /// `Chart.yaml`.
    #[serde(default, deserialize_with = "super::chart::metadata")]
    pub metadata: Metadata,
}
