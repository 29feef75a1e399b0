//! How kinds merge that the cluster adds: looked up in the manifests at hand, else asked for.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::Error;
use crate::capabilities::{Kind, Kinds};
use crate::cluster::Cluster;
use crate::manifest::Manifest;
use crate::plan::structure;

/// Learns how the `wanted` kinds merge; tells whether that is known of any of them now.
///
/// The first of `manifests` that defines a kind counts. One request per group and version asks for what is
/// in none of them.
pub(super) async fn learn(
    cluster: &Cluster,
    kinds: &mut Kinds,
    (wanted, manifests): (BTreeSet<Kind>, &[&Manifest]),
) -> Result<bool, Error> {
    let mut found = vec![];
    let mut others: BTreeMap<(String, String), Vec<Kind>> = BTreeMap::new();
    for kind in wanted {
        if let Some(structure) = structure::defined(&kind, manifests) {
            found.push((kind, structure));
        } else {
            let served_by = (kind.group.clone(), kind.version.clone());
            others.entry(served_by).or_default().push(kind);
        }
    }
    let reads = others
        .keys()
        .map(|(group, version)| cluster.structures((group, version)));
    let answers = try_join_all(reads).await?;
    for (mut answer, kinds) in answers.into_iter().zip(others.into_values()) {
        let known = kinds.into_iter();
        found.extend(known.filter_map(|kind| {
            let structure = answer.remove(&kind.kind)?;
            Some((kind, structure))
        }));
    }
    let is_new = !found.is_empty();
    kinds.learn(found);
    Ok(is_new)
}
