//! The first line of an error.

use pintle::cluster::Unready;
use pintle::ops;
use pintle::plan::{self, Objection};

use super::Failure;

/// How many resources that are not ready it names.
const NAMED: usize = 5;

/// What went wrong, without what is listed below it.
pub(super) fn of(failure: &Failure) -> String {
    let unready = failure.unready();
    match failure.operation() {
        Some(ops::Error::Plan(plan::Error::Refused(objections))) => refused(objections),
        Some(ops::Error::Rest(_)) => {
            "now that addresses are known, the rest would be refused, so none of it was written"
                .to_owned()
        }
        Some(ops::Error::Outdated(_)) => {
            "the plan does not hold any more, so nothing was written".to_owned()
        }
        Some(ops::Error::Cluster(_)) if !unready.is_empty() => names(unready),
        _ => failure.to_string(),
    }
}

/// `the API server would refuse 2 resources; nothing was written`.
fn refused(objections: &[Objection]) -> String {
    match objections.len() {
        1 => "1 change would be refused, so nothing was written".to_owned(),
        count => format!("{count} changes would be refused, so nothing was written"),
    }
}

/// `not ready: Deployment web, Service web and 3 more`.
fn names(unready: &[Unready]) -> String {
    let shown = &unready[..unready.len().min(NAMED)];
    let names: Vec<_> = shown.iter().map(|one| one.id.to_string()).collect();
    match unready.len() - shown.len() {
        0 => format!("not ready: {}", names.join(", ")),
        more => format!("not ready: {} and {more} more", names.join(", ")),
    }
}
