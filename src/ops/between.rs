//! `diff --revision`: what distinguishes two revisions, without a look at the cluster's resources. How custom
//! resources merge may be asked for.

use super::catalogue::Catalogue;
use super::{Error, Revision, Session, find, structure};
use crate::plan::between::{self, Compared};
use crate::plan::structure::unlearned;

/// Two revisions and what distinguishes them.
#[derive(Debug)]
pub struct Between {
    /// The number of the earlier one.
    pub from: u32,
    /// The number of the later one.
    pub to: u32,
    /// Every resource of either.
    pub compared: Vec<Compared>,
}

/// Compares revision `from` with `to`, or with the one that was deployed last.
///
/// # Errors
/// If there is no such release or revision, or a record cannot be read.
pub async fn between(session: &Session<'_>, from: u32, to: Option<u32>) -> Result<Between, Error> {
    let to = to.map_or(Revision::Deployed, Revision::Number);
    let (earlier, later) =
        futures::try_join!(find(session, Revision::Number(from)), find(session, to))?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let old = catalogue.recorded(&earlier).await?;
    let new = catalogue.recorded(&later).await?;
    let mut compared = between::between(&old, &new, catalogue.kinds());
    let manifests = [&new, &old];
    let changes = compared.iter().flat_map(|one| {
        let paths = one.changes.iter().map(|change| change.path.as_str());
        paths.map(|path| (&one.id, path))
    });
    let wanted = unlearned(changes, &manifests, catalogue.kinds());
    let asked = (wanted, &manifests[..]);
    if structure::learn(session.cluster, catalogue.kinds_mut(), asked).await? {
        compared = between::between(&old, &new, catalogue.kinds());
    }
    Ok(Between {
        from,
        to: later.revision,
        compared,
    })
}
