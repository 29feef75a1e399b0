//! What is wanted and being deleted, by whomever: it counts as absent, and is made when the old one is gone.
//!
//! A deletion cannot be taken back, so that nothing is lost by that which is not lost already, and nobody has to
//! agree to it. Whether the plan would have been another one if the resource stayed is of no interest any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Action, Inputs, Observed, Stage, Step, definition};
use crate::manifest::{Resource, ResourceId};

/// What is said of a step that has to wait.
const REMARK: &str = "the one that is there is being deleted and has to be gone first";

/// The uids of wanted resources that are being deleted.
pub(super) type Ending = BTreeMap<ResourceId, String>;

/// Whether a live resource is being deleted.
pub fn is_ending(live: &Value) -> bool {
    live.pointer("/metadata/deletionTimestamp").is_some()
}

/// The wanted resources that are being deleted, by themselves or with their namespace or the definition of their
/// kind.
pub(super) fn of(inputs: &Inputs<'_>) -> Ending {
    let wanted = || inputs.desired.resources.iter();
    let ends = |resource: &&Resource| inputs.observed.get(&resource.id).is_some_and(is_ending);
    if !wanted().any(|resource| ends(&resource)) {
        return Ending::new();
    }
    let going = || wanted().filter(ends);
    let is_namespace = |id: &ResourceId| id.kind == "Namespace" && id.group.is_empty();
    let namespaces: BTreeSet<&str> = going()
        .filter(|resource| is_namespace(&resource.id))
        .map(|resource| resource.id.name.as_str())
        .collect();
    let kinds: BTreeSet<(String, String)> = going()
        .flat_map(|resource| definition::kinds(&resource.body))
        .map(|kind| (kind.group, kind.kind))
        .collect();
    let goes = |resource: &Resource| {
        let id = &resource.id;
        let namespace = id.namespace.as_deref();
        ends(&resource)
            || namespace.is_some_and(|name| namespaces.contains(name))
            || kinds.contains(&(id.group.clone(), id.kind.clone()))
    };
    let found = wanted().filter(|resource| goes(resource));
    found
        .filter_map(|resource| {
            let uid = inputs.observed.get(&resource.id)?.pointer("/metadata/uid");
            let uid = uid.and_then(Value::as_str).unwrap_or_default();
            Some((resource.id.clone(), uid.to_owned()))
        })
        .collect()
}

/// What there is without what is being deleted.
pub(super) fn without(observed: &Observed, ending: &Ending) -> Observed {
    let stays = observed.iter().filter(|(id, _)| !ending.contains_key(id));
    stays.map(|(id, live)| (id.clone(), live.clone())).collect()
}

/// Puts claims that have to be gone first behind all else of their stage: pods hold them, and may go by what
/// comes of that.
pub(super) fn defer(stage: &mut Stage) {
    let is_held = |step: &mut Step| {
        let is_claim = step.id.group.is_empty() && step.id.kind == "PersistentVolumeClaim";
        is_claim && step.follows.is_some()
    };
    let phases = stage.phases.iter_mut();
    let held: Vec<Step> = phases
        .flat_map(|phase| phase.extract_if(.., is_held))
        .collect();
    stage.phases.retain(|phase| !phase.is_empty());
    if !held.is_empty() {
        stage.phases.push(held);
    }
}

/// Makes a step wait until what is being deleted under its name is gone.
pub(super) fn postpone(step: &mut Step, ending: &Ending) {
    if let (Some(uid), Action::Create(_)) = (ending.get(&step.id), &step.action) {
        step.follows = Some(uid.clone());
        step.remark = Some(REMARK.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capabilities::Kinds;
    use crate::plan::tests::manifest;
    use crate::plan::{Consent, Effect, Found, Method, Owner, Plan};
    use crate::release::ApplyMethod;

    const TEXT: &str = r"apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: inside, namespace: other}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: stays}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: absent}
";

    /// Checks what is done to what is wanted, where `going` is being deleted and belongs to `whose`: a plus is
    /// before what is created, an ellipsis behind what waits.
    #[track_caller]
    fn check((going, whose): (&str, &str), expected: &[&str]) {
        let kinds = Kinds::default();
        let desired = manifest(TEXT, &kinds);
        let base = [desired.clone()];
        let owner = |release| Owner {
            release,
            namespace: "shop",
        };
        let there = desired.resources.iter();
        let there = there.filter(|resource| resource.id.name != "absent");
        let observed: Observed = there
            .map(|resource| {
                let is_going = resource.id.name == going;
                let owner = owner(if is_going { whose } else { "web" });
                let mut live = owner.marked(&resource.body);
                live["metadata"]["uid"] = json!("1");
                if is_going {
                    live["metadata"]["deletionTimestamp"] = json!("2026-11-29T10:00:00Z");
                }
                (resource.id.clone(), live)
            })
            .collect();
        let inputs = Inputs {
            desired: &desired,
            base: if whose == "web" { &base } else { &[] },
            observed: &observed,
            mentions: &BTreeMap::new(),
            owner: owner("web"),
            kinds: &kinds,
            found: &Found::default(),
            method: Method::ClientSide,
            before: ApplyMethod::ClientSide,
            consent: &Consent::default(),
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let plan = Plan::new(&inputs).unwrap();
        // It is watched, so that the right to do so is asked for.
        let mut waiting = plan.steps().filter(|step| step.follows.is_some());
        assert!(waiting.all(|step| plan.lingering().any(|other| other.id == step.id)));
        let told = plan.steps().map(|step| {
            let sign = match step.effect() {
                Effect::Create => "+",
                Effect::Unchanged => "",
                effect => panic!("{effect:?}"),
            };
            let waits = step.follows.as_ref().map_or("", |_| " …");
            format!("{sign}{}{waits}", step.id.name)
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        assert_eq!(told, expected, "{going}");
    }

    #[test]
    fn what_is_being_deleted_is_made_when_it_is_gone() {
        check(("none", "web"), &["+absent", "inside", "other", "stays"]);
        check(
            ("stays", "web"),
            &["+absent", "+stays …", "inside", "other"],
        );
        // What is in a namespace goes with it.
        check(
            ("other", "web"),
            &["+absent", "+inside …", "+other …", "stays"],
        );
        // Whose it was is of no interest any more.
        check(
            ("stays", "shop"),
            &["+absent", "+stays …", "inside", "other"],
        );
    }
}
