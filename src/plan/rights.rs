//! What a user has to be allowed to do besides what dry runs tell: the records of a release, its lock, and
//! watching what is waited for.
//!
//! The rules that hold for the user (`SelfSubjectRulesReview` of `authorization.k8s.io/v1`) come in, what
//! none of them gives goes out, and becomes objections to the plan.

use serde_json::Value;

use super::diff::Change;
use super::objection::{About, Class, Objection};
use super::{Action, Effect, Plan, Step};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// What has to be allowed on the resources of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty for what is in none.
    pub namespace: String,
    /// The resource that it is needed for.
    pub name: String,
    /// The verbs, as in roles.
    pub verbs: Vec<&'static str>,
}

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

/// What has to be allowed to wait for these resources; `home` is the namespace of those that name none.
pub fn to_watch<'a>(
    awaited: impl Iterator<Item = (&'a ResourceId, &'a Kind)>,
    home: &str,
) -> Vec<Right> {
    let slow =
        awaited.filter(|(_, kind)| SLOW.contains(&(kind.group.as_str(), kind.kind.as_str())));
    to_use(slow, (home, &["watch"]))
}

/// These verbs for each kind and namespace of resources once; `home` is the namespace of those that name
/// none.
pub fn to_use<'a>(
    resources: impl Iterator<Item = (&'a ResourceId, &'a Kind)>,
    (home, verbs): (&str, &[&'static str]),
) -> Vec<Right> {
    let mut rights: Vec<Right> = vec![];
    for (id, kind) in resources {
        let namespace = match id.namespace.as_deref() {
            _ if !kind.namespaced => "",
            namespace => namespace.unwrap_or(home),
        };
        let is_new = |right: &Right| right.kind != *kind || right.namespace != namespace;
        if rights.iter().all(is_new) {
            rights.push(Right {
                kind: kind.clone(),
                namespace: namespace.to_owned(),
                name: id.name.clone(),
                verbs: verbs.to_vec(),
            });
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

fn has(rule: &Value, field: &str, wanted: &str) -> bool {
    let values = rule.get(field).and_then(Value::as_array);
    let mut values = values.into_iter().flatten();
    values.any(|value| value == wanted || value == "*")
}

impl Plan {
    /// The steps after which a resource is not what it was, so that it is waited for.
    pub fn fresh(&self) -> impl Iterator<Item = &Step> {
        let is_of_spec = |change: &Change| change.path.starts_with("spec");
        self.steps().filter(move |step| match &step.action {
            Action::Create(_) | Action::Recreate(_) => true,
            Action::Configure(difference, _) => difference.changes.iter().any(is_of_spec),
            _ => false,
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
            &self.name
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
            id: ResourceId {
                group: kind.group.clone(),
                kind: kind.kind.clone(),
                namespace: Some(self.namespace.clone()).filter(|_| kind.namespaced),
                name: self.name.clone(),
            },
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

    /// Checks which verbs on Leases are missing, by the rules of a review.
    #[track_caller]
    fn check(rules: &Value, expected: &[&str]) {
        let right = Right {
            kind: Kind {
                group: "coordination.k8s.io".to_owned(),
                ..Kind::core("Lease", "leases")
            },
            namespace: "shop".to_owned(),
            name: "pintle.web".to_owned(),
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
