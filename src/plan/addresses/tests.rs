use serde_json::json;

use super::*;
use crate::manifest::{Origin, Resource};

fn origin() -> Origin {
    let template = "api.yaml".to_owned();
    Origin { template, line: 1 }
}

fn generator((kind, name, spec): (&str, &str, Value)) -> Generator {
    let body = json!({"apiVersion": "generate.pintle.dev/v1", "kind": kind,
        "metadata": {"name": name}, "spec": spec});
    Generator::parse(body, origin(), "tenant-a").unwrap()
}

/// The generators beside the Service `api` with this spec, and the one that is live.
fn resolved(all: &[(&str, &str, Value)], spec: &Value, live: Option<Value>) -> Vec<Generator> {
    let id = ResourceId {
        group: String::new(),
        kind: "Service".to_owned(),
        namespace: Some("tenant-a".to_owned()),
        name: "api".to_owned(),
    };
    let resource = Resource {
        id: id.clone(),
        api_version: "v1".to_owned(),
        body: json!({ "spec": spec }),
        origin: origin(),
    };
    let desired = Manifest {
        resources: vec![resource],
        ..Manifest::default()
    };
    let observed: Observed = live.into_iter().map(|live| (id.clone(), live)).collect();
    let services = Services::of(&desired, &observed, "tenant-a");
    let generators: Vec<_> = all.iter().cloned().map(generator).collect();
    resolve(&generators, &services)
}

fn spec(kind: &str) -> Value {
    json!({"type": kind, "ports": [{"port": 6443}, {"port": 8132}]})
}

fn live(kind: &str, ingress: &Value) -> Value {
    json!({"spec": {"type": kind, "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7", "fd00::7"],
            "ports": [{"port": 6443, "protocol": "TCP", "nodePort": 30443}]},
        "status": {"loadBalancer": {"ingress": ingress}}})
}

/// What an endpoint with these fields says of a Service.
#[track_caller]
fn check(given: Value, (wanted, live): (&Value, Option<Value>), expected: &str) {
    let mut fields = given;
    fields["service"] = json!("api");
    let all = resolved(&[("Endpoint", "outer", fields)], wanted, live);
    let Spec::Endpoint(endpoint) = &all[0].spec else {
        panic!("another kind");
    };
    let said = match endpoint.data() {
        Some(data) => data.into_values().collect::<Vec<_>>().join(" "),
        None => format!("waits for {}", waits(&all[0], &all).join(" ")),
    };
    assert_eq!(said, expected);
}

#[test]
fn a_load_balancer_says_where_it_is() {
    let wanted = spec("LoadBalancer");
    let with = |ingress: Value| (&wanted, Some(live("LoadBalancer", &ingress)));
    check(json!({}), (&wanted, None), "waits for api");
    for none in [json!(null), json!([]), json!([{"ipMode": "VIP"}])] {
        check(json!({}), with(none), "waits for api");
    }
    check(
        json!({}),
        with(json!([{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}])),
        "192.0.2.1 192.0.2.1 6443 https://192.0.2.1:6443",
    );
    check(
        json!({}),
        with(json!([{"hostname": "lb.example"}])),
        "lb.example 6443 https://lb.example:6443",
    );
    // The address of what it was before is not that of its load balancer.
    check(
        json!({}),
        (
            &wanted,
            Some(live("ClusterIP", &json!([{"ip": "192.0.2.1"}]))),
        ),
        "waits for api",
    );
    let mut external = live("LoadBalancer", &json!(null));
    external["spec"]["externalIPs"] = json!(["192.0.2.9"]);
    check(
        json!({}),
        (&wanted, Some(external)),
        "192.0.2.9 192.0.2.9 6443 https://192.0.2.9:6443",
    );
}

#[test]
fn what_is_fixed_wins() {
    let wanted = spec("LoadBalancer");
    check(
        json!({"ip": "192.0.2.5"}),
        (&wanted, None),
        "192.0.2.5 192.0.2.5 6443 https://192.0.2.5:6443",
    );
    let host = || json!({"host": "api.example"});
    check(host(), (&wanted, None), "waits for api");
    let given = live(
        "LoadBalancer",
        &json!([{"hostname": "lb.example", "ip": "192.0.2.1"}]),
    );
    check(
        host(),
        (&wanted, Some(given)),
        "api.example 192.0.2.1 6443 https://api.example:6443",
    );
}

