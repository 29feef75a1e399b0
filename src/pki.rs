//! Making keys and certificates, and fingerprints of what may be secret.
//!
//! A generator, what the generated Secrets hold so far and the time come in; the data of one more
//! Secret goes out. When something is made, and where it is written, is left to others.
//!
//! What is made is overwritten when it is dropped, as far as it passes through this crate: copies
//! inside the cryptography and YAML crates are not.

mod authority;
mod certificate;
mod fingerprint;
mod key;
mod random;

use std::collections::BTreeMap;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::kubeconfig;
use crate::manifest::generator::{
    Algorithm, Certificate, CertificateAuthority, Generator, KeyPair, Kubeconfig, Leaf, Random,
    RandomEncoding, RandomSecret, SecretData, Server, Spec,
};
use crate::x509::{self, PrivateKey, PublicKey};
use authority::Authority;

pub use fingerprint::{fingerprint, salt};

/// A Secret that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system gives no random bytes, or a key made of them is refused.
    #[error("making a key: the source of randomness failed")]
    Random,
    /// The certificate would end beyond what a certificate can say.
    #[error("issuing {generator}: it would be valid beyond the year 9999")]
    Time {
        /// The generator.
        generator: String,
    },
    /// An address is not known, or the generator makes no Secret.
    #[error("issuing {generator}: the address of its Service is not known")]
    Address {
        /// The generator.
        generator: String,
    },
    /// The authority has not been made yet.
    #[error("issuing {generator}: its issuer {issuer} has no certificate and key")]
    NoAuthority {
        /// The generator.
        generator: String,
        /// The name of the issuer.
        issuer: String,
    },
    /// The authority's Secret holds something else.
    #[error("issuing {generator}: reading its issuer {issuer}")]
    Authority {
        /// The generator.
        generator: String,
        /// The name of the issuer.
        issuer: String,
        /// What is wrong.
        source: x509::Error,
    },
    /// The authority's certificate is of another key.
    #[error("issuing {generator}: certificate and key of its issuer {issuer} differ")]
    Mismatch {
        /// The generator.
        generator: String,
        /// The name of the issuer.
        issuer: String,
    },
}

/// Makes a bootstrap token: an id of 6 and a secret of 16 letters, with a dot between.
///
/// # Errors
/// If the source of randomness fails.
pub fn token() -> Result<String, Error> {
    let random = Random {
        encoding: RandomEncoding::Token,
        size: 0,
    };
    let text = random::text(random)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What a Secret can be made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Every generator of the manifest.
    pub generators: &'a [Generator],
    /// The data of generated Secrets by name: live, and as made since. It has to hold the
    /// generator's own Secret where there is one: random text and key pairs are never made anew.
    pub secrets: &'a BTreeMap<String, SecretData>,
}

/// Makes the data of a generator's Secret.
///
/// Certificates are valid from five minutes before `now`, as kubeadm's are, against clocks that
/// differ. What is good of an existing key pair or random secret is kept and the rest is added.
///
/// # Errors
/// If there is no randomness, no usable authority where one is needed, or an address that is not
/// known; for an endpoint, of which nothing is secret.
pub fn issue(
    generator: &Generator,
    sources: &Sources<'_>,
    now: Timestamp,
) -> Result<SecretData, Error> {
    let existing = sources.secrets.get(&generator.name);
    match &generator.spec {
        Spec::CertificateAuthority(spec) => self_signed(spec, generator, now),
        Spec::Certificate(spec) => signed(spec, &Job::new(generator, sources, now)),
        Spec::Kubeconfig(spec) => configured(spec, &Job::new(generator, sources, now)),
        Spec::KeyPair(spec) => key_pair(spec, existing),
        Spec::RandomSecret(spec) => random_secret(spec, existing),
        Spec::Endpoint(_) => Err(unknown(generator)),
    }
}

/// The making of one certificate that an authority signs.
struct Job<'a> {
    generator: &'a Generator,
    sources: &'a Sources<'a>,
    now: Timestamp,
}

/// A certificate that was just made.
struct Made {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    /// The authority's bundle.
    bundle: Vec<u8>,
}

impl<'a> Job<'a> {
    fn new(generator: &'a Generator, sources: &'a Sources<'a>, now: Timestamp) -> Self {
        Self {
            generator,
            sources,
            now,
        }
    }

