//! Whether the data of one Secret is what its generator says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Reason;
use super::endpoint;
use crate::kubeconfig;
use crate::manifest::generator::{
    Certificate as CertificateSpec, CertificateAuthority, KeyPair, Kubeconfig, Leaf,
    RandomEncoding, RandomSecret, SecretData, Server, Spec, Subject,
};
use crate::x509::{self, Certificate, PrivateKey, PublicKey};

/// What is known of data that is kept.
#[derive(Default)]
pub(super) struct Found {
    pub(super) expires: Option<Timestamp>,
    pub(super) deferred: Option<Reason>,
    /// Set for an authority.
    authority: Option<Authority>,
}

/// A kept authority.
struct Authority {
    current: Certificate,
    bundle: Vec<u8>,
}

/// The authorities that are kept, by name; an issuer that is not among them is issued.
#[derive(Default)]
pub(super) struct Issuers(BTreeMap<String, Authority>);

impl Issuers {
    /// Takes the authority out of what was found.
    pub(super) fn learn(&mut self, name: &str, mut found: Found) -> Found {
        if let Some(authority) = found.authority.take() {
            self.0.insert(name.to_owned(), authority);
        }
        found
    }

    fn get(&self, name: &str) -> Result<&Authority, Reason> {
        self.0.get(name).ok_or_else(|| Reason::IssuerIssued {
            issuer: name.to_owned(),
        })
    }
}

/// What a certificate is held against.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) issuers: &'a Issuers,
    pub(super) now: Timestamp,
}

/// A certificate with what stands beside it.
struct Stored<'a> {
    certificate: Certificate,
    key: PrivateKey,
    bundle: &'a [u8],
}

/// Tells what is known of the data of a live Secret or config map, or why it has to be made.
pub(super) fn judge(spec: &Spec, live: &Value, around: Around<'_>) -> Result<Found, Reason> {
    match spec {
        Spec::CertificateAuthority(spec) => authority(spec, &data_of(live)?, around.now),
        Spec::Certificate(spec) => certificate(spec, &data_of(live)?, around),
        Spec::Kubeconfig(spec) => kubeconfig(spec, &data_of(live)?, around),
        Spec::KeyPair(spec) => key_pair(spec, &data_of(live)?),
        Spec::RandomSecret(spec) => random_secret(spec, &data_of(live)?),
        Spec::Endpoint(spec) => endpoint::judge(spec, live),
    }
}

fn data_of(secret: &Value) -> Result<SecretData, Reason> {
    let data = SecretData::from_secret(secret);
    let data = data.map_err(|error| Reason::NotBase64 { key: error.key })?;
    if data.is_empty() {
        return Err(Reason::NoData);
    }
    Ok(data)
}

fn authority(
    spec: &CertificateAuthority,
    data: &SecretData,
    now: Timestamp,
) -> Result<Found, Reason> {
    let bundle = text(data, &spec.keys.certificate)?;
    let current = readable(&spec.keys.certificate, Certificate::read(bundle))?;
    let key = read(data, &spec.keys.key, PrivateKey::read)?;
    if current.public_key != *key.public_key() {
        return Err(Reason::Mismatch);
    }
    if !current.is_authority {
        return Err(Reason::NotAuthority);
    }
    let at = current.not_after;
    if at <= now {
        return Err(Reason::Expired { at });
    }
    let wanted = Subject {
        common_name: spec.common_name.clone(),
        organizations: current.subject.organizations.clone(),
    };
    let deferred = (current.subject != wanted).then(|| Reason::Subject {
        found: current.subject.clone(),
        wanted,
    });
    Ok(Found {
        expires: Some(at),
        deferred,
        authority: Some(Authority {
            current,
            bundle: bundle.to_vec(),
        }),
    })
}

fn certificate(
    spec: &CertificateSpec,
    data: &SecretData,
    around: Around<'_>,
) -> Result<Found, Reason> {
    let issuer = around.issuers.get(&spec.leaf.issuer)?;
    let keys = &spec.keys.pair;
    let stored = Stored {
        certificate: read(data, &keys.certificate, Certificate::read)?,
        key: read(data, &keys.key, PrivateKey::read)?,
        bundle: match &spec.keys.authority {
            Some(name) => text(data, name)?,
            None => &issuer.bundle,
        },
    };
    leaf(&spec.leaf, &stored, around)
}

