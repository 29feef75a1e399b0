//! `join`: what a machine has to run to become a node of a tenant.
//!
//! The token is a Secret of the tenant (kubernetes `k8s.io/cluster-bootstrap/token/api`), and ends
//! by itself. A node knows the tenant by what the token has signed, and by the hash of the authority's
//! key (kubeadm's `--discovery-token-ca-cert-hash`).

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Error, Session, Tenant};
use crate::capabilities::Kind;
use crate::cluster::{Address, Cluster, Effect, Validation, Write};
use crate::manifest::ResourceId;
use crate::pki;
use crate::x509::Certificate;
use crate::yaml;

/// Only pintle owns tokens.
const WRITE: Write<'_> = Write {
    manager: "pintle",
    effect: Effect::Persist,
    validation: Validation::Strict,
};
/// Where what joining nodes read first is.
const PUBLIC: &str = "kube-public";
/// Its name.
const INFO: &str = "cluster-info";
/// The namespace of tokens.
const SYSTEM: &str = "kube-system";
/// Whom the bearer of a token belongs to, as kubeadm's roles have it.
const GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";
/// How long the controller-manager has to sign for a new token; it takes a second or two.
const SIGNING: Duration = Duration::from_secs(30);

/// What lets machines join a tenant. It holds a credential.
pub struct Invitation {
    /// Host and port of the tenant's API.
    pub endpoint: String,
    /// The token.
    pub token: String,
    /// What the authority of the API is known by: `sha256:` and the hash of its key.
    pub authority_hash: String,
    /// When the token ends.
    pub expires: Timestamp,
}

impl Invitation {
    /// Returns the command that a machine with a kubelet and kubeadm has to run.
    pub fn command(&self) -> String {
        let Self {
            endpoint,
            token,
            authority_hash,
            ..
        } = self;
        format!(
            "kubeadm join {endpoint} --token {token} --discovery-token-ca-cert-hash {authority_hash}"
        )
    }
}

/// Makes a token for the tenant of `session`'s release, good for `lifetime`, and waits until nodes
/// can join by it. `cluster` is the tenant's API.
///
/// # Errors
/// If the tenant lacks what nodes read, or has it for another address, before anything is made; if
/// the token cannot be made or nothing is signed by it.
pub async fn join(
    session: &Session<'_>,
    (tenant, cluster): (&Tenant, &Cluster),
    lifetime: Duration,
) -> Result<Invitation, Error> {
    let lacking = |lacks: String| Error::NotFurnished {
        release: session.release.to_owned(),
        lacks,
    };
    let endpoint = endpoint(&tenant.kubeconfig.server);
    let authority_hash = authority_hash(&tenant.kubeconfig.authorities);
    let authority_hash =
        authority_hash.ok_or_else(|| lacking("its authority cannot be read".to_owned()))?;
    let info = info(cluster).await?;
    check(info.as_ref(), &tenant.kubeconfig.server).map_err(lacking)?;
    let expires = (session.now)() + lifetime;
    let token = create(cluster, expires).await?;
    let (id, _) = token.split_once('.').unwrap_or_default();
    let key = format!("/data/jws-kubeconfig-{id}");
    let is_signed = |live: &Value| live.pointer(&key).is_some();
    let (subject, kind) = (public(), Kind::core("ConfigMap", "configmaps"));
    let signed = cluster.wait_until((&subject, &kind), SIGNING, &is_signed);
    if !signed.await? {
        return Err(lacking(format!(
            "its controller-manager has signed nothing by a new token within {}; does it run with \
             --controllers=*,bootstrapsigner,tokencleaner?",
            humantime::format_duration(SIGNING)
        )));
    }
    Ok(Invitation {
        endpoint: endpoint.to_owned(),
        token,
        authority_hash,
        expires,
    })
}

/// What kubeadm calls an address: without scheme.
fn endpoint(server: &str) -> &str {
    let bare = server.strip_prefix("https://").unwrap_or(server);
    bare.trim_end_matches('/')
}

