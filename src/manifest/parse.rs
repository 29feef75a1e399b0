//! From rendered or recorded text to a [`Manifest`].

use std::collections::HashMap;

use serde_json::Value;

use super::cut::{self, Cut};
use super::generator::{self, Generator};
use super::hook;
use super::readiness::Readiness;
use super::{Document, Error, Manifest, NO_OLD_PODS, Origin, READY, Resource, ResourceId, WRITTEN};
use super::{annotation, group, install_rank, kind_order, order};
use crate::capabilities::Kinds;
use crate::render::{Rendered, RenderedFile};
use crate::yaml;

/// What stands for the template of a recorded document that names none.
pub(super) const RECORDED: &str = "recorded manifest";
/// The annotation that keeps a resource when its release drops it.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// The annotations whose values are words, what these are called, and all of them.
const WORDS: [(&str, &str, &[&str]); 2] = [
    (RESOURCE_POLICY, "policy", &["keep"]),
    (READY, "value", &[NO_OLD_PODS, WRITTEN]),
];

/// What a resource's identity depends on besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// The namespace of the release, for resources that name none.
    pub namespace: &'a str,
    /// The kinds that are known; others count as living in a namespace.
    pub kinds: &'a Kinds,
}

/// What a record says about the resources of a revision.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The text of the resources; a generated Secret stands in it as its stub.
    pub text: &'a str,
    /// The text of the generators; none where the record has none.
    pub generators: Option<&'a str>,
}

/// What happens to a resource that its release drops, by `helm.sh/resource-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourcePolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

impl Manifest {
    /// Reads what a chart rendered to.
    ///
    /// A generator becomes the stub of its Secret, and is kept beside the resources.
    ///
    /// # Errors
    /// If a document is not YAML, is not a resource, stands twice, or carries an unknown hook or
    /// resource policy; if a generator or an expression of readiness is wrong, or the resource groups
    /// or the charts have no order.
    pub fn parse(rendered: &Rendered, placement: Placement<'_>) -> Result<Self, Error> {
        let mut documents = Vec::new();
        for file in &rendered.files {
            documents.extend(cut::split(file));
        }
        let mut documents = read(documents)?;
        order::apply(&rendered.charts, &mut documents)?;
        let manifest = build(documents, placement)?;
        check_generators(&manifest, placement.namespace)?;
        refuse_duplicates(&manifest.resources)?;
        group::groups(&manifest.resources)?;
        check_readiness(&manifest.resources)?;
        Ok(manifest)
    }

    /// Reads the manifest text of a record, with its hooks left to the record itself.
    ///
    /// # Errors
    /// If a document is not YAML, is not a resource, stands twice, or carries an unknown hook or
    /// resource policy: a record that Helm wrote may hold what pintle would not render. If the
    /// generators are not what pintle wrote.
    pub fn from_record(recorded: Recorded<'_>, placement: Placement<'_>) -> Result<Self, Error> {
        let file = RenderedFile {
            path: RECORDED.to_owned(),
            text: recorded.text.to_owned(),
        };
        let documents = cut::split(&file).into_iter().map(cut::named_by_comment);
        let mut manifest = build(read(documents.collect())?, placement)?;
        refuse_duplicates(&manifest.resources)?;
        if let Some(text) = recorded.generators {
            manifest.generators = generator::specs_from_yaml(text)?;
        }
        Ok(manifest)
    }

    /// Returns the generator that makes `id`; `namespace` is the release's.
    pub fn generator(&self, id: &ResourceId, namespace: &str) -> Option<&Generator> {
        if !id.group.is_empty() || id.namespace.as_deref() != Some(namespace) {
            return None;
        }
        self.generators.iter().find(|generator| {
            generator.name == id.name && generator.spec.product().kind() == id.kind
        })
    }

    /// The resources whose kind is not known, for which a cluster has to be asked.
    pub fn unknown_kinds<'a>(&'a self, kinds: &'a Kinds) -> impl Iterator<Item = &'a Resource> {
        let hooks = self.hooks.iter().map(|hook| &hook.resource);
        let resources = self.resources.iter().chain(hooks);
        resources.filter(|resource| {
            kinds
                .find(&resource.api_version, &resource.id.kind)
                .is_none()
        })
    }
}

impl Resource {
    /// What happens to this resource when its release drops it.
    pub fn policy(&self) -> ResourcePolicy {
        match annotation(&self.body, RESOURCE_POLICY).map(|value| value.trim().to_lowercase()) {
            Some(value) if value == "keep" => ResourcePolicy::Keep,
            _ => ResourcePolicy::Delete,
        }
    }
}

/// Reads the documents that say anything.
fn read(cuts: Vec<Cut>) -> Result<Vec<(Cut, Value)>, Error> {
    let mut documents = Vec::with_capacity(cuts.len());
    for mut cut in cuts {
        let mut value = yaml::parse(&cut.text).map_err(|fault| cut::yaml_error(&cut, fault))?;
        if !value.is_null() {
            group::rename(&mut cut, &mut value);
            documents.push((cut, value));
        }
    }
    Ok(documents)
}

