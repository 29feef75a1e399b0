//! Waiting for pods that are ending and that the status of their workload does not count.
//!
//! Their end changes nothing else that could be watched, so that they are listed once and watched themselves,
//! as far as the selector of their workload goes.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use serde_json::Value;

use super::{Change, Cluster, Error, Ready, ResourceId, name};
use crate::cluster::owner;
use crate::cluster::scope::Scope;
use crate::health::Health;

type Changes<'a> =
    SelectAll<Pin<Box<dyn Stream<Item = (&'a ResourceId, Result<Change, Error>)> + 'a>>>;

/// The names of the pods of one workload that are ending.
#[derive(Default)]
struct Ending(BTreeSet<String>);

impl Ending {
    fn note(&mut self, change: Change) {
        match change {
            Change::All(pods) => {
                self.0.clear();
                for pod in &pods {
                    self.note_one(pod);
                }
            }
            Change::One(pod) => self.note_one(&pod),
            Change::Gone(pod) => drop(self.0.remove(&pod)),
        }
    }

    fn note_one(&mut self, pod: &Value) {
        if pod.pointer("/metadata/deletionTimestamp").is_some() {
            self.0.insert(name(pod).to_owned());
        } else {
            // A StatefulSet gives the name of a pod to the next one.
            self.0.remove(name(pod));
        }
    }

    /// How far the workload is.
    fn health(&self) -> Health {
        match self.0.len() {
            0 => Health::Ready,
            number => Health::InProgress(format!("pods still ending: {number}")),
        }
    }
}

impl Cluster {
    /// Waits until no workload that is ready otherwise has a pod that is ending and that its status does not
    /// count.
    pub(super) async fn outlast(&self, goal: &mut Ready<'_>) -> Result<(), Error> {
        if goal.states.values().any(Health::is_failed) {
            return Ok(());
        }
        let mut open = std::mem::take(&mut goal.uncounted);
        open.retain(|id, _| goal.states.get(id).is_some_and(Health::is_ready));
        let scopes = open.iter().map(|(id, selector)| {
            let place = self.namespace_of(owner::pods(), id.namespace.as_deref());
            (id, owner::selected(place, selector))
        });
        let scopes: Vec<(&ResourceId, Scope<'_>)> = scopes.collect();
        let mut changes: Changes<'_> = SelectAll::new();
        for (id, scope) in &scopes {
            let followed = self.follow_all(scope);
            changes.push(Box::pin(followed.map(move |change| (*id, change))));
        }
        let mut left: BTreeMap<&ResourceId, Ending> =
            open.keys().map(|id| (id, Ending::default())).collect();
        while !left.is_empty() {
            let Some((id, change)) = changes.next().await else {
                return Ok(());
            };
            let Some(ending) = left.get_mut(id) else {
                continue;
            };
            ending.note(change?);
            let health = ending.health();
            if health.is_ready() {
                left.remove(id);
            }
            goal.tell(id, health);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::cluster::Wait;
    use crate::cluster::tests::{answer, mock};
    use crate::health::Condition;

    #[test]
    fn a_pod_counts_from_its_deletion_to_its_end() {
        let pod = |name: &str, is_ending: bool| {
            let since = is_ending.then_some("2026-11-21T10:00:00Z");
            let mut pod = json!({"metadata": {"name": name}});
            if let Some(since) = since {
                pod["metadata"]["deletionTimestamp"] = since.into();
            }
            pod
        };
        let mut ending = Ending::default();
        let mut check = |change: Change, expected: &str| {
            ending.note(change);
            assert_eq!(ending.health().reason().unwrap_or("ready"), expected);
        };
        let all = vec![pod("a", true), pod("b", true), pod("c", false)];
        check(Change::All(all), "pods still ending: 2");
        check(Change::One(pod("c", true)), "pods still ending: 3");
        check(Change::Gone("a".to_owned()), "pods still ending: 2");
        // Another one of that name.
        check(Change::One(pod("b", false)), "pods still ending: 1");
        check(Change::All(vec![pod("b", false)]), "ready");
    }

    #[tokio::test(start_paused = true)]
    async fn ending_pods_that_no_status_counts_are_waited_for() {
        let (cluster, asked) = mock(|request, _| async move {
            let is_watch = request
                .uri()
                .query()
                .is_some_and(|query| query.contains("watch=true"));
            let ending = json!({"metadata": {"name": "a", "resourceVersion": "11",
                "deletionTimestamp": "2026-11-21T10:00:00Z"}});
            let items = match (request.uri().path().ends_with("/pods"), is_watch) {
                (true, true) => {
                    let gone = json!({"type": "DELETED", "object": ending});
                    return Ok(answer(200, &format!("{gone}\n")));
                }
                (true, false) => json!([ending, {"metadata": {"name": "b"}}]),
                _ => {
                    json!([{"metadata": {"name": "web", "annotations": {"pintle.dev/ready": "no-old-pods"}},
                    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}},
                    "status": {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                        "availableReplicas": 1}}])
                }
            };
            let list = json!({"metadata": {"resourceVersion": "10"}, "items": items});
            Ok(answer(200, &list.to_string()))
        });
        let kind = crate::builtin::kind("apps", "Deployment").unwrap().clone();
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        };
        let mut told = Vec::new();
        let wait = Wait {
            wanted: &[(id, kind)],
            until: Condition::Ready,
            deadline: Duration::from_mins(1),
            since: Timestamp::UNIX_EPOCH,
        };
        let mut on = |_: &ResourceId, health: &Health| told.push(health.clone());
        cluster.wait_for(wait, &mut on).await.unwrap();
        let ending = Health::InProgress("pods still ending: 1".to_owned());
        assert_eq!(told, [Health::Ready, ending, Health::Ready]);
        let asked = asked.lock().unwrap();
        let pods = "GET /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb";
        let [_, list, watch] = &asked[..] else {
            panic!("{asked:?}");
        };
        assert_eq!(*list, format!("{pods}&limit=500"));
        assert!(watch.starts_with(&format!("{pods}&watch=true&")), "{watch}");
        assert!(watch.ends_with("&resourceVersion=10"), "{watch}");
    }
}
