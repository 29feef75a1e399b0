//! A plan as structured lines that can be shown: no value of a Secret is in them, unless the user has
//! asked for that.

mod left;

use serde::Serialize;
use serde_json::Value;

use super::between::Compared;
use super::credentials;
use super::diff::{Cause, Change};
use super::drift::Author;
use super::redact::{self, Secrets};
use super::roll;
use super::{
    Action, Counts, Credential, Effect, Gate, HookStep, Keep, Part, Plan, Stage, Step, Until, Way,
};
use crate::manifest::ResourceId;
use left::{ignored, untouched};

pub use left::{IgnoredField, UntouchedField};

/// What a plan does, for people and machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many steps do what.
    pub counts: Counts,
    /// Whether stages are of any interest: there are generated Secrets or groups.
    #[serde(skip)]
    pub is_staged: bool,
    /// The revisions, where records are compared.
    #[serde(flatten)]
    pub revisions: Option<Revisions>,
    /// The stages in the order in which they start, those that send nothing included; none where records
    /// are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<StageLine>>,
    /// One line per step, in the order of execution.
    pub lines: Vec<Line>,
    /// What runs before and after it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookLine>,
    /// What is left of hooks and is deleted in the end, as kind and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deleted_hooks: Vec<String>,
}

/// The revisions whose records are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Revisions {
    /// That of the old values.
    pub from: u32,
    /// That of the new values.
    pub to: u32,
}

/// One run of a hook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookLine {
    /// When it runs: `pre-install`.
    pub event: &'static str,
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
    /// What cannot be checked before other steps are done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checked_later: Vec<String>,
    /// What the API server warns about, and what could not be checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One stage of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageLine {
    /// `definitions`, `addresses`, `credentials`, `group`, `ungrouped`, `deletions`,
    /// `credential deletions` or `definition deletions`.
    pub part: &'static str,
    /// The name of the resource group, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// The same in words.
    #[serde(skip)]
    pub title: String,
    /// Whether it sends anything.
    pub changes: bool,
    /// What it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateLine>,
}

/// What a stage waits for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateLine {
    /// The earlier stage, as [`Part`] shows it.
    pub stage: String,
    /// What has to be true of it.
    pub until: Until,
}

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What is done.
    pub action: Effect,
    /// The index of its stage, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
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
    /// Why it stays, where it is kept, or is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The Services on whose addresses it depends what is made, which are known after the apply.
    #[serde(rename = "known_after_apply", skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<String>,
    /// What the user has to do or to know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Why its pods are replaced; empty if they stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rolls: Vec<String>,
    /// What is lost where it is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loses: Option<&'static str>,
    /// What cannot be checked before other steps are done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checked_later: Vec<String>,
    /// What the API server warns about, and what could not be checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What differs and is left to others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredField>,
    /// What no chart speaks of and is left alone, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untouched: Vec<UntouchedField>,
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
    /// Who changed it, where somebody did and that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
}

impl Report {
    /// The lines of `plan`.
    pub fn of(plan: &Plan, secrets: Secrets) -> Self {
        let stages = plan.stages.iter().map(|stage| stage_line(stage, plan));
        let lines = (0..).zip(&plan.stages).flat_map(|(index, stage)| {
            let steps = stage.phases.iter().flatten();
            steps.map(move |step| line(index, step, secrets))
        });
        Self {
            counts: plan.counts(),
            is_staged: plan.is_staged(),
            revisions: None,
            stages: Some(stages.collect()),
            lines: lines.collect(),
            hooks: plan.hooks.steps.iter().map(hook).collect(),
            deleted_hooks: deleted_hooks(plan),
        }
    }

    /// What distinguishes two revisions, as far as their records tell; there are no stages.
    pub fn between(revisions: Revisions, compared: &[Compared], secrets: Secrets) -> Self {
        let effects = compared.iter().map(|one| one.effect);
        let line = |one| compared_line(one, secrets);
        Self {
            counts: effects.collect(),
            is_staged: false,
            revisions: Some(revisions),
            stages: None,
            lines: compared.iter().map(line).collect(),
            hooks: vec![],
            deleted_hooks: vec![],
        }
    }
}

fn hook(hook: &HookStep) -> HookLine {
    let step = &hook.step;
    HookLine {
        event: hook.event.name(),
        group: step.id.group.clone(),
        kind: step.id.kind.clone(),
        namespace: step.id.namespace.clone(),
        name: step.id.name.clone(),
        template: hook.hook.resource.origin.to_string(),
        checked_later: step.checked.later.clone(),
        warnings: step.checked.warnings.clone(),
    }
}

fn deleted_hooks(plan: &Plan) -> Vec<String> {
    let there = plan.hooks.left.iter().filter(|left| left.is_there);
    there.map(|left| left.id.to_string()).collect()
}

