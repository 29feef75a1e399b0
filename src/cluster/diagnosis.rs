//! Why resources are not ready: what their pods, their events and their logs say.
//!
//! Resources come in, each goes out with its [`Diagnosis`]. It only explains what is known already:
//! it takes at most 5 s, lists pods and events of each namespace once, and leaves out what may not be read.

mod clean;
mod events;
mod known;
mod logs;
mod pods;
pub(super) mod secrets;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all};
use jiff::Timestamp;

use super::Cluster;
use super::error::Unready;
use crate::health::{Health, Trouble};
pub(super) use clean::printable;
use events::{About, Warnings};
pub use known::KnownValues;
use pods::Source;

/// How long all of this may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of how many resources with pods that are not ready logs are read.
pub const EXPLAINED: usize = 50;

/// Why a resource is not ready. Texts of events, containers and logs are without control characters,
/// cut, without the values of Secrets that the pods use, and without what looks like a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its newest pods that are not ready: 3 at most, and of different troubles if there are. A pod with
    /// several containers in trouble is there once for each, 3 at most.
    pub pods: Vec<SickPod>,
    /// How many pods are not ready beside these.
    pub others: usize,
    /// The newest warnings about the resource itself, where no pod can tell more.
    pub events: Vec<Warning>,
}

/// A pod that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SickPod {
    /// Its name.
    pub name: String,
    /// What keeps it from being ready.
    pub trouble: Trouble,
    /// The newest warnings about it that tell more, the newest first; where the pod is there several times,
    /// with the first.
    pub events: Vec<Warning>,
    /// The last 20 lines of the container in trouble, or of its previous run if it has crashed, and before
    /// them up to 10 of those that say something else.
    pub log: Vec<String>,
}

/// Events of type `Warning` that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The reason in one word: `FailedMount`.
    pub reason: String,
    /// The message.
    pub message: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Timestamp>,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Pods and events.
    Events,
    /// Pods, events and the logs of containers.
    Logs,
}

impl Cluster {
    /// Adds to each resource why it is not ready, as far as that can be had within 5 s.
    ///
    /// What must not be read, such as logs, is left out.
    pub async fn explain(&self, unready: &mut [Unready], depth: Depth) {
        let (mut sources, mut known) = (vec![], None);
        let warnings = Warnings::default();
        let asking = async {
            sources = self.find_pods(unready).await;
            let about = self.about(unready, &sources);
            let listing = self.warnings(about, &warnings);
            let reading = async {
                let known = &*known.insert(self.values_of_pods(unready, &sources).await);
                hide(unready, &sources, known);
                if depth == Depth::Logs {
                    self.read_logs((unready, &sources), known).await;
                }
            };
            join(listing, reading).await;
        };
        // What was not there in time is left out: that a resource is not ready is known.
        let _ = tokio::time::timeout(PATIENCE, asking).await;
        for (index, one) in unready.iter_mut().enumerate() {
            let sources = sources.get(index).map_or(&[][..], Vec::as_slice);
            self.tell((one, sources), &warnings, known.as_ref());
        }
    }

    /// The namespace that a resource and its pods are in.
    fn place_of<'a>(&'a self, unready: &'a Unready) -> &'a str {
        let place = unready.id.namespace.as_deref();
        place.unwrap_or(&self.namespace)
    }

    /// What warnings are wanted about: pods, and what has none and is there.
    fn about(&self, unready: &[Unready], sources: &[Vec<Source>]) -> BTreeMap<String, About> {
        let mut wanted: BTreeMap<String, About> = BTreeMap::new();
        for (one, sources) in unready.iter().zip(sources) {
            let here = || self.place_of(one).to_owned();
            if !sources.is_empty() {
                let pods = sources.iter().filter_map(|source| source.uid.clone());
                wanted.entry(here()).or_default().pods.extend(pods);
            } else if one.health != Health::InProgress("missing".to_owned()) {
                let resources = &mut wanted.entry(here()).or_default().resources;
                resources.push(one.id.clone());
            }
        }
        wanted
    }

    async fn values_of_pods(&self, unready: &[Unready], sources: &[Vec<Source>]) -> KnownValues {
        let pods = unready.iter().zip(sources).flat_map(|(one, sources)| {
            let place = self.place_of(one);
            let names = sources.iter().flat_map(|source| &source.secrets);
            names.map(move |name| (place, name.as_str()))
        });
        self.known_values(pods.collect()).await
    }

    /// Reads the logs of the containers in trouble of the first resources that have some.
    async fn read_logs(
        &self,
        (unready, sources): (&mut [Unready], &[Vec<Source>]),
        known: &KnownValues,
    ) {
        let all = unready.iter_mut().zip(sources);
        let with_pods = all.filter(|(_, sources)| !sources.is_empty());
        let reading = with_pods.take(EXPLAINED).flat_map(|(one, sources)| {
            let Unready { id, diagnosis, .. } = one;
            let place = id.namespace.as_deref().unwrap_or(&self.namespace);
            let mut told: Vec<Trouble> = Vec::new();
            let pods = diagnosis.pods.iter_mut().zip(sources);
            let logs = pods.filter_map(move |(pod, source)| {
                // Pods in the same trouble write the same logs.
                let is_new = !told.contains(&pod.trouble);
                told.push(pod.trouble.clone());
                let log = source.log.as_ref().filter(|_| is_new)?;
                Some((pod, log))
            });
            logs.map(move |(pod, log)| async move {
                pod.log = self.log_of((place, &pod.name), log, known).await;
            })
        });
        join_all(reading).await;
    }

    /// Adds the warnings about the pods of a resource, or else about itself. Those of pods have to wait for
    /// what must not be told.
    fn tell(
        &self,
        (unready, sources): (&mut Unready, &[Source]),
        warnings: &Warnings,
        known: Option<&KnownValues>,
    ) {
        let place = self.place_of(unready).to_owned();
        if sources.is_empty() {
            unready.diagnosis.events = warnings.of_resource(&place, &unready.id);
            return;
        }
        let Some(known) = known else {
            return;
        };
        for (pod, source) in unready.diagnosis.pods.iter_mut().zip(sources) {
            pod.events = warnings.of_pod(&place, source, known);
        }
    }
}

/// Takes the values of Secrets out of what pods say of themselves.
fn hide(unready: &mut [Unready], sources: &[Vec<Source>], known: &KnownValues) {
    let pods = unready.iter_mut().flat_map(|one| &mut one.diagnosis.pods);
    for (pod, source) in pods.zip(sources.iter().flatten()) {
        pod.trouble.reason = clean::line(&known.hide(&source.trouble));
    }
}

#[cfg(test)]
mod tests;
