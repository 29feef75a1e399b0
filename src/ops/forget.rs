//! `uninstall --forget`: the records of a release go, and everything that it applied stays.

use std::collections::BTreeSet;

use super::catalogue::Catalogue;
use super::guard::Guard;
use super::ledger::Ledger;
use super::prepare::Past;
use super::{Error, Session, Terms, lock, outcome};
use crate::event::Event;
use crate::manifest::ResourceId;

/// A release that is to be forgotten. Nothing has been written.
#[derive(Debug)]
pub struct Forgetting {
    /// The revisions whose records go.
    pub revisions: Vec<u32>,
    /// What the release has applied, by its records, and what therefore stays.
    pub stays: Vec<ResourceId>,
    past: Past,
}

/// Decides to delete the records of a release and nothing else.
///
/// # Errors
/// If there is no such release, Helm may be changing it, or its records cannot be read. Nothing is
/// written.
pub async fn forget(session: &Session<'_>, terms: &Terms) -> Result<Forgetting, Error> {
    let past = Past::read(session).await?;
    if past.entries.is_empty() {
        return Err(Error::no_release(session));
    }
    lock::refuse_helm(session, &past, terms.pending_timeout)?;
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
        let mut lease = lock::take(session, on).await?;
        let guard = Guard::of_few(session, &lease);
        let ledger = Ledger {
            session,
            guard: &guard,
        };
        let work = async {
            lock::confirm(session, &self.past).await?;
            outcome::delete_all(ledger, &self.past.entries).await
        };
        let deleted = lock::keep(session, &mut lease, work).await?;
        lock::release(lease, on).await;
        deleted
    }
}
