//! What the cluster holds of a set of resources, read once.

use std::collections::BTreeMap;

use futures::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::body::{Lean, Wanted};
use super::call::Call;
use super::metadata::PAGE;
use super::path::{Address, Uri};
use super::scope::Scope;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// Up to how many resources of one kind and namespace are read one by one.
const FEW: usize = 4;
/// How many resources are read one by one in the time of one more page of a list.
const WORTH_A_PAGE: usize = 8;

/// Whether resources are read with their managed fields, which are often most of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Managed {
    /// With them.
    Kept,
    /// Without them.
    Dropped,
}

/// How many resources are read one by one in the time of the rest of a list, of so many items.
fn worth(behind: usize) -> usize {
    behind.div_ceil(PAGE).max(1) * WORTH_A_PAGE
}

impl Cluster {
    /// Reads resources as they are now, without their managed fields.
    ///
    /// What does not exist, or is of a kind that the API server does not serve, is left out. More
    /// than 4 resources of one kind and namespace are read as a list, from which other resources
    /// are dropped on arrival; release records of Helm are never read.
    ///
    /// # Errors
    /// Any other refusal; the first one ends the reading.
    pub async fn observe(
        &self,
        wanted: &[(ResourceId, Kind)],
    ) -> Result<BTreeMap<ResourceId, Value>, Error> {
        self.observe_all(wanted, Managed::Dropped).await
    }

    /// The same with managed fields.
    ///
    /// # Errors
    /// As for [`observe`](Self::observe).
    pub async fn observe_managed(
        &self,
        wanted: &[(ResourceId, Kind)],
    ) -> Result<BTreeMap<ResourceId, Value>, Error> {
        self.observe_all(wanted, Managed::Kept).await
    }

    async fn observe_all(
        &self,
        wanted: &[(ResourceId, Kind)],
        managed: Managed,
    ) -> Result<BTreeMap<ResourceId, Value>, Error> {
        let scopes = self.scopes(wanted);
        let mut parts: FuturesUnordered<_> = scopes
            .iter()
            .map(|scope| self.observe_scope(scope, managed))
            .collect();
        let mut all = BTreeMap::new();
        while let Some(part) = parts.next().await {
            let found = part?.into_iter();
            all.extend(found.map(|(id, live)| (id.clone(), live)));
        }
        Ok(all)
    }

