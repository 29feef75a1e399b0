//! Reading manifests with the kinds that a cluster knows, which is asked only when it has to be.

use crate::capabilities::{Capabilities, Kinds};
use crate::chart::Chart;
use crate::cluster::{Cluster, Discovered};
use crate::manifest::{self, Manifest, Placement, Recorded};
use crate::release::Release;

use super::Error;

/// The kinds known so far: those of Kubernetes itself, and those that the cluster adds once a
/// manifest has named a kind that is not among them.
pub(super) struct Catalogue<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    kinds: Kinds,
    discovered: Option<Discovered>,
}

impl<'a> Catalogue<'a> {
    pub(super) fn new(cluster: &'a Cluster, namespace: &'a str) -> Self {
        Self {
            cluster,
            namespace,
            kinds: Kinds::default(),
            discovered: None,
        }
    }

    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(super) fn into_kinds(self) -> Kinds {
        self.kinds
    }

    /// Reads the manifest of a revision, with its generators.
    pub(super) async fn recorded(&mut self, release: &Release) -> Result<Manifest, Error> {
        let generators = release.generators();
        let recorded = Recorded {
            text: &release.manifest,
            generators: generators.as_deref(),
        };
        self.parse(|placement| Manifest::from_record(recorded, placement))
            .await
    }

    /// Reads what a revision applied; its generators do not matter for that.
    pub(super) async fn applied(&mut self, release: &Release) -> Result<Manifest, Error> {
        let recorded = Recorded {
            text: &release.manifest,
            generators: None,
        };
        self.parse(|placement| Manifest::from_record(recorded, placement))
            .await
    }

    /// Reads a manifest, and reads it again with the cluster's own kinds where it names others.
    pub(super) async fn parse(
        &mut self,
        parse: impl Fn(Placement<'_>) -> Result<Manifest, manifest::Error>,
    ) -> Result<Manifest, Error> {
        let manifest = parse(self.placement())?;
        let is_complete = manifest.unknown_kinds(&self.kinds).next().is_none();
        if is_complete || self.discovered.is_some() {
            return Ok(manifest);
        }
        self.discover().await?;
        Ok(parse(self.placement())?)
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
            self.kinds = Kinds::with_discovered(discovered.kinds.clone());
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
