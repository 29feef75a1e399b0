//! `status --watch`: how the resources of a release fare, for as long as anybody looks.

use std::collections::BTreeMap;
use std::future::pending;
use std::ops::ControlFlow;
use std::time::Duration;

use super::read::{self, ResourceStatus};
use super::{Error, Session, reread};
use crate::capabilities::Kind;
use crate::health::Health;
use crate::history::Entry;
use crate::manifest::ResourceId;
use crate::release::Release;

/// Far more than anybody looks.
const WITHOUT_END: Duration = Duration::from_hours(24 * 365);

/// What has happened to a release.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A resource has another health, or none because it does not exist.
    Health(&'a ResourceId, Option<&'a Health>),
    /// There is a new revision, whose resources count from here on.
    Revision(&'a Release),
}

/// Which resources are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// Those of one revision, whatever comes after it.
    Revision,
    /// Those of the newest revision.
    Newest,
}

/// What is looked at.
struct View {
    wanted: Vec<(ResourceId, Kind)>,
    /// How it stands, as far as that was told.
    known: BTreeMap<ResourceId, Option<Health>>,
}

impl View {
    /// Goes on to the resources of another revision. What there is of older ones is looked at until it is gone.
    fn turn_to(&mut self, wanted: Vec<(ResourceId, Kind)>) {
        let is_there = |id: &ResourceId| self.known.get(id).is_some_and(Option::is_some);
        let mut older = std::mem::take(&mut self.wanted);
        older.retain(|(id, _)| is_there(id) && wanted.iter().all(|(other, _)| other != id));
        self.wanted = [wanted, older].concat();
        for (id, _) in &self.wanted {
            self.known.entry(id.clone()).or_default();
        }
    }
}

/// Tells of every change of health of a revision's resources from where they are `known` to stand on,
/// by watches, until `on` breaks.
///
/// # Errors
/// If a manifest cannot be read, or the resources cannot be watched.
pub async fn follow(
    session: &Session<'_>,
    (release, following): (&Release, Following),
    known: &[ResourceStatus],
    on: &mut dyn FnMut(Seen<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let (_, wanted) = read::wanted(session, release).await?;
    let known = known.iter();
    let known = known.map(|one| (one.id.clone(), one.health.clone()));
    let mut view = View {
        wanted,
        known: known.collect(),
    };
    let mut revision = release.revision;
    loop {
        let (wanted, known) = (view.wanted.clone(), view.known.clone());
        let mut tell = |id: &ResourceId, health: Option<&Health>| {
            view.known.insert(id.clone(), health.cloned());
            on(Seen::Health(id, health))
        };
        let newer = tokio::select! {
            over = session.cluster.follow_health(&wanted, known, &mut tell) => return Ok(over?),
            newer = next(session, revision), if following == Following::Newest => newer?,
        };
        revision = newer.revision;
        if on(Seen::Revision(&newer)).is_break() {
            return Ok(());
        }
        view.turn_to(read::wanted(session, &newer).await?.1);
    }
}

/// Waits for the revision after one, and gives the newest that there is then.
async fn next(session: &Session<'_>, revision: u32) -> Result<Release, Error> {
    let record = session.store().record(session.release, revision + 1);
    let there = session
        .cluster
        .wait_until((&record.0, &record.1), WITHOUT_END, &|_| true);
    match there.await {
        // It is all that cannot be seen then.
        Err(error) if error.is_forbidden() => pending().await,
        Err(error) => Err(error.into()),
        Ok(_) => {
            let newest = reread::steadily(async || {
                let is_newer = |entry: &&Entry| entry.revision > revision;
                let entries = session.store().history(session.release).await?;
                Ok(match entries.last().filter(is_newer) {
                    Some(newest) => Some(session.store().read(newest).await?),
                    None => None,
                })
            });
            match newest.await? {
                Some(newest) => Ok(newest),
                // Gone already.
                None => pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_older_revisions_is_looked_at_until_it_is_gone() {
        let kind = crate::builtin::kind("", "ConfigMap").unwrap();
        let id = |name: &&str| ResourceId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: None,
            name: (*name).to_owned(),
        };
        let wanted = |names: &[&str]| -> Vec<_> {
            let ids = names.iter().map(id);
            ids.map(|id| (id, kind.clone())).collect()
        };
        let mut view = View {
            wanted: wanted(&["a", "b", "c"]),
            known: BTreeMap::from([
                (id(&"a"), Some(Health::Ready)),
                (id(&"b"), None),
                (id(&"c"), Some(Health::Ready)),
            ]),
        };
        view.turn_to(wanted(&["c", "d"]));
        assert_eq!(view.wanted, wanted(&["c", "d", "a"]));
        assert_eq!(view.known[&id(&"c")], Some(Health::Ready));
        assert_eq!(view.known[&id(&"d")], None);
    }
}
