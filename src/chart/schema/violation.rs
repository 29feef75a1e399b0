//! One way in which values do not fit a schema.

use std::fmt::Write as _;

use crate::chart::path;
use crate::chart::values::Origin;
use crate::yaml::Step;

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
    /// The layer that set the value, once traced.
    pub origin: Option<Origin>,
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
    /// The path, step by step.
    pub(super) fn steps(&self) -> Vec<Step> {
        path::parse(&self.path)
    }
}

pub(super) fn list(violations: &[Violation]) -> String {
    let mut text = String::new();
    for Violation {
        path,
        expected,
        origin,
        ..
    } in violations
    {
        let path = if path.is_empty() { "the values" } else { path };
        // Writing to a string cannot fail.
        let _ = match origin {
            Some(origin) => write!(text, "\n  {path}: {expected} ({origin})"),
            None => write!(text, "\n  {path}: {expected}"),
        };
    }
    text
}
