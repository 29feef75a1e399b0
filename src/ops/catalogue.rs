//! Reading manifests with the kinds that a cluster knows, which is asked only when it has to be.

use crate::capabilities::{Capabilities, Kind, Kinds};
use crate::chart::Chart;
use crate::cluster::{Cluster, Discovered};
use crate::manifest::{self, Hook, Manifest, Placement, Recorded};
use crate::plan::definition;
use crate::release::Release;

use super::Error;

/// The kinds known so far: those of Kubernetes itself, and those that the cluster adds once a
/// manifest has named a kind that is not among them.
pub(super) struct Catalogue<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    kinds: Kinds,
    /// The kinds that the manifests read so far define.
    defined: Vec<Kind>,
    discovered: Option<Discovered>,
}

/// The kinds that a change is about.
#[derive(Debug, Default)]
pub(super) struct KnownKinds {
    /// Those that the cluster serves now.
    pub(super) served: Kinds,
    /// Those, and what the manifests define.
    pub(super) all: Kinds,
}

impl<'a> Catalogue<'a> {
    pub(super) fn new(cluster: &'a Cluster, namespace: &'a str) -> Self {
        Self {
            cluster,
            namespace,
            kinds: Kinds::default(),
            defined: vec![],
            discovered: None,
        }
    }

    /// Reads from now on manifests of releases in this namespace.
    pub(super) fn enter(&mut self, namespace: &'a str) {
        self.namespace = namespace;
    }

    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The same, to take note of how they merge.
    pub(super) fn kinds_mut(&mut self) -> &mut Kinds {
        &mut self.kinds
    }

    pub(super) fn into_kinds(self) -> KnownKinds {
        let served = self.discovered.map(|found| found.kinds);
        KnownKinds {
            served: Kinds::with_discovered(served.into_iter().flatten()),
            all: self.kinds,
        }
    }

    /// Reads the manifest of a revision, with its generators and its hooks.
    pub(super) async fn recorded(&mut self, release: &Release) -> Result<Manifest, Error> {
        let generators = release.generators();
        self.read(release, generators.as_deref()).await
    }

    /// Reads what a revision applied; its generators do not matter for that.
    pub(super) async fn applied(&mut self, release: &Release) -> Result<Manifest, Error> {
        self.read(release, None).await
    }

    /// Reads what revisions applied, in their order.
    pub(super) async fn applied_all(
        &mut self,
        releases: &[Release],
    ) -> Result<Vec<Manifest>, Error> {
        let mut all = Vec::with_capacity(releases.len());
        for release in releases {
            all.push(self.applied(release).await?);
        }
        Ok(all)
    }

    async fn read(
        &mut self,
        release: &Release,
        generators: Option<&str>,
    ) -> Result<Manifest, Error> {
        let recorded = Recorded {
            text: &release.manifest,
            generators,
        };
        let parse = |placement: Placement<'_>| {
            let mut manifest = Manifest::from_record(recorded, placement)?;
            manifest.hooks = hooks(release, placement);
            Ok(manifest)
        };
        self.parse(parse).await
    }

    /// Reads the hooks of a revision.
    pub(super) async fn hooks(&mut self, release: &Release) -> Result<Vec<Hook>, Error> {
        let parse = |placement: Placement<'_>| {
            Ok(Manifest {
                hooks: hooks(release, placement),
                ..Manifest::default()
            })
        };
        Ok(self.parse(parse).await?.hooks)
    }

    /// Reads a manifest, and reads it again with the cluster's own kinds where it names others, and
    /// with those that it defines itself.
    pub(super) async fn parse(
        &mut self,
        parse: impl Fn(Placement<'_>) -> Result<Manifest, manifest::Error>,
    ) -> Result<Manifest, Error> {
        let manifest = parse(self.placement())?;
        let is_complete = manifest.unknown_kinds(&self.kinds).next().is_none();
        if is_complete {
            return Ok(manifest);
        }
        let is_new = self.discovered.is_none();
        self.discover().await?;
        let defined = self.define(&manifest);
        if is_new || defined {
            return Ok(parse(self.placement())?);
        }
        Ok(manifest)
    }

    /// Adds the kinds that a manifest defines; tells whether there are any.
    pub(super) fn define(&mut self, manifest: &Manifest) -> bool {
        let resources = manifest.resources.iter();
        let found: Vec<Kind> = resources
            .flat_map(|resource| definition::kinds(&resource.body))
            .filter(|kind| !self.defined.contains(kind))
            .collect();
        if found.is_empty() {
            return false;
        }
        self.defined.extend(found);
        let served = self.discovered.iter().flat_map(|found| &found.kinds);
        self.kinds = Kinds::with_discovered(served.chain(&self.defined).cloned());
        true
    }

    /// What the chart and those in it may ask about: the cluster's answers where a template or the
    /// metadata asks, otherwise those of the newest known Kubernetes.
    pub(super) async fn capabilities(&mut self, chart: &Chart) -> Result<Capabilities, Error> {
        let mut capabilities = Capabilities::builtin();
        let all = chart.all();
        let asks = |word: &[u8]| {
            let mut templates = all.iter().flat_map(|chart| &chart.templates);
            templates.any(|file| file.data.windows(word.len()).any(|window| window == word))
        };
        let needs_version = |chart: &&Chart| !chart.metadata.kube_version.is_empty();
        if asks(b"capabilities") || all.iter().any(needs_version) {
            capabilities.kube_version = self.cluster.version().await?;
        }
        if asks(b"api_versions") || asks(b"has_api") {
            capabilities.api_versions = self.discover().await?.api_versions.clone();
        }
        Ok(capabilities)
    }

    async fn discover(&mut self) -> Result<&Discovered, Error> {
        if self.discovered.is_none() {
            let discovered = self.cluster.discover().await?;
            let kinds = discovered.kinds.iter().chain(&self.defined);
            self.kinds = Kinds::with_discovered(kinds.cloned());
            self.discovered = Some(discovered);
        }
        self.discovered.as_ref().ok_or(Error::NoDiscovery)
    }

    fn placement(&self) -> Placement<'_> {
        Placement {
            namespace: self.namespace,
            kinds: &self.kinds,
        }
    }
}

/// The hooks of a record. What has no name of its own cannot be run and leaves nothing that could be
/// found again.
fn hooks(release: &Release, placement: Placement<'_>) -> Vec<Hook> {
    let stored = release.hooks.iter().enumerate();
    let read =
        stored.map(|(index, hook)| Hook::recorded(index, (&hook.path, &hook.manifest), placement));
    read.flatten().collect()
}