fn build(documents: Vec<(Cut, Value)>, placement: Placement<'_>) -> Result<Manifest, Error> {
    let mut manifest = Manifest::default();
    for (mut cut, mut value) in documents {
        let origin = Origin {
            template: cut.template.clone(),
            line: cut.line,
        };
        if Generator::is_one(&value) {
            let generator = Generator::parse(value, origin.clone(), placement.namespace)?;
            value = generator.stub();
            cut.text = yaml::to_string(&value);
            manifest.generators.push(generator);
        }
        let kind = value
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if annotation(&value, hook::EVENTS).is_some() {
            manifest.hooks.push(hook::of(value, cut, placement)?);
            continue;
        }
        for item in items(value) {
            manifest
                .resources
                .push(resource(item, origin.clone(), placement)?);
        }
        manifest.documents.push(Document {
            template: cut.template,
            kind,
            text: cut.text,
        });
    }
    sort(&mut manifest);
    Ok(manifest)
}

/// Checks what only all generators together can have wrong.
fn check_generators(manifest: &Manifest, namespace: &str) -> Result<(), Error> {
    let others = manifest.resources.iter().filter(|resource| {
        let generator = manifest.generator(&resource.id, namespace);
        generator.is_none_or(|generator| generator.origin != resource.origin)
    });
    let hooks = manifest.hooks.iter().map(|hook| &hook.resource);
    generator::check(&manifest.generators, others.chain(hooks), namespace)?;
    Ok(())
}

/// Refuses what says wrongly when it is ready. Hooks run to their end, whatever they say.
fn check_readiness(resources: &[Resource]) -> Result<(), Error> {
    resources.iter().try_for_each(|resource| {
        let read = Readiness::of(&resource.body);
        read.map(drop).map_err(|source| Error::Readiness {
            origin: resource.origin.clone(),
            id: resource.id.clone(),
            source,
        })
    })
}

fn sort(manifest: &mut Manifest) {
    manifest
        .documents
        .sort_by(|a, b| kind_order::install_rank(&a.kind).cmp(&install_rank(&b.kind)));
    manifest
        .resources
        .sort_by(|a, b| install_rank(&a.id.kind).cmp(&install_rank(&b.id.kind)));
    manifest
        .hooks
        .sort_by(|a, b| install_rank(&a.resource.id.kind).cmp(&install_rank(&b.resource.id.kind)));
    for (index, hook) in manifest.hooks.iter_mut().enumerate() {
        hook.index = index;
    }
}

/// The resources in a document: a `List` stands for its items.
fn items(mut value: Value) -> Vec<Value> {
    let is_list = value
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|k| k.ends_with("List"));
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => items,
        Some(other) => {
            value["items"] = other;
            vec![value]
        }
        None => vec![value],
    }
}

