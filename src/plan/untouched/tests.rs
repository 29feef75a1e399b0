use serde_json::json;

use super::*;
use crate::builtin;

/// A Deployment as it is after others have written to it.
fn live() -> Value {
    let entry = |manager: &str, fields: Value| {
        json!({"manager": manager, "operation": "Update", "time": "2026-11-28T10:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    let app = json!({".": {}, "f:name": {}, "f:image": {}, "f:imagePullPolicy": {}});
    let side = json!({".": {}, "f:name": {}, "f:image": {}});
    let containers =
        |keys: &str, item: Value| json!({"f:template": {"f:spec": {"f:containers": {keys: item}}}});
    let mut injected = containers("k:{\"name\":\"side\"}", side);
    injected["f:paused"] = json!({});
    let status = json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}},
        "f:status": {}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "status": {"replicas": 1},
        "metadata": {"name": "web", "uid": "1", "labels": {"app": "web", "team": "a"},
            "annotations": {"deployment.kubernetes.io/revision": "3", "note": "x"},
            "finalizers": ["example.com/own", "example.com/other"],
            "managedFields": [
                entry("helm", json!({"f:spec": containers("k:{\"name\":\"app\"}", app)})),
                entry("injector", json!({"f:spec": injected, "f:metadata": {
                    "f:labels": {"f:team": {}}, "f:annotations": {"f:note": {}},
                    "f:finalizers": {"v:\"example.com/other\"": {}}}})),
                entry("kube-controller-manager", status), entry("pintle", json!({
                    "f:metadata": {"f:annotations": {"f:pintle.dev/issue": {}}}})),
                entry("nobody", json!({}))]},
        "spec": {"replicas": 2, "paused": true, "strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}},
            "template": {"spec": {"dnsPolicy": "ClusterFirst", "securityContext": {}, "containers": [
                {"name": "side", "image": "side:1", "imagePullPolicy": "Always"},
                {"name": "app", "image": "app:1", "imagePullPolicy": "Always", "resources": {},
                    "args": ["a"]}]}}},
    })
}

fn told(base: Value, desired: Value) -> Vec<String> {
    let sides = Sides {
        base: vec![Cow::Owned(base)],
        desired,
    };
    let found = sides.compare(builtin::schema("apps/v1", "Deployment"), &live());
    let told = found.into_iter().map(|one| match one.whose {
        Whose::Other(by) => format!("{} by {}", one.path, by.manager),
        Whose::Server => one.path,
    });
    told.collect()
}

#[test]
fn what_nobody_speaks_of_has_an_owner() {
    let app = json!({"name": "app", "image": "app:0", "args": ["b"]});
    let desired = json!({
        "metadata": {"labels": {"app": "web"}, "finalizers": ["example.com/own"]},
        "spec": {"template": {"spec": {"containers": [app]}}}});
    let base = json!({"spec": {"replicas": 1}});
    let expected = [
        "metadata.annotations[\"deployment.kubernetes.io/revision\"] by kube-controller-manager",
        "metadata.annotations.note by injector",
        "metadata.finalizers[1] by injector",
        "metadata.labels.team by injector",
        "spec.paused by injector",
        // It stands beside replicas, which go.
        "spec.strategy",
        "spec.template.spec.containers[name=app].imagePullPolicy",
        // What was defaulted in it is not the injector's.
        "spec.template.spec.containers[name=side].image by injector",
        "spec.template.spec.containers[name=side].imagePullPolicy",
        "spec.template.spec.containers[name=side].name by injector",
        "spec.template.spec.dnsPolicy",
    ];
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    let mut found = told(base, desired);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_goes_is_not_left_alone() {
    let base = json!({"spec": {"strategy": {"type": "RollingUpdate"}, "template": {"spec": {
        "containers": [{"name": "side"}]}}}});
    let desired = json!({"metadata": {"annotations": {"note": "y"}}, "spec": {"replicas": 2,
        "paused": true, "template": {"spec": {"containers": [{"name": "app"}]}}}});
    let found = told(base, desired);
    let is_told = |part: &str| found.iter().any(|one| one.contains(part));
    for gone in ["name=side", "strategy", "note", "paused"] {
        assert!(!is_told(gone), "{gone}: {found:?}");
    }
    assert!(is_told("[name=app].args"), "{found:?}");
}

#[test]
fn what_is_generated_is_nobodys() {
    let mut live = live();
    live["metadata"]["annotations"] = json!({"pintle.dev/issue": "1"});
    let sides = Sides {
        base: vec![],
        desired: json!({"metadata": {"finalizers": [], "labels": {}}}),
    };
    let found = sides.compare(None, &live);
    let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
    assert!(!paths.contains(&"metadata.annotations"), "{paths:?}");
    assert!(paths.contains(&"spec.replicas"), "{paths:?}");
}
