//! What becomes of a lock and of records while a change waits. Where its machine sleeps meanwhile for longer than
//! a lock lasts, the clock is put forward, while that of the runtime stands still as it does in a suspend.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::testbed::Meddler;
use jiff::Timestamp;
use pintle::event::Event;
use pintle::ops::{self, ErrorKind, Session, Stop};
use pintle::release::Release;

use super::{check_statuses, leases, leases_of_others};
use crate::groups::two;
use crate::support::Place;
use crate::support::library::Library;

thread_local! {
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn now() -> Timestamp {
    Timestamp::now() + SLEPT.get()
}

/// For how long the machine sleeps.
const LONG: Duration = Duration::from_secs(31);

/// Installs two groups of which one waits for the other, upgrades both, and does something while the second one
/// waits, after which the first one is ready.
async fn upgrade(
    (place, library): (&Place, &Library),
    stop: Option<&Stop>,
    act: impl Fn(),
) -> Result<Release, ops::Error> {
    let chart = two(place);
    place.pintle(&["install", "app", &chart]).ok();
    let values =
        "token: none\nfirst: {image: 'app:2.0.0', stuck: true}\nsecond: {image: 'app:2.0.0'}\n";
    place.file("two/values.yaml", values);
    let change = library.upgrade(&chart, &Library::terms()).await;
    let session = Session {
        now,
        stop,
        ..library.session()
    };
    let options = Library::options();
    let mut on = |event: Event| {
        if matches!(event, Event::Gate { .. }) {
            act();
            place.let_run("deployment/first");
        }
    };
    change.execute(&session, &options, &mut on).await
}

/// The records of both revisions.
const RECORDS: [&str; 2] = [
    "secret/sh.helm.release.v1.app.v1",
    "secret/sh.helm.release.v1.app.v2",
];

#[track_caller]
fn check_second(place: &Place) {
    let live = place.get(&["deployment/second"]);
    let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "app:1.0.0");
}

#[tokio::test]
async fn who_has_slept_writes_nothing_under_the_lock_of_another() {
    let place = Place::new("slept");
    let library = Library::of(place.kubeconfig(), &place.namespace, "app").await;
    let before = Cell::default();
    let act = || {
        leases_of_others::set(&place, Timestamp::now()).unwrap();
        before.set(place.versions(&RECORDS));
        SLEPT.set(LONG);
    };
    let error = upgrade((&place, &library), None, act).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let told = "stopped half-way: the lock of release app was lost";
    assert_eq!(error.to_string(), told);
    check_second(&place);
    assert_eq!(place.versions(&RECORDS), before.take());
}

#[tokio::test]
async fn who_has_slept_and_cannot_renew_its_lock_stops_when_asked() {
    let place = Place::new("slept-cut");
    let gateway = place.gateway();
    let (stop, is_cut) = (Arc::new(Stop::default()), Arc::new(AtomicBool::new(false)));
    let kubeconfig = place.folder().join("meddled.kubeconfig");
    let act = {
        let (stop, is_cut) = (Arc::clone(&stop), Arc::clone(&is_cut));
        move |line: &mut String| {
            let is_renewal = line.starts_with("PUT ") && line.contains("/leases/pintle.app");
            // The first renewal fails, and while the next one is waited for the signal comes.
            if is_renewal && is_cut.swap(false, Ordering::SeqCst) {
                "GET /readyz HTTP/1.1".clone_into(line);
                assert!(stop.ask());
            }
        }
    };
    let meddler = Meddler::open(&gateway, &kubeconfig, act).unwrap();
    let library = Library::of(meddler.kubeconfig(), &place.namespace, "app").await;
    let cut = || {
        is_cut.store(true, Ordering::SeqCst);
        SLEPT.set(LONG);
    };
    let stopped = upgrade((&place, &library), Some(&stop), cut).await;
    let error = stopped.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    check_second(&place);
    check_statuses(&place, &["deployed", "failed"]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[1]["description"], "interrupted");
    assert_eq!(leases(&place), 0);
}

#[tokio::test]
async fn who_has_slept_goes_on_if_nobody_has_taken_the_lock() {
    let place = Place::new("slept-well");
    let library = Library::of(place.kubeconfig(), &place.namespace, "app").await;
    let slept = upgrade((&place, &library), None, || SLEPT.set(LONG)).await;
    assert_eq!(slept.unwrap().revision, 2);
    check_statuses(&place, &["superseded", "deployed"]);
    assert_eq!(leases(&place), 0);
}

#[tokio::test]
async fn records_that_somebody_else_has_written_are_written_under_a_lock_that_is_proven() {
    let place = Place::new("rewritten");
    let library = Library::of(place.kubeconfig(), &place.namespace, "app").await;
    let write = || {
        for record in RECORDS {
            place.kubectl(&["label", record, "seen-by=somebody"]).ok();
        }
    };
    let changed = upgrade((&place, &library), None, write).await;
    assert_eq!(changed.unwrap().revision, 2);
    check_statuses(&place, &["superseded", "deployed"]);
    for record in RECORDS {
        let labels = &place.get(&[record])["metadata"]["labels"];
        assert_eq!(labels["seen-by"], "somebody");
    }
    assert_eq!(leases(&place), 0);
}