/// Reads one resource.
pub(super) fn resource(
    body: Value,
    origin: Origin,
    placement: Placement<'_>,
) -> Result<Resource, Error> {
    let wrong = |message: &str| Error::Resource {
        origin: origin.clone(),
        message: message.to_owned(),
    };
    if Generator::is_one(&body) {
        return Err(wrong(
            "a generator has to be a document of its own, not part of a List",
        ));
    }
    if !body.is_object() {
        return Err(wrong(
            "the document is not a map, so it is no Kubernetes resource",
        ));
    }
    let text = |path: &str| {
        body.pointer(path)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    let api_version = text("/apiVersion")
        .ok_or_else(|| wrong("apiVersion is missing"))?
        .to_owned();
    let kind = text("/kind")
        .ok_or_else(|| wrong("kind is missing"))?
        .to_owned();
    let name = text("/metadata/name")
        .ok_or_else(|| wrong(&format!("metadata.name of the {kind} is missing")))?
        .to_owned();
    if let Some(message) = unknown_word(&body) {
        return Err(wrong(&format!("{kind} {name}: {message}")));
    }
    let known = placement.kinds.find(&api_version, &kind);
    let namespace = known.is_none_or(|kind| kind.namespaced).then(|| {
        text("/metadata/namespace")
            .unwrap_or(placement.namespace)
            .to_owned()
    });
    let group = api_version
        .split_once('/')
        .map_or("", |(group, _)| group)
        .to_owned();
    let id = ResourceId {
        group,
        kind,
        namespace,
        name,
    };
    Ok(Resource {
        id,
        api_version,
        body,
        origin,
    })
}

/// Says which annotation has a value that would silently mean nothing.
fn unknown_word(body: &Value) -> Option<String> {
    WORDS.into_iter().find_map(|(key, what, words)| {
        let found = annotation(body, key)?;
        let mut known = words.iter();
        if known.any(|word| found.trim().eq_ignore_ascii_case(word)) {
            return None;
        }
        let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let known = match words.as_slice() {
            [one] => format!("the only {what} is {one}"),
            all => format!("the {what}s are {}", all.join(" and ")),
        };
        Some(format!("{key} is {found:?}; {known}"))
    })
}

fn refuse_duplicates(resources: &[Resource]) -> Result<(), Error> {
    let mut seen = HashMap::with_capacity(resources.len());
    for resource in resources {
        if let Some(first) = seen.insert(&resource.id, &resource.origin) {
            return Err(Error::Duplicate {
                id: resource.id.clone(),
                first: first.clone(),
                second: resource.origin.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, Error> {
        let path = "web/templates/all.yaml".to_owned();
        let rendered = Rendered {
            files: vec![RenderedFile {
                path,
                text: text.to_owned(),
            }],
            ..Rendered::default()
        };
        let kinds = Kinds::default();
        Manifest::parse(
            &rendered,
            Placement {
                namespace: "shop",
                kinds: &kinds,
            },
        )
    }

    #[track_caller]
    fn check_ids(text: &str, expected: &[&str]) {
        let manifest = parse(text).unwrap();
        let ids: Vec<_> = manifest
            .resources
            .iter()
            .map(|r| {
                format!(
                    "{} {} {}",
                    r.id.namespace.as_deref().unwrap_or("-"),
                    r.id,
                    r.origin.line
                )
            })
            .collect();
        assert_eq!(ids, expected);
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }

    fn config_map(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    }

    #[test]
    fn resources_get_their_namespace_and_line() {
        let role =
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n";
        let far = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: far}\n";
        check_ids(
            &format!("# note\n---\n{}---\n\n{role}---\n{far}", config_map("a")),
            &["far Secret s 12", "shop ConfigMap a 3", "- ClusterRole r 8"],
        );
    }

    #[test]
    fn lists_stand_for_their_items() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n";
        check_ids(list, &["shop Secret b 1", "shop ConfigMap a 1"]);
        assert_eq!(parse(list).unwrap().documents.len(), 1);
    }

    #[test]
    fn what_is_no_resource_is_refused_with_its_place() {
        check_error(
            "kind: ConfigMap",
            "line 1 of what web/templates/all.yaml renders to: apiVersion is missing",
        );
        check_error(
            "apiVersion: v1\nkind: ConfigMap",
            "line 1 of what web/templates/all.yaml renders to: metadata.name of the ConfigMap is missing",
        );
        check_error(
            &format!("{}---\n{}", config_map("a"), config_map("a")),
            "line 5 of what web/templates/all.yaml renders to: ConfigMap a is already defined at line 1 of what \
             web/templates/all.yaml renders to",
        );
        let Error::Yaml {
            origin, excerpt, ..
        } = parse(&format!("{}---\na: 1\nb: [\nc: 2\n", config_map("a"))).unwrap_err()
        else {
            panic!("not a YAML error")
        };
        assert_eq!(origin.line, 6, "{excerpt}");
        assert!(excerpt.contains(">    6 | b: ["), "{excerpt}");
    }

    #[test]
    fn a_long_line_is_shown_around_its_fault() {
        let text = format!("a: {}: x {}\n", "b".repeat(50_000), "c".repeat(50_000));
        let error = parse(&text).unwrap_err();
        let excerpt = error.excerpt().unwrap();
        assert!(excerpt.contains("b: x c"), "{excerpt}");
        assert!(excerpt.len() < 1000, "{}", excerpt.len());
    }

    #[test]
    fn unknown_policies_and_hooks_are_refused() {
        let with = |annotation: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{{annotation}}}}}\n"
            )
        };
        check_error(
            &with("helm.sh/resource-policy: retain"),
            "line 1 of what web/templates/all.yaml renders to: Pod a: helm.sh/resource-policy is \"retain\"; the only policy is \"keep\"",
        );
        check_error(
            &with("pintle.dev/ready: soon"),
            "line 1 of what web/templates/all.yaml renders to: Pod a: pintle.dev/ready is \"soon\"; the values are \"no-old-pods\" and \"written\"",
        );
        assert!(parse(&with("pintle.dev/ready: Written")).is_ok());
        check_error(
            &with("helm.sh/hook: 'pre-instal'"),
            "line 1 of what web/templates/all.yaml renders to: helm.sh/hook has the unknown value \"pre-instal\"",
        );
        let manifest = parse(&with(
            "helm.sh/hook: 'Post-Install, test', helm.sh/hook-weight: '-5'",
        ))
        .unwrap();
        assert!(manifest.resources.is_empty() && manifest.documents.is_empty());
        let events = manifest.hooks[0].events.iter().map(|event| event.name());
        assert_eq!(events.collect::<Vec<_>>(), ["post-install", "test"]);
        assert_eq!(manifest.hooks[0].weight, -5);
    }

    #[test]
    fn recorded_text_reads_back() {
        let manifest = parse(&format!("{}---\n{}", config_map("b"), config_map("a"))).unwrap();
        let text = manifest.to_text();
        assert!(
            text.starts_with("---\n# Source: web/templates/all.yaml\napiVersion"),
            "{text}"
        );
        let kinds = Kinds::default();
        let placement = Placement {
            namespace: "shop",
            kinds: &kinds,
        };
        let recorded = Recorded {
            text: &text,
            generators: None,
        };
        let again = Manifest::from_record(recorded, placement).unwrap();
        assert_eq!(again.documents, manifest.documents);
        assert_eq!(again.to_text(), text);
    }
}
