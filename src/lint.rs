//! What can be said about a chart without a cluster.
//!
//! The files of one chart come in, findings go out: breaches of [`RULES`], each with its place. The
//! chart is loaded, checked and rendered as for an installation, with its defaults and each of its
//! `ci/*-values.yaml`, for each minor of Kubernetes that is asked for; what it renders to is held
//! against what that minor's API server publishes. Reading files is left to `source`, telling people
//! to the binary.
//!
//! Charts inside a chart take part in what is rendered; their own files are checked on request.

mod api;
mod chart_file;
mod check;
mod dependencies;
mod finding;
mod layout;
mod place;
mod release;
mod resource;
mod rule;
mod source;
mod structure;
mod values;

pub use finding::{Excerpt, Finding, Place};
pub use rule::{RULES, Rule, Severity};

use crate::builtin::openapi::Minor;
use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::schema::Schemas;
use crate::chart::{Chart, Engine, Error, File, Kind, Layer, Metadata, Overrides, Tree, subcharts};
use crate::render::Templates;

use check::{Case, Check};
use finding::Findings;

/// What a chart is checked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The user's values, above the defaults and those of `ci/`.
    pub overrides: &'a Overrides,
    /// The version of Kubernetes; none for all minors that are known and that the chart allows.
    pub kube_version: Option<&'a KubeVersion>,
    /// Whose files are checked.
    pub charts: Charts,
}

/// Whose files are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charts {
    /// Those of the chart itself.
    Root,
    /// Those of the charts inside it as well, each as if it stood alone.
    All,
}

/// Checks a chart by its files, in any order.
///
/// ```
/// use pintle::chart::{File, Overrides};
/// let text = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
/// let file = |path: &str, text: &str| File { path: path.to_owned(), data: text.into() };
/// let files = vec![file("Chart.yaml", text), file("values.yaml", ""), file("templates/a.yaml", "")];
/// let overrides = Overrides::default();
/// let charts = pintle::lint::Charts::Root;
/// let request = pintle::lint::Request { overrides: &overrides, kube_version: None, charts };
/// let findings = pintle::lint::lint(files, &request);
/// assert_eq!(findings[0].rule.id, "chart-icon");
/// ```
pub fn lint(files: Vec<File>, request: &Request<'_>) -> Vec<Finding> {
    // What keeps them from being read keeps the whole chart from being loaded.
    let inner = match request.charts {
        Charts::Root => vec![],
        Charts::All => subcharts(files.clone()).unwrap_or_default(),
    };
    let mut findings = alone(files, request);
    let request = Request {
        // What is set for the whole chart says nothing of one in it.
        overrides: &Overrides::default(),
        ..*request
    };
    for (folder, files) in inner {
        let found = alone(files, &request).into_iter();
        findings.extend(found.map(|finding| finding.within(&folder)));
    }
    findings.sort_by_key(Finding::severity);
    findings
}

/// Checks one chart by its files.
fn alone(files: Vec<File>, request: &Request<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.extend(layout::names(&files));
    findings.extend(layout::crds(&files));
    findings.extend(layout::missing(&files));
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| String::from_utf8_lossy(&file.data).into_owned())
    };
    let Some(chart_file) = text(CHART_FILE) else {
        let place = Place::file(CHART_FILE);
        findings.add(Finding::new(rule::CHART_FILE, place, "the file is missing"));
        return findings.finish(&[]);
    };
    findings.extend(chart_file::check(&chart_file));
    if Metadata::parse(&chart_file).is_err() {
        return findings.finish(&[]);
    }
    let values = text(VALUES_FILE).unwrap_or_default();
    match Chart::from_files(files) {
        Err(error) => findings.add(unloadable(&error)),
        Ok(chart) => {
            let minors = minors(&chart, request, &mut findings);
            loaded(&chart, &values, (request, &minors), &mut findings);
            let known = minors.iter().filter_map(|(minor, _)| *minor);
            return findings.finish(&known.collect::<Vec<_>>());
        }
    }
    findings.finish(&[])
}

const CHART_FILE: &str = "Chart.yaml";
const VALUES_FILE: &str = "values.yaml";

/// Where `.helmignore` is wrong, so that the files of a chart cannot be told.
pub fn bad_ignore_file(line: usize, problem: &str) -> Finding {
    let place = Place::line(".helmignore", line as u64);
    Finding::new(rule::HELMIGNORE, place, problem)
}

/// What makes a chart of these files impossible, told of the file that does.
fn unloadable(error: &Error) -> Finding {
    let place = match error {
        Error::NotText { file, .. } | Error::Stray { file } | Error::Archive { file, .. } => {
            Place::file(file)
        }
        Error::NoChartYaml { file } => Place::file(file),
        other => match other.position() {
            Some(at) => Place::line(&at.file, at.line),
            None => Place::file(CHART_FILE),
        },
    };
    if let Error::GoTemplates { .. } = error {
        let message = "a template action in a chart without template engine";
        return Finding::new(rule::NO_ANNOTATION, place, message).hint(
            "a Tera chart carries the annotation `pintle.dev/engine: tera` in Chart.yaml; Go \
             templates are not rendered",
        );
    }
    let rule = match place.file.rsplit('/').next() {
        Some(VALUES_FILE) => rule::VALUES_FILE,
        _ => rule::CHART_FILE,
    };
    Finding::new(rule, place, chart_file::problem(error))
}

