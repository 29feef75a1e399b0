//! What the planner makes of Secrets that were made here.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::*;
use crate::plan::credentials::{Live, decide};

/// The tenant's generators and live Secrets, with a moment to decide at.
struct Case {
    generators: String,
    live: BTreeMap<String, Value>,
    now: Timestamp,
}

impl Case {
    fn new() -> Self {
        let all = generators(TENANT);
        Self {
            generators: TENANT.to_owned(),
            live: live(&all, &made(&all)),
            now: now() + SignedDuration::from_hours(1),
        }
    }

    /// The spec changes: every `from` becomes `to`.
    fn spec(mut self, from: &str, to: &str) -> Self {
        assert!(self.generators.contains(from), "{from}");
        self.generators = self.generators.replace(from, to);
        self
    }

    /// A data key changes; null removes it.
    fn data(mut self, secret: &str, key: &str, value: Value) -> Self {
        let data = self.live.get_mut(secret).unwrap()["data"]
            .as_object_mut()
            .unwrap();
        if value.is_null() {
            data.remove(key).unwrap();
        } else {
            *data.get_mut(key).unwrap() = value;
        }
        self
    }

    /// Data keys get what was made for another tenant.
    fn foreign(self, places: &[(&str, &str)]) -> Self {
        let other = Self::new();
        places.iter().fold(self, |case, (secret, key)| {
            let value = other.live[*secret]["data"][*key].clone();
            case.data(secret, key, value)
        })
    }

    /// The Secrets of this one were made of another spec.
    fn made_of(mut self, from: &str, to: &str) -> Self {
        let all = generators(&self.generators.replace(from, to));
        self.live = live(&all, &made(&all));
        self
    }

    fn days(mut self, days: i64) -> Self {
        self.now += SignedDuration::from_hours(24 * days);
        self
    }

    fn text(&self) -> String {
        let all = generators(&self.generators);
        let live = Live {
            release: "tenant",
            secrets: &seen(&self.live),
        };
        let mut text = String::new();
        for decision in decide(&all, live, self.now).unwrap() {
            let _ = writeln!(text, "  {decision}");
        }
        text
    }
}

