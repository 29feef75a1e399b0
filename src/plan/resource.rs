//! What happens to one resource, from what was applied, what is wanted and what is live.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::checked::Checked;
use super::credentials::{self, Decision, Issues};
use super::diff::{self, Sides};
use super::objection::{About, Class, Objection};
use super::server_side;
use super::step::Credential;
use super::written::{Written, anew, apply_instead, create, twice};
use super::{Action, Inputs, Precondition, Step};
use super::{definition, ignored, immutable, pod_template};
use crate::builtin::Type;
use crate::manifest::{Resource, ResourceId};
use crate::release::ApplyMethod;

/// The resources of the base: for each the versions that were applied, oldest first, with the
/// ownership marks that they were applied with.
pub(super) struct Base<'a> {
    pub(super) resources: BTreeMap<&'a ResourceId, Vec<(&'a Resource, Value)>>,
}

impl<'a> Base<'a> {
    pub(super) fn new(inputs: &'a Inputs<'_>) -> Self {
        let mut resources: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for resource in inputs.base.iter().flat_map(|manifest| &manifest.resources) {
            let body = inputs.owner.marked(&resource.body);
            resources
                .entry(&resource.id)
                .or_default()
                .push((resource, body));
        }
        Self { resources }
    }

    /// The newest form of each resource.
    pub(super) fn newest(&self) -> impl Iterator<Item = &'a Resource> {
        let newest = self.resources.values().filter_map(|forms| forms.last());
        newest.map(|(resource, _)| *resource)
    }
}

/// What is decided about what a plan generates.
pub(super) struct Credentials {
    /// By the name of the Secret or config map.
    pub(super) decisions: BTreeMap<String, Decision>,
    pub(super) issues: Issues,
    /// The Services whose addresses are known after the apply.
    awaited: BTreeSet<String>,
}

impl Credentials {
    pub(super) fn new(decisions: Vec<Decision>) -> Self {
        let awaited = decisions.iter().flat_map(|decision| &decision.waits);
        Self {
            awaited: awaited.cloned().collect(),
            issues: Issues::of(&decisions),
            decisions: decisions
                .into_iter()
                .map(|decision| (decision.name.clone(), decision))
                .collect(),
        }
    }

    /// Whether a resource has to be there before the rest can be known: a Service whose address is
    /// asked for, or the namespace of one.
    pub(super) fn precedes(&self, resource: &Resource, inputs: &Inputs<'_>) -> bool {
        let ResourceId { kind, name, .. } = &resource.id;
        if self.awaited.is_empty() || !resource.id.group.is_empty() {
            return false;
        }
        match kind.as_str() {
            "Service" => is_own(resource, inputs) && self.awaited.contains(name),
            "Namespace" => name == inputs.owner.namespace,
            _ => false,
        }
    }
}

/// What happens to a resource that is wanted; none if its kind is unknown.
pub(super) fn apply(
    resource: &Resource,
    inputs: &Inputs<'_>,
    base: &Base<'_>,
    credentials: &Credentials,
) -> Option<Step> {
    let kind = inputs
        .kinds
        .find(&resource.api_version, &resource.id.kind)?
        .clone();
    let live = inputs.observed.get(&resource.id);
    let generator = inputs
        .desired
        .generator(&resource.id, inputs.owner.namespace);
    let desired = wanted(resource, inputs, credentials);
    let mut checked = Checked::default();
    let Written {
        action,
        apply,
        remark,
    } = match live {
        None => create(desired, inputs),
        Some(live) => change(resource, (desired, live), (inputs, base), &mut checked),
    };
    if action != Action::Unchanged {
        twice(resource, inputs, &mut checked);
    }
    let decision = generator.and_then(|made| credentials.decisions.get(&made.name));
    Some(Step {
        id: resource.id.clone(),
        kind,
        origin: Some(resource.origin.clone()),
        action,
        apply,
        credential: decision.map(|decision| Credential {
            decision: decision.clone(),
            precondition: live.map(Precondition::of),
        }),
        follows: None,
        remark,
        checked,
    })
}

/// A resource as it is wanted: with the marks of its release, and the stamps of what its pods use.
fn wanted(resource: &Resource, inputs: &Inputs<'_>, credentials: &Credentials) -> Value {
    if inputs.found.shared.contains(&resource.id) {
        return resource.body.clone();
    }
    let mut desired = inputs.owner.marked(&resource.body);
    if is_own(resource, inputs) {
        credentials::stamp(&mut desired, &credentials.issues);
    }
    desired
}