    async fn observe_scope<'a>(
        &self,
        scope: &Scope<'a>,
        managed: Managed,
    ) -> Result<Vec<(&'a ResourceId, Value)>, Error> {
        if scope.ids.len() <= FEW {
            let ids = scope.ids.values().copied();
            return self.one_by_one((scope, managed), ids).await;
        }
        let names = scope.names();
        let wanted = match managed {
            Managed::Kept => Wanted::Owned(&names),
            Managed::Dropped => Wanted::Named(&names),
        };
        let mut reading = self.reading(scope, wanted)?;
        loop {
            match reading.turn().await {
                Ok(None) => return Ok(reading.found),
                Ok(Some(behind)) if reading.missing.len() > worth(behind) => {}
                Ok(Some(_)) => break,
                Err(error) if error.is_unserved() => return Ok(Vec::new()),
                // The rest of the list is gone, but not what it listed.
                Err(error) if error.is_expired() => break,
                Err(error) => return Err(error),
            }
        }
        let missing = std::mem::take(&mut reading.missing).into_values();
        let rest = self.one_by_one((scope, managed), missing).await?;
        reading.found.extend(rest);
        Ok(reading.found)
    }

    async fn one_by_one<'a>(
        &self,
        scope: (&Scope<'_>, Managed),
        ids: impl Iterator<Item = &'a ResourceId>,
    ) -> Result<Vec<(&'a ResourceId, Value)>, Error> {
        let reads: FuturesUnordered<_> = ids.map(|id| self.observe_one(scope, id)).collect();
        reads
            .try_filter_map(|read| async { Ok(read) })
            .try_collect()
            .await
    }

    async fn observe_one<'a>(
        &self,
        (scope, managed): (&Scope<'_>, Managed),
        id: &'a ResourceId,
    ) -> Result<Option<(&'a ResourceId, Value)>, Error> {
        let at = Address {
            kind: scope.kind,
            namespace: scope.namespace,
            name: &id.name,
        };
        let call = Call::get(at.subject("get"), &Uri::new(at.path("get")?))?;
        match self.send(&call).await {
            Ok(answer) => {
                let read = match managed {
                    Managed::Kept => serde_json::from_slice(&answer.body),
                    Managed::Dropped => {
                        serde_json::from_slice::<Lean>(&answer.body).map(|live| live.0)
                    }
                };
                let live = read.map_err(|error| call.subject().unreadable(error))?;
                Ok(Some((id, live)))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
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

    fn wanted(number: usize) -> Vec<(ResourceId, Kind)> {
        let id = |index: usize| ResourceId {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: None,
            name: format!("s{index}"),
        };
        (0..number).map(|index| (id(index), secret())).collect()
    }

    fn not_found() -> String {
        json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
            "details": {"name": "s0", "kind": "secrets"}})
        .to_string()
    }

    #[tokio::test]
    async fn a_few_are_read_one_by_one() {
        let (cluster, asked) = mock(|request, _| async move {
            let body = json!({"kind": "Secret", "metadata": {"name": "x", "managedFields": []}});
            Ok(match request.uri().path() {
                "/api/v1/namespaces/default/secrets/s1" => answer(200, &body.to_string()),
                _ => answer(404, &not_found()),
            })
        });
        let wanted = wanted(4);
        let all = cluster.observe(&wanted).await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), 4);
        assert_eq!(all.keys().collect::<Vec<_>>(), [&wanted[1].0]);
        assert_eq!(
            all[&wanted[1].0],
            json!({"kind": "Secret", "metadata": {"name": "x"}})
        );
    }

    #[tokio::test]
    async fn many_are_listed_without_release_records() {
        let (cluster, asked) = mock(|_, _| async {
            let list = json!({"metadata": {}, "items": [
                {"metadata": {"name": "s4"}}, {"metadata": {"name": "other"}}]});
            Ok(answer(200, &list.to_string()))
        });
        let wanted = wanted(5);
        let all = cluster.observe(&wanted).await.unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), [&wanted[4].0]);
        assert_eq!(
            *asked.lock().unwrap(),
            ["GET /api/v1/namespaces/default/secrets\
              ?fieldSelector=type%21%3Dhelm.sh%2Frelease.v1&limit=500"]
        );
    }

    #[tokio::test]
    async fn the_rest_of_a_long_list_is_read_one_by_one() {
        let (cluster, asked) = mock(|request, number| async move {
            let list =
                json!({"metadata": {"continue": "t"}, "items": [{"metadata": {"name": "s0"}}]});
            let one = json!({"metadata": {"name": "s3"}});
            Ok(match (number, request.uri().path()) {
                (1, _) => answer(200, &list.to_string()),
                (_, "/api/v1/namespaces/default/secrets/s3") => answer(200, &one.to_string()),
                _ => answer(404, &not_found()),
            })
        });
        let wanted = wanted(5);
        let all = cluster.observe(&wanted).await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), 5);
        assert_eq!(all.keys().collect::<Vec<_>>(), [&wanted[0].0, &wanted[3].0]);
    }

    #[tokio::test]
    async fn many_more_are_worth_another_page() {
        for (remaining, requests) in [(0, 2), (500, 2), (501, 1 + 15)] {
            let (cluster, asked) = mock(move |request, number| async move {
                let first = json!({"metadata": {"continue": "t", "remainingItemCount": remaining},
                    "items": [{"metadata": {"name": "s0"}}]});
                Ok(match (number, request.uri().path().ends_with("/secrets")) {
                    (1, _) => answer(200, &first.to_string()),
                    (_, true) => answer(200, "{\"items\": []}"),
                    _ => answer(404, &not_found()),
                })
            });
            assert_eq!(cluster.observe(&wanted(16)).await.unwrap().len(), 1);
            assert_eq!(asked.lock().unwrap().len(), requests, "{remaining}");
        }
    }

    #[tokio::test]
    async fn a_kind_that_is_not_served_is_absent() {
        for number in [2, 6] {
            let (cluster, _) = mock(|_, _| async { Ok(answer(404, "404 page not found\n")) });
            assert!(cluster.observe(&wanted(number)).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn other_refusals_are_errors() {
        for number in [2, 6] {
            let (cluster, _) = mock(|_, _| async { Ok(answer(403, "")) });
            assert!(
                cluster
                    .observe(&wanted(number))
                    .await
                    .unwrap_err()
                    .is_forbidden()
            );
        }
    }
}
