//! `upgrade`: the next revision of a release, from a chart.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{self, ChartRequest, Past};
use super::{Change, Error, Session, Terms, UsedName, install, lock, method};
use crate::history::Entry;
use crate::manifest::HookEvent;
use crate::plan::HookAim;
use crate::release::{Status, check_name};

/// Decides the upgrade of a release to a chart and values. It goes on from any state: after a
/// failed or interrupted revision the difference is computed from everything applied since the last
/// good one.
///
/// # Errors
/// If there is no such release or it is uninstalled, Helm may be changing it, the chart cannot be rendered with
/// these values, the change cannot be planned, or the API server would refuse
/// it. Nothing is written.
pub async fn upgrade(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
) -> Result<Change, Error> {
    check_name(session.release)?;
    let past = Past::read(session).await?;
    after(session, request, terms, past).await
}

/// Decides the upgrade of a release; its installation where there is none, where it is uninstalled,
/// and where an installation was interrupted.
///
/// # Errors
/// As [`upgrade`] and [`install`](super::install()).
pub async fn upgrade_or_install(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
) -> Result<Change, Error> {
    check_name(session.release)?;
    let past = Past::read(session).await?;
    let is_gone =
        |entry: &Entry| matches!(entry.status, Status::PendingInstall | Status::Uninstalled);
    if !past.newest().is_none_or(is_gone) {
        return after(session, request, terms, past).await;
    }
    let mut terms = terms.clone();
    terms.recording.used_name = UsedName::Replace;
    install::after(session, request, &terms, past).await
}

/// Decides the upgrade of a release from what is recorded of it.
pub(super) async fn after(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
    past: Past,
) -> Result<Change, Error> {
    lock::refuse_helm(session, &past, terms.pending_timeout)?;
    if past.base.is_empty() {
        return Err(match past.newest() {
            Some(newest) => Error::Uninstalled {
                release: newest.name.clone(),
                revision: newest.revision,
            },
            None => Error::NothingToUpgrade {
                release: session.release.to_owned(),
                namespace: session.namespace.to_owned(),
            },
        });
    }
    let method = method::decide(session, &past, terms)?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let (mut desired, notices) = prepare::desired(session, request, &past, &mut catalogue).await?;
    desired.release.apply_method = Some(method);
    let goal = Goal {
        desired,
        completed: "Upgrade complete".to_owned(),
        hooks: HookAim {
            events: vec![HookEvent::PreUpgrade, HookEvent::PostUpgrade],
            ..HookAim::default()
        },
        notices,
        terms,
    };
    deploy::decide(session, goal, past, catalogue).await
}
