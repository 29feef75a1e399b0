//! Reading a release's past: the list of its revisions, and those that count.

use super::prepare::Past;
use super::{Error, Session, lock, reread};
use crate::history::{self, Entry};
use crate::release::Release;
use crate::render;

impl Past {
    /// Reads the history and the payloads that the next change is computed from.
    pub(super) async fn read(session: &Session<'_>) -> Result<Self, Error> {
        let (past, ()) = Self::read_with(session, async |_| Ok(())).await?;
        Ok(past)
    }

    /// The same, with `more` that is read of the history.
    pub(super) async fn read_with<T>(
        session: &Session<'_>,
        more: impl AsyncFn(&Self) -> Result<T, Error>,
    ) -> Result<(Self, T), Error> {
        reread::steadily(async || {
            let mut past = Self::listed(session).await?;
            let store = session.store();
            past.base = store.read_all(history::base(&past.entries)).await?;
            let found = more(&past).await?;
            Ok((past, found))
        })
        .await
    }

    /// The same as far as payloads can be read, and the revisions of which they cannot.
    pub(super) async fn read_legible(session: &Session<'_>) -> Result<(Self, Vec<u32>), Error> {
        reread::steadily(async || {
            let mut past = Self::listed(session).await?;
            let base = history::base(&past.entries);
            let (legible, unread) = session.store().read_legible(base).await?;
            past.base = legible;
            Ok((past, unread))
        })
        .await
    }

    /// Reads the history without payloads.
    pub(super) async fn listed(session: &Session<'_>) -> Result<Self, Error> {
        let entries = session.store().history(session.release).await?;
        // Before the cluster is observed: what is written later shows in the history.
        let other = lock::other(session, &entries).await?;
        let operation = if entries.is_empty() {
            render::Operation::Install
        } else {
            render::Operation::Upgrade
        };
        Ok(Self {
            entries,
            base: vec![],
            other,
            operation,
        })
    }

    /// The whole revision behind one of the entries, which may have been read already.
    pub(super) async fn whole(
        &self,
        session: &Session<'_>,
        entry: &Entry,
    ) -> Result<Release, Error> {
        let mut base = self.base.iter();
        match base.find(|release| release.revision == entry.revision) {
            Some(release) => Ok(release.clone()),
            None => Ok(session.store().read(entry).await?),
        }
    }
}
