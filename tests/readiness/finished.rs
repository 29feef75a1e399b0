//! What has run to its end is done, and may be deleted while others are waited for.

use crate::kcp::proof::eventually;
use crate::support::Place;

/// Longer than any test takes.
const LONG: &str = "5m";

const TEMPLATE: &str = r"
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  ttlSecondsAfterFinished: 0
  template:
    metadata: {labels: {testbed/plays: success}}
    spec: {restartPolicy: Never, containers: [{name: app, image: 'app:1'}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: once
  labels: {testbed/plays: success}
spec: {restartPolicy: Never, containers: [{name: app, image: 'app:1'}]}
---
apiVersion: v1
kind: Service
metadata: {name: outer}
spec:
  type: LoadBalancer
  ports: [{port: 80}]
";

#[test]
fn what_has_finished_may_be_deleted_while_the_wait_goes_on() {
    let place = Place::new("finished");
    let chart = place.chart("finished", "{}\n", TEMPLATE);
    let mut installing = place.start_pintle(&["install", "app", &chart, "--timeout", LONG]);
    // All are watched by then.
    installing.says(&["ready", "Job migrate"]);
    eventually("the job is cleaned up", || {
        (place.kubectl(&["get", "job/migrate"]).code != Some(0)).then_some(())
    });
    place.wait_for("jsonpath={.status.phase}=Succeeded", "pod/once");
    place.kubectl(&["delete", "pod/once"]).ok();
    let address = r#"{"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}"#;
    let patch = ["--subresource=status", "--type=merge", "-p", address];
    place
        .kubectl(&[&["patch", "service/outer"][..], &patch].concat())
        .ok();
    installing.end().ok();
    let status = place.pintle(&["status", "app"]).ok();
    let line = |name: &str| status.stdout.lines().find(|line| line.contains(name));
    assert!(
        line("migrate").is_some_and(|line| line.contains("it is deleted when it has finished")),
        "{status}"
    );
    assert!(
        line("once").is_some_and(|line| line.trim_end().ends_with("missing")),
        "{status}"
    );
}
