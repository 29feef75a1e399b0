//! The stored revisions of releases: Helm's Secrets of type `helm.sh/release.v1`, or its `ConfigMap`s.
//!
//! Revisions come in and are written; lists and histories go out as [`Entry`] from metadata
//! alone, and whole [`Release`]s one at a time. What is in a record is left to `release`, when it
//! is written to `ops`.

mod driver;
mod entry;
mod error;
mod listing;
mod sources;
mod writing;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

pub use driver::{Driver, DriverError};
use entry::secret_name;
pub use entry::{Entry, Key, Summary};
pub use error::Error;

use crate::capabilities::Kind;
use crate::cluster::{Address, Cluster};
use crate::manifest::ResourceId;
use crate::release::{self, Outline, Release, Status};

/// The `type` of the Secrets that hold sources of charts.
const SOURCES_TYPE: &str = "pintle.dev/chart.v1";
/// The annotation that makes lists cheap. Helm drops it whenever it writes a record, so its
/// absence means that the payload has to be read.
const SUMMARY: &str = "pintle.dev/summary";
/// The field manager of records, as Helm writes them.
const MANAGER: &str = "helm";
/// How many payloads are read at once.
const CONCURRENCY: usize = 16;
/// How many payloads, of up to 1 MiB each, one page of a list holds.
const PAYLOADS: usize = 32;

/// The releases stored in one namespace, or in all of them.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    cluster: &'a Cluster,
    namespace: Option<&'a str>,
    driver: Driver,
}

impl<'a> Store<'a> {
    /// The releases in `namespace`.
    pub fn in_namespace(cluster: &'a Cluster, namespace: &'a str) -> Self {
        Self {
            cluster,
            namespace: Some(namespace),
            driver: Driver::default(),
        }
    }

    /// The releases in all namespaces.
    pub fn everywhere(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            namespace: None,
            driver: Driver::default(),
        }
    }

    /// The same, held by something else.
    #[must_use]
    pub fn with(self, driver: Driver) -> Self {
        Self { driver, ..self }
    }

    /// What names the record of a revision, whether there is one or not.
    pub fn record(&self, release: &str, revision: u32) -> (ResourceId, Kind) {
        let kind = self.driver.kind();
        let id = ResourceId {
            group: String::new(),
            kind: kind.kind.clone(),
            namespace: self.namespace.map(str::to_owned),
            name: secret_name(release, revision),
        };
        (id, kind)
    }

    /// The whole revision behind `entry`.
    ///
    /// # Errors
    /// If the Secret cannot be read or does not hold a release.
    pub async fn read(&self, entry: &Entry) -> Result<Release, Error> {
        let (mut release, version) = self.decoded(entry, release::decode).await?;
        release.labels = entry.labels.clone();
        release.record_version = version;
        Ok(release)
    }

    /// What a list shows of the revision behind `entry`, without the rest of it.
    async fn outline(&self, entry: &Entry) -> Result<Outline, Error> {
        let (outline, _) = self.decoded(entry, release::decode_outline).await?;
        Ok(outline)
    }

    /// What `decode` makes of the payload behind `entry`, and the version of its record.
    async fn decoded<T>(
        &self,
        entry: &Entry,
        decode: impl FnOnce(&[u8]) -> Result<T, release::PayloadError>,
    ) -> Result<(T, Option<String>), Error> {
        let object = self
            .cluster
            .get(&at(&self.driver.kind(), &entry.namespace, &entry.secret))
            .await
            .map_err(|source| Error::Read {
                secret: entry.secret.clone(),
                source,
            })?
            .ok_or_else(|| Error::Gone {
                secret: entry.secret.clone(),
            })?;
        let decoded = decode(&self.driver.payload(&object)).map_err(|source| Error::Decode {
            secret: entry.secret.clone(),
            source,
        })?;
        Ok((decoded, version(&object)))
    }

    /// The whole revisions behind `entries`, in the same order.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_all(&self, entries: &[Entry]) -> Result<Vec<Release>, Error> {
        stream::iter(entries.iter().map(|entry| self.read(entry)))
            .buffered(CONCURRENCY)
            .try_collect()
            .await
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
}

/// The entries that a change has to be computed from: the last deployed revision and everything
/// tried since. Without a deployed one, everything after the last revision that is over.
pub fn base(entries: &[Entry]) -> &[Entry] {
    let is = |status: Status| move |entry: &Entry| entry.status == status;
    if let Some(deployed) = entries.iter().rposition(is(Status::Deployed)) {
        return &entries[deployed..];
    }
    let over = |e: &Entry| matches!(e.status, Status::Superseded | Status::Uninstalled);
    match entries.iter().rposition(over) {
        Some(last) if entries[last].status == Status::Superseded => &entries[last..],
        Some(last) => &entries[last + 1..],
        None => entries,
    }
}

/// The newest entry that is deployed; where none is, the newest that was.
pub fn deployed(entries: &[Entry]) -> Option<&Entry> {
    let newest = |status| {
        let mut found = entries.iter().rev();
        found.find(|entry| entry.status == status)
    };
    newest(Status::Deployed).or_else(|| newest(Status::Superseded))
}

fn version(object: &Value) -> Option<String> {
    let version = object.pointer("/metadata/resourceVersion");
    Some(version?.as_str()?.to_owned())
}

fn at<'a>(kind: &'a Kind, namespace: &'a str, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: Some(namespace),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_base(statuses: &[Status], expected: &[u32]) {
        let entries: Vec<_> = (1..)
            .zip(statuses)
            .map(|(revision, status)| Entry {
                name: "web".to_owned(),
                namespace: "shop".to_owned(),
                revision,
                status: *status,
                secret: secret_name("web", revision),
                version: String::new(),
                labels: std::collections::BTreeMap::new(),
                summary: None,
            })
            .collect();
        let found: Vec<_> = base(&entries).iter().map(|entry| entry.revision).collect();
        assert_eq!(found, expected, "{statuses:?}");
    }

    #[test]
    fn the_base_is_everything_since_the_last_good_revision() {
        use Status::{Deployed, Failed, PendingUpgrade, Superseded, Uninstalled};
        check_base(&[], &[]);
        check_base(&[Superseded, Deployed], &[2]);
        check_base(&[Superseded, Deployed, Failed, PendingUpgrade], &[2, 3, 4]);
        check_base(&[Failed, Failed], &[1, 2]);
        check_base(&[Superseded, Superseded, Failed], &[2, 3]);
        check_base(&[Uninstalled], &[]);
        check_base(&[Uninstalled, Failed], &[2]);
    }
}
