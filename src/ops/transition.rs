//! Whether the rules of charts allow going back to the values of an earlier revision.
//!
//! The target's own rules and those of the revisions that it is to follow are asked, as an upgrade
//! asks them. A revision that failed counts only if it has come so far that versions would fall:
//! before its first new pod there is nothing yet that could not be undone.

use crate::chart::Values;
use crate::chart::schema;
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
/// versions of live workloads would fall.
pub(super) fn check(target: &Release, base: &[Release], trend: Trend) -> Result<(), schema::Error> {
    let counts = |release: &&Release| release.info.status == Status::Deployed || trend.falls();
    let left: Vec<&Release> = base.iter().filter(counts).collect();
    let previous: Vec<Values> = left.iter().map(|release| coalesced(release)).collect();
    let previous: Vec<&Values> = previous.iter().collect();
    let values = coalesced(target);
    let mut schemas: Vec<Vec<u8>> = vec![];
    for release in left.into_iter().chain([target]) {
        schemas.extend(release.chart.schema().filter(|one| !schemas.contains(one)));
    }
    for schema in &schemas {
        schema::check_rules(schema, &values, &previous)?;
    }
    Ok(())
}

fn coalesced(release: &Release) -> Values {
    Values::coalesce(&release.chart.values, &release.config)
}
