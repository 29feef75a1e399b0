//! What every change is decided by: observe, plan, ask. What follows is `commit`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::aim::Aim;
use super::catalogue::Catalogue;
use super::prepare::{Desired, Past};
use super::rehearse::{self, Rehearsal};
use super::replan::{self, Tries};
use super::rights::Records;
use super::{
    Error, Leftovers, Recording, ServerSide, Session, Unchanged, credentials, method, outcome,
    past_hooks, plan_file, rights,
};
use crate::event::Event;
use crate::manifest::{Manifest, Resource, ResourceId};
use crate::plan::file::PlanFile;
use crate::plan::{Cascade, Consent, Found, HookAim, Hooks, Observed, Plan};
use crate::release::{Release, SourcePiece, Status};

/// When a change ends. Gates between its stages hold in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// When everything is written.
    Written,
    /// When everything is ready.
    Ready,
}

/// What happens when the release's namespace does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespacePolicy {
    /// The change fails.
    MustExist,
    /// The namespace is created, and is not part of the release.
    Create,
}

/// Whether hooks are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookPolicy {
    /// They are.
    Run,
    /// They are not.
    Skip,
}

/// What becomes of a change that fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It stays as far as it has come, and the next change goes on from there.
    #[default]
    Stay,
    /// It goes back: an upgrade to the last good revision, an installation to nothing.
    GoBack,
}

/// How a change is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long waits may take, all together; one that takes longer fails.
    pub timeout: Duration,
    /// What becomes of it if it fails.
    pub on_failure: OnFailure,
    /// What becomes of what it has created if it fails.
    pub leftovers: Leftovers,
}

/// On which terms a change is decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Whether the API server is asked about the plan before the first write.
    pub rehearsal: Rehearsal,
    /// When it ends.
    pub end: End,
    /// What happens when the namespace does not exist.
    pub namespace: NamespacePolicy,
    /// How resources are written.
    pub server_side: ServerSide,
    /// What the user has agreed to.
    pub consent: Consent,
    /// Whether hooks are run.
    pub hooks: HookPolicy,
    /// How long a revision that Helm left pending counts as under way.
    pub pending_timeout: SignedDuration,
    /// The plan that the change has to be.
    pub fixed: Option<Arc<PlanFile>>,
    /// What the user says about the record.
    pub recording: Recording,
    /// What becomes of what deleted resources own; none leaves it to the plan.
    pub cascade: Option<Cascade>,
}

impl Default for Terms {
    /// The API server is asked, all is waited for, the namespace must exist, resources are written as
    /// before, hooks are run, nothing more is agreed to, and Helm has 10 minutes.
    fn default() -> Self {
        Self {
            rehearsal: Rehearsal::Server,
            end: End::Ready,
            namespace: NamespacePolicy::MustExist,
            server_side: ServerSide::Auto,
            consent: Consent::default(),
            hooks: HookPolicy::Run,
            pending_timeout: SignedDuration::from_mins(10),
            fixed: None,
            recording: Recording::default(),
            cascade: None,
        }
    }
}

/// A change that is decided and not begun: nothing has been written.
#[derive(Debug)]
pub struct Change {
    /// The revision as it will be recorded when the change begins.
    pub release: Release,
    /// What will be done to the cluster's resources.
    pub plan: Plan,
    /// What the operation has to say before it begins.
    pub notices: Vec<Event>,
    /// What the plan was made from, apart from what the cluster holds.
    pub(super) aim: Aim,
    /// What the cluster holds; nothing any more once the change has begun.
    pub(super) observed: Observed,
    /// What the record has too much of, to be stored beside it.
    pub(super) sources: Vec<SourcePiece>,
    pub(super) past: Past,
    pub(super) completed: String,
    pub(super) terms: Terms,
}

/// What an operation aims at.
pub(super) struct Goal<'a> {
    pub(super) desired: Desired,
    /// The description of the revision when it has succeeded.
    pub(super) completed: String,
    /// Which hooks run if any do, and what is left of hooks.
    pub(super) hooks: HookAim,
    pub(super) notices: Vec<Event>,
    pub(super) terms: &'a Terms,
}

