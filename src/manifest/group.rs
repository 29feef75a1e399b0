//! Resource groups: which resources belong together and which have to be ready before others.
//!
//! The annotations are those of Helm's HIP-0025. `helm.sh/resource-group` names the group of a
//! resource, `helm.sh/depends-on/resource-groups` lists the groups that its group depends on. The
//! second key has two slashes, which the API server refuses, so that what is recorded and applied
//! carries it as `pintle.dev/depends-on-groups`. What is in no group comes after all groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cut::Cut;
use super::{Origin, Resource, ResourceId, annotation};
use crate::yaml;

/// The annotation that names the group of a resource.
pub const GROUP: &str = "helm.sh/resource-group";
/// The annotation, as charts write it, that lists the groups that a resource's group depends on.
pub const HELM_DEPENDS_ON: &str = "helm.sh/depends-on/resource-groups";
/// The same annotation as it is recorded and applied.
pub const DEPENDS_ON: &str = "pintle.dev/depends-on-groups";

/// Groups that have no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The dependencies are not a list of names.
    #[error(
        "{}: {id}: {HELM_DEPENDS_ON} is {found:?}, not a JSON list of groups such as [\"etcd\"]",
        origin.in_words()
    )]
    List {
        /// Where the resource is written.
        origin: Origin,
        /// The resource.
        id: ResourceId,
        /// What the annotation says.
        found: String,
    },
    /// A resource has dependencies and no group that they could be of.
    #[error("{}: {id} depends on resource groups and is in none; give it {GROUP}", origin.in_words())]
    NoGroup {
        /// Where the resource is written.
        origin: Origin,
        /// The resource.
        id: ResourceId,
    },
    /// A group is depended on that nothing is in.
    #[error("{}: {id} depends on resource group {group:?}, which nothing is in; there are {}", origin.in_words(), known.join(", "))]
    Unknown {
        /// Where the resource is written.
        origin: Origin,
        /// The resource.
        id: ResourceId,
        /// The group that is missing.
        group: String,
        /// The groups that there are.
        known: Vec<String>,
    },
    /// Groups depend on each other.
    #[error("resource groups depend on each other: {}", groups.join(" -> "))]
    Cycle {
        /// The groups of the cycle, the first one again at its end.
        groups: Vec<String>,
    },
}

/// One resource group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The groups that have to be ready before it.
    pub after: BTreeSet<String>,
}

/// Returns the group of a resource; none for what comes after all groups.
pub fn group_of(body: &Value) -> Option<&str> {
    annotation(body, GROUP).filter(|name| !name.is_empty())
}

/// Returns the groups of `resources`, each behind those that it depends on, otherwise by name.
///
/// # Errors
/// If a list of dependencies is no list, names a group that nothing is in or belongs to no group,
/// or if groups depend on each other.
pub fn groups(resources: &[Resource]) -> Result<Vec<Group>, Error> {
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resource in resources {
        let dependencies = dependencies(resource)?;
        match group_of(&resource.body) {
            Some(name) => groups.entry(name).or_default().extend(dependencies),
            None if dependencies.is_empty() => (),
            None => {
                return Err(Error::NoGroup {
                    origin: resource.origin.clone(),
                    id: resource.id.clone(),
                });
            }
        }
    }
    for resource in resources {
        refuse_unknown(resource, &groups)?;
    }
    sorted(groups)
}

fn dependencies(resource: &Resource) -> Result<Vec<String>, Error> {
    listed(&resource.body).ok_or_else(|| Error::List {
        origin: resource.origin.clone(),
        id: resource.id.clone(),
        found: list(&resource.body).unwrap_or_default().to_owned(),
    })
}

fn list(body: &Value) -> Option<&str> {
    annotation(body, DEPENDS_ON).or_else(|| annotation(body, HELM_DEPENDS_ON))
}

/// Returns the groups that a resource's group depends on; none if that is no list.
pub(super) fn listed(body: &Value) -> Option<Vec<String>> {
    list(body).map_or(Some(vec![]), |text| serde_json::from_str(text).ok())
}

fn refuse_unknown(
    resource: &Resource,
    groups: &BTreeMap<&str, BTreeSet<String>>,
) -> Result<(), Error> {
    let mut dependencies = dependencies(resource)?.into_iter();
    match dependencies.find(|name| !groups.contains_key(name.as_str())) {
        None => Ok(()),
        Some(group) => Err(Error::Unknown {
            origin: resource.origin.clone(),
            id: resource.id.clone(),
            group,
            known: groups.keys().map(|name| (*name).to_owned()).collect(),
        }),
    }
}

/// Takes out, again and again, the first group whose dependencies are all out.
fn sorted(mut groups: BTreeMap<&str, BTreeSet<String>>) -> Result<Vec<Group>, Error> {
    let mut order: Vec<Group> = Vec::with_capacity(groups.len());
    while !groups.is_empty() {
        let is_free = |after: &BTreeSet<String>| {
            let mut after = after.iter();
            after.all(|name| !groups.contains_key(name.as_str()))
        };
        let free = groups.iter().find(|(_, after)| is_free(after));
        let Some(name) = free.map(|(name, _)| *name) else {
            return Err(cycle(&groups));
        };
        let after = groups.remove(name).unwrap_or_default();
        order.push(Group {
            name: name.to_owned(),
            after,
        });
    }
    Ok(order)
}

