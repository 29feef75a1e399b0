//! `uninstall`: the end of a release, which is a change to a manifest without resources.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{Desired, Past};
use super::{Change, Error, History, Session, Terms, lock, outcome, past_hooks, rights};
use crate::manifest::{HookEvent, Manifest};
use crate::plan::{HookAim, Remains};
use crate::release::{Release, Status};

/// Decides to delete everything that a release applied, and its records unless they are to be kept.
///
/// # Errors
/// If there is no such release, it is uninstalled and is to be kept so, or Helm may be changing it.
/// Nothing is written, but the lock of a release that is gone is taken away if the process that held it
/// has ended.
pub async fn uninstall(session: &Session<'_>, terms: &Terms) -> Result<Change, Error> {
    let read = Past::read_with(session, async |past| match past.newest() {
        Some(newest) => Ok(Some(past.whole(session, newest).await?)),
        None => Ok(None),
    });
    let (past, release) = match read.await {
        Err(error) => {
            let records = outcome::records(Status::Uninstalling, &[], terms);
            return Err(rights::unlisted(session, records, error).await);
        }
        Ok(read) => read,
    };
    let (Some(newest), Some(mut release)) = (past.newest(), release) else {
        // The last thing that an uninstallation gives back, if it came so far.
        lock::sweep(session).await?;
        return Err(Error::no_release(session));
    };
    if newest.status != Status::Uninstalling {
        lock::refuse_helm(session, &past, terms.pending_timeout)?;
    }
    if newest.status == Status::Uninstalled && terms.recording.history == History::Keep {
        return Err(Error::Uninstalled {
            release: newest.name.clone(),
            revision: newest.revision,
        });
    }
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = Manifest {
        hooks: catalogue.hooks(&release).await?,
        ..Manifest::default()
    };
    let older = past_hooks::gather(session, &past, &manifest).await?;
    let hooks = HookAim {
        events: events(&release),
        remains: Remains::Nothing(older.iter().map(past_hooks::resource).collect()),
        ..HookAim::default()
    };
    release.info.status = Status::Uninstalling;
    release.forget_failure();
    // An uninstallation that is taken up again has begun when it was begun first.
    release.info.deleted.get_or_insert_with(session.now);
    "Deletion in progress".clone_into(&mut release.info.description);
    let goal = Goal {
        desired: Desired {
            release,
            manifest,
            definitions: vec![],
        },
        completed: "Uninstallation complete".to_owned(),
        hooks,
        notices: vec![],
        terms,
    };
    deploy::decide(session, goal, past, catalogue).await
}

/// The events at which hooks run. Those before the first deletion do not if they have all done so
/// for an uninstallation that did not come to its end: what they need may be gone by now.
fn events(release: &Release) -> Vec<HookEvent> {
    let begun = release.info.deleted;
    let own = release.hooks.iter();
    let mut before = own.filter(|hook| hook.is_at(HookEvent::PreDelete));
    let has_run = before.all(|hook| {
        let run = &hook.last_run;
        run.has_succeeded() && run.started_at >= begun
    });
    if begun.is_some() && has_run {
        vec![HookEvent::PostDelete]
    } else {
        vec![HookEvent::PreDelete, HookEvent::PostDelete]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Checks which events have hooks to run, if the uninstallation was begun at one time, and a hook
    /// ran before the deletion at another.
    #[track_caller]
    fn check(begun: Option<&str>, (ran, phase): (&str, &str), expected: &[HookEvent]) {
        let time = |hour: &str| format!("2026-11-29T{hour}:00:00Z");
        let release = json!({"info": {"deleted": begun.map(time)}, "hooks": [
            {"name": "a", "events": ["pre-delete"],
             "last_run": {"started_at": time(ran), "phase": phase}},
            {"name": "b", "events": ["test"], "last_run": {"phase": "Failed"}}]});
        let release = serde_json::from_value(release).unwrap();
        assert_eq!(events(&release), expected, "{begun:?} {ran} {phase}");
    }

    #[test]
    fn hooks_before_the_deletion_run_once() {
        let both = [HookEvent::PreDelete, HookEvent::PostDelete];
        check(None, ("10", "Succeeded"), &both);
        check(Some("11"), ("10", "Succeeded"), &both);
        check(Some("11"), ("12", "Failed"), &both);
        check(Some("11"), ("12", "Running"), &both);
        check(Some("11"), ("12", "Succeeded"), &[HookEvent::PostDelete]);
    }
}
