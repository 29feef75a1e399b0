//! Cases from clusters, each checked for its patch and against a model of the API server.

mod built_in;
mod custom;
mod laws;
mod listed;
mod model;

use std::fmt::Write as _;

use serde_json::Value;

use super::{Cause, Difference, Patch, Sides, three_way};
use crate::builtin::{self, Type};

/// Compares the three states of a resource, given as YAML, and returns its patch and its changes;
/// `unchanged` if there is none. The model has to accept the patch, and a second comparison has
/// to find nothing.
#[track_caller]
fn outcome(schema: Option<Type<'_>>, [base, desired, live]: [&str; 3]) -> String {
    let read = |text: &str| crate::yaml::parse(text).unwrap();
    let (base, desired, live) = (read(base), read(desired), read(live));
    let base: &[&Value] = if base.is_null() { &[] } else { &[&base] };
    let sides = Sides {
        base,
        desired: &desired,
        live: &live,
    };
    let Some(difference) = three_way(schema, &sides) else {
        return "unchanged".to_owned();
    };
    let applied = model::apply(schema, &live, &difference.patch).unwrap();
    let again = Sides {
        base: &[&desired],
        desired: &desired,
        live: &applied,
    };
    let second = three_way(schema, &again);
    assert_eq!(
        second, None,
        "a second comparison finds nothing in {applied:#}"
    );
    shown(&difference)
}

fn shown(difference: &Difference) -> String {
    let (Patch::StrategicMerge(patch) | Patch::Merge(patch)) = &difference.patch;
    let mut text = patch.to_string();
    for change in &difference.changes {
        let value = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let cause = match change.cause {
            Cause::Chart => "chart",
            Cause::Drift => "drift",
        };
        let (old, new) = (value(&change.old), value(&change.new));
        let _ = write!(text, "\n{}: {old} => {new} ({cause})", change.path);
    }
    text
}

#[track_caller]
fn check(kind: (&str, &str), sides: [&str; 3], expected: &[&str]) {
    let schema = builtin::schema(kind.0, kind.1);
    assert_eq!(outcome(schema, sides), expected.join("\n"));
}
