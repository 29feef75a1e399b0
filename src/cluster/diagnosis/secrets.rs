//! The values of the Secrets that pods in trouble use, so that what is told of them shows none.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use super::known::KnownValues;
use super::pods::Source;
use crate::builtin;
use crate::cluster::Cluster;
use crate::cluster::path::Address;

/// How long reading them may take.
const PATIENCE: Duration = Duration::from_secs(2);

impl Cluster {
    /// Reads the Secrets that pods of each place use. What may not be read is not known; where they cannot
    /// be read in time, nothing that pods say can be shown.
    pub(super) async fn secrets_of(&self, pods: &[(&str, &Source)]) -> KnownValues {
        let Some(kind) = builtin::kind("", "Secret") else {
            return KnownValues::default();
        };
        let names = pods.iter().flat_map(|(place, pod)| {
            let names = pod.secrets.iter();
            names.map(|name| (*place, name.as_str()))
        });
        let names: BTreeSet<(&str, &str)> = names.collect();
        let reads = names.into_iter().map(async |(place, name)| {
            let at = Address {
                kind,
                namespace: Some(place),
                name,
            };
            self.get(&at).await.ok().flatten()
        });
        match timeout(PATIENCE, join_all(reads)).await {
            Ok(secrets) => KnownValues::of(secrets.iter().flatten()),
            Err(_) => KnownValues::unreadable(),
        }
    }
}
