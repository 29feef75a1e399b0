//! Where Helm 4 is weak, and what happens here. [`TESTS`] says which tests show it, by the numbers of
//! the weak points:
//!
//! 1. A rollback that fails before its first write leaves the release pending.
//! 2. After a failed upgrade the difference is made from the last good revision, so that what the failed
//!    one has added stays.
//! 3. Between two writes of records there is no deployed revision, and errors of these writes are logged only.
//! 4. What is wanted no more is deleted in the order of installation, and only if all patches worked.
//! 5. A dry run does not ask the API server.
//! 6. `--force-conflicts` does not hold for everything.
//! 7. What appears between check and creation is adopted silently.
//! 8. An uninstallation needs every kind that the release has.
//! 9. The lock is a word without owner and expiry.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{apply, chart};
use crate::lifecycle::{left, small};
use crate::support::{Place, path};

/// The weak points and the other pains of applying, and the tests that show pintle free of them.
const TESTS: [(&str, &str, &str); 26] = [
    (
        "1",
        "plan/weak_points",
        "a_rollback_that_would_be_refused_leaves_no_trace",
    ),
    (
        "1",
        "plan/weak_points",
        "a_removed_version_of_an_api_stops_neither_upgrade_nor_rollback",
    ),
    (
        "2",
        "lifecycle",
        "after_a_failed_upgrade_nothing_stray_remains",
    ),
    (
        "2",
        "plan/weak_points",
        "a_rollback_after_a_failed_upgrade_leaves_nothing_stray",
    ),
    (
        "3",
        "plan/weak_points",
        "a_record_that_cannot_be_written_is_an_error",
    ),
    (
        "3",
        "plan/weak_points",
        "a_change_that_was_killed_between_its_last_records_is_gone_on_from",
    ),
    (
        "4",
        "groups",
        "an_uninstallation_goes_backwards_and_waits_for_pods",
    ),
    (
        "4",
        "plan/weak_points",
        "what_a_failed_upgrade_did_not_delete_is_deleted_by_the_next",
    ),
    (
        "5",
        "plan/refusals",
        "everything_that_would_be_refused_is_told_at_once_and_nothing_is_written",
    ),
    ("5", "plan/requests", "only_what_changes_is_asked_about"),
    (
        "6",
        "plan/server_side",
        "what_is_adopted_keeps_what_it_has_besides",
    ),
    (
        "7",
        "plan/server_side",
        "what_appears_meanwhile_is_not_taken_over",
    ),
    (
        "8",
        "plan/definitions",
        "what_has_lost_its_definition_can_be_uninstalled",
    ),
    ("9", "lock", "a_release_that_somebody_holds_is_left_alone"),
    ("9", "lock", "a_lock_that_was_not_renewed_is_taken_over"),
    ("9", "lock", "after_a_killed_upgrade_the_next_one_goes_on"),
    (
        "quota",
        "plan/refusals",
        "quotas_are_counted_over_the_whole_plan",
    ),
    (
        "admission",
        "plan/refusals",
        "a_webhook_that_does_not_answer_is_named",
    ),
    (
        "autoscaler",
        "plan/owners",
        "replicas_are_left_to_an_autoscaler",
    ),
    (
        "sidecar and caBundle",
        "plan/owners",
        "what_others_inject_stays",
    ),
    (
        "ownership",
        "plan/owners",
        "foreign_resources_are_taken_over_when_the_user_says_so",
    ),
    (
        "ownership",
        "lifecycle",
        "foreign_resources_are_refused_in_one_list",
    ),
    (
        "definitions",
        "plan/definitions",
        "definitions_come_before_what_they_define",
    ),
    (
        "Job",
        "plan/recreation",
        "a_job_is_made_anew_when_it_is_named",
    ),
    (
        "StatefulSet",
        "plan/recreation",
        "the_pods_of_a_stateful_set_stay",
    ),
    (
        "all kinds",
        "plan/matrix",
        "every_kind_goes_through_every_change",
    ),
];

#[test]
fn each_weak_point_has_its_tests() {
    for (point, file, test) in TESTS {
        let text = fs::read_to_string(path(&format!("tests/{file}.rs"))).unwrap();
        assert!(
            text.contains(&format!("fn {test}(")),
            "{point}: {test} in {file}"
        );
    }
    let shown = |number: u8| TESTS.iter().any(|(point, ..)| *point == number.to_string());
    assert!((1..=9).all(shown));
}

