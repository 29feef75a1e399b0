//! The requests of one step.

use std::collections::BTreeMap;

use serde_json::Value;

use super::guard::Guard;
use super::issue::Issuer;
use super::removal::{self, Begun};
use super::{Error, StepError, owners};
use crate::cluster::{
    self, Address, Cluster, Effect, Force, Propagation, Validation, Write, Written,
};
use crate::event::Done;
use crate::plan::diff::Patch;
use crate::plan::server_side::Handover;
use crate::plan::{
    self, Action, Cascade, Conflicts, Credential, Method, Precondition, Recreation, Step, Way,
};

/// Everything in the manifest is written as Helm writes it: by its field manager, with unknown
/// fields refused.
pub(super) const WRITE: Write<'_> = Write {
    manager: "helm",
    effect: Effect::Persist,
    validation: Validation::Strict,
};
/// How often a patch is sent again after the status of its resource has changed in between.
pub(super) const ATTEMPTS: usize = 8;

/// What steps are carried out with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) issuer: &'a Issuer<'a>,
    /// How resources are written.
    pub(super) method: Method,
    /// What is asked before every write.
    pub(super) guard: &'a Guard<'a>,
}

impl Context<'_> {
    /// Waits until the step may write.
    async fn pass(self, step: &Step) -> Result<(), StepError> {
        let id = || step.id.clone();
        match self.guard.pass().await {
            Ok(()) => Ok(()),
            Err(Error::Interrupted) => Err(StepError::Interrupted { id: id() }),
            Err(_) => Err(StepError::Stalled { id: id() }),
        }
    }
}

/// Sends what a step says, and tells what was done if anything was.
pub(super) async fn run(step: &Step, context: Context<'_>) -> Result<Option<Done>, StepError> {
    let (done, live) = match &step.action {
        Action::Unchanged => match before(step) {
            Some(handover) => {
                hand_over(step, handover, context).await?;
                (Some(Done::Configured), None)
            }
            None => (None, None),
        },
        Action::Keep(_) => (None, None),
        Action::Create(body) => {
            if let Some(uid) = &step.follows {
                gone(step, (uid, "create"), context).await?;
            }
            let live = create(step, body, context).await?;
            (Some(Done::Created), Some(live))
        }
        Action::Configure(difference, precondition) => {
            let live = configure(step, (&difference.patch, precondition), context).await?;
            (Some(Done::Configured), Some(live))
        }
        Action::Recreate(recreation) => {
            let live = recreate(step, recreation, context).await?;
            (Some(Done::Recreated), Some(live))
        }
        Action::Delete(precondition, cascade) => {
            let propagation = match cascade {
                Cascade::Background => Propagation::Background,
                Cascade::Foreground => Propagation::Foreground,
                Cascade::Orphan => Propagation::Orphan,
            };
            let done = delete(step, (precondition, propagation), context).await?;
            (done, None)
        }
    };
    match &step.credential {
        Some(credential) if !credential.is_kept() => {
            let cluster = context.cluster;
            let live = match live {
                Some(live) => live,
                None => unchanged(step, credential, cluster).await?,
            };
            context.pass(step).await?;
            let issued = context.issuer.issue(step, (credential, &live), cluster);
            issued.await.map(Some)
        }
        _ => Ok(done),
    }
}

fn before(step: &Step) -> Option<&Handover> {
    step.apply.as_ref()?.before.as_ref()
}

/// Creates the resource of a step.
async fn create(step: &Step, body: &Value, context: Context<'_>) -> Result<Value, StepError> {
    context.pass(step).await?;
    let (cluster, at) = (context.cluster, at(step));
    let written = match context.method {
        Method::ClientSide => cluster.create(&at, body, WRITE).await,
        Method::ServerSide(_) => cluster.create_by_apply(&at, body, WRITE).await,
    };
    let live = match written {
        Ok(written) => written.live,
        Err(error) if error.is_already_exists() => {
            let made = made(step, body, cluster).await?;
            made.ok_or_else(|| failed(step, "create", error))?
        }
        Err(error) => return Err(failed(step, "create", error)),
    };
    after(step, context).await?;
    Ok(live)
}

