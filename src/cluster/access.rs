//! What the user says about the way to the API server beside the kubeconfig, as by Helm's `--kube-*` flags.
//!
//! It is put over what the kubeconfig says; what becomes of that is left to [`super::transport`].

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};

/// The name of what stands in no kubeconfig.
const NAME: &str = "flags";

/// What counts instead of what the kubeconfig says. The default leaves all of that.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The address of the API server; there need not be a kubeconfig then.
    pub server: Option<String>,
    /// The credentials, all others of the kubeconfig being left out.
    pub token: Option<Token>,
    /// The user to act as.
    pub user: Option<String>,
    /// The groups to act as a member of.
    pub groups: Vec<String>,
    /// The file with the authorities that sign for the API server.
    pub authority: Option<PathBuf>,
    /// Whether anybody has to sign for it.
    pub verification: Verification,
    /// The name that its certificate has to be for, instead of that of its address.
    pub tls_server_name: Option<String>,
}

/// Whether the certificate of the API server is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verification {
    /// As the kubeconfig says.
    #[default]
    AsConfigured,
    /// It is not, so that anybody may answer in its place.
    Skip,
}

/// A bearer token, which is never printed.
#[derive(Clone)]
pub struct Token(String);

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Access {
    /// Puts it over the context of a kubeconfig, and makes one where there is none.
    pub(super) fn put_over(&self, kubeconfig: &mut Kubeconfig, context: Option<&str>) {
        let context = context.or(kubeconfig.current_context.as_deref());
        let named = kubeconfig
            .contexts
            .iter()
            .find(|one| Some(one.name.as_str()) == context);
        let (cluster, user) = match named.and_then(|one| one.context.as_ref()) {
            Some(context) => (context.cluster.clone(), context.user.clone()),
            None if context.is_none() && self.server.is_some() => {
                add_context(kubeconfig);
                (NAME.to_owned(), Some(NAME.to_owned()))
            }
            // Whoever reads it says what is missing.
            None => return,
        };
        let mut clusters = kubeconfig.clusters.iter_mut();
        if let Some(named) = clusters.find(|one| one.name == cluster) {
            self.put_over_cluster(named.cluster.get_or_insert_default());
        }
        let mut users = kubeconfig.auth_infos.iter_mut();
        if let Some(named) = users.find(|one| Some(&one.name) == user.as_ref()) {
            self.put_over_user(named.auth_info.get_or_insert_default());
        }
    }

    fn put_over_cluster(&self, cluster: &mut Cluster) {
        if let Some(server) = &self.server {
            cluster.server = Some(server.clone());
        }
        if let Some(authority) = &self.authority {
            cluster.certificate_authority = Some(authority.display().to_string());
            cluster.certificate_authority_data = None;
        }
        if self.verification == Verification::Skip {
            cluster.insecure_skip_tls_verify = Some(true);
        }
        if let Some(name) = &self.tls_server_name {
            cluster.tls_server_name = Some(name.clone());
        }
    }

    /// Puts it over credentials.
    pub(super) fn put_over_user(&self, user: &mut AuthInfo) {
        if let Some(token) = &self.token {
            *user = AuthInfo {
                token: Some(token.0.clone().into()),
                impersonate: user.impersonate.take(),
                impersonate_groups: user.impersonate_groups.take(),
                ..AuthInfo::default()
            };
        }
        if let Some(name) = &self.user {
            user.impersonate = Some(name.clone());
        }
        if !self.groups.is_empty() {
            user.impersonate_groups = Some(self.groups.clone());
        }
    }
}

/// Adds a context that is made up of flags alone.
fn add_context(kubeconfig: &mut Kubeconfig) {
    kubeconfig.current_context = Some(NAME.to_owned());
    kubeconfig.contexts.push(NamedContext {
        name: NAME.to_owned(),
        context: Some(Context {
            cluster: NAME.to_owned(),
            user: Some(NAME.to_owned()),
            ..Context::default()
        }),
        ..NamedContext::default()
    });
    kubeconfig.clusters.push(NamedCluster {
        name: NAME.to_owned(),
        cluster: Some(Cluster::default()),
        ..NamedCluster::default()
    });
    kubeconfig.auth_infos.push(NamedAuthInfo {
        name: NAME.to_owned(),
        auth_info: Some(AuthInfo::default()),
        ..NamedAuthInfo::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "current-context: a\n\
        contexts:\n- {name: a, context: {cluster: one, user: u}}\n\
        - {name: b, context: {cluster: two, user: v}}\n\
        clusters:\n- {name: one, cluster: {server: 'https://one', certificate-authority-data: eA==}}\n\
        - {name: two, cluster: {server: 'https://two'}}\n\
        users:\n- {name: u, user: {client-certificate: c, client-key: k, as: eve}}\n\
        - {name: v, user: {token: t}}\n";

    fn access() -> Access {
        Access {
            server: Some("https://three".to_owned()),
            token: "s3cr3t".parse().ok(),
            user: None,
            groups: vec!["ops".to_owned()],
            authority: Some("/ca.crt".into()),
            verification: Verification::Skip,
            tls_server_name: Some("kubernetes".to_owned()),
        }
    }

    /// A kubeconfig below what flags say, without the token.
    fn put(text: &str, access: &Access, context: Option<&str>) -> (serde_json::Value, String) {
        let mut kubeconfig = Kubeconfig::from_yaml(text).unwrap();
        access.put_over(&mut kubeconfig, context);
        let whole = serde_json::to_value(&kubeconfig).unwrap();
        let text = whole.to_string();
        (whole, text)
    }

    #[test]
    fn flags_count_more_than_the_context() {
        let (found, _) = put(TEXT, &access(), None);
        let one = &found["clusters"][0]["cluster"];
        assert_eq!(one["server"], "https://three");
        assert_eq!(one["certificate-authority"], "/ca.crt");
        assert_eq!(one.get("certificate-authority-data"), None);
        assert_eq!(one["insecure-skip-tls-verify"], true);
        assert_eq!(one["tls-server-name"], "kubernetes");
        assert_eq!(found["clusters"][1]["cluster"]["server"], "https://two");
        let user = &found["users"][0]["user"];
        assert_eq!(user["token"], "s3cr3t");
        assert_eq!(user.get("client-certificate"), None);
        assert_eq!(user["as"], "eve");
        assert_eq!(user["as-groups"], serde_json::json!(["ops"]));
        let (found, _) = put(TEXT, &access(), Some("b"));
        assert_eq!(found["clusters"][0]["cluster"]["server"], "https://one");
        assert_eq!(found["clusters"][1]["cluster"]["server"], "https://three");
    }

    #[test]
    fn an_address_needs_no_kubeconfig() {
        let (found, _) = put("{}", &access(), None);
        assert_eq!(found["current-context"], NAME);
        assert_eq!(found["clusters"][0]["cluster"]["server"], "https://three");
        let (_, unchanged) = put("{}", &Access::default(), None);
        assert!(!unchanged.contains(NAME), "{unchanged}");
    }

    #[test]
    fn tokens_are_not_printed() {
        assert!(!format!("{:?}", access()).contains("s3cr3t"));
    }
}
