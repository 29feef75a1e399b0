//! What a plan rests on besides the resources that its manifests name. Each is asked for only where
//! the plan depends on it.

use std::collections::{BTreeMap, BTreeSet};

use super::aim::Aim;
use super::{Error, Session};
use crate::builtin;
use crate::capabilities::Kind;
use crate::cluster::{Cluster, Metadata};
use crate::manifest::{ResourceId, ResourcePolicy};
use crate::plan::ignored::{self, Rule};
use crate::plan::{Action, Observed, Plan, definition};

/// How many resources of a kind are named.
const NAMED: usize = 3;

/// The definitions that are wanted no more, though there is something of their kinds that is not
/// deleted with them.
pub(super) async fn instances(
    session: &Session<'_>,
    aim: &Aim,
    observed: &Observed,
) -> Result<BTreeMap<ResourceId, String>, Error> {
    let mut found = BTreeMap::new();
    for (id, live) in observed {
        if !definition::is_one(id) || !aim.drops(id) {
            continue;
        }
        let Some(kind) = definition::kinds(live).into_iter().next() else {
            continue;
        };
        let told = match session.cluster.list_metadata(&kind, None, "").await {
            Ok(all) => told(all.iter().filter(|one| !goes(aim, &kind, one))),
            Err(error) if error.is_not_found() => None,
            Err(error) if error.is_forbidden() => Some("you are not allowed to list it".to_owned()),
            Err(error) => return Err(error.into()),
        };
        found.extend(told.map(|told| (id.clone(), told)));
    }
    Ok(found)
}

/// Whether a resource is deleted by the change.
fn goes(aim: &Aim, kind: &Kind, one: &Metadata) -> bool {
    let id = ResourceId {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespace: kind.namespaced.then(|| one.namespace.clone()),
        name: one.name.clone(),
    };
    let keeps = || {
        let resources = aim.base.iter().flat_map(|manifest| &manifest.resources);
        let mut own = resources.filter(|resource| resource.id == id);
        own.any(|resource| resource.policy() == ResourcePolicy::Keep)
    };
    aim.drops(&id) && !keeps()
}

fn told<'a>(left: impl Iterator<Item = &'a Metadata>) -> Option<String> {
    let names: Vec<String> = left
        .map(|one| match one.namespace.as_str() {
            "" => one.name.clone(),
            namespace => format!("{namespace}/{}", one.name),
        })
        .collect();
    match names.len() {
        0 => None,
        count if count <= NAMED => Some(names.join(", ")),
        count => Some(format!(
            "{} and {} more",
            names[..NAMED].join(", "),
            count - NAMED
        )),
    }
}

/// The workloads whose replicas the plan changes though an autoscaler of somebody else has them as its
/// target.
pub(super) async fn scaled(
    session: &Session<'_>,
    aim: &Aim,
    plan: &Plan,
) -> Result<BTreeSet<ResourceId>, Error> {
    let changed: Vec<&ResourceId> = plan
        .steps()
        .filter_map(|step| match &step.action {
            Action::Configure(difference, _) => {
                let mut changes = difference.changes.iter();
                let is_scaled = changes.any(|change| change.path == "spec.replicas");
                let is_meant = Rule::replicas().is_about(&step.id);
                (is_scaled && is_meant).then_some(&step.id)
            }
            _ => None,
        })
        .collect();
    autoscaled(session.cluster, &changed, |id| aim.drops(id)).await
}

/// Those of `changed` that an autoscaler has as its target; one that is dropped does not count.
pub(super) async fn autoscaled(
    cluster: &Cluster,
    changed: &[&ResourceId],
    is_dropped: impl Fn(&ResourceId) -> bool,
) -> Result<BTreeSet<ResourceId>, Error> {
    let Some(kind) = builtin::kind("autoscaling", "HorizontalPodAutoscaler") else {
        return Ok(BTreeSet::new());
    };
    let namespaces: BTreeSet<&str> = changed
        .iter()
        .filter_map(|id| id.namespace.as_deref())
        .collect();
    let mut scaled = BTreeSet::new();
    for namespace in namespaces {
        let autoscalers = match cluster.list(kind, Some(namespace), "").await {
            Ok(found) => found,
            Err(error) if error.is_forbidden() || error.is_not_found() => continue,
            Err(error) => return Err(error.into()),
        };
        for autoscaler in &autoscalers {
            let name = autoscaler.pointer("/metadata/name");
            let id = ResourceId {
                group: kind.group.clone(),
                kind: kind.kind.clone(),
                namespace: Some(namespace.to_owned()),
                name: name
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            };
            // An item of a list does not say its kind.
            let target =
                ignored::target_of(autoscaler, Some(namespace)).filter(|_| !is_dropped(&id));
            let meant = changed
                .iter()
                .filter(|id| target.as_ref().is_some_and(|target| target.is(id)));
            scaled.extend(meant.map(|id| (*id).clone()));
        }
    }
    Ok(scaled)
}
