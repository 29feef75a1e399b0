//! What becomes of what a change has created before it failed: `--cleanup-on-fail`.

use super::guard::{GRACE, Guard};
use super::{Change, Error, Options, Session, StepError};
use crate::capabilities::Kind;
use crate::cluster::{self, Address, Deletion};
use crate::event::{Done, Event};
use crate::manifest::ResourceId;
use crate::plan::Action;
use crate::plan::leftover::FailedChange;
use crate::release::Status;

/// What becomes of what a change has created before it failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leftovers {
    /// It stays, and the next change goes on from there.
    #[default]
    Keep,
    /// It is deleted again, if it is not part of the last good revision; an installation, of which
    /// everything is new, keeps it.
    Delete,
}

impl Change {
    /// Deletes again what the change has created, under its lock. What is being deleted is not waited for.
    pub(super) async fn clean_up(
        &self,
        session: &Session<'_>,
        (options, guard): (&Options, &Guard<'_>),
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        let status = self.release.info.status;
        let is_upgrade = matches!(status, Status::PendingUpgrade | Status::PendingRollback);
        if options.leftovers == Leftovers::Keep || !is_upgrade {
            return Ok(());
        }
        let is_created = |action: &Action| matches!(action, Action::Create(_));
        let created = self.plan.steps().filter(|step| is_created(&step.action));
        let created: Vec<(ResourceId, Kind)> = created
            .map(|step| (step.id.clone(), step.kind.clone()))
            .collect();
        let is_good = |status: Status| matches!(status, Status::Deployed | Status::Superseded);
        let base = self.past.base.iter().zip(&self.aim.base);
        let good = base.rev().find(|(release, _)| is_good(release.info.status));
        let good = good.map(|(_, manifest)| manifest);
        let resources = self.aim.base.iter().flat_map(|one| &one.resources);
        let known = resources.filter_map(|resource| {
            let kinds = &self.aim.kinds.all;
            let kind = kinds.find(&resource.api_version, &resource.id.kind)?;
            Some((resource.id.clone(), kind.clone()))
        });
        let mut wanted = created.clone();
        wanted.extend(known.filter(|one| !created.contains(one)));
        let live = session.cluster.observe(&wanted).await?;
        let failed = FailedChange {
            owner: session.owner(),
            desired: &self.aim.desired,
            good,
            base: &self.aim.base,
            live: &live,
        };
        let is_stopped = guard.stop.is_there();
        let guard = guard.beyond(if is_stopped { GRACE } else { options.timeout });
        let mut errors = vec![];
        for (id, kind, uid) in failed.leftovers(&created) {
            guard.pass().await?;
            match delete(session, (id, kind), &uid).await {
                Ok(true) => on(Event::Stepped {
                    id: id.clone(),
                    done: Done::Deleted,
                }),
                Ok(false) => {}
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Steps(errors))
        }
    }
}

/// Deletes a resource, if it is still this one, and tells whether it was.
async fn delete(
    session: &Session<'_>,
    (id, kind): (&ResourceId, &Kind),
    uid: &str,
) -> Result<bool, StepError> {
    let at = Address {
        kind,
        namespace: id.namespace.as_deref(),
        name: &id.name,
    };
    let deletion = Deletion {
        only_if: cluster::Precondition {
            uid: Some(uid),
            resource_version: None,
        },
        ..Deletion::default()
    };
    match session.cluster.delete(&at, deletion).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(false),
        Err(source) => Err(StepError::Request {
            id: id.clone(),
            doing: "delete",
            origin: "what the failed change has created".to_owned(),
            source,
        }),
    }
}
