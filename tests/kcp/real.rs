//! Tenants as they run: whether their processes make control planes.

use serde_json::json;

use super::issued::Issued;
use super::proof::prove;
use super::site::Site;
use super::{CHART, chains, kubeadm};
use crate::support::path;

#[test]
fn tenants_are_real_control_planes() {
    let site = Site::new("real");
    let chart = path(CHART);
    site.pintle(&["install", "single", &chart]).ok();
    let set = "etcd.replicas=3,apiServer.replicas=2";
    site.pintle(&["install", "triple", &chart, "--set", set])
        .ok();
    let single = Issued::on(&site, "single", &json!({}));
    let given = json!({"etcd": {"replicas": 3}, "apiServer": {"replicas": 2}});
    let triple = Issued::on(&site, "triple", &given);
    for (one, other) in [(&single, &triple), (&triple, &single)] {
        chains::verify(one, other);
        kubeadm::accepts(one);
    }
    let (single, triple) = (site.boot("single"), site.boot("triple"));
    prove(&single, &triple);
    prove(&triple, &single);
}
