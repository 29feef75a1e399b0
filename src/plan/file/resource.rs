//! What is done to each resource, as a file holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sha256;
use super::state::states;
use super::withhold::Withheld;
use crate::manifest::ResourceId;
use crate::plan::diff::Patch;
use crate::plan::redact::Secrets;
use crate::plan::report::{Field, Report};
use crate::plan::{Action, Cascade, Effect, Inputs, Plan, Step};

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What is done.
    pub action: Effect,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The template and line that ask for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub template: String,
    /// Which resource it is; none if there is none.
    pub uid: Option<String>,
    /// Whether it is being deleted, and made when it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub being_deleted: bool,
    /// What the decision rests on: a digest of the fields that the chart speaks of, without the status;
    /// of a Secret to which something is sent a fingerprint, because a digest of what is secret could be
    /// guessed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The digest of what is sent; none for Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends: Option<String>,
    /// Why, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The Services on whose addresses it depends what is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_after_apply: Vec<String>,
    /// What changes about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<PlannedField>,
}

/// One field that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedField {
    /// Where.
    pub path: String,
    /// The live value; none if the field is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The wanted value; none if the field is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// `chart` or `drift`.
    pub cause: String,
}

/// What a plan as a file is made of, besides the plan.
pub struct Sources<'a> {
    /// The uids of what the cluster holds.
    pub uids: &'a BTreeMap<ResourceId, String>,
    /// What must not be in the file.
    pub withheld: &'a Withheld,
    /// What the plan was made from.
    pub inputs: &'a Inputs<'a>,
    /// Makes a fingerprint of what may be secret.
    pub fingerprint: &'a dyn Fn(&[u8]) -> String,
}

/// What a plan does to each resource.
pub fn planned(plan: &Plan, sources: &Sources<'_>) -> Vec<Planned> {
    let lines = Report::of(plan, Secrets::Redacted).lines;
    let mut states = states(plan, sources);
    let all = plan.steps().zip(lines);
    all.map(|(step, line)| Planned {
        action: line.action,
        group: line.group,
        kind: line.kind,
        namespace: line.namespace,
        name: line.name,
        template: line.template,
        uid: sources.uids.get(&step.id).cloned(),
        being_deleted: step.follows.is_some(),
        state: states.remove(&step.id),
        sends: sends(step),
        reason: line.reason,
        known_after_apply: line.waits,
        fields: (line.fields.into_iter())
            .map(|field| told(field, sources.withheld))
            .collect(),
    })
    .collect()
}

fn told(field: Field, withheld: &Withheld) -> PlannedField {
    let open = |value: Option<Value>| value.map(|value| withheld.redacted(value));
    PlannedField {
        path: field.path,
        old: open(field.old),
        new: open(field.new),
        cause: field.cause.to_owned(),
    }
}

pub(super) fn is_secret(id: &ResourceId) -> bool {
    id.kind == "Secret" && id.group.is_empty()
}

/// The digest of what is sent.
fn sends(step: &Step) -> Option<String> {
    let body = match &step.action {
        Action::Create(body) => body,
        Action::Recreate(recreation) => &recreation.body,
        Action::Configure(difference, _) => match &difference.patch {
            Patch::StrategicMerge(body) | Patch::Merge(body) => body,
        },
        Action::Delete(_, cascade) => {
            let word = match cascade {
                Cascade::Background => "background",
                Cascade::Foreground => "foreground",
                Cascade::Orphan => "orphan",
            };
            return Some(format!("deletion:{word}"));
        }
        Action::Unchanged | Action::Keep(_) => return None,
    };
    (!is_secret(&step.id)).then(|| sha256(body.to_string()))
}

impl Planned {
    /// The resource.
    pub fn id(&self) -> ResourceId {
        ResourceId {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}
