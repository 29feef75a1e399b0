//! What hooks of earlier revisions may have left, carried on from record to record.
//!
//! The revisions of a release come in, what their hooks have made goes out. A record that pintle has made says so
//! of all revisions before it, so that one is enough; where Helm has made the newest ones, those before them
//! are read up to one that does.
//!
//! What a command that did not come to its end has left is told apart by the records alone: what is there of a
//! hook may be what its policies leave.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::catalogue::Catalogue;
use super::prepare::Past;
use super::{Change, Error, Session};
use crate::history;
use crate::manifest::{DeletePolicy, Hook, HookEvent, Manifest, Origin, Resource, ResourceId};
use crate::plan;
use crate::release::{HookRun, PAST_HOOKS_FILE, PastHook, Release, Status};

/// What has been found, the newest first. The newest word about a resource counts.
struct Found {
    known: BTreeSet<ResourceId>,
    hooks: Vec<PastHook>,
}

impl Found {
    /// Takes note of the hooks of a revision, which are older than what is known.
    fn add(&mut self, hooks: &[Hook]) {
        for hook in hooks {
            let id = &hook.resource.id;
            if self.known.insert(id.clone()) && plan::is_cleaned_up(&hook.resource) {
                self.hooks.push(PastHook {
                    api_version: hook.resource.api_version.clone(),
                    kind: id.kind.clone(),
                    namespace: id.namespace.clone(),
                    name: id.name.clone(),
                });
            }
        }
    }

    /// Takes note of what a revision says of those before it; tells whether it says anything.
    fn add_past(&mut self, release: &Release) -> bool {
        let Some(past) = release.past_hooks() else {
            return false;
        };
        for hook in past {
            if self.known.insert(resource(&hook).id) {
                self.hooks.push(hook);
            }
        }
        true
    }
}

