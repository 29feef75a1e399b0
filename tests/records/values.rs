//! What an upgrade does with values, labels and descriptions: the same as Helm.

use std::collections::BTreeMap;

use pintle::chart::Values;
use pintle::cluster::Cluster;
use pintle::release::Release;
use serde_json::{Value, json};

use super::{chart, cluster, revisions};
use crate::support::Place;

/// What a record says about what the user gave.
type Said = (Values, Values, BTreeMap<String, String>, String);

async fn said(cluster: &Cluster, place: &Place) -> Vec<Said> {
    let revisions = revisions(cluster, place, "web").await.into_iter();
    let say = |one: Release| {
        let Release { chart, info, .. } = one;
        (chart.values, one.config, one.labels, info.description)
    };
    revisions.map(say).collect()
}

#[tokio::test]
async fn values_are_reused_as_by_helm() {
    let (place, beside) = (Place::new("reuse"), Place::new("reuse-helm"));
    let old = chart(&place, "old", "a: 1\nm: {x: 1, w: 2}\n");
    let new = chart(&place, "new", "a: 2\nm: {x: 1, z: 3}\nv: 9\n");
    let labels = ["--labels", "team=web,tier=x"];
    let begin = ["--set", "m.x=5", "--description", "first"];
    let commands: [(&str, &str, &[&str]); 6] = [
        ("install", &old, &[&begin[..], &labels].concat()),
        ("upgrade", &old, &["--set", "b=7"]),
        ("upgrade", &new, &["--reuse-values", "--set", "c=1,m.w=4"]),
        (
            "upgrade",
            &new,
            &["--reset-then-reuse-values", "--set", "d=1"],
        ),
        ("upgrade", &new, &["--description", "plain"]),
        (
            "upgrade",
            &new,
            &["--reset-values", "--reuse-values", "-l", "tier=null,new=1"],
        ),
    ];
    for (index, (command, chart, flags)) in commands.into_iter().enumerate() {
        let mut ours = [&[command, "web", chart][..], flags].concat();
        beside.helm(&ours).ok();
        // The fifth changes nothing but the description.
        if index == 4 {
            place
                .pintle(&ours)
                .ok()
                .prints(&["is unchanged", "REVISION: 4"])
                .says(&["no values given: using those of revision 4"]);
            ours.push("--force-revision");
        }
        let run = place.pintle(&ours).ok();
        if index == 2 {
            run.says(&[
                "the defaults are those of revision 2",
                "do not count: m.z, v\n",
            ]);
        }
    }
    let cluster = cluster(&place).await;
    let (ours, theirs) = (said(&cluster, &place).await, said(&cluster, &beside).await);
    assert_eq!(ours, theirs);
    let value = |values: &Values| serde_json::to_value(values).unwrap();
    assert_eq!(value(&ours[2].1), json!({"b": 7, "c": 1, "m": {"w": 4}}));
    assert_eq!(value(&ours[5].1), Value::Object(serde_json::Map::new()));
    let labels: Vec<&str> = ours[5].2.keys().map(String::as_str).collect();
    assert_eq!(labels, ["new", "team"]);
}

#[test]
fn a_release_is_installed_where_there_is_none() {
    let place = Place::without_namespace("upsert");
    let chart = chart(&place, "shop", "a: 1\n");
    let upsert = ["upgrade", "-i", "web", &chart];
    place
        .pintle(&upsert)
        .fails_with(1)
        .says(&["create the namespace"]);
    let wait = ["--create-namespace", "--wait", "--wait-for-jobs"];
    place
        .pintle(&[&upsert[..], &wait].concat())
        .ok()
        .prints(&["has been installed", "Install complete"]);
    place
        .pintle(&[&upsert[..], &["--set", "a=2", "--wait=hookOnly"]].concat())
        .ok()
        .prints(&["has been upgraded", "REVISION: 2"]);
    place
        .pintle(&["install", "web", &chart])
        .fails_with(1)
        .says(&["exists already"]);
    let owner = ["--labels", "owner=me"];
    place
        .pintle(&[&upsert[..], &owner].concat())
        .fails_with(2)
        .says(&["owner is a label that Helm sets itself"]);
    place
        .pintle(&["install", &chart])
        .fails_with(2)
        .says(&["--generate-name"]);
    place
        .pintle(&["install", "-g", &chart, "--take-ownership"])
        .ok()
        .prints(&["NAME: shop-1"]);
    let template = ["--name-template", "{{ chart.name }}-a", "--take-ownership"];
    place
        .pintle(&[&["install", &chart][..], &template].concat())
        .ok()
        .prints(&["NAME: shop-a"]);
}
