//! The hooks of a change: which of them run, in which order, and what is left of them in the end.
//!
//! The hooks of revisions and what the cluster holds come in, one [`HookStep`] for each run goes out.
//! Running them is left to `ops`. A resource counts as that of a hook if it carries the annotation
//! of hooks: Helm marks them in no other way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::diff::{Difference, Patch};
use super::objection::{About, Class, Objection};
use super::{Action, Error, Inputs, Precondition, Recreation, Step, Way};
use crate::capabilities::{Kind, Kinds};
use crate::manifest::{
    DeletePolicy, HOOK, Hook, HookEvent, Manifest, Resource, ResourceId, ResourcePolicy,
    annotation, in_order,
};

/// Kinds whose resources of hooks stay when their release goes, because data would go with them.
const LASTING: [&str; 4] = [
    "CustomResourceDefinition",
    "Namespace",
    "PersistentVolume",
    "PersistentVolumeClaim",
];

/// Which hooks a change is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HookAim {
    /// The events at which hooks of the wanted revision run, in this order.
    pub events: Vec<HookEvent>,
    /// What is left of hooks in the end.
    pub remains: Remains,
    /// What commands that did not come to their end have left of hooks, and would not have left otherwise.
    pub strays: Vec<Resource>,
}

/// What is left of hooks at the end of a change, apart from what their own policies say.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Remains {
    /// What their revisions still have; Jobs and Pods of others are deleted, and strays that run no more.
    #[default]
    Current,
    /// Nothing of the wanted revision, its base and these resources of hooks of older revisions, but what
    /// `helm.sh/resource-policy` keeps and what holds data.
    Nothing(Vec<Resource>),
}

/// The hooks of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hooks {
    /// What runs, in order: first all that comes before the first change.
    pub steps: Vec<HookStep>,
    /// What is deleted in the end, if it is there then and a hook's.
    pub left: Vec<Left>,
}

/// What may be left of a hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// Its resource.
    pub id: ResourceId,
    /// How the API server addresses it.
    pub kind: Kind,
    /// Whether it is there now.
    pub is_there: bool,
}

/// One run of a hook.
#[derive(Debug, Clone, PartialEq)]
pub struct HookStep {
    /// The hook.
    pub hook: Hook,
    /// When it runs.
    pub event: HookEvent,
    /// What is written, as far as that is known before.
    pub step: Step,
}

impl HookStep {
    /// The tests of a revision, in order. Nothing is known of what the cluster holds of them.
    ///
    /// # Errors
    /// If the cluster does not know the kind of one.
    pub fn tests(hooks: &[Hook], kinds: &Kinds) -> Result<Vec<Self>, Error> {
        let tests = in_order(hooks, HookEvent::Test);
        refuse_unknown(tests.iter().copied(), kinds)?;
        let test = |hook: &Hook| {
            let body = hook.resource.body.clone();
            let kind = find(&hook.resource, kinds)?;
            let step = Step::of(&hook.resource, (kind, Action::Create(body)));
            Some(Self {
                hook: hook.clone(),
                event: HookEvent::Test,
                step,
            })
        };
        Ok(tests.into_iter().filter_map(test).collect())
    }

    /// Whether what is left of an earlier run makes way for this one. What runs to an end cannot be
    /// run again otherwise, so it always does; definitions never do.
    pub fn is_anew(&self) -> bool {
        is_anew(&self.hook)
    }
}

fn is_anew(hook: &Hook) -> bool {
    hook.is_deleted(DeletePolicy::BeforeHookCreation) || hook.is_run()
}

/// Whether the resource of a hook goes with its release, at the latest.
pub fn is_cleaned_up(resource: &Resource) -> bool {
    let is_lasting = LASTING.contains(&resource.id.kind.as_str());
    !is_lasting && resource.policy() == ResourcePolicy::Delete
}

/// Whether a resource in the cluster is that of a hook.
pub fn is_hook(live: &Value) -> bool {
    annotation(live, HOOK).is_some()
}

impl HookAim {
    /// What has to be read of the cluster to plan these hooks.
    pub fn resources<'a>(
        &'a self,
        desired: &'a Manifest,
        base: &'a [Manifest],
    ) -> Vec<&'a Resource> {
        let runs = self.runs(desired);
        let runs = runs.into_iter().map(|(_, hook)| &hook.resource);
        runs.chain(self.left(desired, base)).collect()
    }

    fn runs<'a>(&self, desired: &'a Manifest) -> Vec<(HookEvent, &'a Hook)> {
        let at = |event: &HookEvent| {
            let own = in_order(&desired.hooks, *event).into_iter();
            own.map(|hook| (*event, hook)).collect::<Vec<_>>()
        };
        self.events.iter().flat_map(at).collect()
    }

    /// What is to be deleted in the end.
    fn left<'a>(&'a self, desired: &'a Manifest, base: &'a [Manifest]) -> Vec<&'a Resource> {
        let before = base.iter().flat_map(|manifest| &manifest.hooks);
        let own = desired.hooks.iter();
        let has = |id: &ResourceId| own.clone().any(|hook| hook.resource.id == *id);
        // The newest word about a resource counts.
        let newest = before.clone().chain(own.clone()).rev();
        let mut is_kept: BTreeMap<&ResourceId, bool> = BTreeMap::new();
        for hook in newest {
            let is_cleaned = is_cleaned_up(&hook.resource);
            is_kept.entry(&hook.resource.id).or_insert(!is_cleaned);
        }
        let resources = desired.resources.iter();
        let mut known: BTreeSet<&ResourceId> = resources.map(|resource| &resource.id).collect();
        let found: Vec<&Resource> = match &self.remains {
            Remains::Current => {
                let again = self.runs(desired);
                let again = |id: &ResourceId| again.iter().any(|(_, hook)| hook.resource.id == *id);
                let ran = before.filter(|hook| hook.is_run() && !has(&hook.resource.id));
                let ran = ran.map(|hook| &hook.resource);
                let strays = self.strays.iter();
                ran.chain(strays.filter(|stray| !again(&stray.id)))
                    .collect()
            }
            Remains::Nothing(older) => {
                let hooks = before.chain(own.clone()).map(|hook| &hook.resource);
                hooks.chain(older).collect()
            }
        };
        let found = found.into_iter();
        let found = found.filter(|resource| is_kept.get(&resource.id) != Some(&true));
        found
            .filter(|resource| known.insert(&resource.id))
            .collect()
    }
}