/// What a resource that exists needs.
fn change(
    resource: &Resource,
    (mut desired, live): (Value, &Value),
    (inputs, base): (&Inputs<'_>, &Base<'_>),
    checked: &mut Checked,
) -> Written {
    let generator = inputs
        .desired
        .generator(&resource.id, inputs.owner.namespace);
    if let Some(kind) = live.get("type").filter(|_| generator.is_some()) {
        // The type of a Secret cannot change, and that of one that is adopted may be another.
        desired["type"] = kind.clone();
    }
    let versions = base.resources.get(&resource.id).into_iter().flatten();
    let bodies = versions.map(|(_, body)| match generator {
        // What a template has written before is the data that is decided about.
        Some(_) => Cow::Owned(without_data(body)),
        None => Cow::Borrowed(body),
    });
    let mut bodies: Vec<Cow<'_, Value>> = bodies.collect();
    if inputs.found.shared.contains(&resource.id) {
        bodies.push(Cow::Owned(definition::base(live)));
    }
    let sides = (&mut desired, bodies.as_mut_slice());
    checked.ignored = ignored::leave(&resource.id, sides, live, inputs);
    let mut written = Written {
        action: configure(inputs.schema(resource), (&bodies, &desired, live)),
        apply: None,
        remark: None,
    };
    if inputs.method.is_server_side() {
        let is_applied = base.resources.contains_key(&resource.id);
        let sides = server_side::Sides {
            base: &bodies,
            desired: &desired,
            live,
            before: match inputs.before {
                ApplyMethod::ServerSide if is_applied => server_side::Before::ServerSide,
                _ => server_side::Before::Other,
            },
            // The data of what is generated must not stay Helm's.
            need: generator.map_or(server_side::Need::Moves, |_| server_side::Need::Any),
        };
        let schema = inputs.schema(resource);
        written = apply_instead(written, (schema, &sides), checked);
    }
    if touches_pods(&desired, &written.action) {
        written.remark = pod_template::by_hand(&desired).or(written.remark);
    }
    if generator.is_none() {
        let action = (written.action, &desired, live);
        written.action = allowed(resource, action, inputs, checked);
    }
    anew(written, inputs)
}

/// What it rests on that a resource which exists needs no change.
pub(super) fn standing(
    resource: &Resource,
    live: &Value,
    (inputs, base): (&Inputs<'_>, &Base<'_>),
) -> Precondition {
    let mut desired = if inputs.found.shared.contains(&resource.id) {
        resource.body.clone()
    } else {
        inputs.owner.marked(&resource.body)
    };
    let versions = base.resources.get(&resource.id).into_iter().flatten();
    let mut bodies: Vec<Cow<'_, Value>> = versions.map(|(_, body)| Cow::Borrowed(body)).collect();
    ignored::leave(&resource.id, (&mut desired, &mut bodies), live, inputs);
    let mut bodies: Vec<&Value> = bodies.iter().map(AsRef::as_ref).collect();
    bodies.push(&desired);
    Precondition::about(live, &bodies)
}

/// Whether a resource is in the namespace of the release, where everything generated is.
pub(super) fn is_own(resource: &Resource, inputs: &Inputs<'_>) -> bool {
    resource.id.namespace.as_deref() == Some(inputs.owner.namespace)
}

/// The action by which a change comes about that is not allowed as it is; where there is none, what
/// stands against it.
fn allowed(
    resource: &Resource,
    (action, desired, live): (Action, &Value, &Value),
    inputs: &Inputs<'_>,
    checked: &mut Checked,
) -> Action {
    let Action::Configure(difference, _) = &action else {
        return action;
    };
    let mut object = |reason, remedy| {
        checked.objections.push(Objection {
            id: resource.id.clone(),
            origin: Some(resource.origin.clone()),
            about: About::Itself,
            reason,
            remedy,
            class: Class::Refused,
        });
    };
    let decided = immutable::decide(&resource.id, (desired, live), difference, inputs.consent);
    match decided {
        Some(Ok(recreation)) => return Action::Recreate(Box::new(recreation)),
        Some(Err(barred)) => object(barred.reason, Some(barred.remedy)),
        None => {
            let is_one = definition::is_one(&resource.id);
            let danger = is_one.then(|| definition::danger(live, desired)).flatten();
            if let Some(reason) = danger {
                object(reason, Some("migrate what is stored first".to_owned()));
            }
        }
    }
    action
}

fn without_data(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("data");
        fields.remove("stringData");
    }
    body
}

fn configure(
    schema: Option<Type<'_>>,
    (applied, desired, live): (&[Cow<'_, Value>], &Value, &Value),
) -> Action {
    let stamps = stale_stamps(live);
    let mut base: Vec<&Value> = applied.iter().map(AsRef::as_ref).collect();
    base.extend(stamps.as_ref());
    let sides = Sides {
        base: &base,
        desired,
        live,
    };
    match diff::three_way(schema, &sides) {
        None => Action::Unchanged,
        Some(difference) => {
            base.push(desired);
            Action::Configure(difference, Precondition::about(live, &base))
        }
    }
}

/// The stamps of a live workload as something that was applied, so that those go which are not
/// wanted any more: they are ours and stand in no recorded manifest.
pub(super) fn stale_stamps(live: &Value) -> Option<Value> {
    let stamps = credentials::stamps(live);
    if stamps.is_empty() {
        return None;
    }
    let mut body = json!({ "metadata": { "annotations": stamps } });
    let fields = pod_template::path(live)?
        .split('/')
        .filter(|f| !f.is_empty());
    for field in fields.collect::<Vec<_>>().into_iter().rev() {
        body = json!({ field: body });
    }
    Some(body)
}

fn touches_pods(desired: &Value, action: &Action) -> bool {
    let (Some(path), Action::Configure(difference, _)) = (pod_template::path(desired), action)
    else {
        return false;
    };
    pod_template::is_below(path, difference)
}
