//! The plan as the API server is asked about it before the first write.
//!
//! A plan comes in, the requests go out that are to be sent as dry runs; the answers come in, and
//! what they mean for the plan goes out. Sending them is left to `ops`.
//!
//! A dry run knows nothing of the others, so what depends on something that the plan itself makes is
//! [checked later](Verdict::Later). A workload passes though none of its pods would, so for each new
//! pod template one pod is tried as well. What the API server assigns in its answers (addresses,
//! ports) is invented and never used.

mod answer;
mod made;
mod pod;
pub mod quota;
mod words;

use serde_json::Value;

pub use answer::{Absent, Claim, Refusal, Verdict, judge};
pub use made::Made;
pub use pod::pod;

use super::diff::{Difference, Patch};
use super::objection::{About, Class, Objection};
use super::server_side::Handover;
use super::{Action, Plan, Precondition, Step, pod_template};

/// One request that is to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// The step that it belongs to.
    pub step: &'a Step,
    /// What is sent.
    pub request: Request<'a>,
    /// Whether a pod of the answer's template is to be tried after it.
    pub pods: Pods,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// A new resource; that it exists already is no objection where it is made anew.
    Create(&'a Value),
    /// A change of a resource.
    Patch(&'a Patch),
    /// A server-side apply of this body to a resource.
    Apply(&'a Value),
    /// The same, which comes after the handover: the apply alone tells conflicts with others, the patch
    /// what comes of it.
    Claim(&'a Value, &'a Handover, &'a Patch),
    /// The end of a resource, if it is still what that was decided on.
    Delete(&'a Precondition),
}

/// Whether a step makes new pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// It does.
    Made,
    /// It does not.
    None,
}

/// The requests of a plan that can be tried, and what is checked later without having been sent.
pub fn trials<'a>(plan: &'a Plan, made: &Made<'_>) -> (Vec<Trial<'a>>, Vec<(&'a Step, String)>) {
    let mut trials = vec![];
    let mut later = vec![];
    for step in plan.tried() {
        let request = match &step.action {
            Action::Create(body) => Request::Create(body),
            Action::Recreate(recreation) => {
                trials.push(removal(step, &recreation.precondition));
                Request::Create(&recreation.body)
            }
            Action::Configure(difference, _) => configure(step, difference),
            Action::Delete(precondition, _) => {
                trials.push(removal(step, precondition));
                continue;
            }
            Action::Unchanged | Action::Keep(_) => continue,
        };
        if let Some(why) = made.prevents(step) {
            later.push((step, why));
            continue;
        }
        if let Some(why) = made::asks_others(step) {
            later.push((step, why.to_owned()));
        }
        trials.push(Trial {
            step,
            request,
            pods: pods(step),
        });
    }
    (trials, later)
}

fn configure<'a>(step: &'a Step, difference: &'a Difference) -> Request<'a> {
    let apply = step.apply.as_ref();
    match apply.and_then(|apply| Some((apply.body.as_ref()?, &apply.before))) {
        None => Request::Patch(&difference.patch),
        Some((body, None)) => Request::Apply(body),
        Some((body, Some(handover))) => Request::Claim(body, handover, &difference.patch),
    }
}

/// The request that makes an end of a resource.
fn removal<'a>(step: &'a Step, precondition: &'a Precondition) -> Trial<'a> {
    Trial {
        step,
        request: Request::Delete(precondition),
        pods: Pods::None,
    }
}

/// Whether new pods come of a step.
fn pods(step: &Step) -> Pods {
    let is_made = match &step.action {
        Action::Create(body) => pod::template(body).is_some(),
        Action::Recreate(recreation) => pod::template(&recreation.body).is_some(),
        Action::Configure(difference, _) => pod_template::is_touched(&step.id, difference),
        Action::Unchanged | Action::Delete(..) | Action::Keep(_) => false,
    };
    if is_made { Pods::Made } else { Pods::None }
}

/// An objection to a step.
fn objection(step: &Step, about: About, reason: String) -> Objection {
    Objection {
        id: step.id.clone(),
        origin: step.origin.clone(),
        about,
        reason,
        remedy: None,
        class: Class::Refused,
    }
}
