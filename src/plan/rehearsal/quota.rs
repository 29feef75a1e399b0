//! What a plan adds to the quotas of its namespaces, all in all.
//!
//! The API server counts each dry run by itself, so a plan whose resources fit one by one may not fit
//! as a whole. Counted are objects, and the pods that workloads make at once with what these request;
//! quotas with scopes are left to the API server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pod::pod;
use super::{About, Action, Class, Objection, Plan, Step};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::diff::{Difference, billionths};

/// One whole thing.
const ONE: i128 = 1_000_000_000;

/// What is counted, and what each step adds to it.
type Demand<'a> = BTreeMap<String, BTreeMap<&'a ResourceId, i128>>;

/// The pods that were tried, by their workload, as the API server has completed them.
pub type Tried = BTreeMap<ResourceId, Value>;

/// The namespaces in which a plan may use up more of a quota.
pub fn namespaces(plan: &Plan) -> BTreeSet<&str> {
    let grows = |step: &&Step| match &step.action {
        Action::Create(_) => step.follows.is_none(),
        Action::Configure(difference, _) => replicas_added(difference) > 0,
        _ => false,
    };
    let growing = plan.steps().filter(grows);
    growing
        .filter_map(|step| step.id.namespace.as_deref())
        .collect()
}

/// The quotas of one namespace that a plan would exceed.
pub fn exceeded(
    (plan, desired): (&Plan, &Manifest),
    quotas: &[Value],
    tried: &Tried,
) -> Vec<Objection> {
    let mut found = vec![];
    for quota in quotas.iter().filter(|quota| !is_scoped(quota)) {
        let text = |field: &str| quota.pointer(&format!("/metadata/{field}"))?.as_str();
        let (Some(name), Some(namespace)) = (text("name"), text("namespace")) else {
            continue;
        };
        let demand = demand(plan, desired, (namespace, tried));
        let hard = quota.pointer("/status/hard").and_then(Value::as_object);
        for (what, hard) in hard.into_iter().flatten() {
            let used = quota
                .pointer("/status/used")
                .and_then(|used| used.get(what));
            let Some(reason) = over((what, hard, used), &demand) else {
                continue;
            };
            found.push(Objection {
                id: ResourceId {
                    group: String::new(),
                    kind: "ResourceQuota".to_owned(),
                    namespace: Some(namespace.to_owned()),
                    name: name.to_owned(),
                },
                origin: None,
                about: About::Itself,
                reason,
                remedy: Some("raise the quota, or ask for less".to_owned()),
                class: Class::OverQuota,
            });
        }
    }
    found
}

fn is_scoped(quota: &Value) -> bool {
    let has = |field: &str| {
        let found = quota.pointer(&format!("/spec/{field}"));
        found.is_some_and(|scopes| !scopes.is_null())
    };
    has("scopes") || has("scopeSelector")
}

/// What is wrong with one line of a quota.
fn over((what, hard, used): (&str, &Value, Option<&Value>), demand: &Demand<'_>) -> Option<String> {
    let adding = demand.get(what)?;
    let total: i128 = adding.values().sum();
    let left = billionths(hard)? - billionths(used?)?;
    if total == 0 || total <= left {
        return None;
    }
    let parts: Vec<_> = adding
        .iter()
        .map(|(id, amount)| format!("{id} {}", shown(*amount)))
        .collect();
    Some(format!(
        "{what}: {} of {} used, and this change adds {}: {}",
        plain(used?),
        plain(hard),
        shown(total),
        parts.join(", ")
    ))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(amount: i128) -> String {
    if amount % ONE == 0 {
        (amount / ONE).to_string()
    } else {
        format!("{}m", amount / (ONE / 1000))
    }
}

/// What the steps of a plan add in a namespace.
fn demand<'a>(
    plan: &'a Plan,
    desired: &Manifest,
    (namespace, tried): (&str, &Tried),
) -> Demand<'a> {
    let mut demand = Demand::new();
    let steps = plan.steps();
    for step in steps.filter(|step| step.id.namespace.as_deref() == Some(namespace)) {
        let mut add = |what: String, amount: i128| {
            *demand.entry(what).or_default().entry(&step.id).or_default() += amount;
        };
        match &step.action {
            // What goes before it counts as much.
            Action::Create(_) if step.follows.is_some() => {}
            Action::Create(body) => {
                objects(step, body, &mut add);
                pods(step, (body, replicas(body)), tried, &mut add);
            }
            Action::Configure(difference, _) => {
                let mut resources = desired.resources.iter();
                let resource = resources.find(|resource| resource.id == step.id);
                if let Some(resource) = resource {
                    let more = replicas_added(difference);
                    pods(step, (&resource.body, more), tried, &mut add);
                }
            }
            _ => {}
        }
    }
    demand
}

