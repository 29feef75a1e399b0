//! What cannot become ready: waits end early, and errors and `status` say why. The simulated kubelet
//! plays what a pod's label `testbed/plays` names.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::support::Place;

const VALUES: &str = "kind: Deployment\nimage: 'app:1'\nplays: nothing\npods: 9\n";

/// A workload of one pod, and how many pods there may be.
const TEMPLATE: &str = r#"
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {pods: "{{ values.pods }}"}}
---
apiVersion: apps/v1
kind: {{ values.kind }}
metadata: {name: web}
spec:
  {% if values.kind == "StatefulSet" %}serviceName: web{% endif %}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, testbed/plays: {{ values.plays }}}}
    spec: {containers: [{name: app, image: "{{ values.image }}"}]}
"#;

/// Longer than any test takes: what ends before has ended early.
const LONG: &str = "30m";

fn sick(place: &Place) -> String {
    place.chart("sick", VALUES, TEMPLATE)
}

#[test]
fn an_image_that_does_not_exist_ends_a_wait() {
    let place = Place::new("noimage");
    let chart = sick(&place);
    let args = ["install", "app", &chart, "--timeout", LONG];
    place
        .pintle(&[&args[..], &["--set", "plays=no-image"]].concat())
        .fails_with(3)
        .says(&[
            "error: not ready: Deployment web\n",
            "\n  Deployment web: 0 of 1 pods ready: pod web-",
            " does not recover by itself\n    pod web-",
            ": container app: ImagePullBackOff: Back-off pulling image \"app:1\": ErrImagePull: \
             failed to resolve reference \"app:1\": app:1: not \
             found\nhint: ",
        ]);
    // The pods of the way out have another template than those that stand in its way.
    let args = ["upgrade", "app", &chart, "--timeout", LONG];
    place
        .pintle(&[&args[..], &["--set", "plays=nothing"]].concat())
        .ok();
}

#[test]
fn a_crashing_program_ends_a_wait_and_leaves_its_last_words() {
    let place = Place::new("crash");
    let chart = sick(&place);
    let set = "plays=crash,kind=StatefulSet";
    place
        .pintle(&["install", "app", &chart, "--timeout", LONG, "--set", set])
        .fails_with(3)
        .says(&[
            "\n  StatefulSet web: 0 of 1 pods ready: pod web-0 does not recover by itself\n    \
             pod web-0: container app: CrashLoopBackOff: exit code 1, 5 restarts\n",
            "\n      event: Unhealthy: Liveness probe failed: connection refused (",
            // The simulated node has no logs.
            "\n      log: cannot open the database\n",
        ]);
    // That it has crashed before proves nothing: what it lacks may be there by now.
    let pod = place.get(&["pod/web-0"]);
    let created = pod["metadata"]["creationTimestamp"].as_str().unwrap();
    let created: Timestamp = created.parse().unwrap();
    eventually("the pod is older than the next change", || {
        (Timestamp::now().as_second() > created.as_second()).then_some(())
    });
    let again = ["upgrade", "app", &chart, "--timeout", "1s", "--set", set];
    let run = place.pintle(&again).fails_with(3);
    assert!(!run.stderr.contains("does not recover"), "{run}");
    run.says(&["\n  StatefulSet web: 0 of 1 pods ready\n    pod web-0: container app: Crash"]);
}

#[test]
fn status_says_why_a_tenant_is_ill() {
    let place = Place::new("ill");
    let chart = sick(&place);
    let set = "plays=crash,kind=StatefulSet";
    place
        .pintle(&["install", "app", &chart, "--no-wait", "--set", set])
        .ok();
    let resource = eventually("the pod crashes and its event is there", || {
        let status = place.pintle(&["status", "app", "-o", "json"]).ok().json();
        let resources = status["resources"].as_array().unwrap();
        let is_set = |one: &&Value| one["kind"] == "StatefulSet";
        let set = resources.iter().find(is_set).unwrap().clone();
        (!set["pods"][0]["event"].is_null()).then_some(set)
    });
    let mut pod = resource["pods"][0].clone();
    let last = pod["event"].as_object_mut().unwrap().remove("last");
    assert!(last.unwrap().is_string());
    assert_eq!(
        pod,
        json!({"name": "web-0", "container": "app",
            "reason": "CrashLoopBackOff: exit code 1, 5 restarts",
            "event": {"reason": "Unhealthy", "message": "Liveness probe failed: connection refused",
                "count": 1}})
    );
    place.pintle(&["status", "app"]).ok().prints(&[
        "StatefulSet     web     in progress   0 of 1 pods ready\n",
        "  Pod           web-0                 container app: CrashLoopBackOff: exit code 1, 5 restarts\n",
        "                                      Unhealthy: Liveness probe failed: connection refused (",
    ]);
}

#[test]
fn pods_that_cannot_be_made_are_explained_by_events() {
    let place = Place::new("quota");
    let chart = sick(&place);
    let said = "pods \"web-0\" is forbidden: exceeded quota: quota, requested: pods=1";
    let event = format!(
        "\n    event: FailedCreate: Create Pod web-0 in StatefulSet web failed error: {said}"
    );
    let args = ["--timeout", "3s", "--set", "pods=0,kind=StatefulSet"];
    place
        .pintle(&[&["install", "app", &chart], &args[..]].concat())
        .fails_with(3)
        .says(&["\n  StatefulSet web: 0 of 1 pods updated\n", &event]);
    place
        .pintle(&["status", "app"])
        .ok()
        .prints(&["FailedCreate: Create Pod web-0"]);
    // A Deployment leaves it to its replica set to say so.
    let args = ["--timeout", "3s", "--set", "pods=0,kind=Deployment"];
    let upgrade = [&["upgrade", "app", &chart], &args[..]].concat();
    place
        .pintle(&upgrade)
        .fails_with(1)
        .says(&["pods of Deployment web", "exceeded quota: quota"]);
    place
        .pintle(&[&upgrade[..], &["--no-validate"]].concat())
        .fails_with(3)
        .says(&["event: FailedCreate: Error creating: pods \"web-"]);
}
