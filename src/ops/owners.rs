//! Rewriting the owners of a resource's fields.

use serde_json::{Value, json};

use super::StepError;
use super::step::{ATTEMPTS, WRITE, at, changed, failed};
use crate::cluster::{Cluster, Patch};
use crate::plan::Step;
use crate::plan::server_side::Handover;

/// Makes the owners of a resource be what a handover says, and gives the version that it has then;
/// none if they are so already. No field is touched.
pub(super) async fn hand_over(
    step: &Step,
    handover: &Handover,
    cluster: &Cluster,
) -> Result<Option<String>, StepError> {
    for _ in 0..ATTEMPTS {
        // The owners as they are now: others go on writing their status.
        let live = cluster.get(&at(step)).await;
        let live = live.map_err(|source| failed(step, "read", source))?;
        let live = live.ok_or_else(|| changed(step))?;
        let Some(owners) = handover.of(&live) else {
            return Ok(None);
        };
        let patch = json!([
            {"op": "test", "path": "/metadata/uid", "value": live.pointer("/metadata/uid")},
            {"op": "replace", "path": "/metadata/managedFields", "value": owners},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version(&live)},
        ]);
        match cluster.patch(&at(step), Patch::Json(&patch), WRITE).await {
            Ok(written) => return Ok(version(&written.live).as_str().map(str::to_owned)),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(failed(step, "patch", error)),
        }
    }
    Err(changed(step))
}

fn version(live: &Value) -> &Value {
    &live["metadata"]["resourceVersion"]
}
