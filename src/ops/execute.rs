//! Walks a plan: starts each stage when its gates are passed, and decides nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::{self, FuturesUnordered};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::guard::Guard;
use super::issue::Issuer;
use super::step::{self, Context};
use super::{Error, StepError};
use crate::capabilities::Kind;
use crate::cluster::{self, Cluster, Wait};
use crate::event::{Done, Event};
use crate::health::{Condition, Health};
use crate::manifest::ResourceId;
use crate::plan::{Counts, Gate, Owner, Plan, Stage, Step, Until};

/// How many steps of a phase are begun at once; the cluster has fewer requests under way.
const BEGUN: usize = 64;

/// Where events go, from several stages at once.
pub(super) struct Voice<'a> {
    on: RefCell<&'a mut dyn FnMut(Event)>,
    /// What was told last: several waits may see the same.
    told: RefCell<BTreeMap<ResourceId, (Condition, Health)>>,
    /// Whether it was told that the change stops.
    is_stopping: Cell<bool>,
}

impl<'a> Voice<'a> {
    pub(super) fn new(on: &'a mut dyn FnMut(Event)) -> Self {
        Self {
            on: RefCell::new(on),
            told: RefCell::default(),
            is_stopping: Cell::default(),
        }
    }

    pub(super) fn say(&self, event: Event) {
        (self.on.borrow_mut())(event);
    }

    /// Tells once that the change stops, whoever notices it first.
    pub(super) fn stopping(&self) {
        if !self.is_stopping.replace(true) {
            self.say(Event::Stopping);
        }
    }

    pub(super) fn health(&self, until: Condition, (id, health): (&ResourceId, &Health)) {
        let now = (until, health.clone());
        let before = self.told.borrow_mut().insert(id.clone(), now.clone());
        if before == Some(now) {
            return;
        }
        self.say(Event::Health {
            id: id.clone(),
            until,
            health: health.clone(),
        });
    }
}

/// What a plan is carried out with.
pub(super) struct Execution<'a, 'v> {
    pub(super) plan: &'a Plan,
    /// Whose Secrets are made.
    pub(super) owner: Owner<'a>,
    pub(super) cluster: &'a Cluster,
    pub(super) voice: &'a Voice<'v>,
    /// What is asked before every write; it also knows when what a gate waits for has to be ready, and
    /// when it has to stop.
    pub(super) guard: &'a Guard<'a>,
    /// When the whole change began.
    pub(super) since: Timestamp,
    /// From when certificates are valid.
    pub(super) now: Timestamp,
}

/// How far a plan could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// All of it is done.
    End,
    /// The addresses are there that were not known, so that the rest is stale.
    Addresses,
}

/// What gates wait for, so that several stages wait for the same thing once.
type Waits = BTreeMap<Gate, OnceCell<()>>;

/// A stage and how far it has come: the number of phases that are done.
type Progress<'a> = (usize, usize, Result<(), Error>);

impl Execution<'_, '_> {
    /// Carries the plan out as far as it is known, and tells how far that is.
    pub(super) async fn run(&self) -> Result<Reached, Error> {
        let stages = &self.plan.stages;
        if self.plan.is_whole() {
            self.carry_out(stages).await?;
            return Ok(Reached::End);
        }
        let first = &stages[..self.plan.known()];
        self.carry_out(first).await?;
        if let Some(addresses) = first.last() {
            self.find_addresses(addresses).await?;
        }
        Ok(Reached::Addresses)
    }

    /// Waits until the Services of a stage have their addresses.
    async fn find_addresses(&self, stage: &Stage) -> Result<(), Error> {
        let services = stage.awaited.iter().map(|(id, _)| id.clone());
        self.voice.say(Event::Addresses {
            services: services.collect(),
        });
        let waited = async {
            let waited = self.reach(Condition::Ready, &stage.awaited).await;
            waited.map_err(|source| Error::NoAddress { source })
        };
        self.unless_stopped(waited).await
    }

