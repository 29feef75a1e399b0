//! Waiting until resources are ready, or gone.
//!
//! Each scope is listed once, and watched from there on if anything is still missing, so that a
//! wait for what is ready already costs one list per scope and nobody polls.

mod finished;
mod follow;
mod goal;
mod gone;
mod outlast;
mod until;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::try_join_all;
use futures::stream::{SelectAll, StreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

pub(super) use finished::Finished;
use goal::{Goal, take};

use super::diagnosis::Depth;
use super::error::Unready;
use super::hopeless::{Open, Suspects};
use super::pause::Backoff;
use super::scope::{Scope, name};
use super::watch::Change;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::health::{self, Condition, Health};
use crate::manifest::ResourceId;

/// However little time is left, the resources are looked at once for as long as this.
const GLANCE: Duration = Duration::from_secs(2);

/// Resources, what they have to be, and for how long that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Wait<'a> {
    /// The resources.
    pub wanted: &'a [(ResourceId, Kind)],
    /// What each of them has to be.
    pub until: Condition,
    /// How long it may take.
    pub deadline: Duration,
    /// When the change began that is waited for. What pods had come to before does not end the wait,
    /// because what they lacked may be there by now.
    pub since: Timestamp,
}

struct Ready<'a> {
    until: Condition,
    states: BTreeMap<ResourceId, Health>,
    /// The selectors of pods that somebody has to look at, by their workload.
    uncounted: BTreeMap<ResourceId, String>,
    /// What was seen first of each resource about a deadline that it has exceeded.
    exceeded: BTreeMap<ResourceId, Option<Value>>,
    finished: &'a Mutex<Finished>,
    /// The workloads whose pods may end the wait.
    open: watch::Sender<Open>,
    /// What is known of their pods.
    suspects: &'a RefCell<Suspects>,
    on: &'a mut dyn FnMut(&ResourceId, &Health),
}

impl Ready<'_> {
    /// Takes a failure for progress as long as it is the one that was seen first: after a change the
    /// status goes on saying for a while that an earlier one has exceeded its deadline.
    fn credible(&mut self, id: &ResourceId, live: &Value) -> Health {
        let now = health::exceeded_deadline(live);
        let first = self.exceeded.entry(id.clone());
        let first = first.or_insert_with(|| now.cloned());
        match health::until(live, self.until) {
            Health::Failed(reason) if now.is_some() && first.as_ref() == now => {
                Health::InProgress(reason)
            }
            health => health,
        }
    }

    /// Keeps in mind whether pods of a workload may end the wait. They may not where only the end of
    /// old pods is waited for: new ones that crash must not bar the way out of a broken state.
    fn open(&self, id: &ResourceId, live: Option<&Value>) {
        let is_open = self.until != Condition::NoOldPods
            && matches!(self.states.get(id), Some(Health::InProgress(_)));
        let template = live.filter(|_| is_open).and_then(health::newest_template);
        self.open.send_if_modified(|open| match template {
            Some(template) => open.insert(id.clone(), template.clone()) != Some(template),
            None => open.remove(id).is_some(),
        });
    }

    /// Takes note of a pod that keeps a workload from ever being ready.
    fn give_up(&mut self, id: &ResourceId, pod: &str) {
        let missing = self.states.get(id).and_then(Health::reason);
        let reason = format!(
            "{}: pod {pod} does not recover by itself",
            missing.unwrap_or("not ready")
        );
        self.tell(id, Health::Failed(reason));
    }

    /// Takes note of a health, and tells of it if it is another one.
    fn tell(&mut self, id: &ResourceId, health: Health) {
        if self.states.get(id) != Some(&health) {
            (self.on)(id, &health);
            self.states.insert(id.clone(), health);
        }
    }

    fn unready(&self) -> impl Iterator<Item = (&ResourceId, &Health)> {
        self.states.iter().filter(|(_, health)| !health.is_ready())
    }
}

impl Goal for Ready<'_> {
    fn note(&mut self, id: &ResourceId, live: Option<&Value>) {
        let has_finished = finished::note(self.finished, id, live);
        let health = match live {
            _ if has_finished => Health::Ready,
            Some(live) => self.credible(id, live),
            None => Health::InProgress("missing".to_owned()),
        };
        match live.and_then(|live| health::uncounted_pods(live, self.until)) {
            Some(selector) => self.uncounted.insert(id.clone(), selector),
            None => self.uncounted.remove(id),
        };
        self.tell(id, health);
        self.open(id, live);
    }

    fn is_decided(&self) -> bool {
        self.unready().next().is_none() || self.states.values().any(Health::is_failed)
    }

    /// What is ready without a status cannot become unready but by being deleted.
    fn is_settled(&self, scope: &Scope<'_>, live: &[Value]) -> bool {
        let is_ready = |id: &&ResourceId| self.states.get(*id).is_some_and(Health::is_ready);
        scope.makers.is_empty()
            && live.len() == scope.ids.len()
            && live.iter().all(|body| body.get("status").is_none())
            && scope.ids.values().all(is_ready)
    }

    fn look(&mut self, scope: &Scope<'_>, change: &Change) {
        if !scope.makers.is_empty() {
            self.suspects.borrow_mut().note(scope, change);
            // Whoever judges them looks again.
            self.open.send_modify(|_| ());
        }
    }
}

