//! Which fields cannot be changed, and what a change of one of them takes.
//!
//! The rules are those of the API server's validation (`pkg/apis/*/validation` of Kubernetes 1.36).
//! Where nothing is lost, the resource is made anew without a question, and the plan says so; where
//! something is, the user has to name it.

use serde_json::Value;

use super::consent::{Consent, Permit};
use super::diff::Difference;
use super::precondition::Precondition;
use crate::manifest::{self, ResourceId};

/// A resource that is deleted and created anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Recreation {
    /// What is created.
    pub body: Value,
    /// Which resource is deleted.
    pub precondition: Precondition,
    /// What becomes of what it owns.
    pub way: Way,
    /// The fields that cannot be changed.
    pub fields: Vec<String>,
    /// What is lost, in words.
    pub loss: &'static str,
    /// All that changes about it.
    pub difference: Difference,
}

/// What becomes of the pods of a resource that is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They go with it.
    Whole,
    /// They stay, and belong to the new one.
    Orphan,
}

/// The rules of one kind.
struct Rule {
    group: &'static str,
    kind: &'static str,
    fields: Fields,
    loss: &'static str,
    needs: Needs,
}

/// Which fields of a kind cannot be changed.
enum Fields {
    /// These, with what is below them.
    These(&'static [&'static str]),
    /// All of `spec` but these.
    SpecBut(&'static [&'static str]),
}

/// What it takes to make a resource anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// Its name, given by the user.
    Name,
    /// Its name, and the consent to the loss of data.
    Data,
    /// Its name, and the consent to the loss of everything of a kind.
    Definitions,
}

const PODS: &str = "its pods";
const SELECTOR: Fields = Fields::These(&["spec.selector"]);

#[rustfmt::skip]
const RULES: [Rule; 19] = [
    Rule { group: "apps", kind: "Deployment", fields: SELECTOR, loss: PODS, needs: Needs::Name },
    Rule { group: "apps", kind: "DaemonSet", fields: SELECTOR, loss: PODS, needs: Needs::Name },
    Rule { group: "apps", kind: "ReplicaSet", fields: SELECTOR, loss: PODS, needs: Needs::Name },
    Rule { group: "apps", kind: "StatefulSet", loss: PODS, needs: Needs::Name,
        fields: Fields::SpecBut(&["replicas", "ordinals", "template", "updateStrategy",
            "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"]) },
    Rule { group: "batch", kind: "Job", loss: "its pods with their logs; it runs once more",
        needs: Needs::Name,
        fields: Fields::These(&["spec.template", "spec.selector", "spec.completionMode",
            "spec.completions", "spec.podFailurePolicy", "spec.successPolicy",
            "spec.backoffLimitPerIndex", "spec.managedBy", "spec.podReplacementPolicy"]) },
    Rule { group: "", kind: "Service", loss: "its address", needs: Needs::Name,
        fields: Fields::These(&["spec.clusterIP", "spec.clusterIPs", "spec.loadBalancerClass"]) },
    Rule { group: "", kind: "PersistentVolumeClaim", loss: "the data on its volume",
        needs: Needs::Data,
        fields: Fields::SpecBut(&["resources", "volumeAttributesClassName"]) },
    Rule { group: "", kind: "Pod", loss: "the pod", needs: Needs::Name,
        fields: Fields::SpecBut(&["containers", "initContainers", "activeDeadlineSeconds",
            "tolerations", "terminationGracePeriodSeconds"]) },
    Rule { group: "", kind: "Secret", loss: "nothing", needs: Needs::Nothing,
        fields: Fields::These(&["type"]) },
    Rule { group: "rbac.authorization.k8s.io", kind: "RoleBinding", needs: Needs::Nothing,
        loss: "the rights of its subjects for a moment", fields: Fields::These(&["roleRef"]) },
    Rule { group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding", needs: Needs::Nothing,
        loss: "the rights of its subjects for a moment", fields: Fields::These(&["roleRef"]) },
    Rule { group: "storage.k8s.io", kind: "StorageClass", loss: "nothing", needs: Needs::Nothing,
        fields: Fields::These(&["provisioner", "parameters", "reclaimPolicy",
            "volumeBindingMode"]) },
    Rule { group: "storage.k8s.io", kind: "CSIDriver", loss: "nothing", needs: Needs::Nothing,
        fields: Fields::These(&["spec.attachRequired", "spec.volumeLifecycleModes"]) },
    Rule { group: "storage.k8s.io", kind: "VolumeAttributesClass", loss: "nothing",
        needs: Needs::Nothing, fields: Fields::These(&["driverName", "parameters"]) },
    Rule { group: "scheduling.k8s.io", kind: "PriorityClass", loss: "nothing",
        needs: Needs::Nothing, fields: Fields::These(&["value", "preemptionPolicy"]) },
    Rule { group: "node.k8s.io", kind: "RuntimeClass", loss: "nothing", needs: Needs::Nothing,
        fields: Fields::These(&["handler"]) },
    Rule { group: "networking.k8s.io", kind: "IngressClass", loss: "nothing",
        needs: Needs::Nothing, fields: Fields::These(&["spec.controller"]) },
    Rule { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition",
        loss: "everything of its kind", needs: Needs::Definitions,
        fields: Fields::These(&["spec.group", "spec.scope", "spec.names.plural",
            "spec.names.kind"]) },
    // Its data, where it says that it is immutable.
    Rule { group: "", kind: "ConfigMap", loss: "nothing", needs: Needs::Nothing,
        fields: Fields::These(&[]) },
];

/// What stands in the way of a change, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Barred {
    pub(super) reason: String,
    pub(super) remedy: String,
}