/// `sha256:` and the hash of the public key (RFC 7469) of the first authority.
fn authority_hash(authorities: &[u8]) -> Option<String> {
    let authority = Certificate::read(authorities).ok()?;
    let hash = Sha256::digest(authority.public_key.der());
    let hash = Bytes::copy_from_slice(&hash);
    Some(format!("sha256:{hash:x}"))
}

/// The kubeconfig that nodes read first, as YAML; none if there is none.
async fn info(cluster: &Cluster) -> Result<Option<String>, Error> {
    let kind = Kind::core("ConfigMap", "configmaps");
    let at = Address {
        kind: &kind,
        namespace: Some(PUBLIC),
        name: INFO,
    };
    let live = cluster.get(&at).await?;
    let text = live
        .as_ref()
        .and_then(|live| live.pointer("/data/kubeconfig"));
    Ok(text.and_then(Value::as_str).map(str::to_owned))
}

/// Says what is wrong with what nodes read first.
fn check(info: Option<&String>, server: &str) -> Result<(), String> {
    let Some(text) = info else {
        return Err(format!("it has no ConfigMap {INFO} in {PUBLIC}"));
    };
    let file = yaml::parse(text).unwrap_or_default();
    let found = file.pointer("/clusters/0/cluster/server");
    match found.and_then(Value::as_str) {
        Some(found) if found == server => Ok(()),
        found => Err(format!(
            "its ConfigMap {INFO} in {PUBLIC} sends nodes to {}, not to {server}",
            found.unwrap_or("no address")
        )),
    }
}

/// Makes a token and gives it.
async fn create(cluster: &Cluster, expires: Timestamp) -> Result<String, Error> {
    let token = pki::token()?;
    let (id, secret) = token.split_once('.').unwrap_or_default();
    let name = format!("bootstrap-token-{id}");
    let body = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": SYSTEM },
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "description": "made by pintle join",
            "token-id": id,
            "token-secret": secret,
            "expiration": format!("{expires:.0}"),
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": GROUP,
        },
    });
    let kind = Kind::core("Secret", "secrets");
    let at = Address {
        kind: &kind,
        namespace: Some(SYSTEM),
        name: &name,
    };
    cluster.create(&at, &body, WRITE).await?;
    Ok(token)
}

fn public() -> ResourceId {
    ResourceId {
        group: String::new(),
        kind: "ConfigMap".to_owned(),
        namespace: Some(PUBLIC.to_owned()),
        name: INFO.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_a_command() {
        let invitation = Invitation {
            endpoint: endpoint("https://10.0.0.1:6443/").to_owned(),
            token: "abcdef.0123456789abcdef".to_owned(),
            authority_hash: "sha256:00".to_owned(),
            expires: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(
            invitation.command(),
            "kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef \
             --discovery-token-ca-cert-hash sha256:00"
        );
    }

    /// `info` is the kubeconfig that nodes read first.
    #[track_caller]
    fn check_info(info: Option<&str>, expected: Result<(), &str>) {
        let info = info.map(str::to_owned);
        let found = check(info.as_ref(), "https://10.0.0.1:6443");
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn nodes_have_to_be_sent_to_the_tenant() {
        let to =
            |server: &str| format!("clusters: [{{name: '', cluster: {{server: '{server}'}}}}]");
        check_info(Some(&to("https://10.0.0.1:6443")), Ok(()));
        check_info(None, Err("it has no ConfigMap cluster-info in kube-public"));
        check_info(
            Some(&to("https://10.0.0.2:6443")),
            Err(
                "its ConfigMap cluster-info in kube-public sends nodes to https://10.0.0.2:6443, \
                 not to https://10.0.0.1:6443",
            ),
        );
        check_info(
            Some("{"),
            Err(
                "its ConfigMap cluster-info in kube-public sends nodes to no address, \
                 not to https://10.0.0.1:6443",
            ),
        );
    }
}
