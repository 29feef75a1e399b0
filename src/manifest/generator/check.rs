//! What only all generators of a manifest together can have wrong.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Resource;
use super::nearest::nearest;
use super::{Endpoint, Error, Generator, Product, ReferenceFault, Server, Spec, k8s_name};

/// Checks that everything is made once and by nobody else, that every issuer is an authority and
/// every endpoint an `Endpoint` among the generators, and that there are the Services whose
/// addresses are asked for. Authorities are self-signed and endpoints are read from Services, so
/// that no cycle can be written.
///
/// `others` are the resources and hooks of the same manifest, `namespace` is the release's.
///
/// # Errors
/// If it is not so; the first fault in the order of the generators.
pub fn check<'a>(
    generators: &[Generator],
    others: impl IntoIterator<Item = &'a Resource>,
    namespace: &str,
) -> Result<(), Error> {
    refuse_repeated(generators)?;
    refuse_alike(generators)?;
    let is_near = |other: &&Resource| {
        other.id.group.is_empty() && other.id.namespace.as_deref() == Some(namespace)
    };
    let others: Vec<&Resource> = others.into_iter().filter(is_near).collect();
    let named = generators.iter().map(|one| (one.name.as_str(), one));
    let services = others.iter().filter(|other| other.id.kind == "Service");
    let around = Around {
        generators: named.collect(),
        services: services
            .map(|service| (service.id.name.as_str(), &service.body))
            .collect(),
    };
    generators
        .iter()
        .try_for_each(|generator| around.check(generator))?;
    refuse_collisions(generators, &others)
}

fn refuse_repeated(generators: &[Generator]) -> Result<(), Error> {
    let mut made: BTreeMap<(Product, &str), &Generator> = BTreeMap::new();
    for generator in generators {
        let product = generator.spec.product();
        if let Some(first) = made.insert((product, &generator.name), generator) {
            return Err(Error::Duplicate {
                product,
                name: generator.name.clone(),
                first: first.origin.clone(),
                second: generator.origin.clone(),
            });
        }
    }
    Ok(())
}

/// Refuses names such as `a.b` and `a-b`: one's issue would hide the other's from the pods.
fn refuse_alike(generators: &[Generator]) -> Result<(), Error> {
    let mut by_stamp: BTreeMap<String, &Generator> = BTreeMap::new();
    for generator in generators {
        if let Some(first) = by_stamp.insert(k8s_name(&generator.name), generator) {
            return Err(Error::Alike {
                product: generator.spec.product(),
                name: generator.name.clone(),
                other: first.name.clone(),
                first: first.origin.clone(),
                second: generator.origin.clone(),
            });
        }
    }
    Ok(())
}

fn refuse_collisions(generators: &[Generator], others: &[&Resource]) -> Result<(), Error> {
    for resource in others {
        let makes = |generator: &&Generator| {
            generator.name == resource.id.name
                && generator.spec.product().kind() == resource.id.kind
        };
        if let Some(generator) = generators.iter().find(makes) {
            return Err(Error::Collision {
                id: resource.id.clone(),
                generator: generator.origin.clone(),
                resource: resource.origin.clone(),
            });
        }
    }
    Ok(())
}

/// What generators can refer to, by name.
struct Around<'a> {
    generators: BTreeMap<&'a str, &'a Generator>,
    services: BTreeMap<&'a str, &'a Value>,
}

impl Around<'_> {
    fn check(&self, generator: &Generator) -> Result<(), Error> {
        let fault = |(field, name): (&'static str, &str), fault| Error::Reference {
            origin: generator.origin.clone(),
            generator: generator.to_string(),
            field,
            name: name.to_owned(),
            fault,
        };
        let at = |field: &'static str, name: &str, found: Result<(), ReferenceFault>| {
            found.map_err(|found| fault((field, name), found))
        };
        if let Some(leaf) = generator.spec.leaf() {
            let issuer = self.find(&leaf.issuer, "CertificateAuthority");
            at("issuer", &leaf.issuer, issuer)?;
        }
        match &generator.spec {
            Spec::Certificate(spec) => spec
                .from_services
                .iter()
                .try_for_each(|name| at("fromServices", name, self.service(name).map(drop))),
            Spec::Kubeconfig(spec) => match &spec.server {
                Server::Endpoint(name) => at("endpoint", name, self.find(name, "Endpoint")),
                Server::Url(_) => Ok(()),
            },
            Spec::Endpoint(spec) => {
                let service = self.service(&spec.service);
                let service = service.map_err(|found| fault(("service", &spec.service), found))?;
                refuse_nowhere(generator, spec, service)
            }
            _ => Ok(()),
        }
    }

    /// Checks that a generator of that name is of a kind.
    fn find(&self, name: &str, kind: &'static str) -> Result<(), ReferenceFault> {
        match self.generators.get(name) {
            Some(found) if found.kind() == kind => Ok(()),
            Some(found) => Err(ReferenceFault::OtherKind {
                found: found.kind(),
                wanted: kind,
            }),
            None => {
                let all = self.generators.values();
                let meant = all.filter(|other| other.kind() == kind);
                Err(ReferenceFault::Unknown {
                    wanted: "generator",
                    nearest: nearest(name, meant.map(|other| other.name.as_str())),
                })
            }
        }
    }

    fn service(&self, name: &str) -> Result<&Value, ReferenceFault> {
        let unknown = || ReferenceFault::Unknown {
            wanted: "Service",
            nearest: nearest(name, self.services.keys().copied()),
        };
        self.services.get(name).copied().ok_or_else(unknown)
    }
}

/// Refuses an endpoint whose Service never gets the address that the spec does not give.
fn refuse_nowhere(generator: &Generator, spec: &Endpoint, service: &Value) -> Result<(), Error> {
    let text = |pointer: &str| service.pointer(pointer).and_then(Value::as_str);
    let why = match text("/spec/type").unwrap_or("ClusterIP") {
        "NodePort" => "is of type NodePort, and which address nodes have is not said",
        "ExternalName" => "is of type ExternalName",
        "ClusterIP" if text("/spec/clusterIP") == Some("None") => "is headless",
        _ => return Ok(()),
    };
    if spec.ip.is_some() || spec.host.is_some() {
        return Ok(());
    }
    Err(Error::NoAddress {
        origin: generator.origin.clone(),
        generator: generator.to_string(),
        service: spec.service.clone(),
        why,
    })
}
