//! A chart with everything that it contains.
//!
//! A [`Chart`] comes in, a [`Tree`] of the charts that can take part goes out; the user's values
//! come in, a [`Selection`] goes out: which of them do take part, and with what values. Reading
//! charts is left to the loader, rendering to `render`.

mod select;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Map, Value};

use super::constraint::parse_version;
use super::{Chart, Constraint, Dependency, Error, File, Unmet, Values};

/// How many charts a tree may have: aliases multiply.
const MAX_CHARTS: usize = 2_000;

/// A chart and all that can take part when it is rendered. What does is told by a [`Selection`].
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    /// The chart itself.
    pub root: Node<'a>,
}

/// One chart in a tree.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands: the root's name, and for a subchart its parent's path, `/charts/` and the
    /// name that it goes by there, as in `web/charts/db`.
    pub path: String,
    /// The chart.
    pub chart: &'a Chart,
    /// The keys below which its values stand in those of the root; none for the root itself.
    pub keys: Vec<String>,
    /// The dependency of its parent that it is here for; none for the root, and for what stands in
    /// `charts/` without an entry.
    pub entry: Option<&'a Dependency>,
    /// What it contains.
    pub subcharts: Vec<Self>,
}

/// Which charts of a [`Tree`] take part, and the final values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// The values of the root; those of each subchart stand below its name, with the values that
    /// are `global`.
    pub values: Values,
    /// The paths of the charts that are turned off. What they contain is off, too.
    pub off: BTreeSet<String>,
}

impl<'a> Tree<'a> {
    /// The tree of `chart`.
    ///
    /// A dependency stands for the chart of its name in `charts/` whose version fits, the newest
    /// if there are several, and goes by its alias. What no dependency stands for takes part under
    /// its own name.
    ///
    /// # Errors
    /// If a chart that is depended on is not there, also inside of subcharts; if two subcharts go
    /// by one name; or if there are more than 2,000 charts in all.
    pub fn of(chart: &'a Chart) -> Result<Self, Error> {
        let root = Node {
            path: chart.metadata.name.clone(),
            chart,
            keys: vec![],
            entry: None,
            subcharts: vec![],
        };
        let root = root.filled(&mut 1)?;
        Ok(Self { root })
    }

    /// The charts that take part, each before those that it contains, with their final values.
    pub fn taking_part<'t>(
        &'t self,
        selection: &'t Selection,
    ) -> Vec<(&'t Node<'a>, &'t Map<String, Value>)> {
        let mut all = vec![];
        let mut open = vec![(&self.root, &selection.values.0)];
        while let Some((node, values)) = open.pop() {
            all.push((node, values));
            let on = (node.subcharts.iter().rev()).filter(|sub| !selection.off.contains(&sub.path));
            open.extend(on.filter_map(|sub| Some((sub, values.get(sub.name())?.as_object()?))));
        }
        all
    }

    /// The dependencies of the root but those that are `off`, as Helm records them: turned on,
    /// under the names that they go by, and with both ends of each import.
    pub fn dependencies(&self, off: &BTreeSet<String>) -> Vec<Dependency> {
        let on = (self.root.subcharts.iter()).filter(|sub| !off.contains(&sub.path));
        let recorded = on.filter_map(|sub| {
            let imports = sub.imports().map(|(child, parent)| {
                let ends = [("child", child), ("parent", parent)].into_iter();
                ends.map(|(end, path)| (end.to_owned(), Value::from(path)))
                    .collect()
            });
            Some(Dependency {
                name: sub.name().to_owned(),
                enabled: true,
                import_values: imports.map(Value::Object).collect(),
                ..sub.entry?.clone()
            })
        });
        recorded.collect()
    }
}

impl<'a> Tree<'a> {
    /// The files of custom resource definitions of the charts that take part, a chart's own before
    /// those of its subcharts. Each comes with a path such as `web/charts/db/crds/backup.yaml`.
    pub fn crds(&self, selection: &Selection) -> Vec<(String, &'a File)> {
        let charts = self.taking_part(selection).into_iter();
        let files = charts.flat_map(|(node, _)| {
            let named = |file: &'a File| (format!("{}/{}", node.path, file.path), file);
            node.chart.own_crds().map(named)
        });
        files.collect()
    }
}

