//! Who may change a release, and that a process that was killed never leaves it stuck.

mod meanwhile;
mod waiting;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use pintle::event::Event;
use pintle::ops::{self, Rules};
use pintle::release;
use serde_json::{Value, json};

use crate::faults::lease as leases_of_others;
use crate::hooks::policies::tested;
use crate::hooks::shop;
use crate::kcp::proof::eventually;
use crate::lifecycle::{left, small};
use crate::support::library::Library;
use crate::support::{Place, Started};

/// A Lease of the release `app` that somebody renewed at `time`.
pub(crate) fn lease(place: &Place, time: Timestamp) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "pintle.app"},
        "spec": {
            "holderIdentity": "bob@elsewhere pid 1",
            "leaseDurationSeconds": 30,
            "acquireTime": "2026-01-01T00:00:00.000000Z",
            "renewTime": format!("{time:.6}"),
        },
    });
    let file = place.file("lease.json", &lease.to_string());
    place.kubectl(&["create", "-f", &file]).ok();
}

fn leases(place: &Place) -> usize {
    let leases = place.get(&["leases"]);
    leases["items"].as_array().unwrap().len()
}

#[track_caller]
fn check_statuses(place: &Place, expected: &[&str]) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let statuses: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|revision| revision["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, expected);
}

#[test]
fn a_release_that_somebody_holds_is_left_alone() {
    let place = Place::new("held");
    let chart = small(&place);
    // Renewed ahead of time, so that the Lease holds for as long as this test runs.
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    let before = place.versions(&["lease/pintle.app"]);
    place
        .pintle(&["install", "app", &chart, "--create-namespace"])
        .fails_with(4)
        .says(&[
            "release app is locked by bob@elsewhere pid 1 since 2026-01-01T00:00:00Z",
            "ends by itself",
        ]);
    place.pintle(&["install", "app", &chart, "--dry-run"]).ok();
    assert_eq!(place.versions(&["lease/pintle.app"]), before);
    place.kubectl(&["delete", "lease/pintle.app"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);

    place.pintle(&["install", "app", &chart]).ok();
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    let secret = "secret/sh.helm.release.v1.app.v1";
    let before = place.versions(&[secret]);
    let change = &["upgrade", "app", &chart, "--set", "maps={a}"][..];
    for args in [change, &["rollback", "app", "1"], &["uninstall", "app"]] {
        place
            .pintle(args)
            .fails_with(4)
            .says(&["locked by bob@elsewhere"]);
    }
    place.pintle(&[change, &["--dry-run"]].concat()).ok();
    place.pintle(&["diff", "app", &chart]).ok();
    // What has nothing to write disturbs nobody.
    place
        .pintle(&["upgrade", "app", &chart])
        .ok()
        .prints(&["is unchanged"]);
    assert_eq!(place.versions(&[secret]), before);
    check_statuses(&place, &["deployed"]);
}

#[test]
fn a_lock_that_was_not_renewed_is_taken_over() {
    let place = Place::new("expired");
    let chart = small(&place);
    lease(&place, Timestamp::now() - SignedDuration::from_secs(31));
    place
        .pintle(&["install", "app", &chart])
        .ok()
        .says(&["took over the lock of bob@elsewhere pid 1"]);
    assert_eq!(leases(&place), 0);
}

#[test]
fn no_lock_is_left_by_success_or_failure() {
    let place = Place::new("released");
    let chart = small(&place);
    let stuck = ["--set", "stuck=true", "--timeout", "1s"];
    let steps: [(&[&str], i32); 6] = [
        (&["install", "app", &chart], 0),
        (&["upgrade", "app", &chart, "--set", "maps={a}"], 0),
        (&[&["upgrade", "app", &chart], &stuck[..]].concat(), 3),
        (&["upgrade", "app", &chart, "--set", "maps={A_B}"], 1),
        (&["rollback", "app", "1"], 0),
        (&["uninstall", "app"], 0),
    ];
    for (args, code) in steps {
        let run = place.pintle(args).fails_with(code);
        assert_eq!(leases(&place), 0, "{run}");
    }
}

/// Starts a change that does not end by itself, and waits until it has written something.
fn stuck(place: &Place, args: &[&str], changed: &str) -> Started {
    let set = ["--set", "stuck=true,maps={stray}", "--timeout", "10m"];
    let started = place.start_pintle(&[args, &set].concat());
    place.wait_for("create", changed);
    let secrets = place.get(&["secrets", "-l", "owner=helm,name=app"]);
    let newest = secrets["items"].as_array().unwrap().last().unwrap();
    let status = newest["metadata"]["labels"]["status"].as_str().unwrap();
    assert!(status.starts_with("pending-"), "{newest}");
    started
}

#[test]
fn a_second_command_is_told_of_the_first() {
    let place = Place::new("busy");
    let chart = small(&place);
    let first = stuck(&place, &["install", "app", &chart], "configmap/stray");
    let holder = format!("pid {} (", first.pid());
    for command in ["install", "upgrade"] {
        place
            .pintle(&[command, "app", &chart])
            .fails_with(4)
            .says(&[
                "release app is locked by",
                &holder,
                " since ",
                ", installing revision 1\n",
            ]);
    }
    place.pintle(&["uninstall", "app"]).fails_with(4);
    let run = place.pintle(&["diff", "app", &chart]).ok();
    assert!(!run.stderr.contains("earlier command"), "{run}");
    check_statuses(&place, &["pending-install"]);

    // Who waits goes on when the first one has ended.
    let mut second = place.start_pintle(&[
        "upgrade",
        "app",
        &chart,
        "--no-wait",
        "--lock-timeout",
        "10m",
    ]);
    second.says(&["waiting for ", &holder, ", installing revision 1"]);
    first.kill();
    second.end().ok();
    check_statuses(&place, &["failed", "deployed"]);
    assert_eq!(leases(&place), 0);
}

#[test]
fn after_a_killed_upgrade_the_next_one_goes_on() {
    let place = Place::new("killed");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let args = ["upgrade", "app", &chart];
    stuck(&place, &args, "configmap/stray").kill();
    assert_eq!(leases(&place), 1);
    place
        .pintle(&["diff", "app", &chart, "--set", "maps={wanted}"])
        .ok()
        .says(&["revision 2 was left pending-upgrade"])
        .prints(&["- ConfigMap stray"]);
    place
        .pintle(&["upgrade", "app", &chart, "--set", "maps={wanted}"])
        .ok()
        .says(&[
            "took over the lock of",
            "revision 2 was left pending-upgrade",
            "deleted ConfigMap stray",
            "created ConfigMap wanted",
        ]);
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    assert_eq!(leases(&place), 0);
    let template = &place.get(&["deployment/app"])["spec"]["template"];
    assert_eq!(template["spec"]["nodeSelector"], Value::Null);
}

#[test]
fn after_a_killed_upgrade_without_its_lock_the_release_can_be_rolled_back() {
    let place = Place::new("unlocked");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let args = ["upgrade", "app", &chart];
    stuck(&place, &args, "configmap/stray").kill();
    place.kubectl(&["delete", "lease/pintle.app"]).ok();
    place
        .pintle(&["rollback", "app"])
        .ok()
        .says(&["revision 2 was left pending-upgrade"])
        .prints(&["Rollback to 1"]);
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    assert_eq!(place.kubectl(&["get", "configmap", "stray"]).code, Some(1));
    assert_eq!(leases(&place), 0);
}

#[test]
fn after_a_killed_installation_it_can_be_installed() {
    let place = Place::new("reinstall");
    let chart = small(&place);
    let args = ["install", "app", &chart];
    stuck(&place, &args, "configmap/stray").kill();
    place
        .pintle(&args)
        .ok()
        .says(&["revision 1 was left pending-install"])
        .prints(&["has been installed", "REVISION: 2", "Install complete"]);
    // The values of the attempt are not those of the release.
    assert_eq!(place.kubectl(&["get", "configmap", "stray"]).code, Some(1));
    check_statuses(&place, &["failed", "deployed"]);
    place
        .pintle(&args)
        .fails_with(1)
        .says(&["release app exists already: revision 2 is deployed"]);
    place.helm(&["list"]).ok().prints(&["app", "deployed"]);
    assert_eq!(leases(&place), 0);
}

#[test]
fn after_a_killed_installation_it_can_be_upgraded_or_uninstalled() {
    let place = Place::new("go-on");
    let chart = small(&place);
    let args = ["install", "app", &chart];
    stuck(&place, &args, "configmap/stray").kill();
    place
        .pintle(&["upgrade", "app", &chart, "--set", "stuck=false"])
        .ok()
        .says(&["revision 1 was left pending-install"])
        .prints(&["REVISION: 2", "Upgrade complete"]);
    check_statuses(&place, &["failed", "deployed"]);
    stuck(&place, &["upgrade", "app", &chart], "configmap/stray").kill();
    place
        .pintle(&["uninstall", "app"])
        .ok()
        .says(&["revision 3 was left pending-upgrade"]);
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn a_killed_uninstallation_is_finished_or_gone_back_on() {
    let place = Place::new("leaving");
    let chart = small(&place);
    place
        .pintle(&["install", "app", &chart, "--set", "maps={a}"])
        .ok();
    place.kill_uninstallation("configmap/a");
    place
        .pintle(&["install", "app", &chart])
        .fails_with(1)
        .says(&["revision 1 is uninstalling", "pintle uninstall app"]);
    place
        .pintle(&["upgrade", "app", &chart, "--set", "maps={a}"])
        .ok()
        .says(&["revision 1 was left uninstalling"]);
    check_statuses(&place, &["failed", "deployed"]);
    place.kill_uninstallation("configmap/a");
    place.pintle(&["uninstall", "app"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn a_change_whose_lock_is_gone_stops() {
    let place = Place::new("lost");
    let chart = small(&place);
    let first = stuck(&place, &["install", "app", &chart], "configmap/stray");
    place.kubectl(&["delete", "lease/pintle.app"]).ok();
    first.end().fails_with(4).says(&[
        "the lock of release app was lost",
        "its Lease was deleted",
        "run the command again",
    ]);
    check_statuses(&place, &["pending-install"]);
    place.pintle(&["install", "app", &chart]).ok();
    check_statuses(&place, &["failed", "deployed"]);
}

#[test]
fn a_change_whose_lock_was_taken_away_records_no_outcome() {
    let place = Place::new("unlocked");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let first = stuck(&place, &["upgrade", "app", &chart], "configmap/stray");
    let run = place.pintle(&["history", "app"]).ok();
    assert!(
        !run.prints(&["pending-upgrade"])
            .stdout
            .contains("interrupted")
    );
    place.pintle(&["unlock", "app", "--yes"]).ok();
    // All that it waits for is there, long before it would renew its lock.
    place.let_run("deployment/app");
    first.end().fails_with(4).says(&[
        "ready Deployment app",
        "error: stopped half-way: the lock of release app was lost\n",
        "run the command again",
    ]);
    check_statuses(&place, &["deployed", "pending-upgrade"]);
    // Who reads is told that nobody works on it any more.
    let told = "pending-upgrade (interrupted)";
    place.pintle(&["history", "app"]).ok().prints(&[told]);
    let status = format!("STATUS: {told}\n");
    place.pintle(&["status", "app"]).ok().prints(&[&status]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[1]["interrupted"], true);
    assert_eq!(history[0].get("interrupted"), None);
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    assert_eq!(status["info"]["status"], "pending-upgrade");
    assert_eq!(status["info"]["interrupted"], true);
    place
        .pintle(&["upgrade", "app", &chart, "--set", "stuck=false"])
        .ok();
    check_statuses(&place, &["superseded", "failed", "deployed"]);
}

/// Stops a process, gives its lock to another, does something and lets the process go on: it must have written
/// nothing more when it ends.
#[track_caller]
fn check_stopped(place: &Place, stopped: Started, (known, act): (&[&str], &dyn Fn())) {
    signal(&stopped, "STOP");
    leases_of_others::set(place, Timestamp::now()).unwrap();
    act();
    let known = [known, &["lease/pintle.app"]].concat();
    let before = place.versions(&known);
    signal(&stopped, "CONT");
    stopped.end().fails_with(4).says(&[
        "stopped half-way: the lock of release app was lost",
        "eve@elsewhere pid 1 has taken it over",
    ]);
    assert_eq!(place.versions(&known), before);
}

#[test]
fn a_process_that_was_stopped_while_it_waited_writes_nothing_under_the_lock_of_another() {
    let place = Place::new("stopped");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let first = stuck(&place, &["upgrade", "app", &chart], "configmap/stray");
    let records = [1, 2].map(|number| format!("secret/sh.helm.release.v1.app.v{number}"));
    let known = [&records[0], &records[1], "configmap/stray"];
    let free = || {
        place.let_run("deployment/app");
        place
            .kubectl(&["rollout", "status", "deployment/app", "--timeout=60s"])
            .ok();
    };
    check_stopped(&place, first, (&known, &free));
    check_statuses(&place, &["deployed", "pending-upgrade"]);
}

#[test]
fn a_process_that_was_stopped_while_a_hook_ran_writes_nothing_under_the_lock_of_another() {
    let place = Place::new("stopped-hook");
    let chart = shop(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let uid = place.get(&["job/migrate"])["metadata"]["uid"].clone();
    let set = ["--set", "colour=red,suspend=true", "--timeout", "10m"];
    let first = place.start_pintle(&[&["upgrade", "app", &chart], &set[..]].concat());
    eventually("the hook runs anew", || {
        let jobs = place.get(&["jobs"]);
        let mut jobs = jobs["items"].as_array().unwrap().iter();
        jobs.find(|job| job["metadata"]["uid"] != uid).map(drop)
    });
    let records = [1, 2].map(|number| format!("secret/sh.helm.release.v1.app.v{number}"));
    let known = [&records[0], &records[1], "configmap/app"];
    check_stopped(&place, first, (&known, &|| place.complete("job/migrate")));
    assert_eq!(place.get(&["configmap/app"])["data"]["colour"], "blue");
}

#[test]
fn a_process_that_was_stopped_while_it_tested_records_nothing_under_the_lock_of_another() {
    let place = Place::new("stopped-test");
    let set = ["--set", "suspend=true"];
    let install = ["install", "app", &tested(&place)];
    place.pintle(&[&install[..], &set].concat()).ok();
    let test = place.start_pintle(&["test", "app", "--timeout", "10m"]);
    place.wait_for("create", "job/reach");
    let record = "secret/sh.helm.release.v1.app.v1";
    check_stopped(&place, test, (&[record], &|| place.complete("job/reach")));
}

#[test]
fn a_signal_ends_the_wait_for_what_is_left_of_a_hook() {
    let place = Place::new("signal-hook");
    let chart = shop(&place);
    place.pintle(&["install", "app", &chart]).ok();
    place.hold("configmap/settings");
    let upgrade = ["upgrade", "app", &chart, "--set", "colour=red"];
    let started = place.start_pintle(&[&upgrade[..], &["--timeout", "1m"]].concat());
    place.wait_for_deletion("configmap/settings");
    signal(&started, "INT");
    started.end().fails_with(130).says(&[
        "stopping: what is under way is brought to its end",
        "error: interrupted",
    ]);
    assert_eq!(leases(&place), 0);
    check_statuses(&place, &["deployed", "failed"]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[1]["description"], "interrupted");
    assert_eq!(place.get(&["configmap/app"])["data"]["colour"], "blue");
    place.let_go("configmap/settings");
    place.pintle(&upgrade).ok();
    check_statuses(&place, &["superseded", "failed", "deployed"]);
}

#[test]
fn a_rollback_without_a_number_takes_a_killed_uninstallation_back() {
    let place = Place::new("taken-back");
    let chart = small(&place);
    let set = ["--set", "maps={a,b}"];
    let install = ["install", "app", &chart];
    place.pintle(&[&install[..], &set].concat()).ok();
    place.kill_uninstallation("configmap/a");
    place
        .pintle(&["rollback", "app"])
        .ok()
        .says(&["revision 1 was left uninstalling"])
        .prints(&["Rollback to 1"]);
    check_statuses(&place, &["failed", "deployed"]);
    let upgrade = ["upgrade", "app", &chart, "--set", "maps={a,c}"];
    place.pintle(&upgrade).ok();
    // What is live is the third one, not the one before it.
    place.kill_uninstallation("configmap/a");
    place
        .pintle(&["rollback", "app"])
        .ok()
        .prints(&["Rollback to 3"]);
    check_statuses(&place, &["failed", "superseded", "failed", "deployed"]);
    place.get(&["configmap/a", "configmap/c"]);
    assert_eq!(place.kubectl(&["get", "configmap", "b"]).code, Some(1));
}

/// A chart for Helm whose one Deployment is that of [`small`] and never becomes ready.
fn stuck_for_helm(place: &Place) -> String {
    place.file(
        "stuck/templates/app.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  \
         selector: {matchLabels: {app: app}}\n  template:\n    \
         metadata: {labels: {app: app}}\n    spec:\n      nodeSelector: {nowhere: \"true\"}\n      \
         containers: [{name: app, image: \"app:1\"}]\n",
    );
    place
        .file(
            "stuck/Chart.yaml",
            "apiVersion: v2\nname: small\nversion: 1.0.0\n",
        )
        .trim_end_matches("/Chart.yaml")
        .to_owned()
}

/// A release that Helm was upgrading to its second revision when it was killed, and the chart of the first one.
fn left_by_helm(test: &str) -> (Place, String) {
    let place = Place::new(test);
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let helm = place.start_helm(&["upgrade", "app", &stuck_for_helm(&place), "--wait"]);
    let changed = "jsonpath={.spec.template.spec.nodeSelector.nowhere}=true";
    place.wait_for(changed, "deployment/app");
    helm.kill();
    (place, chart)
}

/// Makes a revision that Helm wrote look as if it had been begun earlier.
fn age(place: &Place, secret: &str, by: SignedDuration) {
    let live = place.get(&[secret]);
    let data = live["data"]["release"].as_str().unwrap();
    let mut release = release::decode(&BASE64_STANDARD.decode(data).unwrap()).unwrap();
    let begun = release.info.last_deployed.unwrap();
    release.info.last_deployed = Some(begun - by);
    let data = BASE64_STANDARD.encode(release::encode(&release).unwrap());
    let patch = json!({"data": {"release": data}}).to_string();
    let file = place.file("patch.json", &patch);
    place
        .kubectl(&["patch", secret, "--type=merge", "--patch-file", &file])
        .ok();
}

#[test]
fn helm_is_given_ten_minutes() {
    let (place, chart) = left_by_helm("helm-pending");
    let secret = "secret/sh.helm.release.v1.app.v2";
    // Its controllers still write its status.
    let asked_for = || {
        let live = place.get(&["deployment/app"]);
        let metadata = &live["metadata"];
        [&live["spec"], &metadata["generation"], &metadata["labels"]].map(Value::clone)
    };
    let before = asked_for();
    let refused = |args: &[&str]| {
        place.pintle(args).fails_with(4).says(&[
            "release app is locked: revision 2 is pending-upgrade, and Helm may be at work on it \
             until 20",
            "counts as abandoned",
        ]);
    };
    let upgrade = ["upgrade", "app", &chart, "--set", "maps={a}"];
    refused(&upgrade);
    refused(&["install", "app", &chart]);
    refused(&["rollback", "app"]);
    refused(&["uninstall", "app"]);
    refused(&["diff", "app", &chart]);
    age(&place, secret, SignedDuration::from_mins(5));
    refused(&upgrade);
    assert_eq!(asked_for(), before);
    assert_eq!(leases(&place), 0);

    age(&place, secret, SignedDuration::from_mins(5));
    place
        .pintle(&upgrade)
        .ok()
        .says(&["revision 2 was left pending-upgrade"]);
    check_statuses(&place, &["superseded", "failed", "deployed"]);
}

#[test]
fn what_helm_has_left_is_unlocked_and_who_waits_for_it_goes_on() {
    let (place, chart) = left_by_helm("helm-unlock");
    let upgrade = ["upgrade", "app", &chart, "--no-wait", "--lock-timeout"];
    let mut waits = place.start_pintle(&[&upgrade[..], &["10m"]].concat());
    waits.says(&["waiting for Helm, upgrading to revision 2"]);
    let left = "Helm has left revision 2 pending-upgrade, and may be at work on it until 20";
    place
        .pintle(&["unlock", "app"])
        .fails_with(4)
        .says(&[left, "--yes"]);
    check_statuses(&place, &["deployed", "pending-upgrade"]);
    place
        .pintle(&["unlock", "app", "--yes"])
        .ok()
        .says(&[left])
        .prints(&["is unlocked"]);
    waits.end().ok();
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(
        history[1]["description"],
        "Unlocked while it was pending-upgrade"
    );
}

#[tokio::test]
async fn a_plan_does_not_outlive_what_it_was_made_from() {
    let place = Place::new("overtaken");
    let folder = small(&place);
    place.pintle(&["install", "app", &folder]).ok();
    let library = Library::of(place.kubeconfig(), &place.namespace, "app").await;
    let terms = Library::terms();
    let rollback = ops::rollback(&library.session(), Some(1), Rules::Hold, &terms)
        .await
        .unwrap();
    place
        .pintle(&["upgrade", "app", &folder, "--set", "maps={a}"])
        .ok();
    let mut told: Vec<Event> = vec![];
    let ended = library.end(rollback, &mut |event| told.push(event)).await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), ops::ErrorKind::Conflict);
    assert_eq!(
        error.to_string(),
        "release app was changed by another command since this change was planned"
    );
    assert_eq!(told, []);
    check_statuses(&place, &["superseded", "deployed"]);
    assert_eq!(leases(&place), 0);
}

/// Sends a signal to a program.
pub(crate) fn signal(started: &Started, name: &str) {
    let pid = started.pid().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", name, &pid])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_signal_stops_a_change_in_order() {
    let place = Place::new("signal");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    for (name, map) in [("INT", "one"), ("TERM", "two")] {
        let started = stuck(&place, &["upgrade", "app", &chart], "configmap/stray");
        signal(&started, name);
        started.end().fails_with(130).says(&[
            "stopping: what is under way is brought to its end",
            "error: interrupted",
            "the same command goes on from here",
        ]);
        assert_eq!(leases(&place), 0);
        let set = format!("maps={{{map}}},stuck=false");
        place
            .pintle(&["upgrade", "app", &chart, "--set", &set, "--no-wait"])
            .ok()
            .says(&["deleted ConfigMap stray"]);
    }
    check_statuses(
        &place,
        &["superseded", "failed", "superseded", "failed", "deployed"],
    );
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[3]["description"], "interrupted");

    // Who stops a change that is to go back if it fails has it go back, as in Helm.
    let atomic = ["upgrade", "app", &chart, "--rollback-on-failure"];
    let started = stuck(&place, &atomic, "configmap/stray");
    signal(&started, "TERM");
    started.end().fails_with(130).says(&[
        "failed: revision 6: rolling back to revision 5\n",
        "deleted ConfigMap stray\n",
        "revision 6 failed, and revision 5 is back, as revision 7\n  caused by: interrupted\n",
    ]);
    assert_eq!(leases(&place), 0);
}

#[test]
fn who_holds_a_lock_is_asked_for_before_it_is_taken_away() {
    let place = Place::new("unlock");
    let chart = small(&place);
    place
        .pintle(&["unlock", "app"])
        .fails_with(1)
        .says(&["release app not found"]);
    let first = stuck(&place, &["install", "app", &chart], "configmap/stray");
    let holder = format!("pid {} (", first.pid());
    place.pintle(&["unlock", "app"]).fails_with(4).says(&[
        "locked by ",
        &holder,
        " since 20",
        "--yes unlocks all the same",
    ]);
    first.kill();
    place
        .pintle(&["unlock", "app"])
        .ok()
        .says(&[&holder, "which has ended or hangs"])
        .prints(&["Release \"app\" is unlocked."]);
    assert_eq!(leases(&place), 0);
    place
        .pintle(&["unlock", "app"])
        .ok()
        .prints(&["is not locked"]);
}
