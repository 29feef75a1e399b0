//! Upgrades and rollbacks of a tenant: which Secrets are issued, and which pods that rolls.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::CHART;
use super::proof::eventually;
use super::site::Site;
use super::state::State;
use crate::support::{Place, path};

const NOTHING: [&str; 0] = [];

/// A site with the tenant `a`, and what that is.
fn installed(test: &str) -> (Site, State) {
    let site = Site::new(test);
    site.pintle(&["install", "a", &path(CHART)]).ok();
    let state = State::of(&site, "a");
    (site, state)
}

/// Upgrades the tenant `a` and returns what it is then.
#[track_caller]
fn upgraded(site: &Site, flags: &[&str]) -> State {
    let upgrade = ["upgrade", "a", &path(CHART)];
    site.pintle(&[&upgrade, flags].concat()).ok();
    State::of(site, "a")
}

#[test]
fn nothing_is_left_to_do_after_an_install() {
    let (site, before) = installed("idle");
    let diff = site.pintle(&["diff", "a", &path(CHART), "--exit-code"]);
    let diff = diff.ok().prints(&["unchanged"]);
    for change in ["to create", "to configure", "to delete", "to issue"] {
        assert!(!diff.stdout.contains(change), "{diff}");
    }
    let upgrade = ["upgrade", "a", &path(CHART)];
    site.pintle(&upgrade)
        .ok()
        .prints(&["is unchanged", "REVISION: 1"]);
    assert_eq!(State::of(&site, "a"), before);
}

