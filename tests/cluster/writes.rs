//! Creating, changing and deleting, and what the API server refuses.

use pintle::cluster::{Address, Write};
use pintle::cluster::{Deletion, Error, FieldConflict, Force, Patch, Precondition, Validation};
use serde_json::{Value, json};

use super::{address, config_map, create, delete, kind, new_namespace, workload};

fn version(live: &Value) -> &str {
    live["metadata"]["resourceVersion"].as_str().unwrap()
}

#[tokio::test]
async fn a_resource_lives_and_dies() {
    let cluster = new_namespace("life").await;
    let kind = config_map();
    let at = address(&kind, "a");
    let by = Write::by("helm");
    let first = create(&cluster, (&kind, "a"), json!({"data": {"x": "1"}}))
        .await
        .live;
    assert!(first["metadata"].get("managedFields").is_none());
    let live = cluster.get(&at).await.unwrap().unwrap();
    assert_eq!(live["metadata"]["managedFields"][0]["manager"], "helm");

    let patch = json!({"metadata": {"resourceVersion": version(&first)}, "data": {"x": "2"}});
    let dry = cluster
        .patch(&at, Patch::Merge(&patch), by.dry_run())
        .await
        .unwrap();
    assert_eq!(dry.live["data"]["x"], "2");
    assert_eq!(cluster.get(&at).await.unwrap().unwrap()["data"]["x"], "1");
    let second = cluster
        .patch(&at, Patch::StrategicMerge(&patch), by)
        .await
        .unwrap()
        .live;
    assert_eq!(second["data"]["x"], "2");

    let stale = cluster
        .patch(&at, Patch::Merge(&patch), by)
        .await
        .unwrap_err();
    assert!(stale.is_conflict(), "{stale}");
    let mut whole = second.clone();
    whole["data"] = json!({"y": "3"});
    let third = cluster.replace(&at, &whole, by).await.unwrap().live;
    assert_eq!(third["data"], json!({"y": "3"}));

    let plain = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let again = cluster.create(&at, &plain, by).await.unwrap_err();
    assert!(again.is_already_exists(), "{again}");

    let only_if = Precondition {
        uid: None,
        resource_version: Some(version(&second)),
    };
    let how = Deletion {
        only_if,
        ..Deletion::default()
    };
    assert!(cluster.delete(&at, how).await.unwrap_err().is_conflict());
    delete(&cluster, &kind, "a").await;
    assert_eq!(cluster.get(&at).await.unwrap(), None);
    let gone = cluster.delete(&at, Deletion::default()).await.unwrap_err();
    assert!(gone.is_not_found());
    assert!(
        cluster
            .patch(&at, Patch::Merge(&json!({})), by)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn an_apply_names_the_owners_it_conflicts_with() {
    let cluster = new_namespace("apply").await;
    let kind = kind("apps", "Deployment");
    let at = address(&kind, "web");
    create(&cluster, (&kind, "web"), workload(1)).await;
    let body = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web"}, "spec": {"replicas": 2}});
    let by = Write::by("somebody");
    let error = cluster
        .patch(&at, Patch::Apply(&body, Force::No), by)
        .await
        .unwrap_err();
    let Error::Conflict { fields, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(
        fields,
        [FieldConflict {
            field: ".spec.replicas".to_owned(),
            message: "conflict with \"helm\" using apps/v1".to_owned(),
        }]
    );
    let written = cluster
        .patch(&at, Patch::Apply(&body, Force::Yes), by)
        .await
        .unwrap();
    assert_eq!(written.live["spec"]["replicas"], 2);
}

#[tokio::test]
async fn refusals_say_why_but_not_what_is_secret() {
    let cluster = new_namespace("refuse").await;
    let (maps, secrets) = (config_map(), kind("", "Secret"));
    let body = |kind: &str, data: &str| {
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"},
            "data": {"hunter 2": data}})
    };
    let by = Write::by("helm");
    let namespace = cluster.namespace();
    let error = cluster
        .create(&address(&maps, "a"), &body("ConfigMap", "x"), by)
        .await;
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("a valid config key must consist of"),
        "{text}"
    );

    let error = cluster
        .create(&address(&secrets, "a"), &body("Secret", "eA=="), by)
        .await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "the API server does not accept Secret a in namespace {namespace}: \
             data[hunter 2] (FieldValueInvalid)"
        )
    );
    let error = cluster
        .create(&address(&secrets, "a"), &body("Secret", "p@ss"), by)
        .await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("the API server does not accept Secret a in namespace {namespace}")
    );

    let elsewhere = Address {
        namespace: Some("not-there"),
        ..address(&maps, "a")
    };
    let plain = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let error = cluster.create(&elsewhere, &plain, by).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot create ConfigMap a in namespace not-there: the namespace does not exist"
    );
    let cars = kind("cars.example.com", "Car");
    let error = cluster
        .create(&address(&cars, "a"), &plain, by)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the API server does not serve this kind")
    );
}

#[tokio::test]
async fn unknown_fields_are_refused_or_warned_about() {
    let cluster = new_namespace("fields").await;
    let kind = config_map();
    let at = address(&kind, "a");
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
        "colour": "red"});
    let warn = Write::by("helm");
    let strict = Write {
        validation: Validation::Strict,
        ..warn
    };
    assert!(
        cluster
            .create(&at, &body, strict)
            .await
            .unwrap_err()
            .is_invalid()
    );
    let written = cluster.create(&at, &body, warn).await.unwrap();
    assert_eq!(written.warnings, ["unknown field \"colour\""]);
    assert!(written.live.get("colour").is_none());
}
