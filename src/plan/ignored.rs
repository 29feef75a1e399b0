//! The fields that belong to autoscalers and controllers, whatever a chart says of them.
//!
//! Each rule names a field, whose it is and when; where it applies, the field is taken out of what is
//! wanted and of what was applied, so that what the owner has written stays.

use std::borrow::Cow;

use serde_json::Value;

use super::Inputs;
use crate::manifest::{ResourceId, annotation};

/// One field that is left to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The kinds that have it, each with its API group.
    pub kinds: &'static [(&'static str, &'static str)],
    /// Where it stands; `[]` for each item of a list.
    pub field: &'static str,
    /// Whose it is.
    pub owner: &'static str,
    /// When it is left alone, in words.
    pub when: &'static str,
    case: Case,
}

/// When a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    /// A `HorizontalPodAutoscaler` has the resource as its target.
    Scaled,
    /// Somebody writes a bundle there: an annotation says so, or the chart has none.
    Injected,
    /// The chart gives no value.
    Empty,
    /// The API server has added to a Pod what it tolerates for a while, and nothing else is different.
    Tolerated,
}

impl Rule {
    /// The rule of replicas that are scaled.
    pub fn replicas() -> &'static Self {
        &RULES[0]
    }

    /// Whether it is about resources of the kind of this one.
    pub fn is_about(&self, id: &ResourceId) -> bool {
        self.kinds.contains(&(id.group.as_str(), id.kind.as_str()))
    }
}

const WORKLOADS: &[(&str, &str)] = &[
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "ReplicaSet"),
    ("", "ReplicationController"),
];

/// All rules.
pub const RULES: [Rule; 8] = [
    Rule {
        kinds: WORKLOADS,
        field: "spec.replicas",
        owner: "HorizontalPodAutoscaler",
        when: "an autoscaler has the workload as its target",
        case: Case::Scaled,
    },
    Rule {
        kinds: WORKLOADS,
        field: "spec.replicas",
        // The API server would make it 1, whatever it is.
        owner: "one who scales it",
        when: "the chart gives no number",
        case: Case::Empty,
    },
    Rule {
        kinds: &[
            (ADMISSION, "MutatingWebhookConfiguration"),
            (ADMISSION, "ValidatingWebhookConfiguration"),
        ],
        field: "webhooks[].clientConfig.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &[("apiextensions.k8s.io", "CustomResourceDefinition")],
        field: "spec.conversion.webhook.clientConfig.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &[("apiregistration.k8s.io", "APIService")],
        field: "spec.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &[("", "Service")],
        field: "spec.clusterIP",
        owner: "API server",
        when: "the chart gives no address",
        case: Case::Empty,
    },
    Rule {
        kinds: &[("", "PersistentVolumeClaim")],
        field: "spec.volumeName",
        owner: "volume controller",
        when: "the chart gives no volume",
        case: Case::Empty,
    },
    Rule {
        kinds: &[("", "Pod")],
        field: "spec.tolerations",
        owner: "API server",
        when: "it has only added how long nodes may be away",
        case: Case::Tolerated,
    },
];

const ADMISSION: &str = "admissionregistration.k8s.io";
/// The taints of nodes for which the admission plugin `DefaultTolerationSeconds` adds tolerations.
const AWAY: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];
const INJECTED: &str = "the chart gives no bundle, or an annotation asks for one";
/// The annotations by which resources ask for a bundle.
const INJECTORS: [&str; 4] = [
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "cert-manager.io/inject-apiserver-ca",
    "service.beta.openshift.io/inject-cabundle",
];
/// What charts write for no bundle, because the field was once required: a newline in base64.
const NO_BUNDLE: &str = "Cg==";

/// A field that differs from what is wanted and is left to its owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Ignored {
    /// Where it stands.
    pub path: String,
    /// The live value.
    pub live: Value,
    /// The value that the chart has.
    pub wanted: Option<Value>,
    /// Whose it is.
    pub owner: &'static str,
}

/// Takes what belongs to others out of the wanted and the applied forms of a live resource, and
/// tells which fields that leaves different.
pub(super) fn leave(
    id: &ResourceId,
    (desired, applied): (&mut Value, &mut [Cow<'_, Value>]),
    live: &Value,
    inputs: &Inputs<'_>,
) -> Vec<Ignored> {
    let mut ignored = vec![];
    for rule in RULES.iter().filter(|rule| rule.is_about(id)) {
        for spot in spots(rule.field, live) {
            let Some(found) = spot.value(live) else {
                continue;
            };
            let wanted = spot.value(desired).cloned();
            let case = (rule.case, wanted.as_ref(), found);
            if !applies(case, (id, desired), inputs) {
                continue;
            }
            if wanted.as_ref() != Some(found)
                && wanted.is_some()
                && let Some(path) = spot.path(live)
            {
                ignored.push(Ignored {
                    path: path.trim_start_matches('/').replace('/', "."),
                    live: found.clone(),
                    wanted,
                    owner: rule.owner,
                });
            }
            spot.remove(desired);
            for body in applied.iter_mut() {
                if spot.value(body).is_some() {
                    spot.remove(body.to_mut());
                }
            }
        }
    }
    ignored
}

fn applies(
    (case, wanted, live): (Case, Option<&Value>, &Value),
    (id, desired): (&ResourceId, &Value),
    inputs: &Inputs<'_>,
) -> bool {
    let is_empty = wanted.is_none_or(|value| value.is_null() || value == "");
    match case {
        Case::Empty => is_empty,
        Case::Injected => {
            is_empty
                || wanted.is_some_and(|value| value == NO_BUNDLE)
                || INJECTORS
                    .iter()
                    .any(|key| annotation(desired, key).is_some())
        }
        Case::Scaled => is_scaled(id, inputs),
        Case::Tolerated => wanted.is_some_and(|wanted| without_away(live) == without_away(wanted)),
    }
}

/// Tolerations but those that the API server adds.
fn without_away(tolerations: &Value) -> Vec<&Value> {
    let is_own = |one: &&Value| {
        let key = one.get("key").and_then(Value::as_str);
        key.is_none_or(|key| !AWAY.contains(&key))
    };
    let all = tolerations.as_array().into_iter().flatten();
    all.filter(is_own).collect()
}

/// Whether an autoscaler, of the manifest or of somebody else, has a workload as its target.
fn is_scaled(id: &ResourceId, inputs: &Inputs<'_>) -> bool {
    let own = inputs.desired.resources.iter();
    let mut own =
        own.filter_map(|resource| target(&resource.body, resource.id.namespace.as_deref()));
    own.any(|target| target.is(id)) || inputs.found.scaled.contains(id)
}

/// What an autoscaler scales.
pub struct Target<'a> {
    kind: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
}

impl Target<'_> {
    /// Whether this is `id`.
    pub fn is(&self, id: &ResourceId) -> bool {
        self.kind == id.kind && self.name == id.name && self.namespace == id.namespace.as_deref()
    }
}

