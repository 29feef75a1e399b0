//! Waiting for pods that are ending and that the status of their workload does not count.
//!
//! Their end changes nothing else that could be watched, so that they are listed once and watched themselves,
//! once for each namespace: as far as the selector goes where that is of one workload, or else by their makers.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use serde_json::Value;

use super::{Change, Cluster, Error, Ready, ResourceId, name};
use crate::cluster::owner;
use crate::cluster::scope::Scope;
use crate::health::Health;

type Changes<'a> =
    SelectAll<Pin<Box<dyn Stream<Item = (&'a [&'a ResourceId], Result<Change, Error>)> + 'a>>>;

/// The names of the pods of one workload that are ending.
#[derive(Default)]
struct Ending(BTreeSet<String>);

impl Ending {
    /// Takes note of pods, of which those count that `is_own` says.
    fn note(&mut self, change: &Change, is_own: &dyn Fn(&Value) -> bool) {
        match change {
            Change::All(pods) => {
                self.0.clear();
                for pod in pods {
                    self.note_one(pod, is_own);
                }
            }
            Change::One(pod) => self.note_one(pod, is_own),
            Change::Gone(pod) => drop(self.0.remove(pod)),
        }
    }

    fn note_one(&mut self, pod: &Value, is_own: &dyn Fn(&Value) -> bool) {
        if is_own(pod) && pod.pointer("/metadata/deletionTimestamp").is_some() {
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
        let mut places: BTreeMap<Option<&str>, Vec<&ResourceId>> = BTreeMap::new();
        for id in open.keys() {
            let place = self.namespace_of(owner::pods(), id.namespace.as_deref());
            places.entry(place).or_default().push(id);
        }
        let scopes = places.into_iter().map(|(place, ids)| match ids[..] {
            [id] => (owner::selected(place, &open[id]), ids),
            _ => (owner::scope(place, ids.clone()), ids),
        });
        let scopes: Vec<(Scope<'_>, Vec<&ResourceId>)> = scopes.collect();
        let mut changes: Changes<'_> = SelectAll::new();
        for (scope, ids) in &scopes {
            let followed = self.follow_all(scope);
            changes.push(Box::pin(followed.map(move |change| (&ids[..], change))));
        }
        let mut left: BTreeMap<&ResourceId, Ending> =
            open.keys().map(|id| (id, Ending::default())).collect();
        while !left.is_empty() {
            let Some((ids, change)) = changes.next().await else {
                return Ok(());
            };
            let change = change?;
            for &id in ids {
                let Some(ending) = left.get_mut(id) else {
                    continue;
                };
                let has_made =
                    |pod: &Value| owner::metadata(pod).is_some_and(|pod| owner::has_made(id, pod));
                ending.note(&change, &|pod| ids.len() == 1 || has_made(pod));
                let health = ending.health();
                if health.is_ready() {
                    left.remove(id);
                }
                goal.tell(id, health);
            }
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
            ending.note(&change, &|_| true);
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

    /// A workload of one pod whose status does not count those that are ending.
    fn workload(name: &str) -> Value {
        json!({"metadata": {"name": name, "annotations": {"pintle.dev/ready": "no-old-pods"}},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}},
            "status": {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                "availableReplicas": 1}})
    }

    /// A pod of a workload that is ending.
    fn ending(workload: &str) -> Value {
        let set = json!({"kind": "ReplicaSet", "name": format!("{workload}-5d8")});
        json!({"metadata": {"name": format!("{workload}-5d8-x"), "resourceVersion": "11",
            "labels": {"pod-template-hash": "5d8"}, "ownerReferences": [set],
            "deletionTimestamp": "2026-11-21T10:00:00Z"}})
    }

    #[tokio::test(start_paused = true)]
    async fn workloads_of_a_namespace_have_one_watch_of_their_ending_pods() {
        let (cluster, asked) = mock(|request, _| async move {
            let query = request.uri().query().unwrap_or_default();
            let items = match request.uri().path().ends_with("/pods") {
                true if query.contains("watch=true") => {
                    let gone = ["api", "web"].map(|name| {
                        let event = json!({"type": "DELETED", "object": ending(name)});
                        format!("{event}\n")
                    });
                    return Ok(answer(200, &gone.concat()));
                }
                true => json!([ending("api"), ending("web"), ending("other")]),
                false => json!([workload("api"), workload("web")]),
            };
            let list = json!({"metadata": {"resourceVersion": "10"}, "items": items});
            Ok(answer(200, &list.to_string()))
        });
        let kind = crate::builtin::kind("apps", "Deployment").unwrap();
        let wanted = ["api", "web"].map(|name| {
            let id = ResourceId {
                group: "apps".to_owned(),
                kind: "Deployment".to_owned(),
                namespace: Some("shop".to_owned()),
                name: name.to_owned(),
            };
            (id, kind.clone())
        });
        let wait = Wait {
            wanted: &wanted,
            until: Condition::Ready,
            deadline: Duration::from_mins(1),
            since: Timestamp::UNIX_EPOCH,
        };
        let mut told = Vec::new();
        let mut on = |id: &ResourceId, health: &Health| {
            let health = health.reason().unwrap_or("ready");
            told.push(format!("{}: {health}", id.name));
        };
        cluster.wait_for(wait, &mut on).await.unwrap();
        let ending = ["api: pods still ending: 1", "web: pods still ending: 1"];
        assert_eq!(told[2..4], ending);
        assert_eq!(told[4..], ["api: ready", "web: ready"]);
        let asked = asked.lock().unwrap();
        let pods = "GET /api/v1/namespaces/shop/pods?";
        let of_pods: Vec<_> = asked.iter().filter(|line| line.starts_with(pods)).collect();
        let [list, watch] = &of_pods[..] else {
            panic!("{asked:#?}");
        };
        assert_eq!(**list, format!("{pods}limit=500"));
        assert!(watch.contains("watch=true"), "{watch}");
    }
}
