//! Writing kubeconfigs (kubernetes `client-go/tools/clientcmd/api/v1`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::Made;
use crate::manifest::generator::Kubeconfig;
use crate::yaml;

/// Writes a kubeconfig of one cluster, one user and one context.
pub(super) fn write(spec: &Kubeconfig, server: &str, made: &Made) -> Zeroizing<Vec<u8>> {
    let context = format!("{}@{}", spec.user_name, spec.cluster_name);
    let mut file = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": spec.cluster_name, "cluster": {
            "server": server,
            "certificate-authority-data": BASE64_STANDARD.encode(&made.bundle),
        }}],
        "users": [{"name": spec.user_name, "user": {
            "client-certificate-data": BASE64_STANDARD.encode(&made.certificate),
            "client-key-data": BASE64_STANDARD.encode(&made.key),
        }}],
        "contexts": [{"name": context, "context": {
            "cluster": spec.cluster_name,
            "user": spec.user_name,
        }}],
        "current-context": context,
    });
    let text = Zeroizing::new(yaml::to_string(&file).into_bytes());
    if let Some(Value::String(key)) = file.pointer_mut("/users/0/user/client-key-data") {
        key.zeroize();
    }
    text
}
