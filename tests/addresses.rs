//! Addresses of Services in a small chart on the real API server: config maps that are made of them,
//! and the pods that use these.

use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::plan::{Denial, deny};
use crate::support::{Place, Run};
use testbed::User;

/// A Service, what is made of its address, and three Deployments: one that takes all of it, one that
/// takes the value `key`, and one that takes nothing.
const TEMPLATE: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {type: {{ values.type }}, selector: {app: all}, ports: [{port: 443}]}
---
apiVersion: generate.pintle.dev/v1
kind: Endpoint
metadata: {name: outer, labels: {tier: front}}
spec: {service: api}
---
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: ca}
spec: {commonName: ca}
---
apiVersion: generate.pintle.dev/v1
kind: Certificate
metadata: {name: server}
spec: {issuer: ca, commonName: api, usages: [server auth], fromServices: [api]}
{% for name in ["all", "one", "none"] %}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ name }}}
spec:
  selector: {matchLabels: {app: {{ name }}}}
  template:
    metadata: {labels: {app: {{ name }}}}
    spec:
      containers:
        - name: app
          image: "app:1.0.0"
          {%- if name == "all" %}
          envFrom: [{configMapRef: {name: outer}}]
          {%- elif name == "one" %}
          env: [{name: A, valueFrom: {configMapKeyRef: {name: outer, key: {{ values.key }}}}}]
          {%- endif %}
{% endfor %}
"#;

pub(crate) fn small(place: &Place) -> String {
    place.chart("small", "type: ClusterIP\nkey: ip\n", TEMPLATE)
}

/// What each Deployment says of the endpoint in its pod template.
fn stamps(place: &Place) -> [Value; 3] {
    ["all", "one", "none"].map(|name| {
        let live = place.get(&["deployment", name]);
        live["spec"]["template"]["metadata"]["annotations"]["issue.pintle.dev/outer"].clone()
    })
}

#[test]
fn a_cluster_ip_is_there_at_once() {
    let place = Place::new("cluster-ip");
    let chart = small(&place);
    place
        .pintle(&["install", "app", &chart, "--no-wait"])
        .ok()
        .says(&["addresses: 1 to create", "issued ConfigMap outer"]);
    let ip = place.get(&["service/api"])["spec"]["clusterIP"].take();
    let map = place.get(&["configmap/outer", "--show-managed-fields"]);
    let url = format!("https://{}:443", ip.as_str().unwrap());
    let data = json!({"host": ip, "ip": ip, "port": "443", "url": url});
    assert_eq!(map["data"], data);
    let labels = &map["metadata"]["labels"];
    assert_eq!(labels["tier"], "front");
    assert_eq!(labels["pintle.dev/release"], "app");
    assert_eq!(labels["pintle.dev/generator"], "Endpoint");
    let entries = map["metadata"]["managedFields"].as_array().unwrap().iter();
    let mut owners = entries.filter(|entry| !entry["fieldsV1"]["f:data"].is_null());
    assert_eq!(owners.next().unwrap()["manager"], "pintle");
    assert!(owners.next().is_none());
    let issue = map["metadata"]["annotations"]["pintle.dev/issue"].clone();
    assert_eq!(stamps(&place), [issue.clone(), issue, Value::Null]);
    place
        .pintle(&["upgrade", "app", &chart])
        .ok()
        .prints(&["is unchanged"]);
    let manifest = place.helm(&["get", "manifest", "app"]).ok().stdout;
    assert!(manifest.contains("name: outer") && !manifest.contains(ip.as_str().unwrap()));
}

#[test]
fn what_somebody_changes_is_put_right() {
    let place = Place::new("put-right");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let (before, data) = (
        stamps(&place),
        place.get(&["configmap/outer"])["data"].take(),
    );
    let patch = r#"{"data": {"ip": "192.0.2.9", "note": "mine"}}"#;
    place
        .kubectl(&["patch", "configmap", "outer", "--patch", patch])
        .ok();
    place
        .pintle(&["diff", "app", &chart, "--exit-code"])
        .fails_with(5)
        .prints(&["its ip is \"192.0.2.9\""]);
    place.pintle(&["upgrade", "app", &chart]).ok();
    let mut after = place.get(&["configmap/outer"])["data"].take();
    assert_eq!(after["note"].take(), "mine");
    after.as_object_mut().unwrap().remove("note");
    assert_eq!(after, data);
    let stamps = stamps(&place);
    assert!(stamps[0] != before[0] && stamps[1] != before[1] && stamps[2] == Value::Null);
}

