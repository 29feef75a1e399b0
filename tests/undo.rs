//! Changes that fail and go back by themselves, and what is recorded of why.

use ::testbed::Meddler;
use serde_json::{Value, json};

use crate::lifecycle::left;
use crate::support::Place;

const VALUES: &str = "plays: nothing\nmaps: []\nbefore: success\nback: success\n";

/// A workload that uses a password, hooks before an upgrade and a rollback, and config maps.
const TEMPLATE: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {password: database}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, testbed/plays: {{ values.plays }}}}
    spec: {containers: [{name: app, image: "app:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: before, annotations: {helm.sh/hook: pre-upgrade}}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {testbed/plays: {{ values.before }}}}
    spec: {restartPolicy: Never, containers: [{name: sql, image: "sql:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: back, annotations: {helm.sh/hook: pre-rollback}}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {testbed/plays: {{ values.back }}}}
    spec: {restartPolicy: Never, containers: [{name: sql, image: "sql:1"}]}
{% for map in values.maps %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ map }}}
{% endfor %}
"#;

/// Longer than what ends early takes.
const LONG: [&str; 2] = ["--timeout", "2m"];

pub(crate) fn shop(place: &Place) -> String {
    place.chart("shop", VALUES, TEMPLATE)
}

#[track_caller]
fn check_statuses(place: &Place, expected: &[&str]) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let history = history.as_array().unwrap().iter();
    let statuses: Vec<_> = history.map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, expected);
}

#[test]
fn an_upgrade_that_fails_goes_back() {
    let place = Place::new("undo");
    let chart = shop(&place);
    let upgrade = |set: &str, flag: &str| {
        let args = ["upgrade", "app", &chart, "--set", set, flag];
        place.pintle(&[&args[..], &LONG].concat())
    };
    place.pintle(&["install", "app", &chart]).ok();
    place
        .pintle(&["get", "failure", "app"])
        .fails_with(1)
        .says(&["release app has no revision that failed"]);

    // What is not ready is told of and recorded, without what is known to be secret.
    upgrade("plays=crash,maps={stray}", "--rollback-on-failure")
        .fails_with(3)
        .says(&[
            "failed: revision 2: rolling back to revision 1\n",
            "pre-rollback hook Job back\n",
            "deleted ConfigMap stray\n",
            "error: release app: revision 2 failed, and revision 1 is back, as revision 3\n",
            "  caused by: not ready: StatefulSet web\n",
            "  StatefulSet web: 0 of 1 pods ready: pod web-0 does not recover by itself\n",
            "      event: Unhealthy: Liveness probe failed: connection refused (",
            "      log: cannot open the [hidden]\n",
            "hint: `pintle get failure app --revision 2` shows this again\n",
        ]);
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    let live = place.get(&["statefulset/web"]);
    let labels = &live["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels["testbed/plays"], "nothing");
    place.pintle(&["get", "failure", "app"]).ok().prints(&[
        "REVISION: 2\nSTATUS: failed\nFAILED: ",
        "ERROR: not ready: StatefulSet web (0 of 1 pods ready: pod web-0",
        "RESOURCES:\n  StatefulSet web: 0 of 1 pods ready",
        "      log: cannot open the [hidden]\n",
    ]);
    let args = ["get", "failure", "app", "--revision", "2", "-o", "json"];
    let mut failure = place.pintle(&args).ok().json();
    assert!(failure["time"].is_string());
    let event = failure["resources"][0]["pods"][0]["events"][0].take();
    assert_eq!(event["reason"], "Unhealthy");
    let health = "0 of 1 pods ready: pod web-0 does not recover by itself";
    let reason = "CrashLoopBackOff: exit code 1, 5 restarts";
    let resource = json!({"group": "apps", "kind": "StatefulSet", "namespace": place.namespace,
        "name": "web", "reason": health, "more_pods": 0, "events": [],
        "pods": [{"name": "web-0", "container": "app", "reason": reason, "events": [null],
            "log": ["cannot open the [hidden]"]}]});
    assert_eq!(failure["resources"], json!([resource]));
    place
        .pintle(&["get", "failure", "app", "--revision", "3"])
        .fails_with(1)
        .says(&["revision 3 of release app did not fail: it is deployed"]);

    // A hook that fails, by Helm's older word for the flag.
    upgrade("before=failure", "--atomic").fails_with(1).says(&[
        "rolling back to revision 3\n",
        "error: release app: revision 4 failed, and revision 3 is back, as revision 5\n",
        "  caused by: pre-upgrade hook Job before (shop/templates/all.yaml:",
    ]);
    place
        .pintle(&["get", "failure", "app"])
        .ok()
        .prints(&["ERROR: pre-upgrade hook Job before (", "\n  Job before: "]);
}

#[test]
fn the_way_back_may_fail_too_and_the_next_command_goes_on() {
    let place = Place::new("stranded");
    let chart = shop(&place);
    let upgrade = |set: &str, flag: &str| {
        let args = ["upgrade", "app", &chart, "--set", set, flag];
        place.pintle(&[&args[..], &LONG].concat())
    };
    place.pintle(&["install", "app", &chart]).ok();
    upgrade("back=failure", "--no-wait").ok();
    upgrade("plays=crash,maps={stray}", "--rollback-on-failure")
        .fails_with(3)
        .says(&[
            "error: release app: revision 3 failed, and so did the rollback\n",
            "  caused by: not ready: StatefulSet web\n",
            "  on the way back: pre-rollback hook Job back (",
            "hint: `pintle upgrade`, or `pintle rollback app REVISION`, goes on from here; \
             `pintle history app` tells which there are\n",
        ]);
    check_statuses(&place, &["superseded", "deployed", "failed", "failed"]);
    let last = ["get", "failure", "app", "-o", "json"];
    let failure = place.pintle(&last).ok().json();
    assert_eq!(failure["revision"], 4);
    upgrade("plays=nothing", "--no-wait")
        .ok()
        .says(&["deleted ConfigMap stray"]);
    let last = ["superseded", "superseded", "failed", "failed", "deployed"];
    check_statuses(&place, &last);
}

#[test]
fn an_installation_that_fails_leaves_nothing() {
    let place = Place::new("undone");
    let chart = shop(&place);
    let set = "plays=crash,maps={stray}";
    let args = ["install", "app", &chart, "--rollback-on-failure", "--set"];
    let install = [&args[..], &[set], &LONG].concat();
    place.pintle(&install).fails_with(3).says(&[
        "failed: revision 1: uninstalling it\n",
        "error: release app: revision 1 failed, and what it had installed is deleted again\n",
        "      log: cannot open the [hidden]\n",
    ]);
    assert_eq!(left(&place), [] as [&str; 0]);

    // A name that was used before goes back to what it was.
    let fine = ["install", "app", &chart, "--no-wait"];
    place.pintle(&fine).ok();
    place.pintle(&["uninstall", "app", "--keep-history"]).ok();
    place
        .pintle(&[&install[..], &["--replace"]].concat())
        .fails_with(3);
    check_statuses(&place, &["uninstalled", "uninstalled"]);

    // No revision was ever good, so that there is none to go back to.
    let again = ["upgrade", "app", &chart, "--set", set, "--install"];
    place.pintle(&[&again[..], &LONG].concat()).fails_with(3);
    let again = [
        "upgrade",
        "app",
        &chart,
        "--set",
        set,
        "--atomic",
        "--force-revision",
    ];
    place
        .pintle(&[&again[..], &["--timeout", "1s"]].concat())
        .fails_with(3)
        .says(&[
            "  caused by: not ready: StatefulSet web\n",
            "  on the way back: release app has no revision that was ever deployed\n",
        ]);
    let history: Value = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[3]["status"], "failed");
}

/// What a later version of the chart has besides: what is to be kept, a key that nothing uses, one that
/// the workload uses, and an authority that a certificate of the first version is to be issued by.
const MORE: &str = r#"
---
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: authority}
spec: {commonName: authority}
---
apiVersion: generate.pintle.dev/v1
kind: Certificate
metadata: {name: tls}
spec: {issuer: {{ values.issuer }}, commonName: tls, usages: [server auth], dnsNames: [tls]}
{% if values.issuer != "authority" %}
---
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: {{ values.issuer }}}
spec: {commonName: authority}
---
apiVersion: generate.pintle.dev/v1
kind: RandomSecret
metadata: {name: unused}
spec: {keys: {token: {}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
{% endif %}
"#;

#[test]
fn what_a_failed_change_has_created_is_deleted_again() {
    let place = Place::new("cleanup");
    let chart = shop(&place);
    place.file("shop/templates/more.yaml", MORE);
    let values = format!("{VALUES}issuer: authority\n");
    place.file("shop/values.yaml", &values);
    let args = [
        "install",
        "app",
        &chart,
        "--set",
        "maps={lost}",
        "--no-wait",
    ];
    place.pintle(&args).ok();
    place.kubectl(&["delete", "configmap/lost"]).ok();
    let set = "plays=crash,issuer=other,maps={lost,new}";
    let args = ["upgrade", "app", &chart, "--cleanup-on-fail", "--set", set];
    let run = place.pintle(&[&args[..], &LONG].concat()).fails_with(3);
    let steps = run.stderr.lines();
    let deleted: Vec<&str> = steps.filter(|line| line.starts_with("deleted ")).collect();
    assert_eq!(
        deleted,
        ["deleted ConfigMap new", "deleted Secret unused"],
        "{run}"
    );
    let mut found = left(&place);
    found.retain(|name| name.starts_with("\"ConfigMap") || name.starts_with("\"Secret"));
    found.retain(|name| !name.contains("sh.helm.release"));
    found.sort();
    let expected = [
        "ConfigMap kept",
        "ConfigMap lost",
        "Secret authority",
        "Secret other",
    ];
    let expected = expected
        .into_iter()
        .chain(["Secret password", "Secret tls"]);
    let expected: Vec<String> = expected
        .map(|name| format!("\"{}\"", name.replace(' ', "\"/\"")))
        .collect();
    assert_eq!(found, expected);
    check_statuses(&place, &["deployed", "failed"]);
}

#[test]
fn what_a_failed_change_has_created_is_deleted_before_it_goes_back() {
    let place = Place::new("both");
    let chart = shop(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    let args = ["upgrade", "app", &chart, "--set", "plays=crash,maps={new}"];
    let flags = ["--cleanup-on-fail", "--rollback-on-failure"];
    let run = place.pintle(&[&args[..], &flags, &LONG].concat());
    let run = run.fails_with(3).says(&["CrashLoopBackOff"]);
    let at = |text: &str| {
        run.stderr
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {run}"))
    };
    assert!(at("deleted ConfigMap new") < at("pre-rollback hook Job back"));
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    assert!(left(&place).iter().all(|name| !name.contains("new")));
}

#[test]
fn what_a_failed_rollback_has_created_is_deleted_again() {
    let place = Place::new("uncreated");
    let chart = shop(&place);
    let set = "plays=crash,maps={old}";
    let args = ["install", "app", &chart, "--no-wait", "--set", set];
    place.pintle(&args).ok();
    let set = "plays=nothing,maps={new}";
    let args = ["upgrade", "app", &chart, "--no-wait", "--set", set];
    place.pintle(&args).ok().says(&["deleted ConfigMap old"]);
    let args = ["rollback", "app", "1", "--cleanup-on-fail"];
    place
        .pintle(&[&args[..], &LONG].concat())
        .fails_with(3)
        .says(&["created ConfigMap old\n", "deleted ConfigMap old\n"]);
    let mut found = left(&place);
    found.retain(|name| name.starts_with("\"ConfigMap"));
    // What the rollback deleted is not made again.
    assert_eq!(found, [] as [&str; 0]);
    check_statuses(&place, &["superseded", "deployed", "failed"]);
}

#[test]
fn a_failure_that_cannot_be_recorded_is_told_beside_what_has_failed() {
    let place = Place::new("undo-unrecorded");
    let chart = shop(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let mut is_applied = false;
    let act = move |line: &mut String| {
        is_applied |= line.contains("/statefulsets/web?") && !line.contains("dryRun=All");
        if is_applied && !line.starts_with("GET ") {
            *line = line.replace("/secrets/sh.helm.release", "/nothing/sh.helm.release");
        }
    };
    let gateway = place.gateway();
    let through = place.folder().join("meddled.kubeconfig");
    let meddler = Meddler::open(&gateway, &through, act).unwrap();
    let through = ["--kubeconfig", meddler.kubeconfig().to_str().unwrap()];
    let crash = ["upgrade", "app", &chart, "--set", "plays=crash"];
    place
        .pintle(&[&crash[..], &LONG, &through].concat())
        .fails_with(3)
        .says(&[
            "warning: that revision 2 has failed could not be recorded, so it stays pending until the next \
             command: ",
            "error: not ready: StatefulSet web",
        ]);
    check_statuses(&place, &["deployed", "pending-upgrade"]);
    let told = "pending-upgrade (interrupted)";
    place.pintle(&["history", "app"]).ok().prints(&[told]);
    let mend = ["upgrade", "app", &chart, "--set", "plays=nothing"];
    place.pintle(&mend).ok();
    check_statuses(&place, &["superseded", "failed", "deployed"]);
}
