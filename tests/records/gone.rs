//! Records that others delete while they are read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ::testbed::Meddler;
use serde_json::Value;

use super::{chart, cluster, revision, store};
use crate::support::Place;

/// Whether a request reads the record of this name, rather than all of them.
fn is_read(line: &str, record: &str) -> bool {
    line.starts_with("GET ") && line.contains(&format!("/secrets/{record} "))
}

#[tokio::test]
async fn a_history_is_read_again_where_a_record_of_it_has_gone_meanwhile() {
    let place = Arc::new(Place::new("vanishing"));
    let cluster = cluster(&place).await;
    let chart = chart(&place, "app", "a: 1\n");
    place.pintle(&["install", "app", &chart]).ok();
    let gateway = place.gateway();
    let through = place.folder().join("vanishing.kubeconfig");
    // The record that is deleted right before it is read.
    let target = Arc::new(Mutex::new(String::new()));
    let (held, aimed) = (Arc::clone(&place), Arc::clone(&target));
    let act = move |line: &mut String| {
        let mut record = aimed.lock().unwrap();
        if is_read(line, &record) {
            held.kubectl(&["delete", "secret", &record]).ok();
            record.clear();
        }
    };
    let meddler = Meddler::open(&gateway, &through, act).unwrap();
    let through = ["--kubeconfig", meddler.kubeconfig().to_str().unwrap()];
    let run = |number: u32, args: &[&str]| {
        *target.lock().unwrap() = format!("sh.helm.release.v1.app.v{number}");
        let run = place.pintle(&[args, &through].concat());
        assert_eq!(*target.lock().unwrap(), "", "not read: {run}");
        run
    };
    for (failed, args, told) in [
        (2, &["status", "app"][..], "REVISION: 1"),
        (2, &["get", "values", "app"], "USER-SUPPLIED VALUES"),
        (2, &["test", "app"], "STATUS: deployed"),
        (2, &["diff", "app", &chart], ""),
        (
            2,
            &["upgrade", "app", &chart, "--set", "a=2"],
            "REVISION: 2",
        ),
        (3, &["rollback", "app"], "REVISION: 3"),
        (
            4,
            &["uninstall", "app", "--forget", "--dry-run"],
            "with 3 records",
        ),
        (4, &["uninstall", "app"], "has been uninstalled"),
    ] {
        store(&cluster, &revision(&place, ("app", failed, "failed"), 1)).await;
        run(failed, args).ok().prints(&[told]);
    }
    // What is gone as a whole is not there, or is there anew.
    place.pintle(&["install", "app", &chart]).ok();
    let upgrade = ["upgrade", "app", &chart];
    run(1, &upgrade)
        .fails_with(1)
        .says(&["release app not found"]);
    place.kubectl(&["delete", "configmap/app"]).ok();
    place.pintle(&["install", "app", &chart]).ok();
    place
        .pintle(&[&upgrade[..], &["--set", "a=2"]].concat())
        .ok();
    run(1, &["rollback", "app", "1"])
        .fails_with(1)
        .says(&["release app has no revision 1; it has 2"]);
}

#[test]
fn a_history_that_changes_without_end_is_not_read_without_end() {
    let place = Arc::new(Place::new("flickering"));
    let chart = chart(&place, "app", "a: 1\n");
    place.pintle(&["install", "app", &chart]).ok();
    let record = "sh.helm.release.v1.app.v1";
    let mut body = place.get(&[&format!("secret/{record}")]);
    let metadata = body["metadata"].as_object_mut().unwrap();
    metadata
        .retain(|name, _: &mut Value| ["name", "labels", "annotations"].contains(&name.as_str()));
    let body = place.file("record.json", &body.to_string());
    let gateway = place.gateway();
    let through = place.folder().join("flickering.kubeconfig");
    let reads = Arc::new(AtomicUsize::new(0));
    let (held, counted) = (Arc::clone(&place), Arc::clone(&reads));
    let act = move |line: &mut String| {
        if is_read(line, record) {
            counted.fetch_add(1, Ordering::SeqCst);
            held.kubectl(&["delete", "secret", record]).ok();
        } else if line.contains("owner%3Dhelm") {
            // It may be there.
            held.kubectl(&["create", "-f", &body]);
        }
    };
    let meddler = Meddler::open(&gateway, &through, act).unwrap();
    let through = ["--kubeconfig", meddler.kubeconfig().to_str().unwrap()];
    let upgrade = ["upgrade", "app", &chart, "--set", "a=2"];
    place
        .pintle(&[&upgrade[..], &through].concat())
        .fails_with(4)
        .says(&[
            "error: the release record sh.helm.release.v1.app.v1 was deleted while it was being read\n",
            "\nhint: somebody else is changing the release; ",
        ]);
    let reads = reads.load(Ordering::SeqCst);
    assert!((2..=9).contains(&reads), "{reads}");
}
