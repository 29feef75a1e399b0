//! Certificates, as `x509-parser` reads them and `webpki` verifies them.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;

/// One made Secret with a certificate, and its authority.
struct Pair {
    authority: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// Makes an authority and a certificate whose spec has these further fields.
fn pair(algorithms: [&str; 2], fields: &str) -> Pair {
    let [authority, leaf] = algorithms;
    let all = generators(&format!(
        "
- {{kind: CertificateAuthority, name: ca, spec: {{commonName: ca, algorithm: {authority}}}}}
- {{kind: Certificate, name: a, spec: {{issuer: ca, commonName: a, algorithm: {leaf}, {fields}}}}}"
    ));
    let secrets = made(&all);
    let certificate =
        |name: &str| CertificateDer::from_pem_slice(secrets[name].get("tls.crt").unwrap()).unwrap();
    let key = secrets["a"].get("tls.key").unwrap();
    Pair {
        authority: certificate("ca"),
        leaf: certificate("a"),
        key: PrivateKeyDer::from_pem_slice(key).unwrap(),
    }
}

fn roots(pair: &Pair) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(pair.authority.clone()).unwrap();
    Arc::new(roots)
}

fn at(time: Timestamp) -> UnixTime {
    let seconds = u64::try_from(time.as_second()).unwrap();
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

fn check_server(pair: &Pair, name: &str, time: Timestamp) -> Result<(), rustls::Error> {
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(pair), provider);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let verifier = verifier.build().unwrap();
    let result = verifier.verify_server_cert(&pair.leaf, &[], &name, &[], at(time));
    result.map(|_| ())
}

fn check_client(pair: &Pair) -> Result<(), rustls::Error> {
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(pair), provider);
    let result = verifier.build().unwrap();
    let result = result.verify_client_cert(&pair.leaf, &[], at(now()));
    result.map(|_| ())
}

#[test]
fn servers_are_verified_for_their_names_and_times() {
    let fields = "usages: [server auth], dnsNames: [kubernetes.default, '*.etcd.svc'], \
                  ipAddresses: [10.96.0.1, 'fd00::1'], duration: 90d";
    let pair = pair(["ECDSA-P256", "ECDSA-P256"], fields);
    for name in [
        "kubernetes.default",
        "etcd-0.etcd.svc",
        "10.96.0.1",
        "fd00::1",
    ] {
        assert_eq!(check_server(&pair, name, now()), Ok(()), "{name}");
    }
    for name in ["kubernetes", "10.96.0.2"] {
        assert!(check_server(&pair, name, now()).is_err(), "{name}");
    }
    let hours = jiff::SignedDuration::from_hours;
    let minutes = jiff::SignedDuration::from_mins;
    let at = |time| check_server(&pair, "10.96.0.1", time);
    assert_eq!(at(now() - minutes(5)), Ok(()));
    assert!(at(now() - minutes(6)).is_err());
    assert_eq!(at(now() + hours(24 * 90)), Ok(()));
    assert!(at(now() + hours(24 * 91)).is_err());
    assert!(check_client(&pair).is_err());
}

#[test]
fn clients_are_verified_with_keys_of_every_algorithm() {
    let all = ["ECDSA-P256", "ECDSA-P384", "Ed25519"];
    for authority in all {
        for leaf in all {
            let pair = pair([authority, leaf], "usages: [client auth]");
            assert_eq!(check_client(&pair), Ok(()), "{authority} {leaf}");
            assert!(check_server(&pair, "a", now()).is_err());
            let key = default_provider().key_provider.load_private_key(pair.key);
            assert!(key.is_ok(), "{leaf}");
        }
    }
}

#[test]
fn both_are_verified_with_both_usages() {
    let fields = "usages: [client auth, server auth, digital signature], dnsNames: [a.b]";
    let pair = pair(["ECDSA-P256", "ECDSA-P256"], fields);
    assert_eq!(check_client(&pair), Ok(()));
    assert_eq!(check_server(&pair, "a.b", now()), Ok(()));
}

