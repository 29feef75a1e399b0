//! `uninstall`: what goes, what stays, and what brings it back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use pintle::release;
use serde_json::{Value, json};

use super::{chart, list::check_same};
use crate::lock::lease;
use crate::plan;
use crate::support::{Place, api, testbed};

fn statuses(place: &Place, release: &str) -> Value {
    let history = place
        .pintle(&["history", release, "-o", "json"])
        .ok()
        .json();
    let revisions = history.as_array().unwrap().iter();
    revisions.map(|one| one["status"].clone()).collect()
}

fn maps(place: &Place) -> Vec<String> {
    let found = place.get(&["configmaps", "-l", "app.kubernetes.io/managed-by=Helm"]);
    let names = found["items"].as_array().unwrap().iter();
    names
        .map(|one| one["metadata"]["name"].to_string())
        .collect()
}

#[test]
fn a_history_that_is_kept_brings_a_release_back() {
    let place = Place::new("kept");
    let (one, two) = (
        chart(&place, "one", "a: 1\n"),
        chart(&place, "two", "a: 1\n"),
    );
    place.pintle(&["install", "a", &one]).ok();
    place.pintle(&["install", "b", &two]).ok();
    let keep = [
        "uninstall",
        "a",
        "b",
        "--keep-history",
        "--description",
        "bye",
    ];
    place
        .pintle(&keep)
        .ok()
        .prints(&["`pintle rollback b 1` brings it back"]);
    assert_eq!(maps(&place), [] as [&str; 0]);
    let listed = check_same(&place, &["list", "--uninstalled", "-o", "json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let history = check_same(&place, &["history", "a", "-o", "json"]).json();
    assert_eq!(history[0]["description"], "bye");

    place.pintle(&["upgrade", "a", &one]).fails_with(1).says(&[
        "release a is uninstalled",
        "`pintle rollback a` brings it back",
    ]);
    place
        .pintle(&keep[..4])
        .fails_with(1)
        .says(&["release a is uninstalled"]);
    place
        .pintle(&["rollback", "a", "1"])
        .ok()
        .prints(&["REVISION: 2"]);
    assert_eq!(statuses(&place, "a"), json!(["uninstalled", "deployed"]));
    place
        .pintle(&["install", "b", &two])
        .fails_with(1)
        .says(&["--replace"]);
    place.pintle(&["install", "b", &two, "--replace"]).ok();
    assert_eq!(statuses(&place, "b"), json!(["superseded", "deployed"]));
    assert_eq!(maps(&place), ["\"one\"", "\"two\""]);

    taken_over_by_helm(&place, &two);
}

/// Helm brings back what pintle has uninstalled, and pintle installs what Helm has.
fn taken_over_by_helm(place: &Place, two: &str) {
    place.pintle(&["uninstall", "a", "--keep-history"]).ok();
    place.helm(&["rollback", "a", "2"]).ok();
    place.helm(&["uninstall", "b", "--keep-history"]).ok();
    place.pintle(&["upgrade", "--install", "b", two]).ok();
    assert_eq!(maps(place), ["\"one\"", "\"two\""]);
    assert_eq!(
        statuses(place, "b"),
        json!(["superseded", "superseded", "deployed"])
    );

    place.pintle(&["uninstall", "a", "--keep-history"]).ok();
    place.pintle(&["uninstall", "a", "b"]).ok();
    place
        .pintle(&["uninstall", "a"])
        .fails_with(1)
        .says(&["release a not found"]);
    let ignored = ["uninstall", "a", "b", "--ignore-not-found"];
    place.pintle(&ignored).ok().says(&["release b not found"]);
    assert_eq!(
        place.get(&["secrets,configmaps", "-l", "owner=helm"])["items"],
        json!([])
    );
}

#[test]
fn a_forgotten_release_leaves_everything_but_its_records() {
    let place = Place::new("forget");
    let map = chart(&place, "one", "a: 1\n");
    place.pintle(&["install", "web", &map]).ok();
    place.pintle(&["upgrade", "web", &map, "--set", "a=2"]).ok();
    place
        .pintle(&["uninstall", "web", "--forget", "--dry-run"])
        .ok()
        .prints(&["would be forgotten, with 2 records", "ConfigMap one"]);
    place
        .pintle(&["uninstall", "web", "--forget"])
        .ok()
        .prints(&["has been forgotten", "  ConfigMap one\n"]);
    place.helm(&["status", "web"]).fails_with(1);
    assert_eq!(maps(&place), ["\"one\""]);
    place
        .pintle(&["install", "web", &map])
        .ok()
        .says(&["1 unchanged"]);
}

/// A release called `app` whose one Secret is generated.
fn with_token(place: &Place) -> String {
    let token = "apiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: token}\n\
                 spec: {keys: {token: {encoding: hex, bytes: 16}}}\n";
    place.chart("app", "{}\n", token)
}

#[test]
fn a_release_that_somebody_works_on_is_not_forgotten_and_keys_stay() {
    let place = Place::new("keys");
    let chart = with_token(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let key = || place.get(&["secret/token"])["data"].clone();
    let before = key();
    let forget = ["uninstall", "app", "--forget"];
    // Renewed ahead of time, so that it holds for as long as this test runs.
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    place
        .pintle(&forget)
        .fails_with(4)
        .says(&["locked by bob@elsewhere pid 1"]);
    place.pintle(&["unlock", "app", "--yes"]).ok();
    // One that Helm has left pending counts as under way.
    let record = "secret/sh.helm.release.v1.app.v1";
    let live = place.get(&[record]);
    let data = live["data"]["release"].as_str().unwrap();
    let mut release = release::decode(&BASE64_STANDARD.decode(data).unwrap()).unwrap();
    release.info.status = release::Status::PendingUpgrade;
    let data = BASE64_STANDARD.encode(release::encode(&release).unwrap());
    let patch = json!({"data": {"release": data}, "metadata": {
        "labels": {"status": "pending-upgrade"}, "annotations": {"pintle.dev/summary": null}}});
    let patch = ["patch", record, "--type=merge", "-p", &patch.to_string()];
    place.kubectl(&patch).ok();
    place.pintle(&forget).fails_with(4).says(&["Helm"]);
    place
        .pintle(&[&forget[..], &["--pending-timeout", "0s"]].concat())
        .ok()
        .prints(&["has been forgotten", "  Secret token\n"]);
    assert_eq!(key(), before);
    // An installation takes them up again, and makes none.
    place.pintle(&["install", "app", &chart]).ok();
    assert_eq!(key(), before);
}

#[test]
fn what_a_deployment_owns_stays_if_it_is_to() {
    let place = Place::new("orphan");
    let web = plan::chart(&place, "web", &plan::deployment("web", 1, ""));
    place.pintle(&["install", "web", &web]).ok();
    place
        .pintle(&["uninstall", "web", "--cascade", "orphan"])
        .ok();
    let left = place.get(&["deployments,replicasets"]);
    let kinds: Vec<_> = left["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["ReplicaSet"]);
}

#[test]
fn what_a_resource_owns_goes_before_it_or_after_it() {
    let place = Place::new("cascade");
    let own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n";
    let chart = plan::chart(&place, "own", own);
    for cascade in ["background", "foreground"] {
        place.pintle(&["install", "own", &chart]).ok();
        let uid = &place.get(&["configmap/own"])["metadata"]["uid"];
        let held = format!("held-{cascade}");
        let body = json!({"metadata": {"name": held, "finalizers": ["example.com/hold"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "own", "uid": uid,
                "blockOwnerDeletion": true}]}});
        let maps = format!("/api/v1/namespaces/{}/configmaps", place.namespace);
        api::create(&testbed().kubeconfig, &maps, &body);
        let uninstall = ["uninstall", "own", "--cascade", cascade];
        let run = place.pintle(&[&uninstall[..], &["--timeout", "2s"]].concat());
        let is_there = place.kubectl(&["get", "configmap/own"]).code == Some(0);
        if cascade == "foreground" {
            run.fails_with(3).says(&["ConfigMap own"]);
            assert!(is_there);
        } else {
            run.ok();
            assert!(!is_there);
        }
        let held = format!("configmap/{held}");
        let free = r#"{"metadata":{"finalizers":null}}"#;
        place
            .kubectl(&["patch", &held, "--type=merge", "-p", free])
            .ok();
        let gone = ["wait", "--for=delete", &held, "--timeout=60s"];
        place.kubectl(&gone).ok();
        if cascade == "foreground" {
            place.pintle(&uninstall).ok();
        }
    }
}
