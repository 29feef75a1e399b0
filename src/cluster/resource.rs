//! Single resources: read, listed, created, changed, deleted.

use http::Method;
use serde_json::Value;

use super::body::{Lean, Wanted};
use super::call::{Again, Answer, Call};
use super::deletion::Deletion;
use super::path::{self, Address, Uri};
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::plan::diff;

/// A resource version that no resource has: the storage of an API server begins with it, empty.
const ABSENT: &str = "1";

/// How a write is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether anything is kept of it.
    pub effect: Effect,
    /// What becomes of fields that the kind does not have.
    pub validation: Validation,
}

/// Whether a write is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// It is.
    #[default]
    Persist,
    /// The API server does everything but store it.
    DryRun,
}

/// What the API server does about unknown and duplicate fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// It refuses the body.
    Strict,
    /// It drops the fields and warns.
    Warn,
}

impl<'a> Write<'a> {
    /// A write that is kept, by this field manager, with unknown fields dropped and warned about.
    pub fn by(manager: &'a str) -> Self {
        Self {
            manager,
            effect: Effect::Persist,
            validation: Validation::Warn,
        }
    }

    /// The same as a dry run.
    #[must_use]
    pub fn dry_run(self) -> Self {
        Self {
            effect: Effect::DryRun,
            ..self
        }
    }

    fn on(self, uri: Uri) -> Uri {
        let (dry_run, validation) = (
            match self.effect {
                Effect::Persist => "",
                Effect::DryRun => "All",
            },
            match self.validation {
                Validation::Strict => "Strict",
                Validation::Warn => "Warn",
            },
        );
        uri.with("fieldManager", self.manager)
            .with("fieldValidation", validation)
            .with("dryRun", dry_run)
    }

    /// A write that leaves nothing behind, or that happens at most once, may be sent again.
    fn again(self, once: Again) -> Again {
        match self.effect {
            Effect::DryRun => Again::Trial,
            Effect::Persist => once,
        }
    }
}

/// What a write has left on the API server, or would have.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The resource, without its managed fields.
    pub live: Value,
    /// What the API server warns about.
    pub warnings: Vec<String>,
}

/// A change of one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Patch<'a> {
    /// `application/strategic-merge-patch+json`: built-in kinds.
    StrategicMerge(&'a Value),
    /// `application/merge-patch+json` (RFC 7386): everything else.
    Merge(&'a Value),
    /// `application/json-patch+json` (RFC 6902).
    Json(&'a Value),
    /// A server-side apply of everything that the manager wants.
    Apply(&'a Value, Force),
}

/// Whether a server-side apply takes fields from their owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It fails with [`Error::Conflict`] instead.
    No,
    /// It does.
    Yes,
}

impl<'a> From<&'a diff::Patch> for Patch<'a> {
    fn from(patch: &'a diff::Patch) -> Self {
        match patch {
            diff::Patch::StrategicMerge(body) => Self::StrategicMerge(body),
            diff::Patch::Merge(body) => Self::Merge(body),
        }
    }
}

impl<'a> Patch<'a> {
    fn media_type(&self) -> &'static str {
        match self {
            Self::StrategicMerge(_) => "application/strategic-merge-patch+json",
            Self::Merge(_) => "application/merge-patch+json",
            Self::Json(_) => "application/json-patch+json",
            Self::Apply(..) => "application/apply-patch+yaml",
        }
    }

    fn body(&self) -> &'a Value {
        match self {
            Self::StrategicMerge(body)
            | Self::Merge(body)
            | Self::Json(body)
            | Self::Apply(body, _) => body,
        }
    }

    fn force(&self) -> &'static str {
        match self {
            Self::Apply(_, Force::Yes) => "true",
            _ => "",
        }
    }

    /// An apply says the same twice, and so does a merge of what is not a list by its items; another
    /// patch is safe if it holds only for one version.
    fn again(&self) -> Again {
        match self {
            Self::Apply(..) | Self::Merge(_) => Again::Always,
            Self::Json(body) => versioned_json(body),
            Self::StrategicMerge(body) if owns_only(body) => Again::Always,
            Self::StrategicMerge(body) => versioned(body),
        }
    }
}

