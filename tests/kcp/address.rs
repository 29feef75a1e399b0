//! A tenant whose address its host's load balancer gives. The testbed has none, so the tests play
//! it: they write the status of the Service.

use serde_json::{Value, json};

use super::CHART;
use super::issued::embedded;
use super::proof::eventually;
use super::site::Site;
use super::state::State;
use crate::support::{Place, Run, Started, path};

const NOTHING: [&str; 0] = [];
const BALANCED: [&str; 2] = ["--set", "endpoint.type=LoadBalancer"];

/// What is given first, and what later.
const FIRST: &str = "192.0.2.1";
const SECOND: &str = "192.0.2.2";

fn install(flags: &[&str]) -> Vec<String> {
    let chart = path(CHART);
    let words = ["install", "a", &chart];
    let words = words.iter().chain(&BALANCED).chain(flags);
    words.map(|word| (*word).to_owned()).collect()
}

fn started(site: &Site, words: &[String]) -> Started {
    site.start_pintle(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Waits until there is the Service without an address.
fn waits(site: &Site) {
    eventually("the Service is there", || {
        let service = site.kubectl(&["get", "service/a-apiserver"]);
        (service.code == Some(0)).then_some(())
    });
}

/// Gives the Service these addresses, as a load balancer does.
fn give(site: &Site, ingress: &Value) {
    let status = json!({"status": {"loadBalancer": {"ingress": ingress}}}).to_string();
    site.kubectl(&[
        "patch",
        "service",
        "a-apiserver",
        "--subresource=status",
        "--type=merge",
        "--patch",
        &status,
    ])
    .ok();
}

/// A site with the tenant `a` at the first address, what that is, and how it came to be.
fn installed(test: &str) -> (Site, State, Run) {
    let site = Site::new(test);
    let started = started(&site, &install(&[]));
    waits(&site);
    give(&site, &json!([{ "ip": FIRST }]));
    let run = site.end(started).ok();
    let state = State::of(&site, "a");
    (site, state, run)
}

#[track_caller]
fn upgraded(site: &Site) -> State {
    let upgrade = ["upgrade", "a", &path(CHART)];
    site.pintle(&[&upgrade[..], &BALANCED].concat()).ok();
    State::of(site, "a")
}

/// Asserts that everything says that the tenant is at that address.
#[track_caller]
fn check_at(site: &Site, state: &State, ip: &str) {
    let url = format!("https://{ip}:6443");
    let expected = json!({"host": ip, "ip": ip, "port": "6443", "url": url});
    assert_eq!(*state.data("endpoint"), expected);
    let secret = |name: &str, key: &str| {
        let data = json!([state.data(name)[key]]).to_string();
        embedded(data.as_bytes(), "/0")
    };
    let file = secret("kubeconfig-admin", "kubeconfig");
    let file = String::from_utf8(file).unwrap();
    assert!(file.contains(&format!("server: {url}")));
    let cluster_ip = site.get(&["service/a-apiserver"])["spec"]["clusterIP"].take();
    let certificate = secret("apiserver", "tls.crt");
    let certificate = pintle::x509::Certificate::read(&certificate).unwrap();
    for address in [ip, cluster_ip.as_str().unwrap()] {
        let address = address.parse().unwrap();
        assert!(certificate.ip_addresses.contains(&address), "{address}");
    }
    let apiserver = site.get(&["deployment/a-apiserver"]);
    let container = &apiserver["spec"]["template"]["spec"]["containers"][0];
    assert!(
        container["args"]
            .to_string()
            .contains("--advertise-address=$(ENDPOINT_IP)"),
        "{container}"
    );
}

#[test]
fn an_installation_waits_for_the_address_and_issues_with_it() {
    let (site, state, run) = installed("address");
    check_at(&site, &state, FIRST);
    let order = [
        "addresses: 1 to create",
        "created Service a-apiserver",
        "waiting for the address of Service a-apiserver",
        "ready Service a-apiserver",
        "addresses are known",
        "issued ConfigMap a-endpoint",
        "issued Secret a-apiserver",
        "created StatefulSet a-etcd",
    ];
    super::order::check_order(&run, &order);
    assert_eq!(upgraded(&site), state);
    let chart = path(CHART);
    let diff = [&["diff", "a", &chart, "--exit-code"], &BALANCED[..]].concat();
    site.pintle(&diff).ok().prints(&["unchanged"]);
    site.pintle(&["status", "a"])
        .ok()
        .prints(&["Endpoint", "a-endpoint"]);
    let history = site.pintle(&["history", "a", "-o", "json"]).ok().json();
    assert_eq!(history.as_array().unwrap().len(), 1);
}

#[test]
fn a_dry_run_says_what_is_known_after_the_apply() {
    let place = Place::new("dry-address");
    let chart = path(CHART);
    let dry = [&["install", "a", &chart, "--dry-run"], &BALANCED[..]].concat();
    place.pintle(&dry).ok().prints(&[
        "addresses:",
        "+ Service a-apiserver",
        "* ConfigMap a-endpoint",
        "known after apply: the address of Service a-apiserver",
    ]);
    let services = place.get(&["services"]);
    assert_eq!(services["items"], json!([]));
}

#[test]
fn another_address_rolls_exactly_its_users() {
    let (site, before, _) = installed("moved");
    give(&site, &json!([{ "ip": SECOND }]));
    let after = upgraded(&site);
    check_at(&site, &after, SECOND);
    assert_eq!(
        after.issued_since(&before),
        [
            "apiserver",
            "endpoint",
            "kubeconfig-admin",
            "kubeconfig-super-admin"
        ]
    );
    assert_eq!(after.rolled_since(&before), ["apiserver"]);
    assert_eq!(after.written_since(&before), ["apiserver"]);
    assert_eq!(upgraded(&site), after);

    // Helm goes back to the manifest before and leaves what is generated as it is.
    site.helm(&["rollback", "a", "1", "--wait"]).ok();
    assert_eq!(upgraded(&site), after);
    site.helm(&["uninstall", "a", "--wait"]).ok();
    assert_eq!(State::read(&site, "a").secrets(), NOTHING);
}

#[test]
fn the_tenants_own_pods_are_sent_to_the_address() {
    let (site, _, _) = installed("advertised");
    let tenant = site.boot("a");
    let slice = "--selector=kubernetes.io/service-name=kubernetes";
    let api = tenant.api("kubeconfig-super-admin", 0);
    eventually("the Service kubernetes leads to the address", || {
        let slices = api.get(&["endpointslices", slice]);
        let endpoints = &slices["items"][0]["endpoints"];
        (endpoints[0]["addresses"] == json!([FIRST])).then_some(())
    });
}

#[test]
fn an_installation_that_is_not_waited_for_waits_for_the_address_too() {
    let site = Site::new("hasty");
    let started = started(&site, &install(&["--no-wait"]));
    waits(&site);
    give(&site, &json!([{ "ip": FIRST }]));
    site.end(started).ok();
    let endpoint = site.get(&["configmap/a-endpoint"]);
    assert_eq!(endpoint["data"]["ip"], FIRST);
    site.pintle(&["status", "a"])
        .ok()
        .prints(&["Endpoint", "good"]);
    site.pintle(&["uninstall", "a"]).ok();
    assert_eq!(State::read(&site, "a").secrets(), NOTHING);
}

#[test]
fn an_address_that_does_not_come_ends_the_change() {
    let site = Site::new("nowhere");
    let words = install(&["--timeout", "2s"]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let run = site.pintle(&words).fails_with(3).says(&[
        "depends on addresses that are not known in time",
        "Service a-apiserver",
        "waiting for an address from the load balancer",
        "see that the host has a load balancer",
    ]);
    assert!(!run.stderr.contains("issued"), "{run}");
    let secrets = site.get(&["secrets", "--selector=pintle.dev/release"]);
    assert_eq!(secrets["items"], json!([]));
    // The next command goes on.
    give(&site, &json!([{ "ip": FIRST }]));
    let state = upgraded(&site);
    check_at(&site, &state, FIRST);
}

#[test]
fn an_installation_that_is_killed_while_it_waits_is_finished_by_the_next_command() {
    let site = Site::new("killed");
    let started = started(&site, &install(&[]));
    waits(&site);
    let killed = started.kill();
    assert!(!killed.stderr.contains("issued"), "{killed}");
    give(&site, &json!([{ "ip": FIRST }]));
    let words = install(&[]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    site.pintle(&words).ok();
    check_at(&site, &State::of(&site, "a"), FIRST);
}

#[test]
fn a_tenant_goes_out_and_comes_back() {
    let site = Site::new("opened");
    site.pintle(&["install", "a", &path(CHART)]).ok();
    let before = State::of(&site, "a");
    let upgrade: Vec<_> = install(&[]);
    let upgrade: Vec<_> = ["upgrade".to_owned()]
        .into_iter()
        .chain(upgrade.into_iter().skip(1))
        .collect();
    let started = started(&site, &upgrade);
    eventually("the Service is of a load balancer", || {
        let service = site.get(&["service/a-apiserver"]);
        (service["spec"]["type"] == "LoadBalancer").then_some(())
    });
    give(&site, &json!([{ "ip": FIRST }]));
    site.end(started).ok();
    let outside = State::of(&site, "a");
    check_at(&site, &outside, FIRST);
    assert_eq!(outside.rolled_since(&before), ["apiserver"]);
    site.pintle(&["rollback", "a", "1"]).ok();
    let back = State::of(&site, "a");
    assert_eq!(back.rolled_since(&outside), ["apiserver"]);
}
