//! Records and the commands over them, beside Helm on the same records.

mod damaged;
mod drivers;
mod gone;
mod large;
mod list;
mod pages;
mod pruning;
mod removal;
mod values;

use jiff::Timestamp;
use pintle::capabilities::Kind;
use pintle::cluster::{Address, Cluster, Patch, Target, Write};
use pintle::history::Store;
use pintle::release::Release;
use serde_json::json;

use crate::support::{Place, testbed};

/// A client of its own for what a test prepares.
async fn cluster(place: &Place) -> Cluster {
    let target = Target {
        kubeconfig: Some(testbed().kubeconfig.clone()),
        context: None,
        namespace: Some(place.namespace.clone()),
    };
    Cluster::connect(&target).await.unwrap()
}

/// A revision that was never applied: `name`, number and status, begun on a day of November.
fn revision(place: &Place, (name, number, status): (&str, u32, &str), day: u32) -> Release {
    let time = format!("2026-11-{day:02}T10:00:00.25Z");
    let record = json!({
        "name": name, "namespace": place.namespace, "version": number,
        "info": {
            "first_deployed": time, "last_deployed": time, "status": status,
            "description": format!("day {day}"),
        },
        "chart": {"metadata": {
            "name": "shop", "version": "1.2.3", "apiVersion": "v2", "appVersion": "9",
        }},
    });
    serde_json::from_value(record).unwrap()
}

/// A chart of one ConfigMap that needs no engine, so that Helm takes it as well.
fn chart(place: &Place, name: &str, values: &str) -> String {
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\nappVersion: \"1\"\n");
    let map =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: b\n");
    place.file(&format!("{name}/values.yaml"), values);
    place.file(&format!("{name}/templates/map.yaml"), &map);
    let file = place.file(&format!("{name}/Chart.yaml"), &chart);
    file.trim_end_matches("/Chart.yaml").to_owned()
}

/// All recorded revisions of a release, oldest first.
async fn revisions(cluster: &Cluster, place: &Place, release: &str) -> Vec<Release> {
    let store = Store::in_namespace(cluster, &place.namespace);
    let entries = store.history(release).await.unwrap();
    store.read_all(&entries).await.unwrap()
}

/// Stores a revision.
async fn store(cluster: &Cluster, release: &Release) {
    let store = Store::in_namespace(cluster, &release.namespace);
    let mut release = release.clone();
    let created = store.create(&mut release, Timestamp::UNIX_EPOCH);
    created.await.unwrap();
}

/// Leaves a record as it is when Helm wrote last: without the summary.
async fn strip(cluster: &Cluster, release: &Release) {
    let name = format!("sh.helm.release.v1.{}.v{}", release.name, release.revision);
    let kind = Kind::core("Secret", "secrets");
    let at = Address {
        kind: &kind,
        namespace: Some(&release.namespace),
        name: &name,
    };
    let none = json!({"metadata": {"annotations": null}});
    let patched = cluster.patch(&at, Patch::Merge(&none), Write::by("helm"));
    patched.await.unwrap();
}
