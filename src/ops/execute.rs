//! Walks a plan and sends what it says; decides nothing.

use futures::{StreamExt, stream};

use super::{Error, StepError};
use crate::cluster::{self, Address, Cluster, Deletion, Effect, Validation, Write};
use crate::event::{Done, Event};
use crate::plan::diff::Patch;
use crate::plan::{Action, Plan, Precondition, Step, digest};

/// Everything in the manifest is written as Helm writes it: by its field manager, with unknown
/// fields refused.
const WRITE: Write<'_> = Write {
    manager: "helm",
    effect: Effect::Persist,
    validation: Validation::Strict,
};
/// How many requests are under way at once.
const CONCURRENCY: usize = 16;
/// How often a patch is sent again after the status of its resource has changed in between.
const ATTEMPTS: usize = 8;

/// Carries out phase after phase; a phase in which a step fails is the last one.
pub(super) async fn execute(
    plan: &Plan,
    cluster: &Cluster,
    on: &mut dyn FnMut(Event),
) -> Result<(), Error> {
    for phase in &plan.phases {
        let mut results =
            stream::iter(phase.iter().map(|step| run(step, cluster))).buffer_unordered(CONCURRENCY);
        let mut errors = vec![];
        while let Some((step, result)) = results.next().await {
            match result {
                Ok(Some(done)) => on(Event::Stepped {
                    id: step.id.clone(),
                    done,
                }),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            errors.sort_by(|a, b| a.id().cmp(b.id()));
            return Err(Error::Steps(errors));
        }
    }
    Ok(())
}

async fn run<'a>(step: &'a Step, cluster: &Cluster) -> (&'a Step, Result<Option<Done>, StepError>) {
    let result = match &step.action {
        Action::Unchanged | Action::Keep(_) => Ok(None),
        Action::Create(body) => cluster
            .create(&at(step), body, WRITE)
            .await
            .map(|_| Some(Done::Created))
            .map_err(|source| failed(step, "create", source)),
        Action::Configure(difference, precondition) => {
            configure(step, &difference.patch, precondition, cluster).await
        }
        Action::Delete(precondition) => delete(step, precondition, cluster).await,
    };
    (step, result)
}

/// Sends a patch with the version it was computed from; again with a newer one as long as the
/// resource has not changed in substance.
async fn configure(
    step: &Step,
    patch: &Patch,
    precondition: &Precondition,
    cluster: &Cluster,
) -> Result<Option<Done>, StepError> {
    let mut version = precondition.resource_version.clone();
    for _ in 0..ATTEMPTS {
        let patch = versioned(patch, version);
        match cluster
            .patch(&at(step), cluster::Patch::from(&patch), WRITE)
            .await
        {
            Ok(_) => return Ok(Some(Done::Configured)),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(failed(step, "patch", error)),
        }
        let live = cluster
            .get(&at(step))
            .await
            .map_err(|source| failed(step, "read", source))?;
        match live.filter(|live| digest(live) == precondition.digest) {
            Some(live) => version = Precondition::of(&live).resource_version,
            None => {
                return Err(StepError::Changed {
                    id: step.id.clone(),
                });
            }
        }
    }
    Err(StepError::Changed {
        id: step.id.clone(),
    })
}

/// The patch with the version that the resource must still have.
fn versioned(patch: &Patch, version: String) -> Patch {
    let mut patch = patch.clone();
    let (Patch::StrategicMerge(body) | Patch::Merge(body)) = &mut patch;
    body["metadata"]["resourceVersion"] = version.into();
    patch
}

async fn delete(
    step: &Step,
    precondition: &Precondition,
    cluster: &Cluster,
) -> Result<Option<Done>, StepError> {
    let only_if = cluster::Precondition {
        uid: Some(&precondition.uid),
        resource_version: None,
    };
    match cluster
        .delete(
            &at(step),
            Deletion {
                only_if,
                ..Deletion::default()
            },
        )
        .await
    {
        Ok(()) => Ok(Some(Done::Deleted)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) if error.is_conflict() => Err(StepError::Changed {
            id: step.id.clone(),
        }),
        Err(error) => Err(failed(step, "delete", error)),
    }
}

fn at(step: &Step) -> Address<'_> {
    Address {
        kind: &step.kind,
        namespace: step.id.namespace.as_deref(),
        name: &step.id.name,
    }
}

fn failed(step: &Step, doing: &'static str, source: cluster::Error) -> StepError {
    let origin = step
        .origin
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    StepError::Request {
        id: step.id.clone(),
        doing,
        origin,
        source,
    }
}
