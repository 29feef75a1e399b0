//! The way back from a change that failed: `--rollback-on-failure`.
//!
//! An upgrade goes back to the last good revision as a rollback does, an installation to nothing as an
//! uninstallation does: by changes of their own, under a lock of their own, that begin with what
//! the failed one has left.

use super::catalogue::Catalogue;
use super::prepare::Past;
use super::transition::Rules;
use super::{
    Back, Change, Error, History, Leftovers, OnFailure, Options, Recording, Session, Terms,
    WayBack, rollback, uninstall,
};
use crate::event::Event;
use crate::history::{self, Entry};
use crate::release::Status;

/// What is done if a change fails.
pub(super) struct Undo {
    way: WayBack,
    revision: u32,
    terms: Terms,
}

impl Undo {
    /// What is done if `change` fails, if anything is.
    pub(super) fn of(change: &Change, options: &Options) -> Option<Self> {
        if options.on_failure == OnFailure::Stay {
            return None;
        }
        let way = match change.release.info.status {
            Status::PendingInstall => WayBack::Uninstallation,
            Status::Uninstalling => return None,
            _ => WayBack::Rollback,
        };
        // A name that was used before goes back to what it was.
        let is_old = |entry: &Entry| entry.status != Status::PendingInstall;
        let history = if change.past.entries.iter().any(is_old) {
            History::Keep
        } else {
            History::Delete
        };
        Some(Self {
            way,
            revision: change.release.revision,
            terms: Terms {
                recording: Recording {
                    history,
                    history_max: change.terms.recording.history_max,
                    ..Recording::default()
                },
                fixed: None,
                ..change.terms.clone()
            },
        })
    }

    /// Goes back because of an error, and gives the error that the command ends with.
    pub(super) async fn after(
        self,
        session: &Session<'_>,
        (error, options): (Error, &Options),
        on: &mut dyn FnMut(Event),
    ) -> Error {
        let session = Session {
            // Who has asked the change to stop wants it undone, not stopped as well.
            stop: session.stop.filter(|stop| !stop.is_asked()),
            ..*session
        };
        let options = Options {
            on_failure: OnFailure::Stay,
            leftovers: Leftovers::Keep,
            ..*options
        };
        let release = session.release.to_owned();
        let (revision, way) = (self.revision, self.way);
        match self.go(&session, &options, on).await {
            Ok(back) => Error::WentBack {
                release,
                revision,
                back,
                source: Box::new(error),
            },
            Err(second) => Error::Stranded {
                release,
                revision,
                way,
                source: Box::new(error),
                second: Box::new(second),
            },
        }
    }

    async fn go(
        mut self,
        session: &Session<'_>,
        options: &Options,
        on: &mut dyn FnMut(Event),
    ) -> Result<Back, Error> {
        let revision = self.revision;
        if self.way == WayBack::Uninstallation {
            on(Event::GoingBack { revision, to: None });
            // All goes, so that nothing is made anew.
            self.terms.consent.recreate.clear();
            let change = uninstall::uninstall(session, &self.terms).await?;
            refuse_another(session, change.release.revision, revision)?;
            Box::pin(change.execute(session, options, on)).await?;
            return Ok(Back::ToNothing);
        }
        let past = Past::read(session).await?;
        refuse_another(session, past.next_revision(), revision + 1)?;
        let good = history::deployed(&past.entries);
        let good = good.filter(|good| good.revision < revision);
        let Some(good) = good.cloned() else {
            return Err(Error::NeverDeployed {
                release: session.release.to_owned(),
            });
        };
        let to = good.revision;
        on(Event::GoingBack {
            revision,
            to: Some(to),
        });
        self.narrow(session, &good).await?;
        let change = rollback::rollback(session, Some(to), Rules::Hold, &self.terms).await?;
        refuse_another(session, change.release.revision, revision + 1)?;
        let release = Box::pin(change.execute(session, options, on)).await?;
        Ok(Back::To {
            revision: to,
            now: release.revision,
        })
    }

    /// Takes back the agreement to make anew what the good revision has not.
    async fn narrow(&mut self, session: &Session<'_>, good: &Entry) -> Result<(), Error> {
        let names = &mut self.terms.consent.recreate;
        if names.is_empty() {
            return Ok(());
        }
        let release = session.store().read(good).await?;
        let mut catalogue = Catalogue::new(session.cluster, session.namespace);
        let manifest = catalogue.recorded(&release).await?;
        names.retain(|named| {
            let mut resources = manifest.resources.iter();
            resources.any(|resource| named.is(&resource.id))
        });
        Ok(())
    }
}

/// Refuses to undo what another command has done since: between the failed change and the way back nobody
/// holds the lock.
fn refuse_another(session: &Session<'_>, found: u32, expected: u32) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Overtaken {
        release: session.release.to_owned(),
    })
}
