//! The keys, certificates, tokens and kubeconfigs of one testbed, made before anything starts, so
//! that all components can start at once and no client needs to skip verification.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sha2::{Digest, Sha256};

use crate::place::{User, kubeconfig};

/// Why the credentials are not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or certificate cannot be made.
    #[error("making the certificates of a testbed")]
    Certificate(#[from] rcgen::Error),
    /// A file cannot be written.
    #[error("writing the credentials of a testbed")]
    Write(#[from] io::Error),
}

/// Who has a token: the name of the kubeconfig, the user name and the groups.
fn identities() -> Vec<(&'static str, &'static str, &'static str)> {
    let components = [
        (
            "kube-controller-manager",
            "system:kube-controller-manager",
            "",
        ),
        ("kube-scheduler", "system:kube-scheduler", ""),
        ("kwok", "kwok", "system:masters"),
    ];
    let user = |user: User| {
        let groups = match user {
            User::Admin => "system:masters",
            User::Nobody => "",
            User::TenantAdmin => "tenant-admins",
        };
        (user.name(), user.name(), groups)
    };
    components.into_iter().chain(User::ALL.map(user)).collect()
}

/// Writes all credentials of the testbed at `server`, an `https` URL, into its run folder.
///
/// # Errors
/// [`Error::Certificate`] or [`Error::Write`] when that does not work.
pub(super) fn write(folder: &Path, server: &str) -> Result<(), Error> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, "testbed");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    fs::write(folder.join("ca.crt"), authority.pem())?;
    write_serving_certificate(folder, &authority)?;
    write_service_account_key(folder)?;

    // Secret, different in every run, and needs no further source of randomness.
    let seed = authority.key().serialize_der();
    write_tokens(folder, &seed)?;
    fs::create_dir_all(folder.join("users"))?;
    for (name, _, _) in identities() {
        let text = kubeconfig_text(server, &authority.pem(), &token(&seed, name));
        fs::write(kubeconfig(folder, name), text)?;
    }
    Ok(())
}

fn write_serving_certificate(
    folder: &Path,
    authority: &CertifiedIssuer<'_, KeyPair>,
) -> Result<(), Error> {
    let key = KeyPair::generate()?;
    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
    let certificate = CertificateParams::new(names.map(str::to_owned))?;
    let certificate = certificate.signed_by(&key, authority)?;
    fs::write(folder.join("api.crt"), certificate.pem())?;
    Ok(fs::write(folder.join("api.key"), key.serialize_pem())?)
}

/// Writes the key that service account tokens are signed with and, apart, its public half: the
/// apiserver takes no PKCS#8 private key for checking them.
fn write_service_account_key(folder: &Path) -> Result<(), Error> {
    let key = KeyPair::generate()?;
    fs::write(folder.join("sa.key"), key.serialize_pem())?;
    Ok(fs::write(folder.join("sa.pub"), key.public_key_pem())?)
}

fn write_tokens(folder: &Path, seed: &[u8]) -> io::Result<()> {
    let mut lines = String::new();
    for (name, user, groups) in identities() {
        let token = token(seed, name);
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{token},{user},{name},\"{groups}\"");
    }
    fs::write(folder.join("tokens.csv"), lines)
}

fn token(seed: &[u8], name: &str) -> String {
    let hash = Sha256::new().chain_update(seed).chain_update(name);
    let mut token = String::new();
    for byte in hash.finalize() {
        let _ = write!(token, "{byte:02x}");
    }
    token
}

fn kubeconfig_text(server: &str, authority: &str, token: &str) -> String {
    let authority = STANDARD.encode(authority);
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: testbed
  user:
    token: {token}
contexts:
- name: testbed
  context:
    cluster: testbed
    user: testbed
current-context: testbed
"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{identities, token, write};
    use crate::place::{User, kubeconfig};

    #[test]
    fn writes_the_key_formats_the_components_take() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "https://127.0.0.1:1").unwrap();
        let first_line = |name: &str| {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(first_line("sa.pub"), "-----BEGIN PUBLIC KEY-----");
        assert_eq!(first_line("sa.key"), "-----BEGIN PRIVATE KEY-----");
        assert_eq!(first_line("api.crt"), "-----BEGIN CERTIFICATE-----");
    }

    #[test]
    fn kubeconfigs_and_token_file_agree() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "https://127.0.0.1:1").unwrap();
        let tokens = fs::read_to_string(folder.path().join("tokens.csv")).unwrap();
        for (line, (name, user, groups)) in tokens.lines().zip(identities()) {
            let (token, rest) = line.split_once(',').unwrap();
            assert_eq!(rest, format!("{user},{name},\"{groups}\""));
            let text = fs::read_to_string(kubeconfig(folder.path(), name)).unwrap();
            assert!(text.contains(&format!("token: {token}\n")), "{name}");
            assert!(text.contains("server: https://127.0.0.1:1\n"), "{name}");
        }
        assert_eq!(tokens.lines().count(), User::ALL.len() + 3);
    }

    #[test]
    fn tokens_differ_by_seed_and_name() {
        assert_ne!(token(b"a", "x"), token(b"b", "x"));
        assert_ne!(token(b"a", "x"), token(b"a", "y"));
    }
}
