//! The values of the Secrets that pods use, so that what is told of them shows none.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::timeout;

use super::known::KnownValues;
use crate::builtin;
use crate::cluster::Cluster;
use crate::cluster::path::Address;
use crate::plan::credentials;

/// How long reading them may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The names of the Secrets that a pod uses.
pub(in crate::cluster) fn used_by(pod: &Value) -> BTreeSet<String> {
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    let names = credentials::secrets_in(spec).into_iter();
    names.map(str::to_owned).collect()
}

impl Cluster {
    /// Reads Secrets by namespace and name, those that pods use. What may not be read is not known; where
    /// they cannot be read in time, nothing that pods say can be shown.
    pub(in crate::cluster) async fn known_values(
        &self,
        names: BTreeSet<(&str, &str)>,
    ) -> KnownValues {
        let Some(kind) = builtin::kind("", "Secret") else {
            return KnownValues::default();
        };
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
