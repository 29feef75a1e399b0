//! Runs hooks, one after the other, and deletes what is left of them.
//!
//! Each run stands in the record before anything of it is written, so that whatever ends it, the
//! record says that it was begun. What is left of an earlier run makes way first, and its pods too:
//! two runs of one hook are never at work at once.

use jiff::Timestamp;
use serde_json::Value;

use super::execute::Voice;
use super::guard::Guard;
use super::ledger::Ledger;
use super::step::{self, WRITE};
use super::{Error, HookError, Session, StepError};
use crate::capabilities::Kind;
use crate::cluster::{self, Address, Deletion, Patch, Precondition, Propagation, Wait};
use crate::event::{Done, Event, HookOutput};
use crate::health::{Condition, Health};
use crate::manifest::{DeletePolicy, OutputLogPolicy, ResourceId};
use crate::plan::{self, Action, HookStep, Left, Method};
use crate::release::{HookOutcome, HookRun, Release};

/// What hooks are run with.
pub(super) struct Runner<'a, 'v> {
    pub(super) session: &'a Session<'a>,
    pub(super) voice: &'a Voice<'v>,
    /// How resources are written.
    pub(super) method: Method,
    /// What is asked before every write; it also knows when everything has to be done, and when no hook is
    /// begun any more and none is waited for.
    pub(super) guard: Guard<'a>,
}

