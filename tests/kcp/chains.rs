//! Generated certificates as `webpki` sees them, which shares no code with what made them.

use pintle::manifest::generator::{Generator, Leaf, Spec, Usage};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use serde_json::json;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::issued::{Issued, embedded};
use super::variants;

/// Asserts that every certificate of a release is good for what its generator says and for nothing
/// else, and that no authority of `other` has signed it.
#[track_caller]
pub(super) fn verify(issued: &Issued, other: &Issued) {
    let mut checked = 0;
    for generator in &issued.generators {
        match &generator.spec {
            Spec::Certificate(spec) => verify_leaf(issued, generator, &spec.leaf),
            Spec::Kubeconfig(spec) => {
                verify_leaf(issued, generator, &spec.leaf);
                let file = issued.data(&generator.name, &spec.key);
                let pointer = "/clusters/0/cluster/certificate-authority-data";
                assert_eq!(embedded(file, pointer), issued.authority(generator));
            }
            Spec::KeyPair(spec) => {
                let data = |key: &str| issued.data(&generator.name, key);
                verify_pair(data(&spec.keys.private), data(&spec.keys.public));
                continue;
            }
            Spec::CertificateAuthority(_) | Spec::RandomSecret(_) | Spec::Endpoint(_) => continue,
        }
        verify_strangers(issued, other, generator);
        checked += 1;
    }
    assert!(checked > 10, "only {checked} certificates were checked");
}

fn verify_leaf(issued: &Issued, generator: &Generator, leaf: &Leaf) {
    let [certificate, key] = issued.pair(generator).unwrap();
    let authority = issued.authority(generator);
    for usage in [Usage::ServerAuth, Usage::ClientAuth] {
        let is_good = chains(&certificate, authority, usage).is_ok();
        let is_wanted = leaf.usages.contains(&usage);
        assert_eq!(is_good, is_wanted, "{generator}: {}", usage.name());
    }
    let der = CertificateDer::from_pem_slice(&certificate).unwrap();
    let certificate = EndEntityCert::try_from(&der).unwrap();
    let is_for = |name: &str| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        certificate.verify_is_valid_for_subject_name(&name).is_ok()
    };
    let names = leaf.dns_names.iter().map(|name| name.replace('*', "any"));
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    for name in names.chain(addresses) {
        assert!(is_for(&name), "{generator}: {name}");
    }
    for name in ["example.com", "203.0.113.1"] {
        assert!(!is_for(name), "{generator}: {name}");
    }
    let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
    let key = any_supported_type(&key).unwrap();
    let public = certificate.subject_public_key_info();
    assert_eq!(key.public_key(), Some(public), "{generator}");
}

fn verify_pair(private: &[u8], public: &[u8]) {
    let private = PrivateKeyDer::from_pem_slice(private).unwrap();
    let private = any_supported_type(&private).unwrap();
    let public = SubjectPublicKeyInfoDer::from_pem_slice(public).unwrap();
    assert_eq!(private.public_key(), Some(public));
}

/// Asserts that no authority of another release, and of its own only the issuer, is taken for a
/// certificate's.
fn verify_strangers(issued: &Issued, other: &Issued, generator: &Generator) {
    let [certificate, _] = issued.pair(generator).unwrap();
    let own = issued.authority(generator);
    let mut strangers = 0;
    for authority in issued.authorities().into_iter().chain(other.authorities()) {
        if authority == own {
            continue;
        }
        strangers += 1;
        for usage in [Usage::ServerAuth, Usage::ClientAuth] {
            let result = chains(&certificate, authority, usage);
            assert!(result.is_err(), "{generator}: {}", usage.name());
        }
    }
    assert!(strangers >= 5, "only {strangers} other authorities");
}

/// Verifies a certificate against an authority for a usage.
fn chains(certificate: &[u8], authority: &[u8], usage: Usage) -> Result<(), webpki::Error> {
    let authority = CertificateDer::from_pem_slice(authority).unwrap();
    let anchor = anchor_from_trusted_cert(&authority).unwrap();
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let certificate = EndEntityCert::try_from(&certificate)?;
    let usage = match usage {
        Usage::ServerAuth => KeyUsage::server_auth(),
        _ => KeyUsage::client_auth(),
    };
    let anchors = [anchor];
    let path = certificate.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &[],
        UnixTime::now(),
        usage,
        None,
        None,
    );
    path.map(|_| ())
}

#[test]
fn every_certificate_is_good_for_what_it_is_made_for() {
    let other = Issued::made(&json!({}));
    for given in variants() {
        verify(&Issued::made(&given), &other);
    }
}
