//! Whether the rules of charts allow going back to the values of an earlier revision.
//!
//! The target's own rules and those of the revisions that it is to follow are asked, as an upgrade
//! asks them. A revision that failed counts only if it has come so far that versions would fall:
//! before its first new pod there is nothing yet that could not be undone.

use crate::chart::Values;
use crate::chart::schema::{self, RecordedSchema};
use crate::event::Event;
use crate::plan::Trend;
use crate::release::{Release, Status};

/// What the rules of charts mean for a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// They have to hold.
    Hold,
    /// The user knows better.
    Waive,
}

/// Checks the way back from the revisions in `base`, of which those that failed count if the
/// versions of live workloads would fall. Tells of rules that cannot be asked.
pub(super) fn check(
    target: &Release,
    base: &[Release],
    trend: Trend,
) -> Result<Vec<Event>, schema::Error> {
    let counts = |release: &&Release| release.info.status == Status::Deployed || trend.falls();
    let left: Vec<&Release> = base.iter().filter(counts).collect();
    let previous: Vec<Values> = left.iter().map(|release| coalesced(release)).collect();
    let previous: Vec<&Values> = previous.iter().collect();
    let values = coalesced(target);
    let schemas = schemas(left.into_iter().chain([target]));
    ask(schemas.iter(), &values, &previous)
}

/// Asks rules of charts that run or ran whether values may change, and tells of those that cannot be
/// asked.
pub(super) fn ask<'a>(
    schemas: impl Iterator<Item = &'a RecordedSchema>,
    values: &Values,
    previous: &[&Values],
) -> Result<Vec<Event>, schema::Error> {
    let mut told = vec![];
    for schema in schemas {
        for rule in schema.check(values, previous)? {
            let event = Event::RuleNotAsked { rule };
            if !told.contains(&event) {
                told.push(event);
            }
        }
    }
    Ok(told)
}

/// The schemas of the charts of these revisions, each once.
pub(super) fn schemas<'a>(revisions: impl Iterator<Item = &'a Release>) -> Vec<RecordedSchema> {
    let mut schemas: Vec<RecordedSchema> = vec![];
    for schema in revisions.flat_map(|release| release.chart.schemas()) {
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    schemas
}

fn coalesced(release: &Release) -> Values {
    Values::coalesce(&release.chart.values, &release.config)
}
