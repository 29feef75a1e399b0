//! Groups, gates and generated Secrets of a small chart on the real API server: what happens when
//! others change things meanwhile, when a change is tried again, and when a Secret changes hands.

use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::support::{Place, path};

const VALUES: &str =
    "token: none\nfirst: {image: 'app:1.0.0', stuck: false}\nsecond: {image: 'app:1.0.0'}\n";

/// Two Deployments, of which `second` waits for `first`, and a Secret that is generated (`made`),
/// written by a template (`plain`) or not there.
const TEMPLATE: &str = r#"
{% for name in ["first", "second"] %}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ name }}
  annotations:
    pintle.dev/ready: {{ values[name].ready or "no-old-pods" }}
    helm.sh/resource-group: {{ name }}
    {% if name == "second" %}helm.sh/depends-on/resource-groups: '["first"]'{% endif %}
spec:
  progressDeadlineSeconds: {{ values[name].deadline or 600 }}
  strategy: {type: {{ values[name].strategy or "RollingUpdate" }}}
  selector: {matchLabels: {app: {{ name }}}}
  template:
    metadata: {labels: {app: {{ name }}, testbed/plays: {{ values[name].plays or "nothing" }}}}
    spec:
      {% if values[name].stuck or false %}nodeSelector: {no: where}{% endif %}
      containers: [{name: app, image: "{{ values[name].image }}"}]
{% endfor %}
{% if values.token == "made" %}
---
apiVersion: generate.pintle.dev/v1
kind: RandomSecret
metadata: {name: token}
spec: {keys: {token: {encoding: hex, bytes: 16}}}
{% elif values.token == "plain" %}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {token: 00112233445566778899aabbccddeeff}
{% endif %}
"#;

/// The token of [`TEMPLATE`] in base64.
const PLAIN: &str = "MDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiY2NkZGVlZmY=";

/// Writes the chart, and gives its folder.
pub(crate) fn two(place: &Place) -> String {
    place.chart("two", VALUES, TEMPLATE)
}

fn token(place: &Place) -> Value {
    place.get(&["secret/token"])["data"]["token"].clone()
}

#[test]
fn a_secret_can_change_hands_between_template_and_generator() {
    let place = Place::new("hands");
    let chart = two(&place);
    let upgrade = |token: &str| {
        let token = format!("token={token}");
        place
            .pintle(&["upgrade", "app", &chart, "--set", &token])
            .ok()
    };
    place
        .pintle(&["install", "app", &chart, "--set", "token=plain"])
        .ok();
    // What a template has written is taken up as it is.
    upgrade("made").says(&["configured Secret token"]);
    assert_eq!(token(&place), PLAIN);
    upgrade("made").prints(&["is unchanged"]);
    place.pintle(&["rollback", "app", "1"]).ok();
    assert_eq!(token(&place), PLAIN);
    // The marks of the generator are still there, and mean nothing.
    upgrade("plain").prints(&["is unchanged"]);
    assert_eq!(token(&place), PLAIN);
    place.pintle(&["uninstall", "app"]).ok();

    place
        .pintle(&["install", "app", &chart, "--set", "token=made"])
        .ok();
    let made = token(&place);
    assert_ne!(made, PLAIN);
    upgrade("plain");
    assert_eq!(token(&place), PLAIN);
    upgrade("made");
    assert_eq!(token(&place), PLAIN);
}

#[test]
fn a_generated_secret_stays_as_long_as_a_revision_can_be_gone_back_to() {
    let place = Place::new("orphan");
    let chart = two(&place);
    let upgrade = |number: u32| {
        let image = format!("second.image=app:1.0.{number}");
        let args = [
            "upgrade",
            "app",
            &chart,
            "--history-max",
            "2",
            "--set",
            &image,
        ];
        place.pintle(&args).ok()
    };
    place
        .pintle(&["install", "app", &chart, "--set", "token=made"])
        .ok();
    let made = token(&place);
    upgrade(1);
    place
        .pintle(&["diff", "app", &chart])
        .ok()
        .prints(&["= Secret token", "revision 1 can be gone back to"]);
    place.pintle(&["rollback", "app", "1"]).ok();
    assert_eq!(token(&place), made);
    upgrade(2);
    upgrade(3);
    assert_eq!(token(&place), made);
    upgrade(4).says(&["deleted Secret token"]);
    place.kubectl(&["get", "secret/token"]).fails_with(1);
}

#[test]
fn what_others_do_to_fields_of_their_own_stops_no_change() {
    let place = Place::new("others");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let args = [
        "upgrade",
        "app",
        &chart,
        "--set",
        "first.image=app:1.0.1,second.image=app:1.0.1",
    ];
    // The gate is held open by a first pod that does not fit anywhere, until it is scaled away.
    let started = place.start_pintle(&[&args[..], &["--set", "first.stuck=true"]].concat());
    eventually("the first group is told", || {
        let live = place.get(&["deployment/first"]);
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        (image == "app:1.0.1").then_some(())
    });
    place
        .kubectl(&["scale", "deployment/second", "--replicas=2"])
        .ok();
    place
        .kubectl(&["scale", "deployment/first", "--replicas=0"])
        .ok();
    started.end().ok().says(&["configured Deployment second"]);
    assert_eq!(place.get(&["deployment/second"])["spec"]["replicas"], 2);
}

