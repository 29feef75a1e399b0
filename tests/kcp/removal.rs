//! The end of a tenant: what goes with it, and what a tenant after it takes up.

use serde_json::{Value, json};

use super::issued::Issued;
use super::proof::eventually;
use super::site::Site;
use super::state::State;
use super::{CHART, chains};
use crate::support::path;

const NOTHING: [&str; 0] = [];
const RETAIN: &str = "etcd.storage.retain=true";
/// What is worth keeping with the data.
const KEPT: [&str; 4] = [
    "etcd-ca",
    "front-proxy-ca",
    "kubernetes-ca",
    "service-account",
];

/// The volume claims of the tenant `a`: their names and ids.
fn claims(site: &Site) -> Vec<[Value; 2]> {
    let claims = site.get(&["pvc", "--selector=app.kubernetes.io/instance=a"]);
    let claims = claims["items"].as_array().unwrap().iter();
    let claims = claims.map(|claim| ["name", "uid"].map(|key| claim["metadata"][key].clone()));
    claims.collect()
}

/// Everything of the tenant `a` that is still there.
fn left(site: &Site) -> Value {
    let kinds = "all,secrets,configmaps,serviceaccounts,poddisruptionbudgets,pvc";
    let selector = "--selector=app.kubernetes.io/instance=a";
    site.get(&[kinds, selector])["items"].clone()
}

#[test]
fn uninstalling_takes_every_key_and_all_data() {
    let site = Site::new("gone");
    let chart = path(CHART);
    for uninstall in [
        |site: &Site| site.pintle(&["uninstall", "a"]),
        |site: &Site| site.helm(&["uninstall", "a", "--wait"]),
    ] {
        site.pintle(&["install", "a", &chart]).ok();
        assert!(State::of(&site, "a").secrets().len() > 10);
        assert_eq!(claims(&site).len(), 1);
        uninstall(&site).ok();
        assert_eq!(State::read(&site, "a").secrets(), NOTHING);
        eventually("everything is gone", || {
            (left(&site) == json!([])).then_some(())
        });
    }
}

#[test]
fn data_is_kept_with_the_keys_that_make_it_useful() {
    let site = Site::new("retain");
    let chart = path(CHART);
    let install = ["install", "a", &chart, "--set", RETAIN];
    site.pintle(&install).ok();
    let (before, data) = (State::of(&site, "a"), claims(&site));
    assert_eq!(data.len(), 1);
    site.pintle(&["uninstall", "a"]).ok();
    assert_eq!(State::read(&site, "a").secrets(), KEPT);
    assert_eq!(claims(&site), data);

    site.pintle(&install).ok();
    let after = State::of(&site, "a");
    assert_eq!(claims(&site), data);
    assert_eq!(after.secrets(), before.secrets());
    for secret in after.secrets() {
        let is_kept = KEPT.contains(&secret);
        let is_same = after.data(secret) == before.data(secret);
        assert_eq!(is_same, is_kept, "{secret}");
    }
    let given = json!({"etcd": {"storage": {"retain": true}}});
    chains::verify(&Issued::on(&site, "a", &given), &Issued::made(&given));
    let upgrade = ["upgrade", "a", &chart, "--set", RETAIN];
    site.pintle(&upgrade).ok().prints(&["is unchanged"]);
}
