//! Certificates.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;

use super::{Error, PublicKey, der, pem};
use crate::manifest::generator::{Subject, Usage};

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// CN and every O; empty where there is none.
    pub subject: Subject,
    /// The DNS names it is valid for.
    pub dns_names: BTreeSet<String>,
    /// The addresses it is valid for.
    pub ip_addresses: BTreeSet<IpAddr>,
    /// What it may be used for, as far as there is a [`Usage`] of it.
    pub usages: BTreeSet<Usage>,
    /// Whether it may sign certificates.
    pub is_authority: bool,
    /// When it becomes valid.
    pub not_before: Timestamp,
    /// The last moment at which it is valid; of the year 9999 at most.
    pub not_after: Timestamp,
    /// The key that it is for.
    pub public_key: PublicKey,
    subject_der: Vec<u8>,
    key_id: Option<Vec<u8>>,
    der: Vec<u8>,
}

/// Why a certificate does not chain to an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// The authority's certificate may not sign others.
    #[error("the issuer's certificate is not of an authority")]
    NotAuthority,
    /// It names another issuer.
    #[error("it names another issuer")]
    Issuer,
    /// It is signed with another key.
    #[error("it is not signed with the issuer's key")]
    Signature,
}

impl Certificate {
    /// Reads every certificate of a PEM text; there is at least one, and the first is the current
    /// one where the text is a bundle of authorities.
    ///
    /// # Errors
    /// If there is none, or one is broken.
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem::read(text)?;
        let certificates = blocks
            .into_iter()
            .filter(|block| block.label == "CERTIFICATE")
            .map(|block| Self::from_der(block.der.to_vec()))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err(Error::NoBlock("certificate"));
        }
        Ok(certificates)
    }

    /// Reads the first certificate of a PEM text, the leaf of a chain.
    ///
    /// # Errors
    /// As [`Certificate::read_all`].
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        let mut all = Self::read_all(text)?;
        Ok(all.swap_remove(0))
    }

    fn from_der(der: Vec<u8>) -> Result<Self, Error> {
        let parsed = parse(&der).map_err(Error::Certificate)?;
        let (dns_names, ip_addresses) = alternative_names(&parsed).map_err(Error::Certificate)?;
        let validity = parsed.validity();
        Ok(Self {
            subject: subject(&parsed),
            dns_names,
            ip_addresses,
            usages: usages(&parsed).map_err(Error::Certificate)?,
            is_authority: is_authority(&parsed).map_err(Error::Certificate)?,
            not_before: timestamp(validity.not_before.timestamp()),
            not_after: timestamp(validity.not_after.timestamp()),
            public_key: PublicKey(parsed.public_key().raw.to_vec()),
            subject_der: parsed.subject().as_raw().to_vec(),
            key_id: key_id(&parsed),
            der,
        })
    }

    /// Checks that `authority` signed this certificate and may do so.
    ///
    /// Expiry is another matter: the caller knows the time.
    ///
    /// # Errors
    /// If it did not.
    pub fn check_issuer(&self, authority: &Self) -> Result<(), ChainFault> {
        if !authority.is_authority {
            return Err(ChainFault::NotAuthority);
        }
        // Both were parsed before.
        let leaf = parse(&self.der).map_err(|_| ChainFault::Signature)?;
        let issuer = parse(&authority.der).map_err(|_| ChainFault::Signature)?;
        if leaf.issuer().as_raw() != issuer.subject().as_raw() {
            return Err(ChainFault::Issuer);
        }
        leaf.verify_signature(Some(issuer.public_key()))
            .map_err(|_| ChainFault::Signature)
    }

    /// Returns the subject in DER, as a certificate that this one signs names its issuer.
    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// Returns the subject key identifier (RFC 5280 section 4.2.1.2); none where there is none.
    pub(crate) fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, X509Error> {
    match X509Certificate::from_der(der)? {
        ([], certificate) if is_strict(der, &certificate) => Ok(certificate),
        _ => Err(X509Error::InvalidCertificate),
    }
}

/// Tells whether the frame around the signed part is DER and names the algorithm that the signed
/// part names (RFC 5280 section 4.1.1.2): the parser takes what other readers refuse.
fn is_strict(der: &[u8], certificate: &X509Certificate<'_>) -> bool {
    let body = certificate.tbs_certificate.as_ref();
    let signature = der::bits(&certificate.signature_value.data, 0);
    let Some(start) = der.strip_suffix(signature.as_slice()) else {
        return false;
    };
    // Tag and length take two to six bytes.
    let mut rests = (2..=6).filter_map(|header| start.get(header..)?.strip_prefix(body));
    rests.next().is_some_and(|algorithm| {
        der::sequence(&[body, algorithm, &signature]) == der
            && body
                .windows(algorithm.len().max(1))
                .any(|part| part == algorithm)
    })
}

/// Names in encodings that are not text in UTF-8 are left out.
fn subject(certificate: &X509Certificate<'_>) -> Subject {
    let subject = certificate.subject();
    let mut common_names = subject.iter_common_name();
    Subject {
        common_name: common_names
            .find_map(|name| name.as_str().ok())
            .unwrap_or_default()
            .to_owned(),
        organizations: subject
            .iter_organization()
            .filter_map(|name| name.as_str().ok())
            .map(str::to_owned)
            .collect(),
    }
}

fn alternative_names(
    certificate: &X509Certificate<'_>,
) -> Result<(BTreeSet<String>, BTreeSet<IpAddr>), X509Error> {
    let mut names = (BTreeSet::new(), BTreeSet::new());
    let Some(extension) = certificate.subject_alternative_name()? else {
        return Ok(names);
    };
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => {
                names.0.insert((*name).to_owned());
            }
            GeneralName::IPAddress(bytes) => names.1.extend(address(bytes)),
            _ => (),
        }
    }
    Ok(names)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    four.or(sixteen).ok()
}

fn usages(certificate: &X509Certificate<'_>) -> Result<BTreeSet<Usage>, X509Error> {
    let mut usages = BTreeSet::new();
    if let Some(extension) = certificate.key_usage()? {
        let usage = extension.value;
        let flags = [
            (usage.digital_signature(), Usage::DigitalSignature),
            (usage.non_repudiation(), Usage::ContentCommitment),
            (usage.key_encipherment(), Usage::KeyEncipherment),
            (usage.data_encipherment(), Usage::DataEncipherment),
            (usage.key_agreement(), Usage::KeyAgreement),
        ];
        usages.extend(flags.iter().filter(|(set, _)| *set).map(|(_, usage)| usage));
    }
    if let Some(extension) = certificate.extended_key_usage()? {
        let flags = [
            (extension.value.server_auth, Usage::ServerAuth),
            (extension.value.client_auth, Usage::ClientAuth),
        ];
        usages.extend(flags.iter().filter(|(set, _)| *set).map(|(_, usage)| usage));
    }
    Ok(usages)
}

fn is_authority(certificate: &X509Certificate<'_>) -> Result<bool, X509Error> {
    let constraints = certificate.basic_constraints()?;
    let usage = certificate.key_usage()?;
    Ok(constraints.is_some_and(|extension| extension.value.ca)
        && usage.is_none_or(|extension| extension.value.key_cert_sign()))
}

fn key_id(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    let mut extensions = certificate.iter_extensions();
    extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

/// Times beyond what a timestamp holds, such as the year 9999 that stands for ever, are cut.
fn timestamp(seconds: i64) -> Timestamp {
    let limit = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_second(seconds).unwrap_or(limit)
}

#[cfg(test)]
mod tests;
