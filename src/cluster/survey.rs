//! Lists of whole resources: with their managed fields, or a few at a time.
//!
//! What is read here is compared or taken apart as a whole, so that there is one list per kind and
//! namespace, however few resources of it are wanted.

use std::collections::BTreeMap;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::body::{self, Wanted};
use super::call::Call;
use super::path::{self, Uri};
use super::scope::Scope;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// How often a list that has expired half-way is begun again.
const RESTARTS: usize = 3;

impl Cluster {
    /// Reads resources as they are now, with their managed fields, by one list per kind and namespace.
    ///
    /// What does not exist, or is of a kind that the API server does not serve, is left out; other
    /// resources are dropped on arrival.
    ///
    /// # Errors
    /// Any other refusal; the first one ends the reading.
    pub async fn survey(
        &self,
        wanted: &[(ResourceId, Kind)],
    ) -> Result<BTreeMap<ResourceId, Value>, Error> {
        let scopes = self.scopes(wanted);
        let lists = scopes.iter().map(|scope| self.survey_scope(scope));
        let mut lists: FuturesUnordered<_> = lists.collect();
        let mut all = BTreeMap::new();
        while let Some(list) = lists.next().await {
            let found = list?.into_iter();
            all.extend(found.map(|(id, live)| (id.clone(), live)));
        }
        Ok(all)
    }

    async fn survey_scope<'a>(
        &self,
        scope: &Scope<'a>,
    ) -> Result<Vec<(&'a ResourceId, Value)>, Error> {
        let names = scope.names();
        let mut reading = self.reading(scope, Wanted::Owned(&names))?;
        let mut restarts = 0;
        loop {
            match reading.turn().await {
                Ok(None) => return Ok(reading.found),
                Ok(Some(_)) => {}
                Err(error) if error.is_unserved() => return Ok(Vec::new()),
                Err(error) if error.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    reading.restart();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the resources of a kind that match a label selector, at most `size` at a time, and hands
    /// each to `take`, so that no more of them than that are in memory.
    ///
    /// Without a namespace, those of all namespaces. After a list that expired half-way, resources
    /// come again.
    ///
    /// # Errors
    /// Any refusal; [`Error::NotFound`] if the kind is not served.
    pub async fn list_each(
        &self,
        (kind, namespace): (&Kind, Option<&str>),
        (selector, size): (&str, usize),
        mut take: impl FnMut(Value),
    ) -> Result<(), Error> {
        let uri = Uri::new(path::collection("list", kind, namespace)?)
            .with("limit", &size.to_string())
            .with("labelSelector", selector);
        let mut restarts = 0;
        let mut next = String::new();
        loop {
            let subject = path::subject("list", kind, namespace);
            let call = Call::get(subject, &uri.clone().with("continue", &next))?;
            let answer = match self.send(&call).await {
                Ok(answer) => answer,
                Err(error) if error.is_expired() && restarts < RESTARTS => {
                    restarts += 1;
                    next.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            let page = body::page(&answer.body, kind, &Wanted::All);
            let page = page.map_err(|error| call.subject().unreadable(error))?;
            page.items.into_iter().for_each(&mut take);
            next = page.next;
            if next.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scope::name;
    use super::super::tests::{answer, mock};
    use super::*;

    fn map() -> Kind {
        Kind::core("ConfigMap", "configmaps")
    }

    fn wanted(names: &[&str]) -> Vec<(ResourceId, Kind)> {
        let id = |name: &&str| ResourceId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: (*name).to_owned(),
        };
        names.iter().map(|name| (id(name), map())).collect()
    }

    fn page(names: &[&str], next: &str) -> String {
        let item = |name: &&str| json!({"metadata": {"name": name, "managedFields": [{"manager": "helm"}]}});
        let items: Vec<Value> = names.iter().map(item).collect();
        json!({"metadata": {"continue": next}, "items": items}).to_string()
    }

    fn expired() -> String {
        json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410}).to_string()
    }

    #[tokio::test]
    async fn few_resources_are_one_list_with_managed_fields() {
        let (cluster, asked) =
            mock(|_, _| async { Ok(answer(200, &page(&["a", "other", "b"], ""))) });
        let wanted = wanted(&["a", "b", "c"]);
        let found = cluster.survey(&wanted).await.unwrap();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            [&wanted[0].0, &wanted[1].0]
        );
        let live = &found[&wanted[0].0];
        assert_eq!(
            live["metadata"]["managedFields"],
            json!([{"manager": "helm"}])
        );
        assert_eq!(
            *asked.lock().unwrap(),
            ["GET /api/v1/namespaces/shop/configmaps?limit=500"]
        );
    }

    #[tokio::test]
    async fn one_resource_is_listed_by_its_name_and_an_absent_kind_has_none() {
        let (cluster, asked) = mock(|_, _| async { Ok(answer(404, "404 page not found\n")) });
        let found = cluster.survey(&wanted(&["a"])).await.unwrap();
        assert!(found.is_empty());
        assert_eq!(
            *asked.lock().unwrap(),
            ["GET /api/v1/namespaces/shop/configmaps?fieldSelector=metadata.name%3Da&limit=500"]
        );
    }

    #[tokio::test]
    async fn an_expired_list_is_begun_again_and_a_refused_one_is_an_error() {
        let (cluster, _) = mock(|_, number| async move {
            Ok(match number {
                1 | 3 => answer(200, &page(&["a"], "t")),
                2 => answer(410, &expired()),
                _ => answer(200, &page(&["b"], "")),
            })
        });
        let found = cluster.survey(&wanted(&["a", "b"])).await.unwrap();
        assert_eq!(found.len(), 2);
        let (cluster, _) = mock(|_, _| async { Ok(answer(403, "")) });
        let refused = cluster.survey(&wanted(&["a"])).await.unwrap_err();
        assert!(refused.is_forbidden());
    }

    #[tokio::test]
    async fn pages_are_as_small_as_is_asked() {
        let (cluster, asked) = mock(|_, number| async move {
            Ok(match number {
                1 => answer(200, &page(&["a"], "t")),
                _ => answer(200, &page(&["b"], "")),
            })
        });
        let mut names = vec![];
        let take = |item: Value| names.push(name(&item).to_owned());
        let kind = map();
        let listed = cluster.list_each((&kind, None), ("a=b", 1), take);
        listed.await.unwrap();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "GET /api/v1/configmaps?limit=1&labelSelector=a%3Db",
                "GET /api/v1/configmaps?limit=1&labelSelector=a%3Db&continue=t",
            ]
        );
    }
}
