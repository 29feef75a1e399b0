//! pintle and real Helm on each other's releases.

use std::io::Read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Place, Run, path};

const TERA: &str = "tests/cases/charts/twin-tera";
const GO: &str = "tests/cases/charts/twin-go";

#[test]
fn helm_works_on_a_release_of_pintle() {
    let place = Place::new("helm-on-ours");
    let chart = path(TERA);
    place.pintle(&["install", "twin", &chart]).ok();
    place
        .pintle(&["upgrade", "twin", &chart, "--set", "replicas=3"])
        .ok();
    place.helm(&["list"]).ok().prints(&["twin", "deployed"]);
    place.helm(&["history", "twin"]).ok().prints(&[
        "superseded",
        "Install complete",
        "Upgrade complete",
    ]);
    place
        .helm(&["status", "twin"])
        .ok()
        .prints(&["STATUS: deployed", "REVISION: 2"]);
    place
        .helm(&["get", "all", "twin"])
        .ok()
        .prints(&["replicas: 3", "kind: Deployment", "HOOKS:"]);
    place.helm(&["rollback", "twin", "1", "--wait"]).ok();
    assert_eq!(place.get(&["deployment/twin"])["spec"]["replicas"], 2);
    place
        .pintle(&["history", "twin"])
        .ok()
        .prints(&["Rollback to 1"]);
    place
        .pintle(&["upgrade", "twin", &chart, "--set", "replicas=4"])
        .ok()
        .prints(&["REVISION: 4"]);
    assert_eq!(place.get(&["deployment/twin"])["spec"]["replicas"], 4);
    let deployed = place.get(&["secrets", "-l", "owner=helm,status=deployed"]);
    assert_eq!(deployed["items"].as_array().unwrap().len(), 1);
    place.helm(&["uninstall", "twin", "--wait"]).ok();
    let left = place.get(&[
        "deployments,services,secrets,configmaps",
        "-l",
        "app.kubernetes.io/managed-by=Helm",
    ]);
    assert_eq!(left["items"], json!([]));
}

/// What both programs say of the release `twin` in a few words is the same.
fn check_metadata(place: &Place) {
    for format in ["table", "json"] {
        let metadata = ["get", "metadata", "twin", "-o", format];
        let (ours, theirs) = (place.pintle(&metadata).ok(), place.helm(&metadata).ok());
        // Helm adds the labels by which it finds its own records; these are no news.
        if format == "json" {
            let mut theirs = theirs.json();
            theirs.as_object_mut().unwrap().remove("labels");
            assert_eq!(ours.json(), theirs);
        } else {
            let labels = |line: &&str| !line.starts_with("LABELS: ");
            let lines = |run: &Run| -> Vec<String> {
                let lines = run.stdout.lines().filter(labels);
                lines.map(str::to_owned).collect()
            };
            assert_eq!(lines(&ours), lines(&theirs));
        }
    }
}

