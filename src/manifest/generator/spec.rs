//! What each kind of generator can say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What a generated Secret or config map holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// A self-signed authority and its key.
    CertificateAuthority(CertificateAuthority),
    /// A certificate and its key.
    Certificate(Certificate),
    /// A key pair without a certificate.
    KeyPair(KeyPair),
    /// A kubeconfig with its own client certificate.
    Kubeconfig(Kubeconfig),
    /// Random text.
    RandomSecret(RandomSecret),
    /// The address of a Service.
    Endpoint(Endpoint),
}

impl Spec {
    /// Every kind, in the order in which they are explained.
    pub(super) const KINDS: [&'static str; 6] = [
        "CertificateAuthority",
        "Certificate",
        "KeyPair",
        "Kubeconfig",
        "RandomSecret",
        "Endpoint",
    ];

    /// Returns the kind of the generator.
    pub fn kind(&self) -> &'static str {
        let index = match self {
            Self::CertificateAuthority(_) => 0,
            Self::Certificate(_) => 1,
            Self::KeyPair(_) => 2,
            Self::Kubeconfig(_) => 3,
            Self::RandomSecret(_) => 4,
            Self::Endpoint(_) => 5,
        };
        Self::KINDS[index]
    }

    /// Returns the client or server certificate that is issued; none where there is none.
    pub fn leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Certificate(certificate) => Some(&certificate.leaf),
            Self::Kubeconfig(kubeconfig) => Some(&kubeconfig.leaf),
            _ => None,
        }
    }

    /// Returns what the generator makes.
    pub fn product(&self) -> Product {
        match self {
            Self::Endpoint(_) => Product::ConfigMap,
            _ => Product::Secret,
        }
    }

    /// Tells whether others may be made from it, so that it comes before them.
    pub fn is_source(&self) -> bool {
        matches!(self, Self::CertificateAuthority(_) | Self::Endpoint(_))
    }
}

/// What a generator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// A Secret.
    Secret,
    /// A config map: what it holds is known to everyone.
    ConfigMap,
}

impl Product {
    /// Returns its kind to Kubernetes.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// A self-signed certificate authority.
///
/// Its certificate may stand first in a bundle while it is being replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateAuthority {
    /// `commonName`.
    pub common_name: String,
    /// `duration`, 10 years by default.
    pub duration: Duration,
    /// `algorithm` of its key.
    pub algorithm: Algorithm,
    /// `keys`: where the Secret holds it, `tls.crt` and `tls.key` by default.
    pub keys: PairKeys,
}

/// Names of the data keys of a certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairKeys {
    /// `certificate`: PEM.
    pub certificate: String,
    /// `key`: PEM of PKCS#8.
    pub key: String,
}

/// A certificate signed by an authority of the same release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What is issued.
    pub leaf: Leaf,
    /// `fromServices`: the Services of the same manifest whose addresses it covers as well.
    pub from_services: BTreeSet<String>,
    /// `keys`: where the Secret holds it, `tls.crt` and `tls.key` by default.
    pub keys: CertificateKeys,
}

/// Names of the data keys of a certificate, its private key and its authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateKeys {
    /// `certificate` and `key`.
    pub pair: PairKeys,
    /// `authority`: the bundle of its authority; left out by default.
    pub authority: Option<String>,
}

/// The part of a certificate that does not depend on where it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `issuer`: the name of a `CertificateAuthority` of the same manifest.
    pub issuer: String,
    /// `commonName` and `organizations`: the user and the groups to Kubernetes.
    pub subject: Subject,
    /// `usages`, with the key usages added where none is named.
    pub usages: BTreeSet<Usage>,
    /// `dnsNames`.
    pub dns_names: BTreeSet<String>,
    /// `ipAddresses`.
    pub ip_addresses: BTreeSet<IpAddr>,
    /// `duration`, 1 year by default.
    pub duration: Duration,
    /// `renewBefore`: it is issued again when less is left; 30 days by default, and at most a
    /// third of the duration.
    pub renew_before: Duration,
    /// `algorithm` of its key.
    pub algorithm: Algorithm,
}

/// A distinguished name, as far as Kubernetes reads one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// CN, at most 64 characters (RFC 5280 appendix A.1).
    pub common_name: String,
    /// Every O, at most 64 characters each.
    pub organizations: BTreeSet<String>,
}

/// `CN=kubernetes-admin,O=system:masters`.
impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CN={}", self.common_name)?;
        self.organizations
            .iter()
            .try_for_each(|name| write!(f, ",O={name}"))
    }
}

/// What a certificate may be used for, by the names of Kubernetes' `certificates.k8s.io/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// Key usage `digitalSignature`.
    DigitalSignature,
    /// Key usage `contentCommitment`.
    ContentCommitment,
    /// Key usage `keyEncipherment`.
    KeyEncipherment,
    /// Key usage `dataEncipherment`.
    DataEncipherment,
    /// Key usage `keyAgreement`.
    KeyAgreement,
    /// Extended key usage `serverAuth`.
    ServerAuth,
    /// Extended key usage `clientAuth`.
    ClientAuth,
}

