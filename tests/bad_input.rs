//! What is wrong ends with a clear error and the documented exit code, and sends no write.

use serde_json::Value;
use testbed::User;

use crate::support::{Place, Run};

const METADATA: &str = "\
apiVersion: v2
name: small
version: 1.0.0
annotations:
  pintle.dev/engine: tera
";

const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {"replicas": {"type": "integer"}, "colour": {"type": "string"}}
}"#;

const TEMPLATE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ release.name }}
data:
  colour: {{ values.colour }}
";

/// A chart of one template, and its folder.
fn chart(place: &Place, template: &str) -> String {
    let metadata = place.file("small/Chart.yaml", METADATA);
    place.file("small/values.yaml", "replicas: 1\ncolour: red\n");
    place.file("small/values.schema.json", SCHEMA);
    place.file("small/templates/map.yaml", template);
    metadata.trim_end_matches("/Chart.yaml").to_owned()
}

/// Installs and expects exit code 2, `parts` in the messages, nothing on stdout, and no trace on
/// the cluster.
#[track_caller]
fn check(place: &Place, args: &[&str], parts: &[&str]) {
    let run = place
        .pintle(&[&["install"], args].concat())
        .fails_with(2)
        .says(parts);
    assert_eq!(run.stdout, "", "{run}");
    let left: Value = place.get(&[
        "secrets,configmaps",
        "-l",
        "app.kubernetes.io/managed-by=Helm",
    ]);
    assert_eq!(left["items"], serde_json::json!([]), "{run}");
    assert_eq!(
        place.get(&["secrets", "-l", "owner=helm"])["items"],
        serde_json::json!([])
    );
}

#[test]
fn missing_and_broken_charts() {
    let place = Place::new("bad-chart");
    check(&place, &["web", "./no-such-chart"], &["./no-such-chart"]);
    let empty = place.file("empty/README.md", "nothing");
    check(
        &place,
        &["web", empty.trim_end_matches("/README.md")],
        &["Chart.yaml"],
    );
    let chart = chart(&place, TEMPLATE);
    place.file("small/Chart.yaml", "name: small\nversion: [1\n");
    check(&place, &["web", &chart], &["Chart.yaml:"]);
    place.file("small/Chart.yaml", METADATA);
    place.file("small/values.yaml", "replicas: 1\ncolour: {a: 1\nx: 2\n");
    check(&place, &["web", &chart], &["values.yaml:3:"]);
}

#[test]
fn templates_that_do_not_render() {
    let place = Place::new("bad-template");
    let chart = chart(&place, &TEMPLATE.replace("values.colour", "values.color"));
    check(
        &place,
        &["web", &chart],
        &[
            "small/templates/map.yaml:6:",
            "color",
            "did you mean",
            "colour",
            "replicas",
        ],
    );
    place.file(
        "small/templates/map.yaml",
        &TEMPLATE.replace("data:\n  colour", "data:\n colour: [\n  x"),
    );
    check(
        &place,
        &["web", &chart],
        &[
            "of what small/templates/map.yaml renders to",
            "not valid YAML",
        ],
    );
    place.file("small/templates/again.yaml", TEMPLATE);
    place.file("small/templates/map.yaml", TEMPLATE);
    check(
        &place,
        &["web", &chart],
        &[
            "ConfigMap web is already defined at line 1 of what small/templates/again.yaml renders to",
            "line 1 of what small/templates/map.yaml renders to",
        ],
    );
    place.file("small/templates/map.yaml", &"{{ 1 | nope }}\n".repeat(30));
    let run = place.pintle(&["template", &chart]).fails_with(2);
    assert_eq!(
        run.stderr.matches("there is no filter nope").count(),
        21,
        "{run}"
    );
    run.says(&["and 9 more"]);
}

