//! The schemas by which the values of a chart that runs may change, as its record keeps them.
//!
//! The charts of a tree come in, those whose rules speak of what was before go out; later these come
//! back from the record, with new values and those that ran. How they are recorded is left to `release`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rules::{Rules, Which};
use super::tree::placed;
use super::{Error, Reason, Violation, instance, limit, outcome, parse};
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
    /// took part. A rule that cannot be evaluated is passed over and told of: nobody can change a chart
    /// that runs but by the upgrade that the rule stands against.
    ///
    /// # Errors
    /// If the values are too deep, if checking takes too long, or with the violations.
    pub fn check(&self, values: &Values, previous: &[&Values]) -> Result<Vec<Unasked>, Error> {
        let Some(values) = own(&self.keys, values) else {
            return Ok(vec![]);
        };
        let unasked = |path: String, problem: String| Unasked {
            chart: self.chart.clone(),
            path,
            problem,
        };
        let schema = match parse(self.schema.as_bytes()) {
            Ok(schema) => schema,
            Err(error) => return Ok(vec![unasked(String::new(), error.to_string())]),
        };
        let values = instance(values)?;
        let previous = previous.iter().filter_map(|values| own(&self.keys, values));
        let previous: Vec<Value> = previous.map(instance).collect::<Result<_, _>>()?;
        let judged = limit::limited(limit::TIME, move || {
            match Rules::compile(&schema, Which::Transitions)? {
                Some(rules) => rules.check(&values, &previous),
                None => Ok(vec![]),
            }
        })?;
        let found = match judged {
            Ok(found) => found,
            Err(error @ (Error::Rule { .. } | Error::RuleForm { .. })) => {
                return Ok(vec![unasked(String::new(), error.to_string())]);
            }
            Err(error) => return Err(error),
        };
        let found = found.into_iter().map(|found| Violation {
            chart: self.chart.clone(),
            ..placed(&self.keys, found)
        });
        let (broken, violations): (Vec<_>, Vec<_>) =
            found.partition(|found| found.reason == Reason::BrokenRule);
        outcome(violations)?;
        let mut told: Vec<Unasked> = broken
            .into_iter()
            .map(|found| unasked(found.path, found.expected))
            .collect();
        told.dedup();
        Ok(told)
    }
}

/// A rule of a chart that runs, or its whole schema, that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// The folder of the subchart; empty for the chart itself.
    pub chart: String,
    /// The values that the rule is for; empty for the values as a whole.
    pub path: String,
    /// Why not. Shows no value that may be secret.
    pub problem: String,
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
        let found = found.as_ref().map(|unasked| assert_eq!(*unasked, []));
        assert_eq!(found.map_err(String::as_str), expected);
    }

    /// What is told of a recorded schema with this text that cannot be asked.
    #[track_caller]
    fn check_unasked(schema: &str, expected: &[(&str, &str)]) {
        let recorded = RecordedSchema {
            keys: vec![],
            chart: String::new(),
            schema: schema.to_owned(),
        };
        let old = values("a: {b: 2}");
        let found = recorded.check(&values("a: {b: 1}"), &[&old]).unwrap();
        let found = found
            .iter()
            .map(|it| (it.path.as_str(), it.problem.as_str()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rules_that_cannot_be_asked_are_told_and_do_not_hold() {
        let rule = |rule: &str| {
            format!(
                r#"{{"properties": {{"a": {{"x-kubernetes-validations": [{{"rule": "{rule}"}}]}}}}}}"#
            )
        };
        check_unasked(
            &rule("self.c >= oldSelf.c"),
            &[(
                "a",
                "has the rule \"self.c >= oldSelf.c\", which fails: there is no c",
            )],
        );
        check_unasked(
            &rule("foo(self) >= oldSelf"),
            &[(
                "a",
                "has the rule \"foo(self) >= oldSelf\", which fails: foo is not defined",
            )],
        );
        check_unasked(
            &rule("self >= oldSelf +"),
            &[(
                "",
                "values.schema.json: \"self >= oldSelf +\", a rule for a, is not valid CEL",
            )],
        );
        check_unasked("{", &[("", "values.schema.json: not valid JSON")]);
        check_unasked(&rule("self.b > 0 || oldSelf.b > 0"), &[]);
    }

    #[test]
    fn a_rule_that_holds_does_so_beside_one_that_cannot_be_asked() {
        let recorded = RecordedSchema {
            keys: vec![],
            chart: String::new(),
            schema: r#"{"x-kubernetes-validations": [{"rule": "self.c >= oldSelf.c"}, {"rule": "self.b >= oldSelf.b"}]}"#.to_owned(),
        };
        let old = values("b: 2");
        let error = recorded.check(&values("b: 1"), &[&old]).unwrap_err();
        assert!(error.to_string().contains("self.b >= oldSelf.b"), "{error}");
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
