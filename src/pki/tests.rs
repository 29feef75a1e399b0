//! What is made here is read by other libraries, and kept by the planner.

mod chains;
mod decisions;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::manifest::Origin;
use crate::manifest::generator::{GENERATOR_LABEL, ISSUE_ANNOTATION, RELEASE_LABEL};

/// A tenant with one generator of each sort.
pub(super) const TENANT: &str = "
- {kind: CertificateAuthority, name: ca, spec: {commonName: kubernetes,
    keys: {certificate: ca.crt, key: ca.key}}}
- {kind: Certificate, name: apiserver, spec: {issuer: ca, commonName: kube-apiserver,
    usages: [server auth], dnsNames: [kubernetes, kubernetes.default.svc],
    ipAddresses: [10.96.0.1, '::1'], keys: {authority: ca.crt}}}
- {kind: Certificate, name: client, spec: {issuer: ca, commonName: someone,
    organizations: [c, a, b], usages: [client auth]}}
- {kind: KeyPair, name: sa, spec: {}}
- {kind: Kubeconfig, name: admin, spec: {issuer: ca, commonName: kubernetes-admin,
    organizations: ['system:masters'], server: 'https://tenant-a:6443'}}
- {kind: RandomSecret, name: random, spec: {keys: {key: {}, token: {encoding: token}}}}
";

pub(super) fn now() -> Timestamp {
    "2026-11-21T14:00:00Z".parse().unwrap()
}

/// Generators from a list of kind, name and spec in YAML.
pub(super) fn generators(text: &str) -> Vec<Generator> {
    let list = crate::yaml::parse(text).unwrap();
    let read = |(item, line): (&Value, u64)| {
        let body = json!({"apiVersion": "generate.pintle.dev/v1", "kind": item["kind"],
            "metadata": {"name": item["name"]}, "spec": item["spec"]});
        let template = "pki.yaml".to_owned();
        Generator::parse(body, Origin { template, line }, "tenant-a").unwrap()
    };
    list.as_array().unwrap().iter().zip(1..).map(read).collect()
}

/// Makes every Secret, in the order of the list.
pub(super) fn made(generators: &[Generator]) -> BTreeMap<String, SecretData> {
    let mut secrets = BTreeMap::new();
    for generator in generators {
        let sources = Sources {
            generators,
            secrets: &secrets,
        };
        let data = issue(generator, &sources, now()).unwrap();
        secrets.insert(generator.name.clone(), data);
    }
    secrets
}

/// The same Secrets as a decision looks at them.
pub(super) fn seen(live: &BTreeMap<String, Value>) -> BTreeMap<&str, &Value> {
    let entries = live.iter();
    entries
        .map(|(name, secret)| (name.as_str(), secret))
        .collect()
}

/// The Secrets as the cluster has them after the installation of release `tenant`.
pub(super) fn live(
    generators: &[Generator],
    secrets: &BTreeMap<String, SecretData>,
) -> BTreeMap<String, Value> {
    let secret = |generator: &Generator| {
        let mut secret = generator.stub();
        secret["metadata"]["labels"] =
            json!({RELEASE_LABEL: "tenant", GENERATOR_LABEL: generator.kind()});
        secret["metadata"]["annotations"] = json!({ISSUE_ANNOTATION: "20261121T140000.000Z"});
        secret["data"] = secrets[&generator.name].to_json();
        (generator.name.clone(), secret)
    };
    generators.iter().map(secret).collect()
}

/// Makes one Secret again, with what is in `existing`.
fn again(text: &str, existing: SecretData) -> SecretData {
    let generators = generators(text);
    let name = generators[0].name.clone();
    let sources = Sources {
        generators: &generators,
        secrets: &[(name, existing)].into(),
    };
    issue(&generators[0], &sources, now()).unwrap()
}

#[test]
fn random_texts_in_use_stay_and_the_rest_is_added() {
    let mut existing = SecretData::default();
    existing.insert("old", b"aGVsbG8=".to_vec());
    existing.insert("broken", b"%".to_vec());
    existing.insert("dropped", b"x".to_vec());
    let text = "[{kind: RandomSecret, name: a, spec: {keys: {old: {}, broken: {}, new: {}}}}]";
    let data = again(text, existing);
    assert_eq!(data.get("old"), Some(b"aGVsbG8=".as_slice()));
    assert_eq!(data.get("broken").map(<[u8]>::len), Some(44));
    assert_eq!(data.keys().collect::<Vec<_>>(), ["broken", "new", "old"]);
}

