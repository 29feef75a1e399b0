//! A change from its decision to its outcome: the lock, the records, and what is between them.

use super::deploy::{Change, NamespacePolicy, Options};
use super::guard::{GRACE, Guard};
use super::ledger::{self, Ledger};
use super::rehearse::{self, Rehearsal};
use super::stop::Wish;
use super::undo::Undo;
use super::{Error, Session, WayBack, failure, lock, outcome};
use crate::event::Event;
use crate::plan::Observed;
use crate::release::Release;

/// Why a change did not come to a good end.
enum Fault {
    /// The change itself failed, which is recorded as far as it can be.
    Change(Error),
    /// Nothing was begun, the lock was lost, or the change is done and only what comes after it is not.
    Beside(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Beside(error)
    }
}

impl Change {
    /// Carries the change out and gives the revision as it is recorded in the end.
    ///
    /// The Lease of the release is held from before the first write until after the last one; a
    /// change that has nothing to write takes none.
    ///
    /// # Errors
    /// If another process holds the release or has changed it since the change was decided, a write
    /// fails, the resources are not ready in time, or a record cannot be written. A revision that
    /// was begun is then recorded as failed, with what is known of why; only if the Lease is lost it stays
    /// pending. If the options say so, the change is undone after that, and the error tells what came of
    /// that.
    pub async fn execute(
        mut self,
        session: &Session<'_>,
        options: &Options,
        on: &mut dyn FnMut(Event),
    ) -> Result<Release, Error> {
        self.observed = Observed::new();
        if self.is_no_op() {
            self.notices.iter().for_each(|notice| on(notice.clone()));
            Box::pin(self.tidy(session, on)).await?;
            return self.keep(session, options, on).await;
        }
        lock::refuse_other(session, &self.past).await?;
        Box::pin(self.make_namespace(session, on)).await?;
        let mut lease = lock::take(session, on).await?;
        let undo = Undo::of(&self, options);
        let listening = Wish::of(session.stop);
        // From here on there is something to look after.
        let guard = Guard::of(session, &lease, options.timeout);
        let work = Box::pin(self.apply(session, (options, guard), on));
        let result = lock::keep(session, &mut lease, work).await?;
        lock::release(lease, on).await;
        match (result, undo) {
            (Ok(release), _) => Ok(release),
            (Err(Fault::Change(error)), Some(undo)) => {
                let error = Box::pin(undo.after(session, (error, options), on)).await;
                // Whoever stops it before it has begun is heard by it then.
                drop(listening);
                Err(error)
            }
            (Err(Fault::Change(error) | Fault::Beside(error)), _) => Err(error),
        }
    }

    /// Creates the namespace if it is to be created, and asks about what can be checked only then.
    async fn make_namespace(
        &mut self,
        session: &Session<'_>,
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        let cluster = session.cluster;
        if self.terms.namespace == NamespacePolicy::MustExist
            || cluster.namespace_exists(session.namespace).await?
        {
            return Ok(());
        }
        cluster.create_namespace(session.namespace).await?;
        on(Event::NamespaceCreated(session.namespace.to_owned()));
        if self.terms.rehearsal == Rehearsal::Server {
            let told = rehearse::rehearse(session, &mut self.plan, &self.aim, &self.terms).await?;
            let is_new = |event: &Event| !self.notices.contains(event);
            let told: Vec<Event> = told.into_iter().filter(is_new).collect();
            told.into_iter().for_each(on);
            rehearse::refuse(&self.plan)?;
        }
        Ok(())
    }

