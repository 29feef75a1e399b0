//! Versions, discovery, lists and single resources.

use std::fs;
use std::path::Path;

use futures::future::try_join_all;
use pintle::capabilities::Kind;
use pintle::cluster::Write;
use serde_json::{Value, json};

use super::wanted;
use super::{address, as_user, config_map, connect, create, id, kind, kubeconfig, new_namespace};

#[tokio::test]
async fn version_and_kinds_are_told() {
    let cluster = connect(kubeconfig(), "default").await;
    let version = cluster.version().await.unwrap();
    assert_eq!(version.version.split('.').next(), Some("v1"));
    assert_eq!(version.major, "1");
    assert!(version.minor.parse::<u32>().unwrap() > 30);

    let found = cluster.discover().await.unwrap();
    for served in [
        "v1",
        "v1/Pod",
        "apps/v1",
        "apps/v1/Deployment",
        "apps/v1/Scale",
    ] {
        assert!(found.api_versions.contains(served), "{served}");
    }
    assert!(found.kinds.contains(&kind("apps", "Deployment")));
    assert!(found.kinds.contains(&Kind {
        plural: "namespaces".to_owned(),
        namespaced: false,
        ..kind("", "Namespace")
    }));
    assert!(found.kinds.iter().all(|kind| !kind.plural.contains('/')));
}

#[tokio::test]
async fn namespaces_are_made_once() {
    let cluster = new_namespace("made").await;
    let name = cluster.namespace().to_owned();
    cluster.create_namespace(&name).await.unwrap();
    assert!(cluster.namespace_exists(&name).await.unwrap());
    assert!(!cluster.namespace_exists("not-there").await.unwrap());
    let namespaces = Kind {
        namespaced: false,
        ..kind("", "Namespace")
    };
    let live = cluster.get(&address(&namespaces, &name)).await.unwrap();
    assert_eq!(live.unwrap()["metadata"]["labels"]["name"], name);
}

#[tokio::test]
async fn observing_leaves_out_what_is_not_there() {
    let cluster = new_namespace("observe").await;
    let (maps, secrets) = (config_map(), kind("", "Secret"));
    for name in ["a", "b", "c"] {
        create(&cluster, (&maps, name), json!({"data": {"of": name}})).await;
        create(&cluster, (&secrets, name), json!({})).await;
    }
    create(
        &cluster,
        (&secrets, "r"),
        json!({"type": "helm.sh/release.v1"}),
    )
    .await;

    let names = ["a", "b", "c", "r", "x", "y"];
    let mut all = wanted(&maps, &names);
    all.extend(wanted(&secrets, &names));
    all.extend(wanted(&kind("cars.example.com", "Car"), &names));
    all.extend(wanted(&kind("cars.example.com", "Wheel"), &["a"]));
    all.extend(wanted(&kind("apps", "Deployment"), &["a"]));
    let live = cluster.observe(&all).await.unwrap();

    let mut want = Vec::new();
    for of in [&maps, &secrets] {
        want.extend(["a", "b", "c"].map(|name| id(of, name)));
    }
    assert_eq!(live.keys().cloned().collect::<Vec<_>>(), want);
    let first = &live[&id(&maps, "a")];
    assert_eq!(
        (&first["apiVersion"], &first["kind"]),
        (&json!("v1"), &json!("ConfigMap"))
    );
    assert_eq!(first["data"], json!({"of": "a"}));
    assert!(
        live.values()
            .all(|body| body["metadata"].get("managedFields").is_none())
    );

    let few = cluster.observe(&wanted(&maps, &["a", "x"])).await.unwrap();
    assert_eq!(few[&id(&maps, "a")], *first);
    assert_eq!(few.len(), 1);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let cluster = new_namespace("pages").await;
    let kind = config_map();
    let names: Vec<String> = (0..520).map(|number| format!("m{number:03}")).collect();
    let bodies: Vec<_> = names
        .iter()
        .map(|name| {
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {"of": "pages"}}})
        })
        .collect();
    let addresses: Vec<_> = names.iter().map(|name| address(&kind, name)).collect();
    let made = addresses
        .iter()
        .zip(&bodies)
        .map(|(at, body)| cluster.create(at, body, Write::by("helm")));
    try_join_all(made).await.unwrap();

    let namespace = Some(cluster.namespace());
    let all = cluster
        .list_metadata(&kind, namespace, "of=pages")
        .await
        .unwrap();
    let listed: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(listed, names);
    assert_eq!(all[0].labels["of"], "pages");
    assert_eq!(all[0].namespace, cluster.namespace());
    let bodies = cluster.list(&kind, namespace, "of=pages").await.unwrap();
    assert_eq!(bodies.len(), names.len());

    let few = ["m000", "m001", "m002", "m518", "m519", "m999"];
    let live = cluster.observe(&wanted(&kind, &few)).await.unwrap();
    assert_eq!(live.len(), 5);
    let every: Vec<&str> = names.iter().map(String::as_str).collect();
    let live = cluster.observe(&wanted(&kind, &every)).await.unwrap();
    assert_eq!(live.len(), names.len());
}

#[tokio::test]
async fn who_may_not_read_is_told_what() {
    let nobody = |user: &mut Value, _: &Path| user["as"] = json!("nobody");
    let (cluster, _folder) = as_user("default", nobody).await;
    let secrets = kind("", "Secret");
    let error = cluster
        .list(&secrets, Some("default"), "")
        .await
        .unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(
        error.to_string(),
        "not allowed to list secrets in namespace default"
    );
    let error = cluster.get(&address(&secrets, "a")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not allowed to get Secret a in namespace default"
    );
}

#[tokio::test]
async fn a_credential_plugin_runs_once() {
    let plugin = |user: &mut Value, folder: &Path| {
        let credential = json!({"apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential", "status": {"token": user["token"],
                "expirationTimestamp": "2099-01-01T00:00:00Z"}});
        let runs = folder.join("runs");
        let script = format!("echo run >> '{}'; echo '{credential}'", runs.display());
        *user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
            "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}});
    };
    let (cluster, folder) = as_user("default", plugin).await;
    cluster.version().await.unwrap();
    cluster
        .list_metadata(&config_map(), Some("default"), "")
        .await
        .unwrap();
    let runs = fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs, "run\n");
}
