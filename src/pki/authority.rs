//! The authority that signs.

use super::{Error, Sources};
use crate::manifest::generator::{Generator, Spec};
use crate::x509::{self, Certificate, PrivateKey};

/// An authority with its key.
pub(super) struct Authority {
    /// The current certificate: the first of the bundle.
    pub(super) certificate: Certificate,
    pub(super) key: PrivateKey,
    /// Every certificate that has to be trusted, PEM.
    pub(super) bundle: Vec<u8>,
}

impl Authority {
    /// Finds the issuer of `generator`.
    pub(super) fn find(
        generator: &Generator,
        issuer: &str,
        sources: &Sources<'_>,
    ) -> Result<Self, Error> {
        let spec = sources
            .generators
            .iter()
            .find(|other| other.name == issuer)
            .map(|other| &other.spec);
        let texts = match (spec, sources.secrets.get(issuer)) {
            (Some(Spec::CertificateAuthority(spec)), Some(data)) => data
                .get(&spec.keys.certificate)
                .zip(data.get(&spec.keys.key)),
            _ => None,
        };
        let (generator, issuer) = (generator.to_string(), issuer.to_owned());
        let Some((bundle, key)) = texts else {
            return Err(Error::NoAuthority { generator, issuer });
        };
        match read(bundle, key) {
            Ok(authority) if authority.certificate.public_key == *authority.key.public_key() => {
                Ok(authority)
            }
            Ok(_) => Err(Error::Mismatch { generator, issuer }),
            Err(source) => Err(Error::Authority {
                generator,
                issuer,
                source,
            }),
        }
    }
}

fn read(bundle: &[u8], key: &[u8]) -> Result<Authority, x509::Error> {
    Ok(Authority {
        certificate: Certificate::read(bundle)?,
        key: PrivateKey::read(key)?,
        bundle: bundle.to_vec(),
    })
}
