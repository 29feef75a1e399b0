//! Hooks on the real API server: when they run, what they leave, and what becomes of a release whose
//! hooks fail.

pub(crate) mod policies;

use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::lifecycle::left;
use crate::support::Place;

const VALUES: &str = "colour: blue\nplays: success\nsuspend: false\n";

/// A resource and hooks of all kinds of events.
const TEMPLATE: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data: {colour: {{ values.colour }}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade,pre-rollback"}
spec:
  suspend: {{ values.suspend }}
  backoffLimit: 0
  template:
    metadata: {labels: {testbed/plays: {{ values.plays }}}}
    spec: {restartPolicy: Never, containers: [{name: sql, image: "sql:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5"}
---
apiVersion: v1
kind: Pod
metadata:
  name: notify
  labels: {testbed/plays: success}
  annotations:
    helm.sh/hook: post-install,post-upgrade,post-rollback
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-output-log-policy: hook-succeeded
spec: {restartPolicy: Never, containers: [{name: mail, image: "mail:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: farewell
  annotations: {helm.sh/hook: "pre-delete,post-delete"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: kept
  annotations: {helm.sh/hook: "pre-install", helm.sh/resource-policy: keep}
"#;

pub(crate) fn shop(place: &Place) -> String {
    place.chart("shop", VALUES, TEMPLATE)
}

/// What an installation does, in order.
const INSTALLED: [&str; 11] = [
    "pre-install hook ConfigMap settings",
    "created ConfigMap settings",
    "pre-install hook ConfigMap kept",
    "created ConfigMap kept",
    "pre-install hook Job migrate",
    "created Job migrate",
    "completed Job migrate",
    "created ConfigMap app",
    "post-install hook Pod notify",
    "created Pod notify",
    "completed Pod notify",
];

/// What the uninstallation does, in order.
const UNINSTALLED: [&str; 8] = [
    "pre-delete hook ConfigMap farewell",
    "created ConfigMap farewell",
    "deleted ConfigMap app",
    "post-delete hook ConfigMap farewell",
    "created ConfigMap farewell",
    "deleted ConfigMap settings",
    "deleted ConfigMap farewell",
    "deleted Job migrate",
];

/// The lines of progress about what is done, without how long that took.
fn steps(stderr: &str) -> Vec<&str> {
    let is_step = |line: &&str| {
        let mut words = ["created", "completed", "deleted"].iter();
        line.contains(" hook ") || words.any(|word| line.starts_with(word))
    };
    let steps = stderr.lines().filter(is_step);
    steps.map(|line| line.split(" (").next().unwrap()).collect()
}

#[test]
fn hooks_run_in_order_and_leave_nothing_in_the_end() {
    let place = Place::new("hooks");
    let chart = shop(&place);
    let run = place.pintle(&["install", "shop", &chart]).ok();
    assert_eq!(steps(&run.stderr), INSTALLED, "{run}");
    // The simulated node has no logs.
    run.says(&["no logs of pod notify, container mail: "]);
    let pods = place.get(&["pods"])["items"].as_array().unwrap().len();
    assert_eq!(pods, 1, "that of the Job");

    // What changes nothing makes no revision, so nothing runs.
    let uid = || place.get(&["job/migrate"])["metadata"]["uid"].clone();
    let before = uid();
    place
        .pintle(&["upgrade", "shop", &chart])
        .ok()
        .prints(&["is unchanged", "REVISION: 1"]);
    assert_eq!(uid(), before);

    let set = ["upgrade", "shop", &chart, "--set", "colour=red"];
    place
        .pintle(&[&set[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["hooks: pre-upgrade ConfigMap settings, pre-upgrade Job migrate, post-upgrade Pod notify\n"]);
    place
        .pintle(&[&set[..], &["--no-hooks"]].concat())
        .ok()
        .prints(&["REVISION: 2"]);
    assert_eq!(uid(), before);
    place.pintle(&["rollback", "shop"]).ok().says(&[
        "pre-rollback hook Job migrate",
        "post-rollback hook Pod notify",
    ]);
    assert_ne!(uid(), before);

    let run = place.pintle(&["uninstall", "shop"]).ok();
    assert_eq!(steps(&run.stderr), UNINSTALLED, "{run}");
    eventually("only what is to be kept is left", || {
        (left(&place) == ["\"ConfigMap\"/\"kept\""]).then_some(())
    });
}

/// The status and the description of the newest revision.
fn newest(place: &Place) -> (String, String) {
    let history = place.pintle(&["history", "shop", "-o", "json"]).ok().json();
    let newest = history.as_array().unwrap().last().unwrap().clone();
    let text = |key: &str| newest[key].as_str().unwrap().to_owned();
    (text("status"), text("description"))
}

#[test]
fn a_hook_that_fails_ends_the_change_and_the_next_one_runs_it_again() {
    let place = Place::new("badhook");
    let chart = shop(&place);
    let upgrade = |set: &'static str| {
        let args = ["upgrade", "shop", &chart, "--timeout", "30m", "--set", set];
        place.pintle(&args)
    };
    place.pintle(&["install", "shop", &chart]).ok();
    upgrade("colour=red,plays=failure").fails_with(1).says(&[
        "error: pre-upgrade hook Job migrate (shop/templates/all.yaml:",
        "\n  Job migrate: Job has reached the specified backoff limit\n    pod migrate-",
        "container sql: exit code 3",
        "\n      log: the table is locked\n",
        "\nhint: what the release applies is as before; the same command goes on",
    ]);
    let (status, description) = newest(&place);
    assert_eq!(status, "failed");
    assert!(
        description.contains("pre-upgrade hook Job migrate"),
        "{description}"
    );
    assert!(description.contains("backoff limit"), "{description}");
    assert_eq!(
        place.get(&["configmap/app"])["data"],
        json!({"colour": "blue"})
    );
    // What is left of it can be looked at until the next run.
    assert_eq!(place.get(&["job/migrate"])["status"]["failed"], 1);

    upgrade("colour=red,plays=no-image")
        .fails_with(1)
        .says(&["pod migrate-", "ImagePullBackOff"]);

    // One that never ends is killed with its command; the next one runs it again.
    let args = [
        "upgrade",
        "shop",
        &chart,
        "--set",
        "colour=red,suspend=true",
    ];
    let killed = place.start_pintle(&args);
    eventually("the hook is at work", || {
        let jobs = place.get(&["jobs"])["items"].as_array().unwrap().clone();
        let suspended = jobs.iter().any(|job| job["spec"]["suspend"] == json!(true));
        suspended.then_some(())
    });
    killed.kill();
    upgrade("colour=red")
        .ok()
        .says(&[
            "revision 4 was left pending-upgrade",
            "completed Job migrate",
        ])
        .prints(&["REVISION: 5", "STATUS: deployed"]);
    let history = place.pintle(&["history", "shop", "-o", "json"]).ok().json();
    let statuses = history.as_array().unwrap().iter();
    let statuses: Vec<&Value> = statuses.map(|one| &one["status"]).collect();
    assert_eq!(
        statuses,
        ["superseded", "failed", "failed", "failed", "deployed"]
    );
    assert_eq!(place.get(&["pods"])["items"].as_array().unwrap().len(), 1);
}

/// A resource and one hook, which deletes itself whatever comes of it.
const ONE: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ release.name }}}
data: {colour: {{ values.colour }}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: hook-{{ release.name }}
  annotations:
    helm.sh/hook: {{ values.event }}
    helm.sh/hook-delete-policy: hook-succeeded,hook-failed
    helm.sh/hook-output-log-policy: hook-failed
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {testbed/plays: {{ values.plays }}}}
    spec: {restartPolicy: Never, containers: [{name: sql, image: "sql:1"}]}
"#;

/// Each event with its change, and whether the release's own resource is as the change wants it by then.
const EVENTS: [(&str, &str, bool); 8] = [
    ("pre-install", "install", false),
    ("post-install", "install", true),
    ("pre-upgrade", "upgrade", false),
    ("post-upgrade", "upgrade", true),
    ("pre-rollback", "rollback", false),
    ("post-rollback", "rollback", true),
    ("pre-delete", "uninstall", false),
    ("post-delete", "uninstall", true),
];

#[test]
fn a_hook_of_any_event_that_fails_ends_the_change_in_order() {
    let place = Place::new("events");
    let values = "colour: blue\nplays: success\nevent: none\n";
    let chart = place.chart("one", values, ONE);
    for (event, command, is_done) in EVENTS {
        let set =
            |colour: &str, plays: &str| format!("colour={colour},plays={plays},event={event}");
        let (bad, good) = (set("blue", "failure"), set("red", "success"));
        let run = |args: &[&str]| place.pintle(args);
        if command != "install" {
            run(&["install", event, &chart, "--set", &bad]).ok();
        }
        if command == "rollback" {
            run(&["upgrade", event, &chart, "--set", &good]).ok();
        }
        let red = set("red", "failure");
        let failed = match command {
            "install" => run(&["install", event, &chart, "--set", &red]),
            "upgrade" => run(&["upgrade", event, &chart, "--set", &red]),
            _ => run(&[command, event]),
        };
        let told = format!("{event} hook Job hook-{event}");
        // The simulated node has no logs to print, and says so.
        let log = "no logs of pod hook-";
        failed.fails_with(1).says(&[&told, "backoff limit", log]);
        let history = run(&["history", event, "-o", "json"]).ok().json();
        let newest = history.as_array().unwrap().last().unwrap();
        assert_eq!(newest["status"], "failed", "{event}");
        let colour = &place.get(&["configmaps"])["items"]
            .as_array()
            .unwrap()
            .clone();
        let own = colour.iter().find(|map| map["metadata"]["name"] == event);
        let own = own.map(|map| map["data"]["colour"].as_str().unwrap());
        let (before, after) = match command {
            "install" => (None, Some("red")),
            "upgrade" => (Some("blue"), Some("red")),
            "rollback" => (Some("red"), Some("blue")),
            _ => (Some("blue"), None),
        };
        assert_eq!(own, if is_done { after } else { before }, "{event}");
        // It is gone by its policy, and the next command goes on.
        eventually("the hook is gone", || {
            let jobs = place.get(&["jobs"])["items"].as_array().unwrap().len();
            (jobs == 0).then_some(())
        });
        if command == "uninstall" {
            run(&["uninstall", event, "--no-hooks"]).ok();
        } else {
            run(&["upgrade", event, &chart, "--set", &good])
                .ok()
                .prints(&["STATUS: deployed"]);
            run(&["uninstall", event]).ok();
        }
    }
    assert_eq!(left(&place), [] as [&str; 0]);
}

/// The resource of a release, and one of a hook of this name if there is one, for Helm and pintle.
fn with_hook(place: &Place, colour: &str, hook: Option<&str>) -> String {
    let map = |name: &str, more: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{more}}}\n")
    };
    let text = format!("{}data: {{colour: {colour}}}\n", map("app", ""));
    let events = ", annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}";
    let hook = hook.map(|name| format!("---\n{}", map(name, events)));
    place.chart("dropped", "{}\n", &(text + &hook.unwrap_or_default()))
}

#[test]
fn what_dropped_hooks_have_left_is_remembered_longer_than_their_records() {
    let place = Place::new("dropped");
    let chart = with_hook(&place, "blue", Some("first"));
    place.pintle(&["install", "shop", &chart]).ok();
    with_hook(&place, "red", None);
    place.pintle(&["upgrade", "shop", &chart]).ok();
    // What is remembered makes no difference to what is wanted.
    place
        .pintle(&["upgrade", "shop", &chart])
        .ok()
        .prints(&["is unchanged"]);
    // Helm remembers nothing, neither by an upgrade nor by a rollback, which takes along what is older.
    with_hook(&place, "green", Some("second"));
    place.helm(&["upgrade", "shop", &chart]).ok();
    place.helm(&["rollback", "shop", "1"]).ok();
    with_hook(&place, "black", Some("third"));
    let upgrade = ["upgrade", "shop", &chart, "--history-max", "1"];
    place.pintle(&upgrade).ok();
    with_hook(&place, "white", None);
    place.pintle(&upgrade).ok().prints(&["REVISION: 6"]);
    let maps = |names: &[&str]| -> Vec<String> {
        let names = names.iter();
        names
            .map(|name| format!("\"ConfigMap\"/\"{name}\""))
            .collect()
    };
    let mut there = left(&place);
    there.retain(|name| name.contains("ConfigMap"));
    assert_eq!(there, maps(&["app", "first", "second", "third"]));
    let history = place.pintle(&["history", "shop", "-o", "json"]).ok().json();
    assert_eq!(history.as_array().unwrap().len(), 1, "{history}");
    place.pintle(&["uninstall", "shop"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn what_is_no_hook_is_not_deleted_for_one() {
    let place = Place::new("nohook");
    let chart = shop(&place);
    place.kubectl(&["create", "configmap", "settings"]).ok();
    place
        .pintle(&["install", "shop", &chart])
        .fails_with(4)
        .says(&[
            "ConfigMap settings (shop/templates/all.yaml:",
            "): it exists already and is no hook",
        ]);
    place.kubectl(&["delete", "configmap", "settings"]).ok();
    // One that the API server refuses is found before anything is written.
    let bad = TEMPLATE.replace("image: \"mail:1\"", "imagine: \"mail:1\"");
    place.file("shop/templates/all.yaml", &bad);
    place
        .pintle(&["install", "shop", &chart])
        .fails_with(1)
        .says(&["Pod notify (shop/templates/all.yaml:", "imagine"]);
    assert_eq!(left(&place), [] as [&str; 0]);
}

/// Text that means the same to Helm and to pintle, with a test that plays `plays`.
fn plain(place: &Place, colour: &str, plays: &str) -> String {
    let text = TEMPLATE
        .replace("{{ values.colour }}", colour)
        .replace("{{ values.plays }}", "success")
        .replace("{{ values.suspend }}", "false");
    let tested = format!(
        r#"---
apiVersion: v1
kind: Pod
metadata:
  name: reach
  labels: {{testbed/plays: {plays}}}
  annotations: {{helm.sh/hook: test}}
spec: {{restartPolicy: Never, containers: [{{name: reach, image: "reach:1"}}]}}
"#
    );
    place.chart("plain", "{}\n", &format!("{text}{tested}"))
}

#[test]
fn hooks_of_helm_and_pintle_follow_each_other() {
    let place = Place::new("hookpeers");
    let uid = || place.get(&["job/migrate"])["metadata"]["uid"].clone();
    let chart = plain(&place, "blue", "success");
    place.helm(&["install", "shop", &chart, "--wait"]).ok();
    let mut seen = vec![uid()];
    plain(&place, "red", "success");
    place.pintle(&["upgrade", "shop", &chart]).ok();
    seen.push(uid());
    place.helm(&["rollback", "shop", "1"]).ok();
    seen.push(uid());
    place.pintle(&["rollback", "shop", "2"]).ok();
    seen.push(uid());
    plain(&place, "green", "failure");
    place.helm(&["upgrade", "shop", &chart, "--wait"]).ok();
    seen.push(uid());
    seen.dedup();
    assert_eq!(seen.len(), 5, "each change runs the hook again");

    // What a test of the one has come to is seen by the other.
    place.helm(&["test", "shop"]).fails_with(1);
    place.pintle(&["status", "shop"]).ok().prints(&[
        "TEST SUITE:     reach\nLast Started:   ",
        "\nPhase:          Failed\n",
    ]);
    plain(&place, "green", "success");
    place.pintle(&["upgrade", "shop", &chart]).ok();
    place.pintle(&["test", "shop"]).ok();
    place
        .helm(&["status", "shop"])
        .ok()
        .prints(&["Phase:          Succeeded"]);
    place
        .helm(&["get", "hooks", "shop"])
        .ok()
        .prints(&["# Source: plain/templates/all.yaml", "name: migrate"]);
    place.pintle(&["uninstall", "shop"]).ok();
    eventually("only what is to be kept is left", || {
        (left(&place) == ["\"ConfigMap\"/\"kept\""]).then_some(())
    });

    place.kubectl(&["delete", "configmap", "kept"]).ok();
    place.pintle(&["install", "shop", &chart]).ok();
    place.helm(&["uninstall", "shop", "--wait"]).ok();
    assert_eq!(
        place.get(&["configmaps", "-l", "app.kubernetes.io/managed-by=Helm"])["items"],
        json!([])
    );
    assert_eq!(
        place.get(&["secrets", "-l", "owner=helm"])["items"],
        json!([])
    );
}

#[test]
fn tests_are_run_recorded_and_chosen() {
    let place = Place::new("testing");
    let chart = plain(&place, "blue", "failure");
    place.pintle(&["install", "shop", &chart]).ok();
    let run = place.pintle(&["test", "shop", "--logs"]).fails_with(1);
    run.prints(&[
        "STATUS: deployed\n",
        "TEST SUITE:     reach\nLast Started:   ",
        "\nLast Completed: ",
        "\nPhase:          Failed\n",
        // The simulated node has no logs.
        "\nPOD LOGS: reach (reach)\ncannot be read: ",
    ])
    .says(&[
        "error: test hook Pod reach (plain/templates/all.yaml:1) failed\n",
        "  Pod reach: container reach: exit code 3",
    ]);
    let json = place
        .pintle(&["test", "shop", "--filter", "!name=reach", "-o", "json"])
        .ok()
        .json();
    assert_eq!(json.get("hooks"), Some(&json!([])));
    place
        .pintle(&["test", "shop", "--filter", "name=reach,name=teach"])
        .fails_with(2)
        .says(&["release shop has no test \"teach\"; it has reach"]);
    plain(&place, "blue", "success");
    place.pintle(&["upgrade", "shop", &chart]).ok();
    let json = place
        .pintle(&["test", "shop", "--filter", "name=reach", "-o", "json"])
        .ok()
        .json();
    let run = &json["hooks"][0]["last_run"];
    assert_eq!(run["phase"], "Succeeded", "{json}");
    assert!(run["completed_at"].is_string(), "{json}");
    // The test's pod stays by its policy, and goes with the release.
    assert_eq!(place.get(&["pod/reach"])["status"]["phase"], "Succeeded");
    place.pintle(&["uninstall", "shop"]).ok();
    eventually("only what is to be kept is left", || {
        (left(&place) == ["\"ConfigMap\"/\"kept\""]).then_some(())
    });
}
