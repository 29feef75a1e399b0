//! The schemas by which the values of a chart that runs may change, as its record keeps them.
//!
//! The charts of a tree come in, those whose rules speak of what was before go out; later these come
//! back from the record, with new values and those that ran. How they are recorded is left to `release`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rules::{Rules, Which};
use super::tree::placed;
use super::{Error, Violation, instance, limit, outcome, parse};
use crate::chart::{Tree, Values};

/// The schema of a chart in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSchema {
    /// The keys below which the chart's values stand in those of the root; none for the root itself.
    pub keys: Vec<String>,
    /// The chart's folder in that of the root, as in `charts/db`; empty for the root itself.
    pub chart: String,
    /// The text of `values.schema.json`.
    pub schema: String,
}

impl RecordedSchema {
    /// The schemas of the subcharts in `tree` but those that are `off`, where rules mention `oldSelf`.
    pub fn of(tree: &Tree<'_>, off: &BTreeSet<String>) -> Vec<Self> {
        let mut found = vec![];
        let mut open: Vec<_> = tree.root.subcharts.iter().rev().collect();
        while let Some(node) = open.pop() {
            if off.contains(&node.path) {
                continue;
            }
            open.extend(node.subcharts.iter().rev());
            let schema = node.chart.schema.as_deref().map(String::from_utf8_lossy);
            found.extend(
                schema
                    .filter(|text| text.contains("oldSelf"))
                    .map(|text| Self {
                        keys: node.keys.clone(),
                        chart: node.chart.folder.trim_end_matches('/').to_owned(),
                        schema: text.into_owned(),
                    }),
            );
        }
        found
    }

    /// Checks final values of the root against those rules of the schema that mention `oldSelf`, and
    /// nothing else: how its values may change is the say of the chart that runs, what they may be is
    /// that of the chart to come.
    ///
    /// `previous` are the final values of the revisions before. Values of a subchart count where it
    /// took part.
    ///
    /// # Errors
    /// If the schema or a rule is wrong, if the values are too deep, if checking takes too long, or
    /// with the violations.
    pub fn check(&self, values: &Values, previous: &[&Values]) -> Result<(), Error> {
        let Some(values) = own(&self.keys, values) else {
            return Ok(());
        };
        let schema = parse(self.schema.as_bytes())?;
        let values = instance(values)?;
        let previous = previous.iter().filter_map(|values| own(&self.keys, values));
        let previous: Vec<Value> = previous.map(instance).collect::<Result<_, _>>()?;
        let judged = limit::limited(limit::TIME, move || {
            match Rules::compile(&schema, Which::Transitions)? {
                Some(rules) => rules.check(&values, &previous),
                None => Ok(vec![]),
            }
        })?;
        let found = judged?.into_iter().map(|found| Violation {
            chart: self.chart.clone(),
            ..placed(&self.keys, found)
        });
        outcome(found.collect())
    }
}

/// The values of the chart whose values stand below `keys`; none where it took no part.
///
/// What is `global` goes down only into charts that take part, also in Helm's records.
pub(super) fn own<'v>(keys: &[String], values: &'v Values) -> Option<&'v Map<String, Value>> {
    let mut steps = keys.iter();
    let own = steps.try_fold(&values.0, |values, key| values.get(key)?.as_object())?;
    let took_part = keys.is_empty() || own.get("global").is_some_and(Value::is_object);
    took_part.then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Chart, File};

    fn values(text: &str) -> Values {
        Values::parse("f.yaml", text).unwrap()
    }

    fn chart(rule: &str) -> Chart {
        let schema = format!(
            r#"{{"properties": {{"n": {{"type": "integer", "x-kubernetes-validations": [{{"rule": "{rule}"}}]}}}}}}"#
        );
        let files = [
            (
                "Chart.yaml",
                "name: web\nversion: 1.0.0\ndependencies: [{name: a, alias: x, condition: x.on}]",
            ),
            ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
            ("charts/a/values.yaml", "n: 3\n"),
            ("charts/a/values.schema.json", &schema),
        ];
        let file = |(path, text): (&str, &str)| File {
            path: path.to_owned(),
            data: text.into(),
        };
        Chart::from_files(files.map(file).to_vec()).unwrap()
    }

    #[track_caller]
    fn check(new: &str, previous: &[&str], expected: Result<(), &str>) {
        let chart = chart("self >= oldSelf");
        let tree = Tree::of(&chart).unwrap();
        let of = |text: &&str| tree.select(values(text)).unwrap().values;
        let previous: Vec<Values> = previous.iter().map(of).collect();
        let previous: Vec<&Values> = previous.iter().collect();
        let schemas = RecordedSchema::of(&tree, &BTreeSet::new());
        let [schema] = schemas.as_slice() else {
            panic!("{schemas:?}");
        };
        let found = schema.check(&of(&new), &previous);
        let found = found.map_err(|error| error.to_string());
        assert_eq!(found.as_ref().copied().map_err(String::as_str), expected);
    }

    #[test]
    fn the_values_of_a_subchart_change_by_the_rules_of_the_one_that_runs() {
        let falls = "values do not fit charts/a/values.schema.json:\n  \
                     x.n: must fit the rule \"self >= oldSelf\" (by charts/a)";
        check("x: {n: 4}", &[""], Ok(()));
        check("x: {n: 2}", &[""], Err(falls));
        check("x: {n: 2}", &["x: {n: 1}", "x: {n: 5}"], Err(falls));
        // It takes no part in one of both.
        check("x: {n: 2, on: false}", &[""], Ok(()));
        check("x: {n: 2}", &["x: {on: false}"], Ok(()));
        check("x: {n: 2}", &[], Ok(()));
    }

    #[test]
    fn only_what_speaks_of_the_past_is_recorded() {
        let chart = chart("self > 0");
        let tree = Tree::of(&chart).unwrap();
        assert_eq!(RecordedSchema::of(&tree, &BTreeSet::new()), []);
    }

    #[test]
    fn what_is_off_is_not_recorded() {
        let chart = chart("self >= oldSelf");
        let tree = Tree::of(&chart).unwrap();
        let selection = tree.select(values("x: {on: false}")).unwrap();
        assert_eq!(RecordedSchema::of(&tree, &selection.off), []);
    }
}
