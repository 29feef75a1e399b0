//! What can go wrong between here and the API server.

use std::fmt;
use std::time::Duration;

use super::diagnosis::Diagnosis;
use crate::health::Health;
use crate::manifest::ResourceId;

/// The cause of an error of another library, as text that has no further cause.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request to the API server, or a wait for what it changes, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig cannot be used; `kubeconfig` names the file and context.
    #[error("cannot use {kubeconfig}")]
    Kubeconfig {
        /// The kubeconfig with its context, in words.
        kubeconfig: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// The kubeconfig's credential plugin or token file gives no credentials.
    #[error("cannot get credentials for {server}")]
    Credentials {
        /// The address of the API server.
        server: String,
        /// What went wrong.
        source: Cause,
    },
    /// The API server does not know who is asking.
    #[error("the API server {server} does not accept the credentials")]
    Unauthorized {
        /// The address of the API server.
        server: String,
    },
    /// No answer came: no connection, or one that broke.
    #[error("cannot reach the API server {server}")]
    Unreachable {
        /// The address of the API server.
        server: String,
        /// What happened to the connection.
        source: Cause,
    },
    /// The request is understood and not allowed, by role or by admission.
    #[error("not allowed to {verb} {what}{}", Detail(detail))]
    Forbidden {
        /// The verb as in roles: `get`, `list`, `create`, `patch`…
        verb: &'static str,
        /// The resource or resources, in words.
        what: String,
        /// What an admission rule says, such as a quota.
        detail: Option<String>,
    },
    /// There is no such resource, or no place for it.
    #[error("cannot {verb} {what}: {missing}")]
    NotFound {
        /// The verb as in roles.
        verb: &'static str,
        /// The resource or resources, in words.
        what: String,
        /// What is not there.
        missing: Missing,
    },
    /// The resource has changed since it was read, or others own fields of it.
    #[error(
        "cannot {verb} {what}: it conflicts with another change{}",
        Detail(detail)
    )]
    Conflict {
        /// The verb as in roles.
        verb: &'static str,
        /// The resource, in words.
        what: String,
        /// The fields and their owners, for a server-side apply.
        fields: Vec<FieldConflict>,
        /// What the API server says about it.
        detail: Option<String>,
    },
    /// A resource to be created exists.
    #[error("cannot create {what}: it exists already")]
    AlreadyExists {
        /// The resource, in words.
        what: String,
    },
    /// The API server does not accept the body.
    #[error("the API server does not accept {what}{}", Detail(detail))]
    Invalid {
        /// The resource, in words.
        what: String,
        /// What is wrong with it; for Secrets only where.
        detail: Option<String>,
    },
    /// A name that cannot stand in a request, because it would name something else.
    #[error("cannot {verb} {kind} {name:?}: not a name")]
    Name {
        /// The verb as in roles.
        verb: &'static str,
        /// The kind of the resource.
        kind: String,
        /// What was given as its name or namespace.
        name: String,
    },
    /// What was being read page by page has expired on the server.
    #[error("cannot {verb} {what}: it changed too much meanwhile")]
    Expired {
        /// The verb as in roles.
        verb: &'static str,
        /// The resources, in words.
        what: String,
    },
    /// The API server did not answer in time.
    #[error("cannot {verb} {what}: no answer within {}", humantime::format_duration(*after))]
    Timeout {
        /// The verb as in roles.
        verb: &'static str,
        /// The resource or resources, in words.
        what: String,
        /// How long the answer was waited for.
        after: Duration,
    },
    /// The answer is not what the API promises, as when a proxy answers instead.
    #[error("cannot {verb} {what}: the answer cannot be read")]
    Answer {
        /// The verb as in roles.
        verb: &'static str,
        /// The resource or resources, in words.
        what: String,
        /// What is wrong with the answer.
        source: Cause,
    },
    /// Any other refusal.
    #[error(
        "cannot {verb} {what}: the API server answers {code}{}{}",
        Asks(retry_after),
        Detail(detail)
    )]
    Other {
        /// The verb as in roles.
        verb: &'static str,
        /// The resource or resources, in words.
        what: String,
        /// The HTTP status code.
        code: u16,
        /// What the API server says about it; never for Secrets.
        detail: Option<String>,
        /// For how long it asks to wait before the request is sent again.
        retry_after: Option<Duration>,
    },
    /// A wait ended while these resources were not ready.
    #[error("not ready: {}", List(resources))]
    NotReady {
        /// Every resource that is not ready.
        resources: Vec<Unready>,
    },
    /// A wait ended while these resources still existed.
    #[error("not deleted: {}", List(resources))]
    NotGone {
        /// Every resource that still exists.
        resources: Vec<Unready>,
    },
}