/// The minors to check, each with what its cluster can do; none stands for one that is not known.
fn minors(
    chart: &Chart,
    request: &Request<'_>,
    findings: &mut Findings,
) -> Vec<(Option<Minor>, Capabilities)> {
    let of = |minor| (Some(minor), Capabilities::of(minor));
    let needed = &chart.metadata.kube_version;
    if let Some(version) = request.kube_version {
        if let Err(error) = chart.metadata.check_kube_version(version) {
            let place = Place::file(CHART_FILE);
            findings.add(Finding::new(rule::KUBE_VERSION, place, error.to_string()));
        }
        let minor = version.known_minor();
        if minor.is_none() {
            let message = format!(
                "nothing is known of Kubernetes {version}, so no resource is checked by its API: known \
                 are {}",
                known_minors()
            );
            let place = Place::file(CHART_FILE);
            findings.add(Finding::new(rule::KUBE_VERSION, place, message));
        }
        return vec![(minor, Capabilities::at(version.clone()))];
    }
    let all: Vec<(Option<Minor>, Capabilities)> = Minor::all().into_iter().map(of).collect();
    let allows = |capabilities: &Capabilities| {
        chart
            .metadata
            .check_kube_version(&capabilities.kube_version)
            .is_ok()
    };
    let allowed: Vec<_> = all
        .iter()
        .filter(|(_, found)| allows(found))
        .cloned()
        .collect();
    if allowed.is_empty() {
        let message = format!(
            "kubeVersion {needed:?} allows none of Kubernetes {}, so nothing is rendered",
            known_minors()
        );
        findings.add(Finding::new(
            rule::KUBE_VERSION,
            Place::file(CHART_FILE),
            message,
        ));
    }
    allowed
}

/// `1.34, 1.35, 1.36`.
fn known_minors() -> String {
    let known: Vec<String> = Minor::all().iter().map(Minor::to_string).collect();
    known.join(", ")
}

/// Checks what a chart says beside `Chart.yaml`, and what it renders to.
fn loaded(
    chart: &Chart,
    values: &str,
    (request, minors): (&Request<'_>, &[(Option<Minor>, Capabilities)]),
    findings: &mut Findings,
) {
    findings.extend(dependencies::order(chart));
    findings.extend(dependencies::lock(chart));
    findings.extend(dependencies::unlisted(chart));
    findings.extend(unrendered(chart, values, request.charts));
    let tree = match Tree::of(chart) {
        Ok(tree) => tree,
        Err(error) => {
            findings.extend(dependencies::faults(&error));
            return;
        }
    };
    findings.extend(dependencies::values(&tree));
    match chart.metadata.engine() {
        Ok(Engine::Tera) => {
            findings.extend(layout::silent_in_helm(&chart.templates));
            findings.extend(values::usage(&tree, values));
        }
        Ok(Engine::None) => {}
        Err(error) => {
            findings.add(unloadable(&error));
            return;
        }
    }
    let schemas = match Schemas::compile(&tree) {
        Ok(schemas) => Some(schemas),
        Err(error) => {
            findings.extend(values::misfits(error, VALUES_FILE, values));
            None
        }
    };
    let templates = match Templates::prepare(&tree) {
        Ok(templates) => templates,
        Err(error) => {
            findings.extend(check::template_faults(&error, &chart.metadata.name));
            return;
        }
    };
    if chart.metadata.chart_kind() == Kind::Library {
        return;
    }
    let check = Check {
        tree: &tree,
        defaults: values,
        schemas: schemas.as_ref(),
        templates: &templates,
    };
    let sets = value_sets(chart, request.overrides);
    for (file, overrides) in &sets {
        let case = Case {
            only_as_base: file.is_none() && sets.len() > 1,
            file: file.as_deref(),
            overrides,
            minors,
        };
        findings.extend(check.case(&case));
    }
}

/// What is wrong with values and schemas whatever is rendered.
fn unrendered(chart: &Chart, values: &str, charts: Charts) -> Vec<Finding> {
    let mut found = values::boolean_keys(VALUES_FILE, values);
    for (_, own) in value_sets(chart, &Overrides::default()) {
        let keys = own.files();
        found.extend(keys.flat_map(|(file, text)| values::boolean_keys(file, text)));
    }
    let charts = match charts {
        Charts::Root => chart.all(),
        // Each of the others is checked by itself.
        Charts::All => vec![chart],
    };
    for chart in charts {
        found.extend(values::unseen_rules(chart));
        found.extend(values::undefined_names(chart));
    }
    found
}

/// The values to render with: the defaults, and over them each file of `ci/`, as chart-testing has
/// it; over each the user's.
fn value_sets(chart: &Chart, overrides: &Overrides) -> Vec<(Option<String>, Overrides)> {
    let is_set = |path: &str| {
        let name = path.strip_prefix("ci/").unwrap_or_default();
        name.ends_with("-values.yaml") && !name.contains('/')
    };
    let files = chart.files.iter().filter(|file| is_set(&file.path));
    let sets = files.map(|file| {
        let layer = Layer::File {
            name: file.path.clone(),
            text: String::from_utf8_lossy(&file.data).into_owned(),
        };
        let layers = std::iter::once(layer).chain(overrides.layers.iter().cloned());
        let overrides = Overrides {
            layers: layers.collect(),
        };
        (Some(file.path.clone()), overrides)
    });
    std::iter::once((None, overrides.clone()))
        .chain(sets)
        .collect()
}

#[cfg(test)]
mod tests;
