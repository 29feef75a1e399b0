//! From rendered or recorded text to a [`Manifest`].

use std::collections::HashMap;

use serde_json::Value;

use super::hook::{self, DeletePolicy, Hook, HookEvent, OutputLogPolicy};
use super::{Document, Manifest, Origin, Resource, ResourceId, install_rank, kind_order};
use crate::capabilities::Kinds;
use crate::render::{Rendered, RenderedFile};
use crate::yaml;

/// The annotation that keeps a resource when its release drops it.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// The line that names the template of a recorded document.
const SOURCE: &str = "# Source: ";

/// What a resource's identity depends on besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// The namespace of the release, for resources that name none.
    pub namespace: &'a str,
    /// The kinds that are known; others count as living in a namespace.
    pub kinds: &'a Kinds,
}

/// What happens to a resource that its release drops, by `helm.sh/resource-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourcePolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

/// Rendered text that is not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template rendered to something that is not YAML.
    #[error("{origin}:{}: the rendered text is not YAML", source.column)]
    Yaml {
        /// The template and the line of its output.
        origin: Origin,
        /// The rendered lines around the fault, the faulty one marked.
        excerpt: String,
        /// The fault.
        source: yaml::Error,
    },
    /// A document lacks what makes it a resource, or has it wrong.
    #[error("{origin}: {message}")]
    Resource {
        /// Where the document starts.
        origin: Origin,
        /// What is wrong.
        message: String,
    },
    /// Two documents ask for the same resource.
    #[error("{second}: {id} is already defined at {first}")]
    Duplicate {
        /// The resource.
        id: ResourceId,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
}

impl Error {
    /// The rendered lines around the fault, where there is one in them.
    pub fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Yaml { excerpt, .. } => Some(excerpt),
            Self::Resource { .. } | Self::Duplicate { .. } => None,
        }
    }
}

impl Manifest {
    /// Reads what a chart rendered to.
    ///
    /// # Errors
    /// If a document is not YAML, is not a resource, stands twice, or carries an unknown hook or
    /// resource policy.
    pub fn parse(rendered: &Rendered, placement: Placement<'_>) -> Result<Self, Error> {
        let mut documents = Vec::new();
        for file in &rendered.files {
            documents.extend(split(file));
        }
        build(documents, placement)
    }

