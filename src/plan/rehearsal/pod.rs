//! The pod that a workload would make.

use serde_json::{Map, Value, json};

/// Where the pods of a kind are described, as a JSON pointer.
fn path(body: &Value) -> Option<&'static str> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("batch/v1", "Job") => Some("/spec/template"),
        _ => super::pod_template::path(body),
    }
}

/// The pod template of a workload or a Job.
pub(super) fn template(body: &Value) -> Option<&Value> {
    body.pointer(path(body)?)
}

/// A pod of the workload `body`, to be tried in its place; none if it has no pod template.
///
/// The volumes of a `StatefulSet`'s claims are in it: its containers name them.
pub fn pod(body: &Value) -> Option<Value> {
    let template = template(body)?;
    let name = body.pointer("/metadata/name")?.as_str()?;
    let mut metadata = Map::new();
    for key in ["labels", "annotations"] {
        if let Some(value) = template.pointer(&format!("/metadata/{key}")) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    metadata.insert("generateName".to_owned(), format!("{name}-").into());
    if let Some(namespace) = body.pointer("/metadata/namespace") {
        metadata.insert("namespace".to_owned(), namespace.clone());
    }
    let mut spec = template.get("spec")?.clone();
    let claims = claims(body, name);
    if !claims.is_empty() {
        let volumes = spec.as_object_mut()?.entry("volumes").or_insert(json!([]));
        let volumes = volumes.as_array_mut()?;
        let name = |volume: &Value| volume.get("name").cloned();
        volumes.retain(|volume| claims.iter().all(|claim| name(claim) != name(volume)));
        volumes.extend(claims);
    }
    Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
}

fn claims(body: &Value, set: &str) -> Vec<Value> {
    let templates = body.pointer("/spec/volumeClaimTemplates");
    let templates = templates.and_then(Value::as_array).into_iter().flatten();
    let names = templates.filter_map(|claim| claim.pointer("/metadata/name")?.as_str());
    names
        .map(|name| {
            let claim = format!("{name}-{set}-0");
            json!({"name": name, "persistentVolumeClaim": {"claimName": claim}})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check(body: Value, expected: Value) {
        assert_eq!(pod(&body).unwrap_or_default(), expected);
    }

    #[test]
    fn pods_are_what_their_workloads_would_make() {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}});
        let metadata = json!({"labels": {"a": "b"}, "generateName": "web-", "namespace": "shop"});
        let named = json!({"name": "web", "namespace": "shop"});
        let expected = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"containers": []}});
        for (version, kind) in [("apps/v1", "Deployment"), ("batch/v1", "Job")] {
            check(
                json!({"apiVersion": version, "kind": kind, "metadata": named,
                    "spec": {"template": template}}),
                expected.clone(),
            );
        }
        check(
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": named,
                "spec": {"jobTemplate": {"spec": {"template": template}}}}),
            expected,
        );
        check(json!({"apiVersion": "v1", "kind": "Pod"}), Value::Null);
    }

    #[test]
    fn the_claims_of_a_set_are_volumes() {
        let pod = pod(&json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "db"},
            "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}],
                "template": {"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}]}}}}));
        let claim = json!({"claimName": "data-db-0"});
        assert_eq!(
            pod.unwrap()["spec"]["volumes"],
            json!([{"name": "tmp", "emptyDir": {}},
                {"name": "data", "persistentVolumeClaim": claim}])
        );
    }
}
