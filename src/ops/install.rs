//! `install`: the first revision of a release.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{self, ChartRequest, Past};
use super::{Change, Error, Session, Terms, UsedName, lock, method};
use crate::manifest::HookEvent;
use crate::plan::HookAim;
use crate::release::{Status, check_name};
use crate::render::Operation;

/// Decides the first installation of a chart. It goes on from one that was interrupted.
///
/// # Errors
/// If the name is bad or taken, the chart cannot be rendered with these values, the change
/// cannot be planned, or the API server would refuse it. Nothing is written.
pub async fn install(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
) -> Result<Change, Error> {
    check_name(session.release)?;
    let past = Past::read(session).await?;
    after(session, request, terms, past).await
}

/// Decides the first installation of a chart, with what is recorded of earlier ones.
pub(super) async fn after(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
    mut past: Past,
) -> Result<Change, Error> {
    lock::refuse_helm(session, &past, terms.pending_timeout)?;
    past.operation = Operation::Install;
    let is_taken = |status: Status| match status {
        Status::PendingInstall => false,
        Status::Uninstalled | Status::Failed => terms.recording.used_name == UsedName::Refuse,
        _ => true,
    };
    if let Some(entry) = past.newest().filter(|entry| is_taken(entry.status)) {
        return Err(Error::NameTaken {
            release: entry.name.clone(),
            revision: entry.revision,
            status: entry.status,
        });
    }
    let method = method::decide(session, &past, terms)?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let (mut desired, notices) = prepare::desired(session, request, &past, &mut catalogue).await?;
    desired.release.apply_method = Some(method);
    let goal = Goal {
        desired,
        completed: "Install complete".to_owned(),
        hooks: HookAim {
            events: vec![HookEvent::PreInstall, HookEvent::PostInstall],
            ..HookAim::default()
        },
        notices,
        terms,
    };
    deploy::decide(session, goal, past, catalogue).await
}
