//! Records whose payload cannot be read: what goes on, and what stops before it writes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{chart, cluster, revision, store};
use crate::lock::lease;
use crate::support::{Place, Run};

fn record(number: u32) -> String {
    format!("sh.helm.release.v1.app.v{number}")
}

/// Changes the record of a revision of the release `app`.
fn patch(place: &Place, number: u32, patch: &Value) {
    let secret = format!("secret/{}", record(number));
    let patch = ["patch", &secret, "--type=merge", "-p", &patch.to_string()];
    place.kubectl(&patch).ok();
}

/// Spoils the payload of a revision of the release `app`, and leaves the rest of its record.
fn damage(place: &Place, number: u32) {
    let payload = BASE64_STANDARD.encode("no payload");
    patch(place, number, &json!({"data": {"release": payload}}));
}

/// The release `app` with two revisions, the second of which is deployed.
fn twice(place: &Place) -> String {
    let chart = chart(place, "app", "a: 1\n");
    place.pintle(&["install", "app", &chart]).ok();
    place
        .pintle(&["upgrade", "app", &chart, "--set", "a=2"])
        .ok();
    chart
}

fn statuses(place: &Place) -> Value {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let revisions = history.as_array().unwrap().iter();
    revisions.map(|one| one["status"].clone()).collect()
}

/// Whether a command has failed for want of the payload of a revision, and says what to do about it.
#[track_caller]
fn check_stopped(place: &Place, run: Run, number: u32) -> Run {
    let name = record(number);
    run.fails_with(1).says(&[
        &format!("error: cannot decode the release record {name}\n"),
        "\nhint: revision ",
        &format!("`kubectl delete secret {name} -n {}`", place.namespace),
        "--forget",
    ])
}

#[test]
fn a_newest_record_that_is_damaged_stops_changes_before_they_write() {
    let place = Place::new("damaged");
    let chart = twice(&place);
    damage(&place, 2);
    let records = [1, 2].map(|number| format!("secret/{}", record(number)));
    let versions = || place.versions(&[&records[0], &records[1], "configmap/app"]);
    let before = versions();
    let upgrade = ["upgrade", "app", &chart, "--set", "a=3"];
    for args in [
        &upgrade[..],
        &["rollback", "app", "1"],
        &["uninstall", "app"],
        &["uninstall", "app", "--keep-history"],
        &["test", "app"],
        &["diff", "app", &chart],
        &["get", "values", "app"],
    ] {
        check_stopped(&place, place.pintle(args), 2);
    }
    assert_eq!(versions(), before);
    // What can be shown is, also where the summary is gone as well.
    let shown = |words: &[&str]| {
        place.pintle(&["list"]).ok().prints(&["app", "deployed"]);
        assert_eq!(statuses(&place), json!(["superseded", "deployed"]));
        let status = place.pintle(&["status", "app"]);
        let own = ["NAME: app\n", "STATUS: deployed\n", "REVISION: 2\n"];
        let own = [&own[..], words].concat();
        check_stopped(&place, status, 2).prints(&own);
        let status = place.pintle(&["status", "app", "-o", "json"]);
        let status = check_stopped(&place, status, 2).json();
        assert_eq!(status["info"]["status"], "deployed");
    };
    shown(&["DESCRIPTION: Upgrade complete\n"]);
    patch(&place, 2, &json!({"metadata": {"annotations": null}}));
    shown(&[]);
    // Neither the Lease nor its end needs a payload.
    let unlock = ["unlock", "app", "--yes"];
    place.pintle(&unlock).ok().prints(&["is not locked"]);
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    place.pintle(&unlock).ok().prints(&["is unlocked"]);
    // What was left pending by who knows whom is no revision that anybody goes on with.
    let pending = json!({"metadata": {"labels": {"status": "pending-upgrade"}}});
    patch(&place, 2, &pending);
    check_stopped(&place, place.pintle(&upgrade), 2);
    place
        .pintle(&["unlock", "app"])
        .ok()
        .says(&["revision 2 is pending-upgrade, and its record cannot be read"]);
    assert_eq!(statuses(&place), json!(["superseded", "failed"]));
    // It is left out as the hint says.
    place.kubectl(&["delete", "secret", &record(2)]).ok();
    place.pintle(&upgrade).ok().prints(&["REVISION: 2"]);
}

#[tokio::test]
async fn an_older_record_that_is_damaged_and_counts_is_named() {
    let place = Place::new("damaged-base");
    let chart = chart(&place, "app", "a: 1\n");
    place.pintle(&["install", "app", &chart]).ok();
    let failed = revision(&place, ("app", 2, "failed"), 1);
    store(&cluster(&place).await, &failed).await;
    damage(&place, 1);
    for args in [
        &["upgrade", "app", &chart, "--set", "a=3"][..],
        &["rollback", "app", "1"],
        &["uninstall", "app"],
        &["test", "app"],
    ] {
        check_stopped(&place, place.pintle(args), 1);
    }
    place
        .pintle(&["status", "app"])
        .ok()
        .prints(&["REVISION: 2"]);
    place
        .pintle(&["unlock", "app"])
        .ok()
        .prints(&["is not locked"]);
    let forget = ["uninstall", "app", "--forget"];
    let told = "the record of revision 1 cannot be read, so that not all that stays is listed";
    place
        .pintle(&[&forget[..], &["--dry-run"]].concat())
        .ok()
        .says(&[told]);
    place
        .pintle(&forget)
        .ok()
        .says(&[told])
        .prints(&["with 2 records"]);
    let left = place.get(&["secrets,configmaps", "-l", "owner=helm"]);
    assert_eq!(left["items"], json!([]));
    place.get(&["configmap/app"]);
}

#[test]
fn a_newest_record_that_is_damaged_can_be_forgotten() {
    let place = Place::new("damaged-end");
    twice(&place);
    damage(&place, 2);
    let forget = ["uninstall", "app", "--forget", "-o", "json"];
    let told = place.pintle(&forget).ok().json();
    assert_eq!(
        told,
        json!({"name": "app", "revisions": [1, 2], "stays": [], "unread": [2]})
    );
    place.get(&["configmap/app"]);
}

#[test]
fn an_older_record_that_is_damaged_and_does_not_count_hinders_nothing() {
    let place = Place::new("damaged-past");
    let chart = twice(&place);
    damage(&place, 1);
    let status = |word: &str| {
        let labels = json!({"metadata": {"labels": {"status": word}}});
        patch(&place, 1, &labels);
    };
    // As a change leaves it that is killed between its last writes.
    status("pending-upgrade");
    place
        .pintle(&["upgrade", "app", &chart, "--set", "a=3"])
        .ok();
    assert_eq!(
        statuses(&place),
        json!(["failed", "superseded", "deployed"])
    );
    place
        .pintle(&["rollback", "app"])
        .ok()
        .prints(&["REVISION: 4"]);
    check_stopped(&place, place.pintle(&["rollback", "app", "1"]), 1);
    status("deployed");
    place.pintle(&["uninstall", "app", "--keep-history"]).ok();
    assert_eq!(
        statuses(&place),
        json!(["superseded", "superseded", "superseded", "uninstalled"])
    );
    place.pintle(&["uninstall", "app"]).ok();
    let left = place.get(&["secrets,configmaps", "-l", "owner=helm"]);
    assert_eq!(left["items"], json!([]));
}
