//! Releases on the real API server: what each operation changes, and what it leaves alone.

use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::support::{Place, path};

const WEB: &str = "examples/web";
/// The resources of the example whose version only their own writers change.
const QUIET: [&str; 8] = [
    "serviceaccount/web-web",
    "secret/web-mail",
    "configmap/web-web",
    "role/web-web",
    "rolebinding/web-web",
    "service/web-cache",
    "service/web-web",
    "statefulset/web-cache",
];
const EVERYTHING: &str = "all,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,\
                          persistentvolumeclaims,poddisruptionbudgets";

/// The names of what is left in a namespace besides what every namespace has.
pub(crate) fn left(place: &Place) -> Vec<String> {
    let items = place.get(&[EVERYTHING])["items"]
        .as_array()
        .unwrap()
        .clone();
    let name = |item: &Value| format!("{}/{}", item["kind"], item["metadata"]["name"]);
    let names = items.iter().map(name);
    names
        .filter(|name| {
            !["ServiceAccount\"/\"default", "kube-root-ca"]
                .iter()
                .any(|k| name.contains(k))
        })
        .collect()
}

#[test]
fn a_release_is_ready_when_installed_and_gone_when_uninstalled() {
    let place = Place::without_namespace("life");
    let web = path(WEB);
    place
        .pintle(&["install", "web", &web, "--create-namespace"])
        .ok()
        .says(&[
            "10 to create",
            "ready Deployment web-web",
            "ready StatefulSet web-cache",
        ])
        .prints(&[
            "STATUS: deployed",
            "REVISION: 1",
            "Example shop runs as web",
        ]);
    let pods = place.get(&["pods"]);
    let is_ready = |pod: &&Value| {
        let conditions = pod["status"]["conditions"].as_array().unwrap();
        conditions
            .iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True")
    };
    assert_eq!(
        pods["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_ready)
            .count(),
        3
    );

    place
        .pintle(&["uninstall", "web"])
        .ok()
        .prints(&["has been uninstalled"]);
    assert_eq!(left(&place), [] as [&str; 0]);
    place
        .pintle(&["status", "web"])
        .fails_with(1)
        .says(&["release web not found"]);
}

#[test]
fn only_what_is_planned_is_written() {
    let place = Place::new("writes");
    let web = path(WEB);
    place.pintle(&["install", "web", &web]).ok();
    let (before, spec) = (
        place.versions(&QUIET),
        place.get(&["deployment/web-web"])["spec"].clone(),
    );
    place
        .pintle(&["upgrade", "web", &web, "--set", "replicas=3"])
        .ok()
        .says(&[
            "1 to configure, 9 unchanged",
            "configured Deployment web-web",
        ]);
    assert_eq!(place.versions(&QUIET), before);
    assert_eq!(place.get(&["deployment/web-web"])["spec"]["replicas"], 3);

    place
        .pintle(&["rollback", "web"])
        .ok()
        .prints(&["REVISION: 3", "Rollback to 1"]);
    assert_eq!(place.get(&["deployment/web-web"])["spec"], spec);

    // Until the last pod too many is gone, its controller goes on writing the status.
    eventually("the third pod is gone", || {
        let status = &place.get(&["deployment/web-web"])["status"];
        let is_zero = |count: &Value| count.as_u64().unwrap_or(0) == 0;
        is_zero(&status["terminatingReplicas"]).then_some(())
    });
    let workloads = ["deployment/web-web", "statefulset/web-cache"];
    let (before, quiet) = (place.versions(&workloads), place.versions(&QUIET));
    place
        .pintle(&["upgrade", "web", &web])
        .ok()
        .prints(&["is unchanged", "REVISION: 3"]);
    assert_eq!(
        (place.versions(&workloads), place.versions(&QUIET)),
        (before, quiet)
    );
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let place = Place::new("dry");
    let web = path(WEB);
    let run = place.pintle(&["install", "web", &web, "--dry-run"]).ok();
    run.prints(&[
        "10 to create",
        "+ Deployment web-web web/templates/web.yaml:1",
    ]);
    assert_eq!(left(&place), [] as [&str; 0]);
    place.pintle(&["install", "web", &web]).ok();
    let before = place.versions(&QUIET);
    let change = ["--set", "replicas=3,shop.title=Other"];
    for args in [
        &["diff", "web", &web][..],
        &["upgrade", "web", &web, "--dry-run"],
    ] {
        place.pintle(&[args, &change].concat()).ok().prints(&[
            "2 to configure, 8 unchanged",
            "~ ConfigMap web-web",
            "spec.replicas: 2 -> 3",
        ]);
    }
    assert_eq!(place.versions(&QUIET), before);
    place
        .pintle(&[&["diff", "web", &web, "--exit-code"], &change[..]].concat())
        .fails_with(5);
    place
        .pintle(&["diff", "web", &web, "--exit-code"])
        .ok()
        .prints(&["10 unchanged"]);
    let plan = place
        .pintle(&[&["diff", "web", &web, "-o", "json"], &change[..]].concat())
        .ok()
        .json();
    assert_eq!(plan["counts"]["configure"], 2);
    let deployment = plan["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["kind"] == "Deployment");
    let replicas = deployment.unwrap()["fields"].as_array().unwrap().iter();
    let replicas: Vec<_> = replicas
        .filter(|field| field["path"] == "spec.replicas")
        .collect();
    assert_eq!(
        replicas,
        [&json!({"path": "spec.replicas", "old": 2, "new": 3, "cause": "chart"})]
    );
}

#[test]
fn drift_is_shown_and_put_back() {
    let place = Place::new("drift");
    let web = path(WEB);
    place.pintle(&["install", "web", &web]).ok();
    place
        .kubectl(&["scale", "deployment/web-web", "--replicas=5"])
        .ok();
    place
        .kubectl(&["label", "deployment/web-web", "added-by=somebody"])
        .ok();
    place
        .pintle(&["diff", "web", &web])
        .ok()
        .prints(&["spec.replicas: 5 -> 2 (drift, by kubectl)"]);
    place
        .pintle(&["upgrade", "web", &web])
        .ok()
        .says(&["1 to configure"]);
    let live = place.get(&["deployment/web-web"]);
    assert_eq!(live["spec"]["replicas"], 2);
    assert_eq!(live["metadata"]["labels"]["added-by"], "somebody");
}

/// A Deployment that never fits on a node where `stuck` is set, and as many `ConfigMap`s as wanted.
const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      {% if values.stuck %}nodeSelector: {nowhere: \"true\"}{% endif %}
      containers:
        - name: app
          image: app:1
          env:
            - {name: A, value: a}
            {% if values.stuck %}- {name: STUCK, value: stuck}{% endif %}
{% for name in values.maps %}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name }}
{% endfor %}
";

/// A chart of which `stuck` never becomes ready.
pub(crate) fn small(place: &Place) -> String {
    place.chart("small", "stuck: false\nmaps: []\n", TEMPLATE)
}

#[test]
fn after_a_failed_upgrade_nothing_stray_remains() {
    let place = Place::new("failed");
    let chart = small(&place);
    let rule = r#"[{"rule": "self >= oldSelf", "message": "does not shrink"}]"#;
    let schema = format!(r#"{{"properties": {{"size": {{"x-kubernetes-validations": {rule}}}}}}}"#);
    std::fs::write(format!("{chart}/values.schema.json"), schema).unwrap();
    place.pintle(&["install", "app", &chart]).ok();
    place
        .pintle(&[
            "upgrade",
            "app",
            &chart,
            "--set",
            "stuck=true,maps={stray},size=2",
            "--timeout",
            "1s",
        ])
        .fails_with(3)
        .says(&["not ready: Deployment app", "pintle status"]);
    // What a failed revision has applied counts for rules about changes.
    place
        .pintle(&["upgrade", "app", &chart, "--set", "size=1"])
        .fails_with(2)
        .says(&["size: does not shrink (--set size"]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[1]["status"], "failed");
    assert!(
        history[1]["description"]
            .as_str()
            .unwrap()
            .contains("not ready")
    );
    place
        .pintle(&["upgrade", "app", &chart, "--set", "maps={wanted},size=2"])
        .ok()
        .says(&["deleted ConfigMap stray", "created ConfigMap wanted"]);
    let container = &place.get(&["deployment/app"])["spec"]["template"]["spec"];
    assert_eq!(
        container["containers"][0]["env"],
        json!([{"name": "A", "value": "a"}])
    );
    assert_eq!(container["nodeSelector"], Value::Null);
    let statuses = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let statuses: Vec<_> = statuses
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, ["superseded", "failed", "deployed"]);
}

#[test]
fn the_values_of_a_failed_upgrade_are_not_used_again() {
    let place = Place::new("reuse");
    let chart = small(&place);
    let install = ["install", "app", &chart, "--set", "maps={first}"];
    place.pintle(&install).ok();
    let stuck = ["upgrade", "app", &chart, "--set", "stuck=true"];
    place
        .pintle(&[&stuck[..], &["--timeout", "1s"]].concat())
        .fails_with(3);
    place
        .pintle(&["upgrade", "app", &chart])
        .ok()
        .says(&["using those of revision 1"]);
    let values = place.pintle(&["get", "values", "app", "-o", "json"]).ok();
    assert_eq!(values.json(), json!({"maps": ["first"]}));
}

#[test]
fn a_failed_installation_can_be_upgraded() {
    let place = Place::new("first");
    let chart = small(&place);
    place
        .pintle(&[
            "install",
            "app",
            &chart,
            "--set",
            "stuck=true",
            "--timeout",
            "1s",
        ])
        .fails_with(3);
    place
        .pintle(&["install", "app", &chart])
        .fails_with(1)
        .says(&["exists already", "upgrade"]);
    place
        .pintle(&["upgrade", "app", &chart, "--set", "stuck=false"])
        .ok();
    place.pintle(&["uninstall", "app"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn old_revisions_are_pruned() {
    let place = Place::new("prune");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    for name in ["a", "b", "c", "d"] {
        let set = format!("maps={{{name}}}");
        let upgrade = [
            "upgrade",
            "app",
            &chart,
            "--no-wait",
            "--history-max",
            "3",
            "--set",
            &set,
        ];
        place.pintle(&upgrade).ok();
    }
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    let revisions: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["revision"])
        .collect();
    assert_eq!(revisions, [3, 4, 5]);
    place
        .pintle(&["rollback", "app", "1"])
        .fails_with(1)
        .says(&["no revision 1", "3, 4, 5"]);
}

#[test]
fn a_rollback_without_a_number_goes_on_or_to_what_was_good() {
    let place = Place::new("back");
    let chart = small(&place);
    let stuck = ["--set", "stuck=true"];
    let quick = ["--timeout", "1s"];
    place
        .pintle(&[&["install", "app", &chart, "--no-wait"], &stuck[..]].concat())
        .ok();
    let good = ["upgrade", "app", &chart, "--set", "stuck=false"];
    place.pintle(&good).ok();
    // The first revision never becomes ready, and the same command goes on to it all the same.
    place
        .pintle(&[&["rollback", "app"], &quick[..]].concat())
        .fails_with(3);
    place
        .pintle(&["rollback", "app", "--no-wait"])
        .ok()
        .prints(&["REVISION: 4", "Rollback to 1"]);
    place
        .pintle(&["rollback", "app"])
        .ok()
        .prints(&["Rollback to 2"]);
    // Two upgrades fail; the one before the newest is no way back.
    for map in ["maps={a}", "maps={b}"] {
        let upgrade = ["upgrade", "app", &chart, "--set", map];
        place
            .pintle(&[&upgrade[..], &stuck, &quick].concat())
            .fails_with(3);
    }
    place
        .pintle(&["rollback", "app"])
        .ok()
        .prints(&["REVISION: 8", "Rollback to 5"]);
}

#[test]
fn transition_rules_see_the_running_values() {
    let place = Place::new("rules");
    let web = path(WEB);
    place
        .pintle(&[
            "install",
            "web",
            &web,
            "--no-wait",
            "--set",
            "cache.storage=2Gi",
        ])
        .ok();
    place
        .pintle(&["upgrade", "web", &web, "--set", "cache.storage=1Gi"])
        .fails_with(2)
        .says(&[
            "cache.storage",
            "the cache cannot shrink",
            "--set cache.storage",
        ]);
    place
        .pintle(&["upgrade", "web", &web, "--set", "replicas=1"])
        .fails_with(2)
        .says(&["minAvailable must be less than replicas"]);
    place
        .pintle(&["upgrade", "web", &web, "--no-wait"])
        .ok()
        .says(&["no values given: using those of revision 1"])
        .prints(&["is unchanged"]);
}

#[test]
fn foreign_resources_are_refused_in_one_list() {
    let place = Place::new("foreign");
    for name in ["configmap/web-web", "serviceaccount/web-web"] {
        let (kind, name) = name.split_once('/').unwrap();
        place.kubectl(&["create", kind, name]).ok();
    }
    place
        .pintle(&["install", "web", &path(WEB)])
        .fails_with(4)
        .says(&[
            "ConfigMap web-web",
            "ServiceAccount web-web",
            "app.kubernetes.io/managed-by is missing",
        ]);
    assert_eq!(
        left(&place),
        [
            "\"ConfigMap\"/\"web-web\"",
            "\"ServiceAccount\"/\"web-web\""
        ]
    );
}

#[test]
fn no_value_of_a_secret_is_ever_printed() {
    let place = Place::new("secret");
    let web = path(WEB);
    let values = place.file("mail.yaml", "mail: {password: top-secret-one}\n");
    let more = place.file("more.yaml", "mail: {password: top-secret-two}\n");
    let chart_error = place.file("bad.yaml", "mail: {password: {a: top-secret-two}}\n");
    let runs = [
        place
            .pintle(&["install", "web", &web, "-f", &values, "--dry-run"])
            .ok(),
        place
            .pintle(&[
                "install",
                "web",
                &web,
                "-f",
                &values,
                "--no-wait",
                "-o",
                "json",
            ])
            .ok(),
        place.pintle(&["diff", "web", &web, "-f", &more]).ok(),
        place
            .pintle(&["diff", "web", &web, "-f", &more, "-o", "yaml"])
            .ok(),
        place
            .pintle(&["upgrade", "web", &web, "-f", &more, "--no-wait"])
            .ok(),
        place
            .pintle(&["upgrade", "web", &web, "-f", &chart_error])
            .fails_with(2),
        place.pintle(&["status", "web", "-o", "json"]).ok(),
        place.pintle(&["list", "-o", "json"]).ok(),
    ];
    // In base64, as the API has it, as well.
    for run in runs {
        for secret in ["top-secret", "dG9wLXNlY3JldC"] {
            assert!(
                !(run.stdout.contains(secret) || run.stderr.contains(secret)),
                "{run}"
            );
        }
    }
    place
        .pintle(&["get", "values", "web"])
        .ok()
        .prints(&["top-secret-two"]);
}

#[test]
fn results_for_machines_have_helms_names() {
    let place = Place::new("json");
    let web = path(WEB);
    let installed = place
        .pintle(&["install", "web", &web, "-o", "json"])
        .ok()
        .json();
    assert_eq!(
        (&installed["name"], &installed["version"]),
        (&json!("web"), &json!(1))
    );
    assert_eq!(installed["info"]["status"], "deployed");
    let list = place.pintle(&["list", "-o", "json"]).ok().json();
    let helm = place.helm(&["list", "-o", "json"]).ok().json();
    assert_eq!(list, helm);
    let history = place.pintle(&["history", "web", "-o", "json"]).ok().json();
    let mut helm = place.helm(&["history", "web", "-o", "json"]).ok().json();
    // Both are RFC 3339; Helm writes the local offset.
    helm[0]["updated"] = history[0]["updated"].clone();
    assert_eq!(history, helm);
    let status = place.pintle(&["status", "web", "-o", "yaml"]).ok();
    status.prints(&["kind: StatefulSet", "health: ready"]);
}
