//! Writing certificates (RFC 5280 section 4.1).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::authority::Authority;
use super::{Error, key, random};
use crate::manifest::generator::{Leaf, Subject, Usage};
use crate::x509::der::{self, oid};
use crate::x509::{PrivateKey, PublicKey, pem};

/// How long before its making a certificate becomes valid, against clocks that differ.
const BACKDATED: Duration = Duration::from_mins(5);
/// How many bytes a serial number has (at most 20, RFC 5280 section 4.1.2.2).
const SERIAL_LENGTH: usize = 16;
/// How many bytes of a hash a key identifier has.
const KEY_ID_LENGTH: usize = 20;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// From this year on times are written with four digits of the year (section 4.1.2.5).
const GENERALIZED_FROM: i16 = 2050;

/// Bits of the key usage (section 4.2.1.3), from the left.
const CERT_SIGN: u8 = 0x80 >> 5;

/// The first and the last moment of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// None if a moment is beyond the year 9999.
    pub(super) fn new(now: Timestamp, duration: Duration) -> Option<Self> {
        Some(Self {
            from: now.checked_sub(BACKDATED).ok()?,
            until: now.checked_add(duration).ok()?,
        })
    }
}

/// Whom a certificate is for and who vouches for it.
struct Parties<'a> {
    subject: Vec<u8>,
    public_key: &'a PublicKey,
    issuer: &'a [u8],
    signer: &'a PrivateKey,
}

/// Writes a self-signed authority in PEM, with kubeadm's key usages.
pub(super) fn authority(
    common_name: &str,
    key: &PrivateKey,
    validity: Validity,
) -> Result<Vec<u8>, Error> {
    let subject = name(&Subject {
        common_name: common_name.to_owned(),
        organizations: BTreeSet::new(),
    });
    let id = key_id(key.public_key());
    let wanted = [Usage::DigitalSignature, Usage::KeyEncipherment].into();
    let parties = Parties {
        subject: subject.clone(),
        public_key: key.public_key(),
        issuer: &subject,
        signer: key,
    };
    let extensions = [
        critical(oid::BASIC_CONSTRAINTS, &der::sequence(&[der::TRUE])),
        critical(oid::KEY_USAGE, &key_usage(CERT_SIGN, &wanted)),
        extension(oid::SUBJECT_KEY_ID, &der::octets(&id)),
        extension(oid::AUTHORITY_KEY_ID, &authority_key_id(&id)),
    ];
    sign(&parties, validity, &extensions)
}

/// Writes a certificate that `authority` signs in PEM.
pub(super) fn leaf(
    leaf: &Leaf,
    public_key: &PublicKey,
    authority: &Authority,
    validity: Validity,
) -> Result<Vec<u8>, Error> {
    let mut extensions = vec![
        critical(oid::BASIC_CONSTRAINTS, &der::sequence(&[])),
        critical(oid::KEY_USAGE, &key_usage(0, &leaf.usages)),
        extension(oid::SUBJECT_KEY_ID, &der::octets(&key_id(public_key))),
    ];
    if let Some(id) = authority.certificate.key_id() {
        extensions.push(extension(oid::AUTHORITY_KEY_ID, &authority_key_id(id)));
    }
    if leaf.usages.iter().any(|usage| usage.is_extended()) {
        let usage = extended_key_usage(&leaf.usages);
        extensions.push(extension(oid::EXTENDED_KEY_USAGE, &usage));
    }
    if !leaf.dns_names.is_empty() || !leaf.ip_addresses.is_empty() {
        let names = alternative_names(&leaf.dns_names, &leaf.ip_addresses);
        extensions.push(extension(oid::SUBJECT_ALT_NAME, &names));
    }
    let parties = Parties {
        subject: name(&leaf.subject),
        public_key,
        issuer: authority.certificate.subject_der(),
        signer: &authority.key,
    };
    sign(&parties, validity, &extensions)
}

