//! Where the pod template of a workload stands, and what is asked of it in several places.

use serde_json::Value;

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

/// The image of each container of a workload by the container's name, init containers included.
pub(super) fn images(body: &Value) -> impl Iterator<Item = (&str, &str)> {
    let spec = path(body)
        .and_then(|path| body.pointer(path))
        .and_then(|template| template.get("spec"));
    let lists = ["initContainers", "containers"];
    let containers = lists
        .into_iter()
        .filter_map(move |list| spec?.get(list)?.as_array());
    containers.flatten().filter_map(|container| {
        Some((
            container.get("name")?.as_str()?,
            container.get("image")?.as_str()?,
        ))
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
