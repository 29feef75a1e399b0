//! `drift --fix`, and `diff` without a chart: from what is live back to what is recorded.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{Desired, Past};
use super::transition;
use super::{Change, Error, Session, Terms, lock, method};
use crate::plan::HookAim;
use crate::release::{Release, Status};

/// Decides to put everything back to what is recorded of the revision that was deployed last, as the
/// next revision of the release. Where nothing differs this is a change that does nothing.
///
/// # Errors
/// If there is no such release, Helm may be changing it, its rules forbid the way back from a revision
/// that failed, or the change cannot be planned. Nothing is written.
pub async fn restore(session: &Session<'_>, terms: &Terms) -> Result<Change, Error> {
    let past = Past::read(session).await?;
    lock::refuse_helm(session, &past, terms.pending_timeout)?;
    let target = past.deployed().ok_or_else(|| Error::no_release(session))?;
    let method = method::decide(session, &past, terms)?;
    let target = target.clone();
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = catalogue.recorded(&target).await?;
    let revision = target.revision;
    let goal = Goal {
        desired: Desired {
            release: Release {
                apply_method: Some(method),
                ..next(session, &past, target)
            },
            manifest,
            definitions: vec![],
        },
        // It is the same revision in all but its number.
        hooks: HookAim::default(),
        completed: format!("Put back what had drifted from revision {revision}"),
        notices: past.passed_over(),
        terms,
    };
    let change = deploy::decide(session, goal, past, catalogue).await?;
    let base = &change.past.base;
    let checked = transition::check(&change.release, base, change.plan.trend);
    checked.map_err(|source| Error::Back {
        release: change.release.name.clone(),
        revision,
        source,
    })?;
    Ok(change)
}

/// The pending revision that says the same as `target`.
fn next(session: &Session<'_>, past: &Past, target: Release) -> Release {
    let mut release = target;
    release.info.description = format!(
        "Putting back what has drifted from revision {}",
        release.revision
    );
    release.info.status = Status::PendingUpgrade;
    release.info.last_deployed = Some((session.now)());
    release.info.rollback_revision = None;
    release.info.deleted = None;
    release.forget_failure();
    release.revision = past.next_revision();
    release
}
