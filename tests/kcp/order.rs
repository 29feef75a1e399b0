//! In which order the components of a tenant change, and what is waited for in between.

use super::CHART;
use super::proof::eventually;
use super::site::Site;
use crate::support::{Run, path};

/// Asserts that `parts` stand in the messages of `run` one behind the other.
#[track_caller]
pub(super) fn check_order(run: &Run, parts: &[&str]) {
    let mut rest = run.stderr.as_str();
    for part in parts {
        let Some(at) = rest.find(part) else {
            panic!("no {part:?} in its place in the messages of {run}");
        };
        rest = &rest[at + part.len()..];
    }
}

const NEWER: [&str; 2] = ["--set", "kubernetes.version=1.36.4,etcd.image.tag=3.6.12-0"];

#[test]
fn versions_rise_from_etcd_to_the_clients_and_fall_the_other_way() {
    let site = Site::new("order");
    let chart = path(CHART);
    let install = site.pintle(&["install", "a", &chart]).ok();
    let forward = [
        "group etcd: 4 to create",
        "created StatefulSet a-etcd",
        "group apiserver: waiting until group etcd is ready",
        "ready StatefulSet a-etcd",
        "group apiserver: 3 to create",
        "created Deployment a-apiserver",
        "group clients: waiting until group apiserver is ready",
        "ready Deployment a-apiserver",
        "group clients: 4 to create",
        "created Deployment a-scheduler",
    ];
    check_order(&install, &forward);
    assert_eq!(
        install.stderr.matches("ready StatefulSet a-etcd").count(),
        1,
        "{install}"
    );

    let upgrade = [&["upgrade", "a", &chart], &NEWER[..]].concat();
    let upgrade = site.pintle(&upgrade).ok();
    let forward = [
        "configured StatefulSet a-etcd",
        "group apiserver: waiting until group etcd is ready",
        "ready StatefulSet a-etcd",
        "configured Deployment a-apiserver",
        "group clients: waiting until group apiserver is ready",
        "ready Deployment a-apiserver",
        "configured Deployment a-scheduler",
    ];
    check_order(&upgrade, &forward);

    let rollback = site.pintle(&["rollback", "a"]).ok();
    let backward = [
        "configured Deployment a-scheduler",
        "group apiserver: waiting until no old pod of group clients is left",
        "configured Deployment a-apiserver",
        "group etcd: waiting until no old pod of group apiserver is left",
        "configured StatefulSet a-etcd",
        "waiting for 4 resources to become ready",
    ];
    check_order(&rollback, &backward);
}

#[test]
fn a_group_that_is_not_ready_ends_the_change_before_the_next_one() {
    let site = Site::new("gate");
    let chart = path(CHART);
    site.pintle(&["install", "a", &chart]).ok();
    let before = site.versions(&["deployment/a-scheduler"]);
    let stuck = [
        "upgrade",
        "a",
        &chart,
        "--set",
        "apiServer.nodeSelector.no=where,scheduler.extraArgs.v=4",
        "--timeout",
        "2s",
    ];
    site.pintle(&stuck).fails_with(3).says(&[
        "group clients cannot start: group apiserver is not ready",
        "Deployment a-apiserver",
        "group clients and what comes after it are as before",
        "pintle rollback",
    ]);
    assert_eq!(site.versions(&["deployment/a-scheduler"]), before);
    // The same gate holds without waiting for the end.
    let hasty = [&stuck[..], &["--no-wait"]].concat();
    site.pintle(&hasty).fails_with(3).says(&["group clients"]);
    site.pintle(&["rollback", "a", "1"]).ok();
    site.pintle(&["diff", "a", &chart, "--exit-code"]).ok();
}

#[test]
fn what_is_broken_is_repaired_before_what_depends_on_it() {
    let site = Site::new("repair");
    let chart = path(CHART);
    let install = [&["install", "a", &chart], &NEWER[..]].concat();
    site.pintle(&install).ok();
    let huge = r#"{"spec":{"template":{"spec":{"containers":[{"name":"etcd",
        "resources":{"requests":{"cpu":"1000000"}}}]}}}}"#;
    site.kubectl(&["patch", "statefulset", "a-etcd", "--patch", huge])
        .ok();
    eventually("etcd has a pod that fits nowhere", || {
        let pod = site.kubectl(&["get", "pod/a-etcd-0", "--output=jsonpath={.spec}"]);
        pod.stdout.contains("1M").then_some(())
    });
    let downgrade = ["upgrade", "a", &chart, "--set", "kubernetes.version=1.36.3"];
    let repair = site.pintle(&downgrade).ok();
    let order = [
        "configured StatefulSet a-etcd",
        "group clients: waiting until group etcd is ready",
        "ready StatefulSet a-etcd",
        "configured Deployment a-scheduler",
        "group apiserver: waiting until no old pod of group clients is left",
        "configured Deployment a-apiserver",
    ];
    check_order(&repair, &order);
}

/// An upgrade over a minor version.
const MINOR: [&str; 2] = ["--set", "kubernetes.version=1.36.3"];

fn on_an_older_minor(test: &str) -> Site {
    let site = Site::new(test);
    let older = ["--set", "kubernetes.version=1.35.4"];
    let install = ["install", "a", &path(CHART)];
    site.pintle(&[&install[..], &older].concat()).ok();
    site
}

#[test]
fn nothing_goes_back_over_a_minor_version_unasked() {
    let site = on_an_older_minor("minor");
    let upgrade = ["upgrade", "a", &path(CHART)];
    site.pintle(&[&upgrade[..], &MINOR].concat()).ok();
    site.pintle(&["rollback", "a"]).fails_with(2).says(&[
        "cannot go back to revision 1",
        "Kubernetes cannot go down from 1.36",
        "--ignore-rules",
    ]);
    let history = site.pintle(&["history", "a", "-o", "json"]).ok().json();
    assert_eq!(history.as_array().unwrap().len(), 2);
    site.pintle(&["rollback", "a", "--ignore-rules"]).ok();
}

#[test]
fn an_upgrade_over_a_minor_version_that_has_not_come_far_is_gone_back_on() {
    let site = on_an_older_minor("minor-failed");
    let upgrade = ["upgrade", "a", &path(CHART), "--timeout", "2s"];
    let stuck = ["--set", "etcd.nodeSelector.no=where"];
    site.pintle(&[&upgrade[..], &MINOR, &stuck].concat())
        .fails_with(3)
        .says(&["group apiserver cannot start"]);
    site.pintle(&["rollback", "a"]).ok();
}