impl Node<'_> {
    /// The name that it goes by in its parent; that of the chart for the root.
    pub fn name(&self) -> &str {
        self.keys.last().unwrap_or(&self.chart.metadata.name)
    }

    /// What its parent imports from it: where that stands in its values, and where it goes to in
    /// those of the parent (`.` is the top).
    pub(crate) fn imports(&self) -> impl Iterator<Item = (String, String)> {
        let imports = self.entry.iter().flat_map(|entry| &entry.import_values);
        imports.filter_map(select::import_ends)
    }

    /// Adds what the chart contains; `count` is how many charts there are so far.
    fn filled(mut self, count: &mut usize) -> Result<Self, Error> {
        let mut names: BTreeMap<&str, &Chart> = BTreeMap::new();
        for (name, chart, entry) in contained(self.chart, &self.path)? {
            if let Some(other) = names.insert(name, chart) {
                return Err(Error::SameName {
                    chart: self.path,
                    name: name.to_owned(),
                    folders: (other.folder.clone(), chart.folder.clone()),
                });
            }
            *count += 1;
            if *count > MAX_CHARTS {
                let (limit, unit) = (MAX_CHARTS, "charts");
                return Err(Error::TooMany { limit, unit });
            }
            let sub = Self {
                path: format!("{}/charts/{name}", self.path),
                chart,
                keys: self.keys.iter().cloned().chain([name.to_owned()]).collect(),
                entry,
                subcharts: vec![],
            };
            self.subcharts.push(sub.filled(count)?);
        }
        Ok(self)
    }
}

/// A chart in `charts/`, the name that it goes by, and the dependency that it stands for.
type Contained<'a> = (&'a str, &'a Chart, Option<&'a Dependency>);

/// What takes part in the chart at `path`: what has no entry, then a chart for each dependency.
fn contained<'a>(chart: &'a Chart, path: &str) -> Result<Vec<Contained<'a>>, Error> {
    let dependencies = &chart.metadata.dependencies;
    let subcharts = &chart.subcharts;
    let is_free = |sub: &&Chart| !dependencies.iter().any(|entry| stands_for(entry, sub));
    let free = subcharts.iter().filter(is_free);
    let mut all: Vec<_> = (free.map(|sub| (sub.metadata.name.as_str(), sub, None))).collect();
    let mut missing = vec![];
    for entry in dependencies {
        let fitting = subcharts.iter().filter(|sub| stands_for(entry, sub));
        match fitting.max_by_key(|sub| version(sub)) {
            None => missing.push(unmet(entry, subcharts)),
            Some(sub) => all.push((entry.goes_by(), sub, Some(entry))),
        }
    }
    if missing.is_empty() {
        return Ok(all);
    }
    Err(Error::Missing {
        chart: path.to_owned(),
        missing,
    })
}

/// Whether a dependency can stand for a chart: without a version it takes any.
fn stands_for(entry: &Dependency, chart: &Chart) -> bool {
    let fits = || {
        entry.version.is_empty()
            || entry.version == chart.metadata.version
            || Constraint::parse(&entry.version)
                .is_ok_and(|needed| version(chart).is_some_and(|found| needed.matches(&found)))
    };
    entry.name == chart.metadata.name && fits()
}

fn version(chart: &Chart) -> Option<Version> {
    parse_version(&chart.metadata.version).ok()
}

fn unmet(entry: &Dependency, subcharts: &[Chart]) -> Unmet {
    let same = subcharts.iter().map(|sub| &sub.metadata);
    let same = same.filter(|metadata| metadata.name == entry.name);
    Unmet {
        name: entry.name.clone(),
        version: entry.version.clone(),
        found: same.map(|metadata| metadata.version.clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