impl Hooks {
    /// Decides what a change does about hooks.
    ///
    /// # Errors
    /// If the cluster does not know the kind of a hook that is to run.
    pub fn new(inputs: &Inputs<'_>, aim: &HookAim) -> Result<Self, Error> {
        let runs = aim.runs(inputs.desired);
        refuse_unknown(runs.iter().map(|(_, hook)| *hook), inputs.kinds)?;
        let steps = runs.into_iter().filter_map(|(event, hook)| {
            Some(HookStep {
                hook: hook.clone(),
                event,
                step: decide(hook, inputs)?,
            })
        });
        let left = aim.left(inputs.desired, inputs.base).into_iter();
        let left = left.filter_map(|one| {
            Some(Left {
                id: one.id.clone(),
                kind: find(one, inputs.kinds)?,
                is_there: inputs.observed.get(&one.id).is_some_and(is_hook),
            })
        });
        Ok(Self {
            steps: steps.collect(),
            left: left.collect(),
        })
    }

    /// What runs before the first change.
    pub fn before(&self) -> Vec<&HookStep> {
        let steps = self.steps.iter();
        steps.filter(|one| one.event.is_before()).collect()
    }

    /// What runs after the last change.
    pub fn after(&self) -> Vec<&HookStep> {
        let steps = self.steps.iter();
        steps.filter(|one| !one.event.is_before()).collect()
    }

    /// Whether a hook that runs is about this resource.
    pub(super) fn has(&self, id: &ResourceId) -> bool {
        self.steps.iter().any(|one| one.step.id == *id)
    }

    /// The step of each hook once, however often it runs.
    pub(super) fn tried(&self) -> impl Iterator<Item = &Step> {
        let mut seen = BTreeSet::new();
        let steps = self.steps.iter();
        let first = steps.filter(move |one| seen.insert(one.hook.index));
        first.map(|one| &one.step)
    }
}

/// Refuses to run hooks whose kinds the cluster does not know.
fn refuse_unknown<'a>(hooks: impl Iterator<Item = &'a Hook>, kinds: &Kinds) -> Result<(), Error> {
    let resources = hooks.map(|hook| &hook.resource);
    let unknown: Vec<_> = resources
        .filter(|resource| find(resource, kinds).is_none())
        .map(|resource| {
            let what = format!("{} {}", resource.api_version, resource.id.kind);
            (what, resource.origin.clone())
        })
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownKinds(unknown))
    }
}

fn find(resource: &Resource, kinds: &Kinds) -> Option<Kind> {
    kinds
        .find(&resource.api_version, &resource.id.kind)
        .cloned()
}

/// What is written for a hook.
fn decide(hook: &Hook, inputs: &Inputs<'_>) -> Option<Step> {
    let resource = &hook.resource;
    let live = inputs.observed.get(&resource.id);
    let action = match live {
        None => Action::Create(resource.body.clone()),
        Some(live) => again(hook, live),
    };
    let mut step = Step::of(resource, (find(resource, inputs.kinds)?, action));
    if live.is_some_and(|live| !is_hook(live)) && !was_applied(&resource.id, inputs) {
        step.checked.objections.push(foreign(hook));
    }
    Some(step)
}

/// What is written where the resource of a hook is there already.
fn again(hook: &Hook, live: &Value) -> Action {
    let body = &hook.resource.body;
    let difference = Difference {
        patch: Patch::Merge(body.clone()),
        changes: vec![],
    };
    if !is_anew(hook) {
        return Action::Configure(difference, Precondition::of(live));
    }
    Action::Recreate(Box::new(Recreation {
        body: body.clone(),
        precondition: Precondition::of(live),
        way: Way::Whole,
        fields: vec![],
        loss: "",
        difference,
    }))
}

/// Whether the resource was part of an earlier revision without being a hook.
fn was_applied(id: &ResourceId, inputs: &Inputs<'_>) -> bool {
    let mut base = inputs.base.iter().flat_map(|manifest| &manifest.resources);
    base.any(|resource| resource.id == *id)
}

fn foreign(hook: &Hook) -> Objection {
    Objection {
        id: hook.resource.id.clone(),
        origin: Some(hook.resource.origin.clone()),
        about: About::Itself,
        reason: "it exists already and is no hook".to_owned(),
        remedy: Some("delete it, or give the hook another name".to_owned()),
        class: Class::Taken,
    }
}

#[cfg(test)]
mod tests;
