//! Fields that belong to autoscalers, controllers and injectors.

use serde_json::json;

use super::output::fits;
use super::{apply, chart, deployment, line};
use crate::support::Place;

fn autoscaler(name: &str) -> String {
    format!(
        "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}}}\n\
         spec:\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}\n  \
         minReplicas: 1\n  maxReplicas: 9\n"
    )
}

#[test]
fn replicas_are_left_to_an_autoscaler() {
    let place = Place::new("scaled");
    let web = deployment("web", 2, "");
    let alone = chart(&place, "web", &web);
    place.pintle(&["install", "web", &alone]).ok();
    place
        .kubectl(&["scale", "deployment/web", "--replicas=4"])
        .ok();
    let drifted = ["diff", "web", &alone];
    place
        .pintle(&drifted)
        .ok()
        .prints(&["spec.replicas: 4 -> 2"]);
    apply(&place, "hpa.yaml", &autoscaler("foreign"));
    let run = place.pintle(&["upgrade", "web", &alone]).ok();
    run.prints(&["is unchanged"]);
    place
        .pintle(&["diff", "web", &alone, "--show-ignored"])
        .ok()
        .prints(&[
            "Deployment web",
            "spec.replicas: 4 is left to the HorizontalPodAutoscaler",
            "\nleft to others:\n",
            "spec.clusterIP of Service: to the API server where the chart gives no address\n",
        ]);
    place.kubectl(&["delete", "hpa/foreign"]).ok();
    // One of the release, which a chart that gives no replicas any more comes with.
    let bare = web.replace("  replicas: 2\n", "");
    let own = chart(&place, "web", &format!("{bare}{}", autoscaler("own")));
    place.pintle(&["upgrade", "web", &own]).ok();
    assert_eq!(place.get(&["deployment/web"])["spec"]["replicas"], 4);
}

/// A webhook of an API that nobody asks, with a bundle.
fn hook(namespace: &str, bundle: &str) -> String {
    format!(
        "\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: a.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {{url: 'https://127.0.0.1:1/', caBundle: {bundle}}}
  objectSelector: {{matchLabels: {{nobody: has-this}}}}
  rules:
  - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}}
"
    )
}

#[test]
fn what_others_inject_stays() {
    let place = Place::new("injected");
    let namespace = &place.namespace;
    let text = format!("{}{}", deployment("web", 1, ""), hook(namespace, "Cg=="));
    let chart = chart(&place, "web", &text);
    let plan = ["install", "web", &chart, "--dry-run", "-o", "json"];
    let plan = place.pintle(&plan).ok().json();
    let hook_line = line(&plan, "ValidatingWebhookConfiguration", namespace);
    assert_eq!(
        hook_line["checked_later"],
        json!(["what it admits is not known before it is there"])
    );
    place.pintle(&["install", "web", &chart]).ok();
    let bundle = r#"[{"op":"replace","path":"/webhooks/0/clientConfig/caBundle","value":"YWJj"}]"#;
    let own = format!("validatingwebhookconfiguration/{namespace}");
    place
        .kubectl(&["patch", &own, "--type=json", "-p", bundle])
        .ok();
    let sidecar =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}"#;
    place
        .kubectl(&["patch", "deployment/web", "-p", sidecar])
        .ok();
    place
        .pintle(&["upgrade", "web", &chart])
        .ok()
        .prints(&["is unchanged"]);
    let config = place.get(&[&own]);
    assert_eq!(config["webhooks"][0]["clientConfig"]["caBundle"], "YWJj");
    let pods = place.get(&["deployment/web"])["spec"]["template"]["spec"].clone();
    assert_eq!(pods["containers"].as_array().unwrap().len(), 2);
    place.pintle(&["uninstall", "web"]).ok();
}

