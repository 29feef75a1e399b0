use super::*;

fn ids() -> Issues {
    let entry =
        |(product, name): (Product, &str)| (name.to_owned(), (product, format!("id-{name}")));
    let secrets = ["ca", "etcd.ca", "sa", "token"].map(|name| (Product::Secret, name));
    let maps = [(Product::ConfigMap, "outer")];
    Issues(secrets.into_iter().chain(maps).map(entry).collect())
}

/// A workload of which this is the pod's spec.
fn workload(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"template": {"spec": spec}}})
}

#[track_caller]
fn check_uses(body: &Value, expected: &[&str]) {
    let found: Vec<_> = uses(body, &ids()).into_iter().collect();
    assert_eq!(found, expected, "{body}");
}

#[test]
fn every_way_to_use_a_secret_is_seen() {
    let one = |spec: Value| check_uses(&workload(&spec), &["ca"]);
    one(json!({"volumes": [{"name": "v", "secret": {"secretName": "ca", "optional": true}}]}));
    one(
        json!({"volumes": [{"projected": {"sources": [{"configMap": {"name": "sa"}},
        {"secret": {"name": "ca", "optional": true}}]}}]}),
    );
    one(json!({"volumes": [{"csi": {"driver": "d", "nodePublishSecretRef": {"name": "ca"}}}]}));
    one(json!({"volumes": [{"azureFile": {"secretName": "ca", "shareName": "s"}}]}));
    one(json!({"volumes": [{"flexVolume": {"driver": "d", "secretRef": {"name": "ca"}}}]}));
    one(json!({"imagePullSecrets": [{"name": "ca"}]}));
    let env = json!([{"name": "sa", "env": [
        {"name": "token", "value": "sa"},
        {"name": "X", "valueFrom": {"secretKeyRef": {"name": "ca", "key": "token"}}}]}]);
    let from =
        json!([{"envFrom": [{"configMapRef": {"name": "sa"}}, {"secretRef": {"name": "ca"}}]}]);
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        one(json!({field: env}));
        one(json!({field: from}));
    }
}

#[test]
fn every_way_to_use_a_config_map_is_seen() {
    let one = |spec: Value| check_uses(&workload(&spec), &["outer"]);
    one(
        json!({"volumes": [{"configMap": {"name": "outer"}}, {"secret": {"secretName": "outer"}}]}),
    );
    one(json!({"volumes": [{"projected": {"sources": [{"configMap": {"name": "outer"}}]}}]}));
    one(json!({"containers": [{"envFrom": [{"configMapRef": {"name": "outer"}}]}]}));
    one(json!({"initContainers": [{"env": [
        {"name": "IP", "valueFrom": {"configMapKeyRef": {"name": "outer", "key": "ip"}}}]}]}));
}

#[test]
fn secrets_that_are_not_generated_do_not_count() {
    check_uses(
        &workload(&json!({"imagePullSecrets": [{"name": "registry"}]})),
        &[],
    );
    check_uses(
        &workload(&json!({"serviceAccountName": "ca", "volumes": [{"name": "ca"}]})),
        &[],
    );
}

#[test]
fn annotations_add_and_except() {
    let mut body = workload(&json!({"imagePullSecrets": [{"name": "ca"}, {"name": "sa"}]}));
    body["metadata"]["annotations"] =
        json!({"pintle.dev/uses": "token, etcd.ca,", "pintle.dev/reloads": "sa"});
    check_uses(&body, &["ca", "etcd.ca", "token"]);
    assert!(unknown_mentions(&body, &ids()).is_empty());
    body["spec"]["template"]["metadata"]["annotations"] =
        json!({"pintle.dev/reloads": "token,tokne"});
    check_uses(&body, &["ca", "etcd.ca"]);
    assert_eq!(unknown_mentions(&body, &ids()), ["tokne"]);
}

#[test]
fn a_stamp_is_written_into_the_template_of_every_workload() {
    let pod = json!({"spec": {"imagePullSecrets": [{"name": "etcd.ca"}]}});
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
    ] {
        let mut body = json!({"apiVersion": version, "kind": kind, "spec": {"template": pod}});
        stamp(&mut body, &ids());
        let annotations = &body["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(
            *annotations,
            json!({"issue.pintle.dev/etcd-ca": "id-etcd.ca"}),
            "{kind}"
        );
        let stamps = stamps(&body);
        assert_eq!(stamps["issue.pintle.dev/etcd-ca"], "id-etcd.ca");
    }
    let mut body = json!({"apiVersion": "batch/v1", "kind": "CronJob",
        "spec": {"jobTemplate": {"spec": {"template": pod}}}});
    stamp(&mut body, &ids());
    assert_eq!(stamps(&body).len(), 1);
}

#[test]
fn what_cannot_change_is_left_alone() {
    let spec = json!({"imagePullSecrets": [{"name": "ca"}]});
    for body in [
        json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": spec}}}),
        json!({"apiVersion": "v1", "kind": "Pod", "spec": spec}),
        json!({"apiVersion": "example.com/v1", "kind": "Deployment", "spec": {"template": {"spec": spec}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": null}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment"}),
        json!(null),
        workload(&json!({})),
    ] {
        let mut stamped = body.clone();
        stamp(&mut stamped, &ids());
        assert_eq!(stamped, body);
        assert!(stamps(&body).is_empty());
    }
}

#[test]
fn other_annotations_stay_and_stale_stamps_go() {
    let mut body = workload(&json!({"imagePullSecrets": [{"name": "ca"}]}));
    body["spec"]["template"]["metadata"] = json!({"labels": {"a": "b"}, "annotations": {
        "c": "d", "issue.pintle.dev/gone": "x", "issue.pintle.dev/ca": "old"}});
    stamp(&mut body, &ids());
    assert_eq!(
        body["spec"]["template"]["metadata"],
        json!({"labels": {"a": "b"}, "annotations": {"c": "d", "issue.pintle.dev/ca": "id-ca"}})
    );
    let once = body.clone();
    stamp(&mut body, &ids());
    assert_eq!(body, once);
}
