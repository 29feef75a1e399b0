//! Lists of metadata alone.
//!
//! A kind and a label selector come in, names, labels and annotations go out. The bodies stay on
//! the API server, however large they are.

use std::collections::BTreeMap;

use super::body::{Page, each_of, nullable};
use super::call::Call;
use super::path::{self, Uri};
use super::{Cluster, Error, protobuf};
use crate::capabilities::Kind;

/// Asks for the metadata only, in the form that is quickest to write and to read; an API server that cannot
/// cut it out sends whole resources, whose metadata is read all the same.
const FORM: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
                    application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// How often a list that has expired half-way is begun again.
const RESTARTS: usize = 3;
/// How many resources one page holds at most.
pub(super) const PAGE: usize = 500;

/// What is known of a resource without its body.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// The namespace; empty for cluster-scoped kinds.
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    /// What tells it from others of the same name, earlier or later.
    #[serde(deserialize_with = "nullable")]
    pub uid: String,
    /// The version that changes with every write.
    #[serde(deserialize_with = "nullable")]
    pub resource_version: String,
    /// When it was created, in RFC 3339.
    #[serde(deserialize_with = "nullable")]
    pub creation_timestamp: String,
    /// The labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// The annotations.
    #[serde(deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
struct Partial {
    metadata: Metadata,
}

impl Cluster {
    /// Lists the metadata of all resources of a kind that match a label selector, in pages of 500.
    ///
    /// Without a namespace, those of all namespaces; an empty selector matches everything. A list
    /// that expires half-way on the server is begun again.
    ///
    /// # Errors
    /// Any refusal; [`Error::NotFound`] if the kind is not served.
    pub async fn list_metadata(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Metadata>, Error> {
        let of = (kind, namespace);
        self.gather_metadata(of, selector, Vec::push).await
    }

    /// The same, but of each resource only what `add` takes over stays in memory.
    ///
    /// # Errors
    /// Any refusal; [`Error::NotFound`] if the kind is not served.
    pub async fn gather_metadata<T: Default>(
        &self,
        (kind, namespace): (&Kind, Option<&str>),
        selector: &str,
        mut add: impl FnMut(&mut T, Metadata),
    ) -> Result<T, Error> {
        let uri = Uri::new(path::collection("list", kind, namespace)?)
            .with("limit", &PAGE.to_string())
            .with("labelSelector", selector);
        let mut restarts = 0;
        let mut all = T::default();
        let mut next = String::new();
        loop {
            let subject = path::subject("list", kind, namespace);
            let call = Call::get(subject, &uri.clone().with("continue", &next))?.accept(FORM);
            let page = match self
                .metadata_page(&call, &mut |one| add(&mut all, one))
                .await
            {
                Ok(page) => page,
                Err(error) if error.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    all = T::default();
                    next.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            next = page.next;
            if next.is_empty() {
                return Ok(all);
            }
        }
    }

    async fn metadata_page(
        &self,
        call: &Call,
        take: &mut dyn FnMut(Metadata),
    ) -> Result<Page<()>, Error> {
        let answer = self.send(call).await?;
        if protobuf::is_written_in(&answer.body) {
            let page = protobuf::each(&answer.body, take);
            return page.map_err(|error| call.subject().unreadable(error));
        }
        let mut take = |partial: Partial| take(partial.metadata);
        each_of(&answer.body, &mut take).map_err(|error| call.subject().unreadable(error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{answer, mock};
    use super::*;

    fn secret() -> Kind {
        Kind {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            plural: "secrets".to_owned(),
            namespaced: true,
        }
    }

    fn page(name: &str, next: &str) -> String {
        json!({"metadata": {"continue": next}, "items": [
            {"metadata": {"name": name, "labels": {"owner": "helm"}, "annotations": null,
                "creationTimestamp": null, "managedFields": []}}]})
        .to_string()
    }

    fn expired() -> String {
        json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410}).to_string()
    }

    #[tokio::test]
    async fn pages_follow_each_other() {
        let (cluster, asked) = mock(|request, number| async move {
            let form = request.headers()["accept"].to_str().unwrap().to_owned();
            assert!(form.contains("PartialObjectMetadataList"));
            Ok(match number {
                1 => answer(200, &page("a", "token/1")),
                _ => answer(200, &page("b", "")),
            })
        });
        let all = cluster
            .list_metadata(&secret(), Some("shop"), "owner=helm")
            .await;
        let names: Vec<String> = all.unwrap().into_iter().map(|item| item.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "GET /api/v1/namespaces/shop/secrets?limit=500&labelSelector=owner%3Dhelm",
                "GET /api/v1/namespaces/shop/secrets?limit=500&labelSelector=owner%3Dhelm\
                 &continue=token%2F1",
            ]
        );
    }

    #[tokio::test]
    async fn an_expired_list_is_begun_again() {
        let (cluster, asked) = mock(|_, number| async move {
            Ok(match number {
                1 => answer(200, &page("a", "t")),
                2 => answer(410, &expired()),
                3 => answer(200, &page("c", "t")),
                _ => answer(200, &page("d", "")),
            })
        });
        let all = cluster.list_metadata(&secret(), None, "").await.unwrap();
        let names: Vec<&str> = all.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["c", "d"]);
        assert_eq!(asked.lock().unwrap()[2], "GET /api/v1/secrets?limit=500");
    }

    #[tokio::test]
    async fn a_list_that_always_expires_is_an_error() {
        let (cluster, _) = mock(|_, _| async { Ok(answer(410, &expired())) });
        let error = cluster
            .list_metadata(&secret(), None, "")
            .await
            .unwrap_err();
        assert!(error.is_expired());
    }
}