fn kubeconfig(spec: &Kubeconfig, data: &SecretData, around: Around<'_>) -> Result<Found, Reason> {
    around.issuers.get(&spec.leaf.issuer)?;
    let file = text(data, &spec.key)?;
    let file = kubeconfig::Kubeconfig::read(file).ok_or_else(|| Reason::Form {
        key: spec.key.clone(),
        wanted: "a kubeconfig of one cluster and one user",
    })?;
    // As long as it is not known, any will do.
    let server = match &spec.server {
        Server::Url(url) => url,
        Server::Endpoint(_) => &file.server,
    };
    let settings = [
        ("server", &file.server, server),
        ("clusterName", &file.cluster_name, &spec.cluster_name),
        ("userName", &file.user_name, &spec.user_name),
    ];
    if let Some((field, found, wanted)) = settings.into_iter().find(|(_, a, b)| a != b) {
        return Err(Reason::Setting {
            field,
            found: found.clone(),
            wanted: wanted.clone(),
        });
    }
    let stored = Stored {
        certificate: readable(&spec.key, Certificate::read(&file.certificate))?,
        key: readable(&spec.key, PrivateKey::read(&file.key))?,
        bundle: &file.authorities,
    };
    leaf(&spec.leaf, &stored, around)
}

fn leaf(spec: &Leaf, stored: &Stored<'_>, around: Around<'_>) -> Result<Found, Reason> {
    let certificate = &stored.certificate;
    if certificate.public_key != *stored.key.public_key() {
        return Err(Reason::Mismatch);
    }
    let authority = around.issuers.get(&spec.issuer)?;
    let issuer = || spec.issuer.clone();
    if let Err(fault) = certificate.check_issuer(&authority.current) {
        let issuer = issuer();
        return Err(Reason::Chain { issuer, fault });
    }
    if stored.bundle != authority.bundle {
        return Err(Reason::Bundle { issuer: issuer() });
    }
    says(spec, certificate)?;
    let at = certificate.not_after;
    if at <= around.now {
        return Err(Reason::Expired { at });
    }
    if at.duration_since(around.now).unsigned_abs() <= spec.renew_before {
        return Err(Reason::Expires { at });
    }
    Ok(Found {
        expires: Some(at),
        ..Found::default()
    })
}

/// Checks what a certificate says; names beyond the wanted ones do no harm.
fn says(spec: &Leaf, certificate: &Certificate) -> Result<(), Reason> {
    if certificate.subject != spec.subject {
        return Err(Reason::Subject {
            found: certificate.subject.clone(),
            wanted: spec.subject.clone(),
        });
    }
    let names = spec.dns_names.difference(&certificate.dns_names).cloned();
    let addresses = spec.ip_addresses.difference(&certificate.ip_addresses);
    let missing: Vec<_> = names.chain(addresses.map(ToString::to_string)).collect();
    if !missing.is_empty() {
        return Err(Reason::Names { missing });
    }
    if certificate.is_authority {
        return Err(Reason::IsAuthority);
    }
    if certificate.usages != spec.usages {
        return Err(Reason::Usages {
            found: certificate.usages.clone(),
            wanted: spec.usages.clone(),
        });
    }
    Ok(())
}

fn key_pair(spec: &KeyPair, data: &SecretData) -> Result<Found, Reason> {
    let private = read(data, &spec.keys.private, PrivateKey::read)?;
    let public = read(data, &spec.keys.public, PublicKey::read_all)?;
    if !public.contains(private.public_key()) {
        return Err(Reason::Mismatch);
    }
    Ok(Found::default())
}

fn random_secret(spec: &RandomSecret, data: &SecretData) -> Result<Found, Reason> {
    for (key, random) in &spec.keys {
        if !random.encoding.is_form_of(text(data, key)?) {
            return Err(Reason::Form {
                key: key.clone(),
                wanted: form(random.encoding),
            });
        }
    }
    Ok(Found::default())
}

fn form(encoding: RandomEncoding) -> &'static str {
    match encoding {
        RandomEncoding::Base64 => "base64",
        RandomEncoding::Hex => "hexadecimal",
        RandomEncoding::Alphanumeric => "alphanumeric",
        RandomEncoding::Token => "a bootstrap token",
    }
}

fn text<'a>(data: &'a SecretData, key: &str) -> Result<&'a [u8], Reason> {
    data.get(key).ok_or_else(|| Reason::NoKey {
        key: key.to_owned(),
    })
}

fn read<T>(
    data: &SecretData,
    key: &str,
    read: fn(&[u8]) -> Result<T, x509::Error>,
) -> Result<T, Reason> {
    readable(key, read(text(data, key)?))
}

fn readable<T>(key: &str, read: Result<T, x509::Error>) -> Result<T, Reason> {
    read.map_err(|fault| Reason::Unreadable {
        key: key.to_owned(),
        fault,
    })
}
