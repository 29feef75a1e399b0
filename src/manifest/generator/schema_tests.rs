//! The parser and the schemas that are published say the same.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::tests::{document, origin};
use super::{Generator, Spec};

macro_rules! schema {
    ($kind:literal) => {
        (
            $kind,
            include_str!(concat!(
                "../../../schemas/generators/",
                $kind,
                ".schema.json"
            )),
        )
    };
}

static VALIDATORS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let build = |(kind, text): (&'static str, &str)| {
        let schema = serde_json::from_str(text).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{kind}");
        let options = jsonschema::options().should_validate_formats(true);
        (kind, options.build(&schema).unwrap())
    };
    [
        schema!("CertificateAuthority"),
        schema!("Certificate"),
        schema!("KeyPair"),
        schema!("Kubeconfig"),
        schema!("RandomSecret"),
        schema!("Endpoint"),
    ]
    .map(build)
    .into()
});

const GOOD: [(&str, &str); 21] = [
    ("CertificateAuthority", "commonName: kubernetes"),
    (
        "CertificateAuthority",
        "{commonName: é, duration: 1y6w, algorithm: Ed25519, keys: {certificate: ca.crt, key: ca.key}}",
    ),
    ("CertificateAuthority", "{commonName: a, keys: {}}"),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, organizations: [a, b], usages: [client auth, key agreement],
          dnsNames: ['*.a', b.c], ipAddresses: [10.0.0.1, '::1'], duration: 90d, renewBefore: 0s,
          algorithm: ECDSA-P384, keys: {certificate: a, key: b, authority: .c}}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [content commitment], organizations: [], dnsNames: [],
          ipAddresses: []}",
    ),
    ("KeyPair", "{}"),
    (
        "KeyPair",
        "{algorithm: ECDSA-P384, keys: {private: a, public: b}}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'https://a'}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, organizations: ['system:masters'], duration: 1y,
          renewBefore: 10d, algorithm: Ed25519, server: 'https://[::1]:6443/x', clusterName: c,
          userName: u, keys: {kubeconfig: admin.conf}}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], fromServices: [api, b.c]}",
    ),
    ("Kubeconfig", "{issuer: ca, commonName: a, endpoint: outer}"),
    ("Endpoint", "service: api"),
    ("Endpoint", "{service: api, host: a.b, ip: '::1'}"),
    ("RandomSecret", "keys: {a: {}}"),
    (
        "RandomSecret",
        "keys: {a: {bytes: 8}, b: {encoding: hex, bytes: 1024}}",
    ),
    (
        "RandomSecret",
        "keys: {a: {encoding: alphanumeric, length: 24}}",
    ),
    ("RandomSecret", "keys: {a: {encoding: token}}"),
    ("RandomSecret", "keys: {a: {encoding: base64}}"),
    ("RandomSecret", "keys: {a: {encoding: alphanumeric}}"),
    ("RandomSecret", "keys: {A_b-c.d: {}}"),
];

