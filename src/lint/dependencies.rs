//! Rules about what a chart depends on: whether it is there, whether the lock fits, and whether the
//! values exist that decide about it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::{Finding, Place};
use super::{CHART_FILE, rule};
use crate::chart::{Chart, Error, Node, Tree, Unmet, Values};

/// Tells of an order that is lost when the chart is packed.
pub(super) fn order(chart: &Chart) -> Option<Finding> {
    let all = chart.metadata.dependencies.iter();
    let after: BTreeMap<&str, &[String]> = all
        .filter(|entry| !entry.depends_on.is_empty())
        .map(|entry| (entry.goes_by(), entry.depends_on.as_slice()))
        .collect();
    let names: Vec<&str> = after.keys().copied().collect();
    let text = serde_json::to_string(&after).ok()?;
    let message = format!(
        "depends-on of {} is lost when Helm packs the chart",
        names.join(", ")
    );
    let finding = Finding::new(rule::DEPENDS_ON, Place::file(CHART_FILE), message);
    let finding = finding.hint(format!(
        "say it as an annotation: pintle.dev/depends-on: '{text}'"
    ));
    (!after.is_empty()).then_some(finding)
}

/// Checks that the lock was made for the dependencies that the chart has.
pub(super) fn lock(chart: &Chart) -> Option<Finding> {
    let message = "made for other dependencies than the chart has";
    let place = Place::file(chart.lock_file());
    let finding = Finding::new(rule::STALE_LOCK, place, message);
    let finding = finding.hint("`helm dependency update` writes it anew");
    chart.has_stale_lock().then_some(finding)
}

/// Finds charts in `charts/` that no dependency speaks of.
pub(super) fn unlisted(chart: &Chart) -> Vec<Finding> {
    let listed = |name: &str| {
        let mut all = chart.metadata.dependencies.iter();
        all.any(|entry| entry.name == name)
    };
    let subcharts = chart.subcharts.iter();
    let others = subcharts.filter(|sub| !listed(&sub.metadata.name));
    let told = others.map(|sub| {
        let message = format!(
            "{} is in charts/ and in no dependency, so it takes part always",
            sub.metadata.name
        );
        Finding::new(rule::UNLISTED_CHART, Place::file(CHART_FILE), message)
            .hint("give it an entry below dependencies: `helm lint` wants one")
    });
    told.collect()
}

/// Why a chart and what it contains do not fit together.
pub(super) fn faults(error: &Error) -> Vec<Finding> {
    let new = |message: String| Finding::new(rule::DEPENDENCY, Place::file(CHART_FILE), message);
    let Error::Missing { chart, missing } = error else {
        return vec![new(error.to_string())];
    };
    let one = |unmet: &Unmet| {
        let Unmet { name, version, .. } = unmet;
        let there = match unmet.found.as_slice() {
            [] => String::new(),
            found => format!(", only {}", found.join(", ")),
        };
        let message =
            format!("{chart} depends on {name} {version}, which is not in charts/{there}");
        new(message).hint("`helm dependency build` puts it there")
    };
    missing.iter().map(one).collect()
}

/// Finds conditions and imports of the root that no default value stands behind.
pub(super) fn values(tree: &Tree<'_>) -> Vec<Finding> {
    let Ok(selection) = tree.select(Values::default()) else {
        // Told where the chart is rendered.
        return Vec::new();
    };
    let all = Value::Object(selection.values.0);
    let subs = tree.root.subcharts.iter();
    subs.flat_map(|sub| {
        let is_on = !selection.off.contains(&sub.path);
        let imports = is_on.then(|| imports(sub, &all)).into_iter().flatten();
        condition(sub, &all).into_iter().chain(imports)
    })
    .collect()
}

fn condition(sub: &Node<'_>, values: &Value) -> Option<Finding> {
    let condition = sub.entry.map(|entry| entry.condition.as_str())?;
    let mut paths = condition.split(',').map(str::trim);
    if condition.is_empty() || paths.any(|path| has(values, path)) {
        return None;
    }
    let message = format!(
        "no default value stands behind the condition {condition} of {}, so it is on",
        sub.name()
    );
    let finding = Finding::new(rule::DEPENDENCY_VALUES, Place::file(CHART_FILE), message);
    Some(finding.hint("give it a default in values.yaml"))
}

fn imports(sub: &Node<'_>, values: &Value) -> Vec<Finding> {
    let missing = sub.imports().filter(|(child, _)| {
        let path = format!("{}.{child}", sub.name());
        !has(values, &path)
    });
    let told = missing.map(|(child, _)| {
        let message = format!("{} has no {child}, which is imported from it", sub.name());
        Finding::new(rule::DEPENDENCY_VALUES, Place::file(CHART_FILE), message)
    });
    told.collect()
}

fn has(values: &Value, path: &str) -> bool {
    let mut keys = path.split('.');
    let found = keys.try_fold(values, |value, key| value.get(key));
    found.is_some_and(|value| !value.is_null())
}
