//! How custom resources merge: of which kinds that has to be known, and what manifests say about it.
//!
//! A comparison that was made without it, and manifests, come in; kinds and their structures go out. To
//! ask the cluster about the others is left to `ops`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diff::{Change, Segment, segments};
use super::{Plan, definition};
use crate::builtin::custom::Structure;
use crate::capabilities::{Kind, Kinds};
use crate::manifest::{Manifest, ResourceId};

/// The kinds of changed resources of which it is not known how they merge.
///
/// A change is a resource and the path of a field. Where nothing differs without that knowledge, nothing
/// does with it; and metadata of all kinds merges alike.
pub fn unlearned<'a>(
    changes: impl Iterator<Item = (&'a ResourceId, &'a str)>,
    manifests: &[&Manifest],
    known: &Kinds,
) -> BTreeSet<Kind> {
    let below = changes.filter(|(_, path)| !path.starts_with("metadata."));
    let ids: BTreeSet<&ResourceId> = below.map(|(id, _)| id).collect();
    let resources = manifests.iter().flat_map(|manifest| &manifest.resources);
    resources
        .filter(|resource| ids.contains(&resource.id))
        .map(|resource| (&resource.api_version, &resource.id.kind))
        .filter(|(version, kind)| known.schema(version, kind).is_none())
        .filter_map(|(version, kind)| known.find(version, kind).cloned())
        .collect()
}

/// What a plan changes, field by field.
pub fn changes(plan: &Plan) -> impl Iterator<Item = (&ResourceId, &str)> {
    plan.steps().flat_map(|step| {
        let changes = step.action.difference().into_iter();
        let changes = changes.flat_map(|found| &found.changes);
        changes.map(|change| (&step.id, change.path.as_str()))
    })
}

/// Warns of changed lists of these kinds, of which nobody says how they merge.
pub fn warn(plan: &mut Plan, unknown: &BTreeSet<Kind>) {
    let stages = plan.stages.iter_mut();
    let steps = stages.flat_map(|stage| &mut stage.phases).flatten();
    for step in steps.filter(|step| unknown.contains(&step.kind)) {
        let changes = step.action.difference().into_iter();
        if changes.flat_map(|found| &found.changes).any(is_in_list) {
            let Kind { kind, .. } = &step.kind;
            step.checked.warning(format!(
                "how lists of {kind} merge cannot be read, so they are replaced as wholes, with what others \
                 have added to them"
            ));
        }
    }
}

/// Whether a list is sent for a change.
fn is_in_list(change: &Change) -> bool {
    let is_item = |segment: &Segment| matches!(segment, Segment::Index(_) | Segment::Keys(_));
    let mut sides = [&change.old, &change.new].into_iter().flatten();
    sides.any(Value::is_array) || segments(&change.path).iter().any(is_item)
}