/// Decides about a change of a resource: none if it is an ordinary one.
pub(super) fn decide(
    id: &ResourceId,
    (desired, live): (&Value, &Value),
    difference: &Difference,
    consent: &Consent,
) -> Option<Result<Recreation, Barred>> {
    let rule = RULES
        .iter()
        .find(|rule| rule.group == id.group && rule.kind == id.kind);
    let fields = fields(rule, live, difference);
    let is_named = consent.names(id);
    if fields.is_empty() && !is_named {
        return None;
    }
    let way = match id.kind.as_str() {
        "StatefulSet" if id.group == "apps" && keeps_pods(desired, live) => Way::Orphan,
        _ => Way::Whole,
    };
    let (loss, needs) = match (rule, way) {
        (_, Way::Orphan) => (
            "nothing: its pods and their claims stay as they are",
            Needs::Nothing,
        ),
        (Some(_), _) if deletes_claims(live) => {
            ("its pods, and the data of its claims", Needs::Data)
        }
        (Some(rule), _) => (rule.loss, rule.needs),
        (None, _) => ("it, until it is there again", Needs::Name),
    };
    let needs = match needs {
        // What is to be kept is not deleted unasked.
        Needs::Nothing if keeps(desired) || keeps(live) => Needs::Name,
        needs => needs,
    };
    let missing = missing(id, needs, consent);
    if !missing.is_empty() {
        return Some(Err(Barred {
            reason: format!("{} cannot be changed", fields.join(", ")),
            remedy: format!(
                "{} deletes it and creates it anew, which loses {loss}",
                missing.join(" ")
            ),
        }));
    }
    Some(Ok(Recreation {
        body: anew(desired, live, difference),
        precondition: Precondition::of(live),
        way,
        fields,
        loss,
        difference: difference.clone(),
    }))
}

/// What is created: as wanted, with as many pods as somebody else has scaled the old one to. The
/// API server would make one of it.
fn anew(desired: &Value, live: &Value, difference: &Difference) -> Value {
    let mut body = desired.clone();
    let mut changes = difference.changes.iter();
    let is_dropped = changes.any(|change| change.path == "spec.replicas");
    let replicas = live.pointer("/spec/replicas").filter(|_| !is_dropped);
    if let (Some(replicas), Some(Value::Object(spec))) = (replicas, body.get_mut("spec")) {
        spec.entry("replicas").or_insert_with(|| replicas.clone());
    }
    body
}

/// The changed fields that cannot be changed, each once and without what is below it.
fn fields(rule: Option<&Rule>, live: &Value, difference: &Difference) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let Some(rule) = rule else {
        return found;
    };
    if rule.kind == "Job" && live.pointer("/spec/suspend") == Some(&true.into()) {
        // One that has not started may still be changed, and the API server says how far.
        return found;
    }
    let is_sealed = live.get("immutable") == Some(&true.into());
    for change in &difference.changes {
        let field = match &rule.fields {
            _ if is_sealed && is_data(&change.path) => Some(first(&change.path, 1)),
            Fields::These(fields) => {
                let mut fields = fields.iter();
                let field = fields.find(|field| is_below(&change.path, field));
                field.map(|field| (*field).to_owned())
            }
            Fields::SpecBut(others) => {
                let is_other = |name: &str| is_below(&change.path, &format!("spec.{name}"));
                let is_meant =
                    is_below(&change.path, "spec") && !others.iter().any(|o| is_other(o));
                is_meant.then(|| first(&change.path, 2))
            }
        };
        if let Some(field) = field.filter(|field| !found.contains(field)) {
            found.push(field);
        }
    }
    found
}

fn is_data(path: &str) -> bool {
    let fields = ["data", "binaryData", "stringData", "immutable"];
    fields.iter().any(|field| is_below(path, field))
}

fn is_below(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
}

/// The first names of a path.
fn first(path: &str, count: usize) -> String {
    let names: Vec<&str> = path.split(['.', '[', ' ']).take(count).collect();
    names.join(".")
}

/// Whether the pods of a `StatefulSet` belong to the one that is made in its place.
fn keeps_pods(desired: &Value, live: &Value) -> bool {
    let selector = desired.pointer("/spec/selector");
    let labels = selector.and_then(|selector| selector.get("matchLabels")?.as_object());
    let has = |template: &Value| {
        let own = template.pointer("/spec/template/metadata/labels");
        labels.is_some_and(|labels| {
            let mut labels = labels.iter();
            labels.all(|(key, value)| own.and_then(|own| own.get(key)) == Some(value))
        })
    };
    let is_plain = selector.is_some_and(|selector| selector.get("matchExpressions").is_none());
    is_plain && has(live) && has(desired)
}

/// Whether the claims of a `StatefulSet` are deleted with it.
fn deletes_claims(live: &Value) -> bool {
    let policy = live.pointer("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted");
    policy.is_some_and(|policy| policy == "Delete")
}

fn keeps(body: &Value) -> bool {
    manifest::annotation(body, "helm.sh/resource-policy")
        .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// The flags that are still to be given.
fn missing(id: &ResourceId, needs: Needs, consent: &Consent) -> Vec<String> {
    let name = || format!("--recreate {}/{}", id.kind, id.name);
    let named = consent.names(id);
    let permit = match needs {
        Needs::Nothing => return vec![],
        Needs::Name => None,
        Needs::Data => Some((Permit::DeleteData, "--delete-data")),
        Needs::Definitions => Some((Permit::DeleteDefinitions, "--delete-crds")),
    };
    let mut missing = vec![];
    if !named {
        missing.push(name());
    }
    if let Some((permit, flag)) = permit
        && !consent.permits(permit)
    {
        missing.push(flag.to_owned());
    }
    missing
}

#[cfg(test)]
mod tests;
