//! Rendering a chart with one set of values for several minors, and what follows from the result.

use super::finding::{Excerpt, Finding, Place};
use super::place::Sources;
use super::rule::{self, Rule};
use super::structure::Fault;
use super::{api, layout, release, resource, values};
use crate::builtin::openapi::Minor;
use crate::capabilities::{Capabilities, Kinds};
use crate::chart::schema::Schemas;
use crate::chart::{Chart, Origins, Overrides, Selection, Tree, Values, dotted_path};
use crate::manifest::{self, Manifest, Placement, Resource};
use crate::render::{self, Operation, ReleaseFacts, Rendered, Scope, Templates, window};
use crate::yaml::Step;

/// The namespace of the release that is rendered.
const NAMESPACE: &str = "lint";
/// The namespaces that every cluster has, which may be named.
const SYSTEM: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// What to do about a resource in a namespace of its own, and about such a subject.
const OWN_NAMESPACE: &str = "leave it out: a resource gets the namespace of its release";
const SUBJECT_NAMESPACE: &str = "write {{ release.namespace }}, or make it a value";

/// The rules whose messages say all by themselves, without the path of a field.
const WHOLE: [&Rule; 4] = [
    rule::UNSERVED_API,
    rule::DEPRECATED_API,
    rule::UNUSED_GENERATOR,
    rule::CONFIG_ROLLOUT,
];

/// A chart, ready to be rendered.
#[derive(Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) tree: &'a Tree<'a>,
    /// The text of `values.yaml`.
    pub(super) defaults: &'a str,
    /// None if one of them is wrong.
    pub(super) schemas: Option<&'a Schemas>,
    pub(super) templates: &'a Templates,
}

/// One set of values and the minors to render it for.
pub(super) struct Case<'a> {
    /// The file of `ci/` that the values are of; none for the defaults.
    pub(super) file: Option<&'a str>,
    pub(super) overrides: &'a Overrides,
    /// Whether it is no fault that the values do not fit the schema.
    pub(super) only_as_base: bool,
    /// Without the minor where nothing is known of it.
    pub(super) minors: &'a [(Option<Minor>, Capabilities)],
}

