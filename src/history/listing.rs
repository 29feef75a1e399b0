//! Which revisions there are, as lists of their records tell.
//!
//! Names, statuses and label selectors come in, [`Entry`]s go out: one page of metadata after the other, of which
//! only what is asked for stays in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Entry, Error, Key, PAYLOADS, Store};
use crate::release::{self, Release, Status};

impl Store<'_> {
    /// The revisions of the release `name`, oldest first; none if there is no such release.
    ///
    /// # Errors
    /// If the Secrets cannot be listed.
    pub async fn history(&self, name: &str) -> Result<Vec<Entry>, Error> {
        let mut entries = self.entries(&format!("name={name},owner=helm")).await?;
        entries.sort_by_key(|entry| entry.revision);
        Ok(entries)
    }

    /// The newest revision of each release of these names, or of all if there are none, sorted by
    /// namespace and name.
    ///
    /// # Errors
    /// If the Secrets cannot be listed.
    pub async fn newest(&self, names: &[String]) -> Result<Vec<Entry>, Error> {
        type Newest = BTreeMap<(String, String), Entry>;
        let add = |newest: &mut Newest, entry: Entry| {
            let key = (entry.namespace.clone(), entry.name.clone());
            let is_newer = |known: &Entry| known.revision < entry.revision;
            if newest.get(&key).is_none_or(is_newer) {
                newest.insert(key, entry);
            }
        };
        let newest = self.gather(&selector(names), add).await?;
        Ok(newest.into_values().collect())
    }

    /// All revisions that stand at `status`.
    ///
    /// # Errors
    /// If the Secrets cannot be listed.
    pub async fn of_status(&self, status: Status) -> Result<Vec<Entry>, Error> {
        self.entries(&format!("owner=helm,status={status}")).await
    }

    /// The keys of all revisions whose labels, Helm's and the user's, match a label selector.
    ///
    /// # Errors
    /// If the Secrets cannot be listed, or the API server does not understand the selector.
    pub async fn matching(&self, selector: &str) -> Result<BTreeSet<Key>, Error> {
        let entries = self.entries(&format!("owner=helm,{selector}")).await?;
        Ok(entries.iter().map(Entry::key).collect())
    }

    async fn entries(&self, selector: &str) -> Result<Vec<Entry>, Error> {
        self.gather(selector, Vec::push).await
    }

    /// What `add` takes over of the revisions that match a label selector.
    async fn gather<T: Default>(
        &self,
        selector: &str,
        mut add: impl FnMut(&mut T, Entry),
    ) -> Result<T, Error> {
        let kind = self.driver.kind();
        let of = (&kind, self.namespace);
        let take = |all: &mut T, metadata| {
            if let Some(entry) = Entry::of(metadata) {
                add(all, entry);
            }
        };
        let found = self.cluster.gather_metadata(of, selector, take).await;
        found.map_err(|source| Error::List { source })
    }

    /// The newest deployed revision of each release of these names, or of all if there are none, read
    /// by one list; where a payload cannot be read, why.
    ///
    /// # Errors
    /// If the Secrets cannot be listed.
    pub async fn deployed(
        &self,
        names: &[String],
    ) -> Result<Vec<(Entry, Result<Release, String>)>, Error> {
        let selector = format!("{},status=deployed", selector(names));
        let mut newest: BTreeMap<(String, String), (Entry, Result<Release, String>)> =
            BTreeMap::new();
        let take = |object: Value| {
            let Some(entry) = entry_of(&object) else {
                return;
            };
            let key = (entry.namespace.clone(), entry.name.clone());
            let is_newer = |(known, _): &(Entry, _)| known.revision < entry.revision;
            if newest.get(&key).is_none_or(is_newer) {
                let release = release::decode(&self.driver.payload(&object))
                    .map_err(|error| error.to_string());
                newest.insert(key, (entry, release));
            }
        };
        let kind = self.driver.kind();
        let of = (&kind, self.namespace);
        let listed = self
            .cluster
            .list_each(of, (&selector, PAYLOADS), take)
            .await;
        listed.map_err(|source| Error::List { source })?;
        Ok(newest.into_values().collect())
    }
}

/// What finds the records of releases of these names, or of all if there are none.
fn selector(names: &[String]) -> String {
    match names {
        [] => "owner=helm".to_owned(),
        names => format!("owner=helm,name in ({})", names.join(",")),
    }
}

fn entry_of(object: &Value) -> Option<Entry> {
    let metadata = object.get("metadata")?.clone();
    Entry::of(serde_json::from_value(metadata).ok()?)
}
