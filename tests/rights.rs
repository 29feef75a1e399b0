//! What a user has to be allowed to do, and how it is told what is missing.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use testbed::User;

use crate::lifecycle::{left, small};
use crate::support::{Place, api, path, testbed};

/// Lets the user `tenant-admin` do these things in the namespace of a place.
pub(crate) fn allow(place: &Place, role: &str, rules: &Value) {
    let group = "rbac.authorization.k8s.io";
    let role_body = json!({"metadata": {"name": role}, "rules": rules});
    bind(place, ("roles", &role_body));
    let binding = json!({
        "metadata": {"name": role},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": User::TenantAdmin.name()}],
    });
    bind(place, ("rolebindings", &binding));
}

/// Creates an object of RBAC in the namespace of a place.
fn bind(place: &Place, (plural, body): (&str, &Value)) {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    let path = format!("{group}/namespaces/{}/{plural}", place.namespace);
    api::create(&testbed().kubeconfig, &path, body);
}

/// Every verb that is needed but `watch`, on these resources of the API group.
pub(crate) fn rule(group: &str, resources: &[&str]) -> Value {
    let verbs = ["get", "list", "create", "update", "patch", "delete"];
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

#[test]
fn flags_say_who_asks_and_where() {
    let kubeconfig = |user: User| {
        let text = fs::read_to_string(testbed().kubeconfig_of(user)).unwrap();
        pintle::yaml::parse(&text).unwrap()
    };
    let token = |user: User| {
        let token = kubeconfig(user)["users"][0]["user"]["token"].clone();
        token.as_str().unwrap().to_owned()
    };
    let place = Place::new("flags").seen_by(User::Nobody);
    let list = |flags: &[&str]| place.pintle(&[&["list"], flags].concat());
    list(&[]).fails_with(1).says(&["not allowed to list"]);
    let admin = token(User::Admin);
    list(&["--kube-token", &admin]).ok();
    list(&[
        "--kube-token",
        &admin,
        "--kube-as-user",
        "eve",
        "--kube-as-group",
        "system:masters",
    ])
    .ok();
    list(&["--kube-token", &admin, "--kube-as-user", "eve"])
        .fails_with(1)
        .says(&["not allowed to list"]);
    let wrong = list(&["--kube-token", "s3cr3t"]).fails_with(1);
    assert!(
        !wrong
            .to_string()
            .replace("--kube-token s3cr3t", "")
            .contains("s3cr3t"),
        "{wrong}"
    );
    // There need not be a kubeconfig.
    let server = &testbed().server;
    let place = place.setting("KUBECONFIG", "/nowhere/config");
    let list = |flags: &[&str]| {
        let all = ["list", "--kube-apiserver", server, "--kube-token", &admin];
        place.pintle(&[&all[..], flags].concat())
    };
    list(&[]).fails_with(1).says(&["certificate"]);
    list(&["--kube-insecure-skip-tls-verify"]).ok();
    let cluster = kubeconfig(User::Admin)["clusters"][0]["cluster"].clone();
    let authority = if let Some(path) = cluster["certificate-authority"].as_str() {
        path.to_owned()
    } else {
        let data = cluster["certificate-authority-data"].as_str().unwrap();
        let pem = BASE64_STANDARD.decode(data).unwrap();
        place.file("ca.crt", &String::from_utf8(pem).unwrap())
    };
    list(&["--kube-ca-file", &authority]).ok();
    list(&[
        "--kube-ca-file",
        &authority,
        "--kube-tls-server-name",
        "elsewhere",
    ])
    .fails_with(1)
    .says(&["certificate"]);
}

#[test]
fn all_rights_that_are_missing_are_told_before_the_first_write() {
    let place = Place::new("rights");
    let chart = small(&place);
    let home = format!("in namespace {}\n", place.namespace);
    let watch = format!("\n  Deployment app: not allowed to watch deployments.apps {home}");
    let lease = format!(
        "\n  Lease pintle.app: not allowed to create, get, update, delete \
         leases.coordination.k8s.io {home}"
    );
    let secret = format!(
        "\n  Secret sh.helm.release.v1.app: not allowed to create, get, list, patch secrets \
         {home}"
    );
    let counted =
        |count: &str| format!("error: {count} would be refused, so nothing was written\n");
    let unread = |resource: &str, kinds: &str| {
        format!("\n  {resource}: not allowed to get, list, create, patch {kinds} {home}")
    };
    let place = place.seen_by(User::TenantAdmin);
    let install = |said: &[&str]| {
        let run = place.pintle(&["install", "app", &chart, "--set", "maps={a}"]);
        run.fails_with(1).says(said);
    };

    // Nothing can be planned where not even the history can be read.
    install(&[&counted("2 changes"), &secret, &lease]);
    allow(&place, "secrets", &json!([rule("", &["secrets"])]));
    install(&[
        &counted("3 changes"),
        &lease,
        &unread("ConfigMap a", "configmaps"),
        &unread("Deployment app", "deployments.apps"),
    ]);
    let little = [rule("", &["configmaps"]), rule("apps", &["deployments"])];
    allow(&place, "little", &json!(little));
    install(&[&counted("2 changes"), &lease, &watch]);
    let leases = rule("coordination.k8s.io", &["leases"]);
    allow(&place, "leases", &json!([leases]));
    install(&[&counted("1 change"), &watch]);
    let place = place.seen_by(User::Admin);
    assert_eq!(
        place.get(&["secrets,deployments,leases"])["items"],
        json!([])
    );

    // Without waiting, nothing has to be watched.
    let place = place.seen_by(User::TenantAdmin);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    place.pintle(&["uninstall", "app"]).ok();
}

#[test]
fn rights_that_nobody_may_give_away_without_having_them_are_told_by_the_dry_run() {
    let place = Place::new("escalation");
    let template = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
                    metadata: {name: reader}\n\
                    rules: [{apiGroups: [\"\"], resources: [pods/exec], verbs: [create]}]\n";
    let chart = place.chart("grant", "", template);
    let rules = [
        rule("", &["secrets"]),
        rule("coordination.k8s.io", &["leases"]),
        rule("rbac.authorization.k8s.io", &["roles", "rolebindings"]),
    ];
    allow(&place, "some", &json!(rules));
    let place = place.seen_by(User::TenantAdmin);
    // What a Role gives can be told when it is there.
    let made = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: own}\n\
                rules: [{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]\n---\n\
                apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
                metadata: {name: own}\nsubjects: []\n\
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: own}\n";
    let own = place.chart("own", "", made);
    place
        .pintle(&["install", "own", &own, "--dry-run"])
        .ok()
        .prints(&["checked later: Role own is made by this change"]);
    place.pintle(&["install", "own", &own, "--no-wait"]).ok();
    place.pintle(&["uninstall", "own"]).ok();
    place
        .pintle(&["install", "app", &chart])
        .fails_with(1)
        .says(&[
            "error: 1 change would be refused, so nothing was written\n",
            "Role reader (grant/templates/all.yaml:1)",
            "attempting to grant RBAC permissions not currently held",
            "pods/exec",
        ]);
    // What is in no namespace is asked for, too.
    let wide = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
                metadata: {name: wide}\nrules: []\n";
    let chart = place.chart("wide", "", wide);
    place
        .pintle(&["install", "app", &chart])
        .fails_with(1)
        .says(&[
            "error: 1 change would be refused, so nothing was written\n",
            "\n  ClusterRole wide: not allowed to get, list, create, patch \
             clusterroles.rbac.authorization.k8s.io\n",
        ]);
    let place = place.seen_by(User::Admin);
    assert_eq!(place.get(&["secrets,leases"])["items"], json!([]));
}

#[test]
fn an_administrator_of_a_namespace_can_do_everything() {
    let place = Place::new("administrator");
    let chart = small(&place);
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": "admin"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": User::TenantAdmin.name()}],
    });
    bind(&place, ("rolebindings", &binding));
    let place = place.seen_by(User::TenantAdmin);
    let (kcp, web) = (path("charts/kcp"), path("examples/web"));
    for args in [
        &["install", "app", &chart][..],
        &["diff", "app", &chart, "--set", "maps={a}"],
        &["upgrade", "app", &chart, "--set", "maps={a}"],
        &["rollback", "app"],
        &["list"],
        &["history", "app"],
        &["status", "app"],
        &["uninstall", "app"],
        &["install", "kcp", &kcp],
        &["upgrade", "kcp", &kcp, "--set", "scheduler.replicas=2"],
        &["uninstall", "kcp"],
        &["install", "web", &web, "--no-wait"],
        &["uninstall", "web"],
    ] {
        place.pintle(args).ok();
    }
    let place = place.seen_by(User::Admin);
    assert_eq!(left(&place), ["\"RoleBinding\"/\"admin\""]);
}