/// Whether a patch adds owners and does nothing else: they are a list by uid.
fn owns_only(body: &Value) -> bool {
    fn only<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        let map = value.as_object()?;
        map.get(name).filter(|_| map.len() == 1)
    }
    let metadata = only(body, "metadata");
    metadata.is_some_and(|metadata| only(metadata, "ownerReferences").is_some())
}

fn versioned(body: &Value) -> Again {
    match body.pointer("/metadata/resourceVersion") {
        Some(Value::String(_)) => Again::Always,
        _ => Again::IfTurnedAway,
    }
}

/// A JSON patch that sets the version which the resource must have.
fn versioned_json(body: &Value) -> Again {
    let mut steps = body.as_array().into_iter().flatten();
    if steps.any(|step| step["path"] == "/metadata/resourceVersion") {
        Again::Always
    } else {
        Again::IfTurnedAway
    }
}

impl Cluster {
    /// Reads one resource, with its managed fields; none if it does not exist or its kind is not
    /// served.
    ///
    /// # Errors
    /// Any other refusal.
    pub async fn get(&self, at: &Address<'_>) -> Result<Option<Value>, Error> {
        let at = self.placed(at);
        let call = Call::get(at.subject("get"), &Uri::new(at.path("get")?))?;
        match self.fetch(&call).await {
            Ok(live) => Ok(Some(live)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the resources of a kind that match a label selector, without their managed fields.
    ///
    /// Without a namespace, those of all namespaces; an empty selector matches everything.
    ///
    /// # Errors
    /// Any refusal; [`Error::NotFound`] if the kind is not served.
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Value>, Error> {
        let uri = Uri::new(path::collection("list", kind, namespace)?);
        let uri = uri.with("labelSelector", selector);
        let subject = path::subject("list", kind, namespace);
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let page = self
                .page(kind, (&subject, &uri, &next), &Wanted::All)
                .await?;
            all.extend(page.items);
            next = page.next;
            if next.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Creates a resource.
    ///
    /// It is sent again like a read, so [`Error::AlreadyExists`] may be about what an earlier try has
    /// created: who cares compares what is there with what was to be. After [`Error::Unreachable`] it
    /// may exist as well.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], and any other refusal.
    pub async fn create(
        &self,
        at: &Address<'_>,
        body: &Value,
        how: Write<'_>,
    ) -> Result<Written, Error> {
        let at = self.placed(at);
        let path = path::collection("create", at.kind, at.namespace)?;
        let call = Call::new(at.subject("create"), Method::POST, &how.on(Uri::new(path)))?
            .body("application/json", body)
            .again(how.again(Again::Always));
        self.write(&call).await
    }

    /// Creates a resource by server-side apply, so that its fields are owned as if it had been applied.
    ///
    /// An apply by itself would take over a resource that has appeared meanwhile; one that names a
    /// version which no resource can have does not. It is sent again as [`create`](Self::create) is.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], and any other refusal.
    pub async fn create_by_apply(
        &self,
        at: &Address<'_>,
        body: &Value,
        how: Write<'_>,
    ) -> Result<Written, Error> {
        let at = self.placed(at);
        let mut body = body.clone();
        body["metadata"]["resourceVersion"] = ABSENT.into();
        let uri = how.on(Uri::new(at.path("create")?));
        let call = Call::new(at.subject("create"), Method::PATCH, &uri)?
            .body(Patch::Apply(&body, Force::No).media_type(), &body)
            .again(how.again(Again::Always));
        match self.write(&call).await {
            Err(Error::Conflict { what, .. }) => Err(Error::AlreadyExists { what }),
            other => other,
        }
    }

    /// Changes a resource.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the patch holds another resource version or takes fields from their
    /// owners; [`Error::NotFound`]; and any other refusal.
    pub async fn patch(
        &self,
        at: &Address<'_>,
        patch: Patch<'_>,
        how: Write<'_>,
    ) -> Result<Written, Error> {
        let at = self.placed(at);
        let uri = how
            .on(Uri::new(at.path("patch")?))
            .with("force", patch.force());
        let call = Call::new(at.subject("patch"), Method::PATCH, &uri)?
            .body(patch.media_type(), patch.body())
            .again(how.again(patch.again()));
        self.write(&call).await
    }

    /// Replaces a resource by a whole body.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the body holds another resource version, and any other refusal.
    pub async fn replace(
        &self,
        at: &Address<'_>,
        body: &Value,
        how: Write<'_>,
    ) -> Result<Written, Error> {
        let at = self.placed(at);
        let uri = how.on(Uri::new(at.path("update")?));
        let call = Call::new(at.subject("update"), Method::PUT, &uri)?
            .body("application/json", body)
            .again(how.again(versioned(body)));
        self.write(&call).await
    }

    /// Deletes a resource. It may exist for a while yet: see [`Cluster::wait_gone`].
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist; [`Error::Conflict`] if the precondition does not
    /// hold; and any other refusal.
    pub async fn delete(&self, at: &Address<'_>, how: Deletion<'_>) -> Result<(), Error> {
        let at = self.placed(at);
        // The body counts; the same in the address is for those who read logs.
        let dry_run = match how.effect {
            Effect::Persist => "",
            Effect::DryRun => "All",
        };
        let uri = Uri::new(at.path("delete")?).with("dryRun", dry_run);
        let call = Call::new(at.subject("delete"), Method::DELETE, &uri)?
            .body("application/json", &how.body());
        self.send(&call).await.map(drop)
    }

    async fn write(&self, call: &Call) -> Result<Written, Error> {
        let Answer { body, warnings } = self.send(call).await?;
        let live: Lean =
            serde_json::from_slice(&body).map_err(|error| call.subject().unreadable(error))?;
        Ok(Written {
            live: live.0,
            warnings,
        })
    }

    /// The address with the namespace that it has in any case.
    fn placed<'a>(&'a self, at: &Address<'a>) -> Address<'a> {
        Address {
            namespace: self.namespace_of(at.kind, at.namespace),
            ..*at
        }
    }

    pub(super) fn namespace_of<'a>(
        &'a self,
        kind: &Kind,
        namespace: Option<&'a str>,
    ) -> Option<&'a str> {
        kind.namespaced
            .then(|| namespace.unwrap_or(&self.namespace))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use kube::client::Body;
    use serde_json::json;

    use super::super::deletion::{Precondition, Propagation};
    use super::super::tests::{answer, mock};
    use super::*;

    fn kind() -> Kind {
        Kind {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
            namespaced: true,
        }
    }

    const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";

    async fn text(request: Request<Body>) -> String {
        let media_type = request.headers().get("content-type").cloned();
        let media_type =
            media_type.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        let body = request.into_body().collect_bytes().await.unwrap();
        format!("{media_type} {}", String::from_utf8(body.to_vec()).unwrap())
    }

    /// A server that answers with the media type and body that it was sent, as a name.
    fn echo() -> (Cluster, super::super::tests::Asked) {
        mock(|request, _| async move {
            let body = json!({"metadata": {"name": text(request).await, "managedFields": []}});
            Ok(answer(200, &body.to_string()))
        })
    }

    #[track_caller]
    fn echoed(written: Result<Written, Error>) -> String {
        let live = written.unwrap().live;
        assert!(live["metadata"].get("managedFields").is_none());
        live["metadata"]["name"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn writes_carry_manager_validation_and_effect() {
        let (cluster, asked) = echo();
        let kind = kind();
        let at = Address {
            kind: &kind,
            namespace: None,
            name: "web",
        };
        let body = json!({"a": 1});
        let strict = Write {
            validation: Validation::Strict,
            ..Write::by("pintle")
        };
        let by = Write::by("helm");
        let sent = [
            echoed(cluster.create(&at, &body, by).await),
            echoed(cluster.replace(&at, &body, strict).await),
            echoed(
                cluster
                    .patch(&at, Patch::StrategicMerge(&body), by.dry_run())
                    .await,
            ),
            echoed(cluster.patch(&at, Patch::Merge(&body), by).await),
            echoed(cluster.patch(&at, Patch::Json(&body), by).await),
            echoed(cluster.patch(&at, Patch::Apply(&body, Force::No), by).await),
            echoed(
                cluster
                    .patch(&at, Patch::Apply(&body, Force::Yes), by)
                    .await,
            ),
        ];
        assert_eq!(
            sent,
            [
                "application/json {\"a\":1}",
                "application/json {\"a\":1}",
                "application/strategic-merge-patch+json {\"a\":1}",
                "application/merge-patch+json {\"a\":1}",
                "application/json-patch+json {\"a\":1}",
                "application/apply-patch+yaml {\"a\":1}",
                "application/apply-patch+yaml {\"a\":1}",
            ]
        );
        let helm = "fieldManager=helm&fieldValidation=Warn";
        assert_eq!(
            *asked.lock().unwrap(),
            [
                format!("POST {PATH}?{helm}"),
                format!("PUT {PATH}/web?fieldManager=pintle&fieldValidation=Strict"),
                format!("PATCH {PATH}/web?{helm}&dryRun=All"),
                format!("PATCH {PATH}/web?{helm}"),
                format!("PATCH {PATH}/web?{helm}"),
                format!("PATCH {PATH}/web?{helm}"),
                format!("PATCH {PATH}/web?{helm}&force=true"),
            ]
        );
    }

    #[tokio::test]
    async fn deletions_carry_their_preconditions() {
        let (cluster, asked) = mock(|request, _| async move {
            let sent = text(request).await;
            let (_, body) = sent.split_once(' ').unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(
                body,
                json!({"apiVersion": "v1", "kind": "DeleteOptions",
                    "propagationPolicy": "Orphan",
                    "preconditions": {"uid": "u", "resourceVersion": "7"}})
            );
            Ok(answer(200, "{}"))
        });
        let kind = kind();
        let at = Address {
            kind: &kind,
            namespace: Some("shop"),
            name: "web",
        };
        let how = Deletion {
            propagation: Propagation::Orphan,
            only_if: Precondition {
                uid: Some("u"),
                resource_version: Some("7"),
            },
            effect: Effect::Persist,
        };
        cluster.delete(&at, how).await.unwrap();
        let plain = Deletion::default().body();
        assert_eq!(plain["propagationPolicy"], "Background");
        assert!(plain.get("preconditions").is_none());
        let nameless = Address { name: "", ..at };
        assert!(cluster.delete(&nameless, how).await.is_err());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn only_harmless_writes_are_sent_again() {
        let (plain, versioned) = (json!({}), json!({"metadata": {"resourceVersion": "7"}}));
        let steps = json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}]);
        let by = Write::by("helm");
        for (patch, how, times) in [
            (Patch::StrategicMerge(&plain), by, 1),
            (Patch::StrategicMerge(&plain), by.dry_run(), 6),
            (Patch::StrategicMerge(&versioned), by, 6),
            (Patch::Merge(&plain), by, 6),
            (Patch::Json(&plain), by, 1),
            (Patch::Json(&steps), by, 6),
            (Patch::Apply(&plain, Force::No), by, 6),
        ] {
            let (cluster, asked) = mock(|_, _| async { Ok(answer(503, "")) });
            let kind = kind();
            let at = Address {
                kind: &kind,
                namespace: None,
                name: "web",
            };
            assert!(cluster.patch(&at, patch, how).await.is_err());
            assert_eq!(asked.lock().unwrap().len(), times, "{patch:?}");
        }
    }

    #[tokio::test]
    async fn an_apply_creates_only_what_is_absent() {
        let (cluster, asked) = mock(|request, number| async move {
            let sent = text(request).await;
            assert_eq!(
                sent,
                "application/apply-patch+yaml \
                 {\"data\":{},\"metadata\":{\"resourceVersion\":\"1\"}}"
            );
            let refusal = json!({"kind": "Status", "status": "Failure", "reason": "Conflict",
                "code": 409, "details": {"name": "web"}});
            Ok(match number {
                1 => answer(201, "{\"metadata\": {}}"),
                _ => answer(409, &refusal.to_string()),
            })
        });
        let kind = kind();
        let at = Address {
            kind: &kind,
            namespace: None,
            name: "web",
        };
        let body = json!({"data": {}});
        let by = Write::by("helm");
        cluster.create_by_apply(&at, &body, by).await.unwrap();
        let error = cluster.create_by_apply(&at, &body, by).await.unwrap_err();
        assert!(error.is_already_exists(), "{error}");
        let sent = format!("PATCH {PATH}/web?fieldManager=helm&fieldValidation=Warn");
        assert_eq!(*asked.lock().unwrap(), [sent.clone(), sent]);
    }
}
