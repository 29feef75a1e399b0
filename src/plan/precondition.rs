//! What a decision about a live resource rests on.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::diff;

/// The state of a live resource that a step was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// `metadata.uid`: another one is another resource of the same name.
    pub uid: String,
    /// `metadata.resourceVersion`: the API server refuses a patch that names an older one.
    pub resource_version: String,
    /// Which fields the decision rests on.
    basis: Basis,
    /// The digest of these fields.
    digest: [u8; 32],
}

/// The fields that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Basis {
    /// All but what changes though nobody asked for it.
    Whole,
    /// Those that somebody who applied or wants the resource speaks of; a list counts as a whole.
    Fields(BTreeMap<String, Basis>),
}

impl Precondition {
    /// The state of `live`, for a decision that rests on all of it.
    pub fn of(live: &Value) -> Self {
        Self::on(live, Basis::Whole)
    }

    /// The state of `live`, for a decision that rests on the fields of `bodies`: what others do to
    /// other fields, such as an autoscaler to the replicas, does not touch it.
    pub fn about(live: &Value, bodies: &[&Value]) -> Self {
        let bodies: Vec<_> = bodies.iter().map(|body| diff::folded(body)).collect();
        let bodies: Vec<&Value> = bodies.iter().map(AsRef::as_ref).collect();
        Self::on(live, Basis::of(&bodies))
    }

    fn on(live: &Value, basis: Basis) -> Self {
        Self {
            uid: text(live, "/metadata/uid").to_owned(),
            resource_version: text(live, "/metadata/resourceVersion").to_owned(),
            digest: basis.digest(live),
            basis,
        }
    }

    /// The digest of the fields that the decision rests on.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether the decision still stands: `live` is the same resource, and the same in substance.
    pub fn holds(&self, live: &Value) -> bool {
        text(live, "/metadata/uid") == self.uid && self.basis.digest(live) == self.digest
    }
}

fn text<'a>(live: &'a Value, pointer: &str) -> &'a str {
    let found = live.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

impl Basis {
    fn of(bodies: &[&Value]) -> Self {
        let mut fields: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for body in bodies {
            let Value::Object(map) = body else {
                return Self::Whole;
            };
            for (name, value) in map {
                fields.entry(name).or_default().push(value);
            }
        }
        let inner = fields.into_iter();
        Self::Fields(
            inner
                .map(|(name, values)| (name.to_owned(), Self::of(&values)))
                .collect(),
        )
    }

    fn digest(&self, live: &Value) -> [u8; 32] {
        match self {
            Self::Whole => digest(live),
            Self::Fields(_) => digest(&self.project(live)),
        }
    }

    /// What of `live` the decision rests on.
    fn project(&self, live: &Value) -> Value {
        match (self, live) {
            (Self::Fields(fields), Value::Object(map)) => {
                let kept = fields.iter().filter_map(|(name, basis)| {
                    let value = map.get(name)?;
                    Some((name.clone(), basis.project(value)))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
            _ => live.clone(),
        }
    }
}

/// The digest of a live resource without what changes though nobody asked for it: status,
/// `resourceVersion`, `generation` and `managedFields`. Rolling one workload changes the status
/// of others all the time, which does not touch a decision about their specs.
fn digest(live: &Value) -> [u8; 32] {
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

    fn live() -> Value {
        json!({
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "1", "generation": 1,
                "managedFields": []},
            "spec": {"replicas": 1, "paused": false, "ports": [{"port": 1}]},
            "status": {"readyReplicas": 0},
        })
    }

    #[track_caller]
    fn check(precondition: &Precondition, (pointer, value): (&str, Value), expected: &str) {
        let mut other = live();
        *other.pointer_mut(pointer).unwrap() = value;
        let found = if precondition.holds(&other) {
            "holds"
        } else {
            "falls"
        };
        assert_eq!(found, expected, "{pointer}");
    }

    #[test]
    fn a_decision_sees_substance_and_nothing_else() {
        let whole = Precondition::of(&live());
        check(&whole, ("/metadata/resourceVersion", json!("2")), "holds");
        check(&whole, ("/metadata/generation", json!(2)), "holds");
        check(&whole, ("/metadata/managedFields", json!([{}])), "holds");
        check(&whole, ("/status/readyReplicas", json!(1)), "holds");
        check(&whole, ("/spec/replicas", json!(2)), "falls");
        check(&whole, ("/metadata/name", json!("b")), "falls");
        check(&whole, ("/metadata/uid", json!("2")), "falls");
    }

    #[test]
    fn what_a_secret_holds_is_a_field_of_its_text() {
        let live = |data: &str| json!({"metadata": {"uid": "1"}, "data": {"a": data, "b": data}});
        let desired = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}});
        let some = Precondition::about(&live("eQ=="), &[&desired]);
        assert!(!some.holds(&live("eg==")));
        let mut other = live("eQ==");
        other["data"]["b"] = json!("eg==");
        assert!(some.holds(&other));
    }

    #[test]
    fn a_decision_about_some_fields_does_not_see_others() {
        let desired = json!({"spec": {"paused": true}});
        let base = json!({"spec": {"ports": [{"port": 2}]}});
        let some = Precondition::about(&live(), &[&desired, &base]);
        check(&some, ("/spec/replicas", json!(2)), "holds");
        check(&some, ("/spec/paused", json!(true)), "falls");
        check(
            &some,
            ("/spec/ports", json!([{"port": 1, "name": "a"}])),
            "falls",
        );
        check(&some, ("/metadata/uid", json!("2")), "falls");
        assert!(!some.holds(&json!({"metadata": {"uid": "1"}})));
    }
}
