//! What a decision about a live resource rests on.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The state of a live resource that a step was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// `metadata.uid`: another one is another resource of the same name.
    pub uid: String,
    /// `metadata.resourceVersion`: the API server refuses a patch that names an older one.
    pub resource_version: String,
    /// The digest of what the decision rests on.
    pub digest: [u8; 32],
}

impl Precondition {
    /// The state of `live`.
    pub fn of(live: &Value) -> Self {
        let text = |pointer| {
            live.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self {
            uid: text("/metadata/uid").to_owned(),
            resource_version: text("/metadata/resourceVersion").to_owned(),
            digest: digest(live),
        }
    }
}

/// The digest of a live resource without what changes though nobody asked for it: status,
/// `resourceVersion`, `generation` and `managedFields`. Rolling one workload changes the status
/// of others all the time, which does not touch a decision about their specs.
pub fn digest(live: &Value) -> [u8; 32] {
    const IGNORED: [&str; 3] = ["resourceVersion", "generation", "managedFields"];
    let mut hash = Sha256::new();
    let Value::Object(fields) = live else {
        return hash.finalize().into();
    };
    for (key, value) in fields.iter().filter(|(key, _)| *key != "status") {
        hash.update(key);
        match value {
            Value::Object(metadata) if key == "metadata" => {
                for (key, value) in metadata
                    .iter()
                    .filter(|(k, _)| !IGNORED.contains(&k.as_str()))
                {
                    hash.update(key);
                    hash.update(value.to_string());
                }
            }
            value => hash.update(value.to_string()),
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_digest_sees_substance_and_nothing_else() {
        let live = json!({
            "metadata": {"name": "a", "resourceVersion": "1", "generation": 1, "managedFields": []},
            "spec": {"replicas": 1},
            "status": {"readyReplicas": 0},
        });
        let mut same = live.clone();
        same["metadata"]["resourceVersion"] = json!("2");
        same["metadata"]["generation"] = json!(2);
        same["metadata"]["managedFields"] = json!([{}]);
        same["status"]["readyReplicas"] = json!(1);
        assert_eq!(digest(&live), digest(&same));
        for (pointer, value) in [("/spec/replicas", json!(2)), ("/metadata/name", json!("b"))] {
            let mut other = live.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert_ne!(digest(&live), digest(&other), "{pointer}");
        }
    }
}
