//! `rollback`: the next revision of a release, from an earlier one.

use super::catalogue::Catalogue;
use super::deploy::{self, Goal};
use super::prepare::{Desired, Past};
use super::transition::{self, Rules};
use super::{Change, Error, Session, Terms, lock, method, plan_file};
use crate::history::Entry;
use crate::manifest::HookEvent;
use crate::plan::{HookAim, Remains};
use crate::release::{HookRun, Release, Status};

/// Decides to go back to revision `to`, or to the one before the newest.
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
    let past = Past::read(session).await?;
    plan_file::confirm(session, terms, &past).await?;
    lock::refuse_helm(session, &past, terms)?;
    let target = target(session, &past, to)?;
    let method = method::decide(session, &past, terms)?;
    let release = session.store().read(target).await?;
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
    let change = deploy::decide(session, goal, past, catalogue).await?;
    if rules == Rules::Hold {
        let base = &change.past.base;
        let checked = transition::check(&change.release, base, change.plan.trend);
        checked.map_err(|source| Error::Back {
            release: change.release.name.clone(),
            revision: change.release.info.rollback_revision.unwrap_or_default(),
            source,
        })?;
    }
    Ok(change)
}

/// The revision that is wanted; without a wish the one before the newest.
fn target<'a>(session: &Session<'_>, past: &'a Past, to: Option<u32>) -> Result<&'a Entry, Error> {
    let newest = past.newest().ok_or_else(|| Error::no_release(session))?;
    let Some(wanted) = to else {
        let before = past.entries.iter().rev().nth(1);
        return before.ok_or_else(|| Error::NothingBefore {
            release: session.release.to_owned(),
            revision: newest.revision,
        });
    };
    let found = past.entries.iter().find(|entry| entry.revision == wanted);
    found.ok_or_else(|| Error::NoRevision {
        release: session.release.to_owned(),
        revision: wanted,
        known: past.entries.iter().map(|entry| entry.revision).collect(),
    })
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