/// Which resource groups depend on which, of resources that were applied once. What they say may
/// make no sense together, as it comes from several revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies(BTreeMap<String, BTreeSet<String>>);

impl Dependencies {
    /// Reads what can be read.
    pub fn of<'a>(resources: impl Iterator<Item = &'a Resource>) -> Self {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for resource in resources {
            if let Some(name) = group_of(&resource.body) {
                let own = dependencies(resource).unwrap_or_default();
                groups.entry(name.to_owned()).or_default().extend(own);
            }
        }
        Self(groups)
    }

    /// Whether `dependent` depends on `other`, directly or not.
    pub fn has(&self, dependent: &str, other: &str) -> bool {
        self.below(dependent).contains(other)
    }

    /// How many groups a group depends on, directly or not: more than any of these.
    pub fn height(&self, name: &str) -> isize {
        isize::try_from(self.below(name).len()).unwrap_or(isize::MAX)
    }

    fn below(&self, name: &str) -> BTreeSet<&str> {
        let after = |name: &str| {
            let names = self.0.get(name).into_iter().flatten();
            names.map(String::as_str)
        };
        let mut all = BTreeSet::new();
        let mut open: Vec<&str> = after(name).collect();
        while let Some(next) = open.pop() {
            if all.insert(next) {
                open.extend(after(next));
            }
        }
        all
    }
}

/// Follows dependencies among groups of which each has one left, until a group comes again.
fn cycle(groups: &BTreeMap<&str, BTreeSet<String>>) -> Error {
    let mut path: Vec<String> = vec![];
    let mut next = groups.keys().next().map(|name| (*name).to_owned());
    while let Some(name) = next {
        let seen = path.iter().position(|earlier| *earlier == name);
        path.push(name);
        if let Some(start) = seen {
            path.drain(..start);
            break;
        }
        let after = path.last().and_then(|name| groups.get(name.as_str()));
        let mut after = after.into_iter().flatten();
        next = after
            .find(|name| groups.contains_key(name.as_str()))
            .cloned();
    }
    Error::Cycle { groups: path }
}

/// Gives the dependencies of a document the key under which they are recorded and applied; the
/// text changes nowhere else.
pub(super) fn rename(cut: &mut Cut, value: &mut Value) {
    if !cut.text.contains(HELM_DEPENDS_ON) {
        return;
    }
    let mut renamed = usize::from(rename_key(value));
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        renamed += items
            .iter_mut()
            .map(rename_key)
            .map(usize::from)
            .sum::<usize>();
    }
    if renamed == 0 {
        return;
    }
    let text = cut.text.replace(HELM_DEPENDS_ON, DEPENDS_ON);
    let is_renamed = is_written_plainly(&cut.text, renamed)
        || yaml::parse(&text).is_ok_and(|read| read == *value);
    // Otherwise the key stands in other places as well, which must stay as they are.
    cut.text = if is_renamed {
        text
    } else {
        yaml::to_string(value)
    };
}

/// Whether the key stands in `text` in no other places than the `renamed` ones, for certain: it
/// is there that often, and neither escapes nor anchors make other keys of what is written.
fn is_written_plainly(text: &str, renamed: usize) -> bool {
    // Quotes and line breaks are no part of the key; any other escape may be.
    let mut escapes = text.split('\\').skip(1);
    text.matches(HELM_DEPENDS_ON).count() == renamed
        && !text.contains(DEPENDS_ON)
        && !text.contains('&')
        && escapes.all(|rest| rest.starts_with(['"', 'n']))
}

