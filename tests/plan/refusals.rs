//! What would be refused, and what can only be known later.

use serde_json::{Value, json};
use testbed::User;

use super::{apply, chart, deployment, line};
use crate::lifecycle::left;
use crate::support::Place;

/// Five resources, each of which is refused for a reason of its own.
const FIVE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: Misspelt_Name
---
apiVersion: v1
kind: Service
metadata:
  name: unknown
spec:
  ports: [{port: 80}]
  selectors: {app: app}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: denied
---
apiVersion: v1
kind: Secret
metadata:
  name: many
stringData: {password: hunter2}
";

/// Denies config maps of one name in one namespace.
fn policy(place: &Place) {
    let namespace = &place.namespace;
    let text = format!(
        "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {namespace}}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}
  validations:
  - {{expression: \"object.metadata.name != 'denied'\", message: no such name here}}
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
    // It takes a moment until the API server heeds it.
    until_refused(place, &["create", "configmap", "denied"]);
}

/// Asks the API server the same again until it says no.
fn until_refused(place: &Place, args: &[&str]) {
    let asked = [args, &["--dry-run=server"]].concat();
    while place.kubectl(&asked).code == Some(0) {}
}

#[test]
fn everything_that_would_be_refused_is_told_at_once_and_nothing_is_written() {
    let place = Place::new("refused");
    policy(&place);
    let quota = ["create", "quota", "none", "--hard=secrets=0"];
    place.kubectl(&quota).ok();
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let label = ["label", "namespace", &place.namespace, label];
    place.kubectl(&label).ok();
    until_refused(&place, &["create", "secret", "generic", "many"]);
    let template = format!("{FIVE}{}", deployment("web", 1, ""));
    let chart = chart(&place, "five", &template);
    let before = left(&place);
    for args in [
        &["install", "five", &chart][..],
        &["install", "five", &chart, "--dry-run"],
    ] {
        let run = place.pintle(args).fails_with(1).says(&[
            "5 changes would be refused, so nothing was written",
            "ConfigMap Misspelt_Name (five/templates/all.yaml:1): metadata.name: Invalid value",
            "Service unknown (five/templates/all.yaml:6): unknown field \"spec.selectors\"",
            "ConfigMap denied (five/templates/all.yaml:14): ValidatingAdmissionPolicy",
            "no such name here",
            "Secret many (five/templates/all.yaml:19): exceeded quota: none",
            "pods of Deployment web (five/templates/all.yaml:25): violates PodSecurity",
        ]);
        assert!(!run.stderr.contains("hunter2"), "{run}");
    }
    assert_eq!(left(&place), before);
    let client = ["install", "five", &chart, "--dry-run=client"];
    place.pintle(&client).ok().prints(&["5 to create"]);
}

#[test]
fn what_the_api_server_is_not_asked_about_is_found_when_it_is_written() {
    let place = Place::new("unasked");
    let chart = chart(
        &place,
        "bad",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_b}\n",
    );
    let install = ["install", "bad", &chart, "--no-validate"];
    place
        .pintle(&install)
        .fails_with(1)
        .says(&["cannot create ConfigMap A_b (bad/templates/all.yaml:1)"]);
    place.pintle(&["history", "bad"]).ok().prints(&["failed"]);
}

#[test]
fn a_webhook_that_does_not_answer_is_named() {
    let place = Place::new("webhook");
    let namespace = &place.namespace;
    let text = format!(
        "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: down.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {{service: {{name: nobody, namespace: {namespace}}}}}
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
  rules:
  - {{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}
"
    );
    apply(&place, "webhook.yaml", &text);
    until_refused(&place, &["create", "configmap", "a"]);
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let own = chart(&place, "map", map);
    place
        .pintle(&["install", "map", &own])
        .fails_with(1)
        .says(&[
            &format!("ValidatingWebhookConfiguration {namespace}: failed calling webhook"),
            "\"down.example.com\"",
            "see that what the webhook calls is up",
        ]);
    // Where the plan makes what the webhook calls, it may answer later.
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: nobody}\nspec: {ports: [{port: 443}]}\n";
    let both = chart(&place, "both", &format!("{service}---\n{map}"));
    let plan = ["install", "both", &both, "--dry-run", "-o", "json"];
    let plan = place.pintle(&plan).ok().json();
    assert_eq!(
        line(&plan, "ConfigMap", "a")["checked_later"],
        json!(["Service nobody is made by this change"])
    );
    let delete = ["delete", "validatingwebhookconfiguration", namespace];
    place.kubectl(&delete).ok();
}

#[test]
fn what_the_plan_itself_makes_is_checked_later() {
    let place = Place::new("later");
    let namespace = &place.namespace;
    let pod = "serviceAccountName: own\n      priorityClassName: CLASS".replace("CLASS", namespace);
    let template = format!(
        "\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: own}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: {namespace}}}
value: 1000
---
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}-b}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: inside, namespace: {namespace}-b}}
{}",
        deployment("web", 1, &pod)
    );
    let chart = chart(&place, "late", &template);
    let plan = ["install", "late", &chart, "--dry-run", "-o", "json"];
    let plan = place.pintle(&plan).ok().json();
    assert_eq!(
        line(&plan, "ConfigMap", "inside")["checked_later"],
        json!([format!("Namespace {namespace}-b is made by this change")])
    );
    let said = &line(&plan, "Deployment", "web")["checked_later"];
    assert_eq!(said.as_array().unwrap().len(), 1, "{said}");
    assert_eq!(
        line(&plan, "ServiceAccount", "own")["checked_later"],
        Value::Null
    );
    place
        .pintle(&["install", "late", &chart, "--dry-run"])
        .ok()
        .prints(&["checked later: Namespace"]);
    place.pintle(&["install", "late", &chart]).ok();
    place.pintle(&["uninstall", "late"]).ok();
}

