use serde_json::{Value, json};

use super::*;
use crate::manifest::Resource;
use crate::manifest::ResourceId;

pub(super) fn origin(line: u64) -> Origin {
    let template = "kcp/templates/pki.yaml".to_owned();
    Origin { template, line }
}

/// The document of that kind and name; `spec` is YAML.
pub(super) fn document(kind: &str, name: &str, spec: &str) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name},
        "spec": crate::yaml::parse(spec).unwrap()})
}

fn parse(document: Value) -> Result<Generator, Error> {
    Generator::parse(document, origin(7), "tenant-a")
}

#[track_caller]
fn spec(kind: &str, text: &str) -> Spec {
    parse(document(kind, "x", text)).unwrap().spec
}

#[track_caller]
fn check_error(document: Value, expected: &str) {
    let text = parse(document).unwrap_err().to_string();
    assert_eq!(
        text,
        format!("line 7 of what kcp/templates/pki.yaml renders to: {expected}")
    );
}

/// A fault of a `Certificate` called `x`, whose other fields are right.
#[track_caller]
fn check_field(field: &str, expected: &str) {
    let good = "{issuer: ca, commonName: a, usages: [client auth]}";
    let mut body = document("Certificate", "x", good);
    let Value::Object(fields) = crate::yaml::parse(field).unwrap() else {
        panic!("{field} is no map");
    };
    for (name, value) in fields {
        body["spec"][name] = value;
    }
    check_error(body, &format!("Certificate x: spec.{expected}"));
}

const DAY: u64 = 24 * 3600;

#[test]
fn an_authority_has_defaults() {
    let Spec::CertificateAuthority(ca) = spec("CertificateAuthority", "commonName: kubernetes")
    else {
        panic!("another kind");
    };
    assert_eq!(ca.common_name, "kubernetes");
    assert_eq!(ca.duration.as_secs(), 3650 * DAY);
    assert_eq!(ca.algorithm, Algorithm::EcdsaP256);
    assert_eq!(
        (ca.keys.certificate, ca.keys.key),
        ("tls.crt".to_owned(), "tls.key".to_owned())
    );
}

#[test]
fn a_certificate_is_read_whole() {
    let Spec::Certificate(read) = spec(
        "Certificate",
        "
        issuer: ca
        commonName: kube-apiserver
        organizations: [b, a, b]
        usages: [server auth]
        dnsNames: [kubernetes, '*.a.svc']
        ipAddresses: [127.0.0.1, '::1']
        duration: 90d
        algorithm: ECDSA-P384
        keys: {certificate: apiserver.crt, key: apiserver.key, authority: ca.crt}",
    ) else {
        panic!("another kind");
    };
    let leaf = read.leaf;
    assert_eq!(leaf.issuer, "ca");
    assert_eq!(leaf.subject.to_string(), "CN=kube-apiserver,O=a,O=b");
    let usages: Vec<_> = leaf.usages.iter().map(|usage| usage.name()).collect();
    assert_eq!(
        usages,
        ["digital signature", "key encipherment", "server auth"]
    );
    assert_eq!((leaf.dns_names.len(), leaf.ip_addresses.len()), (2, 2));
    assert_eq!(leaf.duration.as_secs(), 90 * DAY);
    assert_eq!(leaf.renew_before.as_secs(), 30 * DAY);
    assert_eq!(leaf.algorithm, Algorithm::EcdsaP384);
    assert_eq!(read.keys.pair.certificate, "apiserver.crt");
    assert_eq!(read.keys.authority.as_deref(), Some("ca.crt"));
}

#[test]
fn named_key_usages_stand_alone_and_short_lives_renew_in_their_last_third() {
    let text =
        "{issuer: ca, commonName: a, usages: [digital signature, client auth], duration: 3h}";
    let spec = spec("Certificate", text);
    let leaf = spec.leaf().unwrap();
    assert_eq!(
        leaf.usages,
        [Usage::DigitalSignature, Usage::ClientAuth].into()
    );
    assert_eq!(leaf.renew_before.as_secs(), 3600);
}

