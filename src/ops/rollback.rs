//! `rollback`: the next revision of a release, from an earlier one.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{Desired, Past};
use super::transition::{self, Rules};
use super::{Change, Error, Session, Terms, lock, method, plan_file, read};
use crate::history::Entry;
use crate::manifest::HookEvent;
use crate::plan::HookAim;
use crate::release::{HookRun, Release, Status};

/// Decides to go back to revision `to`; without one, to what an unfinished rollback goes back to, to what an
/// unfinished uninstallation has found, or else to the last good revision before the newest.
///
/// # Errors
/// If there is no such release or revision, Helm may be changing it, the rules of the charts forbid
/// it and have to hold, the change cannot be planned, or it is not the plan that the terms fix.
/// Nothing is written.
pub async fn rollback(
    session: &Session<'_>,
    to: Option<u32>,
    rules: Rules,
    terms: &Terms,
) -> Result<Change, Error> {
    let (past, release) = Past::read_with(session, async |past| {
        plan_file::confirm(session, terms, past).await?;
        lock::refuse_helm(session, past, terms.pending_timeout)?;
        past.whole(session, target(session, past, to)?).await
    })
    .await?;
    let method = method::decide(session, &past, terms)?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let manifest = catalogue.recorded(&release).await?;
    let completed = format!("Rollback to {}", release.revision);
    let desired = Desired {
        release: Release {
            apply_method: Some(method),
            ..next(session, &past, release)
        },
        manifest,
        definitions: vec![],
    };
    let goal = Goal {
        desired,
        completed,
        hooks: HookAim {
            events: vec![HookEvent::PreRollback, HookEvent::PostRollback],
            ..HookAim::default()
        },
        notices: vec![],
        terms,
    };
    let mut change = deploy::decide(session, goal, past, catalogue).await?;
    if rules == Rules::Hold {
        let base = &change.past.base;
        let checked = transition::check(&change.release, base, change.plan.trend);
        let told = checked.map_err(|source| Error::Back {
            release: change.release.name.clone(),
            revision: change.release.info.rollback_revision.unwrap_or_default(),
            source,
        })?;
        change.notices.extend(told);
    }
    Ok(change)
}

/// The revision that is wanted.
fn target<'a>(session: &Session<'_>, past: &'a Past, to: Option<u32>) -> Result<&'a Entry, Error> {
    let newest = past.newest().ok_or_else(|| Error::no_release(session))?;
    let Some(wanted) = to else {
        return unnamed(past).ok_or_else(|| Error::NothingBefore {
            release: session.release.to_owned(),
            revision: newest.revision,
        });
    };
    read::numbered(session, &past.entries, wanted)
}

/// Where a rollback goes that names no revision. One that has not come to its end goes on. An uninstallation
/// that has not come to its end is taken back: it has marked the newest revision, whether that was live or had
/// failed. Helm takes the one before the newest, which may have failed as well; that is left to where none was
/// ever good.
fn unnamed(past: &Past) -> Option<&Entry> {
    let (newest, before) = past.entries.split_last()?;
    let unfinished = past.base.last().filter(|release| {
        let status = release.info.status;
        release.revision == newest.revision && (status == Status::Failed || status.is_pending())
    });
    let info = unfinished.map(|release| &release.info);
    if info.is_some_and(|info| info.deleted.is_some()) {
        let mut older = before.iter().rev();
        let live = older.find(|entry| entry.status == Status::Deployed);
        return Some(live.unwrap_or(newest));
    }
    let begun = info.and_then(|info| info.rollback_revision);
    let was_good = |entry: &&Entry| matches!(entry.status, Status::Deployed | Status::Superseded);
    let mut older = before.iter().rev();
    let unfinished = { older.clone() }.find(|entry| Some(entry.revision) == begun);
    unfinished
        .or_else(|| older.clone().find(was_good))
        .or_else(|| older.next())
}

/// The pending revision that brings `target` back.
fn next(session: &Session<'_>, past: &Past, target: Release) -> Release {
    let mut release = target;
    release.info.rollback_revision = Some(release.revision);
    release.info.description = format!("Rolling back to revision {}", release.revision);
    release.info.status = Status::PendingRollback;
    release.info.last_deployed = Some((session.now)());
    release.info.deleted = None;
    release.forget_failure();
    release.revision = past.next_revision();
    // They ran for another revision.
    for hook in &mut release.hooks {
        hook.last_run = HookRun::default();
    }
    release
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history;
    use crate::render::Operation;

    /// Checks where a rollback without a number goes, if the revisions have these statuses, the newest one
    /// goes back to another, and was to be deleted.
    #[track_caller]
    fn check(statuses: &[Status], (back, deleted): (Option<u32>, bool), expected: Option<u32>) {
        let revisions = (1..).zip(statuses);
        let entries: Vec<Entry> = revisions
            .map(|(revision, status)| Entry {
                name: "web".to_owned(),
                namespace: "shop".to_owned(),
                revision,
                status: *status,
                secret: String::new(),
                version: String::new(),
                labels: std::collections::BTreeMap::new(),
                summary: None,
            })
            .collect();
        let newest = entries.last().map(|entry| entry.revision);
        let base = history::base(&entries).iter().map(|entry| {
            let is_newest = Some(entry.revision) == newest;
            let deleted = (deleted && is_newest).then_some("2026-11-29T10:00:00Z");
            let back = back.filter(|_| is_newest);
            let release = json!({"version": entry.revision, "info": {"status": entry.status,
                "deleted": deleted, "rollback_revision": back}});
            serde_json::from_value(release).unwrap()
        });
        let past = Past {
            base: base.collect(),
            entries,
            other: None,
            operation: Operation::Upgrade,
        };
        let found = unnamed(&past).map(|entry| entry.revision);
        assert_eq!(found, expected, "{statuses:?} {back:?} {deleted}");
    }

    #[test]
    fn without_a_number_a_rollback_goes_to_what_was_good() {
        use Status::{Deployed, Failed, PendingRollback, Superseded, Uninstalled, Uninstalling};
        let never = (None, false);
        check(&[], never, None);
        check(&[Deployed], never, None);
        check(&[Superseded, Deployed], never, Some(1));
        check(&[Superseded, Deployed, Failed, Failed], never, Some(2));
        check(&[Failed, Failed], never, Some(1));
        check(&[Superseded, Uninstalled], (None, true), Some(1));
        let back = (Some(1), false);
        check(&[Superseded, Deployed, PendingRollback], back, Some(1));
        check(&[Superseded, Deployed, Failed], back, Some(1));
        // An uninstallation that was ended, before or after it could say so.
        let deleted = (None, true);
        for ended in [Uninstalling, Failed] {
            check(&[ended], deleted, Some(1));
            check(&[Superseded, Superseded, ended], deleted, Some(3));
            check(&[Superseded, Deployed, ended], deleted, Some(2));
            check(&[Superseded, Deployed, Failed, ended], deleted, Some(2));
            check(&[Superseded, ended], (Some(1), true), Some(2));
        }
    }
}
