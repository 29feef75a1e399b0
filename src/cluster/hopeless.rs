//! Finding pods that cannot become ready by themselves, while their workloads are waited for.
//!
//! What is awaited and not ready comes in as it changes; the first workload with a hopeless pod of
//! its newest template goes out. Pods of older templates do not count: the change that is waited
//! for replaces them. Pods are watched only while a workload that has some is not ready, and of
//! each only what is needed is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::owner::{self, controller, has_made, label};
use super::path::Address;
use super::scope::{Scope, name};
use super::watch::Change;
use super::{Cluster, Error};
use crate::builtin;
use crate::capabilities::Kind;
use crate::health::{self, Past, REVISION, Template};
use crate::manifest::ResourceId;

/// How long workloads may take before anybody looks at their pods: most need no longer.
const GRACE: Duration = Duration::from_millis(500);

/// Workloads that are not ready, and how the pods of their newest templates are known.
pub(super) type Open = BTreeMap<ResourceId, Template>;

/// What is kept of a pod.
struct Suspect {
    uid: String,
    workload: ResourceId,
    /// The name of what controls it: a replica set, or the workload itself.
    controller: String,
    hash: Option<String>,
    past: Past,
    /// Why it is hopeless, if it is.
    verdict: Option<String>,
}

type Changes<'a> =
    SelectAll<Pin<Box<dyn Stream<Item = (&'a Scope<'a>, Result<Change, Error>)> + 'a>>>;

/// The pods of the workloads of one wait.
struct Suspects<'a> {
    wanted: &'a [(ResourceId, Kind)],
    /// When the change began. What is older has a past.
    since: Timestamp,
    /// By namespace and name.
    pods: BTreeMap<(String, String), Suspect>,
    /// Replica sets that are not of a revision.
    older: BTreeSet<(String, String)>,
}

impl Suspects<'_> {
    fn note(&mut self, scope: &Scope<'_>, change: Change) {
        let place = scope.namespace.unwrap_or_default();
        match change {
            Change::All(pods) => {
                let names: BTreeSet<&str> = pods.iter().map(name).collect();
                self.pods
                    .retain(|(at, pod), _| at != place || names.contains(pod.as_str()));
                for pod in &pods {
                    self.note_one(scope, pod);
                }
            }
            Change::One(pod) => self.note_one(scope, &pod),
            Change::Gone(pod) => drop(self.pods.remove(&(place.to_owned(), pod))),
        }
    }

    fn note_one(&mut self, scope: &Scope<'_>, pod: &Value) {
        let place = scope.namespace.unwrap_or_default();
        let key = (place.to_owned(), name(pod).to_owned());
        let Some(metadata) = owner::metadata(pod) else {
            return;
        };
        let made = |id: &&&ResourceId| has_made(id, metadata);
        let (Some(workload), Some((_, maker))) =
            (scope.makers.iter().find(made), controller(metadata))
        else {
            // Another pod of this name, which is of somebody else.
            self.pods.remove(&key);
            return;
        };
        let hash = label(metadata, "controller-revision-hash").map(str::to_owned);
        let uid = metadata.get("uid").and_then(Value::as_str);
        let uid = uid.unwrap_or_default().to_owned();
        // A StatefulSet gives the name of a pod to the next one.
        let is_same = |known: &Suspect| known.uid == uid;
        let past = match self.pods.remove(&key).filter(is_same) {
            Some(known) => known.past,
            None if is_older(pod, self.since) => Past::of(pod),
            None => Past::default(),
        };
        let mut suspect = Suspect {
            uid,
            workload: (**workload).clone(),
            controller: maker.to_owned(),
            hash,
            past,
            verdict: None,
        };
        suspect.past.forget(pod);
        suspect.verdict = health::hopeless(pod, &suspect.past).map(|_| name(pod).to_owned());
        self.pods.insert(key, suspect);
    }
}

/// Whether a pod was made before a time, by the clock of the API server. One that does not say is
/// taken for older, which at worst makes a wait longer.
fn is_older(pod: &Value, time: Timestamp) -> bool {
    let made = pod.pointer("/metadata/creationTimestamp");
    let made = made.and_then(Value::as_str).map(str::parse::<Timestamp>);
    // Times of creation are in whole seconds, rounded down.
    !matches!(made, Some(Ok(made)) if made.as_second() >= time.as_second())
}

