//! Resources that are being deleted and are not gone for a while.

use crate::lifecycle::{left, small};
use crate::support::Place;

const HELD: &str = "being deleted, held by test.pintle.dev/hold";
/// Shorter than what never comes.
const SHORT: [&str; 2] = ["--timeout", "1s"];

/// A place with a release of a small chart and one config map, and that chart.
fn installed(name: &str) -> (Place, String) {
    let place = Place::new(name);
    let chart = small(&place);
    place
        .pintle(&["install", "app", &chart, "--set", "maps={a}", "--no-wait"])
        .ok();
    (place, chart)
}

#[track_caller]
fn check_statuses(place: &Place, expected: &[&str]) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let history = history.as_array().unwrap().iter();
    let statuses: Vec<_> = history.map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, expected);
}

#[test]
fn an_uninstallation_that_is_repeated_waits_for_what_is_still_there() {
    let (place, chart) = installed("lingers");
    place.hold("configmap/a");
    let uninstall = [&["uninstall", "app"][..], &SHORT].concat();
    for _ in 0..2 {
        place.pintle(&uninstall).fails_with(3).says(&[HELD]);
        check_statuses(&place, &["failed"]);
    }
    place.let_go("configmap/a");
    place.pintle(&uninstall).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
    place.pintle(&["history", "app"]).fails_with(1);

    place
        .pintle(&["install", "app", &chart, "--set", "maps={a}", "--no-wait"])
        .ok();
    place.hold("configmap/a");
    let started = place.start_pintle(&["uninstall", "app"]);
    place.wait_for_deletion("configmap/a");
    started.kill();
    place.pintle(&uninstall).fails_with(3).says(&[HELD]);
    check_statuses(&place, &["failed"]);
    place.let_go("configmap/a");
    place.pintle(&uninstall).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn what_an_upgrade_drops_is_waited_for_again() {
    let (place, chart) = installed("dropped");
    place.hold("configmap/a");
    let upgrade = ["upgrade", "app", &chart, "--set", "stuck=false"];
    let upgrade = [&upgrade[..], &SHORT].concat();
    place.pintle(&upgrade).fails_with(3).says(&[HELD]);
    place.pintle(&upgrade).fails_with(3).says(&[HELD]);
    place.let_go("configmap/a");
    place.pintle(&upgrade).ok();
}
