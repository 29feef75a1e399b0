//! The addresses of Services, put into the generators that ask for them.
//!
//! A dry run of the API server invents addresses, so only live ones count: what a Service that is
//! to be made, or that waits for its load balancer, will be called is known after the apply.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

use super::{Observed, pod_template};
use crate::manifest::generator::{
    Certificate, Endpoint, Generator, Kubeconfig, Server, Spec, is_dns_name,
};
use crate::manifest::{Manifest, ResourceId};

/// The Services of a release's namespace by name.
#[derive(Debug)]
pub struct Services<'a>(BTreeMap<&'a str, Service<'a>>);

/// A Service as it is wanted and as it is.
#[derive(Debug)]
struct Service<'a> {
    wanted: &'a Value,
    live: Option<&'a Value>,
}

/// What clients can call a Service by.
enum Name {
    Address(IpAddr),
    Host(String),
}

impl<'a> Services<'a> {
    /// The Services that a manifest wants in a namespace, and what the cluster holds of them.
    pub fn of(desired: &'a Manifest, observed: &'a Observed, namespace: &str) -> Self {
        let is_near = |id: &ResourceId| {
            id.kind == "Service"
                && id.group.is_empty()
                && id.namespace.as_deref() == Some(namespace)
        };
        let wanted = desired.resources.iter().filter(|one| is_near(&one.id));
        let services = wanted.map(|resource| {
            let service = Service {
                wanted: &resource.body,
                live: observed.get(&resource.id),
            };
            (resource.id.name.as_str(), service)
        });
        Self(services.collect())
    }

    /// Returns whether a Service is wanted.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Returns the generators with every address in them that is known: names and addresses in
/// certificates, URLs in kubeconfigs, host, address and port in endpoints. What is not known stays
/// as it is written.
pub fn resolve(generators: &[Generator], services: &Services<'_>) -> Vec<Generator> {
    let mut resolved = generators.to_vec();
    for generator in &mut resolved {
        match &mut generator.spec {
            Spec::Endpoint(spec) => fill(spec, services),
            Spec::Certificate(spec) => cover(spec, services),
            _ => (),
        }
    }
    let urls = resolved
        .iter()
        .filter_map(|generator| match &generator.spec {
            Spec::Endpoint(spec) => Some((generator.name.clone(), spec.url()?)),
            _ => None,
        });
    let urls: BTreeMap<String, String> = urls.collect();
    for generator in &mut resolved {
        if let Spec::Kubeconfig(Kubeconfig { server, .. }) = &mut generator.spec
            && let Server::Endpoint(name) = server
            && let Some(url) = urls.get(name)
        {
            *server = Server::Url(url.clone());
        }
    }
    resolved
}

/// Returns the Services whose addresses a generator, one of those that [`resolve`] returned, waits
/// for.
pub fn waits<'a>(generator: &'a Generator, all: &'a [Generator]) -> Vec<&'a str> {
    match &generator.spec {
        Spec::Certificate(spec) => spec.from_services.iter().map(String::as_str).collect(),
        Spec::Endpoint(spec) if spec.data().is_none() => vec![&spec.service],
        Spec::Kubeconfig(Kubeconfig {
            server: Server::Endpoint(name),
            ..
        }) => {
            let endpoint = all.iter().find(|other| other.name == *name);
            let endpoint = endpoint.filter(|other| matches!(other.spec, Spec::Endpoint(_)));
            endpoint.map_or_else(|| vec![name.as_str()], |other| waits(other, all))
        }
        _ => vec![],
    }
}

/// Returns the endpoints that have a host name alone, though pods ask for the address.
pub fn without_address<'a>(
    generators: &'a [Generator],
    bodies: impl Iterator<Item = &'a Value>,
) -> Vec<&'a Generator> {
    let asked: BTreeSet<&str> = bodies.flat_map(pod_template::addresses).collect();
    let nameless = generators.iter().filter(|generator| {
        let Spec::Endpoint(spec) = &generator.spec else {
            return false;
        };
        spec.ip.is_none() && spec.data().is_some()
    });
    nameless
        .filter(|generator| asked.contains(generator.name.as_str()))
        .collect()
}

