//! The middle of a change, between its two records: hooks, the plan, hooks.

use tokio::sync::watch;
use tokio::time::Instant;

use super::execute::{Execution, Reached, Voice};
use super::hook::Runner;
use super::rehearse::{self, Rehearsal};
use super::stop::Wish;
use super::{Change, End, Error, Options, Session, outcome};
use crate::event::Event;
use crate::plan::{Hooks, Plan};
use crate::release::Status;

impl Change {
    /// Runs the hooks before, carries the plan out, runs the hooks after, and deletes what is left of
    /// hooks that are of no use any more.
    pub(super) async fn carry_out(
        &mut self,
        session: &Session<'_>,
        (options, lock, stop): (&Options, watch::Receiver<bool>, Wish),
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        let voice = Voice::new(on);
        let runner = Runner {
            session,
            voice: &voice,
            method: self.plan.method,
            deadline: Instant::now() + options.timeout,
            lock,
            stop,
        };
        let before = self.plan.hooks.before();
        if !before.is_empty() {
            runner.run(&before, &mut self.release).await?;
            // Whatever comes now, it is known that they have run.
            let store = session.store();
            store.update(&self.release, (session.now)()).await?;
        }
        Box::pin(execute(session, self, &runner)).await?;
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

/// Carries a plan out, and what is planned anew once the addresses are there that it depends on.
async fn execute(
    session: &Session<'_>,
    change: &Change,
    runner: &Runner<'_, '_>,
) -> Result<(), Error> {
    let Runner {
        voice,
        deadline,
        lock,
        stop,
        ..
    } = runner;
    let now = (session.now)();
    let execution = Execution {
        plan: &change.plan,
        owner: session.owner(),
        cluster: session.cluster,
        voice,
        deadline: *deadline,
        since: now,
        now,
        lock: lock.clone(),
        stop: stop.clone(),
    };
    let rest;
    let last = match execution.run().await? {
        Reached::End => execution,
        Reached::Addresses => {
            rest = self::rest(session, change, voice).await?;
            let now = (session.now)();
            let execution = Execution {
                plan: &rest,
                now,
                ..execution
            };
            if execution.run().await? == Reached::Addresses {
                return Err(Error::AddressLost {
                    services: rest.unknown(),
                });
            }
            execution
        }
    };
    match change.terms.end {
        End::Written => Ok(()),
        End::Ready => last.settle().await,
    }
}

/// Plans what is left once the addresses are known, and asks about it as about the whole.
async fn rest(session: &Session<'_>, change: &Change, voice: &Voice<'_>) -> Result<Plan, Error> {
    let Change {
        aim,
        terms,
        notices,
        ..
    } = change;
    let mut rest = aim.plan(session, &aim.observe(session).await?.observed)?;
    // Those of the whole plan run.
    rest.hooks = Hooks::default();
    if terms.rehearsal == Rehearsal::Server {
        let warnings = rehearse::rehearse(session, &mut rest, aim, terms).await?;
        let new = warnings.into_iter().filter(|told| !notices.contains(told));
        new.for_each(|warning| voice.say(warning));
    }
    let objections = rest.objections();
    if !objections.is_empty() {
        return Err(Error::Rest(objections));
    }
    voice.say(Event::Planned {
        counts: rest.counts(),
    });
    Ok(rest)
}