pub(super) fn budget(place: &Place, least: u8) -> String {
    let text = format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: a}}\nspec:\n  \
         minAvailable: {least}\n  selector: {{matchLabels: {{app: a}}}}\n"
    );
    chart(place, "a", &text)
}

/// Rewrites the manifest of the first revision as if it had been made for an older Kubernetes.
pub(super) fn age(place: &Place) {
    use std::io::{Read as _, Write as _};
    let name = "secret/sh.helm.release.v1.a.v1";
    let secret = place.get(&[name]);
    let text = secret["data"]["release"].as_str().unwrap();
    let packed = BASE64_STANDARD
        .decode(BASE64_STANDARD.decode(text).unwrap())
        .unwrap();
    let mut record = String::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader.read_to_string(&mut record).unwrap();
    assert!(record.contains("policy/v1"), "{record}");
    let record = record.replace("policy/v1", "policy/v1beta1");
    let mut writer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    writer.write_all(record.as_bytes()).unwrap();
    let packed = BASE64_STANDARD.encode(BASE64_STANDARD.encode(writer.finish().unwrap()));
    let patch = json!({"data": {"release": packed}}).to_string();
    place
        .kubectl(&["patch", name, "--type=merge", "-p", &patch])
        .ok();
}

#[test]
fn a_removed_version_of_an_api_stops_neither_upgrade_nor_rollback() {
    let place = Place::new("removed");
    place.pintle(&["install", "a", &budget(&place, 1)]).ok();
    age(&place);
    place.pintle(&["upgrade", "a", &budget(&place, 2)]).ok();
    assert_eq!(place.get(&["pdb/a"])["spec"]["minAvailable"], 2);
    place.pintle(&["rollback", "a", "1"]).ok();
    assert_eq!(place.get(&["pdb/a"])["spec"]["minAvailable"], 1);
    place.pintle(&["uninstall", "a"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn a_rollback_that_would_be_refused_leaves_no_trace() {
    let place = Place::new("back");
    let map = |data: &str| {
        chart(
            &place,
            "a",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{data}"),
        )
    };
    let job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec: {template: {spec: \
               {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}\n";
    place.pintle(&["install", "a", &map(job), "--no-wait"]).ok();
    let next = map(&job.replace("a:1", "a:2"));
    let upgrade = ["upgrade", "a", &next, "--no-wait", "--recreate", "Job/once"];
    place.pintle(&upgrade).ok();
    place
        .pintle(&["rollback", "a"])
        .fails_with(1)
        .says(&["--recreate Job/once"]);
    let history = place.pintle(&["history", "a", "-o", "json"]).ok().json();
    let statuses: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, ["superseded", "deployed"]);
    place
        .pintle(&["rollback", "a", "--recreate", "Job/once", "--no-wait"])
        .ok();
}

/// The statuses of all revisions of release `a`.
fn statuses(place: &Place) -> Vec<String> {
    let history = place.pintle(&["history", "a", "-o", "json"]).ok().json();
    let revisions = history.as_array().unwrap().iter();
    let status = revisions.map(|revision| revision["status"].as_str().unwrap().to_owned());
    status.collect()
}

fn maps(place: &Place, maps: &[(&str, &str)]) -> String {
    let text = maps.iter().map(|(name, data)| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{data}}}\n"
        )
    });
    chart(place, "a", &text.collect::<String>())
}

#[test]
fn a_rollback_after_a_failed_upgrade_leaves_nothing_stray() {
    let place = Place::new("stray");
    let folder = small(&place);
    place.pintle(&["install", "a", &folder]).ok();
    let stuck = ["upgrade", "a", &folder, "--set", "stuck=true,maps={stray}"];
    place
        .pintle(&[&stuck[..], &["--timeout", "1s"]].concat())
        .fails_with(3);
    place.pintle(&["rollback", "a", "1"]).ok();
    let pod = &place.get(&["deployment/app"])["spec"]["template"]["spec"];
    assert_eq!(
        pod["containers"][0]["env"],
        json!([{"name": "A", "value": "a"}])
    );
    assert_eq!(pod.get("nodeSelector"), None);
    let gone = place.kubectl(&["get", "configmap/stray", "--ignore-not-found"]);
    assert_eq!(gone.ok().stdout, "");
    assert_eq!(statuses(&place), ["superseded", "failed", "deployed"]);
}