    /// Reads the manifest text of a record, with its hooks left to the record itself.
    ///
    /// # Errors
    /// As [`Manifest::parse`]: a record that Helm wrote may hold what pintle would not render.
    pub fn from_record(text: &str, placement: Placement<'_>) -> Result<Self, Error> {
        let file = RenderedFile {
            path: "recorded manifest".to_owned(),
            text: text.to_owned(),
        };
        let documents = split(&file).into_iter().map(named_by_comment).collect();
        build(documents, placement)
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

/// A document as cut out of a file, with the line it starts on.
struct Cut {
    template: String,
    line: u64,
    text: String,
}

/// Cuts a YAML stream at the lines that start with `---`, as Helm does: what follows the dashes
/// on such a line belongs to the next document.
fn split(file: &RenderedFile) -> Vec<Cut> {
    let mut cuts = vec![];
    let mut current = String::new();
    let mut start = 1;
    for (index, line) in (1..).zip(file.text.split_inclusive('\n')) {
        let Some(rest) = line.strip_prefix("---") else {
            current.push_str(line);
            continue;
        };
        cuts.push((start, std::mem::take(&mut current)));
        start = index;
        current.push_str(rest.trim_start_matches([' ', '\t']));
    }
    cuts.push((start, current));
    cuts.into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(line, text)| {
            let trimmed = text.trim_start();
            let skipped = &text[..text.len() - trimmed.len()];
            Cut {
                template: file.path.clone(),
                line: line + skipped.matches('\n').count() as u64,
                text: trimmed.to_owned(),
            }
        })
        .collect()
}

/// Takes the template's name out of the first line of a recorded document.
fn named_by_comment(cut: Cut) -> Cut {
    let Some((first, rest)) = cut.text.split_once('\n') else {
        return cut;
    };
    match first.strip_prefix(SOURCE) {
        // Helm ends each document with one line break of its own.
        Some(template) => Cut {
            template: template.trim().to_owned(),
            line: 1,
            text: rest.strip_suffix('\n').unwrap_or(rest).to_owned(),
        },
        None => cut,
    }
}

fn build(cuts: Vec<Cut>, placement: Placement<'_>) -> Result<Manifest, Error> {
    let mut manifest = Manifest::default();
    for cut in cuts {
        let value = yaml::parse(&cut.text).map_err(|fault| yaml_error(&cut, fault))?;
        if value.is_null() {
            continue;
        }
        let origin = Origin {
            template: cut.template.clone(),
            line: cut.line,
        };
        let kind = value
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if annotation(&value, hook::EVENTS).is_some() {
            manifest.hooks.push(hook_of(value, cut, placement)?);
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
    refuse_duplicates(&manifest.resources)?;
    sort(&mut manifest);
    Ok(manifest)
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

fn resource(body: Value, origin: Origin, placement: Placement<'_>) -> Result<Resource, Error> {
    let wrong = |message: &str| Error::Resource {
        origin: origin.clone(),
        message: message.to_owned(),
    };
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
    if let Some(policy) = annotation(&body, RESOURCE_POLICY)
        && policy.trim().to_lowercase() != "keep"
    {
        return Err(wrong(&format!(
            "{kind} {name}: {RESOURCE_POLICY} is {policy:?}; the only policy is \"keep\""
        )));
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

fn hook_of(body: Value, cut: Cut, placement: Placement<'_>) -> Result<Hook, Error> {
    let origin = Origin {
        template: cut.template,
        line: cut.line,
    };
    let events = named(&body, &origin, hook::EVENTS, HookEvent::named)?;
    let delete_policies = named(&body, &origin, hook::DELETE_POLICY, DeletePolicy::named)?;
    let output_log_policies = named(
        &body,
        &origin,
        hook::OUTPUT_LOG_POLICY,
        OutputLogPolicy::named,
    )?;
    let weight = match annotation(&body, hook::WEIGHT) {
        None => 0,
        Some(text) => text.trim().parse().map_err(|_| Error::Resource {
            origin: origin.clone(),
            message: format!("{} is {text:?}, not an integer", hook::WEIGHT),
        })?,
    };
    let resource = resource(body, origin, placement)?;
    Ok(Hook {
        resource,
        text: cut.text,
        events,
        weight,
        delete_policies,
        output_log_policies,
    })
}

/// The names in the comma list of an annotation; an unknown one is an error.
fn named<T>(
    body: &Value,
    origin: &Origin,
    key: &str,
    find: fn(&str) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let Some(list) = annotation(body, key) else {
        return Ok(vec![]);
    };
    list.split(',')
        .map(|name| {
            let name = name.trim().to_lowercase();
            find(&name).ok_or_else(|| Error::Resource {
                origin: origin.clone(),
                message: format!("{key} has the unknown value {name:?}"),
            })
        })
        .collect()
}

fn annotation<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get("metadata")?.get("annotations")?.get(key)?.as_str()
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

fn yaml_error(cut: &Cut, mut fault: yaml::Error) -> Error {
    let marked = fault.line.max(1);
    let lines: Vec<String> = (1..)
        .zip(cut.text.lines())
        .skip_while(|(number, _)| *number + 2 < marked)
        .take_while(|(number, _)| *number <= marked + 2)
        .map(|(number, line): (u64, _)| {
            let sign = if number == marked { '>' } else { ' ' };
            format!("{sign} {:>4} | {line}\n", cut.line + number - 1)
        })
        .collect();
    fault.line = cut.line + marked - 1;
    let origin = Origin {
        template: cut.template.clone(),
        line: fault.line,
    };
    Error::Yaml {
        origin,
        excerpt: lines.concat(),
        source: fault,
    }
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
            notes: None,
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
            "web/templates/all.yaml:1: apiVersion is missing",
        );
        check_error(
            "apiVersion: v1\nkind: ConfigMap",
            "web/templates/all.yaml:1: metadata.name of the ConfigMap is missing",
        );
        check_error(
            &format!("{}---\n{}", config_map("a"), config_map("a")),
            "web/templates/all.yaml:5: ConfigMap a is already defined at web/templates/all.yaml:1",
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
    fn unknown_policies_and_hooks_are_refused() {
        let with = |annotation: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{{annotation}}}}}\n"
            )
        };
        check_error(
            &with("helm.sh/resource-policy: retain"),
            "web/templates/all.yaml:1: Pod a: helm.sh/resource-policy is \"retain\"; the only policy is \"keep\"",
        );
        check_error(
            &with("helm.sh/hook: 'pre-instal'"),
            "web/templates/all.yaml:1: helm.sh/hook has the unknown value \"pre-instal\"",
        );
        let manifest = parse(&with(
            "helm.sh/hook: 'Post-Install, test', helm.sh/hook-weight: '-5'",
        ))
        .unwrap();
        assert!(manifest.resources.is_empty() && manifest.documents.is_empty());
        assert_eq!(
            manifest.hooks[0].events,
            [HookEvent::PostInstall, HookEvent::Test]
        );
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
        let again = Manifest::from_record(&text, placement).unwrap();
        assert_eq!(again.documents, manifest.documents);
        assert_eq!(again.to_text(), text);
    }
}