impl Cluster {
    /// Waits until a workload has a pod of its newest template that is hopeless, and tells which
    /// workload and pod. That may never be, and never is for who may not read pods.
    pub(super) async fn first_hopeless(
        &self,
        (wanted, since): (&[(ResourceId, Kind)], Timestamp),
        mut open: watch::Receiver<Open>,
    ) -> (ResourceId, String) {
        let mut suspects = Suspects {
            wanted,
            since,
            pods: BTreeMap::new(),
            older: BTreeSet::new(),
        };
        loop {
            if open.wait_for(|open| !open.is_empty()).await.is_err() {
                return pending().await;
            }
            tokio::time::sleep(GRACE).await;
            if let Some(found) = self.watch_pods(&mut suspects, &mut open).await {
                return found;
            }
        }
    }

    /// Watches until a hopeless pod is found or all workloads are ready.
    async fn watch_pods(
        &self,
        suspects: &mut Suspects<'_>,
        open: &mut watch::Receiver<Open>,
    ) -> Option<(ResourceId, String)> {
        if open.borrow().is_empty() {
            return None;
        }
        let mut places: BTreeMap<Option<&str>, Vec<&ResourceId>> = BTreeMap::new();
        for (id, _) in suspects.wanted {
            if owner::has_pods(id) {
                let place = self.namespace_of(owner::pods(), id.namespace.as_deref());
                places.entry(place).or_default().push(id);
            }
        }
        let scopes = places.into_iter();
        let scopes: Vec<Scope<'_>> = scopes
            .map(|(place, ids)| owner::scope(place, ids))
            .collect();
        let mut changes: Changes<'_> = SelectAll::new();
        for scope in &scopes {
            let followed = self.follow_all(scope);
            changes.push(Box::pin(followed.map(move |change| (scope, change))));
        }
        loop {
            tokio::select! {
                Some((scope, change)) = changes.next() => match change {
                    Ok(change) => suspects.note(scope, change),
                    // Not to be read: nothing can be found here.
                    Err(_) => continue,
                },
                turn = open.changed() => match turn {
                    Ok(()) if !open.borrow().is_empty() => {}
                    _ => return None,
                },
            }
            let now = open.borrow_and_update().clone();
            if let Some(found) = self.convict(suspects, &now).await {
                return Some(found);
            }
        }
    }

    /// Looks for a hopeless pod of the newest template of a workload that is not ready.
    async fn convict(
        &self,
        suspects: &mut Suspects<'_>,
        open: &Open,
    ) -> Option<(ResourceId, String)> {
        let Suspects { pods, older, .. } = suspects;
        for suspect in pods.values() {
            let (Some(pod), Some(template)) = (&suspect.verdict, open.get(&suspect.workload))
            else {
                continue;
            };
            let is_newest = match template {
                Template::Only => true,
                Template::Hash(hash) => suspect.hash.as_ref() == Some(hash),
                Template::Revision(revision) => {
                    let key = (suspect.controller.clone(), revision.clone());
                    if older.contains(&key) {
                        continue;
                    }
                    let is_newest = self.has_revision(suspect, revision).await;
                    if is_newest == Some(false) {
                        older.insert(key);
                    }
                    is_newest.unwrap_or(false)
                }
            };
            if is_newest {
                return Some((suspect.workload.clone(), pod.clone()));
            }
        }
        None
    }

    /// Whether the replica set of a pod is of a revision; none if that cannot be read.
    async fn has_revision(&self, suspect: &Suspect, revision: &str) -> Option<bool> {
        let at = Address {
            kind: builtin::kind("apps", "ReplicaSet")?,
            namespace: suspect.workload.namespace.as_deref(),
            name: &suspect.controller,
        };
        let set = self.get(&at).await.ok()??;
        let found = set.pointer(REVISION).and_then(Value::as_str);
        Some(found == Some(revision))
    }
}

#[cfg(test)]
mod tests;
