//! `rollback`: the next revision of a release, from an earlier one.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{Desired, Past};
use super::transition::{self, Rules};
use super::{Change, Error, Session, Terms, lock, method, plan_file, read};
use crate::history::Entry;
use crate::manifest::HookEvent;
use crate::plan::{HookAim, Remains};
use crate::release::{HookRun, Release, Status};

/// Decides to go back to revision `to`; without one, to what an unfinished rollback goes back to, or else to
/// the last good revision before the newest.
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
            remains: Remains::Current,
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

/// Where a rollback goes that names no revision. One that has not come to its end goes on. Helm takes the
/// one before the newest, which may have failed as well; that is left to where none was ever good.
fn unnamed(past: &Past) -> Option<&Entry> {
    let (newest, before) = past.entries.split_last()?;
    let begun = past.base.last().filter(|release| {
        let status = release.info.status;
        release.revision == newest.revision && (status == Status::Failed || status.is_pending())
    });
    let begun = begun.and_then(|release| release.info.rollback_revision);
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
