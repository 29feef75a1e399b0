//! One signal while a write hangs: it comes to its end, nothing is written after it but the outcome, and the
//! lock is given back.

use std::sync::Arc;
use std::time::Duration;

use ::testbed::{Fault, Meddler};
use pintle::event::Event;
use pintle::ops::{ErrorKind, Session, Stop};
use serde_json::{Value, json};

use super::release::{Charts, State};
use super::{Bench, Change};
use crate::lock::signal;
use crate::support::Place;
use crate::support::library::Library;

/// Sends a signal to a change while a write hangs: the one that is `after` writes later than the first one that
/// has all of `parts` in its line.
#[track_caller]
fn check(change: Change, parts: &[&str], after: usize) {
    let bench = Bench::of(change);
    let lines = bench.lines();
    let is_meant = |line: &String| parts.iter().all(|part| line.contains(part));
    let first = lines.iter().position(is_meant).expect("such a write");
    let number = first + 1 + after;
    let place = bench.prepare();
    let before = State::of(&place);
    let (faulty, mut started) = bench.start(&place, (number, Fault::Hang));
    while !faulty.happens_within(Duration::from_millis(20)) {
        assert!(!started.has_ended(), "{}", started.end());
    }
    signal(&started, "INT");
    let run = started.end().fails_with(130).says(&[
        "stopping: what is under way is brought to its end",
        "error: interrupted",
    ]);
    let lines = faulty.lines();
    let hung = &lines[number - 1];
    let is_end = |line: &&String| {
        let ends = ["/leases/pintle.app", "/secrets/sh.helm.release.v1.app."];
        *line == hung || ends.iter().any(|end| line.contains(end))
    };
    let later: Vec<_> = lines[number..]
        .iter()
        .filter(|line| !is_end(line))
        .collect();
    assert_eq!(later, [] as [&String; 0], "after {hung}: {run}");
    let state = State::of(&place);
    assert_eq!(state.newest(), Some("failed"), "{run}");
    assert!(!state.is_locked(), "{run}");
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let newest = history.as_array().unwrap().last().unwrap();
    assert_eq!(newest["description"], "interrupted");
    let next = match change {
        // The name is taken.
        Change::Install => Change::Upgrade,
        other => other,
    };
    bench.go_on(&place, &before, next).unwrap();
}

const DEPLOYMENT: &str = "/deployments/app";

#[test]
fn a_signal_stops_an_upgrade_between_two_steps() {
    check(Change::Upgrade, &["PATCH ", DEPLOYMENT], 0);
}

#[test]
fn a_signal_stops_an_upgrade_in_a_hook() {
    // The hook that an earlier change has left makes way first.
    check(Change::Upgrade, &["DELETE ", "/configmaps/before"], 1);
}

#[test]
fn a_signal_stops_a_rollback_between_two_steps() {
    check(Change::Rollback, &["PATCH ", DEPLOYMENT], 0);
}

#[test]
fn a_signal_stops_an_uninstallation_between_two_steps() {
    check(Change::Uninstall, &["DELETE ", DEPLOYMENT], 0);
}

#[test]
fn a_signal_stops_an_installation_that_records_that_it_begins() {
    check(Change::Install, &["POST ", "/secrets?"], 0);
}

#[test]
fn a_signal_stops_an_uninstallation_that_records_that_it_begins() {
    check(
        Change::Uninstall,
        &["PATCH ", "/secrets/sh.helm.release."],
        0,
    );
}

/// Has an upgrade stopped while it asks for the first write that `is_meant`, which fails then, and gives the
/// history that there is after that.
async fn stopped_at(place: &Place, is_meant: fn(&str) -> bool) -> Value {
    let charts = Charts::write(place);
    let install = ["install", "app", &charts.first, "--no-wait"];
    place.pintle(&install).ok();
    let gateway = place.gateway();
    let stop = Arc::new(Stop::default());
    let asked = Arc::clone(&stop);
    let act = move |line: &mut String| {
        let is_dry = line.contains("dryRun") || line.contains("/authorization.k8s.io/");
        if !is_dry && is_meant(line) && asked.ask() {
            "GET /nowhere HTTP/1.1".clone_into(line);
        }
    };
    let kubeconfig = place.folder().join("meddled.kubeconfig");
    let meddler = Meddler::open(&gateway, &kubeconfig, act).unwrap();
    let library = Library::of(meddler.kubeconfig(), &place.namespace, "app").await;
    let change = library.upgrade(&charts.second, &Library::terms()).await;
    let session = Session {
        stop: Some(&stop),
        ..library.session()
    };
    let options = Library::options();
    let mut told = 0;
    let mut on = |event| told += usize::from(matches!(event, Event::Stopping));
    let ended = change.execute(&session, &options, &mut on).await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    assert_eq!(told, 1, "that it stops is said once");
    assert_eq!(place.get(&["leases"])["items"], json!([]));
    place.pintle(&["history", "app", "-o", "json"]).ok().json()
}

#[tokio::test]
async fn a_hook_that_fails_after_a_signal_was_interrupted() {
    let place = Place::new("stopped");
    let is_hook = |line: &str| line.starts_with("POST ") && line.contains("/configmaps?");
    let history = stopped_at(&place, is_hook).await;
    assert_eq!(history[1]["description"], "interrupted");
}

#[tokio::test]
async fn a_record_that_cannot_be_begun_after_a_signal_was_interrupted() {
    let place = Place::new("stopped");
    let is_record = |line: &str| line.starts_with("POST ") && line.contains("/secrets?");
    let history = stopped_at(&place, is_record).await;
    assert_eq!(history.as_array().unwrap().len(), 1, "{history}");
    assert_eq!(history[0]["status"], "deployed");
}
