//! What the user says about the record of a change.

use crate::release::{Label, Release};

/// What the user says about the record of a change. The default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The description of the revision when it has succeeded, instead of pintle's own.
    pub description: Option<String>,
    /// Labels for the record, above those of the revision before.
    pub labels: Vec<Label>,
    /// What an upgrade does that changes nothing.
    pub unchanged: Unchanged,
    /// What becomes of the history of an uninstalled release.
    pub history: History,
    /// What an installation does where the name was used before.
    pub used_name: UsedName,
    /// How many revisions are kept; 0 keeps all.
    pub history_max: usize,
}

/// What an upgrade does that changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unchanged {
    /// It records nothing: a revision would evict useful history.
    #[default]
    Skip,
    /// It makes a revision all the same, as Helm does.
    Record,
}

/// What becomes of the history of an uninstalled release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum History {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays, so that the release can be rolled back.
    Keep,
}

/// What an installation does where the name was used before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsedName {
    /// It is refused.
    #[default]
    Refuse,
    /// It goes on the history of a release that is uninstalled, or whose newest revision failed.
    Replace,
}

impl Recording {
    /// Puts the labels on a release, above those that it has.
    pub(super) fn label(&self, release: &mut Release) {
        for label in &self.labels {
            match &label.value {
                Some(value) => release.labels.insert(label.key.clone(), value.clone()),
                None => release.labels.remove(&label.key),
            };
        }
    }
}
