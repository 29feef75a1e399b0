//! Who has changed what a plan puts back: asked only where a plan is shown.

use super::{Change, Session};

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
