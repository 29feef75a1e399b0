//! Making private keys, and signing with them.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::{Error, random};
use crate::manifest::generator::Algorithm;
use crate::x509::der::{self, oid};
use crate::x509::{KeyKind, PrivateKey, pem, wrap};

/// How many bytes an Ed25519 key has.
const ED25519_LENGTH: usize = 32;

/// Makes a key.
pub(super) fn generate(algorithm: Algorithm) -> Result<PrivateKey, Error> {
    let ecdsa = |curve: &'static EcdsaSigningAlgorithm| {
        let document = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new());
        let document = document.map_err(|_| Error::Random)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    };
    let pkcs8 = match algorithm {
        Algorithm::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
        Algorithm::EcdsaP384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)?,
        Algorithm::Ed25519 => {
            // Not as `ring` writes it: other libraries refuse its version of the format.
            let seed = random::bytes::<ED25519_LENGTH>()?;
            wrap(oid::ED25519, &[], &Zeroizing::new(der::octets(&seed[..])))
        }
    };
    PrivateKey::from_pkcs8(pkcs8).ok_or(Error::Random)
}

/// Writes a key as PKCS#8 in PEM.
pub(super) fn to_pem(key: &PrivateKey) -> Zeroizing<Vec<u8>> {
    pem::write("PRIVATE KEY", key.pkcs8())
}

/// The `AlgorithmIdentifier` of what [`sign`] makes (RFC 5758, RFC 8410, RFC 4055).
pub(super) fn signature_algorithm(kind: KeyKind) -> Vec<u8> {
    match kind {
        KeyKind::EcdsaP256 => der::sequence(&[&der::identifier(oid::ECDSA_SHA256)]),
        KeyKind::EcdsaP384 => der::sequence(&[&der::identifier(oid::ECDSA_SHA384)]),
        KeyKind::Ed25519 => der::sequence(&[&der::identifier(oid::ED25519)]),
        KeyKind::Rsa => der::sequence(&[&der::identifier(oid::RSA_SHA256), der::NULL]),
    }
}

/// Signs a text.
pub(super) fn sign(key: &PrivateKey, text: &[u8]) -> Result<Vec<u8>, Error> {
    let random = SystemRandom::new();
    let ecdsa = |curve: &'static EcdsaSigningAlgorithm| {
        let pair = EcdsaKeyPair::from_pkcs8(curve, key.pkcs8(), &random).ok()?;
        Some(pair.sign(&random, text).ok()?.as_ref().to_vec())
    };
    let signature = match key.kind() {
        KeyKind::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyKind::EcdsaP384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyKind::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.pkcs8())
            .ok()
            .map(|pair| pair.sign(text).as_ref().to_vec()),
        KeyKind::Rsa => RsaKeyPair::from_pkcs8(key.pkcs8()).ok().and_then(|pair| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                .ok()?;
            Some(signature)
        }),
    };
    // The key was read before, so that only the randomness can fail.
    signature.ok_or(Error::Random)
}
