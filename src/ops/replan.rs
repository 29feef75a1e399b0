//! Planning again what somebody else has changed meanwhile.
//!
//! A plan that meets resources which are not what it was made from comes in; what is left of it, as it is
//! planned from what the cluster holds now, goes out. That is done a few times at most, and never where
//! the user has fixed the plan. What a plan means is left to `plan`, and carrying it out to `execute`.

use std::collections::BTreeSet;

use super::aim::Aim;
use super::execute::Voice;
use super::rehearse::{self, Rehearsal};
use super::{Error, Session, StepError, Terms};
use crate::event::Event;
use crate::manifest::ResourceId;
use crate::plan::{Action, Class, Hooks, Plan, Recreation, Step};

/// How often a change is planned in all because others change what it is about.
const PLANS: usize = 3;

/// How often a change may be planned again.
#[derive(Debug)]
pub(super) struct Tries(usize);

impl Tries {
    /// What its terms allow: a plan that the user has fixed holds or does not.
    pub(super) fn of(terms: &Terms) -> Self {
        Self(terms.fixed.as_ref().map_or(PLANS - 1, |_| 0))
    }

    /// Whether there is one more, which is then taken.
    pub(super) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// The resources that are not what a plan was made from, as the API server has said of dry runs.
pub(super) fn conflicts(plan: &Plan) -> Vec<ResourceId> {
    let objections = plan.objections().into_iter();
    let found = objections.filter(|one| one.class == Class::Conflict);
    let found: BTreeSet<ResourceId> = found.map(|one| one.id).collect();
    found.into_iter().collect()
}

/// Why the rest of a change is planned.
#[derive(Debug)]
pub(super) enum Why {
    /// The addresses are there that it depends on.
    Addresses,
    /// Somebody has changed these resources.
    Changed(Vec<ResourceId>),
}

impl Why {
    fn event(self, plan: &Plan) -> Event {
        let counts = plan.counts();
        match self {
            Self::Addresses => Event::Planned { counts },
            Self::Changed(ids) => Event::Replanned { ids, counts },
        }
    }
}

/// What the rest of a change is planned from.
pub(super) struct Planner<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) aim: &'a mut Aim,
    pub(super) terms: &'a Terms,
    /// What was told before.
    pub(super) notices: &'a [Event],
    pub(super) tries: Tries,
}

impl Planner<'_> {
    /// The resources that somebody has changed, if a plan failed for that reason alone and may be made
    /// again.
    ///
    /// # Errors
    /// Why it failed, if not.
    pub(super) fn changed(&mut self, error: Error) -> Result<Vec<ResourceId>, Error> {
        match error {
            Error::Steps(errors)
                if errors.iter().all(StepError::is_outdated) && self.tries.take() =>
            {
                Ok(errors.iter().map(|error| error.id().clone()).collect())
            }
            error => Err(error),
        }
    }

    /// Plans what is left of a change, and asks about it as about the whole.
    ///
    /// # Errors
    /// If it cannot be planned, would be refused, or would lose more than the user has agreed to.
    pub(super) async fn rest(
        &mut self,
        before: &Plan,
        mut why: Why,
        voice: &Voice<'_>,
    ) -> Result<Plan, Error> {
        loop {
            let seen = self.aim.observe(self.session).await?;
            let rest = self.aim.search(self.session, &seen.observed).await?;
            let mut rest = rest.deleting(self.terms.cascade);
            // Those of the whole plan run.
            rest.hooks = Hooks::default();
            if matches!(why, Why::Changed(_)) {
                self.refuse_losses(before, &rest)?;
            }
            if self.terms.rehearsal == Rehearsal::Server {
                let told = rehearse::rehearse(self.session, &mut rest, self.aim, self.terms);
                let told = told.await?.into_iter();
                let new = told.filter(|one| !self.notices.contains(one));
                new.for_each(|warning| voice.say(warning));
            }
            let conflicts = conflicts(&rest);
            if !conflicts.is_empty() && self.tries.take() {
                why = Why::Changed(conflicts);
                continue;
            }
            let objections = rest.objections();
            if !objections.is_empty() {
                return Err(Error::Rest(objections));
            }
            voice.say(why.event(&rest));
            return Ok(rest);
        }
    }

    /// Refuses to make anew what the user has named, if it is not any more what the plan was about: what
    /// would be lost is something else than when the user agreed to that.
    fn refuse_losses(&self, before: &Plan, rest: &Plan) -> Result<(), Error> {
        let is_agreed = |step: &Step, now: &Recreation| {
            let mut steps = before.steps();
            let then = steps.find(|other| other.id == step.id).and_then(recreation);
            then.is_some_and(|then| {
                let (then, now) = (&then.precondition, &now.precondition);
                then.uid == now.uid && then.digest() == now.digest()
            })
        };
        let named = rest.steps().filter(|step| self.aim.consent.names(&step.id));
        let lost = named.filter(|step| recreation(step).is_some_and(|now| !is_agreed(step, now)));
        let errors: Vec<StepError> = lost
            .map(|step| StepError::Changed {
                id: step.id.clone(),
            })
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Steps(errors))
        }
    }
}

fn recreation(step: &Step) -> Option<&Recreation> {
    match &step.action {
        Action::Recreate(recreation) => Some(recreation),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_made_three_times_at_most() {
        let mut tries = Tries::of(&Terms::default());
        let taken = std::iter::repeat_with(|| tries.take()).take(4);
        assert_eq!(taken.collect::<Vec<_>>(), [true, true, false, false]);
    }
}