#[test]
fn the_right_to_delete_records_is_asked_for_where_some_will_be() {
    let place = Place::new("forgetful");
    let chart = small(&place);
    let verbs = ["get", "list", "create", "patch"];
    let most = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": verbs});
    let rules = [
        most,
        rule("", &["configmaps"]),
        rule("apps", &["deployments"]),
        rule("coordination.k8s.io", &["leases"]),
    ];
    let place = place.seen_by(User::TenantAdmin);
    allow(&place, "most", &json!(rules));
    let upgrade = |map: &str, max: &str| {
        let values = format!("maps={{{map}}}");
        let kept = ["--no-wait", "--history-max", max, "--set", &values];
        place.pintle(&[&["upgrade", "app", &chart][..], &kept].concat())
    };
    let refused = format!(
        "error: 1 change would be refused, so nothing was written\n  Secret sh.helm.release.v1.app: \
         not allowed to delete secrets in namespace {}\n",
        place.namespace
    );
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    upgrade("a", "2").ok();
    let versions = || {
        let records = [1, 2].map(|number| format!("secret/sh.helm.release.v1.app.v{number}"));
        place.versions(&[&records[0], &records[1], "configmap/a"])
    };
    let before = versions();
    for args in [
        &["uninstall", "app"][..],
        &["uninstall", "app", "--dry-run"],
        &["uninstall", "app", "--forget"],
        &["uninstall", "app", "--forget", "--dry-run"],
        &["rollback", "app", "1", "--no-wait", "--history-max", "1"],
    ] {
        place.pintle(args).fails_with(1).says(&[&refused]);
    }
    upgrade("b", "2").fails_with(1).says(&[&refused]);
    assert_eq!(versions(), before);
    // Nothing is deleted by what changes nothing, by a revision that fits, and where the history is kept.
    upgrade("a", "2").ok().prints(&["is unchanged"]);
    upgrade("b", "3").ok();
    place.pintle(&["uninstall", "app", "--keep-history"]).ok();
    // There is nothing left but the records.
    let uninstall = ["uninstall", "app"];
    place.pintle(&uninstall).fails_with(1).says(&[&refused]);
    let delete = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["delete"]}]);
    allow(&place, "delete", &delete);
    place.pintle(&uninstall).ok();
    assert_eq!(place.get(&["secrets"])["items"], json!([]));
}