/// What hooks of the revisions of `past` may have left, apart from what `desired` has itself, the newest
/// first. A record that cannot be read tells of none.
///
/// # Errors
/// If a record has to be read and cannot be had.
pub(super) async fn gather(
    session: &Session<'_>,
    past: &Past,
    desired: &Manifest,
) -> Result<Vec<PastHook>, Error> {
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let own = desired.hooks.iter().map(|hook| &hook.resource);
    let own = own.chain(&desired.resources);
    let mut found = Found {
        known: own.map(|resource| resource.id.clone()).collect(),
        hooks: vec![],
    };
    for release in past.base.iter().rev() {
        found.add(&catalogue.hooks(release).await?);
        if found.add_past(release) {
            return Ok(found.hooks);
        }
    }
    let first = past.base.first().map_or(u32::MAX, |one| one.revision);
    let older = past.entries.iter().rev();
    for entry in older.filter(|entry| entry.revision < first) {
        if entry.status == Status::Uninstalled {
            // Nothing was left by then.
            break;
        }
        match session.store().read(entry).await {
            Ok(release) => {
                found.add(&catalogue.hooks(&release).await?);
                if found.add_past(&release) {
                    break;
                }
            }
            Err(history::Error::Decode { .. } | history::Error::Gone { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found.hooks)
}

/// The resource itself, as far as it has to be known to be found and deleted.
pub(super) fn resource(hook: &PastHook) -> Resource {
    let group = hook.api_version.split_once('/').map(|(group, _)| group);
    Resource {
        id: ResourceId {
            group: group.unwrap_or_default().to_owned(),
            kind: hook.kind.clone(),
            namespace: hook.namespace.clone(),
            name: hook.name.clone(),
        },
        api_version: hook.api_version.clone(),
        body: json!({"apiVersion": hook.api_version, "kind": hook.kind,
            "metadata": {"name": hook.name, "namespace": hook.namespace}}),
        origin: Origin {
            template: PAST_HOOKS_FILE.to_owned(),
            line: 1,
        },
    }
}

/// What is left of hooks because a command did not come to its end, as these revisions and their manifests
/// tell: what their policies delete, and, of an uninstallation, what runs for nothing else.
pub(super) fn strays(releases: &[Release], manifests: &[Manifest]) -> Vec<Resource> {
    let mut last: BTreeMap<&ResourceId, (&HookRun, &Release, &Hook)> = BTreeMap::new();
    for (release, manifest) in releases.iter().zip(manifests) {
        for hook in &manifest.hooks {
            let stored = release.hooks.get(hook.index);
            let Some(run) = stored.map(|one| &one.last_run) else {
                continue;
            };
            // Revisions may speak of the same run.
            let known = last.get(&hook.resource.id);
            if known.is_none_or(|(known, ..)| known.started_at <= run.started_at) {
                last.insert(&hook.resource.id, (run, release, hook));
            }
        }
    }
    let all = last.into_values();
    let strays = all.filter(|(run, release, hook)| is_stray(run, release, hook));
    strays.map(|(_, _, hook)| hook.resource.clone()).collect()
}

/// Whether nothing of this run of a hook would be there if the command had come to its end. What has failed
/// stays as its policies say, to be looked at.
fn is_stray(run: &HookRun, release: &Release, hook: &Hook) -> bool {
    if run.started_at.is_none() {
        return false;
    }
    let goes = |policy: DeletePolicy| hook.is_deleted(policy);
    let is_over = matches!(
        release.info.status,
        Status::Deployed | Status::Superseded | Status::Uninstalled
    );
    if run.has_failed() {
        return !is_over && goes(DeletePolicy::HookFailed);
    }
    let has_policy = if run.has_succeeded() {
        !is_over && goes(DeletePolicy::HookSucceeded)
    } else {
        goes(DeletePolicy::HookSucceeded) || goes(DeletePolicy::HookFailed)
    };
    let is_of_end = |event| matches!(event, &HookEvent::PreDelete | &HookEvent::PostDelete);
    has_policy || (release.info.deleted.is_some() && hook.events.iter().all(is_of_end))
}

impl Change {
    /// Puts into the record that is about to be made what hooks of the revisions before it may have left.
    pub(super) async fn remember_hooks(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let is_first = self.past.entries.is_empty();
        if is_first || self.release.info.status == Status::Uninstalling {
            return Ok(());
        }
        let hooks = gather(session, &self.past, &self.aim.desired).await?;
        let recorded = self.release.record_past_hooks(hooks);
        Ok(recorded.map_err(|source| history::Error::Encode { source })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::Kinds;
    use crate::manifest::Placement;

    /// A revision in this status, with one hook `events policies` that has run at this hour, and its manifest.
    fn revision(status: &str, hook: &str, (hour, phase): (&str, &str)) -> (Release, Manifest) {
        let (events, policies) = hook.split_once(' ').unwrap();
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\n  annotations:\n    \
             helm.sh/hook: {events}\n    helm.sh/hook-delete-policy: '{policies}'\n"
        );
        let deleted = (status == "uninstalling").then_some("2026-11-29T10:00:00Z");
        let started = (!hour.is_empty()).then(|| format!("2026-11-29T{hour}:00:00Z"));
        let release = json!({"info": {"status": status, "deleted": deleted},
            "hooks": [{"last_run": {"started_at": started, "phase": phase}}]});
        let placement = Placement {
            namespace: "shop",
            kinds: &Kinds::default(),
        };
        let manifest = Manifest {
            hooks: vec![Hook::recorded(0, ("hooks.yaml", &text), placement).unwrap()],
            ..Manifest::default()
        };
        (serde_json::from_value(release).unwrap(), manifest)
    }

    /// Whether the hook of these revisions has left a stray.
    fn has_stray(revisions: Vec<(Release, Manifest)>) -> bool {
        let (releases, manifests): (Vec<_>, Vec<_>) = revisions.into_iter().unzip();
        !strays(&releases, &manifests).is_empty()
    }

    #[track_caller]
    fn check(status: &str, hook: &str, runs: &[(&str, bool)]) {
        for (phase, expected) in runs {
            let hour = if phase.is_empty() { "" } else { "11" };
            let found = has_stray(vec![revision(status, hook, (hour, phase))]);
            assert_eq!(found, *expected, "{status} {hook} {phase}");
        }
    }

    #[test]
    fn what_policies_would_have_deleted_is_a_stray() {
        let (open, done) = (["Running", "Unknown"], ["Succeeded", "Failed", ""]);
        let all = |is_open: bool, is_done: [bool; 3]| {
            let open = open.map(|phase| (phase, is_open)).into_iter();
            let all = open.chain(done.into_iter().zip(is_done));
            all.collect::<Vec<_>>()
        };
        let none = all(false, [false; 3]);
        for status in ["pending-upgrade", "failed", "uninstalling"] {
            let succeeded = all(true, [true, false, false]);
            check(status, "pre-upgrade hook-succeeded", &succeeded);
            let failed = all(true, [false, true, false]);
            check(status, "pre-upgrade hook-failed", &failed);
            check(status, "pre-upgrade before-hook-creation", &none);
        }
        // The tests of a revision run, or have run, when it is deployed.
        let running = all(true, [false; 3]);
        check("deployed", "test hook-succeeded", &running);
        check("deployed", "test ", &none);
    }

    #[test]
    fn what_only_an_uninstallation_needs_is_a_stray_without_policy() {
        let all = [("Running", true), ("Succeeded", true), ("Failed", false)];
        check("uninstalling", "pre-delete,post-delete ", &all);
        let none = all.map(|(phase, _)| (phase, false));
        check("uninstalling", "pre-install,pre-delete ", &none);
        check("failed", "pre-delete ", &none);
    }

    #[test]
    fn the_last_run_of_a_hook_decides() {
        let hook = "pre-upgrade hook-succeeded";
        let one = |status, run| revision(status, hook, run);
        let running = || one("pending-upgrade", ("11", "Running"));
        // It stays to be looked at.
        let failed = one("failed", ("12", "Failed"));
        assert!(!has_stray(vec![running(), failed]));
        // A revision that takes over the hooks of an older one says nothing about a later run.
        let older = one("failed", ("10", "Failed"));
        assert!(has_stray(vec![running(), older]));
        let never = one("failed", ("", ""));
        assert!(has_stray(vec![running(), never]));
    }
}
