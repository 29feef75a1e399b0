use std::collections::BTreeSet;

use serde_json::json;

use super::super::diff::{Sides, three_way};
use super::*;
use crate::builtin;

/// Changes a resource, with these flags given, and tells what comes of it: the way and the fields,
/// the flags that are missing, or that it is an ordinary change.
#[track_caller]
fn check((version, kind): (&str, &str), (old, new): (Value, Value), flags: &str, expected: &str) {
    let whole = |fields: &Value| {
        let mut body = json!({"apiVersion": version, "kind": kind,
            "metadata": {"name": "a", "uid": "1"}});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        body
    };
    let (live, desired) = (whole(&old), whole(&new));
    let sides = Sides {
        base: &[&live],
        desired: &desired,
        live: &live,
    };
    let difference = three_way(builtin::schema(version, kind), &sides).unwrap();
    let id = ResourceId {
        group: version
            .rsplit_once('/')
            .map_or("", |(group, _)| group)
            .to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: "a".to_owned(),
    };
    let names = flags
        .split_whitespace()
        .filter_map(|flag| flag.parse().ok());
    let permits = [
        ("data", Permit::DeleteData),
        ("crds", Permit::DeleteDefinitions),
    ];
    let given = permits
        .into_iter()
        .filter(|(flag, _)| flags.split(' ').any(|f| f == *flag));
    let consent = Consent {
        recreate: names.collect(),
        permits: given.map(|(_, permit)| permit).collect::<BTreeSet<_>>(),
    };
    let told = match decide(&id, (&desired, &live), &difference, &consent) {
        None => "change".to_owned(),
        Some(Ok(made)) => format!("{:?}: {}", made.way, made.fields.join(", ")),
        Some(Err(barred)) => barred.remedy.split(" deletes").next().unwrap().to_owned(),
    };
    assert_eq!(told, expected, "{kind}");
}

