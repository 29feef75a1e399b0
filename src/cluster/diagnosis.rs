//! Why resources are not ready: what their pods, their events and their logs say.
//!
//! Resources come in, each goes out with its [`Diagnosis`]. It only explains what is known already:
//! it takes at most 5 s, asks for little of each resource, and leaves out what may not be read.

mod clean;
mod events;
mod known;
mod logs;
mod pods;
pub(super) mod secrets;

use std::time::Duration;

use futures::future::{join, join_all};
use jiff::Timestamp;

use super::Cluster;
use super::error::Unready;
use crate::health::{Health, Trouble};
pub(super) use clean::printable;
pub use known::KnownValues;
use pods::Source;

/// How long all of this may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of how many resources events and logs are read.
pub const EXPLAINED: usize = 10;

/// Why a resource is not ready. Texts of events, containers and logs are without control characters,
/// cut, without the values of Secrets that the pods use, and without what looks like a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its newest pods that are not ready: 3 at most, and of different troubles if there are.
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
    /// The newest warnings about it that tell more, the newest first.
    pub events: Vec<Warning>,
    /// The last lines of the container in trouble, or of its previous run if it has crashed.
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
        let asking = async {
            let sources = self.find_pods(unready).await;
            let pods = unready.iter().zip(&sources).flat_map(|(one, sources)| {
                let place = self.place_of(one);
                let names = sources.iter().flat_map(|source| &source.secrets);
                names.map(move |name| (place, name.as_str()))
            });
            let known = self.known_values(pods.collect()).await;
            let asked = unready.iter_mut().zip(&sources);
            let asked = asked.map(|(one, sources)| {
                hide(one, sources, &known);
                (one, sources)
            });
            let asked = asked.collect::<Vec<_>>().into_iter().take(EXPLAINED);
            join_all(asked.map(|(one, sources)| self.ask((one, sources), depth, &known))).await;
        };
        // What was not there in time is left out: that a resource is not ready is known.
        let _ = tokio::time::timeout(PATIENCE, asking).await;
    }

    /// The namespace that a resource and its pods are in.
    fn place_of<'a>(&'a self, unready: &'a Unready) -> &'a str {
        let place = unready.id.namespace.as_deref();
        place.unwrap_or(&self.namespace)
    }

    async fn ask(
        &self,
        (unready, sources): (&mut Unready, &[Source]),
        depth: Depth,
        known: &KnownValues,
    ) {
        let Unready {
            id,
            health,
            diagnosis,
        } = unready;
        let place = id.namespace.as_deref().unwrap_or(&self.namespace);
        if diagnosis.pods.is_empty() {
            if *health != Health::InProgress("missing".to_owned()) {
                diagnosis.events = self.warnings_of(place, id).await;
            }
            return;
        }
        let mut told: Vec<Trouble> = Vec::new();
        let asked = diagnosis.pods.iter_mut().zip(sources).map(|(pod, source)| {
            // Pods in the same trouble write the same logs.
            let log = source
                .log
                .as_ref()
                .filter(|_| depth == Depth::Logs && !told.contains(&pod.trouble));
            told.push(pod.trouble.clone());
            async move {
                let SickPod {
                    name,
                    events,
                    log: lines,
                    ..
                } = pod;
                let reading = async {
                    if let Some(log) = log {
                        *lines = self.log_of((place, name), log, known).await;
                    }
                };
                let listing = async {
                    *events = self.warnings_of_pod(place, source, known).await;
                };
                join(listing, reading).await;
            }
        });
        join_all(asked).await;
    }
}

/// Takes the values of Secrets out of what pods say of themselves.
fn hide(unready: &mut Unready, sources: &[Source], known: &KnownValues) {
    for (pod, source) in unready.diagnosis.pods.iter_mut().zip(sources) {
        pod.trouble.reason = clean::line(&known.hide(&source.trouble));
    }
}