#[test]
fn a_private_key_in_use_is_never_made_again() {
    let text = "[{kind: KeyPair, name: a, spec: {}}]";
    let first = again(text, SecretData::default());
    let private = first.get("sa.key").unwrap().to_vec();
    let public = first.get("sa.pub").unwrap().to_vec();
    assert!(public.starts_with(b"-----BEGIN PUBLIC KEY-----\n"));

    let mut existing = SecretData::default();
    existing.insert("sa.key", private.clone());
    let second = again(text, existing);
    assert_eq!(second.get("sa.key"), Some(private.as_slice()));
    assert_eq!(second.get("sa.pub"), Some(public.as_slice()));

    // While the pair is replaced there is a second public key, which stays.
    let other = again(text, SecretData::default());
    let both = [other.get("sa.pub").unwrap(), &public].concat();
    let mut existing = SecretData::default();
    existing.insert("sa.key", private.clone());
    existing.insert("sa.pub", both.clone());
    let third = again(text, existing);
    assert_eq!(third.get("sa.pub"), Some(both.as_slice()));

    let mut existing = SecretData::default();
    existing.insert("sa.key", b"broken".to_vec());
    existing.insert("sa.pub", public.clone());
    let fourth = again(text, existing);
    assert_ne!(fourth.get("sa.pub"), Some(public.as_slice()));
}

#[test]
fn an_authority_is_needed() {
    let all = generators(TENANT);
    let leaf = &all[1];
    let fault = |secrets: BTreeMap<String, SecretData>| {
        let sources = Sources {
            generators: &all,
            secrets: &secrets,
        };
        issue(leaf, &sources, now()).unwrap_err()
    };
    let with = |certificate: &[u8], key: &[u8]| {
        let mut data = SecretData::default();
        data.insert("ca.crt", certificate.to_vec());
        data.insert("ca.key", key.to_vec());
        fault([("ca".to_owned(), data)].into())
    };
    let one = made(&all[..1]).remove("ca").unwrap();
    let two = made(&all[..1]).remove("ca").unwrap();
    let certificate = one.get("ca.crt").unwrap();
    assert!(matches!(fault(BTreeMap::new()), Error::NoAuthority { .. }));
    assert!(matches!(
        with(certificate, two.get("ca.key").unwrap()),
        Error::Mismatch { .. }
    ));
    assert!(matches!(with(certificate, b"x"), Error::Authority { .. }));
    assert_eq!(
        fault(BTreeMap::new()).to_string(),
        "issuing Certificate apiserver: its issuer ca has no certificate and key"
    );
}

#[test]
fn times_beyond_the_calendar_are_refused() {
    let all = generators(TENANT);
    let sources = Sources {
        generators: &all,
        secrets: &BTreeMap::new(),
    };
    let error = issue(&all[0], &sources, Timestamp::MAX).unwrap_err();
    assert!(matches!(error, Error::Time { .. }), "{error}");
}

/// Every line of a private key and every random text of the data.
fn private_texts(secrets: &BTreeMap<String, SecretData>) -> Vec<String> {
    let mut texts = vec![];
    for data in secrets.values() {
        for key in data.keys() {
            let text = String::from_utf8_lossy(data.get(key).unwrap()).into_owned();
            if let Some((_, rest)) = text.split_once("client-key-data: ") {
                texts.extend(rest.lines().next().map(str::to_owned));
            } else if text.contains("PRIVATE KEY") {
                let lines = text.lines().filter(|line| !line.starts_with('-'));
                texts.extend(lines.map(str::to_owned));
            } else if !text.contains("BEGIN") {
                texts.push(text);
            }
        }
    }
    texts
}

#[test]
fn no_private_text_is_ever_shown() {
    let all = generators(TENANT);
    let secrets = made(&all);
    let private = private_texts(&secrets);
    // Four keys of three lines, one in a kubeconfig, two random texts.
    assert_eq!(private.len(), 15);
    let sources = Sources {
        generators: &all,
        secrets: &secrets,
    };
    let authority = Authority::find(&all[1], "ca", &sources).unwrap();
    let key = key::generate(Algorithm::EcdsaP256).unwrap();
    let live = live(&all, &secrets);
    let live = crate::plan::credentials::Live {
        release: "tenant",
        secrets: &seen(&live),
    };
    let later = now() + jiff::SignedDuration::from_hours(24 * 5000);
    let shown = [
        format!("{sources:?}"),
        format!("{secrets:#?}"),
        format!("{:?} {key:?}", authority.key),
        format!("{:?}", authority.certificate),
        format!(
            "{:?}",
            issue(&all[1], &sources, Timestamp::MAX).unwrap_err()
        ),
        format!("{:?}", crate::plan::credentials::decide(&all, live, later)),
        crate::manifest::generator::specs_to_yaml(&all),
    ];
    for text in shown {
        assert!(!private.iter().any(|line| text.contains(line)), "{text}");
        assert!(!text.contains("PRIVATE"), "{text}");
    }
}