/// Renames the key in one resource, and tells whether it has it.
fn rename_key(body: &mut Value) -> bool {
    let annotations = body.pointer_mut("/metadata/annotations");
    let Some(annotations) = annotations.and_then(Value::as_object_mut) else {
        return false;
    };
    let Some(list) = annotations.remove(HELM_DEPENDS_ON) else {
        return false;
    };
    annotations.insert(DEPENDS_ON.to_owned(), list);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `resources` are `group` or `group < dependency, dependency`; a dash is no group.
    fn resources(texts: &[&str]) -> Vec<Resource> {
        let resource = |(line, text): (u64, &&str)| {
            let (group, after) = text.split_once(" < ").unwrap_or((text, ""));
            let mut annotations = json!({});
            if group != "-" {
                annotations[GROUP] = json!(group);
            }
            if !after.is_empty() {
                let list: Vec<_> = after.split(", ").collect();
                annotations[HELM_DEPENDS_ON] = json!(json!(list).to_string());
            }
            Resource {
                id: ResourceId {
                    group: String::new(),
                    kind: "ConfigMap".to_owned(),
                    namespace: Some("shop".to_owned()),
                    name: format!("c{line}"),
                },
                api_version: "v1".to_owned(),
                body: json!({"metadata": {"annotations": annotations}}),
                origin: Origin {
                    template: "web/templates/a.yaml".to_owned(),
                    line,
                },
            }
        };
        (1..).zip(texts).map(resource).collect()
    }

    #[track_caller]
    fn check(texts: &[&str], expected: Result<&[&str], &str>) {
        let found = groups(&resources(texts));
        let found: Result<Vec<String>, String> = found
            .map(|groups| groups.into_iter().map(|group| group.name).collect())
            .map_err(|error| error.to_string());
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn each_group_stands_behind_those_it_depends_on() {
        check(&["-", "-"], Ok(&[]));
        check(&["b < c", "a < b", "c", "-", "b"], Ok(&["c", "b", "a"]));
        check(&["z", "m < z, a", "a"], Ok(&["a", "z", "m"]));
    }

    #[test]
    fn what_has_no_order_is_refused() {
        check(
            &["a < b", "b < c", "c < b"],
            Err("resource groups depend on each other: b -> c -> b"),
        );
        check(
            &["a < a"],
            Err("resource groups depend on each other: a -> a"),
        );
        check(
            &["a", "b < etc"],
            Err(
                "line 2 of what web/templates/a.yaml renders to: ConfigMap c2 depends on resource group \"etc\", \
                 which nothing is in; there are a, b",
            ),
        );
        check(
            &["a", "- < a"],
            Err(
                "line 2 of what web/templates/a.yaml renders to: ConfigMap c2 depends on resource groups and is in \
                 none; give it helm.sh/resource-group",
            ),
        );
        let mut bad = resources(&["a < a"]);
        bad[0].body["metadata"]["annotations"][HELM_DEPENDS_ON] = json!("etcd");
        assert_eq!(
            groups(&bad).unwrap_err().to_string(),
            "line 1 of what web/templates/a.yaml renders to: ConfigMap c1: helm.sh/depends-on/resource-groups is \
             \"etcd\", not a JSON list of groups such as [\"etcd\"]"
        );
    }

    #[test]
    fn what_was_applied_once_has_some_order() {
        let applied = resources(&["c < b", "b < a, gone", "-", "x < y", "y < x"]);
        let dependencies = Dependencies::of(applied.iter());
        assert!(dependencies.has("c", "a") && !dependencies.has("a", "c"));
        let heights = ["a", "b", "c", "x"].map(|name| dependencies.height(name));
        assert_eq!(heights, [0, 2, 3, 2]);
    }

    #[track_caller]
    fn check_rename(text: &str, expected: &str) {
        let mut value = yaml::parse(text).unwrap();
        let mut cut = Cut {
            template: String::new(),
            line: 1,
            text: text.to_owned(),
        };
        rename(&mut cut, &mut value);
        assert_eq!(cut.text, expected);
        assert_eq!(yaml::parse(&cut.text).unwrap(), value);
    }

    #[test]
    fn only_the_annotation_is_renamed() {
        check_rename(
            "# order\nmetadata:\n  annotations:\n    helm.sh/depends-on/resource-groups: '[\"a\"]'\n",
            "# order\nmetadata:\n  annotations:\n    pintle.dev/depends-on-groups: '[\"a\"]'\n",
        );
        let elsewhere = "data:\n  text: helm.sh/depends-on/resource-groups\n";
        check_rename(elsewhere, elsewhere);
        check_rename(
            "metadata:\n  annotations:\n    helm.sh/depends-on/resource-groups: \"[\\\"a\\\"]\"\n",
            "metadata:\n  annotations:\n    pintle.dev/depends-on-groups: \"[\\\"a\\\"]\"\n",
        );
        check_rename(
            "metadata: {annotations: {helm.sh/depends-on/resource-groups: '[]'}}\n\
             data: {text: helm.sh/depends-on/resource-groups}\n",
            "data:\n  text: helm.sh/depends-on/resource-groups\n\
             metadata:\n  annotations:\n    pintle.dev/depends-on-groups: \"[]\"\n",
        );
        check_rename(
            "metadata: {annotations: {\"helm.sh\\/depends-on/resource-groups\": '[]'}}\n\
             # helm.sh/depends-on/resource-groups\n",
            "metadata:\n  annotations:\n    pintle.dev/depends-on-groups: \"[]\"\n",
        );
        check_rename(
            "a: &a {helm.sh/depends-on/resource-groups: '[]'}\nmetadata: {annotations: *a}\n",
            "a:\n  helm.sh/depends-on/resource-groups: \"[]\"\n\
             metadata:\n  annotations:\n    pintle.dev/depends-on-groups: \"[]\"\n",
        );
        check_rename(
            "metadata: {annotations: {helm.sh/depends-on/resource-groups: '[]', \
             pintle.dev/depends-on-groups: '[1]'}}\n",
            "metadata:\n  annotations:\n    pintle.dev/depends-on-groups: \"[]\"\n",
        );
        check_rename(
            "items:\n- metadata: {annotations: {helm.sh/depends-on/resource-groups: '[]'}}\n",
            "items:\n- metadata: {annotations: {pintle.dev/depends-on-groups: '[]'}}\n",
        );
    }
}
