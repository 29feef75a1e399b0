//! Resources that are being deleted and are not gone for a while: an uninstallation waits for them, and what is
//! wanted is made when the old one is gone.

use std::sync::Arc;

use ::testbed::Meddler;
use serde_json::Value;

use crate::lifecycle::{left, small};
use crate::plan::files::check_schema;
use crate::support::{Place, Run, Started};

const HELD: &str = "being deleted, held by test.pintle.dev/hold";
/// Longer than what is waited for takes.
const LONG: [&str; 2] = ["--timeout", "2m"];
/// Shorter than what never comes.
const SHORT: [&str; 2] = ["--timeout", "1s"];

/// A place with a release of a small chart and one config map, and that chart.
fn installed(name: &str) -> (Place, String) {
    let place = Place::new(name);
    let chart = small(&place);
    place
        .pintle(&["install", "app", &chart, "--set", "maps={a}", "--no-wait"])
        .ok();
    (place, chart)
}

fn uid(place: &Place, resource: &str) -> Value {
    place.get(&[resource])["metadata"]["uid"].clone()
}

/// Lets a resource go when a command waits for that, and gives how the command ends.
fn release(place: &Place, mut started: Started, resource: &str) -> Run {
    started.says(&["waiting until", "is gone"]);
    place.let_go(resource);
    started.end().ok()
}

#[track_caller]
fn check_statuses(place: &Place, expected: &[&str]) {
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let history = history.as_array().unwrap().iter();
    let statuses: Vec<_> = history.map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, expected);
}