/// What a new object counts for by itself.
fn objects(step: &Step, body: &Value, add: &mut dyn FnMut(String, i128)) {
    let plural = &step.kind.plural;
    match step.kind.group.as_str() {
        "" => {
            add(format!("count/{plural}"), ONE);
            if plural != "pods" {
                add(plural.clone(), ONE);
            }
        }
        group => add(format!("count/{plural}.{group}"), ONE),
    }
    match step.id.kind.as_str() {
        "Deployment" => add("count/replicasets.apps".to_owned(), ONE),
        "PersistentVolumeClaim" => storage(body, 1, add),
        "Service" => service(body, add),
        _ => {}
    }
}

fn service(body: &Value, add: &mut dyn FnMut(String, i128)) {
    let kind = body.pointer("/spec/type").and_then(Value::as_str);
    if let Some(kind @ ("NodePort" | "LoadBalancer")) = kind {
        let ports = body.pointer("/spec/ports").and_then(Value::as_array);
        let ports = i128::try_from(ports.map_or(0, Vec::len)).unwrap_or(0);
        add("services.nodeports".to_owned(), ports * ONE);
        if kind == "LoadBalancer" {
            add("services.loadbalancers".to_owned(), ONE);
        }
    }
}

fn storage(claim: &Value, times: i128, add: &mut dyn FnMut(String, i128)) {
    let size = claim.pointer("/spec/resources/requests/storage");
    if let Some(size) = size.and_then(billionths) {
        add("requests.storage".to_owned(), size.saturating_mul(times));
    }
}

/// How many pods a new workload makes at once.
fn replicas(body: &Value) -> i128 {
    let number = |pointer: &str| {
        let value = body.pointer(pointer).and_then(Value::as_i64);
        value.map_or(1, i128::from)
    };
    match body.get("kind").and_then(Value::as_str) {
        Some("Pod") => 1,
        Some("Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController") => {
            number("/spec/replicas")
        }
        Some("Job") if body.pointer("/spec/suspend") != Some(&true.into()) => {
            number("/spec/parallelism")
        }
        _ => 0,
    }
}

fn replicas_added(difference: &Difference) -> i128 {
    let mut changes = difference.changes.iter();
    let change = changes.find(|change| change.path == "spec.replicas");
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_i64).unwrap_or(1);
    change.map_or(0, |change| {
        i128::from(number(&change.new)).saturating_sub(i128::from(number(&change.old)))
    })
}

/// What so many pods of a workload count for.
fn pods(
    step: &Step,
    (body, count): (&Value, i128),
    tried: &Tried,
    add: &mut dyn FnMut(String, i128),
) {
    if count <= 0 {
        return;
    }
    let made = tried.get(&step.id).cloned().or_else(|| pod(body));
    let pod = made.as_ref().unwrap_or(body);
    add("pods".to_owned(), count * ONE);
    if step.id.kind != "Pod" {
        add("count/pods".to_owned(), count * ONE);
    }
    for part in ["requests", "limits"] {
        for resource in ["cpu", "memory", "ephemeral-storage"] {
            let amount = asked(pod, part, resource).saturating_mul(count);
            add(format!("{part}.{resource}"), amount);
            if part == "requests" {
                add(resource.to_owned(), amount);
            }
        }
    }
    let claims = body.pointer("/spec/volumeClaimTemplates");
    for claim in claims.and_then(Value::as_array).into_iter().flatten() {
        add("persistentvolumeclaims".to_owned(), count * ONE);
        add("count/persistentvolumeclaims".to_owned(), count * ONE);
        storage(claim, count, add);
    }
}

/// What all containers of a pod ask for together, or one of its init containers by itself. What only
/// has a limit requests as much.
fn asked(pod: &Value, part: &str, resource: &str) -> i128 {
    let of = |container: &Value| {
        let found = container.pointer(&format!("/resources/{part}/{resource}"));
        let limit = || container.pointer(&format!("/resources/limits/{resource}"));
        found.or_else(limit).and_then(billionths).unwrap_or(0)
    };
    let list = |name: &str| {
        let found = pod.pointer(&format!("/spec/{name}"));
        found.and_then(Value::as_array).into_iter().flatten()
    };
    let together: i128 = list("containers").map(of).sum();
    let before = list("initContainers").map(of).max().unwrap_or(0);
    together.max(before)
}
