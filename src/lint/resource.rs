//! Rules about one rendered resource beside its API's own: names, namespaces, selectors and lists
//! whose items have keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rule;
use super::structure::Fault;
use crate::builtin::{self, Keyed, SetMerge, Shape, Type};
use crate::manifest::Resource;
use crate::yaml::Step;

/// The kinds that run pods which they find by a selector.
const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

/// The kinds whose names are any part of a path: those of RBAC, such as `kubeadm:get-nodes`, and two
/// that are named after something with dots and colons.
const PATH_NAMES: [&str; 6] = [
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "APIService",
    "IPAddress",
];

/// Checks everything that needs no data of a minor.
pub(super) fn faults(resource: &Resource) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(name(resource));
    faults.extend(selector(resource));
    if let Some(root) = builtin::schema(&resource.api_version, &resource.id.kind) {
        let mut path = Vec::new();
        duplicates(
            &resource.body,
            Shape::Object(root, builtin::Presence::Always),
            &mut path,
            &mut faults,
        );
    }
    faults
}

pub(super) fn keys(path: &[&str]) -> Vec<Step> {
    path.iter()
        .map(|key| Step::Key((*key).to_owned()))
        .collect()
}

/// Names are DNS subdomains, some all but paths, those of Services and namespaces labels.
fn name(resource: &Resource) -> Option<Fault> {
    let kind = resource.id.kind.as_str();
    let name = resource.id.name.as_str();
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |text: &str| {
        text.len() <= 63
            && text.starts_with(letter)
            && text.ends_with(letter)
            && text.chars().all(|c| letter(c) || c == '-')
    };
    let is_subdomain = |text: &str| {
        text.len() <= 253
            && text.split('.').all(|part| {
                part.starts_with(letter)
                    && part.ends_with(letter)
                    && part.chars().all(|c| letter(c) || c == '-')
            })
    };
    let expected = match kind {
        "Service" | "Namespace" if !is_label(name) => "a DNS label of at most 63 letters",
        _ if PATH_NAMES.contains(&kind) => {
            let is_path = matches!(name, "." | "..") || name.contains(['/', '%']);
            is_path.then_some("free of / and %")?
        }
        _ if !is_subdomain(name) => "a DNS subdomain of at most 253 letters",
        _ => return None,
    };
    Some(Fault {
        rule: rule::RESOURCE_NAME,
        path: keys(&["metadata", "name"]),
        message: format!("is {name:?}: it must be {expected}"),
    })
}

/// A workload whose selector does not match its own pods is refused.
fn selector(resource: &Resource) -> Option<Fault> {
    if !WORKLOADS.contains(&resource.id.kind.as_str()) {
        return None;
    }
    let wanted = resource
        .body
        .pointer("/spec/selector/matchLabels")?
        .as_object()?;
    let labels = resource.body.pointer("/spec/template/metadata/labels");
    let lacks: Vec<&str> = (wanted.iter())
        .filter(|(key, value)| labels.and_then(|labels| labels.get(key.as_str())) != Some(*value))
        .map(|(key, _)| key.as_str())
        .collect();
    if lacks.is_empty() {
        return None;
    }
    Some(Fault {
        rule: rule::SELECTOR_MISMATCH,
        path: keys(&["spec", "selector", "matchLabels"]),
        message: format!(
            "selects no pod of the template, whose labels differ in {}",
            lacks.join(", ")
        ),
    })
}

/// Finds items of lists that have the same key.
fn duplicates(value: &Value, shape: Shape<'_>, path: &mut Vec<Step>, faults: &mut Vec<Fault>) {
    match (shape, value) {
        (Shape::Object(of, _), Value::Object(map)) => {
            for (key, value) in map {
                below(Step::Key(key.clone()), path, |path| {
                    duplicates(value, of.field(key), path, faults);
                });
            }
        }
        (Shape::Map(of), Value::Object(map)) => {
            for (key, value) in map {
                below(Step::Key(key.clone()), path, |path| {
                    duplicates(value, of.shape(), path, faults);
                });
            }
        }
        (Shape::Items(of), Value::Array(items)) => each(items, of.shape(), path, faults),
        (Shape::Keyed(keyed), Value::Array(items)) => {
            let of: Type<'_> = keyed.item_type();
            each(
                items,
                Shape::Object(of, builtin::Presence::Always),
                path,
                faults,
            );
            repeated(items, |item| key_of(item, keyed), path, faults);
        }
        (Shape::Set(SetMerge::Merge | SetMerge::Whole), Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map(str::to_owned);
            repeated(items, text, path, faults);
        }
        _ => {}
    }
}

