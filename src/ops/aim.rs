//! What a change aims at, and the plan to get there from what the cluster holds.

use std::collections::BTreeMap;

use super::{Error, Session, credentials};
use crate::capabilities::{Kind, Kinds};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::{Inputs, Observed, Plan};

/// Everything that a plan is made from, apart from what the cluster holds.
#[derive(Debug)]
pub(super) struct Aim {
    /// What is wanted.
    pub(super) desired: Manifest,
    /// Everything applied since the last good revision, oldest first.
    pub(super) base: Vec<Manifest>,
    /// What a revision in the history generates, by name, with the newest such revision.
    pub(super) mentions: BTreeMap<String, u32>,
    /// The kinds that the cluster knows.
    pub(super) kinds: Kinds,
}

/// What the cluster holds of an aim.
pub(super) struct Seen {
    pub(super) observed: Observed,
    /// What is generated for the release.
    pub(super) generated: Vec<(ResourceId, Kind)>,
}

impl Aim {
    /// Reads what the cluster holds of it.
    pub(super) async fn observe(&self, session: &Session<'_>) -> Result<Seen, Error> {
        let wanted = self.wanted();
        let (generated, mut observed) =
            futures::try_join!(credentials::generated(session), async {
                Ok(session.cluster.observe(&wanted).await?)
            })?;
        let more = generated.iter();
        let more = more.filter(|(id, _)| !observed.contains_key(id));
        let more: Vec<_> = more.cloned().collect();
        observed.extend(session.cluster.observe(&more).await?);
        Ok(Seen {
            observed,
            generated,
        })
    }

    /// Every resource once, with the kind that the cluster serves.
    fn wanted(&self) -> Vec<(ResourceId, Kind)> {
        let mut wanted = BTreeMap::new();
        let manifests = self.base.iter().chain([&self.desired]);
        for resource in manifests.flat_map(|manifest| &manifest.resources) {
            if let Some(kind) = self.kinds.find(&resource.api_version, &resource.id.kind) {
                wanted
                    .entry(resource.id.clone())
                    .or_insert_with(|| kind.clone());
            }
        }
        wanted.into_iter().collect()
    }

    /// Plans the way to it from what the cluster holds.
    pub(super) fn plan(&self, session: &Session<'_>, observed: &Observed) -> Result<Plan, Error> {
        Ok(Plan::new(&Inputs {
            desired: &self.desired,
            base: &self.base,
            observed,
            mentions: &self.mentions,
            owner: session.owner(),
            kinds: &self.kinds,
            now: (session.now)(),
        })?)
    }
}