fn compared_line(one: &Compared, secrets: Secrets) -> Line {
    Line {
        action: one.effect,
        stage: None,
        group: one.id.group.clone(),
        kind: one.id.kind.clone(),
        namespace: one.id.namespace.clone(),
        name: one.id.name.clone(),
        template: one.origin.to_string(),
        reason: None,
        waits: vec![],
        remark: None,
        rolls: vec![],
        loses: None,
        checked_later: vec![],
        warnings: vec![],
        ignored: vec![],
        untouched: vec![],
        fields: fields(&one.id, &one.changes, secrets),
    }
}

/// The changes of a resource as they may be shown.
pub(super) fn fields(id: &ResourceId, changes: &[Change], secrets: Secrets) -> Vec<Field> {
    let mut changes = changes.to_vec();
    if secrets == Secrets::Redacted {
        redact::changes(id, &mut changes);
    }
    changes.into_iter().map(field).collect()
}

fn stage_line(stage: &Stage, plan: &Plan) -> StageLine {
    let gate = |gate: &Gate| {
        Some(GateLine {
            stage: plan.stages.get(gate.stage)?.part.to_string(),
            until: gate.until,
        })
    };
    let (part, group) = match &stage.part {
        Part::Definitions => ("definitions", None),
        Part::Addresses => ("addresses", None),
        Part::Credentials => ("credentials", None),
        Part::Group(name) => ("group", Some(name.clone())),
        Part::Ungrouped => ("ungrouped", None),
        Part::Deletions => ("deletions", None),
        Part::GroupDeletions(name) => ("deletions", Some(name.clone())),
        Part::CredentialDeletions => ("credential deletions", None),
        Part::DefinitionDeletions => ("definition deletions", None),
    };
    StageLine {
        part,
        resource_group: group,
        title: stage.part.to_string(),
        changes: stage.has_changes(),
        gates: stage.gates.iter().filter_map(gate).collect(),
    }
}

/// Why a resource is made anew.
fn anew(action: &Action) -> Option<String> {
    let Action::Recreate(recreation) = action else {
        return None;
    };
    let fields = recreation.fields.join(", ");
    let why = if fields.is_empty() {
        "as you wish".to_owned()
    } else {
        format!("{fields} cannot be changed")
    };
    Some(match recreation.way {
        Way::Whole => why,
        Way::Orphan => format!("{why}; the pods stay"),
    })
}

fn line(stage: usize, step: &Step, secrets: Secrets) -> Line {
    let mut shown = vec![];
    if let Some(difference) = step.action.difference() {
        shown = fields(&step.id, &difference.changes, secrets);
    }
    for field in shown.iter_mut().filter(|field| field.cause == "drift") {
        field.by = step.checked.authors.get(&field.path).cloned();
    }
    let credential = step.credential.as_ref();
    let made = credential.map_or(&[][..], |made| &made.decision.changes);
    shown.extend(made.iter().cloned().map(field));
    Line {
        action: step.effect(),
        stage: Some(stage),
        group: step.id.group.clone(),
        kind: step.id.kind.clone(),
        namespace: step.id.namespace.clone(),
        name: step.id.name.clone(),
        template: step
            .origin
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reason: credential.map_or_else(|| kept(&step.action).or_else(|| anew(&step.action)), why),
        waits: credential.map_or_else(Vec::new, |made| made.decision.waits.clone()),
        remark: step.remark.clone(),
        rolls: roll::reasons(step),
        loses: match &step.action {
            Action::Recreate(recreation) => Some(recreation.loss),
            _ => None,
        },
        checked_later: step.checked.later.clone(),
        warnings: step.checked.warnings.clone(),
        ignored: step.checked.ignored.iter().map(ignored).collect(),
        untouched: untouched(step, secrets),
        fields: shown,
    }
}

/// Why the data of a generated Secret is made or marked; what of it stays though it differs.
fn why(credential: &Credential) -> Option<String> {
    let decision = &credential.decision;
    let kind = decision.kind;
    let action = match &decision.action {
        credentials::Action::Keep { .. } => None,
        credentials::Action::Adopt { .. } => Some(format!("{kind}: adopted as it is")),
        credentials::Action::Issue { reason, .. } => Some(format!("{kind}: {reason}")),
    };
    let deferred = decision.deferred.as_ref();
    let deferred = deferred.map(|reason| format!("{kind}: kept although {reason}"));
    action.or(deferred)
}

fn kept(action: &Action) -> Option<String> {
    let Action::Keep(why) = action else {
        return None;
    };
    Some(match why {
        Keep::Policy => "helm.sh/resource-policy is keep".to_owned(),
        Keep::Foreign(mark) => format!("belongs to somebody else now: {mark}"),
        Keep::Instances(found) => {
            format!("--delete-crds would delete what there is of its kind: {found}")
        }
        Keep::BeingDeleted => "is being deleted already".to_owned(),
        Keep::Mentioned(revision) => format!("revision {revision} can be gone back to and uses it"),
    })
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
        by: None,
    }
}
