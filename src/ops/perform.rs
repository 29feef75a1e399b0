//! The middle of a change, between its two records: hooks, the plan, hooks.

use super::execute::{Execution, Reached, Voice};
use super::guard::Guard;
use super::hook::Runner;
use super::replan::{Planner, Tries, Why};
use super::stop::Wish;
use super::{Change, End, Error, Session, outcome};
use crate::event::Event;
use crate::plan::Plan;
use crate::release::Status;

impl Change {
    /// Runs the hooks before, carries the plan out, runs the hooks after, and deletes what is left of
    /// hooks that are of no use any more.
    pub(super) async fn carry_out(
        &mut self,
        session: &Session<'_>,
        guard: Guard<'_>,
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        let voice = Voice::new(on);
        let runner = Runner {
            session,
            voice: &voice,
            method: self.plan.method,
            guard,
        };
        match self.go(&runner).await {
            // The lock counts more than the wish to stop.
            Err(error @ (Error::Lost { .. } | Error::Stalled { .. })) => Err(error),
            // What was under way then may have failed because of it, or not; it is gone on from there.
            Err(_) if runner.guard.stop.is_there() => {
                voice.stopping();
                Err(Error::Interrupted)
            }
            gone => gone,
        }
    }

    async fn go(&mut self, runner: &Runner<'_, '_>) -> Result<(), Error> {
        let Runner { session, voice, .. } = runner;
        let before = self.plan.hooks.before();
        if !before.is_empty() {
            runner.run(&before, &mut self.release).await?;
            // They may have taken long. Whatever comes now, it is known that they have run.
            runner.guard.prove().await?;
            runner.ledger().update(&mut self.release).await?;
        }
        Box::pin(execute(session, self, runner)).await?;
        runner
            .run(&self.plan.hooks.after(), &mut self.release)
            .await?;
        let cleaned = runner.clean_up(&self.plan.hooks.left).await;
        match cleaned {
            // The revision is what it should be, and the next one may delete what is left.
            Err(error) if self.release.info.status != Status::Uninstalling => {
                voice.say(Event::HookTrouble {
                    id: None,
                    reason: outcome::told(&error),
                });
                Ok(())
            }
            cleaned => cleaned,
        }
    }
}

/// Carries a plan out, and what is planned anew: once the addresses are there that the rest depends on,
/// and where somebody has changed what it is about.
async fn execute(
    session: &Session<'_>,
    change: &mut Change,
    runner: &Runner<'_, '_>,
) -> Result<(), Error> {
    let Change {
        plan: whole,
        aim,
        terms,
        notices,
        ..
    } = change;
    let mut planner = Planner {
        session,
        aim,
        terms,
        notices,
        tries: Tries::of(terms),
    };
    let since = (session.now)();
    let mut rest: Option<Plan> = None;
    let mut is_known = false;
    loop {
        let plan = rest.as_ref().unwrap_or(whole);
        let execution = Execution {
            plan,
            owner: session.owner(),
            cluster: session.cluster,
            voice: runner.voice,
            guard: &runner.guard,
            since,
            now: (session.now)(),
        };
        let why = match execution.run().await {
            Ok(Reached::End) => {
                return match terms.end {
                    End::Written => Ok(()),
                    End::Ready => execution.settle().await,
                };
            }
            Ok(Reached::Addresses) if is_known => {
                return Err(Error::AddressLost {
                    services: plan.unknown(),
                });
            }
            Ok(Reached::Addresses) => {
                is_known = true;
                Why::Addresses
            }
            Err(_) if runner.guard.stop.is_there() => return Err(Error::Interrupted),
            Err(error) => Why::Changed(planner.changed(error)?),
        };
        let next = planner.rest(plan, why, runner.voice);
        rest = Some(unless_stopped((&runner.guard.stop, runner.voice), next).await?);
    }
}

/// Waits for work that writes nothing, but no longer than until the change has to stop.
async fn unless_stopped<T>(
    (stop, voice): (&Wish, &Voice<'_>),
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let done = stop.or(work).await;
    if matches!(done, Err(Error::Interrupted)) {
        voice.stopping();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Stop;

    /// What comes of work, and what is told.
    async fn outcome(
        stop: &Stop,
        work: impl Future<Output = Result<u8, Error>>,
    ) -> (Result<u8, Error>, Vec<Event>) {
        let mut told = vec![];
        let mut on = |event| told.push(event);
        let wish = Wish::of(Some(stop));
        let voice = Voice::new(&mut on);
        let done = unless_stopped((&wish, &voice), work).await;
        (done, told)
    }

    #[tokio::test]
    async fn what_is_planned_again_is_waited_for_no_longer_than_until_the_change_has_to_stop() {
        let stop = Stop::default();
        let (done, told) = outcome(&stop, std::future::ready(Ok(1))).await;
        assert!(matches!(done, Ok(1)) && told.is_empty(), "{told:?}");
        stop.ask();
        let (done, told) = outcome(&stop, std::future::pending()).await;
        assert!(matches!(done, Err(Error::Interrupted)), "{done:?}");
        assert!(matches!(told[..], [Event::Stopping]), "{told:?}");
    }
}