impl Usage {
    /// Every usage with its name.
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("digital signature", Self::DigitalSignature),
        ("content commitment", Self::ContentCommitment),
        ("key encipherment", Self::KeyEncipherment),
        ("data encipherment", Self::DataEncipherment),
        ("key agreement", Self::KeyAgreement),
        ("server auth", Self::ServerAuth),
        ("client auth", Self::ClientAuth),
    ];

    /// Returns the name, such as `server auth`.
    pub fn name(self) -> &'static str {
        let entry = Self::ALL.iter().find(|(_, usage)| *usage == self);
        entry.map_or("", |(name, _)| name)
    }

    /// Tells whether it stands in the extended key usage (RFC 5280 section 4.2.1.12), not in the
    /// key usage (4.2.1.3).
    pub fn is_extended(self) -> bool {
        matches!(self, Self::ServerAuth | Self::ClientAuth)
    }
}

/// How a private key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256, the default.
    EcdsaP256,
    /// ECDSA over P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm with its name.
    pub(super) const ALL: [(&'static str, Self); 3] = [
        ("ECDSA-P256", Self::EcdsaP256),
        ("ECDSA-P384", Self::EcdsaP384),
        ("Ed25519", Self::Ed25519),
    ];
}

/// A key pair, as service account tokens are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// `algorithm`; never Ed25519, with which no service account token can be signed.
    pub algorithm: Algorithm,
    /// `keys`: where the Secret holds it.
    pub keys: KeyPairKeys,
}

/// Names of the data keys of a key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPairKeys {
    /// `private`: PEM of PKCS#8, `sa.key` by default.
    pub private: String,
    /// `public`: PEM of a `PUBLIC KEY`, `sa.pub` by default.
    pub public: String,
}

/// A kubeconfig of one user of one cluster, with authority, certificate and key embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    /// The client certificate: usages are `client auth` and the key usages.
    pub leaf: Leaf,
    /// `server` or `endpoint`.
    pub server: Server,
    /// `clusterName`, `kubernetes` by default.
    pub cluster_name: String,
    /// `userName` in the file, the common name by default.
    pub user_name: String,
    /// `keys.kubeconfig`: the data key, `kubeconfig` by default.
    pub key: String,
}

/// Where a kubeconfig finds the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// `server`: an `https` URL.
    Url(String),
    /// `endpoint`: the name of an `Endpoint` of the same manifest, whose URL it is.
    Endpoint(String),
}

/// Where clients find a Service, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `service`: the name of a Service of the same manifest.
    pub service: String,
    /// `host`: what clients call it by; by default what its load balancer says, or the address.
    pub host: Option<String>,
    /// `ip`: its address; by default that of its load balancer or of the Service.
    pub ip: Option<IpAddr>,
    /// The port that clients use: none until the Service has all that is asked of it.
    pub port: Option<u16>,
}

impl Endpoint {
    /// The keys of the data.
    pub const KEYS: [&'static str; 4] = ["host", "ip", "port", "url"];

    /// Returns the URL, if all of it is known.
    pub fn url(&self) -> Option<String> {
        let (host, port) = (self.host()?, self.port?);
        Some(match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
            _ => format!("https://{host}:{port}"),
        })
    }

    /// Returns the data of the config map, if it is known. There is no `ip` where clients have to
    /// resolve a host name.
    pub fn data(&self) -> Option<BTreeMap<&'static str, String>> {
        let mut data = BTreeMap::from([
            ("host", self.host()?),
            ("port", self.port?.to_string()),
            ("url", self.url()?),
        ]);
        data.extend(self.ip.map(|ip| ("ip", ip.to_string())));
        Some(data)
    }

    fn host(&self) -> Option<String> {
        let ip = || self.ip.map(|ip| ip.to_string());
        self.host.clone().or_else(ip)
    }
}

/// Random text under one or more data keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomSecret {
    /// `keys`: what stands under each data key.
    pub keys: BTreeMap<String, Random>,
}

/// One random text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random {
    /// How it is written.
    pub encoding: RandomEncoding,
    /// Its size: of bytes before encoding, or of characters; of no meaning for tokens. It holds
    /// for what is made anew: a text in use is never made again because its size changed.
    pub size: usize,
}

/// How random text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RandomEncoding {
    /// `base64`, with padding: what Kubernetes' encryption configuration takes.
    Base64,
    /// `hex`, in lower case.
    Hex,
    /// `alphanumeric`: letters and digits.
    Alphanumeric,
    /// `token`: a bootstrap token, 6 and 16 characters with a dot between.
    Token,
}

impl RandomEncoding {
    /// Every encoding with its name.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("base64", Self::Base64),
        ("hex", Self::Hex),
        ("alphanumeric", Self::Alphanumeric),
        ("token", Self::Token),
    ];

    /// Tells whether `text` can be what this encoding wrote, of whatever size but empty.
    pub fn is_form_of(self, text: &[u8]) -> bool {
        let all = |part: &[u8], is_good: fn(&u8) -> bool| part.iter().all(is_good);
        let is_plain: fn(&u8) -> bool = |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_form = match self {
            Self::Base64 => BASE64_STANDARD
                .decode(text)
                .is_ok_and(|bytes| !bytes.is_empty()),
            Self::Hex => all(text, u8::is_ascii_hexdigit) && text.len().is_multiple_of(2),
            Self::Alphanumeric => all(text, u8::is_ascii_alphanumeric),
            Self::Token => {
                let (id, secret) = (text.get(..6), text.get(7..));
                text.len() == 23
                    && text[6] == b'.'
                    && [id, secret]
                        .into_iter()
                        .flatten()
                        .all(|part| all(part, is_plain))
            }
        };
        is_form && !text.is_empty()
    }
}