fn set(claims: &Value, label: &str, when_deleted: &str) -> Value {
    json!({"spec": {"replicas": 1, "volumeClaimTemplates": claims,
        "selector": {"matchLabels": {"app": label}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": when_deleted},
        "template": {"metadata": {"labels": {"app": label}}}}})
}

fn claim(size: &str) -> Value {
    json!([{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}])
}

#[test]
fn what_loses_pods_has_to_be_named() {
    let selector = |label: &str| json!({"spec": {"selector": {"matchLabels": {"app": label}}}});
    let deployment = ("apps/v1", "Deployment");
    let sides = || (selector("a"), selector("b"));
    check(deployment, sides(), "", "--recreate Deployment/a");
    check(deployment, sides(), "deployment/a", "Whole: spec.selector");
    let replicas = |count: u8| json!({"spec": {"replicas": count}});
    check(deployment, (replicas(1), replicas(2)), "", "change");
    let job = |image: &str| {
        let container = json!({"name": "a", "image": image});
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    let sides = || (job("a:1"), job("a:2"));
    check(("batch/v1", "Job"), sides(), "", "--recreate Job/a");
    check(
        ("batch/v1", "Job"),
        sides(),
        "Job/a",
        "Whole: spec.template",
    );
    let mut suspended = job("a:1");
    suspended["spec"]["suspend"] = true.into();
    let mut wanted = job("a:2");
    wanted["spec"]["suspend"] = true.into();
    check(("batch/v1", "Job"), (suspended, wanted), "", "change");
}

#[test]
fn the_pods_of_a_stateful_set_stay_where_they_can() {
    let kind = ("apps/v1", "StatefulSet");
    let sides = (
        set(&claim("1Gi"), "a", "Retain"),
        set(&claim("2Gi"), "a", "Retain"),
    );
    check(kind, sides, "", "Orphan: spec.volumeClaimTemplates");
    // With orphaned pods, the claims stay as well.
    let sides = (
        set(&claim("1Gi"), "a", "Delete"),
        set(&claim("2Gi"), "a", "Delete"),
    );
    check(kind, sides, "", "Orphan: spec.volumeClaimTemplates");
    let other = || {
        (
            set(&claim("1Gi"), "a", "Retain"),
            set(&claim("1Gi"), "b", "Retain"),
        )
    };
    check(kind, other(), "", "--recreate StatefulSet/a");
    check(kind, other(), "StatefulSet/a", "Whole: spec.selector");
    let other = || {
        (
            set(&claim("1Gi"), "a", "Delete"),
            set(&claim("1Gi"), "b", "Delete"),
        )
    };
    check(kind, other(), "StatefulSet/a", "--delete-data");
    check(kind, other(), "StatefulSet/a data", "Whole: spec.selector");
}

#[test]
fn data_is_never_lost_unasked() {
    let claim = |class: &str| json!({"spec": {"storageClassName": class}});
    let kind = ("v1", "PersistentVolumeClaim");
    let sides = || (claim("a"), claim("b"));
    let both = "--recreate PersistentVolumeClaim/a --delete-data";
    check(kind, sides(), "", both);
    check(kind, sides(), "PersistentVolumeClaim/a", "--delete-data");
    let flags = "PersistentVolumeClaim/a data";
    check(kind, sides(), flags, "Whole: spec.storageClassName");
    let size = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    check(kind, (size("1Gi"), size("2Gi")), "", "change");
    let kind = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let scope = |scope: &str| json!({"spec": {"scope": scope}});
    let sides = || (scope("Namespaced"), scope("Cluster"));
    let both = "--recreate CustomResourceDefinition/a --delete-crds";
    check(kind, sides(), "", both);
}

#[test]
fn what_loses_nothing_is_made_anew_unasked() {
    let data = |value: &str| json!({"immutable": true, "data": {"a": value}});
    for kind in ["ConfigMap", "Secret"] {
        check(
            ("v1", kind),
            (data("YQ=="), data("Yg==")),
            "",
            "Whole: data",
        );
    }
    let mut kept = data("b");
    kept["metadata"] = json!({"name": "a", "annotations": {"helm.sh/resource-policy": "keep"}});
    check(
        ("v1", "ConfigMap"),
        (data("a"), kept),
        "",
        "--recreate ConfigMap/a",
    );
    let open = |value: &str| json!({"data": {"a": value}});
    check(("v1", "ConfigMap"), (open("a"), open("b")), "", "change");
    let role = |name: &str| json!({"roleRef": {"kind": "Role", "name": name}});
    let kind = ("rbac.authorization.k8s.io/v1", "RoleBinding");
    check(kind, (role("a"), role("b")), "", "Whole: roleRef");
    let class = |kind: &str| json!({"parameters": {"type": kind}});
    let kind = ("storage.k8s.io/v1", "StorageClass");
    check(kind, (class("a"), class("b")), "", "Whole: parameters");
}

#[test]
fn other_kinds_are_made_anew_when_they_are_named() {
    let spec = |value: u8| json!({"spec": {"a": value}});
    let kind = ("example.com/v1", "Car");
    check(kind, (spec(1), spec(2)), "", "change");
    check(kind, (spec(1), spec(2)), "Car/a", "Whole: ");
}

#[track_caller]
fn check_replicas(base: &Value, desired: &Value, live: &Value, expected: &Value) {
    let body = |spec: &Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec});
    let (base, desired, live) = (body(base), body(desired), body(live));
    let sides = Sides {
        base: &[&base],
        desired: &desired,
        live: &live,
    };
    let schema = builtin::schema("apps/v1", "Deployment");
    let difference = three_way(schema, &sides).unwrap();
    let found = anew(&desired, &live, &difference);
    assert_eq!(
        found.pointer("/spec/replicas").unwrap_or(&Value::Null),
        expected
    );
}

#[test]
fn what_is_made_anew_has_as_many_pods_as_before() {
    let old = json!({"selector": {"matchLabels": {"app": "a"}}});
    let new = json!({"selector": {"matchLabels": {"app": "b"}}});
    let with = |spec: &Value, replicas: u8| {
        let mut spec = spec.clone();
        spec["replicas"] = replicas.into();
        spec
    };
    check_replicas(&old, &new, &with(&old, 5), &json!(5));
    check_replicas(&with(&old, 2), &with(&new, 3), &with(&old, 2), &json!(3));
    // What the chart has dropped is gone.
    check_replicas(&with(&old, 2), &new, &with(&old, 2), &Value::Null);
    check_replicas(&old, &new, &old, &Value::Null);
}
