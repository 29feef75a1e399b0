//! What a change aims at, and the plan to get there from what the cluster holds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalogue::KnownKinds;
use super::rights::Records;
use super::{Error, Session, credentials, lookup, structure};
use crate::capabilities::{Kind, Kinds};
use crate::manifest::{Manifest, ResourceId};
use crate::plan::structure::{changes, unlearned, warn};
use crate::plan::{Consent, Found, HookAim, Hooks, Inputs, Method, Observed, Plan};
use crate::release::ApplyMethod;

/// Everything that a plan is made from, apart from what the cluster holds.
#[derive(Debug)]
pub(super) struct Aim {
    /// What is wanted.
    pub(super) desired: Manifest,
    /// Everything applied since the last good revision, oldest first.
    pub(super) base: Vec<Manifest>,
    /// What a revision in the history generates, by name, with the newest such revision.
    pub(super) mentions: BTreeMap<String, u32>,
    /// What a plan rests on besides.
    pub(super) found: Found,
    /// Which hooks run, and what is left of hooks.
    pub(super) hooks: HookAim,
    /// How resources are written.
    pub(super) method: Method,
    /// How those of the base were written.
    pub(super) before: ApplyMethod,
    /// What the user has agreed to.
    pub(super) consent: Consent,
    /// The kinds that the cluster serves, and those that the manifests define.
    pub(super) kinds: KnownKinds,
    /// As of when it is planned.
    pub(super) now: Timestamp,
    /// What becomes of the records.
    pub(super) records: Records,
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
                self.read(session, &wanted).await
            })?;
        let more = generated.iter();
        let more = more.filter(|(id, _)| !observed.contains_key(id));
        let more: Vec<_> = more.cloned().collect();
        observed.extend(self.read(session, &more).await?);
        Ok(Seen {
            observed,
            generated,
        })
    }

    /// Reads resources, with the owners of their fields where the plan asks for them.
    async fn read(
        &self,
        session: &Session<'_>,
        wanted: &[(ResourceId, Kind)],
    ) -> Result<Observed, Error> {
        let cluster = session.cluster;
        Ok(match self.method {
            Method::ClientSide => cluster.observe(wanted).await?,
            Method::ServerSide(_) => cluster.observe_managed(wanted).await?,
        })
    }

    /// Every resource once, with the kind that the cluster serves.
    pub(super) fn wanted(&self) -> Vec<(ResourceId, Kind)> {
        let mut wanted = BTreeMap::new();
        let manifests = self.base.iter().chain([&self.desired]);
        let resources = manifests.flat_map(|manifest| &manifest.resources);
        let hooks = self.hooks.resources(&self.desired, &self.base);
        for resource in resources.chain(hooks) {
            let KnownKinds { served, all } = &self.kinds;
            let kind = |kinds: &'_ Kinds| {
                let found = kinds.find(&resource.api_version, &resource.id.kind);
                found.cloned()
            };
            if let Some(kind) = kind(served).or_else(|| kind(all)) {
                wanted.entry(resource.id.clone()).or_insert(kind);
            }
        }
        wanted.into_iter().collect()
    }

    /// Looks up what a plan rests on besides what the manifests name, and plans.
    pub(super) async fn search(
        &mut self,
        session: &Session<'_>,
        observed: &Observed,
    ) -> Result<Plan, Error> {
        // What an earlier search has found hides what it was found by.
        self.found.scaled.clear();
        self.found.instances = lookup::instances(session, self, observed).await?;
        let mut plan = self.plan(session, observed)?;
        if self.learn(session, &plan).await? {
            plan = self.plan(session, observed)?;
        }
        self.found.scaled = lookup::scaled(session, self, &plan).await?;
        if !self.found.scaled.is_empty() {
            plan = self.plan(session, observed)?;
        }
        let unknown = unlearned(changes(&plan), &self.manifests(), &self.kinds.all);
        warn(&mut plan, &unknown);
        Ok(plan)
    }

    /// What is wanted, and what was applied, the newest first.
    fn manifests(&self) -> Vec<&Manifest> {
        let newest = self.base.iter().rev();
        [&self.desired].into_iter().chain(newest).collect()
    }

    /// Learns how the custom resources merge that a plan changes, from what is wanted, what was applied, or
    /// the cluster; tells whether there is anything new to plan by.
    async fn learn(&mut self, session: &Session<'_>, plan: &Plan) -> Result<bool, Error> {
        let newest = self.base.iter().rev();
        let manifests: Vec<&Manifest> = [&self.desired].into_iter().chain(newest).collect();
        let kinds = &mut self.kinds.all;
        let wanted = unlearned(changes(plan), &manifests, kinds);
        structure::learn(session.cluster, kinds, (wanted, &manifests)).await
    }

    /// Whether the base has a resource that is wanted no more.
    pub(super) fn drops(&self, id: &ResourceId) -> bool {
        let has = |manifest: &Manifest| {
            let mut resources = manifest.resources.iter();
            resources.any(|resource| resource.id == *id)
        };
        self.base.iter().any(has) && !has(&self.desired)
    }

    /// Plans the way to it from what the cluster holds.
    pub(super) fn plan(&self, session: &Session<'_>, observed: &Observed) -> Result<Plan, Error> {
        let inputs = self.inputs(session, observed);
        let hooks = Hooks::new(&inputs, &self.hooks)?;
        Ok(Plan::new(&inputs)?.with_hooks(hooks))
    }

    /// What a plan is made from, with what the cluster holds.
    pub(super) fn inputs<'a>(
        &'a self,
        session: &'a Session<'_>,
        observed: &'a Observed,
    ) -> Inputs<'a> {
        Inputs {
            desired: &self.desired,
            base: &self.base,
            observed,
            mentions: &self.mentions,
            owner: session.owner(),
            kinds: &self.kinds.all,
            found: &self.found,
            method: self.method,
            before: self.before,
            consent: &self.consent,
            now: self.now,
        }
    }
}
