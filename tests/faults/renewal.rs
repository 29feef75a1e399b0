//! That a lock is renewed while its holder is at work, also where that is short as a rule: one write hangs, and
//! meanwhile it is time for a renewal.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use ::testbed::{Fault, Faulty, Gateway};
use pintle::ops;
use serde_json::{Value, json};

use super::release::Charts;
use crate::support::Place;
use crate::support::library::Library;

/// A way to the API server of a place on which the second write, the first after the lock was taken, hangs.
fn hanging(place: &Place) -> (Gateway, Faulty) {
    let gateway = place.gateway();
    let kubeconfig = place.folder().join("faulty.kubeconfig");
    let faulty = Faulty::open(&gateway, (2, Fault::Hang), &kubeconfig).unwrap();
    (gateway, faulty)
}

async fn library(kubeconfig: &Path, place: &Place) -> Library {
    Library::of(kubeconfig, &place.namespace, "app").await
}

/// Begins work that hangs, lets it be time for a renewal, waits until the lock is renewed, and lets it be too
/// late for the answer.
async fn check<T>(place: &Place, faulty: &Faulty, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    while !faulty.happens_within(Duration::ZERO) {
        let step = tokio::task::yield_now();
        tokio::select! {
            _ = &mut work => panic!("nothing hangs"),
            () = step => {}
        }
    }
    let before = renewal(place);
    pass(11).await;
    let renewed = async {
        while renewal(place) == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut work => panic!("the lock was not renewed"),
        () = renewed => {}
    }
    pass(20).await;
    work.await
}

/// Lets time pass for the runtime.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// When the lock was renewed last.
fn renewal(place: &Place) -> Value {
    place.get(&["lease/pintle.app"])["spec"]["renewTime"].take()
}

#[tokio::test]
async fn the_lock_is_renewed_while_a_release_is_forgotten() {
    let place = Place::new("forgetting");
    let chart = crate::lifecycle::small(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    let (_gateway, faulty) = hanging(&place);
    let library = library(faulty.kubeconfig(), &place).await;
    let session = library.session();
    let forgetting = ops::forget(&session, &Library::terms()).await.unwrap();
    let mut on = |_| ();
    let forgotten = check(&place, &faulty, forgetting.execute(&session, &mut on));
    forgotten.await.unwrap();
    let records = place.get(&["secrets", "-l", "owner=helm,name=app"]);
    assert_eq!(records["items"], json!([]));
}

#[tokio::test]
async fn the_lock_is_renewed_while_older_revisions_get_their_status() {
    let place = Place::new("tidying");
    let charts = Charts::write(&place);
    let (first, second) = (charts.first.clone(), charts.second.clone());
    place.pintle(&["install", "app", &first, "--no-wait"]).ok();
    let record = "secret/sh.helm.release.v1.app.v1";
    let mut before = place.get(&[record]);
    place.pintle(&["upgrade", "app", &second, "--no-wait"]).ok();
    // As a process leaves it that is killed between its last two records.
    before["metadata"] = match before["metadata"].take() {
        Value::Object(mut metadata) => {
            metadata.remove("resourceVersion");
            Value::Object(metadata)
        }
        other => other,
    };
    let file = place.file("record.json", &before.to_string());
    place.kubectl(&["replace", "-f", &file]).ok();
    let (_gateway, faulty) = hanging(&place);
    let library = library(faulty.kubeconfig(), &place).await;
    let change = library.upgrade(&second, &Library::terms()).await;
    assert!(change.is_no_op());
    check(&place, &faulty, Box::pin(library.execute(change))).await;
    let status = &place.get(&[record])["metadata"]["labels"]["status"];
    assert_eq!(status, "superseded");
}
