//! Stamps: annotations of pod templates with the issues of the Secrets that the pods use, so that
//! an issue rolls exactly its users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Decision;
use crate::manifest::generator::{Product, k8s_name};
use crate::plan::pod_template;

/// The start of the annotation that carries an issue; the Secret's name follows.
pub const STAMP_PREFIX: &str = "issue.pintle.dev/";
/// The annotation with a comma list of Secrets that are used in a way that cannot be seen.
const USES: &str = "pintle.dev/uses";
/// The annotation with a comma list of Secrets that the containers reload by themselves.
const RELOADS: &str = "pintle.dev/reloads";

/// The fields of a pod's spec that hold a reference to a Secret or a config map, as a map with its
/// `name`.
const REFERENCES: [(&str, Product); 7] = [
    ("secret", Product::Secret),
    ("secretKeyRef", Product::Secret),
    ("secretRef", Product::Secret),
    ("nodePublishSecretRef", Product::Secret),
    ("configMap", Product::ConfigMap),
    ("configMapKeyRef", Product::ConfigMap),
    ("configMapRef", Product::ConfigMap),
];

/// The ids of the issues of what is generated, by its name.
#[derive(Debug, Clone, Default)]
pub struct Issues(BTreeMap<String, (Product, String)>);

impl FromIterator<(String, (Product, String))> for Issues {
    fn from_iter<T: IntoIterator<Item = (String, (Product, String))>>(issues: T) -> Self {
        Self(issues.into_iter().collect())
    }
}

impl Issues {
    /// The issues that there are once these decisions are carried out.
    pub fn of(decisions: &[Decision]) -> Self {
        let issue = |decision: &Decision| {
            let id = decision.action.id().to_owned();
            (decision.name.clone(), (decision.product, id))
        };
        Self(decisions.iter().map(issue).collect())
    }

    fn makes(&self, product: Product, name: &str) -> bool {
        self.0.get(name).is_some_and(|(made, _)| *made == product)
    }
}

/// Writes the issues of what a workload uses into its pod template, and takes stamps of others out of
/// it.
///
/// Jobs and bare Pods are left alone, because their templates cannot change.
pub fn stamp(body: &mut Value, issues: &Issues) {
    let used = uses(body, issues);
    let Some(template) = pod_template::path(body).and_then(|path| body.pointer_mut(path)) else {
        return;
    };
    let Some(template) = template.as_object_mut() else {
        return;
    };
    let has_annotations =
        (template.get("metadata")).is_some_and(|metadata| metadata.get("annotations").is_some());
    if used.is_empty() && !has_annotations {
        return;
    }
    let Some(annotations) = annotations(template) else {
        return;
    };
    annotations.retain(|name, _| !name.starts_with(STAMP_PREFIX));
    for name in used {
        if let Some((_, id)) = issues.0.get(&name) {
            annotations.insert(format!("{STAMP_PREFIX}{}", k8s_name(&name)), json!(id));
        }
    }
}

/// Returns the stamps in a workload's pod template, live or desired: the full name of the
/// annotation and the id. The planner adds the live ones to the base, so that stale ones go.
pub fn stamps(body: &Value) -> BTreeMap<String, String> {
    let annotations = pod_template::of(body)
        .and_then(|template| template.pointer("/metadata/annotations"))
        .and_then(Value::as_object);
    let entries = annotations.into_iter().flatten();
    entries
        .filter(|(name, _)| name.starts_with(STAMP_PREFIX))
        .filter_map(|(name, id)| Some((name.clone(), id.as_str()?.to_owned())))
        .collect()
}

/// Returns the generated Secrets and config maps a new issue of which has to roll the pods of a
/// workload: those its pods use, in volumes, variables, pulls of images or by `pintle.dev/uses`,
/// without those in `pintle.dev/reloads`. Empty for what is not stamped.
pub fn uses(body: &Value, issues: &Issues) -> BTreeSet<String> {
    let Some(template) = pod_template::of(body) else {
        return BTreeSet::new();
    };
    let mut found = BTreeSet::new();
    if let Some(spec) = template.get("spec") {
        collect(spec, &mut found);
    }
    let found = found
        .into_iter()
        .filter(|(product, name)| issues.makes(*product, name));
    let mentioned = mentions(body, USES).into_iter();
    let mentioned = mentioned.filter(|name| issues.0.contains_key(*name));
    let reloaded = mentions(body, RELOADS);
    found
        .map(|(_, name)| name)
        .chain(mentioned)
        .filter(|name| !reloaded.contains(name))
        .map(str::to_owned)
        .collect()
}

/// Returns the names in a workload's `pintle.dev/uses` and `pintle.dev/reloads` that nothing is
/// generated of: a pod would not be rolled, or be rolled in vain, because of a typo.
pub fn unknown_mentions(body: &Value, issues: &Issues) -> Vec<String> {
    let all = mentions(body, USES);
    let all = all.into_iter().chain(mentions(body, RELOADS));
    all.filter(|name| !issues.0.contains_key(*name))
        .map(str::to_owned)
        .collect()
}

fn annotations(template: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let mut map = template;
    for field in ["metadata", "annotations"] {
        let value = map.entry(field).or_insert(Value::Null);
        if value.is_null() {
            *value = json!({});
        }
        map = value.as_object_mut()?;
    }
    Some(map)
}

/// The names in a comma list that stands at the workload or at its pod template.
fn mentions<'a>(body: &'a Value, annotation: &str) -> BTreeSet<&'a str> {
    let template = pod_template::of(body);
    [Some(body), template]
        .into_iter()
        .flatten()
        .filter_map(|owner| {
            owner
                .pointer("/metadata/annotations")?
                .get(annotation)?
                .as_str()
        })
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The names of the Secrets that the spec of a pod speaks of.
pub fn secrets_in(spec: &Value) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    collect(spec, &mut found);
    let found = found.into_iter();
    found
        .filter(|(product, _)| *product == Product::Secret)
        .map(|(_, name)| name)
        .collect()
}

/// Collects the Secrets and config maps in a pod's spec at any depth, so that containers of every sort
/// and volumes of every kind are covered, those of drivers with a `secretRef` included.
fn collect<'a>(value: &'a Value, found: &mut BTreeSet<(Product, &'a str)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            for (field, value) in map {
                match field.as_str() {
                    "secretName" => found.extend(value.as_str().map(secret)),
                    "imagePullSecrets" => {
                        let items = value.as_array().into_iter().flatten();
                        found.extend(items.filter_map(name).map(secret));
                    }
                    field => {
                        let known = REFERENCES.iter().find(|(known, _)| *known == field);
                        let product = known.map(|(_, product)| *product);
                        found.extend(product.zip(name(value)));
                    }
                }
                collect(value, found);
            }
        }
        _ => (),
    }
}

fn secret(name: &str) -> (Product, &str) {
    (Product::Secret, name)
}

fn name(value: &Value) -> Option<&str> {
    value.get("name")?.as_str()
}

#[cfg(test)]
mod tests;