fn each(items: &[Value], shape: Shape<'_>, path: &mut Vec<Step>, faults: &mut Vec<Fault>) {
    for (index, item) in items.iter().enumerate() {
        below(Step::Index(index), path, |path| {
            duplicates(item, shape, path, faults);
        });
    }
}

fn below(step: Step, path: &mut Vec<Step>, work: impl FnOnce(&mut Vec<Step>)) {
    path.push(step);
    work(path);
    path.pop();
}

/// The key of an item in words, such as `name A` or `containerPort 53, protocol UDP`; none if it has
/// not got all of it.
fn key_of(item: &Value, keyed: &Keyed) -> Option<String> {
    let parts = keyed.keys.iter().map(|(key, default)| {
        let value = match item.get(key) {
            None | Some(Value::Null) => default.clone()?,
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        Some(format!("{key} {value}"))
    });
    parts
        .collect::<Option<Vec<_>>>()
        .map(|parts| parts.join(", "))
}

fn repeated(
    items: &[Value],
    key: impl Fn(&Value) -> Option<String>,
    path: &mut Vec<Step>,
    faults: &mut Vec<Fault>,
) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let Some(key) = key(item) else {
            continue;
        };
        if !seen.insert(key.clone()) {
            below(Step::Index(index), path, |path| {
                faults.push(Fault {
                    rule: rule::DUPLICATE_ITEM,
                    path: path.clone(),
                    message: format!("has the key of an earlier item, {key}"),
                });
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart;
    use crate::manifest::{Origin, ResourceId};
    use serde_json::json;

    #[track_caller]
    fn check(api_version: &str, kind: &str, body: Value, expected: &[&str]) {
        let name = body["metadata"]["name"].as_str().unwrap_or("a").to_owned();
        let resource = Resource {
            id: ResourceId {
                group: String::new(),
                kind: kind.to_owned(),
                namespace: None,
                name,
            },
            api_version: api_version.to_owned(),
            body,
            origin: Origin {
                template: String::new(),
                line: 1,
            },
        };
        let found = faults(&resource);
        let shown = found.iter().map(|fault| {
            format!(
                "{} {} {}",
                fault.rule.id,
                chart::dotted_path(&fault.path),
                fault.message
            )
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn names_are_checked_by_kind() {
        let named = |name: &str| json!({"metadata": {"name": name}});
        check("v1", "ConfigMap", named("a.b-c"), &[]);
        check(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            named("kubeadm:A"),
            &[],
        );
        check(
            "v1",
            "ConfigMap",
            named("A_b"),
            &[
                "resource-name metadata.name is \"A_b\": it must be a DNS subdomain of at most 253 letters",
            ],
        );
        check(
            "v1",
            "Service",
            named("a.b"),
            &[
                "resource-name metadata.name is \"a.b\": it must be a DNS label of at most 63 letters",
            ],
        );
        check(
            "rbac.authorization.k8s.io/v1",
            "Role",
            named("a/b"),
            &["resource-name metadata.name is \"a/b\": it must be free of / and %"],
        );
    }

    #[test]
    fn workloads_select_their_pods() {
        let workload = |labels: Value| {
            json!({"spec": {"selector": {"matchLabels": {"app": "a"}},
                "template": {"metadata": {"labels": labels}}}})
        };
        check(
            "apps/v1",
            "Deployment",
            workload(json!({"app": "a", "x": "y"})),
            &[],
        );
        check(
            "apps/v1",
            "Deployment",
            workload(json!({"app": "b"})),
            &[
                "selector-mismatch spec.selector.matchLabels selects no pod of the template, whose \
               labels differ in app",
            ],
        );
    }

    #[test]
    fn keys_stand_once() {
        let pod = |container: Value| json!({"spec": {"containers": [container]}});
        let ports = json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]);
        check("v1", "Pod", pod(json!({"name": "a", "ports": ports})), &[]);
        let env = json!([{"name": "A"}, {"name": "B"}, {"name": "A"}]);
        check(
            "v1",
            "Pod",
            pod(json!({"name": "a", "env": env})),
            &["duplicate-item spec.containers[0].env[2] has the key of an earlier item, name A"],
        );
    }
}
