//! What hooks of earlier revisions may have left, carried on from record to record.
//!
//! The revisions of a release come in, what their hooks have made goes out. A record that pintle has made says so
//! of all revisions before it, so that one is enough; where Helm has made the newest ones, those before them
//! are read up to one that does.

use std::collections::BTreeSet;

use serde_json::json;

use super::catalogue::Catalogue;
use super::prepare::Past;
use super::{Change, Error, Session};
use crate::history;
use crate::manifest::{Hook, Manifest, Origin, Resource, ResourceId};
use crate::plan;
use crate::release::{PAST_HOOKS_FILE, PastHook, Release, Status};

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
