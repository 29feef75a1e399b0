//! What becomes of hooks that have run, beside Helm: which of them are deleted, and in which order.

use serde_json::json;
use testbed::User;

use crate::kcp::proof::eventually;
use crate::plan::requests::Listening;
use crate::rights::allow;
use crate::support::Place;

/// A resource, and three hooks before an upgrade, of which the last one takes time and may fail.
fn three(place: &Place, colour: &str, plays: &str) -> String {
    let hook = |weight: u8, policy: &str| {
        format!(
            "{{helm.sh/hook: pre-upgrade, helm.sh/hook-weight: '{weight}', \
             helm.sh/hook-delete-policy: '{policy}'}}"
        )
    };
    let map = |name: &str, annotations: &str, colour: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {annotations}}}\n\
             data: {{colour: {colour}}}\n---\n"
        )
    };
    let job = format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: third, annotations: {}}}\nspec:\n  \
         backoffLimit: 0\n  template:\n    metadata: {{labels: {{testbed/plays: {plays}}}}}\n    \
         spec: {{restartPolicy: Never, containers: [{{name: sql, image: 'sql:1'}}]}}\n",
        hook(3, "hook-succeeded,hook-failed")
    );
    let text = [
        map("app", "{}", colour),
        map("first", &hook(1, "hook-succeeded"), "none"),
        map("second", &hook(2, "hook-succeeded"), "none"),
        map("failed", &hook(2, "hook-failed"), "none"),
        job,
    ];
    place.chart("three", "{}\n", &text.concat())
}

/// The names of the hooks that requests delete, in order.
fn deleted(requests: &[String]) -> Vec<String> {
    let deletions = requests.iter().filter(|line| line.starts_with("DELETE "));
    let paths = deletions.filter_map(|line| line.split([' ', '?']).nth(1));
    let hooks = paths.filter(|path| path.contains("/configmaps/") || path.contains("/jobs/"));
    let names = hooks.filter_map(|path| path.rsplit('/').next());
    names.map(str::to_owned).collect()
}

#[test]
fn hooks_that_succeeded_are_deleted_also_where_a_later_one_fails() {
    let place = Place::new("policies");
    let listening = Listening::on(&place);
    let through = ["--kubeconfig", listening.kubeconfig.as_str()];
    let chart = three(&place, "blue", "success");
    place.pintle(&["install", "app", &chart]).ok();
    let upgrade = ["upgrade", "app", &chart];
    // The one that is deleted only if it fails stays, and is in the way of the next run.
    let free = || {
        place.kubectl(&["delete", "configmap/failed"]).ok();
    };
    let mut seen = vec![];
    for (colour, plays, code) in [("red", "failure", 1), ("green", "success", 0)] {
        three(&place, colour, plays);
        let (run, requests) = listening.run(&place, &upgrade);
        run.fails_with(code);
        let ours = deleted(&requests);
        free();
        three(&place, &format!("dark{colour}"), plays);
        listening.taken();
        let helm = [&upgrade[..], &["--server-side=false", "--wait"], &through].concat();
        place.helm(&helm).fails_with(code);
        seen.push((ours, deleted(&listening.taken())));
        free();
    }
    let [failed, succeeded] = &seen[..] else {
        panic!("{seen:?}");
    };
    // The last one first, whatever comes of it. Helm does so only if all succeed; the one that fails goes
    // first there as well.
    let backwards = ["third", "second", "first"];
    assert_eq!(failed.0, backwards, "{seen:?}");
    assert_eq!(failed.1, ["third", "first", "second"], "{seen:?}");
    assert_eq!(succeeded.0, backwards, "{seen:?}");
    assert_eq!(succeeded.1, backwards, "{seen:?}");
}

/// A resource, and a test that goes once it has succeeded, and may have to be let run.
const TESTED: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: reach
  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  suspend: {{ values.suspend }}
  backoffLimit: 0
  template:
    metadata: {labels: {testbed/plays: success}}
    spec: {restartPolicy: Never, containers: [{name: reach, image: "reach:1"}]}
"#;

pub(crate) fn tested(place: &Place) -> String {
    place.chart("tested", "suspend: false\n", TESTED)
}

#[test]
fn the_result_of_a_test_stands_where_its_pods_may_not_be_listed() {
    let place = Place::new("unread");
    let chart = tested(&place);
    let verbs = [
        "get", "list", "watch", "create", "update", "patch", "delete",
    ];
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    let rules = [
        rule("", &["secrets", "configmaps"]),
        rule("batch", &["jobs"]),
        rule("coordination.k8s.io", &["leases"]),
    ];
    allow(&place, "most", &json!(rules));
    let place = place.seen_by(User::TenantAdmin);
    place.pintle(&["install", "app", &chart]).ok();
    let told = ["hook Job reach", "not allowed to list pods"];
    place
        .pintle(&["test", "app", "--logs"])
        .ok()
        .says(&told)
        .prints(&["TEST SUITE:     reach\n", "\nPhase:          Succeeded\n"]);
    place
        .pintle(&["status", "app"])
        .ok()
        .prints(&["\nPhase:          Succeeded\n"]);
    eventually("the test is deleted by its policy", || {
        (place.get(&["jobs"])["items"] == json!([])).then_some(())
    });
}