#[test]
fn pintle_reads_a_release_of_helm() {
    let place = Place::new("ours-on-helm");
    place
        .helm(&[
            "install",
            "twin",
            &path(GO),
            "--set",
            "replicas=1",
            "--wait",
        ])
        .ok();
    place
        .pintle(&["list"])
        .ok()
        .prints(&["twin", "deployed", "twin-"]);
    check_metadata(&place);
    place
        .pintle(&["history", "twin"])
        .ok()
        .prints(&["Install complete"]);
    place
        .pintle(&["status", "twin"])
        .ok()
        .prints(&["STATUS: deployed", "Deployment", "ready"]);
    place
        .pintle(&["get", "values", "twin"])
        .ok()
        .prints(&["replicas: 1"]);
    place
        .pintle(&["get", "values", "twin", "--all"])
        .ok()
        .prints(&["greeting:", "replicas: 1"]);
    let ours = place.pintle(&["get", "manifest", "twin"]).ok().stdout;
    let theirs = place.helm(&["get", "manifest", "twin"]).ok().stdout;
    assert_eq!(ours.trim_end(), theirs.trim_end());
    place
        .pintle(&["get", "notes", "twin"])
        .ok()
        .prints(&["twin runs 1 pods"]);
    place
        .pintle(&["get", "hooks", "twin"])
        .ok()
        .prints(&["helm.sh/hook"]);
    place
        .pintle(&["get", "all", "twin"])
        .ok()
        .prints(&["MANIFEST:", "kind: Service"]);
    assert_eq!(
        place
            .pintle(&["history", "twin", "-o", "json"])
            .ok()
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn pintle_continues_a_release_that_helm_wrote_from_the_client_side() {
    let place = Place::new("takeover");
    place
        .helm(&[
            "install",
            "twin",
            &path(GO),
            "--server-side=false",
            "--wait",
        ])
        .ok();
    let before = place.versions(&["service/twin", "configmap/twin-config"]);
    place
        .pintle(&["upgrade", "twin", &path(TERA)])
        .ok()
        .says(&["1 to configure, 2 unchanged"]);
    assert_eq!(
        place.versions(&["service/twin", "configmap/twin-config"]),
        before
    );
    place.pintle(&["rollback", "twin"]).ok();
    place.helm(&["upgrade", "twin", &path(GO), "--wait"]).ok();
    place.pintle(&["uninstall", "twin"]).ok();
    assert_eq!(
        place.get(&["secrets", "-l", "owner=helm"])["items"],
        json!([])
    );
}

/// The labels and the payload of a record.
fn record(place: &Place) -> (Value, Value) {
    let secret = place.get(&["secret/sh.helm.release.v1.twin.v1"]);
    let api = BASE64_STANDARD
        .decode(secret["data"]["release"].as_str().unwrap())
        .unwrap();
    let mut json = String::new();
    GzDecoder::new(BASE64_STANDARD.decode(api).unwrap().as_slice())
        .read_to_string(&mut json)
        .unwrap();
    assert_eq!(secret["type"], "helm.sh/release.v1");
    (
        secret["metadata"]["labels"].clone(),
        serde_json::from_str(&json).unwrap(),
    )
}

/// Takes out of a record what is meant to differ: times, the text and the partials of templates,
/// and the annotation that names the engine.
fn comparable(mut record: Value) -> Value {
    for time in ["first_deployed", "last_deployed"] {
        assert!(
            record["info"][time].as_str().unwrap().starts_with("20"),
            "{record}"
        );
        record["info"][time] = Value::Null;
    }
    let chart = record["chart"].as_object_mut().unwrap();
    for time in ["modtime", "schemamodtime"] {
        chart.remove(time);
    }
    chart["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    for key in ["templates", "files"] {
        let Some(files) = chart[key].as_array_mut() else {
            continue;
        };
        files.retain(|file| !file["name"].as_str().unwrap().contains("/_"));
        files.sort_by_key(|file| file["name"].to_string());
        for file in files {
            file.as_object_mut().unwrap().remove("modtime");
            file.as_object_mut().unwrap().remove("data");
        }
    }
    // Go writes null for an empty list.
    if chart["files"] == json!([]) {
        chart["files"] = Value::Null;
    }
    record
}

#[test]
fn the_records_of_twins_differ_only_where_they_are_meant_to() {
    let place = Place::new("twins");
    let set = [
        "--set",
        "replicas=1,settings.colour=null,settings.more={a,1}",
    ];
    place
        .pintle(&[&["install", "twin", &path(TERA)], &set[..]].concat())
        .ok();
    let ours = record(&place);
    place.pintle(&["uninstall", "twin"]).ok();
    let helm = [
        "install",
        "twin",
        &path(GO),
        "--server-side=false",
        "--wait",
    ];
    place.helm(&[&helm[..], &set].concat()).ok();
    let theirs = record(&place);
    let labels = |labels: &Value, key: &str| labels[key].clone();
    for key in ["name", "owner", "status", "version"] {
        assert_eq!(labels(&ours.0, key), labels(&theirs.0, key), "{key}");
    }
    assert!(ours.0["modifiedAt"].is_string() && theirs.0["modifiedAt"].is_string());
    pretty_eq(&comparable(ours.1), &comparable(theirs.1));
}

#[track_caller]
fn pretty_eq(ours: &Value, theirs: &Value) {
    let (ours, theirs) = (format!("{ours:#}"), format!("{theirs:#}"));
    let diff = similar::TextDiff::from_lines(&theirs, &ours);
    assert!(
        ours == theirs,
        "helm is -, pintle is +:\n{}",
        diff.unified_diff()
    );
}

/// The statuses of all revisions, oldest first, as the records have them.
fn statuses(place: &Place) -> Vec<String> {
    let secrets = place.get(&["secrets", "-l", "owner=helm"]);
    let mut all: Vec<(u32, String)> = secrets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| {
            let label = |name: &str| secret["metadata"]["labels"][name].as_str().unwrap();
            (
                label("version").parse().unwrap(),
                label("status").to_owned(),
            )
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, status)| status).collect()
}

/// A copy of one of the charts, with a Deployment that fits on no node.
fn stuck(place: &Place, chart: &str, labels: &str) -> String {
    let read = |file: &str| std::fs::read_to_string(path(&format!("{chart}/{file}"))).unwrap();
    let pods = "      containers:";
    let nowhere = format!("      nodeSelector: {{nowhere: \"true\"}}\n{pods}");
    for file in [
        "Chart.yaml",
        "values.yaml",
        labels,
        "templates/config.yaml",
        "templates/deployment.yaml",
        "templates/service.yaml",
    ] {
        let text = read(file).replace(pods, &nowhere);
        place.file(&format!("{chart}/{file}"), &text);
    }
    place.folder().join(chart).to_str().unwrap().to_owned()
}

#[test]
fn ten_operations_in_turn_fail_and_are_killed_and_go_on() {
    let place = Place::new("in-turn");
    let (ours, theirs) = (path(TERA), path(GO));
    let our_stuck = stuck(&place, TERA, "templates/_labels.yaml");
    let their_stuck = stuck(&place, GO, "templates/_labels.tpl");
    let pintle = |args: &[&str], code: i32| {
        place
            .pintle(&[args, &["--no-wait"]].concat())
            .fails_with(code);
    };
    let helm = |args: &[&str], code: i32| {
        place.helm(args).fails_with(code);
    };
    let check = |newest: &str, replicas: u64| {
        let mut all = statuses(&place);
        assert_eq!(all.pop().as_deref(), Some(newest), "{all:?}");
        let deployed = all.iter().filter(|status| *status == "deployed").count();
        assert_eq!(deployed, usize::from(newest != "deployed"), "{all:?}");
        let live = &place.get(&["deployment/twin"])["spec"];
        assert_eq!(live["replicas"], replicas);
    };
    let (one, three) = (["--set", "replicas=1"], ["--set", "replicas=3"]);
    helm(&[&["install", "twin", &theirs], &one[..]].concat(), 0);
    check("deployed", 1);
    pintle(&[&["upgrade", "twin", &ours], &three[..]].concat(), 0);
    check("deployed", 3);
    helm(&[&["upgrade", "twin", &theirs], &one[..]].concat(), 0);
    check("deployed", 1);
    let late = ["--set", "replicas=9,greeting=half", "--timeout", "1s"];
    place
        .pintle(&[&["upgrade", "twin", &our_stuck], &late[..]].concat())
        .fails_with(3);
    check("failed", 9);
    helm(&["rollback", "twin", "2"], 0);
    check("deployed", 3);
    let late = [&["upgrade", "twin", &their_stuck, "--wait"], &late[..]].concat();
    helm(&late, 1);
    check("failed", 9);
    pintle(&["rollback", "twin", "3"], 0);
    check("deployed", 1);
    let config = &place.get(&["configmap/twin-config"])["data"];
    assert_eq!(config["greeting"], "Hello: \"world\"");
    let two = ["--set", "replicas=2", "--wait"];
    let killed = place.start_helm(&[&["upgrade", "twin", &their_stuck], &two[..]].concat());
    let changed = "jsonpath={.spec.template.spec.nodeSelector.nowhere}=true";
    place.wait_for(changed, "deployment/twin");
    killed.kill();
    check("pending-upgrade", 2);
    let go_on = ["upgrade", "twin", &ours, "--set", "replicas=4"];
    pintle(&go_on, 4);
    pintle(&[&go_on[..], &["--pending-timeout", "0s"]].concat(), 0);
    check("deployed", 4);
    let live = &place.get(&["deployment/twin"])["spec"];
    assert_eq!(live["template"]["spec"]["nodeSelector"], Value::Null);
    helm(&[&["upgrade", "twin", &theirs], &one[..]].concat(), 0);
    check("deployed", 1);
    pintle(&["uninstall", "twin"], 0);
    assert_eq!(statuses(&place), [] as [&str; 0]);
}

#[test]
fn what_a_killed_pintle_has_left_is_shown_as_interrupted_once_helm_has_gone_on() {
    let place = Place::new("overtaken");
    let ours = path(TERA);
    let stuck = stuck(&place, TERA, "templates/_labels.yaml");
    let twice = [&["install", "twin", &ours], &["upgrade", "twin", &stuck]];
    place.pintle(&[&twice[0][..], &["--no-wait"]].concat()).ok();
    let killed = place.start_pintle(&[&twice[1][..], &["--set", "replicas=2"]].concat());
    let changed = "jsonpath={.spec.template.spec.nodeSelector.nowhere}=true";
    place.wait_for(changed, "deployment/twin");
    killed.kill();
    place.helm(&["rollback", "twin", "1"]).ok();
    assert_eq!(
        statuses(&place),
        ["superseded", "pending-upgrade", "deployed"]
    );
    let history = place.pintle(&["history", "twin", "-o", "json"]).ok().json();
    let interrupted = history.as_array().unwrap().iter();
    let interrupted: Vec<_> = interrupted.map(|one| one.get("interrupted")).collect();
    assert_eq!(interrupted, [None, Some(&true.into()), None]);
    let told = "pending-upgrade (interrupted)";
    place.pintle(&["history", "twin"]).ok().prints(&[told]);
    place
        .pintle(&["status", "twin", "--revision", "2"])
        .ok()
        .prints(&[&format!("STATUS: {told}\n")]);
    place.pintle(&["upgrade", "twin", &ours, "--no-wait"]).ok();
    assert_eq!(
        statuses(&place),
        ["superseded", "failed", "superseded", "deployed"]
    );
}
