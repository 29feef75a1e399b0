//! How many revisions stay, whatever comes of them.

use serde_json::json;

use crate::lifecycle::small;
use crate::support::Place;

#[track_caller]
fn check(place: &Place, expected: &[(u32, &str)]) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let history = history.as_array().unwrap().iter();
    let revisions: Vec<_> = history
        .map(|one| json!([one["revision"], one["status"]]))
        .collect();
    let expected: Vec<_> = expected.iter().map(|one| json!(one)).collect();
    assert_eq!(revisions, expected);
}

#[test]
fn a_change_that_fails_deletes_what_nothing_rests_on() {
    let place = Place::new("pruning");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    let upgrade = |set: &str, more: &[&str]| {
        let args = ["upgrade", "app", &chart, "--history-max", "3", "--set", set];
        place.pintle(&[&args[..], more].concat())
    };
    upgrade("maps={a}", &["--no-wait"]).ok();
    upgrade("maps={b}", &["--no-wait"]).ok();
    for map in ["c", "d", "e", "f"] {
        let set = format!("stuck=true,maps={{{map}}}");
        upgrade(&set, &["--timeout", "1s"]).fails_with(3);
    }
    // All that was applied since the last good revision may still be there.
    let failed = [(4, "failed"), (5, "failed"), (6, "failed"), (7, "failed")];
    check(&place, &[&[(3, "deployed")], &failed[..]].concat());

    // What can be gone back to stays, rather than what failed.
    upgrade("maps={g}", &["--no-wait"]).ok();
    check(&place, &[(3, "superseded"), (7, "failed"), (8, "deployed")]);
    let maps = place.get(&["configmaps", "-l", "app.kubernetes.io/managed-by=Helm"]);
    let names: Vec<_> = maps["items"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 1, "{maps}");
    let back = ["rollback", "app", "--no-wait", "--history-max", "3"];
    place.pintle(&back).ok();
    check(&place, &[(7, "failed"), (8, "superseded"), (9, "deployed")]);
    let live = place.get(&["configmap/b"]);
    assert_eq!(live["metadata"]["name"], "b");
}

#[test]
fn what_a_failed_rollback_was_going_to_stays() {
    let place = Place::new("pruned-target");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    for map in ["a", "b"] {
        let set = format!("maps={{{map}}}");
        let upgrade = ["upgrade", "app", &chart, "--no-wait", "--set", &set];
        place.pintle(&upgrade).ok();
    }
    place.hold("configmap/b");
    let back = ["rollback", "app", "1", "--history-max", "3"];
    let failing = [&back[..], &["--timeout", "1s"]].concat();
    place.pintle(&failing).fails_with(3);
    check(&place, &[(1, "superseded"), (3, "deployed"), (4, "failed")]);
    place.let_go("configmap/b");
    place.pintle(&back).ok();
    check(&place, &[(3, "superseded"), (4, "failed"), (5, "deployed")]);
}
