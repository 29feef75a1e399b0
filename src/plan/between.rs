//! What distinguishes two revisions, by their records alone.
//!
//! Two manifests come in, resource by resource their differences go out. No cluster is looked at, so
//! this says what was asked for, and not what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Effect;
use super::diff::{self, Cause, Change, Sides};
use crate::capabilities::Kinds;
use crate::manifest::{Manifest, Origin, Resource, ResourceId};

/// The API group under which generators are compared.
const GENERATORS: &str = "generate.pintle.dev";

/// One resource that either revision asks for, or a generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The resource.
    pub id: ResourceId,
    /// The template that asks for it.
    pub origin: Origin,
    /// Whether it comes, changes, stays as it is, or goes.
    pub effect: Effect,
    /// What changes about it.
    pub changes: Vec<Change>,
}

/// Compares what two revisions ask for: what the later one has in its order, then what only the
/// earlier one has.
///
/// The same resource in another `apiVersion` is the same resource; `kinds` has the versions in which
/// built-in kinds are known, so that lists of one that is no longer served merge as they did, and how other
/// kinds merge.
pub fn between(earlier: &Manifest, later: &Manifest, kinds: &Kinds) -> Vec<Compared> {
    let (old, new) = (declared(earlier), declared(later));
    let known: BTreeMap<&ResourceId, &Declared<'_>> =
        old.iter().map(|one| (&one.id, one)).collect();
    let mut all: Vec<Compared> = new
        .iter()
        .map(|one| match known.get(&one.id) {
            None => one.compared(Effect::Create),
            Some(before) => one.after(before, kinds),
        })
        .collect();
    let wanted: BTreeSet<&ResourceId> = new.iter().map(|one| &one.id).collect();
    let gone = old.iter().filter(|one| !wanted.contains(&one.id));
    all.extend(gone.map(|one| one.compared(Effect::Delete)));
    all
}

/// Something that a revision asks for.
struct Declared<'a> {
    id: ResourceId,
    origin: &'a Origin,
    api_version: &'a str,
    body: &'a Value,
}

/// The resources of a manifest, then its generators.
fn declared(manifest: &Manifest) -> Vec<Declared<'_>> {
    let resources = manifest
        .resources
        .iter()
        .map(|resource: &Resource| Declared {
            id: resource.id.clone(),
            origin: &resource.origin,
            api_version: &resource.api_version,
            body: &resource.body,
        });
    let generators = manifest.generators.iter().map(|generator| Declared {
        id: ResourceId {
            group: GENERATORS.to_owned(),
            kind: generator.kind().to_owned(),
            namespace: None,
            name: generator.name.clone(),
        },
        origin: &generator.origin,
        api_version: "",
        body: generator.declared(),
    });
    resources.chain(generators).collect()
}

impl Declared<'_> {
    fn compared(&self, effect: Effect) -> Compared {
        Compared {
            id: self.id.clone(),
            origin: self.origin.clone(),
            effect,
            changes: vec![],
        }
    }

    fn after(&self, before: &Declared<'_>, kinds: &Kinds) -> Compared {
        let mut changes = vec![];
        if before.api_version != self.api_version {
            changes.push(Change {
                path: "apiVersion".to_owned(),
                old: Some(before.api_version.into()),
                new: Some(self.api_version.into()),
                cause: Cause::Chart,
            });
        }
        let schema = kinds.schema(self.api_version, &self.id.kind);
        // What is live never has `stringData`.
        let live = diff::folded(before.body);
        let sides = Sides {
            base: &[&live],
            desired: self.body,
            live: &live,
        };
        let difference = diff::three_way(schema, &sides);
        changes.extend(difference.into_iter().flat_map(|found| found.changes));
        let effect = if changes.is_empty() {
            Effect::Unchanged
        } else {
            Effect::Configure
        };
        Compared {
            changes,
            ..self.compared(effect)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::manifest;
    use super::*;

    /// `expected` are the resources with the first letter of what happens to them, and their paths.
    #[track_caller]
    fn check(earlier: &str, later: &str, expected: &[&str]) {
        let kinds = Kinds::default();
        let (earlier, later) = (manifest(earlier, &kinds), manifest(later, &kinds));
        let found = between(&earlier, &later, &kinds);
        let told = found.iter().map(|one| {
            let paths = one.changes.iter().map(|change| format!(" {}", change.path));
            let effect = format!("{:?}", one.effect);
            format!("{} {}{}", &effect[..1], one.id, paths.collect::<String>())
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    fn map(name: &str, value: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: {value}}}\n"
        )
    }

    #[test]
    fn what_comes_changes_stays_and_goes_is_told() {
        let earlier = [map("a", "b"), map("b", "b"), map("c", "b")].concat();
        let later = [map("a", "b"), map("b", "x"), map("d", "b")].concat();
        let expected = [
            "U ConfigMap a",
            "C ConfigMap b data.a",
            "C ConfigMap d",
            "D ConfigMap c",
        ];
        check(&earlier, &later, &expected);
    }

    #[test]
    fn secrets_are_compared_as_they_are_stored() {
        let secret =
            |data: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{data}\n");
        let (plain, encoded) = (secret("stringData: {a: x}"), secret("data: {a: eA==}"));
        check(&plain, &plain, &["U Secret a"]);
        check(&plain, &encoded, &["U Secret a"]);
        let other = secret("stringData: {a: y}");
        check(&plain, &other, &["C Secret a data.a"]);
    }

    #[test]
    fn another_version_is_the_same_resource() {
        let budget = |version: &str, least: u8| {
            format!(
                "apiVersion: policy/{version}\nkind: PodDisruptionBudget\nmetadata: {{name: a}}\n\
                 spec: {{minAvailable: {least}}}\n"
            )
        };
        let (old, new) = (budget("v1beta1", 1), budget("v1", 2));
        let expected = ["C PodDisruptionBudget a apiVersion spec.minAvailable"];
        check(&old, &new, &expected);
        check(&new, &old, &expected);
        check(&old, &old, &["U PodDisruptionBudget a"]);
    }
}