    /// Carries out stage after stage, side by side where no gate is between them. After a failure
    /// nothing is started any more, and what is under way is brought to its end.
    async fn carry_out(&self, stages: &[Stage]) -> Result<(), Error> {
        let issuer = Issuer::new(self.owner, &self.plan.generators, self.now);
        let gates = stages.iter().flat_map(|stage| &stage.gates);
        let shared: Waits = gates.map(|gate| (*gate, OnceCell::new())).collect();
        let mut done = vec![false; stages.len()];
        let mut started = done.clone();
        let mut waits = FuturesUnordered::new();
        let mut phases = FuturesUnordered::new();
        let mut failure = None;
        loop {
            if self.guard.stop.is_there() && failure.is_none() {
                self.voice.stopping();
                failure = Some(Error::Interrupted);
                waits.clear();
            }
            for index in 0..stages.len() {
                let mut gates = stages[index].gates.iter();
                if failure.is_none() && !started[index] && gates.all(|gate| done[gate.stage]) {
                    started[index] = true;
                    waits.push(self.pass_gates(index, &shared));
                }
            }
            if waits.is_empty() && phases.is_empty() {
                break;
            }
            let (index, finished, result): Progress<'_> = tokio::select! {
                Some((index, result)) = waits.next() => (index, 0, result),
                Some(progress) = phases.next() => progress,
                () = self.guard.stop.comes(), if failure.is_none() => continue,
            };
            match result {
                Err(error) => {
                    failure.get_or_insert(error);
                    // Waiting on is of no use; a request under way is not left alone.
                    waits.clear();
                }
                Ok(()) if finished == stages[index].phases.len() => done[index] = true,
                Ok(()) if failure.is_none() => phases.push(self.phase(index, finished, &issuer)),
                Ok(()) => (),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn pass_gates(&self, index: usize, shared: &Waits) -> (usize, Result<(), Error>) {
        let stage = &self.plan.stages[index];
        for gate in &stage.gates {
            if let Err(error) = self.pass(stage, *gate, shared).await {
                return (index, Err(error));
            }
        }
        if stage.has_changes() && self.plan.is_staged() {
            self.voice.say(Event::Stage {
                part: stage.part.clone(),
                counts: Counts::of(stage.phases.iter().flatten()),
            });
        }
        (index, Ok(()))
    }

    async fn pass(&self, stage: &Stage, gate: Gate, shared: &Waits) -> Result<(), Error> {
        let earlier = &self.plan.stages[gate.stage];
        let resources = match gate.until {
            Until::Written => vec![],
            Until::Gone => earlier.deleted(),
            Until::Established | Until::Known | Until::Ready | Until::NoOldPods => {
                earlier.awaited.clone()
            }
        };
        if resources.is_empty() || !stage.has_changes() {
            return Ok(());
        }
        self.voice.say(Event::Gate {
            earlier: earlier.part.clone(),
            until: gate.until,
            stage: stage.part.clone(),
        });
        let waiting = self.meet(gate.until, &resources);
        // Whoever comes first waits for all. After a failure nobody waits on, so that none tries again.
        let waited = match shared.get(&gate) {
            Some(wait) => wait.get_or_try_init(|| waiting).await.copied(),
            None => waiting.await,
        };
        waited.map_err(|source| Error::Gate {
            stage: stage.part.to_string(),
            earlier: earlier.part.to_string(),
            until: gate.until,
            source,
        })
    }

    /// Waits until these resources of a stage are what a gate wants of them.
    async fn meet(
        &self,
        until: Until,
        resources: &[(ResourceId, Kind)],
    ) -> Result<(), cluster::Error> {
        match until {
            Until::Gone => {
                let left = self.guard.time_left();
                let uids = self.plan.doomed();
                self.cluster.wait_gone_of(resources, uids, left).await
            }
            Until::NoOldPods => self.reach(Condition::NoOldPods, resources).await,
            Until::Written | Until::Established | Until::Known | Until::Ready => {
                self.reach(Condition::Ready, resources).await
            }
        }
    }

    /// Waits until all resources are what is wanted of them, and tells how far each is.
    async fn reach(
        &self,
        until: Condition,
        wanted: &[(ResourceId, Kind)],
    ) -> Result<(), cluster::Error> {
        let wait = Wait {
            wanted,
            until,
            deadline: self.guard.time_left(),
            since: self.since,
        };
        let mut tell = |id: &ResourceId, health: &Health| self.voice.health(until, (id, health));
        Box::pin(self.cluster.wait_for(wait, &mut tell)).await
    }

    /// Waits until everything is ready, and what is being deleted is gone, whoever has begun that.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        self.unless_stopped(self.settled()).await
    }

    /// Waits for something unless it has to stop.
    async fn unless_stopped(
        &self,
        waited: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let waited = self.guard.stop.or(waited).await;
        if let Err(Error::Interrupted) = waited {
            self.voice.stopping();
        }
        waited
    }

    async fn settled(&self) -> Result<(), Error> {
        let awaited = self.plan.awaited();
        if !awaited.is_empty() {
            self.voice.say(Event::Waiting {
                count: awaited.len(),
            });
            self.reach(Condition::Ready, &awaited).await?;
        }
        let deleted = self.plan.deleted();
        if !deleted.is_empty() {
            let (uids, left) = (self.plan.doomed(), self.guard.time_left());
            self.cluster.wait_gone_of(&deleted, uids, left).await?;
        }
        Ok(())
    }

    /// Carries out one phase; all of its steps are tried.
    async fn phase(&self, stage: usize, phase: usize, issuer: &Issuer<'_>) -> Progress<'_> {
        if let Err(error) = self.guard.pass().await {
            return (stage, phase, Err(error));
        }
        let context = Context {
            cluster: self.cluster,
            issuer,
            method: self.plan.method,
            guard: self.guard,
        };
        let steps = self.plan.stages[stage].phases[phase].iter();
        for step in steps.clone().filter(|step| step.follows.is_some()) {
            let id = step.id.clone();
            self.voice.say(Event::Ending { id });
        }
        let tries = stream::iter(steps).map(|step| tried(step, context));
        let mut results = std::pin::pin!(tries.buffer_unordered(BEGUN));
        let mut errors: Vec<StepError> = vec![];
        let mut is_whole = true;
        while let Some(tried) = results.next().await {
            let Some((step, result)) = tried else {
                is_whole = false;
                continue;
            };
            match result {
                Ok(Some(done)) => self.voice.say(Event::Stepped {
                    id: step.id.clone(),
                    done,
                }),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        let is_stalled = errors.iter().any(StepError::is_stalled);
        // They are about the lock, and say the same.
        errors.retain(|error| !error.is_stalled());
        errors.sort_by(|a, b| a.id().cmp(b.id()));
        let result = match (errors.is_empty(), is_stalled, is_whole) {
            (false, ..) => Err(Error::Steps(errors)),
            (true, true, _) => Err(self.guard.stalled()),
            (true, false, false) => Err(Error::Interrupted),
            (true, false, true) => Ok(()),
        };
        (stage, phase + 1, result)
    }
}

/// Carries a step out, unless it is not to be begun any more.
async fn tried<'a>(
    step: &'a Step,
    context: Context<'_>,
) -> Option<(&'a Step, Result<Option<Done>, StepError>)> {
    if context.guard.stop.is_there() {
        return None;
    }
    Some((step, step::run(step, context).await))
}