impl Check<'_> {
    /// Everything that is wrong with one set of values.
    pub(super) fn case(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut findings = match self.select(case) {
            // Where a chart asks for values, its files of `ci/` give them.
            Err(_) if case.only_as_base => Vec::new(),
            Err(findings) => findings,
            Ok(selection) => {
                let each = case.minors.iter();
                let each = each.enumerate().flat_map(|(index, (minor, capabilities))| {
                    let now = match self.render(&selection, capabilities, self.templates) {
                        Ok(now) => now,
                        Err(findings) => return findings,
                    };
                    let mut findings = self.minor(&now, *minor);
                    if index + 1 == case.minors.len() {
                        findings.extend(self.next_version(&now, &selection, capabilities));
                    }
                    findings
                });
                each.collect()
            }
        };
        for finding in &mut findings {
            finding.values = case.file.map(str::to_owned).into_iter().collect();
        }
        findings
    }

    /// Final values that the schema takes.
    fn select(&self, case: &Case<'_>) -> Result<Selection, Vec<Finding>> {
        let config = case.overrides.config(Values::default());
        let selection = config
            .and_then(|config| self.tree.select(config))
            .map_err(|error| {
                let at = error.position().cloned().unwrap_or_default();
                vec![Finding::new(
                    rule::VALUES,
                    Place::line(&at.file, at.line),
                    error.to_string(),
                )]
            })?;
        let Some(schemas) = self.schemas else {
            return Ok(selection);
        };
        match schemas.check(&selection, &[]) {
            Ok(()) => Ok(selection),
            Err(error) => {
                let mut origins = Origins::of(self.tree, &selection);
                let error = match origins.overrides(case.overrides) {
                    Ok(()) => error.traced(&origins),
                    Err(_) => error,
                };
                let mut files = case.overrides.files();
                let own = files.find(|(name, _)| Some(*name) == case.file);
                let (file, text) = own.unwrap_or(("values.yaml", self.defaults));
                Err(values::misfits(error, file, text))
            }
        }
    }

    /// What is wrong with what the chart renders to for a minor.
    fn minor(
        &self,
        (rendered, manifest): &(Rendered, Manifest),
        minor: Option<Minor>,
    ) -> Vec<Finding> {
        let sources = Sources {
            chart: self.tree.root.chart,
            rendered,
        };
        let hooks = manifest.hooks.iter().map(|hook| &hook.resource);
        let resources = manifest.resources.iter().chain(hooks);
        let mut found: Vec<(&Resource, Fault)> = Vec::new();
        for resource in resources.filter(|resource| !is_stub(manifest, resource)) {
            let faults = minor.map(|minor| api::faults(resource, minor));
            let faults = faults.into_iter().flatten();
            let others = resource::faults(resource).into_iter();
            found.extend(faults.chain(others).map(|fault| (resource, fault)));
        }
        found.extend(release::unused_generators(manifest, NAMESPACE));
        found.extend(release::config_rollout(manifest));
        let findings = found.into_iter().map(|(resource, fault)| {
            let mut finding = told(resource, &fault, &sources);
            finding.minors = minor.into_iter().collect();
            finding
        });
        let mut findings: Vec<Finding> = findings.collect();
        findings.extend(layout::separators(
            rendered,
            &self.tree.root.chart.metadata.name,
        ));
        let named = manifest
            .resources
            .iter()
            .flat_map(|resource| namespaces(resource, &sources));
        findings.extend(named.map(|mut finding| {
            finding.minors = minor.into_iter().collect();
            finding
        }));
        findings
    }

    /// Compares what the chart renders to with what its next version would render to. That only the versions in
    /// `Chart.yaml` rise says nothing about templates that cannot be rendered then.
    fn next_version(
        &self,
        (rendered, manifest): &(Rendered, Manifest),
        selection: &Selection,
        capabilities: &Capabilities,
    ) -> Vec<Finding> {
        let mut next: Chart = self.tree.root.chart.clone();
        next.metadata.version = raised(&next.metadata.version);
        next.metadata.app_version = raised(&next.metadata.app_version);
        let templates = Tree::of(&next).map(|tree| Templates::prepare(&tree));
        let Ok(Ok(templates)) = templates else {
            return Vec::new();
        };
        let Ok((_, later)) = self.render(selection, capabilities, &templates) else {
            return Vec::new();
        };
        let sources = Sources {
            chart: self.tree.root.chart,
            rendered,
        };
        let found = release::immutable(manifest, &later).into_iter();
        found
            .map(|(resource, fault)| told(resource, &fault, &sources))
            .collect()
    }

    fn render(
        &self,
        selection: &Selection,
        capabilities: &Capabilities,
        templates: &Templates,
    ) -> Result<(Rendered, Manifest), Vec<Finding>> {
        let chart = &self.tree.root.chart.metadata.name;
        let scope = Scope {
            release: ReleaseFacts {
                name: chart,
                namespace: NAMESPACE,
                revision: 1,
                operation: Operation::Install,
            },
            values: selection.values.clone(),
            off: &selection.off,
            capabilities,
        };
        let rendered = templates
            .render(scope)
            .map_err(|error| template_faults(&error, chart))?;
        let placement = Placement {
            namespace: NAMESPACE,
            kinds: &Kinds::default(),
        };
        match Manifest::parse(&rendered, placement) {
            Ok(manifest) => Ok((rendered, manifest)),
            Err(error) => Err(vec![unparsable(&error, &rendered, chart)]),
        }
    }
}

/// The version after `version`; what is no version gets longer.
fn raised(version: &str) -> String {
    match semver::Version::parse(version) {
        Ok(mut version) => {
            version.patch += 1;
            version.to_string()
        }
        Err(_) => format!("{version}1"),
    }
}

fn is_stub(manifest: &Manifest, resource: &Resource) -> bool {
    manifest.generator(&resource.id, NAMESPACE).is_some()
}

/// A fault of a resource with its place.
fn told(resource: &Resource, fault: &Fault, sources: &Sources<'_>) -> Finding {
    let place = sources.place(resource, &fault.path);
    let message = if WHOLE.contains(&fault.rule) {
        format!("{}: {}", resource.id, fault.message)
    } else {
        format!(
            "{}: {} {}",
            resource.id,
            dotted_path(&fault.path),
            fault.message
        )
    };
    let finding = Finding::new(fault.rule, place, message);
    match hint(fault.rule, &resource.id.kind) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn hint(rule: &Rule, kind: &str) -> Option<&'static str> {
    Some(match (rule.id, kind) {
        ("immutable-field", "Job") => {
            "put {{ release.revision }} into the name, or make the Job a hook"
        }
        ("immutable-field", _) => {
            "keep chart.version, chart.app_version and labels made of them out of it"
        }
        ("duplicate-item", _) => "keep one of the two",
        ("null-field", _) => "leave the key out where there is no value",
        ("unused-generator", _) => {
            "mount what it makes; let it be if it is for people or other tools"
        }
        ("config-rollout", _) => {
            "give the pods an annotation such as checksum/config, made of the config map's text"
        }
        _ => return None,
    })
}