#[test]
fn an_uninstallation_that_is_repeated_waits_for_what_is_still_there() {
    let (place, chart) = installed("lingers");
    place.hold("configmap/a");
    let uninstall = [&["uninstall", "app"][..], &SHORT].concat();
    for _ in 0..2 {
        place.pintle(&uninstall).fails_with(3).says(&[HELD]);
        check_statuses(&place, &["failed"]);
    }
    place.let_go("configmap/a");
    place.pintle(&uninstall).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
    place.pintle(&["history", "app"]).fails_with(1);

    place
        .pintle(&["install", "app", &chart, "--set", "maps={a}", "--no-wait"])
        .ok();
    place.hold("configmap/a");
    let started = place.start_pintle(&["uninstall", "app"]);
    place.wait_for_deletion("configmap/a");
    started.kill();
    place.pintle(&uninstall).fails_with(3).says(&[HELD]);
    check_statuses(&place, &["failed"]);
    place.let_go("configmap/a");
    place.pintle(&uninstall).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn what_an_upgrade_drops_is_waited_for_again() {
    let (place, chart) = installed("dropped");
    place.hold("configmap/a");
    let upgrade = ["upgrade", "app", &chart, "--set", "stuck=false"];
    let upgrade = [&upgrade[..], &SHORT].concat();
    place.pintle(&upgrade).fails_with(3).says(&[HELD]);
    place.pintle(&upgrade).fails_with(3).says(&[HELD]);
    place.let_go("configmap/a");
    place.pintle(&upgrade).ok();
}

#[test]
fn what_a_killed_uninstallation_has_begun_to_delete_is_made_when_it_is_gone() {
    let (place, chart) = installed("back-again");
    let upgrade = ["upgrade", "app", &chart, "--set", "maps={a}"];
    let back = ["rollback", "app", "1"];
    let install = ["upgrade", "--install", "app", &chart, "--set", "maps={a}"];
    let server = [&upgrade[..], &["--server-side"]].concat();
    for command in [&upgrade[..], &back, &install, &server] {
        for waits in [&LONG[..], &["--no-wait"]] {
            place.hold("configmap/a");
            let before = uid(&place, "configmap/a");
            let started = place.start_pintle(&["uninstall", "app"]);
            place.wait_for_deletion("configmap/a");
            started.kill();
            let started = place.start_pintle(&[command, waits].concat());
            release(&place, started, "configmap/a");
            assert_ne!(uid(&place, "configmap/a"), before, "{command:?} {waits:?}");
        }
    }
}

#[test]
fn what_somebody_deletes_is_made_when_it_is_gone() {
    let (place, chart) = installed("by-others");
    place.hold("configmap/a");
    let delete = ["delete", "configmap/a", "--wait=false"];
    place.kubectl(&delete).ok();
    let upgrade = ["upgrade", "app", &chart, "--set", "maps={a}"];
    let why = "the one that is there is being deleted and has to be gone first";
    place
        .pintle(&[&upgrade[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["1 to create", "+ ConfigMap a", why]);
    // Somebody has to lift what holds it; until then every command says so.
    for waits in [&SHORT[..], &["--timeout", "1s", "--no-wait"]] {
        place
            .pintle(&[&upgrade[..], waits].concat())
            .fails_with(3)
            .says(&["waiting until ConfigMap a is gone", HELD]);
    }
    check_statuses(&place, &["deployed", "failed", "failed"]);
    let started = place.start_pintle(&[&upgrade[..], &LONG].concat());
    release(&place, started, "configmap/a");
    check_statuses(&place, &["superseded", "failed", "failed", "deployed"]);
    place.pintle(&upgrade).ok().prints(&["is unchanged"]);

    // A way back goes there too.
    place.hold("configmap/a");
    place.kubectl(&delete).ok();
    let undone = [&upgrade[..], &["--rollback-on-failure"], &SHORT].concat();
    place.pintle(&undone).fails_with(3).says(&[HELD]);
    let started = place.start_pintle(&[&["rollback", "app", "4"], &LONG[..]].concat());
    release(&place, started, "configmap/a");
}

#[test]
fn a_plan_in_a_file_says_what_has_to_be_gone_first() {
    let (place, chart) = installed("planned-ending");
    let file = place.file("plan.json", "");
    let values = place.file("values.yaml", "maps: [a]\n");
    let plan = ["plan", "app", &chart, "-f", &values, "--out", &file];
    let apply = ["apply", &file, "--no-wait"];
    place.hold("configmap/a");
    place.pintle(&plan).ok();
    place
        .kubectl(&["delete", "configmap/a", "--wait=false"])
        .ok();
    let other = "ConfigMap a: it is being deleted";
    place.pintle(&apply).fails_with(4).says(&[other]);

    place.pintle(&plan).ok().prints(&["+ ConfigMap a"]);
    check_schema(&file);
    let started = place.start_pintle(&[&apply[..], &LONG].concat());
    release(&place, started, "configmap/a");

    // That it is gone by then is what the plan waits for.
    place.hold("configmap/a");
    place
        .kubectl(&["delete", "configmap/a", "--wait=false"])
        .ok();
    place.pintle(&plan).ok();
    place.let_go("configmap/a");
    place.kubectl(&["wait", "--for=delete", "configmap/a"]).ok();
    place.pintle(&apply).ok().says(&["created ConfigMap a"]);
}

/// A config map in one group, and one in another that depends on it.
const GROUPED: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: first, annotations: {helm.sh/resource-group: first}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: second
  annotations: {helm.sh/resource-group: second, helm.sh/depends-on/resource-groups: '["first"]'}
data: {a: "{{ values.a }}"}
---
apiVersion: generate.pintle.dev/v1
kind: RandomSecret
metadata: {name: token}
spec: {keys: {token: {}}}
"#;

#[test]
fn what_depends_on_what_is_being_deleted_waits_for_it() {
    let place = Place::new("grouped-ending");
    let chart = place.chart("grouped", "a: one\n", GROUPED);
    place.pintle(&["install", "app", &chart]).ok();
    let before = place.get(&["secret/token"])["data"].clone();
    for resource in ["configmap/first", "secret/token"] {
        place.hold(resource);
        place.kubectl(&["delete", resource, "--wait=false"]).ok();
    }
    let upgrade = ["upgrade", "app", &chart, "--set", "a=two", "--no-wait"];
    // A key that is being deleted is lost, as one that is missing.
    place
        .pintle(&[&upgrade[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["1 to issue, 1 to create, 1 to configure", "* Secret token"]);
    let mut started = place.start_pintle(&[&upgrade[..], &LONG].concat());
    started.says(&["waiting until Secret token is gone"]);
    place.let_go("secret/token");
    place.wait_for("create", "secret/token");
    let second = || place.get(&["configmap/second"])["data"]["a"].clone();
    assert_eq!(second(), "one");
    place.let_go("configmap/first");
    started.end().ok();
    assert_eq!(second(), "two");
    assert_ne!(place.get(&["secret/token"])["data"], before);
}

#[test]
fn a_way_back_makes_what_the_change_has_begun_to_delete() {
    let (place, chart) = installed("way-back");
    place.hold("configmap/a");
    let before = uid(&place, "configmap/a");
    let upgrade = ["upgrade", "app", &chart, "--set", "stuck=false"];
    let undone = [&upgrade[..], &["--rollback-on-failure", "--timeout", "8s"]].concat();
    let mut started = place.start_pintle(&undone);
    started.says(&["waiting until ConfigMap a is gone"]);
    place.let_go("configmap/a");
    started.end().fails_with(3);
    check_statuses(&place, &["superseded", "failed", "deployed"]);
    assert_ne!(uid(&place, "configmap/a"), before);
}

#[test]
fn what_somebody_begins_to_delete_meanwhile_is_planned_again() {
    let place = Arc::new(Place::new("begun-meanwhile"));
    let chart = place.chart("grouped", "a: one\n", GROUPED);
    place.pintle(&["install", "app", &chart]).ok();
    let before = uid(&place, "configmap/second");
    place.hold("configmap/second");
    let kubeconfig = place.folder().join("meddled.kubeconfig");
    let theirs = Arc::clone(&place);
    let act = move |line: &mut String| {
        let is_patch = line.contains("PATCH ") && line.contains("/configmaps/second");
        if is_patch && !line.contains("dryRun") {
            let delete = ["delete", "configmap/second", "--wait=false"];
            theirs.kubectl(&delete).ok();
        }
    };
    let gateway = place.gateway();
    Meddler::open(&gateway, &kubeconfig, act).unwrap();
    let through = ["--kubeconfig", kubeconfig.to_str().unwrap()];
    let upgrade = ["upgrade", "app", &chart, "--set", "a=two"];
    let started = place.start_pintle(&[&upgrade[..], &through].concat());
    release(&place, started, "configmap/second");
    assert_ne!(uid(&place, "configmap/second"), before);
    assert_eq!(place.get(&["configmap/second"])["data"]["a"], "two");
}

/// A namespace and a kind, and something of each.
const AROUND: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: "{{ values.name }}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: inside, namespace: "{{ values.name }}"}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: "cars.{{ values.name }}.example.com"}
spec:
  group: "{{ values.name }}.example.com"
  scope: Namespaced
  names: {kind: Car, plural: cars, singular: car, listKind: CarList}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
apiVersion: "{{ values.name }}.example.com/v1"
kind: Car
metadata: {name: one}
"#;

#[test]
fn what_goes_with_a_namespace_or_a_kind_is_made_after_it() {
    let place = Place::new("around");
    let name = format!("{}-other", place.namespace);
    let chart = place.chart("around", &format!("name: {name}\n"), AROUND);
    place.pintle(&["install", "app", &chart]).ok();
    let definition = format!("customresourcedefinition/cars.{name}.example.com");
    let car = format!("cars.{name}.example.com/one");
    let namespace = format!("namespace/{name}");
    let inside = |args: &[&str]| {
        let args = [&["--namespace", &name], args].concat();
        place.kubectl(&args).ok();
    };
    let finalizers = |value: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{value}}}}}"#);
        inside(&["patch", "configmap/inside", "--type=merge", "-p", &patch]);
    };
    let there = || [&definition, &car, &namespace].map(|one| uid(&place, one));
    let before = there();
    place.hold(&car);
    finalizers(r#"["test.pintle.dev/hold"]"#);
    for resource in [&definition, &namespace] {
        place.kubectl(&["delete", resource, "--wait=false"]).ok();
    }
    place
        .pintle(&["upgrade", "app", &chart, "--dry-run"])
        .ok()
        .prints(&["4 to create", "checked later: Namespace"]);
    let upgrade = ["upgrade", "app", &chart];
    let mut started = place.start_pintle(&[&upgrade[..], &LONG].concat());
    started.says(&["waiting until CustomResourceDefinition", "is gone"]);
    place.let_go(&car);
    finalizers("null");
    started.end().ok();
    for (now, before) in there().iter().zip(&before) {
        assert_ne!(now, before);
    }
    inside(&["get", "configmap/inside"]);
    place.pintle(&["uninstall", "app"]).ok();
}

#[test]
fn a_namespace_that_is_being_deleted_is_waited_for_by_the_user() {
    let place = Place::new("terminating");
    let chart = small(&place);
    place.kubectl(&["create", "configmap", "held"]).ok();
    place.hold("configmap/held");
    let namespace = format!("namespace/{}", place.namespace);
    place.kubectl(&["delete", &namespace, "--wait=false"]).ok();
    place.wait_for_deletion("configmap/held");
    for args in [
        &["install", "app", &chart][..],
        &["install", "app", &chart, "--create-namespace"],
    ] {
        place.pintle(args).fails_with(1).says(&[
            "because it is being terminated",
            "hint: wait until the namespace is gone, and run the command again",
        ]);
    }
    let unasked = ["install", "app", &chart, "--no-validate"];
    place
        .pintle(&unasked)
        .fails_with(1)
        .says(&["hint: wait until the namespace is gone"]);
    place.let_go("configmap/held");
}

#[test]
fn a_claim_that_pods_hold_keeps_nothing_from_being_written() {
    let place = Place::new("claim");
    let template = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: \
                    {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n---\n\
                    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: size}\ndata: {size: \
                    '{{ values.size }}'}\n";
    let chart = place.chart("claim", "size: 1\n", template);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    let first = uid(&place, "pvc/data");
    place.hold("pvc/data");
    place.kubectl(&["delete", "pvc/data", "--wait=false"]).ok();
    let upgrade = ["upgrade", "app", &chart, "--set", "size=2", "--no-wait"];
    // Some change of the same stage may be what lets the claim go, such as one of how many pods there are.
    let mut started = place.start_pintle(&[&upgrade[..], &LONG].concat());
    started.says(&["waiting until PersistentVolumeClaim data is gone"]);
    assert_eq!(place.get(&["configmap/size"])["data"]["size"], "2");
    place.let_go("pvc/data");
    started.end().ok();
    assert_ne!(uid(&place, "pvc/data"), first);
}
