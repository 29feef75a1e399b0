//! That a connection which falls silent without ending is noticed and left: another one would work.

use std::thread;

use ::testbed::Relay;

use crate::support::{Place, Run, testbed};

/// Longer than any test takes, and longer than the lock lasts.
const LONG: &str = "5m";

const VALUES: &str = "text: one\naddress: false\n";

const TEMPLATE: &str = r#"
{% for name in ["a", "b", "c", "d", "e", "f"] %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ name }}}
data: {text: "{{ values.text }}"}
{% endfor %}
{% if values.address %}
---
apiVersion: v1
kind: Service
metadata: {name: outer}
spec:
  type: LoadBalancer
  ports: [{port: 80}]
{% endif %}
"#;

/// A way to the testbed whose first connection falls silent after this many bytes.
fn relay(place: &Place, most: usize) -> Relay {
    Relay::open(testbed(), most, &place.folder().join("relayed.kubeconfig")).unwrap()
}

/// Runs pintle through a relay, and expects that the connections made so were these.
fn pintle(place: &Place, relay: &Relay, args: &[&str]) -> Run {
    let through = ["--kubeconfig", relay.kubeconfig().to_str().unwrap()];
    place.pintle(&[args, &through].concat())
}

/// Expects that the newest revision is this one, deployed, and that the lock was given back.
fn is_deployed(place: &Place, revision: &str) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let newest = history.as_array().unwrap().last().unwrap();
    assert_eq!(newest["revision"].to_string(), revision);
    assert_eq!(newest["status"], "deployed");
    let left = place.kubectl(&["get", "lease", "-o", "name"]).ok().stdout;
    assert_eq!(left, "");
}

/// Upgrades while the first connection falls silent at some point.
fn check(most: usize, more: &[&str]) {
    let place = Place::new("silence");
    let chart = place.chart("small", VALUES, TEMPLATE);
    place.pintle(&["install", "app", &chart]).ok();
    let relay = relay(&place, most);
    let upgrade = ["upgrade", "app", &chart, "--set", "text=two"];
    let run = pintle(&place, &relay, &[&upgrade[..], more].concat());
    run.ok();
    let (opened, silent) = relay.connections();
    assert!(silent == 1 && opened >= 2, "{most}: {silent} of {opened}");
    is_deployed(&place, "2");
    let live = place.get(&["configmap/f"]);
    assert_eq!(live["data"]["text"], "two");
}

#[test]
fn a_change_goes_on_when_its_connection_falls_silent() {
    // The first request, the lock, the record, and the resources.
    thread::scope(|scope| {
        for most in [600, 2000, 4000, 6000, 8000] {
            scope.spawn(move || check(most, &[]));
        }
    });
}

#[test]
fn what_was_not_answered_in_time_is_asked_on_another_connection() {
    check(4000, &["--request-timeout", "3s"]);
}

#[test]
fn a_wait_and_its_lock_outlast_a_connection_that_falls_silent() {
    let place = Place::new("quiet");
    let chart = place.chart("small", VALUES, TEMPLATE);
    let relay = relay(&place, usize::MAX);
    let kubeconfig = relay.kubeconfig().to_str().unwrap();
    let install = ["install", "app", &chart, "--set", "address=true"];
    let more = ["--timeout", LONG, "--kubeconfig", kubeconfig];
    let mut installing = place.start_pintle(&[&install[..], &more].concat());
    installing.says(&["outer"]);
    relay.silence();
    let address = r#"{"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}"#;
    let patch = ["--subresource=status", "--type=merge", "-p", address];
    place
        .kubectl(&[&["patch", "service/outer"][..], &patch].concat())
        .ok();
    installing.end().ok();
    let (opened, silent) = relay.connections();
    assert!(silent >= 1 && opened > silent, "{silent} of {opened}");
    is_deployed(&place, "1");
}