impl Runner<'_, '_> {
    /// Where it is recorded how hooks run.
    pub(super) fn ledger(&self) -> Ledger<'_> {
        Ledger {
            session: self.session,
            guard: &self.guard,
        }
    }

    /// Runs hooks of one event of the revision `release`, notes there how each ran, and deletes
    /// what their policies say.
    pub(super) async fn run(
        &self,
        hooks: &[&HookStep],
        release: &mut Release,
    ) -> Result<(), Error> {
        let (ran, result) = self.run_all(hooks, release).await;
        self.tidy(&hooks[..ran], release).await;
        result
    }

    /// Runs hooks up to the first that fails, and tells how many that are. What they leave stays
    /// until [`tidy`](Self::tidy).
    pub(super) async fn run_all(
        &self,
        hooks: &[&HookStep],
        release: &mut Release,
    ) -> (usize, Result<(), Error>) {
        for (index, hook) in hooks.iter().enumerate() {
            if let Err(error) = self.run_one(hook, release).await {
                return (index + 1, Err(error));
            }
        }
        (hooks.len(), Ok(()))
    }

    /// Tells what hooks that have run have written, and deletes what their policies say, the last
    /// one first.
    pub(super) async fn tidy(&self, hooks: &[&HookStep], release: &Release) {
        for hook in hooks.iter().rev() {
            let run = release.hooks.get(hook.hook.index);
            let Some(run) = run.map(|stored| &stored.last_run) else {
                continue;
            };
            let (output, deletion) = if run.has_succeeded() {
                (OutputLogPolicy::HookSucceeded, DeletePolicy::HookSucceeded)
            } else if run.completed_at.is_some() {
                (OutputLogPolicy::HookFailed, DeletePolicy::HookFailed)
            } else {
                continue;
            };
            if hook.hook.output_log_policies.contains(&output) {
                self.tell_output(&hook.step.id).await;
            }
            if !hook.hook.is_deleted(deletion) {
                continue;
            }
            match self.remove(hook, Propagation::Background).await {
                // It is being deleted, or the next change does it.
                Ok(()) | Err(Error::Interrupted) => {}
                Err(Error::Hook(error)) => self.trouble(&hook.step.id, &error.source),
                Err(error) => self.trouble(&hook.step.id, &error),
            }
        }
    }

    fn trouble(&self, id: &ResourceId, error: &dyn std::error::Error) {
        self.voice.say(Event::HookTrouble {
            id: Some(id.clone()),
            reason: super::outcome::told(error),
        });
    }

    async fn tell_output(&self, id: &ResourceId) {
        match self.session.cluster.output(id).await {
            Ok(found) => found.into_iter().for_each(|one| {
                self.voice.say(Event::HookOutput(HookOutput {
                    pod: one.pod,
                    container: one.container,
                    text: one.text,
                }));
            }),
            Err(error) => self.trouble(id, &error),
        }
    }

    async fn run_one(&self, hook: &HookStep, release: &mut Release) -> Result<(), Error> {
        let now = self.session.now;
        if self.guard.stop.is_there() {
            self.voice.stopping();
            return Err(Error::Interrupted);
        }
        self.told(self.guard.pass().await)?;
        self.voice.say(Event::Hook {
            event: hook.event,
            id: hook.step.id.clone(),
        });
        if let Some(run) = last_run(release, hook) {
            *run = HookRun::begun(now());
        }
        self.ledger().update(release).await?;
        let ran = self.perform(hook).await;
        if let Some(run) = last_run(release, hook) {
            let outcome = match ran {
                Ok(()) => HookOutcome::Succeeded,
                Err(Error::Hook(_)) if !self.guard.stop.is_there() => HookOutcome::Failed,
                Err(_) => HookOutcome::Unknown,
            };
            run.end(now(), outcome);
        }
        ran
    }

    /// Makes the resource of a hook, and waits for its end.
    async fn perform(&self, hook: &HookStep) -> Result<(), Error> {
        let since = self.told(self.make(hook).await)?;
        if !hook.hook.is_run() {
            return Ok(());
        }
        let ended = async {
            let ended = self.ended(hook, since).await;
            ended.map_err(|source| failed(hook, source))
        };
        self.told(self.guard.stop.or(ended).await)
    }

    /// Tells that it stops, if that is what a wait came to.
    fn told<T>(&self, waited: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Interrupted) = waited {
            self.voice.stopping();
        }
        waited
    }

    /// Makes the resource of a hook, and tells since when it may be there.
    async fn make(&self, hook: &HookStep) -> Result<Timestamp, Error> {
        if hook.is_anew() {
            self.remove(hook, Propagation::Foreground).await?;
        }
        self.guard.pass().await?;
        let since = (self.session.now)();
        let written = self.write(hook).await;
        let done = written.map_err(|source| failed(hook, source))?;
        self.voice.say(Event::Stepped {
            id: hook.step.id.clone(),
            done,
        });
        Ok(since)
    }

    async fn ended(&self, hook: &HookStep, since: Timestamp) -> Result<(), cluster::Error> {
        let id = &hook.step.id;
        let wanted = [(id.clone(), hook.step.kind.clone())];
        let wait = Wait {
            wanted: &wanted,
            until: Condition::Complete,
            deadline: self.guard.time_left(),
            since,
        };
        let mut tell = |id: &ResourceId, health: &Health| {
            self.voice.health(Condition::Complete, (id, health));
        };
        self.session.cluster.wait_for(wait, &mut tell).await
    }

    async fn write(&self, hook: &HookStep) -> Result<Done, cluster::Error> {
        let cluster = self.session.cluster;
        let (at, body) = (step::at(&hook.step), &hook.hook.resource.body);
        let created = match self.method {
            Method::ClientSide => cluster.create(&at, body, WRITE).await,
            Method::ServerSide(_) => cluster.create_by_apply(&at, body, WRITE).await,
        };
        match created {
            Ok(_) => Ok(Done::Created),
            Err(error) if error.is_already_exists() => {
                let live = cluster.get(&at).await?;
                let Some(live) = live.filter(plan::is_hook) else {
                    return Err(error);
                };
                if hook.is_anew() {
                    // What was there is gone, so that a try whose answer was lost has created it.
                    let is_made = plan::is_as_wanted(body, &live);
                    return is_made.then_some(Done::Created).ok_or(error);
                }
                cluster.patch(&at, Patch::Merge(body), WRITE).await?;
                Ok(Done::Configured)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes the resource of a hook, if it is there, and waits until it is gone.
    async fn remove(&self, hook: &HookStep, propagation: Propagation) -> Result<(), Error> {
        let begun = self.begin_to_remove(hook, propagation).await;
        if !begun? {
            return Ok(());
        }
        let gone = [(hook.step.id.clone(), hook.step.kind.clone())];
        let gone = async {
            let left = self.guard.time_left();
            let gone = self.session.cluster.wait_gone(&gone, left).await;
            gone.map_err(|source| failed(hook, source))
        };
        self.guard.stop.or(gone).await
    }

    /// Deletes the resource of a hook, and tells whether it is there.
    async fn begin_to_remove(
        &self,
        hook: &HookStep,
        propagation: Propagation,
    ) -> Result<bool, Error> {
        let cluster = self.session.cluster;
        let at = step::at(&hook.step);
        let live = cluster.get(&at).await;
        let Some(live) = live.map_err(|source| failed(hook, source))? else {
            return Ok(false);
        };
        // The plan may replace what was none before.
        let is_planned = matches!(hook.step.action, Action::Recreate(_));
        if !plan::is_hook(&live) && !is_planned {
            let what = hook.step.id.to_string();
            return Err(failed(hook, cluster::Error::AlreadyExists { what }));
        }
        self.guard.pass().await?;
        let deleted = delete(cluster, (&at, &live), propagation).await;
        deleted.map_err(|source| failed(hook, source))?;
        Ok(true)
    }

    /// Deletes what of these resources is there and a hook's, and waits until it is gone.
    pub(super) async fn clean_up(&self, left: &[Left]) -> Result<(), Error> {
        let cluster = self.session.cluster;
        if left.is_empty() {
            return Ok(());
        }
        let left: Vec<(ResourceId, Kind)> = left
            .iter()
            .map(|one| (one.id.clone(), one.kind.clone()))
            .collect();
        let found = cluster.observe(&left).await?;
        let is_left = |id: &ResourceId| found.get(id).filter(|live| plan::is_hook(live));
        let mut gone = vec![];
        for (id, kind) in &left {
            let Some(live) = is_left(id) else {
                continue;
            };
            if self.guard.stop.is_there() {
                return self.told(Err(Error::Interrupted));
            }
            self.told(self.guard.pass().await)?;
            let at = Address {
                kind,
                namespace: id.namespace.as_deref(),
                name: &id.name,
            };
            let deleted = delete(cluster, (&at, live), Propagation::Background).await;
            deleted.map_err(|source| {
                Error::Steps(vec![StepError::Request {
                    id: id.clone(),
                    doing: "delete",
                    origin: "what is left of a hook".to_owned(),
                    source,
                }])
            })?;
            self.voice.say(Event::Stepped {
                id: id.clone(),
                done: Done::Deleted,
            });
            gone.push((id.clone(), kind.clone()));
        }
        let gone = cluster.wait_gone(&gone, self.guard.time_left());
        self.told(self.guard.stop.or(gone).await)
    }
}

/// Deletes a resource as long as it is still this one.
async fn delete(
    cluster: &cluster::Cluster,
    (at, live): (&Address<'_>, &Value),
    propagation: Propagation,
) -> Result<(), cluster::Error> {
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    let deletion = Deletion {
        propagation,
        only_if: Precondition {
            uid,
            resource_version: None,
        },
        ..Deletion::default()
    };
    match cluster.delete(at, deletion).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// What the record says of the last run of a hook.
fn last_run<'a>(release: &'a mut Release, hook: &HookStep) -> Option<&'a mut HookRun> {
    let stored = release.hooks.get_mut(hook.hook.index);
    stored.map(|one| &mut one.last_run)
}

fn failed(hook: &HookStep, source: cluster::Error) -> Error {
    Error::Hook(Box::new(HookError {
        event: hook.event,
        id: hook.step.id.clone(),
        origin: step::origin(&hook.step),
        source,
    }))
}
