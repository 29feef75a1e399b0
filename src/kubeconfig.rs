//! Kubeconfigs as pintle writes them: of one cluster, one user and one context, with everything
//! embedded (kubernetes `client-go/tools/clientcmd/api/v1`).
//!
//! Text comes in, a [`Kubeconfig`] goes out, and the other way round. What is in the certificates is
//! left to `x509`, connecting to `cluster`. A user's own kubeconfig is not read here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use crate::yaml;

/// A kubeconfig of one cluster and one user. Its key is overwritten when it is dropped.
pub struct Kubeconfig {
    /// The address of the API server, such as `https://10.0.0.1:6443`.
    pub server: String,
    /// The name of the cluster.
    pub cluster_name: String,
    /// The name of the user.
    pub user_name: String,
    /// The authorities that the server's certificate may be signed by, as PEM.
    pub authorities: Vec<u8>,
    /// The user's certificate, as PEM.
    pub certificate: Vec<u8>,
    /// The user's key, as PEM.
    pub key: Zeroizing<Vec<u8>>,
}

impl Kubeconfig {
    /// Reads a kubeconfig; none if it is none, or one with more or less in it. What is wrong is not
    /// said, because it could hold the key.
    pub fn read(text: &[u8]) -> Option<Self> {
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
        is_whole.then_some(Self {
            server: string(cluster, "server")?,
            authorities: bytes(cluster, "certificate-authority-data")?,
            certificate: bytes(user, "client-certificate-data")?,
            key: bytes(user, "client-key-data")?.into(),
            cluster_name,
            user_name,
        })
    }

    /// Returns the name of its context, as kubeadm builds it.
    pub fn context(&self) -> String {
        format!("{}@{}", self.user_name, self.cluster_name)
    }

    /// Writes the file.
    pub fn to_text(&self) -> Zeroizing<Vec<u8>> {
        let mut file = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.cluster_name, "cluster": {
                "server": self.server,
                "certificate-authority-data": BASE64_STANDARD.encode(&self.authorities),
            }}],
            "users": [{"name": self.user_name, "user": {
                "client-certificate-data": BASE64_STANDARD.encode(&self.certificate),
                "client-key-data": BASE64_STANDARD.encode(&self.key),
            }}],
            "contexts": [{"name": self.context(), "context": {
                "cluster": self.cluster_name,
                "user": self.user_name,
            }}],
            "current-context": self.context(),
        });
        let text = Zeroizing::new(yaml::to_string(&file).into_bytes());
        if let Some(Value::String(key)) = file.pointer_mut("/users/0/user/client-key-data") {
            key.zeroize();
        }
        text
    }
}

fn string(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

fn bytes(value: &Value, field: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(value.get(field)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Kubeconfig {
        Kubeconfig {
            server: "https://10.0.0.1:6443".to_owned(),
            cluster_name: "tenant-a".to_owned(),
            user_name: "admin".to_owned(),
            authorities: b"authorities".to_vec(),
            certificate: b"certificate".to_vec(),
            key: Zeroizing::new(b"key".to_vec()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let read = Kubeconfig::read(&example().to_text()).unwrap();
        assert_eq!(read.server, "https://10.0.0.1:6443");
        assert_eq!(read.context(), "admin@tenant-a");
        assert_eq!(read.authorities, b"authorities");
        assert_eq!(read.certificate, b"certificate");
        assert_eq!(read.key.as_slice(), b"key");
    }

    #[track_caller]
    fn refused(change: impl Fn(&str) -> String) {
        let text = example().to_text();
        let text = change(str::from_utf8(&text).unwrap());
        assert!(Kubeconfig::read(text.as_bytes()).is_none(), "{text}");
    }

    #[test]
    fn anything_else_is_refused() {
        refused(|_| "{".to_owned());
        refused(|_| String::new());
        refused(|text| text.replace("current-context: admin@tenant-a", "current-context: other"));
        refused(|text| text.replace("client-key-data", "client-key"));
        refused(|text| text.replace("cluster: tenant-a", "cluster: other"));
        assert!(Kubeconfig::read(b"\xff").is_none());
    }
}
