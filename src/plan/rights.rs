//! What a user has to be allowed to do besides what dry runs tell: the records of a release, its lock,
//! watching what is waited for, and looking at pods that have to end.
//!
//! The rules that hold for the user (`SelfSubjectRulesReview` of `authorization.k8s.io/v1`) come in, what
//! none of them gives goes out, and becomes objections to the plan.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diff::Change;
use super::objection::{About, Class, Objection};
use super::stage::Until;
use super::step::{Cascade, Keep};
use super::{Action, Effect, Plan, Step};
use crate::capabilities::Kind;
use crate::manifest::{self, Manifest, NO_OLD_PODS, ResourceId};

/// What has to be allowed on the resources of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty for what is in none.
    pub namespace: String,
    /// The resource that it is needed for, which may be of another kind.
    pub about: ResourceId,
    /// The verbs, as in roles.
    pub verbs: Vec<&'static str>,
}

/// A resource, a kind, and what has to be allowed on resources of that kind because of it.
pub type Use<'a> = (&'a ResourceId, &'a Kind, &'static [&'static str]);

/// What is waited for is watched.
pub const WATCHED: &[&str] = &["watch"];

/// Kinds whose resources are hardly ever ready when they are written, so that they are watched.
const SLOW: [(&str, &str); 8] = [
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "ReplicationController"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("batch", "Job"),
];

/// Whether resources of a kind are hardly ever ready when they are written.
pub fn is_slow(kind: &Kind) -> bool {
    SLOW.contains(&(kind.group.as_str(), kind.kind.as_str()))
}

/// What has to be allowed, for each kind and namespace once; `home` is the namespace of resources that name
/// none.
pub fn to_use<'a>(uses: impl Iterator<Item = Use<'a>>, home: &str) -> Vec<Right> {
    let mut rights: Vec<Right> = vec![];
    for (id, kind, verbs) in uses {
        let namespace = match id.namespace.as_deref() {
            _ if !kind.namespaced => "",
            namespace => namespace.unwrap_or(home),
        };
        let mut known = rights.iter_mut();
        let known = known.find(|right| right.kind == *kind && right.namespace == namespace);
        match known {
            Some(right) => {
                let new = verbs.iter().filter(|verb| !right.verbs.contains(verb));
                let new: Vec<&str> = new.copied().collect();
                right.verbs.extend(new);
            }
            None => rights.push(Right {
                kind: kind.clone(),
                namespace: namespace.to_owned(),
                about: ResourceId {
                    namespace: Some(namespace.to_owned()).filter(|_| kind.namespaced),
                    ..id.clone()
                },
                verbs: verbs.to_vec(),
            }),
        }
    }
    rights
}

/// What of `needed` no rule gives, of the `status` of a review.
///
/// A rule for certain names counts, whatever the names: it is better to be refused later than to be
/// refused in vain.
pub fn missing(status: &Value, needed: &[Right]) -> Vec<Right> {
    let rules = status.get("resourceRules").and_then(Value::as_array);
    let rules: Vec<&Value> = rules.into_iter().flatten().collect();
    let lacks = |right: &Right| {
        let kind = &right.kind;
        let gives = |rule: &&Value, verb: &str| {
            has(rule, "verbs", verb)
                && has(rule, "apiGroups", &kind.group)
                && has(rule, "resources", &kind.plural)
        };
        let verbs = right.verbs.iter().copied();
        let verbs = verbs.filter(|verb| !rules.iter().any(|rule| gives(rule, verb)));
        Right {
            verbs: verbs.collect(),
            ..right.clone()
        }
    };
    let lacking = needed.iter().map(lacks);
    lacking.filter(|right| !right.verbs.is_empty()).collect()
}

fn lingers(step: &Step) -> bool {
    match &step.action {
        _ if step.follows.is_some() => true,
        // What is being deleted already has not gone at once.
        Action::Delete(_, Cascade::Foreground) | Action::Keep(Keep::BeingDeleted) => true,
        // What uses a claim holds it, and containers get time to end.
        Action::Delete(..) => {
            let kind = step.id.kind.as_str();
            step.id.group.is_empty() && matches!(kind, "Pod" | "PersistentVolumeClaim")
        }
        _ => false,
    }
}

fn has(rule: &Value, field: &str, wanted: &str) -> bool {
    let values = rule.get(field).and_then(Value::as_array);
    let mut values = values.into_iter().flatten();
    values.any(|value| value == wanted || value == "*")
}

impl Plan {
    /// The steps about what is waited for until it is ready, and takes a while: because it is not what it was,
    /// or is not ready now.
    pub fn unready(&self) -> impl Iterator<Item = &Step> {
        let awaited = self.stages.iter().flat_map(|stage| &stage.awaited);
        let awaited: BTreeSet<&ResourceId> = awaited.map(|(id, _)| id).collect();
        let is_of_spec = |change: &Change| change.path.starts_with("spec");
        self.steps().filter(move |step| match &step.action {
            Action::Create(_) | Action::Recreate(_) => is_slow(&step.kind),
            Action::Configure(difference, _) => {
                is_slow(&step.kind) && difference.changes.iter().any(is_of_spec)
            }
            Action::Unchanged => is_slow(&step.kind) && awaited.contains(&step.id),
            Action::Delete(..) | Action::Keep(_) => false,
        })
    }

    /// The steps about what does not go at once.
    pub fn lingering(&self) -> impl Iterator<Item = &Step> {
        self.steps().filter(|step| lingers(step))
    }