#[test]
fn the_right_to_delete_records_is_told_where_they_cannot_be_read_either() {
    let place = Place::new("blind").seen_by(User::TenantAdmin);
    for (args, verbs) in [
        (
            &["uninstall", "app"][..],
            "create, get, list, patch, delete",
        ),
        (
            &["uninstall", "app", "--keep-history"],
            "create, get, list, patch",
        ),
        (&["uninstall", "app", "--forget"], "get, list, delete"),
    ] {
        let told = format!("app: not allowed to {verbs} secrets in namespace");
        place.pintle(args).fails_with(1).says(&[&told]);
    }
}

/// A `StatefulSet` of one pod that is ready when no older pod is left, and a ConfigMap, each in a group.
const GROUPED: &str = r"apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  annotations: {pintle.dev/ready: no-old-pods, helm.sh/resource-group: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: app, image: 'app:{{ values.tag }}'}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: {helm.sh/resource-group: settings}
";

#[test]
fn what_has_to_be_gone_is_asked_for_like_what_has_to_be_ready() {
    let place = Place::new("gone").seen_by(User::TenantAdmin);
    let chart = place.chart("grouped", "tag: '1'\n", GROUPED);
    let rules = [
        rule("", &["secrets", "configmaps"]),
        rule("coordination.k8s.io", &["leases"]),
        rule("apps", &["statefulsets"]),
        json!({"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["watch"]}),
    ];
    allow(&place, "most", &json!(rules));
    let refused = |args: &[&str], said: &str| {
        let told = format!(
            "error: 1 change would be refused, so nothing was written\n  {said} in namespace {}\n",
            place.namespace
        );
        place.pintle(args).fails_with(1).says(&[&told]);
    };
    // No status counts the pods of a StatefulSet that are ending.
    let install = ["install", "app", &chart];
    refused(&install, "StatefulSet db: not allowed to list, watch pods");
    let pods = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]);
    allow(&place, "pods", &pods);
    place.pintle(&install).ok();
    place
        .pintle(&["upgrade", "app", &chart, "--set-string", "tag=2"])
        .ok();

    // What stands in groups is gone when all that it owns is gone.
    let versions = || place.versions(&["statefulset/db", "configmap/settings"]);
    let before = versions();
    let uninstall = ["uninstall", "app"];
    refused(
        &uninstall,
        "ConfigMap settings: not allowed to watch configmaps",
    );
    assert_eq!(versions(), before);
    // Who does not wait needs none of that.
    place
        .pintle(&["uninstall", "app", "--no-wait", "--dry-run"])
        .ok();
    let watch = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["watch"]}]);
    allow(&place, "watch", &watch);
    place.pintle(&uninstall).ok();
    let place = place.seen_by(User::Admin);
    assert_eq!(
        place.get(&[
            "statefulsets,configmaps",
            "-l",
            "app.kubernetes.io/managed-by"
        ])["items"],
        json!([])
    );
}
