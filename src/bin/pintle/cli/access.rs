//! Helm's flags about the way to the API server.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use pintle::cluster::{Access, Token, Verification};

/// What counts instead of what the kubeconfig says. An empty variable of the environment says nothing.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_field_names, reason = "each is called as its flag is")]
pub(crate) struct AccessArgs {
    /// Address of the API server
    #[arg(long, global = true, value_name = "URL")]
    #[arg(env = "HELM_KUBEAPISERVER", hide_env = true)]
    kube_apiserver: Option<String>,
    /// Bearer token, instead of all credentials of the kubeconfig
    #[arg(long, global = true, value_name = "TOKEN")]
    #[arg(env = "HELM_KUBETOKEN", hide_env = true)]
    kube_token: Option<Token>,
    /// User to act as
    #[arg(long, global = true, value_name = "USER")]
    #[arg(env = "HELM_KUBEASUSER", hide_env = true)]
    kube_as_user: Option<String>,
    /// Group to act as a member of; may be given several times
    #[arg(long, global = true, value_name = "GROUP", value_delimiter = ',')]
    #[arg(env = "HELM_KUBEASGROUPS", hide_env = true)]
    kube_as_group: Vec<String>,
    /// File with the authorities that sign for the API server
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(env = "HELM_KUBECAFILE", hide_env = true)]
    kube_ca_file: Option<String>,
    /// Do not verify the certificate of the API server
    #[arg(long, global = true, value_parser = FalseyValueParser::new())]
    #[arg(env = "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", hide_env = true)]
    kube_insecure_skip_tls_verify: bool,
    /// Name that the certificate of the API server has to be for
    #[arg(long, global = true, value_name = "NAME")]
    #[arg(env = "HELM_KUBETLS_SERVER_NAME", hide_env = true)]
    kube_tls_server_name: Option<String>,
}

impl AccessArgs {
    /// What the flags stand for.
    pub(crate) fn access(&self) -> Access {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let groups = self.kube_as_group.iter();
        Access {
            server: said(&self.kube_apiserver),
            token: self.kube_token.clone().filter(|token| !token.is_empty()),
            user: said(&self.kube_as_user),
            groups: groups.filter(|name| !name.is_empty()).cloned().collect(),
            authority: said(&self.kube_ca_file).map(PathBuf::from),
            verification: if self.kube_insecure_skip_tls_verify {
                Verification::Skip
            } else {
                Verification::AsConfigured
            },
            tls_server_name: said(&self.kube_tls_server_name),
        }
    }
}