fn fill(spec: &mut Endpoint, services: &Services<'_>) {
    let Some(service) = services.0.get(spec.service.as_str()) else {
        return;
    };
    if spec.ip.is_none() {
        let names = match service.kind() {
            "LoadBalancer" => service.balanced(),
            "ClusterIP" => service.addresses(),
            _ => Some(vec![]),
        };
        let Some(names) = names else {
            return;
        };
        for name in names {
            match name {
                Name::Address(ip) => spec.ip = spec.ip.or(Some(ip)),
                Name::Host(host) => spec.host = spec.host.take().or(Some(host)),
            }
        }
    }
    spec.port = service.port();
}

fn cover(spec: &mut Certificate, services: &Services<'_>) {
    let Certificate {
        leaf,
        from_services,
        ..
    } = spec;
    from_services.retain(|name| {
        let service = services.0.get(name.as_str());
        let names = service.and_then(|one| Some([one.addresses()?, one.balanced()?]));
        let is_known = names.is_some();
        for name in names.into_iter().flatten().flatten() {
            match name {
                Name::Address(ip) => leaf.ip_addresses.insert(ip),
                Name::Host(host) => leaf.dns_names.insert(host),
            };
        }
        !is_known
    });
}

impl Service<'_> {
    fn kind(&self) -> &str {
        kind(self.wanted)
    }

    /// Its addresses inside the cluster, of which a headless one has none; none if they are not
    /// known yet.
    fn addresses(&self) -> Option<Vec<Name>> {
        let one = "/spec/clusterIP";
        if self.kind() == "ExternalName" || text(self.wanted, one) == Some("None") {
            return Some(vec![]);
        }
        let live = self.live?;
        let mut found: Vec<&str> = texts(live, "/spec/clusterIPs").collect();
        if found.is_empty() {
            found.extend(text(live, one).filter(|address| !address.is_empty()));
        }
        let is_known = !found.is_empty();
        let addresses = found.into_iter().filter_map(|text| text.parse().ok());
        is_known.then(|| addresses.map(Name::Address).collect())
    }

    /// What its load balancer is called by, or the addresses that its spec gives instead; empty for
    /// other types, none if it is not known yet.
    fn balanced(&self) -> Option<Vec<Name>> {
        if self.kind() != "LoadBalancer" {
            return Some(vec![]);
        }
        let live = self.live.filter(|live| kind(live) == "LoadBalancer")?;
        let ingress = live.pointer("/status/loadBalancer/ingress");
        let ingress = ingress.and_then(Value::as_array).into_iter().flatten();
        let mut names: Vec<Name> = ingress
            .flat_map(|one| [text(one, "/ip"), text(one, "/hostname")])
            .filter_map(|found| name(found?))
            .collect();
        if names.is_empty() {
            names.extend(texts(live, "/spec/externalIPs").filter_map(name));
        }
        (!names.is_empty()).then_some(names)
    }

    /// The port that clients use; none if it is not known yet.
    fn port(&self) -> Option<u16> {
        let wanted = self.wanted.pointer("/spec/ports/0")?;
        if self.kind() != "NodePort" {
            return number(wanted, "port");
        }
        let is_same = |other: &&Value| {
            let protocol = |port: &Value| text(port, "/protocol").unwrap_or("TCP").to_owned();
            other.get("port") == wanted.get("port") && protocol(other) == protocol(wanted)
        };
        let live = self.live.and_then(|live| live.pointer("/spec/ports"));
        let mut live = live.and_then(Value::as_array).into_iter().flatten();
        number(wanted, "nodePort")
            .or_else(|| number(live.find(is_same)?, "nodePort"))
            .filter(|port| *port != 0)
    }
}

fn kind(service: &Value) -> &str {
    text(service, "/spec/type").unwrap_or("ClusterIP")
}

fn name(text: &str) -> Option<Name> {
    match text.parse() {
        Ok(address) => Some(Name::Address(address)),
        Err(_) => is_dns_name(text).then(|| Name::Host(text.to_owned())),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn texts<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn number(port: &Value, field: &str) -> Option<u16> {
    port.get(field)?
        .as_u64()
        .and_then(|number| u16::try_from(number).ok())
}

#[cfg(test)]
mod tests;