#[test]
fn a_change_that_is_tried_again_keeps_its_gates() {
    let place = Place::new("again");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let newer = "first.image=app:1.0.1,first.stuck=true,second.image=app:1.0.1";
    let args = ["upgrade", "app", &chart, "--timeout", "1s", "--set", newer];
    for _ in 0..2 {
        place.pintle(&args).fails_with(3).says(&[
            "group second cannot start: group first is not ready",
            "the same command goes on from here",
        ]);
    }
    let second = place.get(&["deployment/second"]);
    let image = &second["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "app:1.0.0");
    place.pintle(&["rollback", "app", "1"]).ok();
}

#[test]
fn an_uninstallation_goes_backwards_and_waits_for_pods() {
    let place = Place::new("backwards");
    let chart = two(&place);
    place
        .pintle(&["install", "app", &chart, "--set", "token=made"])
        .ok();
    // A pod that ends only when it is let go.
    let finalizer = |list: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
        let pods = place.get(&["pods", "--selector=app=second"]);
        for pod in pods["items"].as_array().unwrap() {
            let name = pod["metadata"]["name"].as_str().unwrap();
            place
                .kubectl(&["patch", "pod", name, "--type=merge", "--patch", &patch])
                .ok();
        }
    };
    finalizer(r#"["example.com/hold"]"#);
    for _ in 0..2 {
        place
            .pintle(&["uninstall", "app", "--timeout", "1s"])
            .fails_with(3)
            .says(&[
                "deletions of group first cannot start: deletions of group second are not done",
                "Deployment second",
                "as soon as what it owns is gone",
            ]);
    }
    assert!(place.get(&["deployment/first"])["metadata"]["deletionTimestamp"].is_null());
    token(&place);
    finalizer("[]");
    place
        .pintle(&["uninstall", "app"])
        .ok()
        .says(&["deleted Deployment first", "deleted Secret token"]);
    place.kubectl(&["get", "secret/token"]).fails_with(1);
}

#[test]
fn what_is_only_to_be_written_is_not_waited_for() {
    let place = Place::new("written");
    let chart = two(&place);
    let written = "first.ready=written,first.stuck=true";
    let args = ["--timeout", "1m", "--set", written];
    place
        .pintle(&[&["install", "app", &chart], &args[..]].concat())
        .ok()
        .says(&["created Deployment second"]);
    // Its health is what it is.
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    let health = |name: &str| {
        let all = status["resources"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        one["health"].clone()
    };
    assert_ne!(health("first"), "ready");
    assert_eq!(health("second"), "ready");
    // Neither a change of it nor its rollout, which cannot end, is in the way of what depends on it.
    for images in [
        "first.image=app:1.0.1,second.image=app:1.0.1",
        "first.image=app:1.0.1,second.image=app:1.0.2",
    ] {
        place
            .pintle(&[&["upgrade", "app", &chart, "--set", images], &args[..]].concat())
            .ok()
            .says(&["configured Deployment second"]);
    }
}

#[test]
fn new_pods_that_crash_do_not_bar_the_way_down() {
    let place = Place::new("down");
    let chart = two(&place);
    let newer = "first.image=app:1.0.1,second.image=app:1.0.1";
    place
        .pintle(&["install", "app", &chart, "--set", newer])
        .ok();
    let crash = "second.plays=crash,second.strategy=Recreate";
    // The gate between them waits for old pods of the second alone, and only the end for the new.
    place
        .pintle(&["upgrade", "app", &chart, "--timeout", "30m", "--set", crash])
        .fails_with(3)
        .says(&[
            "group first: waiting until no old pod of group second is left",
            "configured Deployment first",
            "Deployment second: 0 of 1 pods ready: pod second-",
            "does not recover by itself",
        ]);
    place.pintle(&["rollback", "app", "1"]).ok();
}

#[test]
fn a_deadline_that_was_exceeded_does_not_fail_the_way_back() {
    let place = Place::new("deadline");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let stuck = "first.stuck=true,first.deadline=1";
    let args = ["upgrade", "app", &chart, "--set", stuck];
    place
        .pintle(&args)
        .fails_with(3)
        .says(&["has timed out progressing"]);
    place
        .pintle(&["rollback", "app"])
        .ok()
        .prints(&["Rollback to 1"]);
}

#[test]
fn pods_of_a_group_do_not_wait_for_what_waits_for_them() {
    let place = Place::new("late");
    let chart = two(&place);
    let account = "\
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker}
";
    let template = TEMPLATE.replace(
        "      containers:",
        "      serviceAccountName: worker\n      containers:",
    );
    place.file("two/templates/all.yaml", &format!("{template}{account}"));
    place
        .pintle(&["install", "app", &chart])
        .fails_with(2)
        .says(&[
            "Deployment first needs ServiceAccount worker",
            "two/templates/all.yaml",
            "helm.sh/resource-group",
        ]);
    assert_eq!(
        place.get(&["serviceaccounts"])["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_secret_of_another_release_is_shown_and_refused() {
    let place = Place::new("foreign");
    let chart = two(&place);
    place
        .pintle(&["install", "app", &chart, "--set", "token=made"])
        .ok();
    let label = "pintle.dev/release=other";
    place
        .kubectl(&["label", "secret/token", label, "--overwrite"])
        .ok();
    place
        .pintle(&["status", "app"])
        .ok()
        .prints(&["foreign: it was generated by release other"]);
    place
        .pintle(&["upgrade", "app", &chart])
        .fails_with(4)
        .says(&["Secret token was generated by release other"]);
    let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
    assert_eq!(
        status["credentials"],
        json!([{"name": "token", "kind": "-", "issue": null,
        "expires": null, "days_left": null, "state": "foreign",
        "reason": "it was generated by release other"}])
    );
}

#[test]
fn a_chart_without_groups_installs_as_before() {
    let place = Place::new("plain");
    let web = place
        .pintle(&["install", "web", &path("examples/web")])
        .ok();
    assert!(!web.stderr.contains("group"), "{web}");
    assert!(!web.stderr.contains("resources without"), "{web}");
}