    /// Writes everything, under the lock.
    async fn apply(
        mut self,
        session: &Session<'_>,
        (options, guard): (&Options, Guard<'_>),
        on: &mut dyn FnMut(Event),
    ) -> Result<Release, Fault> {
        let begun = self.begin(session, &guard, on).await;
        let record = begun.map_err(|error| heard(&guard, error, on))?;
        let revision = self.release.revision;
        on(Event::Begun {
            revision,
            counts: self.plan.counts(),
        });
        let under = (record.as_deref(), &guard);
        let kept = outcome::keep_sources(session, &self, under).await;
        let result = match kept {
            Ok(()) => Box::pin(self.carry_out(session, guard.clone(), on)).await,
            Err(error) => Err(heard(&guard, error, on)),
        };
        let ledger = Ledger {
            session,
            guard: &guard,
        };
        let proven = guard.beyond(GRACE).prove().await;
        let release = match (result, proven) {
            (Ok(()), Ok(())) => outcome::succeed(ledger, self).await?,
            (Err(error), Ok(())) => {
                return Err(self.fail(ledger, (options, error), on).await);
            }
            // What went wrong first is what the error says, unless it is what stopped the change.
            (Err(error), Err(second @ Error::Stalled { .. })) => {
                on(unrecorded(revision, &second));
                return Err(Fault::Beside(error));
            }
            (_, Err(error)) => return Err(Fault::Beside(error)),
        };
        on(Event::Finished {
            revision: release.revision,
            status: release.info.status,
        });
        Ok(release)
    }

    /// Checks that nothing has happened since the change was decided, and records that it begins; gives the uid
    /// of a new record.
    async fn begin(
        &mut self,
        session: &Session<'_>,
        guard: &Guard<'_>,
        on: &mut dyn FnMut(Event),
    ) -> Result<Option<String>, Error> {
        let confirmed = lock::confirm(session, &self.past);
        guard.stop.or(confirmed).await?;
        self.notices.iter().for_each(|notice| on(notice.clone()));
        guard.stop.or(self.remember_hooks(session)).await?;
        outcome::begin(session, self, guard).await
    }

    /// Deletes what the failed change has created, if that is wanted, and records why it has failed.
    async fn fail(
        self,
        ledger: Ledger<'_>,
        (options, mut error): (&Options, Error),
        on: &mut dyn FnMut(Event),
    ) -> Fault {
        let Ledger { session, guard } = ledger;
        failure::cover(session, &self, &mut error).await;
        let cleaned = self.clean_up(session, (options, guard), on).await;
        // That may have taken longer than the lock was there.
        match guard.beyond(GRACE).prove().await {
            Ok(()) | Err(Error::Stalled { .. }) => {}
            Err(lost) => return Fault::Beside(lost),
        }
        let (name, revision) = (self.release.name.clone(), self.release.revision);
        // What went wrong first is what the error says; a record that could not be written stays
        // pending, and the next command goes on from there.
        if let Err(second) = outcome::fail(ledger, self, &error).await {
            on(unrecorded(revision, &second));
        }
        Fault::Change(uncleaned((name, revision), error, cleaned))
    }

    /// Gives older revisions their final status where the command that made the newest one was killed
    /// before it could.
    async fn tidy(&self, session: &Session<'_>, on: &mut dyn FnMut(Event)) -> Result<(), Error> {
        if !outcome::is_untidy(&self.past) {
            return Ok(());
        }
        ledger::under_lock((session, &self.past), on, async |ledger| {
            outcome::tidy(ledger, &self.past, self.release.revision - 1).await
        })
        .await
    }

    /// Records nothing, waits for what is not ready, and gives the newest revision as it is.
    async fn keep(
        mut self,
        session: &Session<'_>,
        options: &Options,
        on: &mut dyn FnMut(Event),
    ) -> Result<Release, Error> {
        if self.terms.recording.description.is_some() {
            let revision = self.release.revision - 1;
            on(Event::Undescribed { revision });
        }
        // What writes nothing needs no lock.
        let guard = Guard::without_lock(session, options.timeout);
        Box::pin(self.carry_out(session, guard, on)).await?;
        // A process that was killed after its last record has left it. It disturbs nobody if it stays.
        let _ = lock::sweep(session).await;
        self.past
            .base
            .pop()
            .ok_or_else(|| Error::no_release(session))
    }
}

/// What an error at the beginning comes to. What was under way when the change was to stop may have failed
/// because of that, or not; the lock counts more.
fn heard(guard: &Guard<'_>, error: Error, on: &mut dyn FnMut(Event)) -> Error {
    match error {
        Error::Lost { .. } | Error::Stalled { .. } => error,
        _ if guard.stop.is_there() => {
            on(Event::Stopping);
            Error::Interrupted
        }
        error => error,
    }
}

/// Tells that a revision that failed is not recorded as such.
fn unrecorded(revision: u32, error: &Error) -> Event {
    Event::Unrecorded {
        revision,
        reason: outcome::told(error),
    }
}

/// The error of a change that failed, with that of the attempt to delete what it has created.
fn uncleaned(
    (release, revision): (String, u32),
    error: Error,
    cleaned: Result<(), Error>,
) -> Error {
    match cleaned {
        Ok(()) => error,
        Err(second) => Error::Stranded {
            release,
            revision,
            way: WayBack::CleanUp,
            source: Box::new(error),
            second: Box::new(second),
        },
    }
}
