//! A plan as structured lines that can be shown: no value of a Secret is in them.

use serde::Serialize;
use serde_json::Value;

use super::diff::{Cause, Change};
use super::redact;
use super::{Action, Counts, Keep, Plan, Step};

/// What a plan does, for people and machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many steps do what.
    pub counts: Counts,
    /// One line per step, in the order of execution.
    pub lines: Vec<Line>,
}

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// `create`, `configure`, `unchanged`, `delete` or `keep`.
    pub action: &'static str,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The template and line that ask for it.
    pub template: String,
    /// Why it stays, where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What changes about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// One field that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Where: `spec.template.spec.containers[name=app].image`.
    pub path: String,
    /// The live value; none if the field is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The wanted value; none if the field is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// `chart` or `drift`.
    pub cause: &'static str,
}

impl Report {
    /// The lines of `plan`.
    pub fn of(plan: &Plan) -> Self {
        Self {
            counts: plan.counts(),
            lines: plan.steps().map(line).collect(),
        }
    }
}

fn line(step: &Step) -> Line {
    let mut reason = None;
    let mut fields = vec![];
    let action = match &step.action {
        Action::Create(_) => "create",
        Action::Configure(difference, _) => {
            let mut changes = difference.changes.clone();
            redact::changes(&step.id, &mut changes);
            fields = changes.into_iter().map(field).collect();
            "configure"
        }
        Action::Unchanged => "unchanged",
        Action::Delete(_) => "delete",
        Action::Keep(why) => {
            reason = Some(match why {
                Keep::Policy => "helm.sh/resource-policy is keep".to_owned(),
                Keep::Foreign(mark) => format!("belongs to somebody else now: {mark}"),
                Keep::BeingDeleted => "is being deleted already".to_owned(),
            });
            "keep"
        }
    };
    Line {
        action,
        group: step.id.group.clone(),
        kind: step.id.kind.clone(),
        namespace: step.id.namespace.clone(),
        name: step.id.name.clone(),
        template: step
            .origin
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reason,
        fields,
    }
}

fn field(change: Change) -> Field {
    let cause = match change.cause {
        Cause::Chart => "chart",
        Cause::Drift => "drift",
    };
    Field {
        path: change.path,
        old: change.old,
        new: change.new,
        cause,
    }
}