/// What is there, if it is what was to be created, with the marks of the release: a try whose answer
/// was lost has created it.
async fn made(step: &Step, body: &Value, cluster: &Cluster) -> Result<Option<Value>, StepError> {
    let live = cluster.get(&at(step)).await;
    let live = live.map_err(|source| failed(step, "read", source))?;
    Ok(live.filter(|live| plan::is_as_wanted(body, live) && !plan::is_ending(live)))
}

/// Gives the owners of what was applied what is theirs.
async fn after(step: &Step, context: Context<'_>) -> Result<(), StepError> {
    match step.apply.as_ref().and_then(|apply| apply.after.as_ref()) {
        Some(handover) => hand_over(step, handover, context).await.map(drop),
        None => Ok(()),
    }
}

/// Makes the owners of a resource be what a handover says, and gives the version that it has then, if
/// they were not so already.
async fn hand_over(
    step: &Step,
    handover: &Handover,
    context: Context<'_>,
) -> Result<Option<String>, StepError> {
    context.pass(step).await?;
    owners::hand_over(step, handover, context.cluster).await
}

/// Whether an apply takes over the fields of others.
pub(super) fn force(method: Method) -> Force {
    match method {
        Method::ServerSide(Conflicts::Take) => Force::Yes,
        Method::ServerSide(Conflicts::Refuse) | Method::ClientSide => Force::No,
    }
}

/// Reads a Secret that is to be what its data was decided on.
async fn unchanged(
    step: &Step,
    credential: &Credential,
    cluster: &Cluster,
) -> Result<Value, StepError> {
    let live = cluster.get(&at(step)).await;
    let live = live.map_err(|source| failed(step, "read", source))?;
    let decided_on = credential.precondition.as_ref();
    live.filter(|live| decided_on.is_some_and(|state| state.holds(live)))
        .ok_or_else(|| changed(step))
}

/// Sends a patch or an apply with the version it was computed from; again with a newer one as long as
/// the resource has not changed in substance.
async fn configure(
    step: &Step,
    (patch, precondition): (&Patch, &Precondition),
    context: Context<'_>,
) -> Result<Value, StepError> {
    let cluster = context.cluster;
    let mut version = precondition.resource_version.clone();
    if let Some(handover) = before(step)
        && let Some(newer) = hand_over(step, handover, context).await?
    {
        version = newer;
    }
    for _ in 0..ATTEMPTS {
        context.pass(step).await?;
        match change(step, (patch, version), context, WRITE).await {
            Ok(written) => {
                after(step, context).await?;
                return Ok(written.live);
            }
            Err(error) if error.is_outdated() => {}
            Err(error) if error.is_gone() => return Err(changed(step)),
            Err(error) => return Err(failed(step, "patch", error)),
        }
        let Some(newer) = still(step, precondition, cluster).await? else {
            let live = in_effect(step, (patch, precondition), context).await?;
            after(step, context).await?;
            return Ok(live);
        };
        version = newer;
    }
    Err(changed(step))
}

/// The resource as it is, if sending the change once more would do nothing: a try whose answer was lost
/// has changed it.
async fn in_effect(
    step: &Step,
    (patch, precondition): (&Patch, &Precondition),
    context: Context<'_>,
) -> Result<Value, StepError> {
    for _ in 0..ATTEMPTS {
        let live = context.cluster.get(&at(step)).await;
        let live = live.map_err(|source| failed(step, "read", source))?;
        let Some(live) = live else {
            break;
        };
        let now = Precondition::of(&live);
        if now.uid != precondition.uid {
            break;
        }
        let version = now.resource_version.clone();
        match change(step, (patch, version), context, WRITE.dry_run()).await {
            Ok(tried) if now.holds(&tried.live) => return Ok(live),
            Err(error) if error.is_outdated() => {}
            _ => break,
        }
    }
    Err(changed(step))
}

