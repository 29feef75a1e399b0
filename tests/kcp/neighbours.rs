//! Tenants beside each other: nothing of one is another's.

use std::collections::BTreeSet;

use pintle::yaml;
use serde_json::{Value, json};

use super::issued::Issued;
use super::site::Site;
use super::state::State;
use super::{CHART, chains};
use crate::support::path;

/// Kinds and names of everything in the recorded manifest of a release.
fn resources(site: &Site, release: &str) -> BTreeSet<String> {
    let manifest = site.pintle(&["get", "manifest", release]).ok().stdout;
    let documents = yaml::parse_all(&manifest).unwrap();
    let bodies = documents.iter().map(|document| &document.value);
    let names = bodies
        .filter(|body| body.is_object())
        .map(|body| format!("{}/{}", body["kind"], body["metadata"]["name"]));
    names.collect()
}

/// Every value under every key of the Secrets of a release.
fn values(state: &State) -> BTreeSet<&str> {
    let secrets = state.secrets().into_iter();
    let maps = secrets.filter_map(|secret| state.data(secret).as_object());
    maps.flat_map(|map| map.values().filter_map(Value::as_str))
        .collect()
}

#[test]
fn tenants_fit_in_one_namespace() {
    let site = Site::new("beside");
    let chart = path(CHART);
    site.pintle(&["install", "a", &chart]).ok();
    let before = State::of(&site, "a");
    // The name of the second one begins as those of what the first one has.
    site.pintle(&["install", "a-etcd", &chart]).ok();
    let second = State::of(&site, "a-etcd");
    assert_eq!(State::of(&site, "a"), before);
    let (one, other) = (resources(&site, "a"), resources(&site, "a-etcd"));
    assert!(one.len() > 20, "{one:?}");
    assert!(one.is_disjoint(&other), "{one:?}\n{other:?}");
    assert!(values(&before).is_disjoint(&values(&second)));

    site.pintle(&["uninstall", "a-etcd"]).ok();
    assert_eq!(State::of(&site, "a"), before);
    site.pintle(&["upgrade", "a", &chart])
        .ok()
        .prints(&["is unchanged"]);
}

#[test]
fn tenants_of_one_name_in_two_namespaces_share_nothing() {
    let sites = [Site::new("here"), Site::new("there")];
    for site in &sites {
        site.pintle(&["install", "a", &path(CHART)]).ok();
    }
    let states = sites.each_ref().map(|site| State::of(site, "a"));
    assert!(values(&states[0]).is_disjoint(&values(&states[1])));
    let [one, other] = sites
        .each_ref()
        .map(|site| Issued::on(site, "a", &json!({})));
    chains::verify(&one, &other);
    chains::verify(&other, &one);
}
