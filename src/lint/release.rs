//! Rules about all resources of a release together: what it makes and does not use, and what cannot
//! follow from one version of the chart to the next.

use serde_json::Value;

use super::resource::keys;
use super::rule;
use super::structure::Fault;
use crate::manifest::{Manifest, Resource, ResourceId};

/// The annotation by which pods follow what a config map says, as Helm's guide has it.
const CHECKSUM: &str = "checksum/";

/// A resource and what is wrong with it.
pub(super) type Found<'a> = (&'a Resource, Fault);

/// The kinds that cannot change all of their fields, and the fields that they cannot change.
const IMMUTABLE: [(&str, &[&[&str]]); 8] = [
    ("Deployment", &[&["spec", "selector"]]),
    ("DaemonSet", &[&["spec", "selector"]]),
    (
        "StatefulSet",
        &[
            &["spec", "selector"],
            &["spec", "serviceName"],
            &["spec", "podManagementPolicy"],
            &["spec", "volumeClaimTemplates"],
        ],
    ),
    (
        "Job",
        &[
            &["spec", "selector"],
            &["spec", "template"],
            &["spec", "completionMode"],
        ],
    ),
    (
        "PersistentVolumeClaim",
        &[
            &["spec", "storageClassName"],
            &["spec", "volumeName"],
            &["spec", "volumeMode"],
            &["spec", "accessModes"],
            &["spec", "selector"],
        ],
    ),
    ("RoleBinding", &[&["roleRef"]]),
    ("ClusterRoleBinding", &[&["roleRef"]]),
    ("Service", &[&["spec", "clusterIP"]]),
];

/// The kinds that hold data, which another name leaves behind.
const STATEFUL: [&str; 2] = ["StatefulSet", "PersistentVolumeClaim"];

/// Compares what a chart renders to with what its next version would: what differs there in a field
/// that cannot be changed fails at the first upgrade. Hooks are made anew and do not count.
pub(super) fn immutable<'a>(manifest: &'a Manifest, next: &Manifest) -> Vec<Found<'a>> {
    let mut found = renamed(manifest, next);
    for resource in &manifest.resources {
        let fields = IMMUTABLE.iter().find(|(kind, _)| *kind == resource.id.kind);
        let later = next.resources.iter().find(|later| later.id == resource.id);
        let (Some((_, fields)), Some(later)) = (fields, later) else {
            continue;
        };
        for field in *fields {
            let pointer = format!("/{}", field.join("/"));
            if resource.body.pointer(&pointer) != later.body.pointer(&pointer) {
                let message = if resource.id.kind == "Job" {
                    "follows the version of the chart, and a Job of the same name cannot be changed"
                } else {
                    "follows the version of the chart and cannot be changed by an upgrade"
                };
                found.push((resource, fault(rule::IMMUTABLE_FIELD, field, message)));
            }
        }
    }
    found
}

/// Resources with data that the next version has under another name, so that an upgrade would delete
/// them and begin with empty ones.
fn renamed<'a>(manifest: &'a Manifest, next: &Manifest) -> Vec<Found<'a>> {
    let lacks = |manifest: &Manifest, one: &Resource| {
        !manifest.resources.iter().any(|other| other.id == one.id)
    };
    // What is there instead comes from the same template.
    let instead = |one: &&Resource| {
        next.resources.iter().any(|later| {
            later.id.kind == one.id.kind
                && later.origin.template == one.origin.template
                && lacks(manifest, later)
        })
    };
    let stateful = manifest.resources.iter();
    let stateful = stateful.filter(|one| STATEFUL.contains(&one.id.kind.as_str()));
    let gone = stateful.filter(|one| lacks(next, one)).filter(instead);
    let path = ["metadata", "name"];
    let message =
        "follows the version of the chart: an upgrade would make another without its data";
    gone.map(|resource| (resource, fault(rule::IMMUTABLE_FIELD, &path, message)))
        .collect()
}

fn fault(rule: &'static super::Rule, path: &[&str], message: &str) -> Fault {
    Fault {
        rule,
        path: keys(path),
        message: message.to_owned(),
    }
}

/// Finds generators whose Secret or config map nothing in the manifest names, no generator uses, and
/// no annotation calls a product for users.
pub(super) fn unused_generators<'a>(manifest: &'a Manifest, namespace: &str) -> Vec<Found<'a>> {
    let is_stub = |resource: &Resource| manifest.generator(&resource.id, namespace).is_some();
    let mut names = Vec::new();
    for resource in manifest
        .resources
        .iter()
        .filter(|resource| !is_stub(resource))
    {
        texts(&resource.body, &mut names);
    }
    for hook in &manifest.hooks {
        texts(&hook.resource.body, &mut names);
    }
    let mut found = Vec::new();
    for generator in &manifest.generators {
        let used_by = |other: &crate::manifest::generator::Generator| {
            let mut names = Vec::new();
            texts(&other.declared()["spec"], &mut names);
            other.name != generator.name && names.contains(&generator.name.as_str())
        };
        let is_used = names.contains(&generator.name.as_str())
            || manifest.generators.iter().any(used_by)
            || is_for_users(generator);
        let stub = manifest
            .resources
            .iter()
            .find(|resource| resource.origin == generator.origin);
        if let Some(stub) = stub.filter(|_| !is_used) {
            let message = format!("{generator} makes what nothing in the chart uses");
            found.push((
                stub,
                fault(rule::UNUSED_GENERATOR, &["metadata", "name"], &message),
            ));
        }
    }
    found
}

/// Kubeconfigs are read by people, whatever the chart does with them.
fn is_for_users(generator: &crate::manifest::generator::Generator) -> bool {
    generator.kind() == "Kubeconfig"
}

fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// Finds workloads that read a config map of the release by their environment, which they do not
/// see change, and have no checksum of it among the annotations of their pods.
pub(super) fn config_rollout(manifest: &Manifest) -> Vec<Found<'_>> {
    let is_config = |name: &str| {
        let own = |id: &ResourceId| id.kind == "ConfigMap" && id.name == name;
        manifest.resources.iter().any(|resource| own(&resource.id))
            && !manifest
                .generators
                .iter()
                .any(|generator| generator.name == name)
    };
    let mut found = Vec::new();
    for resource in &manifest.resources {
        let Some(template) = resource.body.pointer("/spec/template") else {
            continue;
        };
        if resource.id.kind == "Job" || has_checksum(template) {
            continue;
        }
        let mut names = Vec::new();
        environments(template, &mut names);
        if let Some(name) = names.into_iter().find(|name| is_config(name)) {
            let message = format!("pods do not restart when ConfigMap {name} changes");
            let path = ["spec", "template", "metadata"];
            found.push((resource, fault(rule::CONFIG_ROLLOUT, &path, &message)));
        }
    }
    found
}

fn has_checksum(template: &Value) -> bool {
    let annotations = template
        .pointer("/metadata/annotations")
        .and_then(Value::as_object);
    annotations.is_some_and(|map| map.keys().any(|key| key.starts_with(CHECKSUM)))
}

/// The config maps that environments are made of.
fn environments<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| environments(item, found)),
        Value::Object(map) => {
            for (key, value) in map {
                if key == "configMapRef" || key == "configMapKeyRef" {
                    found.extend(value.get("name").and_then(Value::as_str));
                }
                environments(value, found);
            }
        }
        _ => {}
    }
}