#[test]
fn values_that_the_schema_refuses() {
    let place = Place::new("bad-values");
    let chart = chart(&place, TEMPLATE);
    check(
        &place,
        &["web", &chart, "--set", "replica=2"],
        &["replica", "did you mean", "replicas"],
    );
    check(
        &place,
        &["web", &chart, "--set", "replicas=two"],
        &["replicas", "integer"],
    );
    let file = place.file("more.yaml", "colour: red\nreplicas: two\n");
    check(
        &place,
        &["web", &chart, "-f", &file],
        &["more.yaml:2", "replicas", "integer"],
    );
    check(
        &place,
        &["web", &chart, "--set", "a[99999999]=1"],
        &["a[99999999]", "65536"],
    );
    let broken = place.file("broken.yaml", "a: 1\nb: [\n");
    check(&place, &["web", &chart, "-f", &broken], &["broken.yaml:"]);
    check(
        &place,
        &["web", &chart, "-f", "no-such.yaml"],
        &["no-such.yaml"],
    );
}

#[test]
fn names_that_no_release_can_have() {
    let place = Place::new("bad-name");
    let chart = chart(&place, TEMPLATE);
    check(&place, &[&"a".repeat(54), &chart], &["54 characters", "53"]);
    check(&place, &["Web", &chart], &["\"Web\"", "DNS-1123"]);
}

#[test]
fn links_out_of_the_chart() {
    let place = Place::new("bad-link");
    let chart = chart(&place, TEMPLATE);
    let outside = place.file("secret.txt", "do not read");
    std::os::unix::fs::symlink(outside, format!("{chart}/link.txt")).unwrap();
    check(&place, &["web", &chart], &["link.txt", "secret.txt"]);
}

#[test]
fn charts_that_need_what_is_not_built_yet() {
    let place = Place::new("bad-feature");
    let chart = chart(&place, "a: {{ .Values.colour }}\n");
    place.file(
        "small/Chart.yaml",
        "apiVersion: v2\nname: small\nversion: 1.0.0\n",
    );
    check(&place, &["web", &chart], &["pintle.dev/engine"]);
}

#[test]
fn generators_are_checked_before_anything_is_made() {
    let place = Place::new("bad-generator");
    let authority = "\
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: ca}
spec: {commonName: ca}
";
    let refused = |template: &str, parts: &[&str]| {
        let chart = chart(&place, template);
        check(&place, &["web", &chart], parts);
    };
    refused(
        &authority.replace("commonName", "comonName"),
        &[
            "line 1 of what small/templates/map.yaml renders to",
            "spec.comonName",
            "commonName",
        ],
    );
    let leaf = "\
---
apiVersion: generate.pintle.dev/v1
kind: Certificate
metadata: {name: web}
spec: {issuer: cas, commonName: web, usages: [server auth], dnsNames: [web]}
";
    refused(
        &format!("{authority}{leaf}"),
        &[
            "line 6 of what small/templates/map.yaml renders to",
            "cas",
            "ca",
        ],
    );
    refused(
        &format!("{authority}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: ca}}\n"),
        &[
            "line 1 of what small/templates/map.yaml renders to",
            "Secret ca",
            "another name",
        ],
    );
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: generate.pintle.dev/v1\n  \
                kind: CertificateAuthority\n  metadata: {name: ca}\n";
    refused(list, &["a document of its own"]);
    let typo = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: \
                {pintle.dev/uses: cb}}\nspec: {template: {}}\n";
    refused(
        &format!("{authority}---\n{typo}"),
        &["pintle.dev/uses", "cb", "small/templates/map.yaml:6"],
    );
}