/// The target of an autoscaler in a namespace; none if `body` is none.
pub fn target<'a>(body: &'a Value, namespace: Option<&'a str>) -> Option<Target<'a>> {
    let is_one = body.get("kind")? == "HorizontalPodAutoscaler";
    target_of(body, namespace).filter(|_| is_one)
}

/// The target of an autoscaler in a namespace.
pub fn target_of<'a>(body: &'a Value, namespace: Option<&'a str>) -> Option<Target<'a>> {
    let target = body.pointer("/spec/scaleTargetRef")?;
    Some(Target {
        kind: target.get("kind")?.as_str()?,
        name: target.get("name")?.as_str()?,
        namespace,
    })
}

/// One place of a field. The item of a list is known by its name, and not by where it stands.
struct Spot<'a> {
    list: Option<(String, &'a Value)>,
    field: String,
}

impl Spot<'_> {
    /// Where it is in a body, as a JSON pointer.
    fn path(&self, body: &Value) -> Option<String> {
        let Some((list, name)) = &self.list else {
            return Some(self.field.clone());
        };
        let mut items = body.pointer(list)?.as_array()?.iter();
        let index = items.position(|item| item.get("name") == Some(name))?;
        Some(format!("{list}/{index}{}", self.field))
    }

    fn value<'b>(&self, body: &'b Value) -> Option<&'b Value> {
        body.pointer(&self.path(body)?)
    }

    fn remove(&self, body: &mut Value) {
        if let Some(path) = self.path(body)
            && let Some((parent, name)) = path.rsplit_once('/')
            && let Some(Value::Object(parent)) = body.pointer_mut(parent)
        {
            parent.remove(name);
        }
    }
}

/// The places of a field in a live resource.
fn spots<'a>(field: &str, live: &'a Value) -> Vec<Spot<'a>> {
    let pointer = |path: &str| path.replace('.', "/");
    let Some((list, field)) = field.split_once("[]") else {
        let field = format!("/{}", pointer(field));
        return vec![Spot { list: None, field }];
    };
    let list = format!("/{}", pointer(list));
    let items = live.pointer(&list).and_then(Value::as_array);
    let names = items
        .into_iter()
        .flatten()
        .filter_map(|item| item.get("name"));
    let spot = |name| Spot {
        list: Some((list.clone(), name)),
        field: pointer(field),
    };
    names.map(spot).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::capabilities::Kinds;
    use crate::manifest::Manifest;
    use crate::plan::{Consent, Found, Method, Observed, Owner};
    use crate::release::ApplyMethod;

    /// Checks whose the replicas of a resource are, which were applied as 2 and are 5 now.
    #[track_caller]
    fn check((group, kind): (&str, &str), mut desired: Value, expected: &str) {
        let id = ResourceId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        };
        let inputs = Inputs {
            desired: &Manifest::default(),
            base: &[],
            observed: &Observed::new(),
            mentions: &BTreeMap::new(),
            owner: Owner {
                release: "web",
                namespace: "shop",
            },
            kinds: &Kinds::default(),
            found: &Found::default(),
            method: Method::ClientSide,
            before: ApplyMethod::ClientSide,
            consent: &Consent::default(),
            now: Timestamp::UNIX_EPOCH,
        };
        let base = json!({"spec": {"replicas": 2}});
        let live = json!({"spec": {"replicas": 5}});
        let mut applied = [Cow::Borrowed(&base)];
        leave(&id, (&mut desired, &mut applied), &live, &inputs);
        let whose = |body: &Value| match body.pointer("/spec/replicas") {
            Some(_) => "the chart's",
            None => "left",
        };
        assert_eq!(whose(&applied[0]), expected, "{group} {kind}: {desired}");
        let is_left = desired.pointer("/spec/replicas").is_none();
        assert!(is_left || expected != "left", "{group} {kind}: {desired}");
    }

    #[test]
    fn replicas_that_the_chart_does_not_give_are_left() {
        let absent = || json!({"spec": {}});
        check(("apps", "Deployment"), absent(), "left");
        check(("", "ReplicationController"), absent(), "left");
        let null = json!({"spec": {"replicas": null}});
        check(("apps", "StatefulSet"), null, "left");
        let given = json!({"spec": {"replicas": 1}});
        check(("apps", "Deployment"), given, "the chart's");
        check(("example.com", "Deployment"), absent(), "the chart's");
    }
}
