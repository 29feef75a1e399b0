//! What a plan itself makes, which a dry run of the rest cannot see.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Action, Plan, Step};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::definition;

/// The resources that a plan makes or changes, and what they serve.
#[derive(Debug, Default)]
pub struct Made<'a> {
    created: Vec<&'a ResourceId>,
    changed: Vec<&'a ResourceId>,
    /// The namespace that is made before the plan is carried out.
    namespace: Option<&'a str>,
    /// The webhooks of the configurations that are made or changed, by name.
    webhooks: BTreeMap<String, &'a ResourceId>,
    /// The API groups and kinds of the definitions that are made or changed.
    kinds: BTreeMap<(String, String), &'a ResourceId>,
    deleted: Vec<&'a ResourceId>,
    /// The webhooks of the configurations that are deleted, by name.
    deleted_webhooks: BTreeMap<String, &'a ResourceId>,
}

impl<'a> Made<'a> {
    /// What `plan` makes of the manifest `desired` where `base` was applied before, behind the
    /// namespace that is made first.
    pub fn of(
        plan: &'a Plan,
        (desired, base): (&'a Manifest, &'a [Manifest]),
        namespace: Option<&'a str>,
    ) -> Self {
        let mut made = Self {
            namespace,
            ..Self::default()
        };
        for step in plan.tried() {
            match step.action {
                Action::Create(_) | Action::Recreate(_) => made.created.push(&step.id),
                Action::Configure(..) => made.changed.push(&step.id),
                Action::Delete(..) => made.deleted.push(&step.id),
                Action::Unchanged | Action::Keep(_) => {}
            }
        }
        for resource in base.iter().flat_map(|manifest| &manifest.resources) {
            if made.deleted.contains(&&resource.id) {
                let webhooks = webhooks(&resource.body);
                let webhooks = webhooks.map(|webhook| (webhook.to_owned(), &resource.id));
                made.deleted_webhooks.extend(webhooks);
            }
        }
        for resource in &desired.resources {
            if !made.has(&resource.id) {
                continue;
            }
            for webhook in webhooks(&resource.body) {
                made.webhooks.insert(webhook.to_owned(), &resource.id);
            }
            for kind in definition::kinds(&resource.body) {
                made.kinds.insert((kind.group, kind.kind), &resource.id);
            }
        }
        made
    }

    fn has(&self, id: &ResourceId) -> bool {
        self.created.contains(&id) || self.changed.contains(&id)
    }

    /// The resource of that kind and name that is made; of any namespace where none is given.
    pub(super) fn created(
        &self,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<String> {
        let is_meant = |id: &&&ResourceId| {
            id.kind == kind
                && id.name == name
                && (namespace.is_none() || id.namespace.as_deref() == namespace)
        };
        let found = self.created.iter().find(is_meant);
        found.map(|id| made(id))
    }

    /// The resource of one of these kinds and that name that is made or changed.
    pub(super) fn touched(&self, kinds: &[&str], name: &str) -> Option<String> {
        let is_meant = |id: &&&ResourceId| kinds.contains(&id.kind.as_str()) && id.name == name;
        if let Some(id) = self.created.iter().find(is_meant) {
            return Some(made(id));
        }
        self.changed.iter().find(is_meant).map(|id| changed(id))
    }

    /// The resource of that kind and name that is deleted.
    pub(super) fn removed(&self, kind: &str, name: &str) -> Option<String> {
        let mut deleted = self.deleted.iter();
        let found = deleted.find(|id| id.kind == kind && id.name == name);
        found.map(|id| deleted_too(id))
    }

    /// The configuration of a webhook, if it is deleted.
    pub(super) fn removed_webhook(&self, name: &str) -> Option<String> {
        self.deleted_webhooks.get(name).map(|id| deleted_too(id))
    }

    /// A resource of that kind in a namespace that is made.
    pub(super) fn any(&self, kind: &str, namespace: &str) -> Option<String> {
        let is_meant =
            |id: &&&ResourceId| id.kind == kind && id.namespace.as_deref() == Some(namespace);
        self.created.iter().find(is_meant).map(|id| made(id))
    }

    /// The namespace, if the plan or what comes before it makes it.
    pub(super) fn namespace(&self, name: &str) -> Option<String> {
        if self.namespace == Some(name) {
            return Some(format!("Namespace {name} is made first"));
        }
        self.created("Namespace", None, name)
    }

    /// The configuration of a webhook, if the plan makes or changes it.
    pub(super) fn webhook(&self, name: &str) -> Option<String> {
        let id = self.webhooks.get(name)?;
        self.touched(&[id.kind.as_str()], &id.name)
    }

    /// The definition of the kind of a step, if the plan makes or changes it.
    pub(super) fn definition(&self, step: &Step) -> Option<String> {
        let kind = (step.id.group.clone(), step.id.kind.clone());
        let id = self.kinds.get(&kind)?;
        self.touched(&[id.kind.as_str()], &id.name)
    }

    /// Why a step cannot be tried at all.
    pub(super) fn prevents(&self, step: &Step) -> Option<String> {
        let kind = (step.id.group.clone(), step.id.kind.clone());
        let definition = self.kinds.get(&kind).filter(|id| self.created.contains(id));
        if let Some(id) = definition {
            return Some(made(id));
        }
        self.namespace(step.id.namespace.as_deref()?)
    }
}

/// Why nobody could be asked what a step will say about the rest.
pub(super) fn asks_others(step: &Step) -> Option<&'static str> {
    let kind = (step.id.group.as_str(), step.id.kind.as_str());
    let is_asked = matches!(
        kind,
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration"
                | "MutatingWebhookConfiguration"
                | "ValidatingAdmissionPolicy"
                | "ValidatingAdmissionPolicyBinding"
                | "MutatingAdmissionPolicy"
                | "MutatingAdmissionPolicyBinding"
        )
    );
    is_asked.then_some("what it admits is not known before it is there")
}

fn made(id: &ResourceId) -> String {
    format!("{id} is made by this change")
}

fn deleted_too(id: &ResourceId) -> String {
    format!("{id} is deleted by this change")
}

fn changed(id: &ResourceId) -> String {
    format!("{id} is changed by this change")
}

/// The names of the webhooks of a configuration.
fn webhooks(body: &Value) -> impl Iterator<Item = &str> {
    let is_meant = body
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("WebhookConfiguration"));
    let webhooks = body.get("webhooks").filter(|_| is_meant);
    let webhooks = webhooks.and_then(Value::as_array).into_iter().flatten();
    webhooks.filter_map(|webhook| webhook.get("name")?.as_str())
}