/// The field managers of an object that write this field.
fn managers(live: &Value, field: &[&str]) -> Vec<String> {
    let entries = live["metadata"]["managedFields"].as_array().unwrap().iter();
    let writes = |entry: &&Value| {
        let mut place = &entry["fieldsV1"];
        field.iter().all(|part| {
            place = &place[*part];
            !place.is_null()
        })
    };
    let names = entries.filter(writes).map(|entry| &entry["manager"]);
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn data_and_marks_have_another_manager_than_the_manifest() {
    let (site, _) = installed("managers");
    let live = site.get(&["secret/a-etcd-ca", "--show-managed-fields"]);
    let label = |name| ["f:metadata", "f:labels", name];
    assert_eq!(managers(&live, &["f:data", "f:tls.key"]), ["pintle"]);
    assert_eq!(
        managers(&live, &label("f:pintle.dev/generator")),
        ["pintle"]
    );
    let managed_by = label("f:app.kubernetes.io/managed-by");
    assert_eq!(managers(&live, &managed_by), ["helm"]);
    let users = site.get(&["statefulset/a-etcd", "--show-managed-fields"]);
    assert_eq!(managers(&users, &["f:spec", "f:template"]), ["helm"]);
    // What Helm carries along: the stub in the manifest, the spec beside the chart.
    let manifest = site.helm(&["get", "manifest", "a"]).ok().stdout;
    assert!(manifest.contains("name: a-etcd-ca") && !manifest.contains("tls.key:"));
}

#[test]
fn a_kubeconfig_is_handed_out_to_whoever_asks_for_it() {
    let (site, _) = installed("kubeconfig");
    // Not by the site, which takes a key for a leak.
    let ask = |args: &[&str]| Place::pintle(&site, &[&["kubeconfig", "a"], args].concat());
    for (part, args) in [
        ("admin", &[][..]),
        ("super-admin", &["--user", "super-admin"]),
    ] {
        let printed = ask(args).ok().stdout;
        let secret = site.get(&[&format!("secret/a-kubeconfig-{part}")]);
        let data = secret["data"]["kubeconfig"].as_str().unwrap();
        let data = BASE64_STANDARD.decode(data).unwrap();
        assert!(printed.as_bytes() == data, "{part}");
        assert!(printed.contains("kind: Config"));
    }
    ask(&["--user", "nobody"])
        .fails_with(1)
        .says(&["no kubeconfig \"nobody\"", "admin, super-admin"]);
    site.lose("a-kubeconfig-admin");
    ask(&[])
        .fails_with(1)
        .says(&["a-kubeconfig-admin has not been issued"]);
}

#[test]
fn a_lost_certificate_is_issued_and_rolls_its_users() {
    let (site, before) = installed("lost");
    site.lose("a-apiserver");
    let diff = ["diff", "a", &path(CHART), "--exit-code"];
    site.pintle(&diff).fails_with(5).prints(&["a-apiserver"]);
    let after = upgraded(&site, &[]);
    assert_eq!(after.issued_since(&before), ["apiserver"]);
    assert_eq!(after.rolled_since(&before), ["apiserver"]);
    assert_eq!(after.written_since(&before), ["apiserver"]);

    // Nobody mounts it.
    site.lose("a-kubeconfig-admin");
    let last = upgraded(&site, &[]);
    assert_eq!(last.issued_since(&after), ["kubeconfig-admin"]);
    assert_eq!(last.written_since(&after), NOTHING);
}

#[test]
fn a_lost_authority_is_issued_with_all_that_it_has_signed() {
    let (site, before) = installed("lost-ca");
    site.lose("a-etcd-ca");
    let after = upgraded(&site, &[]);
    let below = [
        "apiserver-etcd-client",
        "etcd-ca",
        "etcd-healthcheck-client",
        "etcd-peer",
        "etcd-server",
    ];
    assert_eq!(after.issued_since(&before), below);
    assert_eq!(after.rolled_since(&before), ["apiserver", "etcd"]);
    assert_eq!(after.written_since(&before), ["apiserver", "etcd"]);
}

#[test]
fn a_new_name_issues_one_certificate() {
    let (site, before) = installed("name");
    let name = ["--set", "endpoint.extraSANs={api.example.com}"];
    let after = upgraded(&site, &name);
    assert_eq!(after.issued_since(&before), ["apiserver"]);
    assert_eq!(after.rolled_since(&before), ["apiserver"]);
    assert_eq!(after.written_since(&before), ["apiserver"]);
    assert_eq!(upgraded(&site, &name), after);

    // A name too many does no harm.
    site.pintle(&["rollback", "a", "1"]).ok();
    assert_eq!(State::of(&site, "a"), after);
}

/// What an upgrade changes whose rollback is looked at.
const CHANGE: [&str; 2] = [
    "--set",
    "scheduler.replicas=2,controllerManager.extraArgs.v=4",
];

/// Asserts that going from `second`, with [`CHANGE`], back to `first` has rolled what has other
/// arguments, and has kept the rest.
#[track_caller]
fn check_rolled_back(site: &Site, first: &State, second: &State) {
    let third = State::of(site, "a");
    assert_eq!(third.issued_since(first), NOTHING);
    assert_eq!(third.rolled_since(first), NOTHING);
    assert_eq!(third.rolled_since(second), ["controller-manager"]);
    let written = ["controller-manager", "scheduler"];
    assert_eq!(third.written_since(second), written);
    let replicas = site.get(&["deployment/a-scheduler"])["spec"]["replicas"].clone();
    assert_eq!(replicas, 1);
    site.pintle(&["upgrade", "a", &path(CHART)])
        .ok()
        .prints(&["is unchanged"]);
    assert_eq!(State::of(site, "a"), third);
}

#[test]
fn a_rollback_rolls_what_differs_and_keeps_keys() {
    let (site, first) = installed("back");
    let second = upgraded(&site, &CHANGE);
    assert_eq!(second.issued_since(&first), NOTHING);
    assert_eq!(second.rolled_since(&first), ["controller-manager"]);
    site.pintle(&["rollback", "a", "1"]).ok();
    check_rolled_back(&site, &first, &second);
}

#[test]
fn a_rollback_by_helm_rolls_what_differs_and_keeps_keys() {
    let (site, first) = installed("helm-back");
    let second = upgraded(&site, &CHANGE);
    site.helm(&["rollback", "a", "1", "--wait"]).ok();
    check_rolled_back(&site, &first, &second);
}

#[test]
fn a_rollback_by_helm_to_before_an_issue_keeps_the_new_key() {
    let (site, _) = installed("helm-issue");
    site.lose("a-apiserver");
    let before = upgraded(&site, &[]);
    site.helm(&["rollback", "a", "1", "--wait"]).ok();
    assert_eq!(State::of(&site, "a"), before);
}

/// Gives the Deployment `part` of the tenant `a` another stamp of the Secret `a-apiserver`.
fn stamp(site: &Site, part: &str, id: &Value) {
    let stamps = json!({"issue.pintle.dev/a-apiserver": id});
    let template = json!({"metadata": {"annotations": stamps}});
    let patch = json!({"spec": {"template": template}}).to_string();
    let deployment = format!("a-{part}");
    site.kubectl(&["patch", "deployment", &deployment, "--patch", &patch])
        .ok();
}

#[test]
fn an_upgrade_writes_the_stamps_that_another_did_not_come_to() {
    let (site, first) = installed("stamp");
    site.lose("a-apiserver");
    let issued = upgraded(&site, &[]);
    // What a pintle leaves that ends between the Secret and its users, and somebody who has taken
    // the stamp away.
    for old in [json!(first.issue("apiserver")), Value::Null] {
        stamp(&site, "apiserver", &old);
        let broken = State::read(&site, "a");
        assert_eq!(broken.rolled_since(&issued), ["apiserver"]);
        let after = upgraded(&site, &[]);
        assert_eq!(after.issued_since(&issued), NOTHING);
        assert_eq!(after.rolled_since(&issued), NOTHING);
        assert_eq!(after.written_since(&broken), ["apiserver"]);
    }
    // One of a Secret that the pods do not use.
    stamp(&site, "scheduler", &json!(first.issue("apiserver")));
    let broken = State::read(&site, "a");
    let after = upgraded(&site, &[]);
    assert_eq!(after.written_since(&broken), ["scheduler"]);
}

/// Kills an upgrade that has issued an authority and all below it, has come to etcd, and waits for
/// it in vain, so that no stamp of kube-apiserver is written yet.
fn killed(site: &Site, before: &State) -> State {
    site.lose("a-etcd-ca");
    let stuck = [
        "upgrade",
        "a",
        &path(CHART),
        "--set",
        "etcd.nodeSelector.no=where",
    ];
    let started = site.start_pintle(&stuck);
    eventually("etcd is told of its new authority", || {
        let state = State::read(site, "a");
        (state.rolled_since(before) == ["etcd"]).then_some(())
    });
    started.kill();
    State::read(site, "a")
}

#[test]
fn an_upgrade_that_is_killed_between_a_secret_and_its_users_is_finished_by_the_next() {
    let (site, before) = installed("kill");
    let halfway = killed(&site, &before);
    assert!(
        halfway
            .issued_since(&before)
            .contains(&"apiserver-etcd-client")
    );
    let after = upgraded(&site, &[]);
    assert_eq!(after.issued_since(&halfway), NOTHING);
    assert_eq!(after.rolled_since(&halfway), ["apiserver", "etcd"]);
    let node = &site.get(&["statefulset/a-etcd"])["spec"]["template"]["spec"]["nodeSelector"];
    assert_eq!(*node, Value::Null);
    let history = site.pintle(&["history", "a", "-o", "json"]).ok().json();
    assert_eq!(history[1]["status"], "failed");
    assert_eq!(history[2]["status"], "deployed");
}