const BAD: [(&str, &str); 47] = [
    ("CertificateAuthority", "{}"),
    ("CertificateAuthority", "commonName: ''"),
    ("CertificateAuthority", "commonName: 1"),
    ("CertificateAuthority", "commonName: \"a\\tb\""),
    ("CertificateAuthority", "{commonName: a, duration: 10}"),
    ("CertificateAuthority", "{commonName: a, duration: 1.5h}"),
    ("CertificateAuthority", "{commonName: a, duration: ''}"),
    (
        "CertificateAuthority",
        "{commonName: a, algorithm: RSA-2048}",
    ),
    (
        "CertificateAuthority",
        "{commonName: a, algorithm: ecdsa-p256}",
    ),
    ("CertificateAuthority", "{commonName: a, issuer: b}"),
    ("CertificateAuthority", "{commonName: a, keys: {crt: b}}"),
    ("CertificateAuthority", "{commonName: a, keys: {key: ..}}"),
    ("CertificateAuthority", "{commonName: a, keys: {key: ..a}}"),
    ("CertificateAuthority", "{commonName: a, keys: {key: a/b}}"),
    ("CertificateAuthority", "{commonName: a, keys: null}"),
    ("CertificateAuthority", "[]"),
    ("Certificate", "{issuer: ca, commonName: a}"),
    ("Certificate", "{issuer: ca, usages: [server auth]}"),
    ("Certificate", "{commonName: a, usages: [server auth]}"),
    (
        "Certificate",
        "{issuer: '', commonName: a, usages: [server auth]}",
    ),
    ("Certificate", "{issuer: ca, commonName: a, usages: []}"),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [cert sign]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], dnsNames: [A]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], dnsNames: [1.2.3.4]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], dnsNames: [a.*]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], ipAddresses: [a]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], ipAddresses: [1.2.3.4/8]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], fromServices: [A]}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], organizations: ['']}",
    ),
    ("KeyPair", "algorithm: Ed25519"),
    ("KeyPair", "{commonName: a}"),
    ("Kubeconfig", "{issuer: ca, commonName: a}"),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'http://a'}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'https://a b'}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'https:///a'}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'https://a', usages: [client auth]}",
    ),
    (
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: 'https://a', endpoint: a}",
    ),
    ("Endpoint", "{}"),
    ("Endpoint", "{service: api, ip: a.b}"),
    ("Endpoint", "{service: api, host: '*.a.b'}"),
    ("Endpoint", "{service: api, port: 1}"),
    ("RandomSecret", "{}"),
    ("RandomSecret", "keys: {}"),
    ("RandomSecret", "keys: {a: {bytes: 7}}"),
    ("RandomSecret", "keys: {a: {length: 16}}"),
    ("RandomSecret", "keys: {a: {encoding: token, bytes: 16}}"),
    ("RandomSecret", "keys: {a/b: {}}"),
];

/// What a schema cannot say.
const PARSER_ONLY: [(&str, &str); 4] = [
    ("CertificateAuthority", "{commonName: a, duration: 1m}"),
    (
        "CertificateAuthority",
        "{commonName: a, keys: {key: a, certificate: a}}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], duration: 1d, renewBefore: 2d}",
    ),
    (
        "Certificate",
        "{issuer: ca, commonName: a, usages: [server auth], dnsNames: ['*.1.2.3.4']}",
    ),
];

fn accepts(body: &Value) -> bool {
    Generator::parse(body.clone(), origin(1), "tenant-a").is_ok()
}

/// `expected` is whether the parser and whether the schema takes the document.
#[track_caller]
fn check(body: &Value, expected: (bool, bool)) {
    let kind = body["kind"].as_str().unwrap();
    let said = VALIDATORS[kind].is_valid(body);
    assert_eq!((accepts(body), said), expected, "{body}");
}

#[test]
fn every_kind_has_a_schema() {
    let mut kinds = Spec::KINDS;
    kinds.sort_unstable();
    assert!(VALIDATORS.keys().copied().eq(kinds));
}

#[test]
fn schemas_and_parser_agree_on_specs() {
    for (kind, spec) in GOOD {
        check(&document(kind, "x", spec), (true, true));
    }
    for (kind, spec) in BAD {
        check(&document(kind, "x", spec), (false, false));
    }
    for (kind, spec) in PARSER_ONLY {
        check(&document(kind, "x", spec), (false, true));
    }
}

#[test]
fn schemas_and_parser_agree_on_metadata() {
    let with = |metadata: Value| {
        let mut body = document("KeyPair", "x", "{}");
        body["metadata"] = metadata;
        body
    };
    for good in [
        json!({"name": "a.b-1", "namespace": "tenant-a"}),
        json!({"name": "a", "labels": {"b": ""}, "annotations": {"helm.sh/resource-policy": "keep"}}),
    ] {
        check(&with(good), (true, true));
    }
    for bad in [
        json!({}),
        json!(null),
        json!({"name": "A"}),
        json!({"name": ""}),
        json!({"name": "a".repeat(254)}),
        json!({"name": "a", "uid": "b"}),
        json!({"name": "a", "labels": {"b": 1}}),
        json!({"name": "a", "labels": null}),
        json!({"name": "a", "labels": {"pintle.dev/release": "b"}}),
        json!({"name": "a", "annotations": {"helm.sh/hook": "test"}}),
    ] {
        check(&with(bad), (false, false));
    }
    let mut extra = document("KeyPair", "x", "{}");
    extra["status"] = json!({});
    check(&extra, (false, false));
}