/// What a request needed and did not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The resource itself.
    Resource,
    /// The namespace that it would be in.
    Namespace,
    /// The kind: the API server does not serve it.
    Kind,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resource => "not found",
            Self::Namespace => "the namespace does not exist",
            Self::Kind => "the API server does not serve this kind",
        })
    }
}

/// A field that a server-side apply may not take from its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Where, as the API server writes it: `.spec.replicas`.
    pub field: String,
    /// The API server's words, which name the owner: `conflict with "kubectl" using apps/v1`.
    pub message: String,
}

/// A resource on which a wait has given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// Which one.
    pub id: ResourceId,
    /// Its state when the wait ended.
    pub health: Health,
    /// Why: what its pods and its events say.
    pub diagnosis: Diagnosis,
}

impl Unready {
    /// A resource of which nothing is known but that it is not ready.
    pub fn new(id: ResourceId, health: Health) -> Self {
        Self {
            id,
            health,
            diagnosis: Diagnosis::default(),
        }
    }
}

/// `Deployment web (1 of 3 pods ready; pod web-5d8-x2: container app: ImagePullBackOff)`.
///
/// Events and logs are left out: what stands here is also recorded.
impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        let pods = self.diagnosis.pods.iter();
        let reasons: Vec<String> = self
            .health
            .reason()
            .map(str::to_owned)
            .into_iter()
            .chain(pods.map(|pod| format!("pod {}: {}", pod.name, pod.trouble)))
            .collect();
        if reasons.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", reasons.join("; "))
    }
}

struct Detail<'a>(&'a Option<String>);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

struct Asks<'a>(&'a Option<Duration>);

impl fmt::Display for Asks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pause) if !pause.is_zero() => {
                let pause = humantime::format_duration(*pause);
                write!(f, ", and asks to wait for {pause}")
            }
            _ => Ok(()),
        }
    }
}

struct List<'a>(&'a [Unready]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, unready) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{unready}")?;
        }
        Ok(())
    }
}

impl Error {
    /// Tells whether the resource has changed since it was read.
    pub fn is_outdated(&self) -> bool {
        matches!(self, Self::Conflict { fields, .. } if fields.is_empty())
    }

    /// Tells whether the resource has changed since it was read, or others own fields of it.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Tells whether the resource, its namespace or its kind does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Tells whether the resource does not exist, though its kind is served.
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::NotFound {
                missing: Missing::Resource,
                ..
            }
        )
    }

    /// Tells whether the resource to be created exists.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::AlreadyExists { .. })
    }

    /// Tells whether a role or an admission rule refuses the request.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// Tells whether the API server does not accept the body.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }

    /// Tells whether no answer came, because there is no connection or it took too long.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. })
    }

    /// Tells whether a wait ended without what it waited for.
    pub fn is_not_ready(&self) -> bool {
        matches!(self, Self::NotReady { .. } | Self::NotGone { .. })
    }

    pub(super) fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    pub(super) fn is_unserved(&self) -> bool {
        matches!(
            self,
            Self::NotFound {
                missing: Missing::Kind,
                ..
            }
        )
    }

    /// The same refusal by an API server that asks for a pause.
    pub(super) fn asking(mut self, pause: Option<Duration>) -> Self {
        if let Self::Other { retry_after, .. } = &mut self {
            *retry_after = pause;
        }
        self
    }

    /// The pause that the API server asks for.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Other { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same request may well succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Expired { .. } => true,
            Self::Other { code, .. } => *code == 429 || *code >= 500,
            other => other.is_unserved(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnosis::SickPod;
    use super::*;
    use crate::health::Trouble;

    #[test]
    fn what_is_not_ready_is_listed() {
        let unready = |name: &str, health: Health| {
            let id = ResourceId {
                group: "apps".to_owned(),
                kind: "Deployment".to_owned(),
                namespace: Some("shop".to_owned()),
                name: name.to_owned(),
            };
            Unready::new(id, health)
        };
        let mut web = unready("web", Health::InProgress("1 of 3 pods ready".to_owned()));
        web.diagnosis.pods.push(SickPod {
            name: "web-1".to_owned(),
            trouble: Trouble {
                container: None,
                reason: "not scheduled".to_owned(),
            },
            events: Vec::new(),
            log: vec!["never recorded".to_owned()],
        });
        let db = unready("db", Health::Failed("too late".to_owned()));
        let error = Error::NotReady {
            resources: vec![web, db],
        };
        assert_eq!(
            error.to_string(),
            "not ready: Deployment web (1 of 3 pods ready; pod web-1: not scheduled), \
             Deployment db (too late)"
        );
        assert!(error.is_not_ready());
    }
}
