//! Comparing versions.

use tera::{TeraResult, Value};

use super::{Call, Entry};
use crate::chart::constraint::{Constraint, parse_version};

pub(super) const FILTERS: &[Entry] = &[Entry {
    name: "semver_compare",
    arguments: &["constraint"],
    body: semver_compare,
}];

fn semver_compare(call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text()?;
    let version = parse_version(&text).map_err(|error| call.error(error))?;
    let constraint =
        Constraint::parse(&call.argument_text("constraint")?).map_err(|error| call.error(error))?;
    Ok(Value::from(constraint.matches(&version)))
}
