//! The order between the charts of a tree.
//!
//! What `Chart.yaml` says of the order of subcharts, and the parsed documents, come in; resource groups go
//! out that put the charts in this order, as annotations of the resources, so that records hold them.
//! What groups mean is left to [`group`].
//!
//! - `pintle.dev/depends-on: '{"sub2":["sub1"]}'` in a chart's annotations: everything of its subchart
//!   `sub2` waits for everything of `sub1`.
//! - `helm.sh/depends-on/subcharts: '["sub1"]'` (Helm's HIP-0025): the chart's own resources wait for
//!   everything of its subchart `sub1`. A map is read as `pintle.dev/depends-on`.
//! - `depends-on: [sub1]` of a dependency (HIP-0025): as the first, for that dependency.
//!
//! As HIP-0025 has it, the groups of a chart are its own: in a tree where anything is ordered, the group
//! `etcd` of the chart `web/charts/db` becomes `web/charts/db/etcd`. What is in no group there is in the
//! group `web/charts/db`, which comes after the chart's other groups. A tree without any order is left as
//! it is.

mod declared;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use declared::Order;

use super::cut::Cut;
use super::generator::Generator;
use super::{annotation, edit, group, hook};
use crate::render::{DEPENDS_ON, RenderedChart};

/// The annotation of a chart that orders its subcharts: a JSON map of lists of names.
pub const SUBCHARTS: &str = "pintle.dev/depends-on";
/// The annotation of a chart that lists the subcharts that its own resources wait for.
pub const HELM_SUBCHARTS: &str = "helm.sh/depends-on/subcharts";

/// Charts that have no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An annotation is not what it should be.
    #[error(
        "Chart.yaml of {chart}: {} is {found:?}, not {expected}",
        said(annotation)
    )]
    Syntax {
        /// The path of the chart.
        chart: String,
        /// The key of the annotation, or `depends-on`.
        annotation: &'static str,
        /// What it says.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// An annotation names a subchart that does not exist.
    #[error(
        "Chart.yaml of {chart}: {} names {subchart:?}, which is no subchart; {}",
        said(annotation),
        listed(known)
    )]
    Unknown {
        /// The path of the chart.
        chart: String,
        /// The key of the annotation, or `depends-on`.
        annotation: &'static str,
        /// The name.
        subchart: String,
        /// The names of the chart's subcharts.
        known: Vec<String>,
    },
    /// Subcharts wait for each other.
    #[error("Chart.yaml of {chart}: subcharts wait for each other: {}", subcharts.join(" -> "))]
    Cycle {
        /// The path of the chart.
        chart: String,
        /// The subcharts of the cycle, the first one again at its end.
        subcharts: Vec<String>,
    },
}

fn said(annotation: &str) -> String {
    if annotation == DEPENDS_ON {
        "depends-on of a dependency".to_owned()
    } else {
        format!("the annotation {annotation}")
    }
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "there are none".to_owned(),
        names => format!("there are {}", names.join(", ")),
    }
}

/// The groups of a tree, by their names, and those that each depends on.
#[derive(Debug, Default)]
struct Groups(BTreeMap<String, Group>);

#[derive(Debug, Default)]
struct Group {
    /// The path of its chart.
    chart: String,
    after: BTreeSet<String>,
}

/// Gives the documents of a tree the groups that put its charts in order.
///
/// # Errors
/// If a chart names a subchart that it does not have, or subcharts wait for each other.
pub(super) fn apply(charts: &[RenderedChart], documents: &mut [(Cut, Value)]) -> Result<(), Error> {
    let order = Order::of(charts)?;
    let is_ordered = |(_, body): &(Cut, Value)| !is_hook(body) && resources(body).any(is_grouped);
    let is_plain = order.subcharts.is_empty() && order.own.is_empty();
    if charts.len() < 2 || is_plain && !documents.iter().any(is_ordered) {
        return Ok(());
    }
    let paths: BTreeSet<&str> = charts.iter().map(|chart| chart.path.as_str()).collect();
    let mut groups = Groups::default();
    for (cut, body) in documents.iter().filter(|(_, body)| !is_hook(body)) {
        let Some(chart) = chart_of(&cut.template, &paths) else {
            continue;
        };
        resources(body).for_each(|resource| groups.add(resource, chart));
    }
    groups.put_the_rest_last();
    groups.connect(charts, &order);
    for (cut, body) in documents.iter_mut().filter(|(_, body)| !is_hook(body)) {
        let chart = chart_of(&cut.template, &paths).map(str::to_owned);
        if let Some(chart) = &chart {
            edit::annotate(cut, body, |resource| groups.annotations(resource, chart));
        }
    }
    Ok(())
}

fn is_hook(body: &Value) -> bool {
    annotation(body, hook::EVENTS).is_some()
}

fn is_grouped(body: &Value) -> bool {
    group::group_of(body).is_some()
}

