//! What lint has found: one breach of a rule, where, and for which minors and values.

use std::fmt;

use super::rule::{Rule, Severity};
use crate::builtin::openapi::Minor;
use crate::render::shortened;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What is wrong, without the place.
    pub message: String,
    /// Where it is.
    pub place: Place,
    /// What to do about it.
    pub hint: Option<String>,
    /// The minors of Kubernetes it concerns, rising; empty where that makes no difference.
    pub minors: Vec<Minor>,
    /// The files of values it concerns, below the chart's folder; empty where the defaults are
    /// enough.
    pub values: Vec<String>,
}

/// A place in a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file below the chart's folder.
    pub file: String,
    /// The line, from 1; 0 if unknown.
    pub line: u64,
    /// The lines of source or of rendered text around the place.
    pub excerpt: Option<Excerpt>,
}

/// Some lines of a text, one of them marked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excerpt {
    /// What the lines are of, such as `rendered`; empty for the file itself.
    pub of: &'static str,
    /// The number of the first line, from 1.
    pub first: u64,
    /// The number of the marked line.
    pub marked: u64,
    /// The lines.
    pub lines: Vec<String>,
}

impl Place {
    /// A file as a whole.
    pub(super) fn file(file: &str) -> Self {
        Self::line(file, 0)
    }

    /// A line of a file.
    pub(super) fn line(file: &str, line: u64) -> Self {
        Self {
            file: file.to_owned(),
            line,
            excerpt: None,
        }
    }
}

/// `templates/web.yaml:12`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl Finding {
    pub(super) fn new(rule: &'static Rule, place: Place, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: shortened(&message.into()).into_owned(),
            place,
            hint: None,
            minors: Vec::new(),
            values: Vec::new(),
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The finding as seen from the chart that has this one in `folder`, which ends in a slash.
    #[must_use]
    pub(super) fn within(mut self, folder: &str) -> Self {
        self.place.file.insert_str(0, folder);
        for file in &mut self.values {
            file.insert_str(0, folder);
        }
        self
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.rule.severity
    }

    /// Whether `other` says the same, be it of other minors or values.
    fn is_same(&self, other: &Self) -> bool {
        self.rule == other.rule
            && self.message == other.message
            && (&self.place.file, self.place.line) == (&other.place.file, other.place.line)
    }
}

/// Findings, each once: what is found again only adds its minor and values to the first.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        match self.found.iter_mut().find(|known| known.is_same(&finding)) {
            None => self.found.push(finding),
            Some(known) => {
                for minor in finding.minors {
                    if !known.minors.contains(&minor) {
                        known.minors.push(minor);
                    }
                }
                if finding.values.is_empty() {
                    known.values.clear();
                } else if !known.values.is_empty() {
                    known.values.extend(finding.values);
                    known.values.dedup();
                }
            }
        }
    }

    /// The findings, the gravest first and those of a file together; a finding that all of `minors`
    /// share names none.
    pub(super) fn finish(mut self, minors: &[Minor]) -> Vec<Finding> {
        for finding in &mut self.found {
            finding.minors.sort();
            if minors.len() > 1 && finding.minors == minors {
                finding.minors.clear();
            }
        }
        self.found.sort_by(|a, b| {
            (a.severity(), &a.place.file, a.place.line).cmp(&(
                b.severity(),
                &b.place.file,
                b.place.line,
            ))
        });
        self.found
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        for finding in findings {
            self.add(finding);
        }
    }
}
