//! `uninstall --forget`: the records of a release go, and everything that it applied stays.

use std::collections::BTreeSet;

use super::catalogue::Catalogue;
use super::prepare::Past;
use super::rights::Records;
use super::{Error, Rehearsal, Session, Terms, ledger, lock, outcome, rights};
use crate::event::Event;
use crate::manifest::ResourceId;

/// A release that is to be forgotten. Nothing has been written.
#[derive(Debug)]
pub struct Forgetting {
    /// The revisions whose records go.
    pub revisions: Vec<u32>,
    /// What the release has applied, by its records, and what therefore stays.
    pub stays: Vec<ResourceId>,
    /// The revisions whose record cannot be read, so that it is not known what of theirs stays.
    pub unread: Vec<u32>,
    past: Past,
}

/// Decides to delete the records of a release and nothing else.
///
/// # Errors
/// If there is no such release, Helm may be changing it, its records cannot be had, or may not be deleted.
/// What they hold need not be legible. Nothing is written.
pub async fn forget(session: &Session<'_>, terms: &Terms) -> Result<Forgetting, Error> {
    let (past, unread) = match Past::read_legible(session).await {
        Err(error) => return Err(rights::unlisted(session, Records::Deleted, error).await),
        Ok(read) => read,
    };
    let Some(newest) = past.newest() else {
        return Err(Error::no_release(session));
    };
    if !unread.contains(&newest.revision) {
        lock::refuse_helm(session, &past, terms.pending_timeout)?;
    }
    if terms.rehearsal == Rehearsal::Server {
        rights::refuse_to_forget(session).await?;
    }
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let (mut known, mut stays) = (BTreeSet::new(), vec![]);
    for release in past.base.iter().rev() {
        let resources = catalogue.applied(release).await?.resources;
        let ids = resources.into_iter().map(|resource| resource.id);
        stays.extend(ids.filter(|id| known.insert(id.clone())));
    }
    Ok(Forgetting {
        revisions: past.entries.iter().map(|entry| entry.revision).collect(),
        stays,
        unread,
        past,
    })
}

impl Forgetting {
    /// Deletes the records, the newest last.
    ///
    /// # Errors
    /// If another process holds the release or has changed it, or a record cannot be deleted.
    pub async fn execute(
        self,
        session: &Session<'_>,
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        lock::refuse_other(session, &self.past).await?;
        ledger::under_lock((session, &self.past), on, async |ledger| {
            outcome::delete_all(ledger, &self.past.entries).await
        })
        .await
    }
}
