//! Commands that work inside a tenant, as far as that needs no tenant that runs: which release is
//! meant, and what is said when there is no way in. The lab shows the rest.

use std::fs;

use crate::support::{Place, Run, path};

const CHART: &str = "\
apiVersion: v2
name: way
version: 1.0.0
annotations: {pintle.dev/engine: tera}
";

/// A kubeconfig that opens a tenant at an address.
const TEMPLATE: &str = r#"
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: {{ release.name }}-ca}
spec: {commonName: ca, duration: 1y}
---
apiVersion: generate.pintle.dev/v1
kind: Kubeconfig
metadata:
  name: {{ release.name }}-way
  annotations:
    {{ values.opens | ternary(yes="pintle.dev/tenant", no="nothing") }}: '{"name": "a"}'
spec:
  issuer: {{ release.name }}-ca
  commonName: root
  server: {{ values.server }}
  duration: 1w
"#;

/// The path of the chart.
fn chart(place: &Place) -> String {
    let chart = place.folder().join("way");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), CHART).unwrap();
    fs::write(
        chart.join("values.yaml"),
        "opens: true\nserver: https://127.0.0.1:1\n",
    )
    .unwrap();
    fs::write(chart.join("templates/way.yaml"), TEMPLATE).unwrap();
    chart.to_str().unwrap().to_owned()
}

/// A place whose release `name` opens a tenant, by further arguments.
fn opened(test: &str, name: &str, args: &[&str]) -> Place {
    let place = Place::new(test);
    let chart = chart(&place);
    place
        .pintle(&[&["install", name, &chart], args].concat())
        .ok();
    place
}

/// Lists the releases inside of a tenant, without saying where its release is.
fn list_inside(place: &Place, tenant: &str) -> Run {
    place.pintle(&["list", "--into", tenant])
}

#[test]
fn a_tenant_is_found_by_the_name_of_its_release() {
    let one = opened("inside-one", "way-one", &[]);
    let silent = "the tenant of release way-one does not answer";
    list_inside(&one, "way-one").fails_with(1).says(&[
        silent,
        "https://127.0.0.1:1",
        "`pintle status way-one`",
    ]);
    let exactly = format!("{}/way-one", one.namespace);
    list_inside(&one, &exactly).fails_with(1).says(&[silent]);
    list_inside(&one, "default/way-one")
        .fails_with(1)
        .says(&["release way-one not found in namespace default"]);
    list_inside(&one, "way-none")
        .fails_with(1)
        .says(&["release way-none not found"]);
}

#[test]
fn a_name_that_several_releases_have_is_not_enough() {
    let one = opened("inside-a", "way-both", &[]);
    let other = opened("inside-b", "way-both", &[]);
    list_inside(&one, "way-both").fails_with(1).says(&[
        "release way-both is in several namespaces: ",
        &one.namespace,
        &other.namespace,
        "say which one by its namespace",
    ]);
}

#[test]
fn only_what_runs_a_tenant_can_be_entered() {
    let closed = opened("inside-closed", "way-shut", &["--set", "opens=false"]);
    list_inside(&closed, "way-shut")
        .fails_with(1)
        .says(&["release way-shut runs no tenant", "pintle.dev/tenant"]);
    closed
        .pintle(&["join", "way-shut"])
        .fails_with(1)
        .says(&["release way-shut runs no tenant"]);
    closed
        .pintle(&["join", "way-shut", "--ttl", "25h"])
        .fails_with(2)
        .says(&["expected a duration from 1m to 24h"]);
    list_inside(&closed, "a/b/c")
        .fails_with(2)
        .says(&["expected RELEASE or NAMESPACE/RELEASE"]);
}

#[test]
fn a_service_without_pods_is_no_way_in() {
    let place = opened(
        "inside-gone",
        "way-gone",
        &["--set", "server=https://gone.nowhere.svc:6443"],
    );
    list_inside(&place, "way-gone").fails_with(1).says(&[
        "the tenant of release way-gone does not answer",
        "Service gone in namespace nowhere",
        "it does not exist",
    ]);
}

/// Simulated nodes forward nothing.
#[test]
fn a_pod_that_forwards_nothing_is_no_way_in() {
    let place = Place::new("inside-kcp");
    let chart = path("charts/kcp");
    place.pintle(&["install", "way-kcp", &chart]).ok();
    list_inside(&place, "way-kcp")
        .fails_with(1)
        .says(&["the tenant of release way-kcp does not answer"]);
}
