//! Names and ports of pods as ports of 127.0.0.1.
//!
//! Every port that a container declares gets a free port. What leads to it on the host leads to
//! that port here: the host name of a pod in its headless Service, and the name of a Service, which
//! stands for the first of its pods.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::Value;

use super::json;
use super::snapshot::Snapshot;

/// The names and ports of a release.
pub(super) struct Network {
    /// The port here for a port of a pod.
    ports: BTreeMap<(String, u16), u16>,
    /// `HOST:PORT` on the host and what it is here, longest first.
    names: Vec<(String, String)>,
}

impl Network {
    /// Gives every declared port of the pods a port here.
    pub(super) fn lay(snapshot: &Snapshot) -> Self {
        // All are held until the last is known, so that they differ.
        let mut held = Vec::new();
        let mut ports = BTreeMap::new();
        for pod in &snapshot.pods {
            for declared in declared(pod) {
                let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                let port = listener.local_addr().unwrap().port();
                held.push(listener);
                let number = json::port(declared, "/containerPort");
                ports.insert((json::name(pod).to_owned(), number), port);
            }
        }
        Self::with_ports(snapshot, ports)
    }

    fn with_ports(snapshot: &Snapshot, ports: BTreeMap<(String, u16), u16>) -> Self {
        let mut network = Self {
            ports,
            names: Vec::new(),
        };
        for pod in &snapshot.pods {
            network.name_pod(pod);
        }
        for service in &snapshot.services {
            network.name_service(service, &snapshot.pods);
        }
        let length = |(from, _): &(String, String)| std::cmp::Reverse(from.len());
        network.names.sort_by_key(length);
        network
    }

    fn name_pod(&mut self, pod: &Value) {
        let subdomain = json::text(pod, "/spec/subdomain");
        if subdomain.is_empty() {
            return;
        }
        let host = json::text(pod, "/spec/hostname");
        let namespace = json::text(pod, "/metadata/namespace");
        for declared in declared(pod) {
            let number = json::port(declared, "/containerPort");
            let from = format!("{host}.{subdomain}.{namespace}.svc:{number}");
            self.names.push((from, self.address(pod, number)));
        }
    }

    fn name_service(&mut self, service: &Value, pods: &[Value]) {
        let Some(pod) = pods.iter().find(|pod| selects(service, pod)) else {
            return;
        };
        let name = json::name(service);
        let namespace = json::text(service, "/metadata/namespace");
        for port in json::list(service, "/spec/ports") {
            let from = format!("{name}.{namespace}.svc:{}", json::port(port, "/port"));
            let target = match port.pointer("/targetPort").and_then(Value::as_str) {
                Some(name) => number(pod, name),
                None => json::port(port, "/targetPort"),
            };
            self.names.push((from, self.address(pod, target)));
        }
    }

    /// Returns the port here for port `number` of a pod; none if it is not declared.
    pub(super) fn port(&self, pod: &str, number: u16) -> Option<u16> {
        self.ports.get(&(pod.to_owned(), number)).copied()
    }

    /// Returns where the port called `name` of a pod is, as `127.0.0.1:PORT`.
    pub(super) fn address_of(&self, pod: &Value, name: &str) -> String {
        self.address(pod, number(pod, name))
    }

    fn address(&self, pod: &Value, number: u16) -> String {
        let name = json::name(pod);
        let port = self.port(name, number);
        let port = port.unwrap_or_else(|| panic!("the pod {name} declares no port {number}"));
        format!("127.0.0.1:{port}")
    }

    /// Replaces every `HOST:PORT` of the host in a text by what it is here.
    pub(super) fn translate(&self, text: &str) -> String {
        let replace = |text: String, (from, to): &(String, String)| text.replace(from, to);
        self.names.iter().fold(text.to_owned(), replace)
    }
}

/// The ports that the containers of a pod declare.
fn declared(pod: &Value) -> impl Iterator<Item = &Value> {
    let containers = json::list(pod, "/spec/containers").iter();
    containers.flat_map(|container| json::list(container, "/ports"))
}

/// The number of the port called `name`.
fn number(pod: &Value, name: &str) -> u16 {
    let found = declared(pod).find(|port| json::text(port, "/name") == name);
    let port = found.unwrap_or_else(|| panic!("{} has no port {name}", json::name(pod)));
    json::port(port, "/containerPort")
}

fn selects(service: &Value, pod: &Value) -> bool {
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    selector.is_some_and(|selector| {
        let labels = pod.pointer("/metadata/labels");
        (selector.iter()).all(|(key, value)| labels.and_then(|map| map.get(key)) == Some(value))
    })
}
