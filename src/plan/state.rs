//! What is known of a resource besides its step: its health, what has to be waited for, and how its
//! versions change.

use super::part::{NodeWait, Rollout, State};
use super::stage::NodeHealth;
use super::trend::Trend;
use super::{Action, Inputs, Observed, Step, pod_template};
use crate::builtin;
use crate::health::{self, Condition};
use crate::manifest::{self, Resource, ResourceId, WRITTEN};

/// What is known of a resource besides its step.
pub(super) fn of(step: &Step, resource: &Resource, inputs: &Inputs<'_>) -> State {
    let state = State {
        health: health(resource, inputs),
        wait: wait(step, resource, inputs.observed),
        rollout: rollout(resource, inputs.observed),
        trend: trend(resource, inputs.observed),
    };
    if manifest::asks_for(&resource.body, WRITTEN) {
        state.unawaited()
    } else {
        state
    }
}

/// Whether there is something to wait for: a step that changes a resource which is not ready by
/// its mere existence, or a resource that needs no change and is not healthy, or is not done with
/// an earlier one.
fn wait(step: &Step, resource: &Resource, observed: &Observed) -> NodeWait {
    let is_settled = match step.action {
        Action::Create(_) | Action::Configure(..) | Action::Recreate(_) => {
            let is_known = builtin::kind_in(&resource.api_version, &resource.id.kind).is_some();
            let has_pods = pod_template::path(&resource.body).is_some();
            is_known && !has_pods && health::of(&resource.body).is_ready()
        }
        Action::Unchanged => {
            let is_ready = |live| health::of(live).is_ready();
            observed.get(&step.id).is_none_or(is_ready)
                && rollout(resource, observed) == Rollout::Finished
        }
        Action::Delete(..) | Action::Keep(_) => true,
    };
    if is_settled {
        NodeWait::Passed
    } else {
        NodeWait::Awaited
    }
}

/// Broken is a workload that is live and not healthy, or is gone though the last good revision had
/// it. Other resources break nothing but what refers to them.
fn health(resource: &Resource, inputs: &Inputs<'_>) -> NodeHealth {
    let had = |id: &ResourceId| {
        let good = inputs.base.first();
        good.is_some_and(|good| good.resources.iter().any(|other| other.id == *id))
    };
    let is_good = match inputs.observed.get(&resource.id) {
        _ if pod_template::path(&resource.body).is_none() => true,
        Some(live) => health::of(live).is_ready(),
        None => !had(&resource.id),
    };
    if is_good {
        NodeHealth::Healthy
    } else {
        NodeHealth::Broken
    }
}

/// Whether a rollout of a workload is under way, whoever has begun it.
fn rollout(resource: &Resource, observed: &Observed) -> Rollout {
    let live = observed.get(&resource.id);
    let left = live.map(|live| health::until(live, Condition::NoOldPods));
    if left.is_none_or(|left| left.is_ready()) {
        Rollout::Finished
    } else {
        Rollout::Unfinished
    }
}

/// How the versions of a workload change.
fn trend(resource: &Resource, observed: &Observed) -> Trend {
    let live = observed.get(&resource.id);
    live.map_or(Trend::Level, |live| Trend::of(live, &resource.body))
}
