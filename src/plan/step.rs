//! One step of a plan.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checked::Checked;
use super::credentials::{self, Decision};
use super::diff::Difference;
use super::immutable::Recreation;
use super::precondition::Precondition;
use super::server_side::Apply;
use crate::capabilities::Kind;
use crate::manifest::{Origin, Resource, ResourceId};

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The resource.
    pub id: ResourceId,
    /// How the API server addresses it.
    pub kind: Kind,
    /// The template that asks for it, or asked for it before.
    pub origin: Option<Origin>,
    /// What is done; for a generated Secret, to all of it but its data.
    pub action: Action,
    /// How it is written by server-side apply; none where the action says all, and for patches.
    pub apply: Option<Apply>,
    /// What is done to the data of a generated Secret.
    pub credential: Option<Credential>,
    /// The uid of the resource that is being deleted under its name and has to be gone first.
    pub follows: Option<String>,
    /// What the user has to do or to know besides.
    pub remark: Option<String>,
    /// What was found out about it before anything was written.
    pub checked: Checked,
}

impl Step {
    /// What the step does, all in all.
    pub fn effect(&self) -> Effect {
        let credential = self.credential.as_ref();
        match self.action {
            _ if credential.is_some_and(Credential::is_issued) => Effect::Issue,
            Action::Create(_) => Effect::Create,
            Action::Configure(..) => Effect::Configure,
            Action::Recreate(_) => Effect::Recreate,
            Action::Unchanged if self.apply.is_some() => Effect::Configure,
            Action::Unchanged if !credential.is_none_or(Credential::is_kept) => Effect::Configure,
            Action::Unchanged => Effect::Unchanged,
            Action::Delete(..) => Effect::Delete,
            Action::Keep(_) => Effect::Keep,
        }
    }

    /// The same step; if it deletes something, what that owns is deleted before it.
    pub(super) fn with_dependents_first(mut self) -> Self {
        if let Action::Delete(_, cascade) = &mut self.action {
            *cascade = Cascade::Foreground;
        }
        self
    }

    /// Whether the resource is wanted no more and being deleted when the step is done, whoever has begun that.
    pub(super) fn is_end(&self) -> bool {
        let is_going = self.action == Action::Keep(Keep::BeingDeleted);
        is_going || matches!(self.action, Action::Delete(..))
    }

    /// A step about a resource of the manifests, of which nothing more is known yet.
    pub(super) fn of(resource: &Resource, (kind, action): (Kind, Action)) -> Self {
        Self {
            id: resource.id.clone(),
            kind,
            origin: Some(resource.origin.clone()),
            action,
            apply: None,
            credential: None,
            follows: None,
            remark: None,
            checked: Checked::default(),
        }
    }

    /// The kind and name of the role that a new binding names.
    pub(super) fn role(&self) -> Option<(&str, &str)> {
        let body = match &self.action {
            Action::Create(body) => body,
            Action::Recreate(recreation) => &recreation.body,
            _ => return None,
        };
        let role = body.get("roleRef")?;
        Some((role.get("kind")?.as_str()?, role.get("name")?.as_str()?))
    }

    /// Whether the step sends anything.
    pub fn is_change(&self) -> bool {
        !matches!(self.effect(), Effect::Unchanged | Effect::Keep)
    }
}

impl Action {
    /// What differs of a resource that is there and is patched or made anew.
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Configure(difference, _) => Some(difference),
            Self::Recreate(recreation) => Some(&recreation.difference),
            _ => None,
        }
    }
}

impl FromIterator<Effect> for Counts {
    fn from_iter<T: IntoIterator<Item = Effect>>(effects: T) -> Self {
        let mut counts = Self::default();
        effects.into_iter().for_each(|effect| counts.add(effect));
        counts
    }
}

/// What a step does, in one word; `issue` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The data of a generated Secret is made.
    Issue,
    /// A resource is created.
    Create,
    /// A resource is patched.
    Configure,
    /// A resource is deleted and created anew.
    Recreate,
    /// Nothing is sent.
    Unchanged,
    /// A resource is deleted.
    Delete,
    /// A resource that is wanted no more stays.
    Keep,
}

/// What is done to the data of a generated Secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// What is decided about it, and why.
    pub decision: Decision,
    /// The state of the Secret that this was decided on; none if there is no such Secret.
    pub precondition: Option<Precondition>,
}

impl Credential {
    /// Whether the data and its marks stay as they are.
    pub fn is_kept(&self) -> bool {
        matches!(self.decision.action, credentials::Action::Keep { .. })
    }

    /// Whether the data is made.
    pub fn is_issued(&self) -> bool {
        matches!(self.decision.action, credentials::Action::Issue { .. })
    }
}

/// What is done to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It is created with this body.
    Create(Value),
    /// It is patched, provided that it is still what the patch was computed from.
    Configure(Difference, Precondition),
    /// It is deleted and created anew, because the change is not allowed.
    Recreate(Box<Recreation>),
    /// It is what is wanted; nothing is sent.
    Unchanged,
    /// It is deleted, provided that it is still what that was decided on.
    Delete(Precondition, Cascade),
    /// It is wanted no more and stays.
    Keep(Keep),
}

/// When what a deleted resource owns is deleted, such as the pods of a Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cascade {
    /// After it.
    Background,
    /// Before it, so that it is gone when they are.
    Foreground,
    /// It stays.
    Orphan,
}

/// Why a resource that is wanted no more stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Its `helm.sh/resource-policy` says so.
    Policy,
    /// It does not carry the release's ownership marks; the text says which differ.
    Foreign(String),
    /// It is being deleted already.
    BeingDeleted,
    /// It defines a kind of which there is something, which the text tells.
    Instances(String),
    /// It is generated, and this revision, to which a rollback is possible, has its generator.
    Mentioned(u32),
}

/// How many steps of a plan do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Generated Secrets whose data is made.
    pub issue: usize,
    /// Resources to create.
    pub create: usize,
    /// Resources to patch.
    pub configure: usize,
    /// Resources to delete and create anew.
    pub recreate: usize,
    /// Resources that are what is wanted.
    pub unchanged: usize,
    /// Resources to delete.
    pub delete: usize,
    /// Resources that stay though they are wanted no more.
    pub keep: usize,
}

impl Counts {
    /// The counts of these steps.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        steps.into_iter().map(Step::effect).collect()
    }

    fn add(&mut self, effect: Effect) {
        *match effect {
            Effect::Issue => &mut self.issue,
            Effect::Create => &mut self.create,
            Effect::Configure => &mut self.configure,
            Effect::Recreate => &mut self.recreate,
            Effect::Unchanged => &mut self.unchanged,
            Effect::Delete => &mut self.delete,
            Effect::Keep => &mut self.keep,
        } += 1;
    }

    /// Whether a plan with these counts sends nothing about its resources.
    pub fn is_no_change(self) -> bool {
        self.issue + self.create + self.configure + self.recreate + self.delete == 0
    }
}