type Cases = Vec<(&'static str, Case)>;

fn base64(text: &str) -> Value {
    use base64::Engine as _;
    json!(base64::prelude::BASE64_STANDARD.encode(text))
}

fn authority_cases() -> Cases {
    let new = Case::new;
    let whole = [("ca", "ca.crt"), ("ca", "ca.key")];
    let no_authority = {
        let pair = new().live["client"]["data"].clone();
        new().data("ca", "ca.crt", pair["tls.crt"].clone()).data(
            "ca",
            "ca.key",
            pair["tls.key"].clone(),
        )
    };
    let grown = {
        let text = |case: &Case| {
            let data = SecretData::from_secret(&case.live["ca"]).unwrap();
            String::from_utf8(data.get("ca.crt").unwrap().to_vec()).unwrap()
        };
        let case = new();
        let bundle = text(&case) + &text(&new());
        case.data("ca", "ca.crt", base64(&bundle))
    };
    let renamed = new().spec("commonName: kubernetes,", "commonName: k8s,");
    vec![
        ("nothing changed", new()),
        (
            "the authority has no key",
            new().data("ca", "ca.key", Value::Null),
        ),
        ("the authority is of another tenant", new().foreign(&whole)),
        (
            "certificate and key of the authority differ",
            new().foreign(&whole[..1]),
        ),
        ("the authority may not sign", no_authority),
        ("the authority gets another name", renamed),
        ("the authority's bundle grows", grown),
    ]
}

fn name_cases() -> Cases {
    let case = |from, to| Case::new().spec(from, to);
    vec![
        ("a name is added", case("default.svc]", "default.svc, new]")),
        ("an address is changed", case("10.96.0.1", "10.97.0.1")),
        ("a name is dropped", case("[kubernetes, ", "[")),
        ("an organization is dropped", case("[c, a, b]", "[c, a]")),
        (
            "usages change",
            case("[client auth]", "[client auth, server auth]"),
        ),
        (
            "a data key gets another name",
            case("{authority: ca.crt}", "{authority: root.crt}"),
        ),
    ]
}

fn certificate_cases() -> Cases {
    let new = Case::new;
    let authority = {
        let case = new();
        let pair = case.live["ca"]["data"].clone();
        let common_name = "commonName: someone,\n    organizations: [c, a, b]";
        case.data("client", "tls.crt", pair["ca.crt"].clone())
            .data("client", "tls.key", pair["ca.key"].clone())
            .spec(common_name, "commonName: kubernetes")
    };
    let certificate = |value| new().data("apiserver", "tls.crt", value);
    vec![
        (
            "a key is of another pair",
            new().foreign(&[("apiserver", "tls.key")]),
        ),
        ("a certificate is not PEM", certificate(base64("x"))),
        ("a certificate is not base64", certificate(json!("%"))),
        ("a leaf is an authority", authority),
        ("334 days later", new().days(334)),
        ("335 days later", new().days(335)),
        ("a year later", new().days(365)),
        ("ten years later", new().days(3650)),
        ("the clock is behind", new().days(-100)),
    ]
}

fn other_cases() -> Cases {
    let new = Case::new;
    vec![
        (
            "the server moves",
            new().spec("https://tenant-a:6443", "https://tenant-b:6443"),
        ),
        (
            "the cluster gets a name",
            new().spec("server:", "clusterName: tenant, server:"),
        ),
        (
            "the user gets a name",
            new().spec("server:", "userName: me, server:"),
        ),
        (
            "the kubeconfig is of another tenant",
            new().foreign(&[("admin", "kubeconfig")]),
        ),
        (
            "the kubeconfig is none",
            new().data("admin", "kubeconfig", json!("YTogMQ==")),
        ),
        (
            "the kubeconfig was for others",
            new().made_of("system:masters", "system:nodes"),
        ),
        (
            "the private key is gone",
            new().data("sa", "sa.key", Value::Null),
        ),
        (
            "the public key is of another pair",
            new().foreign(&[("sa", "sa.pub")]),
        ),
        (
            "a random text is broken",
            new().data("random", "token", json!("YQ==")),
        ),
        (
            "a random text is to be longer",
            new().spec("key: {}", "key: {bytes: 64}"),
        ),
        (
            "a random text is added",
            new().spec("key: {}", "key: {}, more: {}"),
        ),
    ]
}

#[test]
fn decisions() {
    let mut text = String::new();
    let sorts = [
        authority_cases(),
        name_cases(),
        certificate_cases(),
        other_cases(),
    ];
    for (title, case) in sorts.into_iter().flatten() {
        let decided = case.text();
        let changes = decided.lines().filter(|line| !line.ends_with(": keep"));
        let changes: Vec<_> = changes.collect();
        let _ = if changes.is_empty() {
            writeln!(text, "{title}: all kept")
        } else {
            writeln!(text, "{title}:\n{}", changes.join("\n"))
        };
    }
    insta::assert_snapshot!(text);
}

/// What is issued for a reason has that reason no longer.
#[test]
fn what_was_issued_is_kept() {
    let case = Case::new()
        .spec("10.96.0.1", "10.97.0.1")
        .data("ca", "ca.key", Value::Null);
    let all = generators(&case.generators);
    let mut secrets: BTreeMap<_, _> = case
        .live
        .iter()
        .map(|(name, secret)| (name.clone(), SecretData::from_secret(secret).unwrap()))
        .collect();
    let live_secrets = Live {
        release: "tenant",
        secrets: &seen(&case.live),
    };
    let mut issued = vec![];
    for decision in decide(&all, live_secrets, case.now).unwrap() {
        if let crate::plan::credentials::Action::Issue { .. } = decision.action {
            let generator = all.iter().find(|one| one.name == decision.name).unwrap();
            let sources = Sources {
                generators: &all,
                secrets: &secrets,
            };
            let data = issue(generator, &sources, case.now).unwrap();
            secrets.insert(decision.name.clone(), data);
            issued.push(decision.name);
        }
    }
    assert_eq!(issued, ["ca", "apiserver", "client", "admin"]);
    let case = Case {
        live: live(&all, &secrets),
        ..case
    };
    let text = case.text();
    assert!(text.lines().all(|line| line.ends_with(": keep")), "{text}");
}