/// The resources in a document.
fn resources(body: &Value) -> impl Iterator<Item = &Value> {
    let items = edit::items(body);
    let whole = items.is_none().then_some(body);
    items.into_iter().flatten().chain(whole)
}

/// The chart that a template belongs to.
fn chart_of<'a>(template: &'a str, paths: &BTreeSet<&str>) -> Option<&'a str> {
    let mut ends = template.match_indices("/templates/");
    ends.find_map(|(end, _)| Some(&template[..end]).filter(|path| paths.contains(path)))
}

/// The name of the group that a resource of `chart` is in; none for a generator without one, which
/// precedes all groups, and for what cannot be told.
fn name(resource: &Value, chart: &str) -> Option<String> {
    let is_misplaced = || group::listed(resource).is_none_or(|after| !after.is_empty());
    match group::group_of(resource) {
        Some(own) => Some(format!("{chart}/{own}")),
        None if Generator::is_one(resource) || is_misplaced() => None,
        None => Some(chart.to_owned()),
    }
}

impl Groups {
    fn add(&mut self, resource: &Value, chart: &str) {
        let Some(name) = name(resource, chart) else {
            return;
        };
        let after = group::listed(resource).unwrap_or_default();
        let group = self.0.entry(name).or_default();
        chart.clone_into(&mut group.chart);
        let after = after.into_iter().map(|other| format!("{chart}/{other}"));
        group.after.extend(after);
    }

    /// Makes what is in no group of a chart wait for its groups.
    fn put_the_rest_last(&mut self) {
        let charts: BTreeSet<String> = self.0.values().map(|group| group.chart.clone()).collect();
        for chart in charts {
            let last = self.last(|group| group.chart == chart);
            if let Some(rest) = self.0.get_mut(&chart) {
                rest.after
                    .extend(last.into_iter().filter(|name| *name != chart));
            }
        }
    }

    /// Makes charts wait for each other, the innermost first.
    fn connect(&mut self, charts: &[RenderedChart], order: &Order) {
        for chart in charts.iter().rev() {
            let path = chart.path.as_str();
            if let Some(others) = order.own.get(path) {
                self.wait(|group| group.chart == path, others, order);
            }
            let below = format!("{path}/charts/");
            for (subchart, others) in &order.subcharts {
                let name = subchart.strip_prefix(&below);
                if name.is_some_and(|name| !name.contains('/')) {
                    self.wait(|group| is_within(&group.chart, subchart), others, order);
                }
            }
        }
    }

    /// Makes the first of the groups that `waits` tells wait for the last of `others`.
    fn wait(&mut self, waits: impl Fn(&Group) -> bool, others: &BTreeSet<String>, order: &Order) {
        let last: BTreeSet<String> = (self.present(others, order).iter())
            .flat_map(|other| self.last(|group| is_within(&group.chart, other)))
            .collect();
        let members = self.0.iter().filter(|(_, group)| waits(group));
        let members: BTreeSet<String> = members.map(|(name, _)| name.clone()).collect();
        for name in &members {
            if let Some(group) = self.0.get_mut(name)
                && group.after.is_disjoint(&members)
            {
                group.after.extend(last.iter().cloned());
            }
        }
    }

    /// `charts`, and instead of those that have no resources what they would wait for.
    fn present(&self, charts: &BTreeSet<String>, order: &Order) -> BTreeSet<String> {
        let mut present = BTreeSet::new();
        let mut open: Vec<&String> = charts.iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(chart) = open.pop().filter(|chart| seen.insert(*chart)) {
            let mut all = self.0.values();
            if all.any(|group| is_within(&group.chart, chart)) {
                present.insert(chart.clone());
            } else {
                open.extend(order.subcharts.get(chart).into_iter().flatten());
            }
        }
        present
    }

    /// The groups among those that `belongs` tells which no other of them depends on.
    fn last(&self, belongs: impl Fn(&Group) -> bool) -> BTreeSet<String> {
        let members = || self.0.iter().filter(|(_, group)| belongs(group));
        let waited: BTreeSet<&String> = members().flat_map(|(_, group)| &group.after).collect();
        let last = members().filter(|(name, _)| !waited.contains(name));
        last.map(|(name, _)| name.clone()).collect()
    }

    /// The annotations that put a resource in its group.
    fn annotations(&self, resource: &Value, chart: &str) -> Vec<(&'static str, String)> {
        let Some(name) = name(resource, chart) else {
            return vec![];
        };
        if group::listed(resource).is_none() {
            // Left as it is, to be reported.
            return vec![];
        }
        let after = self.0.get(&name).map(|group| &group.after);
        let after = after.filter(|after| !after.is_empty());
        let after = after.map(|after| {
            (
                group::DEPENDS_ON,
                after.iter().cloned().collect::<Value>().to_string(),
            )
        });
        std::iter::once((group::GROUP, name)).chain(after).collect()
    }
}

/// Whether a chart is `other`, or is contained in it.
fn is_within(chart: &str, other: &str) -> bool {
    let rest = chart.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