    fn run(&self, leaf: &Leaf) -> Result<Made, Error> {
        let authority = Authority::find(self.generator, &leaf.issuer, self.sources)?;
        let key = key::generate(leaf.algorithm)?;
        let validity = validity(self.now, leaf.duration, self.generator)?;
        let certificate = certificate::leaf(leaf, key.public_key(), &authority, validity)?;
        Ok(Made {
            certificate,
            key: key::to_pem(&key),
            bundle: authority.bundle,
        })
    }
}

fn self_signed(
    spec: &CertificateAuthority,
    generator: &Generator,
    now: Timestamp,
) -> Result<SecretData, Error> {
    let key = key::generate(spec.algorithm)?;
    let validity = validity(now, spec.duration, generator)?;
    let certificate = certificate::authority(&spec.common_name, &key, validity)?;
    let mut data = SecretData::default();
    data.insert(&spec.keys.certificate, certificate);
    data.insert(&spec.keys.key, key::to_pem(&key));
    Ok(data)
}

fn unknown(generator: &Generator) -> Error {
    Error::Address {
        generator: generator.to_string(),
    }
}

fn signed(spec: &Certificate, job: &Job<'_>) -> Result<SecretData, Error> {
    if !spec.from_services.is_empty() {
        return Err(unknown(job.generator));
    }
    let made = job.run(&spec.leaf)?;
    let mut data = SecretData::default();
    data.insert(&spec.keys.pair.certificate, made.certificate);
    data.insert(&spec.keys.pair.key, made.key);
    if let Some(name) = &spec.keys.authority {
        data.insert(name, made.bundle);
    }
    Ok(data)
}

fn configured(spec: &Kubeconfig, job: &Job<'_>) -> Result<SecretData, Error> {
    let Server::Url(server) = &spec.server else {
        return Err(unknown(job.generator));
    };
    let made = job.run(&spec.leaf)?;
    let file = kubeconfig::Kubeconfig {
        server: server.clone(),
        cluster_name: spec.cluster_name.clone(),
        user_name: spec.user_name.clone(),
        authorities: made.bundle,
        certificate: made.certificate,
        key: made.key,
    };
    let mut data = SecretData::default();
    data.insert(&spec.key, file.to_text());
    Ok(data)
}

fn key_pair(spec: &KeyPair, existing: Option<&SecretData>) -> Result<SecretData, Error> {
    let stored = |name: &str| existing.and_then(|data| data.get(name));
    let kept = stored(&spec.keys.private)
        .and_then(|text| Some((PrivateKey::read(text).ok()?, text.to_vec().into())));
    let (key, private) = match kept {
        Some(kept) => kept,
        None => made_pair(spec.algorithm)?,
    };
    // There can be a second public key while the pair is being replaced.
    let public = stored(&spec.keys.public)
        .filter(|text| PublicKey::read_all(text).is_ok_and(|all| all.contains(key.public_key())))
        .map_or_else(|| key.public_key().to_pem(), <[u8]>::to_vec);
    let mut data = SecretData::default();
    data.insert(&spec.keys.private, private);
    data.insert(&spec.keys.public, public);
    Ok(data)
}

fn made_pair(algorithm: Algorithm) -> Result<(PrivateKey, Zeroizing<Vec<u8>>), Error> {
    let key = key::generate(algorithm)?;
    let text = key::to_pem(&key);
    Ok((key, text))
}

fn random_secret(spec: &RandomSecret, existing: Option<&SecretData>) -> Result<SecretData, Error> {
    let mut data = SecretData::default();
    for (name, random) in &spec.keys {
        let stored = existing.and_then(|data| data.get(name));
        let text = match stored.filter(|text| random.encoding.is_form_of(text)) {
            Some(text) => Zeroizing::new(text.to_vec()),
            None => random::text(*random)?,
        };
        data.insert(name, text);
    }
    Ok(data)
}

/// From five minutes before `now` until `duration` after it.
fn validity(
    now: Timestamp,
    duration: std::time::Duration,
    generator: &Generator,
) -> Result<certificate::Validity, Error> {
    certificate::Validity::new(now, duration).ok_or_else(|| Error::Time {
        generator: generator.to_string(),
    })
}

#[cfg(test)]
mod tests;