#[test]
fn certificates_say_what_kubernetes_reads() {
    let fields = "organizations: [system:masters, b, a], usages: [client auth]";
    let pair = pair(["ECDSA-P256", "ECDSA-P256"], fields);
    let (rest, ca) = X509Certificate::from_der(&pair.authority).unwrap();
    assert!(rest.is_empty());
    assert_eq!(ca.subject().to_string(), "CN=ca");
    assert!(ca.verify_signature(None).is_ok());
    let usage = ca.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(
        usage.value.to_string(),
        "Digital Signature, Key Encipherment, Key Cert Sign"
    );
    let constraints = ca.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);

    let (_, leaf) = X509Certificate::from_der(&pair.leaf).unwrap();
    assert_eq!(
        leaf.subject().to_string(),
        "O=a, O=b, O=system:masters, CN=a"
    );
    assert_eq!(leaf.issuer().as_raw(), ca.subject().as_raw());
    assert!(leaf.verify_signature(Some(ca.public_key())).is_ok());
    let constraints = leaf.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && !constraints.value.ca);
    assert_eq!(
        leaf.validity().not_before.to_string(),
        "Nov 21 13:55:00 2026 +00:00"
    );
    assert_eq!(
        leaf.validity().not_after.to_string(),
        "Nov 21 14:00:00 2027 +00:00"
    );
    assert_eq!(leaf.raw_serial().len(), 16);
    assert_ne!(leaf.raw_serial(), ca.raw_serial());
}

#[test]
fn keys_are_identified() {
    let pair = pair(["ECDSA-P256", "ECDSA-P256"], "usages: [client auth]");
    let text = |der: &CertificateDer<'_>| crate::x509::pem::write("CERTIFICATE", der);
    let read = |der| crate::x509::Certificate::read(&text(der)).unwrap();
    let (ca, leaf) = (read(&pair.authority), read(&pair.leaf));
    let id = ca.key_id().unwrap();
    assert_eq!(id.len(), 20);
    assert_ne!(leaf.key_id(), Some(id));
    // The authority's id stands in both certificates; in its own twice.
    let count = |der: &[u8]| der.windows(id.len()).filter(|part| *part == id).count();
    assert_eq!((count(&pair.authority), count(&pair.leaf)), (2, 1));
}

#[test]
fn times_from_2050_on_are_written_whole() {
    let all = generators(
        "[{kind: CertificateAuthority, name: ca, spec: {commonName: ca, duration: 100y}}]",
    );
    let secrets = made(&all);
    let ca = crate::x509::Certificate::read(secrets["ca"].get("tls.crt").unwrap()).unwrap();
    assert_eq!(ca.not_after.to_string(), "2126-10-28T14:00:00Z");
}

#[test]
fn serials_differ() {
    let one = pair(["ECDSA-P256", "ECDSA-P256"], "usages: [client auth]");
    let two = pair(["ECDSA-P256", "ECDSA-P256"], "usages: [client auth]");
    let serial = |der: &[u8]| {
        let (_, read) = X509Certificate::from_der(der).unwrap();
        read.raw_serial_as_string()
    };
    assert_ne!(serial(&one.leaf), serial(&two.leaf));
}

#[test]
fn kubeconfigs_hold_everything() {
    let all = generators(TENANT);
    let secrets = made(&all);
    let text = std::str::from_utf8(secrets["admin"].get("kubeconfig").unwrap()).unwrap();
    let file = kube::config::Kubeconfig::from_yaml(text).unwrap();
    assert_eq!(
        file.current_context.as_deref(),
        Some("kubernetes-admin@kubernetes")
    );
    let cluster = file.clusters[0].cluster.as_ref().unwrap();
    assert_eq!(cluster.server.as_deref(), Some("https://tenant-a:6443"));
    let user = file.auth_infos[0].auth_info.as_ref().unwrap();
    assert!(user.client_certificate_data.is_some() && user.client_key_data.is_some());
}
