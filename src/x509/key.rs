//! Private and public keys.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::der::{self, oid};
use super::{Error, pem};

/// How a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA over P-256.
    EcdsaP256,
    /// ECDSA over P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA of 2048 to 4096 bits: read, never made.
    Rsa,
}

/// A private key: overwritten when it is dropped, and never shown.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    kind: KeyKind,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads the first private key of a PEM text: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`)
    /// or PKCS#1 (`RSA PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// If there is none, or one of another algorithm.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        for block in pem::read(text)? {
            let key = match block.label {
                "PRIVATE KEY" => Self::from_pkcs8(block.der),
                "EC PRIVATE KEY" => [oid::P256, oid::P384].into_iter().find_map(|curve| {
                    let curve = der::identifier(curve);
                    Self::from_pkcs8(wrap(oid::EC_PUBLIC_KEY, &curve, &block.der))
                }),
                "RSA PRIVATE KEY" => Self::from_pkcs8(wrap(oid::RSA, der::NULL, &block.der)),
                _ => continue,
            };
            return key.ok_or(Error::PrivateKey);
        }
        Err(Error::NoBlock("private key"))
    }

    /// Reads the DER of PKCS#8; none if it is anything else.
    pub(crate) fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (kind, public) = ecdsa(&pkcs8, &ECDSA_P256_SHA256_ASN1_SIGNING)
            .map(|point| (KeyKind::EcdsaP256, ec_public_key(oid::P256, &point)))
            .or_else(|| {
                let point = ecdsa(&pkcs8, &ECDSA_P384_SHA384_ASN1_SIGNING)?;
                Some((KeyKind::EcdsaP384, ec_public_key(oid::P384, &point)))
            })
            .or_else(|| {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).ok()?;
                let key = pair.public_key().as_ref();
                Some((KeyKind::Ed25519, der::public_key(oid::ED25519, &[], key)))
            })
            .or_else(|| {
                let pair = RsaKeyPair::from_pkcs8(&pkcs8).ok()?;
                let key = pair.public_key().as_ref();
                Some((KeyKind::Rsa, der::public_key(oid::RSA, der::NULL, key)))
            })?;
        let public = PublicKey(public);
        Some(Self {
            pkcs8,
            kind,
            public,
        })
    }

    /// Returns the public key that belongs to it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Returns how the key works.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the DER of PKCS#8.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }
}

/// The kind alone.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A public key, as its `SubjectPublicKeyInfo` in DER.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub(super) Vec<u8>);

impl PublicKey {
    /// Reads every `PUBLIC KEY` of a PEM text, of which there can be several while a key is being
    /// replaced.
    ///
    /// # Errors
    /// If there is none, or a block of it is broken.
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem::read(text)?;
        let keys = blocks
            .into_iter()
            .filter(|block| block.label == "PUBLIC KEY")
            .map(|block| match SubjectPublicKeyInfo::from_der(&block.der) {
                Ok(([], _)) => Ok(Self(block.der.to_vec())),
                Ok(_) => Err(Error::PublicKey(x509_parser::error::X509Error::InvalidSPKI)),
                Err(fault) => Err(Error::PublicKey(fault.into())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Error::NoBlock("public key"));
        }
        Ok(keys)
    }

    /// Writes it as a `PUBLIC KEY` in PEM: the form that kube-apiserver takes to check tokens,
    /// where it refuses a private key in PKCS#8.
    pub fn to_pem(&self) -> Vec<u8> {
        pem::write("PUBLIC KEY", &self.0).to_vec()
    }

    /// Returns the `SubjectPublicKeyInfo` in DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bytes)", self.0.len())
    }
}

/// The public point of an ECDSA key of that curve. The key is checked, which takes a source of
/// randomness by its signature; the result does not depend on it.
fn ecdsa(pkcs8: &[u8], algorithm: &'static EcdsaSigningAlgorithm) -> Option<Vec<u8>> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

fn ec_public_key(curve: &[u8], point: &[u8]) -> Vec<u8> {
    der::public_key(oid::EC_PUBLIC_KEY, &der::identifier(curve), point)
}

/// PKCS#8 (RFC 5958) around a key in a format of its own algorithm.
pub(crate) fn wrap(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let algorithm = der::sequence(&[&der::identifier(algorithm), parameters]);
    let key = Zeroizing::new(der::octets(key));
    let version = der::integer(&[0]);
    Zeroizing::new(der::sequence(&[&version, &algorithm, &key]))
}

#[cfg(test)]
mod tests;
