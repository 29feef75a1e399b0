//! What is recorded of a change that failed beside its description: the whole error, and of each
//! resource that was not ready what its pods, events and logs said.
//!
//! It is a file of the recorded chart, because Helm carries these along byte for byte, and it is bounded:
//! a record that fits without it fits with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::payload::Error as PayloadError;
use super::{Release, sources};

/// The path of the file in the recorded chart.
pub const FAILURE_FILE: &str = "pintle/failure.json";

/// How many bytes it has at most.
const LIMIT: usize = 24 << 10;
/// How many characters of an error are kept.
const ERROR: usize = 4000;

/// Why a revision failed, as the record holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// The revision. A later one that Helm has made of it carries the file as well.
    pub revision: u32,
    /// When it failed.
    pub time: Option<Timestamp>,
    /// The error and its causes.
    pub error: String,
    /// What was not ready.
    pub resources: Vec<FailedResource>,
    /// How many more of these there were than there is room for.
    pub omitted: usize,
}

/// A resource that was not ready.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedResource {
    /// Its API group; empty for the core group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What was missing or wrong.
    pub reason: String,
    /// Its pods that were not ready.
    pub pods: Vec<FailedPod>,
    /// How many were not ready beside these.
    pub more_pods: usize,
    /// The newest warnings about the resource itself.
    pub events: Vec<FailedEvent>,
}

/// A pod that was not ready.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedPod {
    /// Its name.
    pub name: String,
    /// The container in trouble; none if it is the pod as a whole.
    pub container: Option<String>,
    /// What kept it from being ready.
    pub reason: String,
    /// The newest warnings about it.
    pub events: Vec<FailedEvent>,
    /// The last lines of the container.
    pub log: Vec<String>,
}

/// Warnings that say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedEvent {
    /// The reason in one word.
    pub reason: String,
    /// The message.
    pub message: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Timestamp>,
}

impl Failure {
    /// The file, cut to what fits: first the logs go, from the last resource on, then resources.
    fn to_file(&self) -> Vec<u8> {
        let mut cut = self.clone();
        if let Some((end, _)) = cut.error.char_indices().nth(ERROR) {
            cut.error.truncate(end);
            cut.error.push('…');
        }
        loop {
            // What is plain data can be written.
            let text = serde_json::to_vec(&cut).unwrap_or_default();
            if text.len() <= LIMIT {
                return text;
            }
            let mut pods = cut.resources.iter_mut().flat_map(|one| &mut one.pods).rev();
            if let Some(pod) = pods.find(|pod| !pod.log.is_empty()) {
                pod.log.clear();
            } else if cut.resources.pop().is_some() {
                cut.omitted += 1;
            } else {
                return vec![];
            }
        }
    }
}

impl Release {
    /// Records why the revision failed, as far as there is room for it.
    ///
    /// # Errors
    /// If the record cannot be encoded.
    pub fn record_failure(&mut self, failure: &Failure) -> Result<(), PayloadError> {
        self.chart.set_file(FAILURE_FILE, Some(&failure.to_file()));
        if !sources::has_room(self)? {
            self.forget_failure();
        }
        Ok(())
    }

    /// Takes out why the revision failed, or the one that it was made of.
    pub fn forget_failure(&mut self) {
        self.chart.set_file(FAILURE_FILE, None);
    }

    /// Why the revision failed; none if nothing is recorded of that.
    pub fn failure(&self) -> Option<Failure> {
        let file = self.chart.file(FAILURE_FILE)?;
        let failure: Failure = serde_json::from_slice(&file).ok()?;
        (failure.revision == self.revision).then_some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failure of this many resources, each with as much of a log as there can be.
    fn of(resources: usize) -> Failure {
        let resource = |number| FailedResource {
            name: format!("web-{number}"),
            pods: vec![FailedPod {
                log: vec!["x".repeat(240); 10],
                ..FailedPod::default()
            }],
            ..FailedResource::default()
        };
        Failure {
            revision: 3,
            error: "€".repeat(10_000),
            resources: (0..resources).map(resource).collect(),
            ..Failure::default()
        }
    }

    /// Checks how many logs and resources of as many resources are recorded.
    #[track_caller]
    fn check(resources: usize, (logs, kept): (usize, usize)) {
        let mut release = Release {
            revision: 3,
            ..serde_json::from_str("{}").unwrap()
        };
        release.record_failure(&of(resources)).unwrap();
        let found = release.failure().unwrap();
        let pods = found.resources.iter().flat_map(|one| &one.pods);
        assert_eq!(pods.filter(|pod| !pod.log.is_empty()).count(), logs);
        assert_eq!(found.resources.len(), kept);
        assert_eq!(found.omitted, resources - kept);
        assert_eq!(found.error.chars().count(), ERROR + 1);
        release.revision = 4;
        assert_eq!(release.failure(), None, "another revision carries it");
        release.forget_failure();
        assert_eq!(release.chart.files, []);
    }

    #[test]
    fn what_is_recorded_is_bounded() {
        check(0, (0, 0));
        check(3, (3, 3));
        check(20, (3, 20));
        check(500, (0, 75));
    }
}