#[test]
fn other_types_have_other_addresses() {
    let cluster = spec("ClusterIP");
    check(json!({}), (&cluster, None), "waits for api");
    check(
        json!({}),
        (&cluster, Some(live("ClusterIP", &json!(null)))),
        "10.0.0.7 10.0.0.7 6443 https://10.0.0.7:6443",
    );
    let mut nodes = spec("NodePort");
    let ip = || json!({"ip": "2001:db8::1"});
    check(ip(), (&nodes, None), "waits for api");
    check(
        ip(),
        (&nodes, Some(live("NodePort", &json!(null)))),
        "2001:db8::1 2001:db8::1 30443 https://[2001:db8::1]:30443",
    );
    nodes["ports"][0]["nodePort"] = json!(31000);
    check(
        json!({"host": "a.b"}),
        (&nodes, None),
        "a.b 31000 https://a.b:31000",
    );
}

#[test]
fn certificates_and_kubeconfigs_follow() {
    let all = [
        (
            "Kubeconfig",
            "admin",
            json!({"issuer": "ca", "commonName": "a", "endpoint": "outer"}),
        ),
        (
            "Certificate",
            "server",
            json!({"issuer": "ca", "commonName": "a", "usages": ["server auth"],
                "ipAddresses": ["127.0.0.1"], "fromServices": ["api"]}),
        ),
        ("Endpoint", "outer", json!({"service": "api"})),
    ];
    let wanted = spec("LoadBalancer");
    let before = resolved(&all, &wanted, Some(live("LoadBalancer", &json!([]))));
    for generator in &before {
        assert_eq!(waits(generator, &before), ["api"], "{generator}");
    }
    let ingress = json!([{"ip": "192.0.2.1"}, {"hostname": "lb.example"}, {"hostname": "A B"}]);
    let after = resolved(&all, &wanted, Some(live("LoadBalancer", &ingress)));
    for generator in &after {
        assert!(waits(generator, &after).is_empty(), "{generator}");
    }
    let Spec::Kubeconfig(kubeconfig) = &after[0].spec else {
        panic!("another kind");
    };
    let url = Server::Url("https://lb.example:6443".to_owned());
    assert_eq!(kubeconfig.server, url);
    let leaf = after[1].spec.leaf().unwrap();
    let addresses: Vec<_> = leaf.ip_addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.0.7", "127.0.0.1", "192.0.2.1", "fd00::7"]);
    assert_eq!(leaf.dns_names, ["lb.example".to_owned()].into());
}

#[test]
fn a_headless_service_has_no_address_of_its_own() {
    let all = [(
        "Certificate",
        "server",
        json!({"issuer": "ca", "commonName": "a", "usages": ["server auth"],
            "fromServices": ["api"]}),
    )];
    let headless = json!({"clusterIP": "None", "ports": [{"port": 1}]});
    let made = resolved(&all, &headless, None);
    assert!(waits(&made[0], &made).is_empty());
    assert!(made[0].spec.leaf().unwrap().ip_addresses.is_empty());
}

#[test]
fn a_pod_that_takes_the_address_needs_one() {
    let endpoint = [("Endpoint", "outer", json!({"service": "api"}))];
    let pod = |key: &str| {
        let from = json!({"configMapKeyRef": {"name": "outer", "key": key}});
        let container = json!({"name": "a", "env": [{"name": "A", "valueFrom": from}]});
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {"template": {"spec": {"containers": [container]}}}})
    };
    let found = |ingress: Value, key: &str| {
        let live = live("LoadBalancer", &ingress);
        let made = resolved(&endpoint, &spec("LoadBalancer"), Some(live));
        without_address(&made, [pod(key)].iter()).len()
    };
    assert_eq!(found(json!([{"hostname": "lb.example"}]), "ip"), 1);
    assert_eq!(found(json!([{"hostname": "lb.example"}]), "host"), 0);
    assert_eq!(found(json!([{"ip": "192.0.2.1"}]), "ip"), 0);
    assert_eq!(found(json!([]), "ip"), 0);
}
