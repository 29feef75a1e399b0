//! Records whose payload may not be legible: what can be read of them, and what can be written all the same.

use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;

use super::{CONCURRENCY, Entry, Error, MANAGER, Store, Summary, at};
use crate::cluster::{Patch, Write};
use crate::release::{self, Outline, Release, Status};

impl Store<'_> {
    /// The whole revisions behind `entries`, in the same order, and the numbers of those whose payload cannot
    /// be read.
    ///
    /// # Errors
    /// If a Secret cannot be had.
    pub async fn read_legible(&self, entries: &[Entry]) -> Result<(Vec<Release>, Vec<u32>), Error> {
        let reads = entries.iter().map(|entry| self.read(entry));
        let read: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).collect().await;
        let (mut releases, mut unread) = (vec![], vec![]);
        for one in read {
            match one {
                Ok(release) => releases.push(release),
                Err(Error::Decode { entry, .. }) => unread.push(entry.revision),
                Err(error) => return Err(error),
            }
        }
        Ok((releases, unread))
    }

    /// Fills in the summaries that Helm has dropped, from the payloads. A payload that cannot be
    /// read leaves its entry without a summary.
    ///
    /// # Errors
    /// If a Secret cannot be read.
    pub async fn summarise(&self, entries: &mut [Entry]) -> Result<(), Error> {
        let missing: Vec<usize> = (0..entries.len())
            .filter(|index| entries[*index].summary.is_none())
            .collect();
        let reads = missing.iter().map(|index| self.outline(&entries[*index]));
        let read: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).collect().await;
        for (index, outline) in missing.into_iter().zip(read) {
            match outline {
                Ok(outline) => entries[index].summary = Some(Summary::of_outline(&outline)),
                Err(Error::Decode { .. } | Error::Gone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What a list shows of the revision behind `entry`, without the rest of it.
    async fn outline(&self, entry: &Entry) -> Result<Outline, Error> {
        let (outline, _) = self.decoded(entry, release::decode_outline).await?;
        Ok(outline)
    }

    /// Gives a revision another status by the labels of its record alone, for want of a payload that could be
    /// written again.
    ///
    /// # Errors
    /// If the Secret cannot be written.
    pub async fn mark(&self, entry: &Entry, status: Status, now: Timestamp) -> Result<(), Error> {
        let patch = json!({"metadata": {"labels": {
            "modifiedAt": now.as_second().to_string(),
            "status": status.name(),
        }}});
        let kind = self.driver.kind();
        let at = at(&kind, &entry.namespace, &entry.secret);
        let written = self
            .cluster
            .patch(&at, Patch::Merge(&patch), Write::by(MANAGER));
        written.await.map_err(|source| Error::Write {
            secret: entry.secret.clone(),
            source,
        })?;
        Ok(())
    }
}
