//! The drift of releases as structured lines that can be shown: no value of a Secret is in them.

use serde::Serialize;
use serde_json::Value;

use super::{Author, Drifted, State};
use crate::manifest::ResourceId;
use crate::plan::redact;

/// How many resources of a revision fare how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those of which fields differ.
    pub changed: usize,
    /// Those that do not exist.
    pub missing: usize,
    /// Those that are being deleted.
    pub deleting: usize,
    /// Those that are as recorded.
    pub same: usize,
}

/// One resource that is not as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// How it fares.
    pub state: State,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The template and line that ask for it.
    pub template: String,
    /// What differs about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Who wrote the resource last, apart from its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_write: Option<Author>,
}

/// One field that is not as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Where: `spec.template.spec.containers[name=app].image`.
    pub path: String,
    /// The recorded value; none if the revision wants the field to be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Value>,
    /// The live value; none if the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// Who wrote what is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
}

impl Counts {
    /// The counts of these resources.
    pub fn of(drifted: &[Drifted]) -> Self {
        let mut counts = Self::default();
        for one in drifted {
            *match one.state {
                State::Same => &mut counts.same,
                State::Changed => &mut counts.changed,
                State::Missing => &mut counts.missing,
                State::Deleting => &mut counts.deleting,
            } += 1;
        }
        counts
    }

    /// Whether everything is as recorded.
    pub fn is_same(self) -> bool {
        self.changed + self.missing + self.deleting == 0
    }
}

/// The resources that are not as they are recorded.
pub fn lines(drifted: &[Drifted]) -> Vec<Line> {
    let differs = drifted.iter().filter(|one| one.state != State::Same);
    differs.map(line).collect()
}

fn line(drifted: &Drifted) -> Line {
    let ResourceId {
        group,
        kind,
        namespace,
        name,
    } = drifted.id.clone();
    let moved = drifted.fields.iter();
    let mut changes: Vec<_> = moved.map(|moved| moved.change.clone()).collect();
    redact::changes(&drifted.id, &mut changes);
    let authors = drifted.fields.iter().map(|moved| moved.by.clone());
    let fields = changes.into_iter().zip(authors).map(|(change, by)| Field {
        path: change.path,
        recorded: change.new,
        live: change.old,
        by,
    });
    Line {
        state: drifted.state,
        group,
        kind,
        namespace,
        name,
        template: drifted.origin.to_string(),
        fields: fields.collect(),
        last_write: drifted.last_write.clone(),
    }
}
