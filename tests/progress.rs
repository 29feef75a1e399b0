//! What a change tells while it is under way, and what `status` shows of it.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use pintle::x509::Certificate;
use serde_json::{Value, json};

use crate::groups::two;
use crate::kcp::proof::eventually;
use crate::lock::{lease, signal};
use crate::plan::requests::Listening;
use crate::support::{Place, Run, path};

/// The events of a run, each of which has to fit the schema, by their names.
#[track_caller]
pub(crate) fn events(run: &Run) -> Vec<(String, Value)> {
    let text = fs::read_to_string(path("schemas/events.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let lines = run.stderr.lines().filter(|line| line.starts_with('{'));
    let events = lines.map(|line| {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(validator.is_valid(&event), "{line}");
        (event["event"].as_str().unwrap().to_owned(), event)
    });
    events.collect()
}

/// Whether `names` come in this order among the events.
#[track_caller]
fn check_order(run: &Run, names: &[&str]) {
    let events = events(run);
    let mut told = events.iter().map(|(name, _)| name.as_str());
    for name in names {
        assert!(
            told.any(|one| one == *name),
            "no {name} in its place: {run}"
        );
    }
}

#[test]
fn events_are_lines_of_json_and_results_stay_apart() {
    let place = Place::new("events");
    let chart = two(&place);
    let json = ["-o", "json"];
    let install = place
        .pintle(
            &[
                &["install", "app", &chart, "--set", "token=made"],
                &json[..],
            ]
            .concat(),
        )
        .ok();
    assert_eq!(install.json()["info"]["status"], "deployed");
    let all = [
        "begun", "stage", "stepped", "gate", "health", "waiting", "finished",
    ];
    check_order(&install, &all);
    let told = events(&install);
    assert_eq!(told.len(), install.stderr.lines().count(), "{install}");
    let ready = told.iter().filter(|(_, event)| event["health"] == "ready");
    let names: Vec<_> = ready.map(|(_, event)| &event["resource"]["name"]).collect();
    assert!(
        names.contains(&&json!("first")) && names.contains(&&json!("second")),
        "{install}"
    );

    let stuck = [
        "upgrade",
        "app",
        &chart,
        "--timeout",
        "1s",
        "--set",
        "first.stuck=true",
    ];
    let failed = place.pintle(&[&stuck[..], &json].concat()).fails_with(3);
    assert_eq!(failed.stdout, "");
    check_order(&failed, &["begun", "stepped", "health"]);
    failed.says(&["\nerror: "]);
    let back = place
        .pintle(&[&["rollback", "app", "1"], &json[..]].concat())
        .ok();
    check_order(&back, &["begun", "stepped", "health", "finished"]);
    let gone = place
        .pintle(&[&["uninstall", "app"], &json[..]].concat())
        .ok();
    check_order(&gone, &["begun", "stepped", "finished"]);
    assert_eq!(gone.json()["name"], "app");
}

#[test]
fn a_terminal_shows_what_is_waited_for_and_since_when() {
    let place = Place::new("terminal");
    let chart = two(&place);
    let stuck = ["--set", "first.stuck=true", "--timeout", "5s"];
    let (run, drawn) =
        place.pintle_on_a_terminal(&[&["install", "app", &chart], &stuck[..]].concat());
    run.fails_with(3);
    let plain = anstream::adapter::strip_str(&drawn).to_string();
    let rows: Vec<_> = plain.split(['\r', '\n']).map(str::trim).collect();
    let waiting = rows.iter().filter_map(|row| {
        let (_, rest) = row.split_once("Deployment first: 0 of 1 pods ready")?;
        rest.trim().strip_suffix('s')?.parse::<u8>().ok()
    });
    let seconds: BTreeSet<u8> = waiting.collect();
    assert!(seconds.len() > 1, "no time goes by: {rows:#?}");
    // Lines are drawn over, and coloured.
    assert!(
        drawn.contains("\u{1b}[1A") && drawn.contains("\u{1b}[3"),
        "{drawn:?}"
    );
    assert!(
        rows.iter().any(|row| row.starts_with("error: ")),
        "{rows:#?}"
    );
}

#[test]
fn status_shows_groups_and_who_holds_the_lock() {
    let place = Place::new("shown");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    assert_eq!(
        status["groups"],
        json!([
            {"name": "first", "after": [], "ready": 1, "resources": 1},
            {"name": "second", "after": ["first"], "ready": 1, "resources": 1},
        ])
    );
    assert_eq!(status.get("lock"), None);
    // Renewed ahead of time, so that it holds for as long as this test runs.
    lease(&place, Timestamp::now() + SignedDuration::from_mins(10));
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    assert_eq!(
        status["lock"],
        json!({"holder": "bob@elsewhere pid 1", "user": "bob", "host": "elsewhere", "pid": 1,
            "since": "2026-01-01T00:00:00Z", "doing": "beginning or ending a change"})
    );
    place.pintle(&["status", "app"]).ok().prints(&[
        "LOCKED BY: bob@elsewhere pid 1 since 2026-01-01T00:00:00Z, beginning or ending a change\n",
        "GROUPS:\n",
        "second   1/1     first\n",
    ]);
}

#[test]
fn status_shows_how_long_certificates_hold() {
    let place = Place::new("expiring");
    let made = "apiVersion: generate.pintle.dev/v1\nkind: CertificateAuthority\n\
                metadata: {name: ca}\nspec: {commonName: ca}\n---\n\
                apiVersion: generate.pintle.dev/v1\nkind: Certificate\nmetadata: {name: tls}\n\
                spec: {issuer: ca, commonName: tls, usages: [server auth], dnsNames: [tls], \
                duration: 252h, renewBefore: 24h}\n";
    let chart = place.chart("app", "{}\n", made);
    place.pintle(&["install", "app", &chart]).ok();
    let text = &place.get(&["secret/tls"])["data"]["tls.crt"];
    let text = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    let end = Certificate::read(&text).unwrap().not_after;
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    let all = status["credentials"].as_array().unwrap();
    let tls = all.iter().find(|one| one["name"] == "tls").unwrap();
    assert_eq!(tls["expires"], end.to_string(), "{status}");
    // Half a day less than eleven days from when it was issued.
    assert_eq!(
        (&tls["days_left"], &tls["state"]),
        (&json!(10), &json!("good"))
    );
    let told = format!("{} (10 days)", end.strftime("%Y-%m-%d"));
    place
        .pintle(&["status", "app"])
        .ok()
        .prints(&["CREDENTIALS:\n", &told]);
}

#[test]
fn status_follows_by_watches_until_nobody_reads() {
    let place = Place::new("followed");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let listening = Listening::on(&place);
    let through = ["--kubeconfig", &listening.kubeconfig];
    let mut watching = place.start_pintle(&[&["status", "app", "--watch"], &through[..]].concat());
    // What was read is told once.
    let mut watches = vec![];
    eventually("the Deployments are watched", || {
        let lines = listening.reads().into_iter();
        watches.extend(lines.filter(|line| line.contains("watch=true")));
        (watches.len() > 2).then_some(())
    });
    // One of the kind, however many there are of it, and those of the records of this revision and the next.
    assert_eq!(watches.len(), 3, "{watches:?}");
    for record in ["app.v1", "app.v2"] {
        assert!(watches.iter().any(|line| line.contains(record)));
    }
    let patch = r#"{"spec": {"template": {"spec": {"nodeSelector": {"no": "where"}}}}}"#;
    place
        .kubectl(&["patch", "deployment/first", "--patch", patch])
        .ok();
    watching.until(&["Deployment first: ", " of an older template left"]);
    // Nobody reads any more; what it would say next ends it, in silence.
    place.pintle(&["uninstall", "app"]).ok();
    let run = watching.end().ok();
    assert_eq!(run.stderr, "");
}

#[test]
fn status_goes_on_with_a_new_revision() {
    let place = Place::new("onward");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let listening = Listening::on(&place);
    let watch = [
        "status",
        "app",
        "--watch",
        "--kubeconfig",
        &listening.kubeconfig,
    ];
    let mut watching = place.start_pintle(&watch);
    eventually("the next record is watched", || {
        let reads = listening.reads();
        let is_watch = |line: &String| line.contains("watch=true") && line.contains("app.v2");
        reads.iter().any(is_watch).then_some(())
    });
    let upgrade = ["upgrade", "app", &chart, "--set", "token=plain"];
    // It says nothing more at some time, so that nobody may wait for its next line without end.
    let read = std::thread::spawn(move || {
        // It may be deployed by the time that its record is read.
        watching.until_each(&[&["revision 2: "], &["Secret token: "]]);
        watching
    });
    place.pintle(&upgrade).ok();
    eventually("it is told", || read.is_finished().then_some(()));
    read.join().unwrap().kill();
}

#[test]
fn status_goes_on_when_a_release_that_is_gone_comes_back() {
    let place = Place::new("revived");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let listening = Listening::on(&place);
    let through = ["--kubeconfig", &listening.kubeconfig];
    let mut watching = place.start_pintle(&[&["status", "app", "--watch"], &through[..]].concat());
    let watched = |records: &[&str]| {
        let mut missing = records.to_vec();
        eventually("the records are watched", || {
            for line in listening.reads() {
                let is_watch = line.contains("watch=true");
                missing.retain(|record| !(is_watch && line.contains(record)));
            }
            missing.is_empty().then_some(())
        });
    };
    watched(&["app.v1", "app.v2"]);
    let read = std::thread::spawn(move || {
        watching.until_each(&[
            &["release: gone"],
            &["revision 1: "],
            &["Deployment first: ", " of an older template left"],
        ]);
        watching
    });
    place.pintle(&["uninstall", "app"]).ok();
    watched(&["app.v1"]);
    place.pintle(&["install", "app", &chart]).ok();
    watched(&["app.v2"]);
    let patch = r#"{"spec": {"template": {"spec": {"nodeSelector": {"no": "where"}}}}}"#;
    place
        .kubectl(&["patch", "deployment/first", "--patch", patch])
        .ok();
    eventually("it is told", || read.is_finished().then_some(()));
    read.join().unwrap().kill();
}

#[test]
fn status_is_followed_for_one_revision_and_until_it_is_interrupted() {
    let place = Place::new("watched");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let watch = ["status", "app", "--watch", "--revision", "1", "-o", "json"];
    let mut watching = place.start_pintle(&watch);
    place
        .pintle(&["upgrade", "app", &chart, "--set", "token=plain"])
        .ok();
    place.pintle(&["uninstall", "app"]).ok();
    watching.until(&[r#""health":"in progress""#, r#""kind":"Deployment""#]);
    signal(&watching, "INT");
    watching.end().fails_with(130);
}

/// Five workloads of two kinds, which are not ready at once.
const TEMPLATE: &str = r#"
{% for name in ["a", "b", "c", "d", "e"] %}
---
apiVersion: apps/v1
kind: {% if name < "d" %}Deployment{% else %}StatefulSet{% endif %}
metadata: {name: {{ name }}}
spec:
  {% if name >= "d" %}serviceName: web{% endif %}
  minReadySeconds: 2
  selector: {matchLabels: {app: {{ name }}}}
  template:
    metadata: {labels: {app: {{ name }}}}
    spec: {containers: [{name: app, image: "app:1"}]}
{% endfor %}
"#;

#[test]
fn a_wait_has_one_watch_for_each_kind() {
    let place = Place::new("watches");
    let chart = place.chart("five", "{}\n", TEMPLATE);
    let listening = Listening::on(&place);
    let requests = listening.requests(&place, &["install", "app", &chart]);
    let watches = |kind: &str| {
        let path = format!("/{kind}?");
        let lines = requests.iter();
        lines
            .filter(|line| line.contains("watch=true") && line.contains(&path))
            .count()
    };
    assert_eq!(
        (watches("deployments"), watches("statefulsets")),
        (1, 1),
        "{requests:#?}"
    );
    assert!(watches("pods") <= 1, "{requests:#?}");
    // Nothing is asked for again and again: each kind is read for the plan, and where its watch begins.
    let lists = |kind: &str| {
        let path = format!("/{kind}?");
        let lines = requests.iter();
        lines
            .filter(|line| line.starts_with("GET ") && !line.contains("watch=true"))
            .filter(|line| line.contains(&path))
            .count()
    };
    for (kind, most) in [("deployments", 2), ("statefulsets", 2), ("pods", 1)] {
        assert!(lists(kind) <= most, "{kind}: {requests:#?}");
    }
}

#[test]
fn what_several_groups_wait_for_is_waited_for_once() {
    let place = Place::new("shared");
    let template = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: first\n  annotations: \
                    {helm.sh/resource-group: first}\nspec:\n  selector: {matchLabels: {app: first}}\n  \
                    template:\n    metadata: {labels: {app: first}}\n    spec:\n      containers: \
                    [{name: app, image: 'app:1'}]\n\
                    {% for name in [\"b\", \"c\", \"d\"] %}---\napiVersion: v1\nkind: ConfigMap\n\
                    metadata:\n  name: {{ name }}\n  annotations:\n    helm.sh/resource-group: \
                    {{ name }}\n    helm.sh/depends-on/resource-groups: '[\"first\"]'\n{% endfor %}";
    let chart = place.chart("groups", "{}\n", template);
    let listening = Listening::on(&place);
    let requests = listening.requests(&place, &["install", "app", &chart]);
    let watches = |kind: &str| {
        let path = format!("/{kind}?");
        let watches = requests.iter().filter(|line| line.contains("watch=true"));
        watches.filter(|line| line.contains(&path)).count()
    };
    assert_eq!(watches("deployments"), 1, "{requests:#?}");
    assert!(watches("pods") <= 1, "{requests:#?}");
}

#[test]
fn pods_by_themselves_and_those_of_workloads_have_one_watch() {
    let place = Place::new("podwatch");
    let pod = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n\
             spec: {{containers: [{{name: app, image: 'app:1'}}]}}\n"
        )
    };
    let template = [TEMPLATE, &pod("one"), &pod("two")].concat();
    let chart = place.chart("seven", "{}\n", &template);
    let listening = Listening::on(&place);
    let requests = listening.requests(&place, &["install", "app", &chart]);
    let watches = requests
        .iter()
        .filter(|line| line.contains("watch=true") && line.contains("/pods?"));
    assert_eq!(watches.count(), 1, "{requests:#?}");
}
