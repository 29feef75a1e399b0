//! The first line of an error.

use pintle::cluster::Unready;
use pintle::ops;
use pintle::plan::{self, Objection};

use super::Failure;

/// How many resources that are not ready it names.
const NAMED: usize = 5;

/// What went wrong, without what is listed below it.
pub(super) fn of(failure: &Failure) -> String {
    match failure.operation() {
        Some(error) => brief(error),
        None => failure.to_string(),
    }
}

/// What went wrong, without what is listed below it.
pub(super) fn brief(error: &ops::Error) -> String {
    match error {
        ops::Error::Plan(plan::Error::Refused(objections)) => refused(objections),
        ops::Error::Rest(_) => {
            "now that addresses are known, the rest would be refused, so none of it was written"
                .to_owned()
        }
        ops::Error::Outdated(_) => {
            "the plan does not hold any more, so nothing was written".to_owned()
        }
        ops::Error::Cluster(_) if !error.unready().is_empty() => names(error.unready()),
        _ => error.to_string(),
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
