//! Keys here are made with another library than the one that reads them.

use proptest::prelude::*;
use rcgen::{
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData as _,
    SignatureAlgorithm,
};

use super::*;

fn made(algorithm: &'static SignatureAlgorithm) -> rcgen::KeyPair {
    rcgen::KeyPair::generate_for(algorithm).unwrap()
}

#[track_caller]
fn check(algorithm: &'static SignatureAlgorithm, kind: KeyKind) {
    let pair = made(algorithm);
    let key = PrivateKey::read(pair.serialize_pem().as_bytes()).unwrap();
    assert_eq!(key.kind(), kind);
    assert_eq!(key.public_key().der(), pair.subject_public_key_info());
    let public = key.public_key().to_pem();
    assert_eq!(String::from_utf8_lossy(&public), pair.public_key_pem());
    assert_eq!(
        PublicKey::read_all(&public).unwrap(),
        [key.public_key().clone()]
    );
}

#[test]
fn keys_of_every_algorithm_are_read() {
    check(&PKCS_ECDSA_P256_SHA256, KeyKind::EcdsaP256);
    check(&PKCS_ECDSA_P384_SHA384, KeyKind::EcdsaP384);
    check(&PKCS_ED25519, KeyKind::Ed25519);
}

/// The key inside PKCS#8 is what stands in an `EC PRIVATE KEY` (RFC 5915).
#[test]
fn the_older_format_is_read() {
    for (algorithm, start) in [(&PKCS_ECDSA_P256_SHA256, 29), (&PKCS_ECDSA_P384_SHA384, 27)] {
        let pair = made(algorithm);
        let whole = pair.serialize_der();
        let text = pem::write("EC PRIVATE KEY", &whole[start..]);
        let key = PrivateKey::read(&text).unwrap();
        assert_eq!(key.public_key().der(), pair.subject_public_key_info());
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let fault = |text: &[u8]| PrivateKey::read(text).unwrap_err();
    assert_eq!(fault(b""), Error::NoBlock("private key"));
    for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
        assert_eq!(fault(&pem::write(label, b"\x30\x00")), Error::PrivateKey);
    }
    let encrypted = pem::write("ENCRYPTED PRIVATE KEY", b"\x30\x00");
    assert_eq!(fault(&encrypted), Error::NoBlock("private key"));
    let public = PublicKey::read_all(b"").unwrap_err();
    assert_eq!(public, Error::NoBlock("public key"));
    let longer = [made(&PKCS_ED25519).subject_public_key_info(), vec![0]].concat();
    let public = PublicKey::read_all(&pem::write("PUBLIC KEY", &longer)).unwrap_err();
    assert!(matches!(public, Error::PublicKey(_)));
}

#[test]
fn a_key_is_never_shown() {
    let pair = made(&PKCS_ECDSA_P256_SHA256);
    let key = PrivateKey::read(pair.serialize_pem().as_bytes()).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey { kind: EcdsaP256, .. }");
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PrivateKey::read(&bytes);
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
            let _ = PrivateKey::read(&pem::write(label, &bytes));
        }
    }
}