#[test]
fn what_waits_for_the_namespace_is_checked_before_the_record_is_written() {
    let place = Place::without_namespace("made-first");
    let namespace = &place.namespace;
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n";
    let bad = chart(&place, "bad", map);
    place.pintle(&["install", "bad", &bad]).fails_with(1).says(&[
        &format!("ConfigMap Bad_Name (bad/templates/all.yaml:1): namespace {namespace} does not exist"),
        "--create-namespace",
    ]);
    let install = ["install", "bad", &bad, "--create-namespace"];
    place
        .pintle(&[&install[..], &["--dry-run"]].concat())
        .ok()
        .prints(&[&format!(
            "checked later: Namespace {namespace} is made first"
        )]);
    place.pintle(&install).fails_with(1).says(&[
        "created Namespace",
        "ConfigMap Bad_Name",
        "Invalid value",
    ]);
    assert_eq!(left(&place), [] as [&str; 0]);
    let good = chart(&place, "good", &map.replace("Bad_Name", "good"));
    place
        .pintle(&["install", "good", &good, "--create-namespace"])
        .ok();
}

#[test]
fn quotas_are_counted_over_the_whole_plan() {
    let place = Place::new("quota");
    let quota = ["create", "quota", "few", "--hard=pods=3,requests.cpu=1"];
    place.kubectl(&quota).ok();
    until_refused(
        &place,
        &[
            "run",
            "big",
            "--image=a",
            "--overrides={\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"2\"}}}]}}",
        ],
    );
    let pod = "resources: {requests: {cpu: 250m}}";
    let pods = |name, count| {
        deployment(name, count, "").replace("image: 'app:1'", &format!("image: 'app:1', {pod}"))
    };
    let two = chart(&place, "two", &format!("{}{}", pods("a", 2), pods("b", 3)));
    let before = left(&place);
    place.pintle(&["install", "two", &two]).fails_with(1).says(&[
        "ResourceQuota few: pods: 0 of 3 used, and this change adds 5: Deployment a 2, Deployment b 3",
        "ResourceQuota few: requests.cpu: 0 of 1 used, and this change adds 1250m",
    ]);
    assert_eq!(left(&place), before);
    let few = chart(&place, "few", &pods("a", 2));
    place.pintle(&["install", "few", &few]).ok();
    let more = chart(&place, "few", &pods("a", 4));
    place
        .pintle(&["upgrade", "few", &more])
        .fails_with(1)
        .says(&["pods: 2 of 3 used, and this change adds 2"]);
}