    /// Those of them that have to be gone before other stages start, or something else is made under their name.
    pub fn obstructing(&self) -> impl Iterator<Item = &Step> {
        let changing = self.stages.iter().filter(|stage| stage.has_changes());
        let gates = changing.flat_map(|stage| &stage.gates);
        let gates = gates.filter(|gate| gate.until == Until::Gone);
        let before: BTreeSet<usize> = gates.map(|gate| gate.stage).collect();
        let stages = self.stages.iter().enumerate();
        stages.flat_map(move |(index, stage)| {
            let is_before = before.contains(&index);
            let steps = stage.phases.iter().flatten();
            steps.filter(move |step| step.follows.is_some() || (is_before && lingers(step)))
        })
    }

    /// The workloads that are waited for until none of their older pods is left, by the order of the plan or
    /// because they ask for that.
    pub fn replaced<'a>(&'a self, desired: &'a Manifest) -> impl Iterator<Item = &'a ResourceId> {
        let changing = self.stages.iter().filter(|stage| stage.has_changes());
        let gates = changing.flat_map(|stage| &stage.gates);
        let gates = gates.filter(|gate| gate.until == Until::NoOldPods);
        let by_order = gates.flat_map(|gate| &self.stages[gate.stage].awaited);
        let awaited = self.stages.iter().flat_map(|stage| &stage.awaited);
        let awaited: BTreeSet<&ResourceId> = awaited.map(|(id, _)| id).collect();
        let asking = desired.resources.iter().filter(move |resource| {
            awaited.contains(&resource.id) && manifest::asks_for(&resource.body, NO_OLD_PODS)
        });
        let all = by_order.map(|(id, _)| id);
        let all = all.chain(asking.map(|resource| &resource.id));
        all.filter(|id| {
            let is_workload =
                ["Deployment", "StatefulSet", "DaemonSet"].contains(&id.kind.as_str());
            id.group == "apps" && is_workload
        })
    }

    /// Whether the plan may bring a right: by a namespace that it makes, or by roles and bindings.
    pub fn brings(&self, right: &Right) -> bool {
        let mut steps = self
            .steps()
            .filter(|step| step.effect() != Effect::Unchanged);
        steps.any(|step| match step.id.kind.as_str() {
            "Namespace" => step.id.name == right.namespace,
            "Role" | "RoleBinding" => {
                step.id.namespace.as_deref() == Some(right.namespace.as_str())
            }
            "ClusterRole" | "ClusterRoleBinding" => true,
            _ => false,
        })
    }
}

impl Right {
    /// The name that a verb is asked for with: none where it is for many or for what has no name yet, or
    /// where the name of the right is only what names begin with.
    pub fn named(&self, verb: &str) -> &str {
        let is_of_one = ["get", "update", "patch", "delete"].contains(&verb);
        let is_whole = self.kind.kind == "Lease";
        if is_of_one && is_whole {
            &self.about.name
        } else {
            ""
        }
    }

    /// What stands against a plan for want of it.
    pub fn objection(&self) -> Objection {
        let kind = &self.kind;
        let resource = match kind.group.as_str() {
            "" => kind.plural.clone(),
            group => format!("{}.{group}", kind.plural),
        };
        let place = match self.namespace.as_str() {
            "" => String::new(),
            namespace => format!(" in namespace {namespace}"),
        };
        Objection {
            id: self.about.clone(),
            origin: None,
            about: About::Itself,
            reason: format!("not allowed to {} {resource}{place}", self.verbs.join(", ")),
            remedy: None,
            class: Class::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(kind: &str, name: &str) -> ResourceId {
        ResourceId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: None,
            name: name.to_owned(),
        }
    }

    #[test]
    fn each_kind_and_namespace_is_asked_for_once() {
        let (set, pod) = (id("StatefulSet", "db"), id("Pod", "once"));
        let elsewhere = ResourceId {
            namespace: Some("other".to_owned()),
            ..pod.clone()
        };
        let pods = Kind::core("Pod", "pods");
        let looked_at: &[&str] = &["list", "watch"];
        let uses = [
            (&pod, &pods, WATCHED),
            (&set, &pods, looked_at),
            (&elsewhere, &pods, WATCHED),
        ];
        let rights = to_use(uses.into_iter(), "shop");
        let told = rights.iter().map(|right| right.objection().to_string());
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "Pod once: not allowed to watch, list pods in namespace shop",
                "Pod once: not allowed to watch pods in namespace other",
            ]
        );
    }

    /// Checks which verbs on Leases are missing, by the rules of a review.
    #[track_caller]
    fn check(rules: &Value, expected: &[&str]) {
        let right = Right {
            kind: Kind {
                group: "coordination.k8s.io".to_owned(),
                ..Kind::core("Lease", "leases")
            },
            namespace: "shop".to_owned(),
            about: id("Lease", "pintle.web"),
            verbs: vec!["create", "get"],
        };
        let found = missing(&json!({ "resourceRules": rules }), &[right]);
        let found: Vec<String> = found
            .iter()
            .map(|right| right.objection().to_string())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_no_rule_gives_is_missing() {
        let rule = |verbs: Value, groups: Value, resources: Value| json!({"verbs": verbs, "apiGroups": groups, "resources": resources});
        let own = json!(["coordination.k8s.io"]);
        let all = json!(["*"]);
        let both = "Lease pintle.web: not allowed to create, get leases.coordination.k8s.io in \
                    namespace shop";
        check(&json!([]), &[both]);
        check(&json!([rule(all.clone(), all.clone(), all.clone())]), &[]);
        check(
            &json!([rule(all.clone(), json!([""]), json!(["leases"]))]),
            &[both],
        );
        let get = rule(json!(["get"]), own.clone(), json!(["leases"]));
        let create = rule(json!(["create"]), own, all);
        let one = "Lease pintle.web: not allowed to create leases.coordination.k8s.io in namespace \
                   shop";
        check(&json!([get]), &[one]);
        check(&json!([get, create]), &[]);
        check(&Value::Null, &[both]);
    }
}