#[test]
fn other_kinds_have_defaults() {
    let Spec::KeyPair(pair) = spec("KeyPair", "{}") else {
        panic!("another kind");
    };
    assert_eq!(
        (pair.keys.private, pair.keys.public),
        ("sa.key".to_owned(), "sa.pub".to_owned())
    );
    let text = "{issuer: ca, commonName: admin, server: 'https://a:6443'}";
    let Spec::Kubeconfig(kubeconfig) = spec("Kubeconfig", text) else {
        panic!("another kind");
    };
    assert_eq!(
        (
            kubeconfig.cluster_name.as_str(),
            kubeconfig.user_name.as_str(),
            kubeconfig.key.as_str()
        ),
        ("kubernetes", "admin", "kubeconfig")
    );
    assert!(kubeconfig.leaf.usages.contains(&Usage::ClientAuth));
    let Spec::RandomSecret(random) = spec(
        "RandomSecret",
        "keys: {a: {}, b: {encoding: hex, bytes: 16}, c: {encoding: token}}",
    ) else {
        panic!("another kind");
    };
    let expected = Random {
        encoding: RandomEncoding::Base64,
        size: 32,
    };
    assert_eq!(random.keys["a"], expected);
    let expected = Random {
        encoding: RandomEncoding::Hex,
        size: 16,
    };
    assert_eq!(random.keys["b"], expected);
}

#[test]
fn faults_of_a_field_name_it_and_the_nearest_known() {
    check_field(
        "dnsName: []",
        "dnsName is not a known field; did you mean \"dnsNames\"?",
    );
    check_field("foo: 1", "foo is not a known field");
    check_field("issuer: ''", "issuer is \"\": it must not be empty");
    check_field("issuer: 1", "issuer has to be a string, not a number");
    check_field("usages: []", "usages is \"[]\": it must not be empty");
    check_field(
        "usages: server auth",
        "usages has to be a list, not a string",
    );
    check_field(
        "usages: [cert sign]",
        "usages[0] is \"cert sign\": it has to be one of digital signature, content commitment, \
         key encipherment, data encipherment, key agreement, server auth, client auth",
    );
}

#[test]
fn faults_of_values_say_what_has_to_be() {
    check_field("duration: 1", "duration has to be a string, not a number");
    check_field(
        "duration: 5m",
        "duration is \"5m\": it has to be from 1h to 100y",
    );
    check_field(
        "duration: 1 year",
        "duration is \"1 year\": it has to be numbers with units y, w, d, h, m or s, such as 90d",
    );
    check_field(
        "{duration: 1d, renewBefore: 24h}",
        "renewBefore is \"24h\": it has to be less than the duration",
    );
    check_field(
        "dnsNames: [a, 10.0.0.1]",
        "dnsNames[1] is \"10.0.0.1\": it has to be a DNS name in lower case, '*' only as its \
         first label; addresses belong to ipAddresses",
    );
    check_field(
        "ipAddresses: [10.0.0.0/8]",
        "ipAddresses[0] is \"10.0.0.0/8\": it has to be an IPv4 or IPv6 address",
    );
    check_field(
        "algorithm: RSA-2048",
        "algorithm is \"RSA-2048\": RSA keys cannot be made; take ECDSA-P256, which every \
         Kubernetes component reads",
    );
    check_field(
        "keys: {certificate: a, key: a}",
        "keys.key is \"a\": two data keys have the same name",
    );
    check_field(
        "keys: {authority: tls.crt}",
        "keys.authority is \"tls.crt\": two data keys have the same name",
    );
    check_field(
        "organizations: null",
        "organizations has to be a list, not null",
    );
    check_field(
        "fromServices: [a/b]",
        "fromServices[0] is \"a/b\": it has to be the name of a Service of this release",
    );
    let long = "x".repeat(65);
    check_field(
        &format!("commonName: {long}"),
        &format!(
            "commonName is {long:?}: it has to be of at most 64 characters, none of them a \
             control character"
        ),
    );
}

