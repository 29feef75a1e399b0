//! Paths and queries of requests.
//!
//! A kind, a namespace and a name come in, the path of the API goes out. What a name may look like
//! in full is left to the API server; here it only must not lead to another path.

use std::fmt::Write as _;

use super::error::Error;
use super::refusal::{Content, Subject};
use crate::capabilities::Kind;

/// Where one resource is: its kind, namespace and name.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// The kind, as discovery or the built-in table has it.
    pub kind: &'a Kind,
    /// The namespace; without one, the cluster's default for kinds that need one.
    pub namespace: Option<&'a str>,
    /// The name.
    pub name: &'a str,
}

impl Address<'_> {
    /// The path of the resource itself.
    pub(super) fn path(&self, verb: &'static str) -> Result<String, Error> {
        let mut path = collection(verb, self.kind, self.namespace)?;
        path.push('/');
        path.push_str(&segment(verb, self.kind, self.name)?);
        Ok(path)
    }

    pub(super) fn subject(&self, verb: &'static str) -> Subject {
        let what = match self.namespace.filter(|_| self.kind.namespaced) {
            Some(namespace) => format!("{} {} in namespace {namespace}", self.kind.kind, self.name),
            None => format!("{} {}", self.kind.kind, self.name),
        };
        Subject {
            verb,
            what,
            content: content(self.kind),
        }
    }
}

/// What a request for a whole kind is about.
pub(super) fn subject(verb: &'static str, kind: &Kind, namespace: Option<&str>) -> Subject {
    let what = match namespace.filter(|_| kind.namespaced) {
        Some(namespace) => format!("{} in namespace {namespace}", kind.plural),
        None => kind.plural.clone(),
    };
    Subject {
        verb,
        what,
        content: content(kind),
    }
}

fn content(kind: &Kind) -> Content {
    if is_secret(kind) {
        Content::Secret
    } else {
        Content::Open
    }
}

pub(super) fn is_secret(kind: &Kind) -> bool {
    kind.group.is_empty() && kind.kind == "Secret"
}

/// The path of all resources of a kind, in one namespace or, without one, in all.
pub(super) fn collection(
    verb: &'static str,
    kind: &Kind,
    namespace: Option<&str>,
) -> Result<String, Error> {
    let mut path = match kind.group.as_str() {
        "" => format!("/api/{}", kind.version),
        group => format!("/apis/{group}/{}", kind.version),
    };
    if let Some(namespace) = namespace.filter(|_| kind.namespaced) {
        path.push_str("/namespaces/");
        path.push_str(&segment(verb, kind, namespace)?);
    }
    path.push('/');
    path.push_str(&kind.plural);
    Ok(path)
}

/// A name as one part of a path. The API server decodes a path before it splits it, so what would
/// split it, or leave the collection itself, is refused even when encoded.
fn segment(verb: &'static str, kind: &Kind, name: &str) -> Result<String, Error> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '%']) {
        return Err(Error::Name {
            verb,
            kind: kind.kind.clone(),
            name: name.to_owned(),
        });
    }
    Ok(encode(name))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A path with a query that grows parameter by parameter.
#[derive(Debug, Clone)]
pub(super) struct Uri(String);

impl Uri {
    pub(super) fn new(path: String) -> Self {
        Self(path)
    }

    /// Adds a parameter, unless it is empty.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&encode(value));
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, kind: &str, namespaced: &str) -> Kind {
        Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            namespaced: namespaced == "namespaced",
        }
    }

    #[track_caller]
    fn check(kind: &Kind, (namespace, name): (Option<&str>, &str), want: &str) {
        let address = Address {
            kind,
            namespace,
            name,
        };
        let got = address.path("get").map_err(|error| error.to_string());
        assert_eq!(got.unwrap_or_else(|error| error), want);
    }

    #[test]
    fn paths_follow_the_kind() {
        let pod = kind("", "Pod", "namespaced");
        check(
            &pod,
            (Some("shop"), "web"),
            "/api/v1/namespaces/shop/pods/web",
        );
        let role = kind("rbac.authorization.k8s.io", "ClusterRole", "cluster");
        check(
            &role,
            (Some("shop"), "system:node"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
        );
        check(
            &role,
            (None, "a b?c#d"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/a%20b%3Fc%23d",
        );
    }

    #[test]
    fn names_cannot_lead_elsewhere() {
        let pod = kind("", "Pod", "namespaced");
        check(&pod, (Some("shop"), ""), "cannot get Pod \"\": not a name");
        check(
            &pod,
            (Some("shop"), ".."),
            "cannot get Pod \"..\": not a name",
        );
        check(
            &pod,
            (Some("shop"), "a/log"),
            "cannot get Pod \"a/log\": not a name",
        );
        check(
            &pod,
            (Some("shop"), "a%2flog"),
            "cannot get Pod \"a%2flog\": not a name",
        );
        check(&pod, (Some(""), "a"), "cannot get Pod \"\": not a name");
        check(
            &pod,
            (Some("../x"), "a"),
            "cannot get Pod \"../x\": not a name",
        );
    }

    #[test]
    fn queries_are_encoded() {
        let uri = Uri::new("/api".to_owned())
            .with("limit", "5")
            .with("continue", "")
            .with("labelSelector", "a=b,c in (d)");
        assert_eq!(
            uri.as_str(),
            "/api?limit=5&labelSelector=a%3Db%2Cc%20in%20%28d%29"
        );
    }
}