/// How a kind merges by the first of these manifests that defines it.
pub fn defined(kind: &Kind, manifests: &[&Manifest]) -> Option<Structure> {
    let resources = manifests.iter().flat_map(|manifest| &manifest.resources);
    let mut definitions = resources.filter(|resource| definition::is_one(&resource.id));
    definitions.find_map(|resource| Structure::of(definition::schema(&resource.body, kind)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::super::tests::manifest;
    use super::*;
    use crate::plan::{Consent, Found, Inputs, Method, Observed, Owner};
    use crate::release::ApplyMethod;

    fn kind(version: &str) -> Kind {
        Kind {
            group: "example.com".to_owned(),
            version: version.to_owned(),
            kind: "Widget".to_owned(),
            plural: "widgets".to_owned(),
            namespaced: true,
        }
    }

    /// A definition whose `spec.list` is of this type.
    fn definition(version: &str, list: &str) -> String {
        format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
             metadata: {{name: widgets.example.com}}\nspec:\n  group: example.com\n  \
             names: {{kind: Widget, plural: widgets}}\n  versions:\n  - name: {version}\n    \
             schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, \
             properties: {{list: {{type: array, x-kubernetes-list-type: {list}, \
             items: {{type: string}}}}}}}}}}}}}}\n"
        )
    }

    #[test]
    fn the_first_definition_of_a_version_counts() {
        let kinds = Kinds::default();
        let sets = manifest(&definition("v1", "set"), &kinds);
        let lists = manifest(&definition("v1", "atomic"), &kinds);
        let others = manifest(&definition("v2", "set"), &kinds);
        let shown = |manifests: &[&Manifest]| {
            let found = defined(&kind("v1"), manifests);
            found.map(|found| format!("{:?}", found.root().field("spec")))
        };
        assert_eq!(shown(&[&others]), None);
        let set = shown(&[&others, &sets, &lists]).unwrap();
        assert!(set.contains("Set"), "{set}");
        assert_eq!(shown(&[&lists, &sets]).unwrap(), "Unknown");
    }

    #[track_caller]
    fn check(text: &str, changes: &[(&str, &str)], expected: &[&str]) {
        let mut kinds = Kinds::with_discovered([kind("v1"), kind("v2")]);
        kinds.learn([(kind("v2"), Structure::of(&serde_json::json!({})).unwrap())]);
        let manifest = manifest(text, &kinds);
        let ids = manifest.resources.iter().map(|resource| &resource.id);
        let ids: Vec<&ResourceId> = ids.collect();
        let find = |name: &str| *ids.iter().find(|id| id.name == name).unwrap();
        let changes = changes.iter().map(|(name, path)| (find(name), *path));
        let found = unlearned(changes, &[&manifest], &kinds);
        let found: Vec<String> = found.iter().map(Kind::api_version).collect();
        assert_eq!(found, expected);
    }

    /// How often it is warned of a widget that was applied as `before`, is wanted as `after`, and is live as
    /// it was applied.
    #[track_caller]
    fn check_warnings(before: &str, after: &str, expected: usize) {
        let kinds = Kinds::with_discovered([kind("v1")]);
        let widget = |spec: &str| {
            let head = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n";
            manifest(&format!("{head}spec: {spec}\n"), &kinds)
        };
        let (base, desired) = ([widget(before)], widget(after));
        let owner = Owner {
            release: "web",
            namespace: "shop",
        };
        let applied = &base[0].resources[0];
        let live = Observed::from([(applied.id.clone(), owner.marked(&applied.body))]);
        let plan = Plan::new(&Inputs {
            desired: &desired,
            base: &base,
            observed: &live,
            mentions: &BTreeMap::new(),
            owner,
            kinds: &kinds,
            found: &Found::default(),
            method: Method::ClientSide,
            before: ApplyMethod::ClientSide,
            consent: &Consent::default(),
            now: Timestamp::UNIX_EPOCH,
        });
        let mut plan = plan.unwrap();
        let unknown = unlearned(changes(&plan), &[&desired], &kinds);
        warn(&mut plan, &unknown);
        let warnings = plan.steps().flat_map(|step| &step.checked.warnings);
        let said = "how lists of Widget merge cannot be read";
        let warned = warnings.filter(|text| text.starts_with(said)).count();
        assert_eq!(warned, expected, "{before} -> {after}");
    }

    #[test]
    fn lists_that_are_replaced_because_nobody_says_how_they_merge_are_warned_of() {
        check_warnings("{list: [a], size: 1}", "{list: [a, b], size: 1}", 1);
        check_warnings("{list: [{x: 1}]}", "{list: [{x: 2}]}", 1);
        check_warnings("{list: [a]}", "{}", 1);
        check_warnings("{list: [a], size: 1}", "{list: [a], size: 2}", 0);
        check_warnings("{list: [a]}", "{list: [a]}", 0);
    }

    #[test]
    fn only_what_changes_below_metadata_has_to_be_known() {
        let one = |version: &str, name: &str| {
            format!("---\napiVersion: {version}\nkind: Widget\nmetadata: {{name: {name}}}\n")
        };
        let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: pod}\n";
        let text = [
            &one("example.com/v1", "a"),
            &one("example.com/v2", "b"),
            pod,
        ];
        let text = text.map(ToString::to_string).concat();
        let labels = "metadata.labels.a";
        check(&text, &[], &[]);
        check(&text, &[("a", labels)], &[]);
        check(&text, &[("pod", "spec.x"), ("b", "spec.x")], &[]);
        let changes = [("a", labels), ("a", "spec.x"), ("b", "spec.x")];
        check(&text, &changes, &["example.com/v1"]);
    }
}