#[test]
fn faults_of_other_kinds_name_their_field() {
    let at = |kind, spec, expected: &str| check_error(document(kind, "x", spec), expected);
    at(
        "KeyPair",
        "algorithm: Ed25519",
        "KeyPair x: spec.algorithm is \"Ed25519\": service account tokens cannot be signed with it",
    );
    at(
        "Kubeconfig",
        "{issuer: ca, commonName: a, server: a}",
        "Kubeconfig x: spec.server is \"a\": it has to be an https URL of a host, with an \
         optional port and path",
    );
    at(
        "Kubeconfig",
        "{issuer: ca, commonName: a, endpoint: e, server: 'https://a'}",
        "Kubeconfig x: spec.server is \"https://a\": endpoint says where the server is; leave one \
         of them out",
    );
    at(
        "Endpoint",
        "{service: api, host: 192.0.2.1}",
        "Endpoint x: spec.host is \"192.0.2.1\": it has to be a DNS name in lower case; an address \
         belongs to ip",
    );
    at(
        "Endpoint",
        "{service: api, ip: example.com}",
        "Endpoint x: spec.ip is \"example.com\": it has to be an IPv4 or IPv6 address",
    );
    at("Endpoint", "{}", "Endpoint x: spec.service is missing");
    at(
        "RandomSecret",
        "keys: {a.b: {length: 4, encoding: alphanumeric}}",
        "RandomSecret x: spec.keys[\"a.b\"].length is \"4\": it has to be from 8 to 1024",
    );
    at(
        "RandomSecret",
        "keys: {a: {encoding: token, bytes: 8}}",
        "RandomSecret x: spec.keys.a.bytes is \"8\": the size of a token is fixed",
    );
    at(
        "CertificateAuthority",
        "{commonName: a, issuer: b}",
        "CertificateAuthority x: spec.issuer is not a known field",
    );
    at(
        "KeyPair",
        "[]",
        "KeyPair x: spec has to be a map, not a list",
    );
}

#[test]
fn faults_of_the_document_are_found() {
    let with = |path: &str, value: Value| {
        let mut body = document("KeyPair", "sa", "{}");
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    check_error(
        with("/kind", json!("Certifcate")),
        "generate.pintle.dev/v1 has no kind \"Certifcate\"; did you mean \"Certificate\"?",
    );
    check_error(
        with("/apiVersion", json!("generate.pintle.dev/v2")),
        "KeyPair sa: apiVersion is \"generate.pintle.dev/v2\": it has to be one of \
         generate.pintle.dev/v1",
    );
    check_error(
        with("/metadata", json!({})),
        "KeyPair: metadata.name is missing",
    );
    check_error(
        with("/metadata", json!({"name": "a", "namespace": "b"})),
        "KeyPair a: metadata.namespace is \"b\": everything is made in the release's \
         namespace; leave it out",
    );
    check_error(
        with("/metadata", json!({"name": "a", "labels": {"b": 1}})),
        "KeyPair a: metadata.labels.b has to be a string, not a number",
    );
    check_error(
        with(
            "/metadata",
            json!({"name": "a", "annotations": {"helm.sh/hook": "test"}}),
        ),
        "KeyPair a: metadata.annotations[\"helm.sh/hook\"] is \"test\": a generator cannot be a hook",
    );
    check_error(json!([]), "generate.pintle.dev/v1 has no kind \"\"");
}

#[test]
fn generators_are_told_from_resources() {
    assert!(Generator::is_one(&document("KeyPair", "a", "{}")));
    assert!(Generator::is_one(
        &json!({"apiVersion": "generate.pintle.dev/v9"})
    ));
    for other in [json!({"apiVersion": "v1"}), json!({}), json!(1)] {
        assert!(!Generator::is_one(&other));
    }
}

#[test]
fn the_stub_has_the_marks_and_no_data() {
    let mut body = document("KeyPair", "sa", "{}");
    body["metadata"]["namespace"] = json!("tenant-a");
    body["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep", "empty": ""});
    assert_eq!(
        parse(body).unwrap().stub(),
        json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {
            "name": "sa", "annotations": {"helm.sh/resource-policy": "keep", "empty": ""}}})
    );
}

#[test]
fn the_stub_of_an_endpoint_is_a_config_map() {
    let mut body = document("Endpoint", "api", "{service: api}");
    body["metadata"]["labels"] = json!({"a": "b"});
    assert_eq!(
        parse(body).unwrap().stub(),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "api", "labels": {"a": "b"}}})
    );
}

