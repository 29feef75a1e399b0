//! Reading kubeconfigs, as far as pintle writes them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::yaml;

/// A kubeconfig of one cluster and one user, with everything embedded.
pub(super) struct File {
    pub(super) server: String,
    pub(super) cluster_name: String,
    pub(super) user_name: String,
    pub(super) bundle: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    pub(super) key: Zeroizing<Vec<u8>>,
}

/// Reads a kubeconfig; none if it is none, or one with more or less in it. What is wrong is not
/// said, because it could hold the key.
pub(super) fn read(text: &[u8]) -> Option<File> {
    let file = yaml::parse(str::from_utf8(text).ok()?).ok()?;
    let only = |list: &str, entry: &str| match file.get(list)?.as_array()?.as_slice() {
        [only] => Some((string(only, "name")?, only.get(entry)?)),
        _ => None,
    };
    let (cluster_name, cluster) = only("clusters", "cluster")?;
    let (user_name, user) = only("users", "user")?;
    let (context_name, context) = only("contexts", "context")?;
    let is_whole = string(&file, "current-context")? == context_name
        && string(context, "cluster")? == cluster_name
        && string(context, "user")? == user_name;
    is_whole.then_some(File {
        server: string(cluster, "server")?,
        bundle: bytes(cluster, "certificate-authority-data")?,
        certificate: bytes(user, "client-certificate-data")?,
        key: bytes(user, "client-key-data")?.into(),
        cluster_name,
        user_name,
    })
}

fn string(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

fn bytes(value: &Value, field: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(value.get(field)?.as_str()?).ok()
}