/// The namespaces that a template writes out although they are neither the release's nor Kubernetes'
/// own.
fn namespaces(resource: &Resource, sources: &Sources<'_>) -> Vec<Finding> {
    let own = resource.body.pointer("/metadata/namespace");
    let own = own.map(|name| {
        (
            resource::keys(&["metadata", "namespace"]),
            name,
            OWN_NAMESPACE,
        )
    });
    let is_binding = ["RoleBinding", "ClusterRoleBinding"].contains(&resource.id.kind.as_str());
    let subjects = resource.body["subjects"].as_array();
    let subjects = subjects.filter(|_| is_binding).into_iter().flatten();
    let subjects = subjects.enumerate().filter_map(|(index, subject)| {
        let path = vec![key("subjects"), Step::Index(index), key("namespace")];
        Some((path, subject.get("namespace")?, SUBJECT_NAMESPACE))
    });
    let found = own.into_iter().chain(subjects);
    let found = found.filter_map(|(path, name, hint)| {
        let name = name.as_str();
        let name = name.filter(|name| *name != NAMESPACE && !SYSTEM.contains(name))?;
        let place = sources.place(resource, &path);
        let line = sources.line_with(&place, &format!("namespace: {name}"))?;
        let message = format!("{}: {} is {name}", resource.id, dotted_path(&path));
        let place = Place { line, ..place };
        Some(Finding::new(rule::HARD_CODED_NAMESPACE, place, message).hint(hint))
    });
    found.collect()
}

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

/// Why a chart is not rendered.
pub(super) fn template_faults(error: &render::Error, chart: &str) -> Vec<Finding> {
    let render::Error::Template(fault) = error else {
        let (file, text) = match error {
            render::Error::Render { path, message } => (below(path, chart), message.clone()),
            other => ("templates".to_owned(), other.to_string()),
        };
        return vec![Finding::new(rule::TEMPLATE, Place::file(&file), text)];
    };
    let faults = std::iter::once(&**fault).chain(&fault.others);
    faults
        .map(|fault| {
            let line = fault.place.line as u64;
            let place = Place {
                file: below(&fault.place.path, chart),
                line,
                excerpt: Some(Excerpt {
                    of: "",
                    first: line,
                    marked: line,
                    lines: vec![
                        window(&fault.place.source, fault.place.column)
                            .0
                            .into_owned(),
                    ],
                }),
            };
            let finding = Finding::new(rule::TEMPLATE, place, &*fault.message);
            match fault.calls.first() {
                Some(call) => {
                    finding.hint(format!("called from {}", below(&call.to_string(), chart)))
                }
                None => finding,
            }
        })
        .collect()
}

/// Why rendered text is no manifest.
fn unparsable(error: &manifest::Error, rendered: &Rendered, chart: &str) -> Finding {
    use manifest::Error;
    let rule = match error {
        Error::Yaml { .. } | Error::Resource { .. } => rule::MANIFEST,
        Error::Generator(_) => rule::GENERATOR,
        Error::Group(_) | Error::Order(_) => rule::GROUPS,
        Error::Readiness { .. } => rule::READINESS,
        Error::Duplicate { .. } => rule::DUPLICATE_RESOURCE,
    };
    let text = match error {
        Error::Yaml { source, .. } => format!("{error}: {source}"),
        other => other.to_string(),
    };
    let (origin, message) = split(&text);
    let Some((template, line)) = origin else {
        return Finding::new(rule, Place::file("templates"), message);
    };
    let column = match error {
        Error::Yaml { source, .. } => source.column,
        _ => 0,
    };
    let place = Place {
        file: below(template, chart),
        line: 0,
        excerpt: super::place::around(rendered, template, (line, column)),
    };
    Finding::new(rule, place, message)
}

/// The path and line that a message begins with, and the rest: `line 3 of what web/templates/a.yaml
/// renders to: gone`.
fn split(text: &str) -> (Option<(&str, u64)>, &str) {
    let parts = || {
        let (place, message) = text.strip_prefix("line ")?.split_once(" renders to: ")?;
        let (line, path) = place.split_once(" of what ")?;
        let line = line.split(',').next()?.parse().ok()?;
        Some(((path, line), message))
    };
    match parts() {
        Some((place, message)) => (Some(place), message),
        None => (None, text),
    }
}

/// A path below the chart's folder.
fn below(path: &str, chart: &str) -> String {
    let start = format!("{chart}/");
    path.strip_prefix(&start).unwrap_or(path).to_owned()
}