#[test]
fn groups_without_an_order_are_refused() {
    let place = Place::new("bad-groups");
    let member = |name: &str, group: &str, after: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    \
             helm.sh/resource-group: {group}\n    \
             helm.sh/depends-on/resource-groups: '{after}'\n"
        )
    };
    let refused = |template: &str, parts: &[&str]| {
        let chart = chart(&place, template);
        check(&place, &["web", &chart], parts);
    };
    refused(
        &[
            member("a", "one", r#"["two"]"#),
            member("b", "two", r#"["one"]"#),
        ]
        .concat(),
        &["one -> two -> one"],
    );
    refused(
        &member("a", "one", r#"["tow"]"#),
        &[
            "line 2 of what small/templates/map.yaml renders to",
            "\"tow\"",
            "there are one",
        ],
    );
    refused(
        &member("a", "one", "two"),
        &[
            "line 2 of what small/templates/map.yaml renders to",
            "JSON list",
        ],
    );
    let ready = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: \
                 {pintle.dev/ready: no-old-pod}}\n";
    refused(ready, &["no-old-pod", "no-old-pods", "written"]);
}

#[test]
fn usage_errors_have_the_same_code() {
    let place = Place::without_namespace("bad-usage");
    place
        .pintle(&["instal", "web", "chart"])
        .fails_with(2)
        .says(&["install"]);
    place
        .pintle(&["upgrade", "web"])
        .fails_with(2)
        .says(&["CHART"]);
    let missing = place.folder().join("plan.json").display().to_string();
    place.pintle(&["apply", &missing]).fails_with(2).says(&[
        &format!("cannot read {missing}"),
        "pintle plan RELEASE CHART --out FILE",
    ]);
}

fn unreachable(place: &Place, args: &[&str]) -> Run {
    let config = "\
apiVersion: v1
kind: Config
current-context: far
contexts: [{name: far, context: {cluster: far, user: me}}]
clusters: [{name: far, cluster: {server: 'https://127.0.0.1:9'}}]
users: [{name: me, user: {token: none}}]
";
    let file = place.file("far.yaml", config);
    place.pintle(&[args, &["--kubeconfig", &file]].concat())
}

#[test]
fn what_fails_on_the_way_to_the_cluster() {
    let place = Place::new("bad-cluster");
    unreachable(&place, &["list"])
        .fails_with(1)
        .says(&["cannot reach the API server https://127.0.0.1:9", "hint"]);
    for address in ["nonsense", "127.0.0.1:6443", "ftp://127.0.0.1"] {
        let list = ["list", "--kube-apiserver", address];
        let run = place.pintle(&list).fails_with(1);
        assert!(!run.stderr.contains("panicked"), "{run}");
        run.says(&[address, "is no address such as https://10.0.0.1:6443"]);
    }
    place
        .pintle(&["list", "--kubeconfig", "no-such-config"])
        .fails_with(1)
        .says(&["no-such-config"]);
    for args in [
        &["status", "web"][..],
        &["history", "web"],
        &["uninstall", "web"],
        &["rollback", "web"],
    ] {
        place.pintle(args).fails_with(1).says(&[
            "release web not found in namespace",
            &place.namespace,
            "pintle list -A",
        ]);
    }
    let chart = chart(&place, TEMPLATE);
    place
        .pintle(&["upgrade", "web", &chart])
        .fails_with(1)
        .says(&[
            "release web not found",
            "nothing to upgrade",
            "`pintle install`",
        ]);
}

#[test]
fn rights_that_are_missing_are_named() {
    let place = Place::new("bad-rights").seen_by(User::Nobody);
    place
        .pintle(&["list"])
        .fails_with(1)
        .says(&["not allowed to list secrets in namespace", &place.namespace]);
}

#[test]
fn a_namespace_that_does_not_exist() {
    let place = Place::without_namespace("bad-namespace");
    let chart = chart(&place, TEMPLATE);
    place
        .pintle(&["install", "web", &chart])
        .fails_with(1)
        .says(&["namespace", "does not exist", "--create-namespace"]);
}

#[test]
fn templates_that_take_too_much() {
    let place = Place::new("too-much");
    let endless = "{% set_global x = [1, 2, 3, 4] %}\
        {% for a in range(end=60) %}{% set_global x = [...x, ...x] %}{% endfor %}";
    let chart = chart(&place, &format!("{TEMPLATE}{endless}"));
    let parts = [
        "error: small takes more than 144 MiB of memory",
        "nothing has been changed",
        "PINTLE_CHART_MEMORY",
    ];
    check(&place, &["web", &chart], &parts);
}