/// Observes the cluster, plans the way to `goal`, and asks the API server about it.
pub(super) async fn decide(
    session: &Session<'_>,
    goal: Goal<'_>,
    past: Past,
    mut catalogue: Catalogue<'_>,
) -> Result<Change, Error> {
    let base = catalogue.applied_all(&past.base).await?;
    let strays = past_hooks::strays(&past.base, &base);
    let Goal {
        desired,
        completed,
        hooks,
        notices,
        terms,
    } = goal;
    let (mut release, mut manifest) = (desired.release, desired.manifest);
    let sources = fit(&mut release, terms)?;
    let shared = bundled(&mut manifest, desired.definitions);
    let mut aim = Aim {
        desired: manifest,
        base,
        mentions: BTreeMap::new(),
        found: Found {
            shared,
            ..Found::default()
        },
        hooks: HookAim {
            strays,
            ..allowed(hooks, terms)
        },
        method: method::planned(&release, terms),
        before: method::before(&past),
        consent: terms.consent.clone(),
        kinds: catalogue.into_kinds(),
        now: (terms.fixed.as_ref()).map_or_else(session.now, |fixed| fixed.created),
        records: outcome::records(release.info.status, &past.entries, terms),
    };
    let seen = match aim.observe(session).await {
        Err(error) if error.is_forbidden() => {
            return Err(rights::unread(session, &aim, error).await);
        }
        seen => seen?,
    };
    if release.info.status != Status::Uninstalling {
        let generated = (&aim.desired, seen.generated.as_slice());
        aim.mentions = credentials::mentions(session, &past, generated).await?;
    }
    let plan = aim.search(session, &seen.observed).await?;
    let completed = terms.recording.description.clone().unwrap_or(completed);
    let mut change = Change {
        release,
        plan: plan.deleting(terms.cascade),
        aim,
        observed: seen.observed,
        notices: [past.interrupted(), notices].concat(),
        sources,
        past,
        completed,
        terms: terms.clone(),
    };
    change.ask(session).await?;
    rehearse::refuse(&change.plan)?;
    Ok(change)
}

/// Labels a new revision, and makes it fit into its record.
fn fit(release: &mut Release, terms: &Terms) -> Result<Vec<SourcePiece>, Error> {
    terms.recording.label(release);
    if release.info.status == Status::Uninstalling {
        return Ok(vec![]);
    }
    release.fit().map_err(|source| Error::Record {
        release: release.name.clone(),
        source,
    })
}

/// The hooks that the terms let run.
fn allowed(mut hooks: HookAim, terms: &Terms) -> HookAim {
    if terms.hooks == HookPolicy::Skip {
        hooks.events.clear();
    }
    hooks
}

/// Puts definitions before the resources of a manifest that has none of them, and tells which.
fn bundled(manifest: &mut Manifest, mut definitions: Vec<Resource>) -> BTreeSet<ResourceId> {
    let own = &manifest.resources;
    definitions.retain(|definition| own.iter().all(|other| other.id != definition.id));
    let ids = definitions.iter().map(|one| one.id.clone()).collect();
    manifest.resources.splice(0..0, definitions);
    ids
}

impl Change {
    /// Asks the API server about it, and plans it again if somebody has changed what it is about since
    /// that was read.
    async fn ask(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let mut tries = Tries::of(&self.terms);
        let mut changed = vec![];
        loop {
            plan_file::hold(session, self)?;
            if self.is_no_op() {
                // No revision, no hooks.
                self.plan.hooks = Hooks::default();
                self.aim.records = Records::Untouched;
            } else {
                let begun = self.release.info.status;
                self.aim.records = outcome::records(begun, &self.past.entries, &self.terms);
            }
            let mut warnings = vec![];
            if self.terms.rehearsal == Rehearsal::Server {
                let Self {
                    plan, aim, terms, ..
                } = self;
                warnings = rehearse::rehearse(session, plan, aim, terms).await?;
            }
            let conflicts = replan::conflicts(&self.plan);
            if conflicts.is_empty() || !tries.take() {
                self.notices.extend(warnings);
                break;
            }
            changed = conflicts;
            let seen = self.aim.observe(session).await?;
            let plan = self.aim.search(session, &seen.observed).await?;
            self.plan = plan.deleting(self.terms.cascade);
            self.observed = seen.observed;
        }
        if !changed.is_empty() {
            self.notices.push(Event::Replanned {
                ids: changed,
                counts: self.plan.counts(),
            });
        }
        Ok(())
    }

    /// Whether the newest revision is already what is wanted, so that there is nothing to record.
    pub fn is_no_op(&self) -> bool {
        let Some(newest) = self.past.base.last() else {
            return false;
        };
        let wanted = &self.release;
        self.plan.counts().is_no_change()
            && self.terms.recording.unchanged == Unchanged::Skip
            && newest.info.status == Status::Deployed
            && wanted.info.status == Status::PendingUpgrade
            && newest.info.notes == wanted.info.notes
            && newest.chart.is_same(&wanted.chart)
            && newest.config == wanted.config
            && newest.manifest == wanted.manifest
            && has_same_hooks(newest, wanted)
            && newest.labels == wanted.labels
            && method::of(newest) == method::of(wanted)
    }
}

/// Whether two revisions have the same hooks, however these have run.
fn has_same_hooks(one: &Release, other: &Release) -> bool {
    let mut pairs = one.hooks.iter().zip(&other.hooks);
    one.hooks.len() == other.hooks.len() && pairs.all(|(one, other)| one.is_same(other))
}