#[test]
fn an_endpoint_says_what_is_known() {
    let data = |text: &str| {
        let Spec::Endpoint(mut endpoint) = spec("Endpoint", text) else {
            panic!("another kind");
        };
        assert_eq!(endpoint.data(), None);
        endpoint.port = Some(6443);
        let data = endpoint.data()?;
        Some(data.into_values().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(data("{service: a}"), None);
    assert_eq!(
        data("{service: a, host: b.c}").unwrap(),
        "b.c 6443 https://b.c:6443"
    );
    assert_eq!(
        data("{service: a, host: b.c, ip: 192.0.2.1}").unwrap(),
        "b.c 192.0.2.1 6443 https://b.c:6443"
    );
    assert_eq!(
        data("{service: a, ip: '2001:db8::1'}").unwrap(),
        "2001:db8::1 2001:db8::1 6443 https://[2001:db8::1]:6443"
    );
}

#[test]
fn specs_survive_the_record() {
    let mut ca = document(
        "CertificateAuthority",
        "ca",
        "{commonName: 'yes', duration: 1y}",
    );
    ca["metadata"]["namespace"] = json!("tenant-a");
    let written: Vec<_> = [ca, document("KeyPair", "sa", "{}")]
        .into_iter()
        .map(|body| parse(body).unwrap())
        .collect();
    let text = specs_to_yaml(&written);
    let read = specs_from_yaml(&text).unwrap();
    assert_eq!(specs_to_yaml(&read), text);
    let specs = |all: &[Generator]| -> Vec<_> { all.iter().map(|g| g.spec.clone()).collect() };
    assert_eq!(specs(&read), specs(&written));
    assert_eq!(read[1].origin.to_string(), "pintle/generators.yaml:9");
    assert_eq!(specs_from_yaml(&specs_to_yaml(&[])).unwrap(), []);
    assert!(matches!(specs_from_yaml("a: ["), Err(Error::Record(_))));
}

/// Checks generators of these kinds and names, each written on a line of its own; a `Certificate`
/// is issued by `ca`.
fn check_all(generators: &[(&str, &str)], others: &[Resource]) -> Result<(), String> {
    let read = |((kind, name), line): (&(&str, &str), u64)| {
        let spec = match *kind {
            "CertificateAuthority" => "commonName: a",
            "Certificate" => "{issuer: ca, commonName: a, usages: [client auth]}",
            _ => "{}",
        };
        Generator::parse(document(kind, name, spec), origin(line), "tenant-a").unwrap()
    };
    let generators: Vec<_> = generators.iter().zip(1..).map(read).collect();
    check(&generators, others, "tenant-a").map_err(|error| error.to_string())
}

fn resource(kind: &str, namespace: &str) -> Resource {
    let id = ResourceId {
        group: String::new(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: "ca".to_owned(),
    };
    let (api_version, body) = ("v1".to_owned(), Value::Null);
    Resource {
        id,
        api_version,
        body,
        origin: origin(90),
    }
}

#[track_caller]
fn check_set(generators: &[(&str, &str)], expected: &str) {
    assert_eq!(check_all(generators, &[]).unwrap_err(), expected);
}

#[test]
fn generators_fit_together() {
    let all = [("Certificate", "a"), ("CertificateAuthority", "ca")];
    assert_eq!(check_all(&all, &[]), Ok(()));
    check_set(
        &[("KeyPair", "a"), ("KeyPair", "a")],
        "line 2 of what kcp/templates/pki.yaml renders to: Secret a is already generated at line 1 of what kcp/templates/pki.yaml renders to",
    );
    check_set(
        &[("KeyPair", "a.b"), ("KeyPair", "a-b")],
        "line 2 of what kcp/templates/pki.yaml renders to: Secret a-b would share a pod annotation with a.b, generated at \
         line 1 of what kcp/templates/pki.yaml renders to",
    );
    check_set(
        &[("Certificate", "a"), ("CertificateAuthority", "cb")],
        "line 1 of what kcp/templates/pki.yaml renders to: Certificate a: spec.issuer \"ca\" is not a generator of this \
         release; did you mean \"cb\"?",
    );
    check_set(
        &[("Certificate", "ca")],
        "line 1 of what kcp/templates/pki.yaml renders to: Certificate ca: spec.issuer \"ca\" is a Certificate, not a \
         generator of kind CertificateAuthority",
    );
}

/// Checks these documents of kind, name and spec beside the Service `api` with this spec.
#[track_caller]
fn check_services(documents: &[(&str, &str, &str)], service: &Value, expected: &str) {
    let parsed = documents.iter().map(|(kind, name, spec)| {
        Generator::parse(document(kind, name, spec), origin(7), "tenant-a").unwrap()
    });
    let mut api = resource("Service", "tenant-a");
    api.id.name = "api".to_owned();
    api.body = json!({ "spec": service });
    let checked = check(&parsed.collect::<Vec<_>>(), &[api], "tenant-a");
    let said = checked.map_or_else(|error| error.to_string(), |()| String::new());
    let place = "line 7 of what kcp/templates/pki.yaml renders to: ";
    assert_eq!(said.strip_prefix(place).unwrap_or(&said), expected);
}

#[test]
fn addresses_are_of_services_of_the_release() {
    let balanced = json!({"type": "LoadBalancer"});
    let endpoint = |spec| [("Endpoint", "outer", spec)];
    check_services(&endpoint("{service: api}"), &balanced, "");
    check_services(
        &endpoint("{service: ap}"),
        &balanced,
        "Endpoint outer: spec.service \"ap\" is not a Service of this release; did you mean \"api\"?",
    );
    let leaf = "{issuer: ca, commonName: a, usages: [server auth], fromServices: [api, web]}";
    let ca = ("CertificateAuthority", "ca", "commonName: a");
    check_services(
        &[ca, ("Certificate", "a", leaf)],
        &balanced,
        "Certificate a: spec.fromServices \"web\" is not a Service of this release",
    );
    let user = |name: &'static str| {
        let spec = match name {
            "ca" => "{issuer: ca, commonName: a, endpoint: ca}",
            _ => "{issuer: ca, commonName: a, endpoint: oute}",
        };
        [
            ca,
            ("Endpoint", "outer", "{service: api}"),
            ("Kubeconfig", "a", spec),
        ]
    };
    check_services(
        &user("ca"),
        &balanced,
        "Kubeconfig a: spec.endpoint \"ca\" is a CertificateAuthority, not a generator of kind \
         Endpoint",
    );
    check_services(
        &user("oute"),
        &balanced,
        "Kubeconfig a: spec.endpoint \"oute\" is not a generator of this release; did you mean \
         \"outer\"?",
    );
}

#[test]
fn services_without_an_address_need_a_given_one() {
    for (service, why) in [
        (
            json!({"type": "NodePort"}),
            "is of type NodePort, and which address nodes have is not said",
        ),
        (json!({"type": "ExternalName"}), "is of type ExternalName"),
        (json!({"clusterIP": "None"}), "is headless"),
    ] {
        let said = format!("Endpoint outer: spec.ip is missing: Service api {why}");
        check_services(&[("Endpoint", "outer", "{service: api}")], &service, &said);
        for given in ["{service: api, ip: 192.0.2.1}", "{service: api, host: a.b}"] {
            check_services(&[("Endpoint", "outer", given)], &service, "");
        }
    }
}

#[test]
fn a_secret_has_one_maker() {
    let all = [("CertificateAuthority", "ca")];
    assert_eq!(
        check_all(&all, &[resource("Secret", "tenant-a")]).unwrap_err(),
        "line 1 of what kcp/templates/pki.yaml renders to: Secret ca is also written at line 90 of what kcp/templates/pki.yaml renders to; give \
         one of them another name"
    );
    let others = [
        resource("Secret", "tenant-b"),
        resource("ConfigMap", "tenant-a"),
    ];
    assert_eq!(check_all(&all, &others), Ok(()));
    check_set(
        &[("KeyPair", "a"), ("CertificateAuthority", "a")],
        "line 2 of what kcp/templates/pki.yaml renders to: Secret a is already generated at line 1 of what kcp/templates/pki.yaml renders to",
    );
}
