//! Certificates here are made with another library than the one that reads them.

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use super::*;

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2026, 11, 21);
    params.not_after = date_time_ymd(2027, 11, 21);
    params
}

fn authority(common_name: &str) -> Authority {
    let mut params = params(common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    Authority { pem, issuer }
}

fn leaf(params: &CertificateParams, authority: &Authority) -> String {
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, &authority.issuer).unwrap().pem()
}

fn read(pem: &str) -> Certificate {
    Certificate::read(pem.as_bytes()).unwrap()
}

#[test]
fn a_certificate_is_read_whole() {
    let mut params = params("kube-apiserver");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "system:masters");
    params.subject_alt_names = vec![
        SanType::DnsName("kubernetes".try_into().unwrap()),
        SanType::IpAddress("10.0.0.1".parse().unwrap()),
        SanType::IpAddress("fd00::1".parse().unwrap()),
        SanType::URI("urn:x".try_into().unwrap()),
    ];
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyAgreement,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::CodeSigning,
    ];
    let found = read(&leaf(&params, &authority("ca")));
    assert_eq!(
        found.subject.to_string(),
        "CN=kube-apiserver,O=system:masters"
    );
    assert_eq!(found.dns_names, ["kubernetes".to_owned()].into());
    let addresses = ["10.0.0.1", "fd00::1"].map(|text| text.parse().unwrap());
    assert_eq!(found.ip_addresses, addresses.into());
    let usages = [
        Usage::DigitalSignature,
        Usage::KeyAgreement,
        Usage::ServerAuth,
    ];
    assert_eq!(found.usages, usages.into());
    assert!(!found.is_authority);
    assert_eq!(found.not_before.to_string(), "2026-11-21T00:00:00Z");
    assert_eq!(found.not_after.to_string(), "2027-11-21T00:00:00Z");
}

#[test]
fn times_far_away_are_cut() {
    let mut params = params("a");
    params.not_after = date_time_ymd(9999, 12, 31);
    assert_eq!(
        read(&leaf(&params, &authority("ca"))).not_after,
        Timestamp::MAX
    );
}

#[test]
fn the_chain_is_verified() {
    let ca = authority("ca");
    let leaf = read(&leaf(&params("a"), &ca));
    let check = |authority: &str| leaf.check_issuer(&read(authority));
    assert_eq!(check(&ca.pem), Ok(()));
    assert_eq!(check(&authority("other").pem), Err(ChainFault::Issuer));
    assert_eq!(check(&authority("ca").pem), Err(ChainFault::Signature));
    let plain = params("ca")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem();
    assert_eq!(check(&plain), Err(ChainFault::NotAuthority));
    assert_eq!(read(&ca.pem).check_issuer(&read(&ca.pem)), Ok(()));
}

#[test]
fn an_authority_without_the_right_to_sign_is_none() {
    let mut params = params("ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let make = |params: &CertificateParams| {
        read(
            &params
                .self_signed(&KeyPair::generate().unwrap())
                .unwrap()
                .pem(),
        )
        .is_authority
    };
    assert!(make(&params));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert!(!make(&params));
}

#[test]
fn a_bundle_has_its_current_certificate_first() {
    let (new, old) = (authority("new").pem, authority("old").pem);
    let bundle = format!("{new}\nnote\n{old}");
    let all = Certificate::read_all(bundle.as_bytes()).unwrap();
    let names: Vec<_> = all.iter().map(|c| c.subject.common_name.as_str()).collect();
    assert_eq!(names, ["new", "old"]);
    assert_eq!(read(&bundle), all[0]);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let fault = |text: &[u8]| Certificate::read(text).unwrap_err();
    assert_eq!(fault(b""), Error::NoBlock("certificate"));
    let key = KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(fault(key.as_bytes()), Error::NoBlock("certificate"));
    assert!(matches!(
        fault(&pem::write("CERTIFICATE", b"\x30\x00")),
        Error::Certificate(_)
    ));
    let mut longer = pem::read(authority("a").pem.as_bytes()).unwrap()[0]
        .der
        .to_vec();
    longer.push(0);
    assert!(matches!(
        fault(&pem::write("CERTIFICATE", &longer)),
        Error::Certificate(_)
    ));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Certificate::read_all(&bytes);
        for label in ["CERTIFICATE", "PUBLIC KEY"] {
            let text = pem::write(label, &bytes);
            let _ = Certificate::read_all(&text);
            let _ = PublicKey::read_all(&text);
        }
    }

    #[test]
    fn a_changed_certificate_is_never_taken(changes in proptest::collection::vec(any::<(usize, u8)>(), 1..4)) {
        let ca = authority("ca");
        let text = leaf(&params("a"), &ca);
        let original = pem::read(text.as_bytes()).unwrap()[0].der.to_vec();
        let mut der = original.clone();
        for (place, byte) in changes {
            let place = place % der.len();
            der[place] = byte;
        }
        prop_assume!(der != original);
        if let Ok(changed) = Certificate::read(&pem::write("CERTIFICATE", &der)) {
            prop_assert!(changed.check_issuer(&read(&ca.pem)).is_err());
        }
    }
}
