//! Who has changed what a plan puts back, and whose is what it leaves alone: asked only where a plan is shown.

use super::{Change, Error, Session};

/// Lets the plan of a change say who changed what it puts back. It takes one list for each kind and namespace
/// with such resources. Where that cannot be read nobody is named: it decides nothing.
pub async fn attribute(session: &Session<'_>, change: &mut Change) {
    let drifted = change.plan.drifted();
    if drifted.is_empty() {
        return;
    }
    if let Ok(live) = session.cluster.observe_managed(&drifted).await {
        change.plan.attribute(&live);
    }
}

/// The same, and whose the fields are that no chart speaks of. It takes one list for each kind and namespace.
///
/// # Errors
/// If a resource cannot be read.
pub async fn survey(session: &Session<'_>, change: &mut Change) -> Result<(), Error> {
    let steps = change.plan.staying();
    let wanted: Vec<_> = steps
        .map(|step| (step.id.clone(), step.kind.clone()))
        .collect();
    let live = session.cluster.observe_managed(&wanted).await?;
    change.plan.attribute(&live);
    let inputs = change.aim.inputs(session, &live);
    change.plan.survey(&inputs);
    Ok(())
}
