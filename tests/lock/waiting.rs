//! Waiting for a lock that somebody else holds.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use testbed::User;

use super::{check_statuses, lease, leases};
use crate::kcp::proof::eventually;
use crate::lifecycle::small;
use crate::plan::requests::Listening;
use crate::rights::{allow, rule};
use crate::support::Place;

/// Longer than any test takes.
const LONG: [&str; 2] = ["--lock-timeout", "10m"];

/// A place with a release that somebody holds, renewed ahead of time, so that it is for as long as the test runs;
/// and its upgrade.
fn held(test: &str) -> (Place, [String; 5]) {
    let place = Place::new(test);
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    let upgrade = ["upgrade", "app", &chart, "--set", "maps={a}"].map(str::to_owned);
    (place, upgrade)
}

#[test]
fn a_lock_is_watched_and_not_asked_for_again_and_again() {
    let (place, upgrade) = held("awaited");
    let upgrade = upgrade.each_ref().map(String::as_str);
    let listening = Listening::on(&place);
    let through = ["--kubeconfig", &listening.kubeconfig];
    let mut waiting = place.start_pintle(&[&upgrade[..], &LONG, &through].concat());
    waiting.says(&["waiting for bob@elsewhere pid 1"]);
    let mut reads = vec![];
    let is_watch = |line: &String| line.contains("watch=true") && line.contains("/leases?");
    eventually("the Lease is watched", || {
        reads.extend(listening.reads());
        reads.iter().any(is_watch).then_some(())
    });
    place.kubectl(&["delete", "lease/pintle.app"]).ok();
    waiting.end().ok();
    reads.extend(listening.reads());
    let watches = reads.iter().filter(|line| is_watch(line));
    assert_eq!(watches.count(), 1, "{reads:#?}");
    // Before and after, and when it was found to be held.
    let looks = reads
        .iter()
        .filter(|line| line.contains("/leases/pintle.app"));
    assert!(looks.count() <= 4, "{reads:#?}");
    check_statuses(&place, &["superseded", "deployed"]);
    assert_eq!(leases(&place), 0);
}

#[test]
fn who_may_not_watch_locks_waits_as_well() {
    let (place, upgrade) = held("unwatched");
    let upgrade = upgrade.each_ref().map(String::as_str);
    let rules = [
        rule("", &["secrets", "configmaps", "services"]),
        rule("apps", &["deployments"]),
        rule("coordination.k8s.io", &["leases"]),
    ];
    allow(&place, "changes", &json!(rules));
    let place = place.seen_by(User::TenantAdmin);
    let mut waiting = place.start_pintle(&[&upgrade[..], &LONG, &["--no-wait"]].concat());
    waiting.says(&["waiting for bob@elsewhere pid 1"]);
    place.kubectl(&["delete", "lease/pintle.app"]).ok();
    waiting.end().ok();
    check_statuses(&place, &["superseded", "deployed"]);
}