fn sign(
    parties: &Parties<'_>,
    validity: Validity,
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>, Error> {
    const VERSION_3: u8 = 2;
    let extensions: Vec<_> = extensions.iter().map(Vec::as_slice).collect();
    let algorithm = key::signature_algorithm(parties.signer.kind());
    let mut serial = random::bytes::<SERIAL_LENGTH>()?;
    // Positive, and never shorter than the others.
    serial[0] = serial[0] & 0x7f | 0x40;
    let body = der::sequence(&[
        &der::value(0xa0, &[&der::integer(&[VERSION_3])]),
        &der::integer(&serial[..]),
        &algorithm,
        parties.issuer,
        &der::sequence(&[&time(validity.from), &time(validity.until)]),
        &parties.subject,
        parties.public_key.der(),
        &der::value(0xa3, &[&der::sequence(&extensions)]),
    ]);
    let signature = key::sign(parties.signer, &body)?;
    let certificate = der::sequence(&[&body, &algorithm, &der::bits(&signature, 0)]);
    Ok(pem::write("CERTIFICATE", &certificate).to_vec())
}

/// A name with every O before the CN, each in a set of its own.
fn name(subject: &Subject) -> Vec<u8> {
    let part = |kind: &[u8], text: &str| {
        let attribute = der::sequence(&[&der::identifier(kind), &der::text(text)]);
        der::set(&[&attribute])
    };
    let organizations = subject.organizations.iter();
    let mut parts: Vec<_> = organizations
        .map(|text| part(oid::ORGANIZATION, text))
        .collect();
    parts.push(part(oid::COMMON_NAME, &subject.common_name));
    let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
    der::sequence(&parts)
}

fn time(moment: Timestamp) -> Vec<u8> {
    let date = moment.to_zoned(TimeZone::UTC);
    if date.year() < GENERALIZED_FROM {
        let text = date.strftime("%y%m%d%H%M%SZ").to_string();
        der::value(UTC_TIME, &[text.as_bytes()])
    } else {
        let text = date.strftime("%Y%m%d%H%M%SZ").to_string();
        der::value(GENERALIZED_TIME, &[text.as_bytes()])
    }
}

fn extension(kind: &[u8], value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::identifier(kind), &der::octets(value)])
}

fn critical(kind: &[u8], value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::identifier(kind), der::TRUE, &der::octets(value)])
}

fn key_usage(more: u8, usages: &BTreeSet<Usage>) -> Vec<u8> {
    let bits = usages.iter().fold(more, |bits, usage| {
        bits | match usage {
            Usage::DigitalSignature => 0x80,
            Usage::ContentCommitment => 0x80 >> 1,
            Usage::KeyEncipherment => 0x80 >> 2,
            Usage::DataEncipherment => 0x80 >> 3,
            Usage::KeyAgreement => 0x80 >> 4,
            Usage::ServerAuth | Usage::ClientAuth => 0,
        }
    });
    let unused = u8::try_from(bits.trailing_zeros()).unwrap_or(0);
    der::bits(&[bits], unused)
}

fn extended_key_usage(usages: &BTreeSet<Usage>) -> Vec<u8> {
    let kinds: Vec<_> = usages
        .iter()
        .filter_map(|usage| match usage {
            Usage::ServerAuth => Some(der::identifier(oid::SERVER_AUTH)),
            Usage::ClientAuth => Some(der::identifier(oid::CLIENT_AUTH)),
            _ => None,
        })
        .collect();
    let kinds: Vec<_> = kinds.iter().map(Vec::as_slice).collect();
    der::sequence(&kinds)
}

fn alternative_names(dns: &BTreeSet<String>, addresses: &BTreeSet<IpAddr>) -> Vec<u8> {
    const DNS: u8 = 0x82;
    const ADDRESS: u8 = 0x87;
    let mut names: Vec<_> = dns
        .iter()
        .map(|name| der::value(DNS, &[name.as_bytes()]))
        .collect();
    names.extend(addresses.iter().map(|address| match address {
        IpAddr::V4(address) => der::value(ADDRESS, &[&address.octets()]),
        IpAddr::V6(address) => der::value(ADDRESS, &[&address.octets()]),
    }));
    let names: Vec<_> = names.iter().map(Vec::as_slice).collect();
    der::sequence(&names)
}

/// The hash of the whole public key (RFC 7093 section 2, method 4), cut to the usual length.
fn key_id(key: &PublicKey) -> Vec<u8> {
    Sha256::digest(key.der())[..KEY_ID_LENGTH].to_vec()
}

fn authority_key_id(id: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::value(0x80, &[id])])
}