#[test]
fn a_bundle_belongs_to_the_webhook_of_its_name() {
    let place = Place::new("bundles");
    let namespace = &place.namespace;
    let one = hook(namespace, "Cg==");
    let chart = |text: &str| chart(&place, "web", text);
    place.pintle(&["install", "web", &chart(&one)]).ok();
    let bundle = r#"[{"op":"replace","path":"/webhooks/0/clientConfig/caBundle","value":"YWJj"}]"#;
    let own = format!("validatingwebhookconfiguration/{namespace}");
    place
        .kubectl(&["patch", &own, "--type=json", "-p", bundle])
        .ok();
    let (head, only) = one.split_once("webhooks:\n").unwrap();
    let another = only.replace("a.example.com", "b.example.com");
    let two = format!("{head}webhooks:\n{another}{only}");
    place.pintle(&["upgrade", "web", &chart(&two)]).ok();
    let config = place.get(&[&own]);
    assert_eq!(config["webhooks"][0]["name"], "b.example.com");
    assert_eq!(config["webhooks"][1]["clientConfig"]["caBundle"], "YWJj");
    place.pintle(&["uninstall", "web"]).ok();
}

#[test]
fn foreign_resources_are_taken_over_when_the_user_says_so() {
    let place = Place::new("adopted");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {own: 'yes'}\n";
    apply(
        &place,
        "a.yaml",
        &text.replace("own: 'yes'", "other: 'yes', own: 'no'"),
    );
    let chart = chart(&place, "a", text);
    let install = ["install", "a", &chart];
    place
        .pintle(&install)
        .fails_with(4)
        .says(&["--take-ownership"]);
    place
        .pintle(&[&install[..], &["--take-ownership"]].concat())
        .ok();
    let live = place.get(&["configmap/a"]);
    assert_eq!(live["data"], json!({"own": "yes", "other": "yes"}));
    assert_eq!(
        live["metadata"]["annotations"]["meta.helm.sh/release-name"],
        "a"
    );
    place.pintle(&["uninstall", "a"]).ok();
    place.kubectl(&["get", "configmap/a"]).fails_with(1);
}

#[test]
fn what_no_chart_speaks_of_is_shown_with_its_owner() {
    let place = Place::new("untouched");
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{own: abc}}\n{}",
        deployment("web", 1, "")
    );
    // Its controller, too, would write something.
    let text = text.replace("  replicas: 1\n", "  replicas: 1\n  paused: true\n");
    let chart = chart(&place, "web", &text);
    place.pintle(&["install", "web", &chart, "--no-wait"]).ok();
    let patch = |resource: &str, patch: &str| {
        let by = ["--field-manager=injector", "-p", patch];
        place
            .kubectl(&[&["patch", resource][..], &by].concat())
            .ok();
    };
    patch(
        "deployment/web",
        r#"{"metadata":{"annotations":{"example.com/note":"seen"}},"spec":{"template":{"spec":
        {"containers":[{"name":"side","image":"side:1","imagePullPolicy":"Always"}]}}}}"#,
    );
    patch("secret/login", r#"{"data":{"other":"c2VjcmV0"}}"#);
    let diff = ["diff", "web", &chart, "--show-ignored"];
    let run = place.pintle(&diff).ok();
    let (shown, _) = run.stdout.split_once("left to others:").unwrap();
    insta::assert_snapshot!("untouched", shown);
    let run = place.pintle(&[&diff[..], &["-o", "json"]].concat()).ok();
    assert!(!run.stdout.contains("c2VjcmV0"), "{run}");
    let plan = fits("diff", &run);
    let left = line(&plan, "Deployment", "web")["untouched"]
        .as_array()
        .unwrap();
    let find = |path: &str| left.iter().find(|one| one["path"] == path).unwrap();
    let note = find("metadata.annotations[\"example.com/note\"]");
    assert_eq!(
        (&note["owner"], &note["live"]),
        (&json!("other"), &json!("seen"))
    );
    assert_eq!(note["by"]["manager"], "injector");
    let policy = find("spec.template.spec.dnsPolicy");
    assert_eq!(
        *policy,
        json!({"path": "spec.template.spec.dnsPolicy", "live": "ClusterFirst",
        "owner": "server"})
    );
    let left = &line(&plan, "Secret", "login")["untouched"];
    assert_eq!(left[0]["live"], "(redacted, 6 bytes)");
}
