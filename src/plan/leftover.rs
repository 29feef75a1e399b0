//! What a change that failed has created and nothing else needs: `--cleanup-on-fail`.
//!
//! The resources that the change was to create come in, with what is live; those that are to be deleted
//! again go out. What the last good revision has stays, even if it was missing and has been made anew, and
//! so do generated Secrets that anything of an earlier revision depends on by now: their keys would be lost.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Observed, Owner, is_ending};
use crate::capabilities::Kind;
use crate::manifest::generator::{Generator, k8s_name};
use crate::manifest::{Manifest, ResourceId, ResourcePolicy};
use crate::plan::credentials::STAMP_PREFIX;

/// A change that failed.
#[derive(Debug, Clone, Copy)]
pub struct FailedChange<'a> {
    /// Whose it is.
    pub owner: Owner<'a>,
    /// What it wanted.
    pub desired: &'a Manifest,
    /// What the last good revision has; none if there is no such revision.
    pub good: Option<&'a Manifest>,
    /// What all revisions have that it follows, failed ones as well.
    pub base: &'a [Manifest],
    /// What is live of the resources that it was to create, and of those of the base.
    pub live: &'a Observed,
}

impl FailedChange<'_> {
    /// Of the resources that the change was to create, in their order, those that are to be deleted again,
    /// the last one first, with their uids.
    pub fn leftovers<'c>(
        &self,
        created: &'c [(ResourceId, Kind)],
    ) -> Vec<(&'c ResourceId, &'c Kind, String)> {
        let needed = self.needed();
        let is_needed = |id: &ResourceId| {
            let generator = self.desired.generator(id, self.owner.namespace);
            generator.is_some_and(|generator| needed.contains(generator.name.as_str()))
        };
        let created = created.iter().rev();
        created
            .filter(|(id, _)| id.kind != "CustomResourceDefinition" && !self.is_kept(id))
            .filter(|(id, _)| !self.is_good(id) && !is_needed(id))
            .filter_map(|(id, kind)| {
                let live = self.live.get(id)?;
                let is_own = self.owner.mismatch(live).is_none() && !is_ending(live);
                let uid = live.pointer("/metadata/uid")?.as_str()?;
                is_own.then(|| (id, kind, uid.to_owned()))
            })
            .collect()
    }

    /// The names of generators whose products something of an earlier revision depends on: what its live
    /// resources name, and what that is issued by.
    fn needed(&self) -> BTreeSet<&str> {
        let generators = &self.desired.generators;
        let bodies = self.base.iter().flat_map(|manifest| &manifest.resources);
        let bodies = bodies.filter_map(|resource| self.live.get(&resource.id));
        let bodies: Vec<&Value> = bodies.collect();
        let is_used = |name: &str| bodies.iter().any(|body| mentions(body, name));
        let mut needed: BTreeSet<&str> = generators
            .iter()
            .map(|generator| generator.name.as_str())
            .filter(|name| is_used(name))
            .collect();
        loop {
            let users = generators
                .iter()
                .filter(|generator| needed.contains(generator.name.as_str()));
            let users: Vec<&Value> = users.map(Generator::declared).collect();
            let names = generators.iter().map(|generator| generator.name.as_str());
            let more: Vec<&str> = names
                .filter(|name| !needed.contains(name))
                .filter(|name| users.iter().any(|user| mentions(user, name)))
                .collect();
            if more.is_empty() {
                return needed;
            }
            needed.extend(more);
        }
    }

    fn is_good(&self, id: &ResourceId) -> bool {
        let resources = self.good.iter().flat_map(|good| &good.resources);
        let mut ids = resources.map(|resource| &resource.id);
        ids.any(|other| other == id)
    }

    fn is_kept(&self, id: &ResourceId) -> bool {
        let mut resources = self.desired.resources.iter();
        resources.any(|resource| resource.id == *id && resource.policy() == ResourcePolicy::Keep)
    }
}

/// Whether a resource speaks of a name: by a text or a part of a list between commas, or by the stamp of
/// its issue. Rather too often than too rarely.
fn mentions(body: &Value, name: &str) -> bool {
    match body {
        Value::String(text) => text.split(',').any(|part| part.trim() == name),
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(map) => {
            let stamp = format!("{STAMP_PREFIX}{}", k8s_name(name));
            map.contains_key(&stamp) || map.values().any(|value| mentions(value, name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
