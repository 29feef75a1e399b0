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
    /// The kinds that have it.
    pub kinds: &'static [&'static str],
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
}

impl Rule {
    /// The rule of replicas.
    pub fn replicas() -> &'static Self {
        &RULES[0]
    }
}

/// All rules.
pub const RULES: [Rule; 6] = [
    Rule {
        kinds: &[
            "Deployment",
            "StatefulSet",
            "ReplicaSet",
            "ReplicationController",
        ],
        field: "spec.replicas",
        owner: "HorizontalPodAutoscaler",
        when: "an autoscaler has the workload as its target",
        case: Case::Scaled,
    },
    Rule {
        kinds: &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
        field: "webhooks[].clientConfig.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &["CustomResourceDefinition"],
        field: "spec.conversion.webhook.clientConfig.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &["APIService"],
        field: "spec.caBundle",
        owner: "injector of CA bundles",
        when: INJECTED,
        case: Case::Injected,
    },
    Rule {
        kinds: &["Service"],
        field: "spec.clusterIP",
        owner: "API server",
        when: "the chart gives no address",
        case: Case::Empty,
    },
    Rule {
        kinds: &["PersistentVolumeClaim"],
        field: "spec.volumeName",
        owner: "volume controller",
        when: "the chart gives no volume",
        case: Case::Empty,
    },
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
    for rule in RULES
        .iter()
        .filter(|rule| rule.kinds.contains(&id.kind.as_str()))
    {
        for path in paths(rule.field, live) {
            let Some(found) = live.pointer(&path) else {
                continue;
            };
            let wanted = desired.pointer(&path).cloned();
            if !applies(rule.case, wanted.as_ref(), (id, desired), inputs) {
                continue;
            }
            if wanted.as_ref() != Some(found) && wanted.is_some() {
                ignored.push(Ignored {
                    path: path.trim_start_matches('/').replace('/', "."),
                    live: found.clone(),
                    wanted,
                    owner: rule.owner,
                });
            }
            remove(desired, &path);
            for body in applied.iter_mut() {
                if body.pointer(&path).is_some() {
                    remove(body.to_mut(), &path);
                }
            }
        }
    }
    ignored
}

fn applies(
    case: Case,
    wanted: Option<&Value>,
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
    }
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

/// The places of a field in a live resource, as JSON pointers.
fn paths(field: &str, live: &Value) -> Vec<String> {
    let Some((list, rest)) = field.split_once("[]") else {
        return vec![format!("/{}", field.replace('.', "/"))];
    };
    let list = format!("/{}", list.replace('.', "/"));
    let count = live
        .pointer(&list)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let rest = rest.replace('.', "/");
    (0..count)
        .map(|index| format!("{list}/{index}{rest}"))
        .collect()
}

fn remove(body: &mut Value, path: &str) {
    if let Some((parent, name)) = path.rsplit_once('/')
        && let Some(Value::Object(parent)) = body.pointer_mut(parent)
    {
        parent.remove(name);
    }
}
