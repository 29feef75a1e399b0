//! Values and how their layers merge.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tree of values: what a chart is rendered with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(pub Map<String, Value>);

impl Values {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
