//! One way in which values do not fit a schema.

use std::fmt::Write as _;

use crate::chart::path;
use crate::chart::values::{Origin, Origins};

/// Rules longer than this are cut in messages.
const SHOWN: usize = 80;
/// No message tells where more values of one rule came from than this.
const TOLD: usize = 5;
/// No message lists more violations than this.
const LISTED: usize = 50;

/// One way in which values do not fit a schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where in the values, such as `etcd.replicas`; empty for the values as a whole.
    pub path: String,
    /// What was expected. Shows no value that may be secret.
    pub expected: String,
    /// What expected it: a JSON pointer into the schema, or the CEL expression.
    pub rule: String,
    /// What kind of check failed.
    pub reason: Reason,
    /// The folder of the subchart whose schema it is; empty for the chart itself.
    pub chart: String,
    /// The layer that set the value, once traced.
    pub origin: Option<Origin>,
    /// What a CEL rule reads below the value that it is for, in its order.
    pub reads: Vec<Source>,
}

/// A value that a rule reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Where in the values.
    pub path: String,
    /// The layer that set it, once traced; none if nothing did.
    pub origin: Option<Origin>,
}

impl Source {
    pub(super) fn at(path: String) -> Self {
        Self { path, origin: None }
    }
}

/// What kind of check a violation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A keyword of JSON Schema.
    Keyword,
    /// A CEL rule that gave false.
    Rule,
    /// A CEL rule that could not be evaluated over these values.
    BrokenRule,
}

impl Violation {
    /// Finds the layers that set the value and what the rule reads.
    pub(super) fn trace(&mut self, origins: &Origins) {
        // What is missing has the origin of what it is missing in.
        let steps = path::parse(&self.path);
        let mut paths = (1..=steps.len()).rev().map(|count| &steps[..count]);
        self.origin = paths.find_map(|path| origins.find(path));
        for read in &mut self.reads {
            read.origin = origins.find(&path::parse(&read.path));
        }
    }

    /// Where the values came from that do not fit: each that a rule reads by its name, if there are such.
    pub fn shown_origin(&self) -> Option<String> {
        let told = |read: &Source| {
            let origin = read.origin.as_ref()?;
            Some(if read.path == self.path {
                origin.to_string()
            } else {
                format!("{} from {origin}", read.path)
            })
        };
        let told: Vec<String> = self.reads.iter().filter_map(told).collect();
        let more = told.len().saturating_sub(TOLD);
        match told.as_slice() {
            [] => self.origin.as_ref().map(ToString::to_string),
            told if more > 0 => Some(format!("{} and {more} more", told[..TOLD].join(", "))),
            told => Some(told.join(", ")),
        }
    }

    /// What expected it in a few words, and whose schema that is in; none if the expectation says so.
    pub fn shown_rule(&self) -> Option<String> {
        let rule = self.own_rule();
        match (rule, self.chart.as_str()) {
            (rule, "") => rule,
            (None, chart) => Some(format!("by {chart}")),
            (Some(rule), chart) => Some(format!("{rule} of {chart}")),
        }
    }

    fn own_rule(&self) -> Option<String> {
        match self.reason {
            Reason::Keyword => Some(format!("schema {}", self.rule)),
            Reason::BrokenRule => None,
            Reason::Rule if self.expected.contains(&self.rule) => None,
            Reason::Rule => {
                let words: Vec<_> = self.rule.split_whitespace().collect();
                let rule = words.join(" ");
                let start: String = rule.chars().take(SHOWN).collect();
                let more = if start.len() < rule.len() { "…" } else { "" };
                Some(format!("rule {start}{more}"))
            }
        }
    }
}

/// Whose schemas they do not fit.
pub(super) fn schemas(violations: &[Violation]) -> String {
    let mut charts = violations.iter().map(|violation| violation.chart.as_str());
    let first = charts.next().unwrap_or_default();
    match (charts.all(|chart| chart == first), first) {
        (false, _) => "the schemas of charts".to_owned(),
        (true, "") => "the chart's values.schema.json".to_owned(),
        (true, chart) => format!("{chart}/values.schema.json"),
    }
}

pub(super) fn list(violations: &[Violation]) -> String {
    let mut text = String::new();
    for violation in violations.iter().take(LISTED) {
        let Violation { path, expected, .. } = violation;
        let path = if path.is_empty() { "the values" } else { path };
        let origin = violation.shown_origin().into_iter();
        let marks: Vec<_> = origin.chain(violation.shown_rule()).collect();
        // Writing to a string cannot fail.
        let _ = match marks.as_slice() {
            [] => write!(text, "\n  {path}: {expected}"),
            marks => write!(text, "\n  {path}: {expected} ({})", marks.join("; ")),
        };
    }
    let more = violations.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, "\n  and {more} more");
    }
    text
}
