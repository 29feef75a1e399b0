//! The resources that hooks of earlier revisions may have left, as a record carries them on.
//!
//! A revision knows its own hooks only, and the revisions before it may be pruned. So each names what those
//! before it had: a file of the recorded chart, because Helm carries these along byte for byte, and bounded. It
//! names its revision, since a later one that Helm makes of it by a rollback carries the file as well and does
//! not speak of what came between the two.

use serde::{Deserialize, Serialize};

use super::payload::Error as PayloadError;
use super::{RecordedChart, Release, sources};

/// The path of the file in the recorded chart.
pub const PAST_HOOKS_FILE: &str = "pintle/hooks.json";

/// How many bytes it has at most.
const LIMIT: usize = 24 << 10;

/// A resource that a hook of an earlier revision may have left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastHook {
    /// `group/version`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; none for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct File {
    revision: u32,
    hooks: Vec<PastHook>,
}

impl PastHook {
    /// Whether it ran to an end: a change that drops such a hook deletes it.
    fn is_run(&self) -> bool {
        matches!(
            (self.api_version.as_str(), self.kind.as_str()),
            ("batch/v1", "Job") | ("v1", "Pod")
        )
    }
}

impl File {
    /// The file, cut to what fits: what is most likely gone goes first, and then what is oldest.
    fn into_text(mut self) -> Vec<u8> {
        loop {
            // What is plain data can be written.
            let text = serde_json::to_vec(&self).unwrap_or_default();
            if text.len() <= LIMIT || self.hooks.is_empty() {
                return text;
            }
            let last = self.hooks.len() - 1;
            let run = self.hooks.iter().rposition(PastHook::is_run);
            self.hooks.remove(run.unwrap_or(last));
        }
    }
}

impl Release {
    /// Records what hooks of the revisions before this one may have left, the newest first, as far as there
    /// is room for it.
    ///
    /// # Errors
    /// If the record cannot be encoded.
    pub fn record_past_hooks(&mut self, hooks: Vec<PastHook>) -> Result<(), PayloadError> {
        let file = File {
            revision: self.revision,
            hooks,
        };
        self.chart
            .set_file(PAST_HOOKS_FILE, Some(&file.into_text()));
        if !sources::has_room(self)? {
            self.chart.set_file(PAST_HOOKS_FILE, None);
        }
        Ok(())
    }

    /// What hooks of all revisions before this one may have left, the newest first; none if the record does
    /// not say, as that of a revision that Helm has made.
    pub fn past_hooks(&self) -> Option<Vec<PastHook>> {
        let file = self.chart.file(PAST_HOOKS_FILE)?;
        let file: File = serde_json::from_slice(&file).ok()?;
        (file.revision == self.revision).then_some(file.hooks)
    }
}

impl RecordedChart {
    /// Whether two records are of the same chart, whatever came before them.
    pub fn is_same(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let without = |chart: &Self| {
            let mut chart = chart.clone();
            chart.set_file(PAST_HOOKS_FILE, None);
            chart
        };
        without(self) == without(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(kind: &str, name: String) -> PastHook {
        let api_version = if kind == "Job" { "batch/v1" } else { "v1" };
        PastHook {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name,
        }
    }

    fn release(revision: u32) -> Release {
        Release {
            revision,
            ..serde_json::from_str("{}").unwrap()
        }
    }

    #[test]
    fn a_file_speaks_of_its_own_revision_alone() {
        let mut release = release(3);
        assert_eq!(release.past_hooks(), None);
        let hooks = vec![hook("Secret", "a".to_owned())];
        release.record_past_hooks(hooks.clone()).unwrap();
        assert_eq!(release.past_hooks(), Some(hooks));
        release.revision = 4;
        assert_eq!(release.past_hooks(), None);
        release.record_past_hooks(vec![]).unwrap();
        assert_eq!(release.past_hooks(), Some(vec![]));
        assert!(release.chart.is_same(&RecordedChart::default()));
        release.chart.set_file("README.md", Some(b"x"));
        assert!(!release.chart.is_same(&RecordedChart::default()));
        release.chart.set_file(PAST_HOOKS_FILE, Some(b"no JSON"));
        assert_eq!(release.past_hooks(), None);
    }

    #[test]
    fn what_is_most_likely_gone_is_forgotten_first() {
        let jobs = (0..500).map(|number| hook("Job", format!("job-{number}")));
        let secrets = (0..100).map(|number| hook("Secret", format!("secret-{number}")));
        let mut release = release(3);
        release
            .record_past_hooks(jobs.chain(secrets).collect())
            .unwrap();
        let kept = release.past_hooks().unwrap();
        let (jobs, secrets): (Vec<_>, Vec<_>) = kept.iter().partition(|one| one.is_run());
        assert_eq!(secrets.len(), 100);
        assert!(jobs.len() > 100 && jobs.len() < 300, "{}", jobs.len());
        assert_eq!(jobs[0].name, "job-0");
    }
}