/// Upgrades to a load balancer, of which a name is all that it gives.
fn named(place: &Place, chart: &str, key: &str) -> Run {
    let set = format!("type=LoadBalancer,key={key}");
    let started = place.start_pintle(&["upgrade", "app", chart, "--set", &set]);
    eventually("the Service is of a load balancer", || {
        let service = place.get(&["service/api"]);
        (service["spec"]["type"] == "LoadBalancer").then_some(())
    });
    give(place, "lb.example");
    started.end()
}

/// Gives the Service a host name, as a load balancer does.
fn give(place: &Place, host: &str) {
    let status = json!({"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}});
    place
        .kubectl(&[
            "patch",
            "service",
            "api",
            "--subresource=status",
            "--type=merge",
            "--patch",
            &status.to_string(),
        ])
        .ok();
}

#[test]
fn a_host_name_is_no_address() {
    let place = Place::new("host-name");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let before = place.get(&["configmap/outer"]);
    named(&place, &chart, "ip").fails_with(1).says(&[
        "gave a host name and no address",
        "Endpoint outer",
        "give the endpoint an ip",
    ]);
    assert_eq!(place.get(&["configmap/outer"]), before);
    named(&place, &chart, "host").ok();
    // What it does not say any more is gone.
    let expected = json!({"host": "lb.example", "port": "443", "url": "https://lb.example:443"});
    assert_eq!(place.get(&["configmap/outer"])["data"], expected);
    place.pintle(&["rollback", "app", "1"]).ok();
    assert_eq!(place.get(&["configmap/outer"])["data"], before["data"]);
    place.helm(&["uninstall", "app", "--wait"]).ok();
    let left = place.kubectl(&["get", "configmap/outer"]);
    assert_ne!(left.code, Some(0), "{left}");
}

#[test]
fn the_rest_is_asked_about_when_the_addresses_are_known() {
    let place = Place::new("asked-again");
    let chart = small(&place);
    let install = [
        "install",
        "app",
        &chart,
        "--set",
        "type=LoadBalancer,key=host",
    ];
    let started = place.start_pintle(&install);
    eventually("the Service is there", || {
        (place.kubectl(&["get", "service/api"]).code == Some(0)).then_some(())
    });
    // What was allowed when all of it was asked about is not any more.
    deny(
        &place,
        &Denial {
            operation: "CREATE",
            resource: "deployments",
            unless: "object.metadata.name == 'none'",
            refused: &["create", "deployment", "one", "--image=a"],
        },
    );
    give(&place, "lb.example");
    started.end().fails_with(1).says(&[
        "now that addresses are known, the rest would be refused, so none of it was written",
        "  Deployment all (small/templates/all.yaml:",
        "  Deployment one (small/templates/all.yaml:",
        "it has to stay",
    ]);
    let made = "deployments,secrets,configmaps";
    let made = place
        .kubectl(&["get", made, "-l", "app.kubernetes.io/managed-by=Helm"])
        .ok();
    assert_eq!(made.stdout, "");
    place.pintle(&["history", "app"]).ok().prints(&["failed"]);
    let binding = [
        "delete",
        "validatingadmissionpolicybinding",
        &place.namespace,
    ];
    place.kubectl(&binding).ok();
    let asked = [
        "create",
        "deployment",
        "one",
        "--image=a",
        "--dry-run=server",
    ];
    while place.kubectl(&asked).code != Some(0) {}
    let upgrade = [
        "upgrade",
        "app",
        &chart,
        "--set",
        "type=LoadBalancer,key=host",
    ];
    place.pintle(&upgrade).ok();
}

#[test]
fn rights_to_config_maps_are_needed_only_where_there_are_any() {
    let place = Place::new("map-rights");
    let chart = small(&place);
    let token = "apiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: token}\n\
        spec: {keys: {token: {}}}\n";
    place.file("small/templates/all.yaml", token);
    let verbs = "--verb=get,list,watch,create,update,patch,delete";
    let resources = "--resource=secrets,leases.coordination.k8s.io";
    place
        .kubectl(&["create", "role", "no-maps", verbs, resources])
        .ok();
    let user = ["--user", User::TenantAdmin.name(), "--role", "no-maps"];
    let bind = ["create", "rolebinding", "one"];
    place.kubectl(&[&bind[..], &user].concat()).ok();
    let place = place.seen_by(User::TenantAdmin);
    place.pintle(&["install", "app", &chart]).ok();
    place
        .pintle(&["upgrade", "app", &chart])
        .ok()
        .prints(&["is unchanged"]);
    place.file("small/templates/all.yaml", TEMPLATE);
    place
        .pintle(&["upgrade", "app", &chart])
        .fails_with(1)
        .says(&["not allowed to"]);
}
