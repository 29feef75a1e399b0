//! `uninstall`: the end of a release, which is a change to a manifest without resources.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{self, Desired, Past};
use super::{Change, Error, History, Session, Terms, lock};
use crate::manifest::Manifest;
use crate::release::Status;

/// Decides to delete everything that a release applied, and its records unless they are to be kept.
///
/// # Errors
/// If there is no such release, it is uninstalled and is to be kept so, or Helm may be changing it. Nothing is written.
pub async fn uninstall(session: &Session<'_>, terms: &Terms) -> Result<Change, Error> {
    let past = Past::read(session).await?;
    let newest = past.newest().ok_or_else(|| Error::no_release(session))?;
    if newest.status != Status::Uninstalling {
        lock::refuse_helm(session, &past)?;
    }
    if newest.status == Status::Uninstalled && terms.recording.history == History::Keep {
        return Err(Error::Uninstalled {
            release: newest.name.clone(),
            revision: newest.revision,
        });
    }
    let mut release = session.store().read(newest).await?;
    prepare::refuse_hooks(&release)?;
    release.info.status = Status::Uninstalling;
    release.info.deleted = Some((session.now)());
    "Deletion in progress".clone_into(&mut release.info.description);
    let catalogue = Catalogue::new(session.cluster, session.namespace);
    let desired = Desired {
        release,
        manifest: Manifest::default(),
        definitions: vec![],
    };
    let goal = Goal {
        desired,
        completed: "Uninstallation complete".to_owned(),
        notices: vec![],
        terms,
    };
    deploy::decide(session, goal, past, catalogue).await
}