fn text<'a>(live: &'a Value, pointer: &str) -> &'a str {
    live.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Cluster {
    /// Waits until all resources are what is wanted, and tells of every change of health, the
    /// first one included.
    ///
    /// A resource that does not exist, or is deleted meanwhile, is in progress and "missing", but for a
    /// Job or Pod that was seen to have [finished](health::has_finished). One that has failed for good
    /// ends the wait at once, and so does a workload with a pod of its newest template that is
    /// [hopeless](health::hopeless()), unless only the end of old pods is waited for. An API server that
    /// cannot be reached for a while does not. Pods of a namespace are watched once at a time.
    ///
    /// # Errors
    /// [`Error::NotReady`] with every resource that is not ready, those first that have failed, and
    /// what pods, events and logs say about it; a refusal to list or watch.
    pub async fn wait_for(
        &self,
        wait: Wait<'_>,
        on: &mut dyn FnMut(&ResourceId, &Health),
    ) -> Result<(), Error> {
        let unknown = || Health::InProgress("unknown".to_owned());
        let (open, opened) = watch::channel(Open::new());
        let suspects = RefCell::new(Suspects::new(self.clock.at(wait.since)));
        let mut scopes = self.scopes(wait.wanted);
        let pods = match wait.until {
            Condition::NoOldPods => vec![],
            _ => self.pods_of(wait.wanted, &mut scopes),
        };
        let mut goal = Ready {
            until: wait.until,
            states: wait
                .wanted
                .iter()
                .map(|(id, _)| (id.clone(), unknown()))
                .collect(),
            uncounted: BTreeMap::new(),
            exceeded: BTreeMap::new(),
            finished: &self.finished,
            open,
            suspects: &suspects,
            on,
        };
        let pursuit = async {
            self.pursue_in(&scopes, &mut goal).await?;
            self.outlast(&mut goal).await
        };
        let ended = async {
            tokio::select! {
                // What is ready already is known before any pod is asked for.
                biased;
                pursued = pursuit => pursued.map(|()| None),
                hopeless = self.first_hopeless((&pods, &suspects), opened) => Ok(Some(hopeless)),
            }
        };
        // Out of time or decided: what is left to tell is the same.
        match tokio::time::timeout(wait.deadline.max(GLANCE), ended).await {
            Ok(Err(error)) => return Err(error),
            Ok(Ok(Some((id, pod)))) => goal.give_up(&id, &pod),
            Ok(Ok(None)) | Err(_) => {}
        }
        let unready = goal.unready();
        let mut resources: Vec<Unready> = unready
            .map(|(id, health)| Unready::new(id.clone(), health.clone()))
            .collect();
        if resources.is_empty() {
            return Ok(());
        }
        resources.sort_by_key(|one| !one.health.is_failed());
        self.explain(&mut resources, Depth::Logs).await;
        Err(Error::NotReady { resources })
    }

    /// Feeds a goal with what there is and what changes until it is decided.
    async fn pursue(
        &self,
        wanted: &[(ResourceId, Kind)],
        goal: &mut impl Goal,
    ) -> Result<(), Error> {
        self.pursue_in(&self.scopes(wanted), goal).await
    }

    async fn pursue_in(&self, scopes: &[Scope<'_>], goal: &mut impl Goal) -> Result<(), Error> {
        let lists = try_join_all(scopes.iter().map(|scope| self.first_list(scope))).await?;
        let mut open = Vec::new();
        for (scope, (live, version)) in scopes.iter().zip(lists) {
            let all = Change::All(live);
            take(goal, scope, &all);
            if !matches!(&all, Change::All(live) if goal.is_settled(scope, live)) {
                open.push((scope, version));
            }
        }
        if goal.is_decided() {
            return Ok(());
        }
        let mut changes: SelectAll<_> = open
            .into_iter()
            .map(|(scope, version)| {
                let changes = self.follow(scope, version);
                changes.map(move |change| (scope, change))
            })
            .collect();
        while let Some((scope, change)) = changes.next().await {
            take(goal, scope, &change?);
            if goal.is_decided() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lists a scope, however long the API server cannot be reached; a kind that is not served has
    /// no resources yet.
    async fn first_list(&self, scope: &Scope<'_>) -> Result<(Vec<Value>, String), Error> {
        let mut backoff = Backoff::default();
        loop {
            match self.list_scope(scope).await {
                Err(error) if error.is_unserved() => return Ok((Vec::new(), String::new())),
                Err(error) if error.is_passing() => backoff.wait(error.pause()).await,
                listed => return listed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id() -> ResourceId {
        ResourceId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        }
    }

    #[test]
    fn every_change_of_health_is_told_once() {
        let mut told = Vec::new();
        let mut on = |_: &ResourceId, health: &Health| told.push(health.clone());
        let mut goal = Ready {
            until: Condition::Ready,
            states: BTreeMap::from([(id(), Health::InProgress("unknown".to_owned()))]),
            uncounted: BTreeMap::new(),
            exceeded: BTreeMap::new(),
            finished: &Mutex::default(),
            open: watch::Sender::default(),
            suspects: &RefCell::new(Suspects::new(Timestamp::UNIX_EPOCH)),
            on: &mut on,
        };
        let live = |ready: i64| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
                "spec": {"replicas": 2},
                "status": {"replicas": 2, "updatedReplicas": 2, "readyReplicas": ready,
                    "availableReplicas": ready}})
        };
        goal.note(&id(), None);
        goal.note(&id(), Some(&live(1)));
        goal.note(&id(), Some(&live(1)));
        assert!(!goal.is_decided());
        goal.note(&id(), Some(&live(2)));
        assert!(goal.is_decided());
        goal.note(&id(), None);
        assert!(!goal.is_decided());
        let missing = || Health::InProgress("missing".to_owned());
        let one = Health::InProgress("1 of 2 pods ready".to_owned());
        assert_eq!(told, [missing(), one, Health::Ready, missing()]);
    }

    #[test]
    fn what_has_no_status_is_settled_once_it_is_ready() {
        let kind = crate::builtin::kind("", "ConfigMap").unwrap();
        let id = id();
        let scope = Scope {
            kind,
            namespace: None,
            ids: BTreeMap::from([("web", &id)]),
            makers: vec![],
            labels: "",
        };
        let mut on = |_: &ResourceId, _: &Health| {};
        let mut goal = Ready {
            until: Condition::Ready,
            states: BTreeMap::from([(id.clone(), Health::InProgress("unknown".to_owned()))]),
            uncounted: BTreeMap::new(),
            exceeded: BTreeMap::new(),
            finished: &Mutex::default(),
            open: watch::Sender::default(),
            suspects: &RefCell::new(Suspects::new(Timestamp::UNIX_EPOCH)),
            on: &mut on,
        };
        let mut body = json!({"apiVersion": "example.com/v1", "kind": "Car",
            "metadata": {"name": "web"}});
        let mut is_settled = |body: &Value| {
            goal.note(&id, Some(body));
            goal.is_settled(&scope, std::slice::from_ref(body))
        };
        assert!(is_settled(&body));
        // It has no status yet, and says that it will have one.
        body["metadata"]["annotations"] = json!({
            "helm.sh/readiness-success": "[\"{.a} == 1\"]", "helm.sh/readiness-failure": "[]"});
        assert!(!is_settled(&body));
    }

    #[test]
    fn a_deadline_that_an_earlier_change_exceeded_does_not_count() {
        let mut on = |_: &ResourceId, _: &Health| {};
        let mut goal = Ready {
            until: Condition::Ready,
            states: BTreeMap::new(),
            uncounted: BTreeMap::new(),
            exceeded: BTreeMap::new(),
            finished: &Mutex::default(),
            open: watch::Sender::default(),
            suspects: &RefCell::new(Suspects::new(Timestamp::UNIX_EPOCH)),
            on: &mut on,
        };
        let live = |generation: u32, exceeded: &str| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 1},
                "status": {"observedGeneration": generation, "replicas": 1, "conditions": [
                    {"type": "Progressing", "status": "False",
                     "reason": "ProgressDeadlineExceeded", "lastUpdateTime": exceeded}]}})
        };
        let mut is_decided = |generation: u32, exceeded: &str| {
            goal.note(&id(), Some(&live(generation, exceeded)));
            goal.is_decided()
        };
        assert!(!is_decided(1, "2026-11-21T10:00:00Z"));
        assert!(!is_decided(2, "2026-11-21T10:00:00Z"));
        assert!(is_decided(2, "2026-11-21T10:10:00Z"));
    }
}
