//! The generated Secrets of one release, made by the library or read from a host.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use pintle::manifest::generator::{Generator, Product, SecretData, Spec};
use pintle::manifest::{Manifest, Resource};
use pintle::pki::{self, Sources};
use pintle::plan::Observed;
use pintle::plan::addresses::{self, Services};
use pintle::yaml;
use serde_json::{Value, json};

use super::boot::Release;
use super::site::Site;
use super::{RELEASE, rendered};

/// The generators of Secrets.
fn secret(generators: &[Generator]) -> impl Iterator<Item = &Generator> {
    let made = generators.iter();
    made.filter(|generator| generator.spec.product() == Product::Secret)
}

/// The generators with the addresses in them that a host gives to Services.
fn addressed(generators: &[Generator], resources: Vec<Resource>) -> Vec<Generator> {
    let mut observed = Observed::new();
    for resource in resources.iter().filter(|one| one.id.kind == "Service") {
        let mut live = resource.body.clone();
        live["spec"]["clusterIP"] = json!("10.0.0.7");
        live["status"]["loadBalancer"]["ingress"] = json!([{"ip": "192.0.2.10"}]);
        observed.insert(resource.id.clone(), live);
    }
    let manifest = Manifest {
        resources,
        ..Manifest::default()
    };
    let services = Services::of(&manifest, &observed, RELEASE.namespace);
    addresses::resolve(generators, &services)
}

/// The generators of a release and what their Secrets hold.
pub(super) struct Issued {
    /// The name of the release.
    release: String,
    /// Every generator of the release.
    pub(super) generators: Vec<Generator>,
    secrets: BTreeMap<String, SecretData>,
}

impl Issued {
    /// Makes the Secrets of a release that is on no host.
    pub(super) fn made(given: &Value) -> Self {
        let (generators, resources) = rendered(RELEASE, given);
        let generators = addressed(&generators, resources);
        let mut secrets = BTreeMap::new();
        let (authorities, others): (Vec<_>, Vec<_>) = secret(&generators)
            .partition(|generator| matches!(generator.spec, Spec::CertificateAuthority(_)));
        for generator in authorities.into_iter().chain(others) {
            let sources = Sources {
                generators: &generators,
                secrets: &secrets,
            };
            let data = pki::issue(generator, &sources, Timestamp::now()).unwrap();
            secrets.insert(generator.name.clone(), data);
        }
        Self {
            release: RELEASE.name.to_owned(),
            generators,
            secrets,
        }
    }

    /// Reads the Secrets of a release with the values that are given.
    pub(super) fn on(site: &Site, name: &str, given: &Value) -> Self {
        let release = Release {
            namespace: &site.namespace,
            name,
        };
        let (generators, _) = rendered(release, given);
        let secrets = secret(&generators).map(|generator| {
            let secret = site.get(&["secret", &generator.name]);
            (
                generator.name.clone(),
                SecretData::from_secret(&secret).unwrap(),
            )
        });
        Self {
            release: name.to_owned(),
            secrets: secrets.collect(),
            generators,
        }
    }

    /// Returns what stands under a key of a Secret, of which `part` is the name without that of
    /// the release.
    pub(super) fn part(&self, part: &str, key: &str) -> &[u8] {
        self.data(&format!("{}-{part}", self.release), key)
    }

    /// Returns what stands under a key of a Secret.
    pub(super) fn data(&self, secret: &str, key: &str) -> &[u8] {
        let data = self.secrets.get(secret).and_then(|data| data.get(key));
        data.unwrap_or_else(|| panic!("the Secret {secret} has no {key}"))
    }

    /// Returns the certificate and the private key of a generator, as PEM; none if it has no
    /// certificate of an authority.
    pub(super) fn pair(&self, generator: &Generator) -> Option<[Vec<u8>; 2]> {
        let data = |key: &str| self.data(&generator.name, key).to_vec();
        match &generator.spec {
            Spec::Certificate(spec) => {
                Some([data(&spec.keys.pair.certificate), data(&spec.keys.pair.key)])
            }
            Spec::Kubeconfig(spec) => Some(
                [
                    "/users/0/user/client-certificate-data",
                    "/users/0/user/client-key-data",
                ]
                .map(|pointer| embedded(&data(&spec.key), pointer)),
            ),
            _ => None,
        }
    }

    /// Returns what a Secret holds.
    pub(super) fn secret(&self, name: &str) -> &SecretData {
        &self.secrets[name]
    }

    /// Returns every authority, as PEM.
    pub(super) fn authorities(&self) -> Vec<&[u8]> {
        let is_authority = |made: &&Generator| matches!(made.spec, Spec::CertificateAuthority(_));
        let authorities = self.generators.iter().filter(is_authority);
        authorities
            .map(|authority| self.data(&authority.name, "tls.crt"))
            .collect()
    }

    /// Returns the authority that a generator's certificate is of, as PEM.
    pub(super) fn authority(&self, generator: &Generator) -> &[u8] {
        let issuer = &generator.spec.leaf().unwrap().issuer;
        self.data(issuer, "tls.crt")
    }
}

/// Returns what stands in base64 at a pointer of a kubeconfig.
pub(super) fn embedded(kubeconfig: &[u8], pointer: &str) -> Vec<u8> {
    let text = std::str::from_utf8(kubeconfig).unwrap();
    let file = yaml::parse(text).unwrap();
    let data = file.pointer(pointer).and_then(Value::as_str).unwrap();
    BASE64_STANDARD.decode(data).unwrap()
}