/// Denies it that a record becomes `deployed`, in one namespace.
fn without_success(place: &Place) {
    let namespace = &place.namespace;
    let text = format!(
        "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {namespace}}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets]}}
  validations:
  - {{expression: \"!has(object.metadata.labels) || !('status' in object.metadata.labels) || \
object.metadata.labels.status != 'deployed'\", message: no success today}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {namespace}}}
spec:
  policyName: {namespace}
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
"
    );
    apply(place, "policy.yaml", &text);
    let labelled =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {status: deployed}}\n";
    let file = place.file("labelled.yaml", labelled);
    let asked = ["create", "-f", &file, "--dry-run=server"];
    while place.kubectl(&asked).code == Some(0) {}
}

#[test]
fn a_record_that_cannot_be_written_is_an_error() {
    let place = Place::new("unrecorded");
    place
        .pintle(&["install", "a", &maps(&place, &[("one", "a: x")])])
        .ok();
    without_success(&place);
    let next = maps(&place, &[("one", "a: z")]);
    place
        .pintle(&["upgrade", "a", &next])
        .fails_with(1)
        .says(&["cannot write the release record sh.helm.release.v1.a.v2"]);
    for kind in [
        "validatingadmissionpolicybinding",
        "validatingadmissionpolicy",
    ] {
        place.kubectl(&["delete", kind, &place.namespace]).ok();
    }
    let asked = [
        "create",
        "-f",
        &place.file(
            "labelled.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {status: deployed}}\n",
        ),
        "--dry-run=server",
    ];
    while place.kubectl(&asked).code != Some(0) {}
    let last = maps(&place, &[("one", "b: z")]);
    place.pintle(&["upgrade", "a", &last]).ok();
    assert_eq!(place.get(&["configmap/one"])["data"], json!({"b": "z"}));
    assert_eq!(statuses(&place), ["superseded", "failed", "deployed"]);
}

#[test]
fn a_change_that_was_killed_between_its_last_records_is_gone_on_from() {
    let place = Place::new("between");
    place
        .pintle(&["install", "a", &maps(&place, &[("one", "a: x")])])
        .ok();
    let first = place.get(&["secret/sh.helm.release.v1.a.v1"]);
    place
        .pintle(&["upgrade", "a", &maps(&place, &[("one", "b: x")])])
        .ok();
    // As if the process had ended before the first one was superseded.
    let patch = json!({"data": first["data"], "metadata": {"labels": first["metadata"]["labels"],
        "annotations": first["metadata"]["annotations"]}});
    let secret = "secret/sh.helm.release.v1.a.v1";
    place
        .kubectl(&["patch", secret, "--type=merge", "-p", &patch.to_string()])
        .ok();
    assert_eq!(statuses(&place), ["deployed", "deployed"]);
    let status = place.pintle(&["status", "a", "-o", "json"]).ok().json();
    assert_eq!(status["version"], 2);
    place
        .pintle(&["upgrade", "a", &maps(&place, &[("one", "c: x")])])
        .ok();
    assert_eq!(place.get(&["configmap/one"])["data"], json!({"c": "x"}));
    assert_eq!(statuses(&place), ["superseded", "superseded", "deployed"]);
}

#[test]
fn what_a_failed_upgrade_did_not_delete_is_deleted_by_the_next() {
    let place = Place::new("undeleted");
    let before = maps(&place, &[("one", "a: x"), ("two", "a: x"), ("old", "a: x")]);
    place.pintle(&["install", "a", &before]).ok();
    let bad = maps(
        &place,
        &[("one", "a: x"), ("two", "'not a key': x"), ("new", "a: x")],
    );
    place
        .pintle(&["upgrade", "a", &bad, "--no-validate"])
        .fails_with(1);
    let good = maps(&place, &[("one", "a: x"), ("two", "b: x")]);
    place.pintle(&["upgrade", "a", &good]).ok();
    let names = place.get(&["configmaps"]);
    let names = names["items"].as_array().unwrap().iter();
    let names = names.map(|map| map["metadata"]["name"].as_str().unwrap());
    let names: Vec<&str> = names
        .filter(|name| !name.starts_with("kube-root"))
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(place.get(&["configmap/two"])["data"], json!({"b": "x"}));
}
