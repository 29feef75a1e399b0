//! Where the pod template of a workload stands, and what is asked of it in several places.

use serde_json::{Value, json};

use super::diff::Difference;
use crate::manifest::ResourceId;

/// Where the pod template of a workload stands, as a JSON pointer; none for bare Pods and Jobs,
/// whose pods cannot change, and for what has no pods.
pub(super) fn path(body: &Value) -> Option<&'static str> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("");
    let group = text("apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    match (group, text("kind")) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController") => Some("/spec/template"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

/// Whether a change is one of what stands at a JSON pointer.
pub(super) fn is_below(path: &str, difference: &Difference) -> bool {
    let path = path.trim_start_matches('/').replace('/', ".");
    let mut changes = difference.changes.iter();
    changes.any(|change| change.path.starts_with(&path))
}

/// Whether a change of the resource `id` changes the template of its pods.
pub(super) fn is_touched(id: &ResourceId, difference: &Difference) -> bool {
    let version = if id.group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{}/v1", id.group)
    };
    let body = json!({"apiVersion": version, "kind": id.kind});
    path(&body).is_some_and(|path| is_below(path, difference))
}

/// The pod template of a workload.
pub(super) fn of(body: &Value) -> Option<&Value> {
    body.pointer(path(body)?)
}

/// The containers of a workload's pods, init containers included.
fn containers(body: &Value) -> impl Iterator<Item = &Value> {
    let spec = of(body).and_then(|template| template.get("spec"));
    let lists = ["initContainers", "containers"].into_iter();
    lists
        .filter_map(move |list| spec?.get(list)?.as_array())
        .flatten()
}

/// The image of each container of a workload by the container's name.
pub(super) fn images(body: &Value) -> impl Iterator<Item = (&str, &str)> {
    containers(body).filter_map(|container| {
        let name = container.get("name")?.as_str()?;
        Some((name, container.get("image")?.as_str()?))
    })
}

/// What somebody has to do by hand after a change of the pod template of `body`: with the update
/// strategy `OnDelete` the pods stay as they are.
pub(super) fn by_hand(body: &Value) -> Option<String> {
    if body.pointer("/spec/updateStrategy/type")? != "OnDelete" {
        return None;
    }
    let name = body.pointer("/metadata/name")?.as_str()?;
    let pods = match body.pointer("/spec/replicas").and_then(Value::as_u64) {
        Some(replicas) => (0..replicas)
            .map(|ordinal| format!("{name}-{ordinal}"))
            .collect::<Vec<_>>()
            .join(", "),
        None => "all of them".to_owned(),
    };
    Some(format!(
        "updateStrategy is OnDelete: pods change when they are deleted by hand: {pods}"
    ))
}

/// The config maps, Secrets, claims and accounts without which the pods of a workload do not start,
/// as kind and name; what is marked optional is left out.
pub(super) fn needs(body: &Value) -> Vec<(&'static str, &str)> {
    let mut found = vec![];
    if let Some(spec) = of(body).and_then(|template| template.get("spec")) {
        collect(spec, &mut found);
    }
    found
}

/// The config maps whose `ip` a variable of a container takes, and cannot do without.
pub(super) fn addresses(body: &Value) -> Vec<&str> {
    let variables = containers(body).filter_map(|container| container.get("env")?.as_array());
    let taken = variables.flatten().filter_map(|variable| {
        let from = variable.pointer("/valueFrom/configMapKeyRef")?;
        let is_address = from.get("key")? == "ip" && from.get("optional") != Some(&true.into());
        from.get("name")?.as_str().filter(|_| is_address)
    });
    taken.collect()
}

fn collect<'a>(value: &'a Value, found: &mut Vec<(&'static str, &'a str)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            for (field, value) in map {
                found.extend(reference(field, value));
                collect(value, found);
            }
        }
        _ => (),
    }
}

/// What one field of a pod's spec refers to.
fn reference<'a>(field: &str, value: &'a Value) -> Option<(&'static str, &'a str)> {
    if value.get("optional").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let named = |name: &str| value.get(name).and_then(Value::as_str);
    match field {
        "serviceAccountName" => Some(("ServiceAccount", value.as_str()?)),
        "configMap" | "configMapKeyRef" | "configMapRef" => Some(("ConfigMap", named("name")?)),
        "secret" => Some(("Secret", named("secretName").or_else(|| named("name"))?)),
        "secretKeyRef" | "secretRef" => Some(("Secret", named("name")?)),
        "persistentVolumeClaim" => Some(("PersistentVolumeClaim", named("claimName")?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pods_need_is_found_at_any_depth() {
        let spec = json!({
            "serviceAccountName": "account",
            "volumes": [
                {"configMap": {"name": "map"}},
                {"secret": {"secretName": "sealed"}},
                {"secret": {"secretName": "spare", "optional": true}},
                {"persistentVolumeClaim": {"claimName": "disk"}},
                {"projected": {"sources": [{"secret": {"name": "projected"}}]}},
            ],
            "initContainers": [{"envFrom": [{"configMapRef": {"name": "env"}}]}],
            "containers": [{"env": [
                {"valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}},
                {"valueFrom": {"configMapKeyRef": {"name": "no", "key": "a", "optional": true}}},
            ]}],
        });
        let body = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {"template": {"spec": spec}}});
        let mut found = needs(&body);
        found.sort_unstable();
        let expected = [
            ("ConfigMap", "env"),
            ("ConfigMap", "map"),
            ("PersistentVolumeClaim", "disk"),
            ("Secret", "key"),
            ("Secret", "projected"),
            ("Secret", "sealed"),
            ("ServiceAccount", "account"),
        ];
        assert_eq!(found, expected);
        assert!(needs(&json!({"kind": "ConfigMap"})).is_empty());
    }

    #[test]
    fn pods_that_are_replaced_by_hand_are_listed() {
        let body = |kind: &str, spec: Value| {
            json!({"apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": "a"}, "spec": spec})
        };
        let on_delete = json!({"type": "OnDelete"});
        let set = body(
            "StatefulSet",
            json!({"replicas": 2, "updateStrategy": on_delete}),
        );
        assert!(by_hand(&set).unwrap().ends_with("a-0, a-1"));
        let daemon = body("DaemonSet", json!({"updateStrategy": on_delete}));
        assert!(by_hand(&daemon).unwrap().ends_with("all of them"));
        assert_eq!(by_hand(&body("StatefulSet", json!({}))), None);
    }
}
