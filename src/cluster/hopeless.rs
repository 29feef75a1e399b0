//! Finding pods that cannot become ready by themselves, while their workloads are waited for.
//!
//! What is awaited and not ready comes in as it changes; the first workload with a hopeless pod of
//! its newest template goes out. Pods of older templates do not count: the change that is waited
//! for replaces them. Pods are watched only while a workload that has some is not ready, but where pods
//! are waited for themselves, whose watch serves both. Of each only what is needed is kept.

use std::cell::RefCell;
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
pub(super) struct Suspects {
    /// When the change began. What is older has a past.
    since: Timestamp,
    /// By namespace and name.
    pods: BTreeMap<(String, String), Suspect>,
}

/// A hopeless pod of a workload that is not ready.
struct Accused {
    workload: ResourceId,
    pod: String,
    controller: String,
    /// Where its template is the newest one only if its replica set has this revision.
    revision: Option<String>,
}

/// Replica sets that are not of a revision.
type Older = BTreeSet<(String, String)>;

impl Suspects {
    pub(super) fn new(since: Timestamp) -> Self {
        Self {
            since,
            pods: BTreeMap::new(),
        }
    }

    pub(super) fn note(&mut self, scope: &Scope<'_>, change: &Change) {
        let place = scope.namespace.unwrap_or_default();
        match change {
            Change::All(pods) => {
                let names: BTreeSet<&str> = pods.iter().map(name).collect();
                self.pods
                    .retain(|(at, pod), _| at != place || names.contains(pod.as_str()));
                for pod in pods {
                    self.note_one(scope, pod);
                }
            }
            Change::One(pod) => self.note_one(scope, pod),
            Change::Gone(pod) => drop(self.pods.remove(&(place.to_owned(), pod.clone()))),
        }
    }

    /// Takes back what was found out about the pods of a scope, which nobody has watched for a while.
    fn doubt(&mut self, scope: &Scope<'_>) {
        let place = scope.namespace.unwrap_or_default();
        for ((at, _), suspect) in &mut self.pods {
            if at == place {
                suspect.verdict = None;
            }
        }
    }

    /// The hopeless pods that may be of the newest templates of workloads that are not ready.
    fn accused(&self, open: &Open) -> Vec<Accused> {
        let accused = self.pods.values().filter_map(|suspect| {
            let (pod, template) = (suspect.verdict.clone()?, open.get(&suspect.workload)?);
            let revision = match template {
                Template::Only => None,
                Template::Hash(hash) if suspect.hash.as_ref() == Some(hash) => None,
                Template::Hash(_) => return None,
                Template::Revision(revision) => Some(revision.clone()),
            };
            Some(Accused {
                workload: suspect.workload.clone(),
                pod,
                controller: suspect.controller.clone(),
                revision,
            })
        });
        accused.collect()
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
    /// The pods of workloads, as far as they have to be watched by themselves: where pods are wanted of a
    /// namespace anyway, these are watched together with those.
    pub(super) fn pods_of<'a>(
        &'a self,
        wanted: &'a [(ResourceId, Kind)],
        scopes: &mut [Scope<'a>],
    ) -> Vec<Scope<'a>> {
        let mut places: BTreeMap<Option<&str>, Vec<&ResourceId>> = BTreeMap::new();
        for (id, _) in wanted {
            if owner::has_pods(id) {
                let place = self.namespace_of(owner::pods(), id.namespace.as_deref());
                places.entry(place).or_default().push(id);
            }
        }
        let mut others = vec![];
        for (place, workloads) in places {
            let is_here =
                |scope: &&mut Scope<'_>| scope.kind == owner::pods() && scope.namespace == place;
            match scopes.iter_mut().find(is_here) {
                Some(scope) => {
                    scope.makers = [workloads, scope.ids.values().copied().collect()].concat();
                }
                None => others.push(owner::scope(place, workloads)),
            }
        }
        others
    }

    /// Waits until a workload has a pod of its newest template that is hopeless, and tells which
    /// workload and pod. That may never be, and never is for who may not read pods.
    ///
    /// Others may take note of suspects as well, and say so by `open`.
    pub(super) async fn first_hopeless(
        &self,
        (scopes, suspects): (&[Scope<'_>], &RefCell<Suspects>),
        mut open: watch::Receiver<Open>,
    ) -> (ResourceId, String) {
        let mut older = Older::new();
        loop {
            if open.wait_for(|open| !open.is_empty()).await.is_err() {
                return pending().await;
            }
            tokio::time::sleep(GRACE).await;
            let pods = (scopes, suspects);
            if let Some(found) = self.watch_pods(pods, &mut older, &mut open).await {
                return found;
            }
        }
    }

    /// Watches until a hopeless pod is found or all workloads are ready.
    async fn watch_pods(
        &self,
        (scopes, suspects): (&[Scope<'_>], &RefCell<Suspects>),
        older: &mut Older,
        open: &mut watch::Receiver<Open>,
    ) -> Option<(ResourceId, String)> {
        if open.borrow().is_empty() {
            return None;
        }
        let mut changes: Changes<'_> = SelectAll::new();
        for scope in scopes {
            suspects.borrow_mut().doubt(scope);
            let followed = self.follow_all(scope);
            changes.push(Box::pin(followed.map(move |change| (scope, change))));
        }
        loop {
            let now = open.borrow_and_update().clone();
            let accused = suspects.borrow().accused(&now);
            if let Some(found) = self.convict(accused, older).await {
                return Some(found);
            }
            tokio::select! {
                // An error is that they may not be read: nothing can be found there.
                Some((scope, change)) = changes.next() => if let Ok(change) = change {
                    suspects.borrow_mut().note(scope, &change);
                },
                turn = open.changed() => match turn {
                    Ok(()) if !open.borrow().is_empty() => {}
                    _ => return None,
                },
            }
        }
    }

    /// Looks for one that is of the newest template of its workload.
    async fn convict(
        &self,
        accused: Vec<Accused>,
        older: &mut Older,
    ) -> Option<(ResourceId, String)> {
        for one in accused {
            let Some(revision) = &one.revision else {
                return Some((one.workload, one.pod));
            };
            let key = (one.controller.clone(), revision.clone());
            if older.contains(&key) {
                continue;
            }
            match self.has_revision(&one, revision).await {
                Some(true) => return Some((one.workload, one.pod)),
                Some(false) => drop(older.insert(key)),
                None => {}
            }
        }
        None
    }

    /// Whether the replica set of a pod is of a revision; none if that cannot be read.
    async fn has_revision(&self, accused: &Accused, revision: &str) -> Option<bool> {
        let at = Address {
            kind: builtin::kind("apps", "ReplicaSet")?,
            namespace: accused.workload.namespace.as_deref(),
            name: &accused.controller,
        };
        let set = self.get(&at).await.ok()??;
        let found = set.pointer(REVISION).and_then(Value::as_str);
        Some(found == Some(revision))
    }
}

#[cfg(test)]
mod tests;
