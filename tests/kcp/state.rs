//! What the Secrets and workloads of a release are at one time, to be held against another.

use std::collections::BTreeMap;

use pintle::manifest::generator::ISSUE_ANNOTATION;
use pintle::plan::credentials::STAMP_PREFIX;
use serde_json::Value;

use super::site::Site;

/// What is generated and the workloads of a release, by their names without the release's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    release: String,
    secrets: BTreeMap<String, Secret>,
    workloads: BTreeMap<String, Workload>,
}

#[derive(Debug, PartialEq, Eq)]
struct Secret {
    data: Value,
    /// The id of its issue.
    issue: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Workload {
    generation: Value,
    template: Value,
}

impl State {
    /// Reads a release whose pods all know the Secrets as they are.
    ///
    /// # Panics
    /// If a workload carries other stamps than those of the Secrets that its pods mount.
    #[track_caller]
    pub(super) fn of(site: &Site, release: &str) -> Self {
        let state = Self::read(site, release);
        let number = state.workloads.len();
        assert!(number >= 4, "{release} has {number} workloads only");
        for (name, workload) in &state.workloads {
            let stamps = workload.stamps();
            assert_eq!(stamps, state.wanted_stamps(workload), "{name}");
            assert!(!stamps.is_empty(), "{name} uses no Secret");
        }
        state
    }

    /// Reads a release, whatever its pods know.
    pub(super) fn read(site: &Site, release: &str) -> Self {
        let named = |kinds: &str, label: &str| {
            let selector = format!("--selector={label}={release}");
            let list = site.get(&[kinds, &selector]);
            let items = list["items"].as_array().unwrap().clone().into_iter();
            let name = move |item: &Value| {
                let name = item["metadata"]["name"].as_str().unwrap();
                let part = name.strip_prefix(release).unwrap();
                part.trim_start_matches('-').to_owned()
            };
            items.map(move |item| (name(&item), item))
        };
        let workloads = named("deployments,statefulsets", "app.kubernetes.io/instance");
        let workloads = workloads.map(|(name, mut workload)| {
            let generation = workload["metadata"]["generation"].take();
            let template = workload["spec"]["template"].take();
            let workload = Workload {
                generation,
                template,
            };
            (name, workload)
        });
        // Last, because pods are told of what has been written by then.
        let secrets = named("secrets,configmaps", "pintle.dev/release");
        let secrets = secrets.map(|(name, mut secret)| {
            let issue = secret["metadata"]["annotations"][ISSUE_ANNOTATION].as_str();
            let issue = issue.unwrap_or_default().to_owned();
            let data = secret["data"].take();
            (name, Secret { data, issue })
        });
        Self {
            release: release.to_owned(),
            secrets: secrets.collect(),
            workloads: workloads.collect(),
        }
    }

    /// Returns the generated Secrets that there are.
    pub(super) fn secrets(&self) -> Vec<&str> {
        self.secrets.keys().map(String::as_str).collect()
    }

    /// Returns what a Secret holds, as the API returns it.
    pub(super) fn data(&self, secret: &str) -> &Value {
        &self.secrets[secret].data
    }

    /// Returns the id of the issue of a Secret.
    pub(super) fn issue(&self, secret: &str) -> &str {
        &self.secrets[secret].issue
    }

    /// Returns the Secrets that hold something else, or something at all, since `before`.
    pub(super) fn issued_since(&self, before: &Self) -> Vec<&str> {
        differing(&self.secrets, &before.secrets, |one, other| {
            one.data == other.data && one.issue == other.issue
        })
    }

    /// Returns the workloads whose pods are others since `before`.
    pub(super) fn rolled_since(&self, before: &Self) -> Vec<&str> {
        differing(&self.workloads, &before.workloads, |one, other| {
            one.template == other.template
        })
    }

    /// Returns the workloads whose spec was written in substance since `before`.
    pub(super) fn written_since(&self, before: &Self) -> Vec<&str> {
        differing(&self.workloads, &before.workloads, |one, other| {
            one.generation == other.generation
        })
    }

    fn wanted_stamps(&self, workload: &Workload) -> BTreeMap<String, String> {
        let volumes = workload.template["spec"]["volumes"].as_array();
        let sources = volumes
            .into_iter()
            .flatten()
            .filter_map(|volume| volume["projected"]["sources"].as_array());
        let names = sources
            .flatten()
            .filter_map(|source| source["secret"]["name"].as_str());
        let containers = workload.template["spec"]["containers"].as_array();
        let variables = containers
            .into_iter()
            .flatten()
            .filter_map(|container| container["env"].as_array());
        let maps = variables
            .flatten()
            .filter_map(|variable| variable["valueFrom"]["configMapKeyRef"]["name"].as_str());
        let stamps = names.chain(maps).map(|name| {
            let part = name.strip_prefix(&format!("{}-", self.release)).unwrap();
            (format!("{STAMP_PREFIX}{name}"), self.issue(part).to_owned())
        });
        stamps.collect()
    }
}

impl Workload {
    fn stamps(&self) -> BTreeMap<String, String> {
        let annotations = self.template["metadata"]["annotations"].as_object();
        let stamps = annotations.into_iter().flatten();
        let stamps = stamps.filter(|(name, _)| name.starts_with(STAMP_PREFIX));
        stamps
            .map(|(name, id)| (name.clone(), id.as_str().unwrap().to_owned()))
            .collect()
    }
}

/// The names under which `one` has something that `other` has not the same of.
fn differing<'a, T>(
    one: &'a BTreeMap<String, T>,
    other: &BTreeMap<String, T>,
    is_same: fn(&T, &T) -> bool,
) -> Vec<&'a str> {
    let entries = one.iter();
    let differing = entries.filter(|(name, value)| {
        let other = other.get(*name);
        !other.is_some_and(|other| is_same(value, other))
    });
    differing.map(|(name, _)| name.as_str()).collect()
}
