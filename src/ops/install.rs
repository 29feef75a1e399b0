//! `install`: the first revision of a release.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{self, ChartRequest, Past};
use super::{Change, Error, Session};
use crate::release::check_name;

/// Decides the first installation of a chart.
///
/// # Errors
/// If the name is bad or taken, the chart cannot be rendered with these values, or the change
/// cannot be planned. Nothing is written.
pub async fn install(session: &Session<'_>, request: &ChartRequest<'_>) -> Result<Change, Error> {
    check_name(session.release)?;
    let past = Past::read(session).await?;
    past.refuse_pending(session.release)?;
    if let Some(entry) = past.newest() {
        return Err(Error::NameTaken {
            release: entry.name.clone(),
            revision: entry.revision,
            status: entry.status,
        });
    }
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let (desired, notices) = prepare::desired(session, request, &past, &mut catalogue).await?;
    let goal = Goal {
        desired,
        completed: "Install complete".to_owned(),
        notices,
    };
    deploy::decide(session, goal, past, catalogue).await
}
