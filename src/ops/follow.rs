//! `status --watch`: how the resources of a release fare, for as long as anybody looks.

use std::collections::BTreeMap;
use std::future::pending;
use std::ops::ControlFlow;
use std::time::Duration;

use super::read::{self, ResourceStatus};
use super::{Error, Session, reread};
use crate::capabilities::Kind;
use crate::cluster;
use crate::health::Health;
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
    /// No revision of the release is left, until it is installed again.
    Gone,
}

/// Which resources are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// Those of one revision, whatever comes after it.
    Revision,
    /// Those of the newest revision, also when the release is gone and comes back.
    Newest,
}

/// The record to which something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    /// That of the newest revision is gone.
    Own,
    /// The next one is there.
    Later,
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
    let mut revision = Some(release.revision);
    loop {
        let (wanted, known) = (view.wanted.clone(), view.known.clone());
        let mut tell = |id: &ResourceId, health: Option<&Health>| {
            view.known.insert(id.clone(), health.cloned());
            on(Seen::Health(id, health))
        };
        let is_newest = following == Following::Newest;
        let newest = tokio::select! {
            over = session.cluster.follow_health(&wanted, known, &mut tell),
                if !is_newest || !wanted.is_empty() => return Ok(over?),
            newest = next(session, revision), if is_newest => newest?,
        };
        revision = newest.as_ref().map(|release| release.revision);
        let seen = newest.as_ref().map_or(Seen::Gone, Seen::Revision);
        if on(seen).is_break() {
            return Ok(());
        }
        let wanted = match &newest {
            Some(release) => read::wanted(session, release).await?.1,
            None => vec![],
        };
        view.turn_to(wanted);
    }
}

/// Waits until the newest revision is another one than this, be it of the same number, and gives that. None is
/// that of a release that is gone.
async fn next(session: &Session<'_>, revision: Option<u32>) -> Result<Option<Release>, Error> {
    let cluster = session.cluster;
    let store = session.store();
    let later = store.record(session.release, revision.unwrap_or(0) + 1);
    loop {
        let changed = tokio::select! {
            later = cluster.wait_until((&later.0, &later.1), WITHOUT_END, &|_| true) => {
                later.map(|_| Record::Later)
            }
            own = gone(session, revision) => own.map(|()| Record::Own),
        };
        let changed = match changed {
            // It is all that cannot be seen then.
            Err(error) if error.is_forbidden() => pending().await,
            changed => changed?,
        };
        let newest = reread::steadily(async || {
            let entries = store.history(session.release).await?;
            Ok(match entries.last() {
                Some(newest) => Some(store.read(newest).await?),
                None => None,
            })
        });
        let newest = newest.await?;
        let is_same = newest.as_ref().map(|release| release.revision) == revision;
        if changed == Record::Own || !is_same {
            return Ok(newest);
        }
        // It came and went.
        cluster
            .wait_gone(std::slice::from_ref(&later), WITHOUT_END)
            .await?;
    }
}

/// Waits until the record of a revision is gone, or another one has its name.
async fn gone(session: &Session<'_>, revision: Option<u32>) -> Result<(), cluster::Error> {
    let Some(revision) = revision else {
        return pending().await;
    };
    let own = [session.store().record(session.release, revision)];
    session.cluster.wait_gone(&own, WITHOUT_END).await
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