/// Sends the change of a step once.
async fn change(
    step: &Step,
    (patch, version): (&Patch, String),
    context: Context<'_>,
    how: Write<'_>,
) -> Result<Written, cluster::Error> {
    let (cluster, at) = (context.cluster, at(step));
    match step.apply.as_ref().and_then(|apply| apply.body.as_ref()) {
        None => {
            let patch = versioned(patch, version);
            cluster.patch(&at, cluster::Patch::from(&patch), how).await
        }
        Some(body) => {
            let mut body = body.clone();
            body["metadata"]["resourceVersion"] = version.into();
            let apply = cluster::Patch::Apply(&body, force(context.method));
            cluster.patch(&at, apply, how).await
        }
    }
}

/// The patch with the version that the resource must still have.
fn versioned(patch: &Patch, version: String) -> Patch {
    let mut patch = patch.clone();
    let (Patch::StrategicMerge(body) | Patch::Merge(body)) = &mut patch;
    body["metadata"]["resourceVersion"] = version.into();
    patch
}

/// Deletes a resource, waits until it is gone, and creates it anew. A process that ends in between
/// leaves it absent, so that the next command creates it.
async fn recreate(
    step: &Step,
    recreation: &Recreation,
    context: Context<'_>,
) -> Result<Value, StepError> {
    let propagation = match recreation.way {
        Way::Whole => Propagation::Foreground,
        Way::Orphan => Propagation::Orphan,
    };
    let precondition = &recreation.precondition;
    delete(step, (precondition, propagation), context).await?;
    gone(step, (&precondition.uid, "delete"), context).await?;
    create(step, &recreation.body, context).await
}

/// Waits until the resource of this uid, which is being deleted, is gone.
async fn gone(
    step: &Step,
    (uid, doing): (&str, &'static str),
    context: Context<'_>,
) -> Result<(), StepError> {
    let left = context.guard.time_left();
    let old = [(step.id.clone(), step.kind.clone())];
    let uids = BTreeMap::from([(step.id.clone(), uid.to_owned())]);
    let gone = context.cluster.wait_gone_of(&old, uids, left);
    tokio::select! {
        waited = gone => waited.map_err(|source| failed(step, doing, source)),
        () = context.guard.stop.comes() => Err(StepError::Interrupted { id: step.id.clone() }),
    }
}

/// The version of a resource that has not changed in substance since the plan was made, and stays.
async fn still(
    step: &Step,
    precondition: &Precondition,
    cluster: &Cluster,
) -> Result<Option<String>, StepError> {
    let live = cluster.get(&at(step)).await;
    let live = live.map_err(|source| failed(step, "read", source))?;
    let same = live.filter(|live| precondition.holds(live) && !plan::is_ending(live));
    Ok(same.map(|live| Precondition::of(&live).resource_version))
}

/// Deletes the resource of a step, and tells whether there was anything to delete.
async fn delete(
    step: &Step,
    (precondition, propagation): (&Precondition, Propagation),
    context: Context<'_>,
) -> Result<Option<Done>, StepError> {
    context.pass(step).await?;
    let how = (propagation, Effect::Persist);
    match removal::remove(context.cluster, &at(step), precondition, how).await {
        Ok(Begun::Now) => Ok(Some(Done::Deleted)),
        Ok(Begun::Before) => Ok(None),
        Err(error) if error.is_conflict() => Err(changed(step)),
        Err(error) => Err(failed(step, "delete", error)),
    }
}

pub(super) fn at(step: &Step) -> Address<'_> {
    Address {
        kind: &step.kind,
        namespace: step.id.namespace.as_deref(),
        name: &step.id.name,
    }
}

pub(super) fn changed(step: &Step) -> StepError {
    StepError::Changed {
        id: step.id.clone(),
    }
}

pub(super) fn origin(step: &Step) -> String {
    let origin = step.origin.as_ref();
    origin.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn failed(step: &Step, doing: &'static str, source: cluster::Error) -> StepError {
    StepError::Request {
        id: step.id.clone(),
        doing,
        origin: origin(step),
        source,
    }
}