#[test]
fn what_stands_twice_in_a_manifest_is_found() {
    let place = Place::new("twice");
    let service = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  type: NodePort\n  \
             ports: [{{port: 80, nodePort: 32123}}]\n"
        )
    };
    let ports = chart(
        &place,
        "ports",
        &format!("{}{}", service("a"), service("b")),
    );
    place
        .pintle(&["install", "ports", &ports])
        .fails_with(1)
        .says(&[
            "Service b (ports/templates/all.yaml:9): node port 32123 is asked for by Service a \
         (ports/templates/all.yaml:2) as well",
        ]);
    let env = "\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: a
    image: a
    env:
    - {name: A, value: a}
    - {name: B, value: b}
    - {name: A, value: c}
";
    let env = chart(&place, "env", env);
    place.pintle(&["install", "env", &env, "--dry-run"]).ok().says(&[
        "warning: Pod a: A stands twice in spec.containers[0].env, at env/templates/all.yaml:9 and \
         env/templates/all.yaml:11: the second one counts",
    ]);
}

#[test]
fn what_the_user_may_not_do_is_said_beforehand() {
    let place = Place::new("rights");
    let namespace = place.namespace.clone();
    let role = [
        "create",
        "role",
        "some",
        "--verb=*",
        "--resource=secrets,leases,deployments.apps",
    ];
    place.kubectl(&role).ok();
    let bind = [
        "create",
        "rolebinding",
        "some",
        "--role=some",
        "--user=tenant-admin",
    ];
    place.kubectl(&bind).ok();
    let read = [
        "create",
        "role",
        "read",
        "--verb=get,list",
        "--resource=configmaps",
    ];
    place.kubectl(&read).ok();
    let bind = [
        "create",
        "rolebinding",
        "read",
        "--role=read",
        "--user=tenant-admin",
    ];
    place.kubectl(&bind).ok();
    let template = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{}",
        deployment("web", 1, "")
    );
    let chart = chart(&place, "some", &template);
    let place = place.seen_by(User::TenantAdmin);
    let run = place.pintle(&["install", "some", &chart]).fails_with(1);
    let run = run.says(&[
        "1 change would be refused",
        "ConfigMap a (some/templates/all.yaml:1): you are not allowed to create it",
        "ask an administrator",
    ]);
    assert!(!run.stderr.contains("Deployment"), "{run} in {namespace}");
}

#[test]
fn accounts_priorities_and_warnings_of_the_api_server_are_told() {
    let place = Place::new("told");
    let old = "nodeSelector: {beta.kubernetes.io/os: linux}";
    let warned = deployment("old", 1, old);
    let bad = [
        deployment("one", 1, "serviceAccountName: nobody"),
        deployment("two", 1, "priorityClassName: nothing"),
    ];
    let both = chart(&place, "told", &bad.concat());
    place
        .pintle(&["install", "told", &both, "--dry-run"])
        .fails_with(1)
        .says(&[
            "2 changes would be refused, so nothing was written",
            "pods of Deployment one (told/templates/all.yaml:2): ",
            "serviceaccount \"nobody\" not found",
            "pods of Deployment two (told/templates/all.yaml:",
            "no PriorityClass with name nothing was found",
        ]);
    let fine = chart(&place, "told", &warned);
    let plan = ["install", "told", &fine, "--dry-run"];
    let run = place.pintle(&plan).ok();
    run.prints(&[
        "+ Deployment old",
        "warning: ",
        "beta.kubernetes.io/os]: deprecated since",
    ]);
}
