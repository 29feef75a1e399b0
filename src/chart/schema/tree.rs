//! The schemas of all charts in a tree.

use std::collections::BTreeMap;

use super::recorded::own;
use super::{Error, Global, Schema, Source, Violation, instance, outcome};
use crate::chart::path::dotted;
use crate::chart::{Node, Selection, Tree, Values};
use crate::yaml::Step;

/// The schemas of all charts in a tree, compiled to check any number of values.
#[derive(Debug)]
pub struct Schemas {
    /// One for each chart that has one, those of the same chart shared.
    all: Vec<Judge>,
}

/// A chart with a schema.
#[derive(Debug)]
struct Judge {
    /// The chart's path in the tree.
    path: String,
    /// Its folder; empty for the root.
    chart: String,
    keys: Vec<String>,
    /// The names that its own subcharts go by.
    subcharts: Vec<String>,
    schema: Schema,
    global: Global,
}

impl Schemas {
    /// Reads and compiles the schemas of all charts in `tree`, and their rules.
    ///
    /// # Errors
    /// If a schema or one of its rules is wrong, or that cannot be told in time.
    pub fn compile(tree: &Tree<'_>) -> Result<Self, Error> {
        let mut all = vec![];
        let mut known: BTreeMap<&str, Schema> = BTreeMap::new();
        let mut open = vec![&tree.root];
        while let Some(node) = open.pop() {
            open.extend(node.subcharts.iter().rev());
            let Some(text) = &node.chart.schema else {
                continue;
            };
            let schema = match known.get(node.chart.folder.as_str()) {
                Some(schema) => schema.clone(),
                None => Schema::compile(text).map_err(|cause| of(&node.chart.folder, cause))?,
            };
            known.insert(&node.chart.folder, schema.clone());
            all.push(Judge::new(node, schema));
        }
        Ok(Self { all })
    }

    /// Checks the values of each chart that takes part by its own schema and the rules in it.
    ///
    /// A schema that does not speak of the key `global` allows it wherever there are subcharts.
    /// `previous` are the final values of the revisions before, as for [`Schema::check`]; a
    /// subchart that did not take part in one has none there.
    ///
    /// # Errors
    /// If the values are too deep, if checking them takes too long, or with the violations of all
    /// charts, their paths from the root.
    pub fn check(&self, selection: &Selection, previous: &[Values]) -> Result<(), Error> {
        let mut violations = vec![];
        for judge in &self.all {
            let found = judge.check(selection, previous);
            violations.extend(found.map_err(|cause| of(&judge.chart, cause))?);
        }
        outcome(violations)
    }
}

/// Names the chart that an error is about; the root needs no name.
fn of(folder: &str, cause: Error) -> Error {
    if folder.is_empty() {
        return cause;
    }
    Error::Subchart {
        chart: folder.trim_end_matches('/').to_owned(),
        cause: Box::new(cause),
    }
}

impl Judge {
    fn new(node: &Node<'_>, schema: Schema) -> Self {
        let alone = node.keys.is_empty() && node.subcharts.is_empty();
        Self {
            path: node.path.clone(),
            chart: node.chart.folder.clone(),
            keys: node.keys.clone(),
            subcharts: node
                .subcharts
                .iter()
                .map(|sub| sub.name().to_owned())
                .collect(),
            schema,
            global: if alone {
                Global::Judged
            } else {
                Global::Allowed
            },
        }
    }

    fn check(&self, selection: &Selection, previous: &[Values]) -> Result<Vec<Violation>, Error> {
        let is_off = |off: &String| {
            let rest = self.path.strip_prefix(off.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if selection.off.iter().any(is_off) {
            return Ok(vec![]);
        }
        let Some(values) = own(&self.keys, &selection.values) else {
            return Ok(vec![]);
        };
        let previous = previous.iter().filter_map(|values| own(&self.keys, values));
        let previous = previous.map(instance).collect::<Result<_, _>>()?;
        let found = self
            .schema
            .judge(instance(values)?, previous, self.global)?;
        Ok(found.into_iter().map(|found| self.placed(found)).collect())
    }

    /// The violation as it is seen from the root.
    fn placed(&self, mut violation: Violation) -> Violation {
        let keyword = violation.rule.rsplit('/').next().unwrap_or_default();
        let forbids = matches!(keyword, "additionalProperties" | "unevaluatedProperties");
        if forbids && self.subcharts.contains(&violation.path) {
            "holds the values of a subchart: allow it in properties"
                .clone_into(&mut violation.expected);
        }
        Violation {
            chart: self.chart.trim_end_matches('/').to_owned(),
            ..placed(&self.keys, violation)
        }
    }
}

/// The violation of the chart whose values stand below `keys`, its path from the root.
pub(super) fn placed(keys: &[String], violation: Violation) -> Violation {
    let keys: Vec<Step> = keys.iter().cloned().map(Step::Key).collect();
    let prefix = dotted(&keys);
    let below = |path: String| match (prefix.as_str(), path.as_str()) {
        ("", _) => path,
        (prefix, "") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}.{path}"),
    };
    let reads = violation.reads.into_iter();
    Violation {
        path: below(violation.path),
        reads: reads.map(|read| Source::at(below(read.path))).collect(),
        ..violation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Chart, File, Origins};

    fn chart(files: &[(&str, &str)]) -> Chart {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            data: (*text).into(),
        };
        Chart::from_files(files.iter().map(file).collect()).unwrap()
    }

    fn run(files: &[(&str, &str)], config: &str, previous: &[&str]) -> Result<(), Error> {
        let head = [
            (
                "Chart.yaml",
                "name: web\nversion: 1.0.0\ndependencies: [{name: a, alias: x, condition: x.on}]",
            ),
            ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
        ];
        let chart = chart(&[&head, files].concat());
        let tree = Tree::of(&chart).unwrap();
        let values = |text: &str| Values::parse("f.yaml", text).unwrap();
        let selection = tree.select(values(config)).unwrap();
        let previous: Vec<Values> = previous.iter().map(|text| values(text)).collect();
        let result = Schemas::compile(&tree)?.check(&selection, &previous);
        let origins = Origins::of(&tree, &selection);
        result.map_err(|error| error.traced(&origins))
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], config: &str, expected: Result<(), &str>) {
        let found = run(files, config, &[]).map_err(|error| error.to_string());
        assert_eq!(found.as_ref().copied().map_err(String::as_str), expected);
    }

    const STRICT: &str =
        r#"{"properties": {"n": {"type": "integer"}, "on": {}}, "additionalProperties": false}"#;
    const SCHEMA: &str = "charts/a/values.schema.json";

    #[test]
    fn each_chart_judges_its_own_values() {
        check(&[(SCHEMA, STRICT)], "x: {n: 1}\nglobal: {g: 1}", Ok(()));
        check(&[(SCHEMA, STRICT)], "x: {on: false, n: a}", Ok(()));
        check(
            &[(SCHEMA, STRICT), ("charts/a/values.yaml", "m: 1\nn: a\n")],
            "",
            Err("values do not fit charts/a/values.schema.json:\n  \
                 x.m: is not a known key: did you mean n? (the chart's charts/a/values.yaml:1:4; \
                 schema /additionalProperties of charts/a)\n  \
                 x.n: must be integer, is string (the chart's charts/a/values.yaml:2:4; \
                 schema /properties/n/type of charts/a)"),
        );
        let root =
            r#"{"properties": {"x": {}, "k": {"type": "string"}}, "additionalProperties": false}"#;
        check(
            &[(SCHEMA, STRICT), ("values.schema.json", root)],
            "k: 1\nx: {n: a}\nglobal: {}",
            Err("values do not fit the schemas of charts:\n  \
                 k: must be string, is integer (schema /properties/k/type)\n  \
                 x.n: must be integer, is string (schema /properties/n/type of charts/a)"),
        );
        check(
            &[(
                "values.schema.json",
                r#"{"properties": {"k": {}}, "additionalProperties": false}"#,
            )],
            "x: {}",
            Err("values do not fit the chart's values.schema.json:\n  \
                 x: holds the values of a subchart: allow it in properties \
                 (schema /additionalProperties)"),
        );
        let knows = r#"{"properties": {"global": {"required": ["g"]}}}"#;
        check(
            &[(SCHEMA, knows)],
            "",
            Err("values do not fit charts/a/values.schema.json:\n  \
                 x.global.g: is required (schema /properties/global/required of charts/a)"),
        );
        check(
            &[(SCHEMA, "{")],
            "",
            Err("cannot check the values of the subchart charts/a"),
        );
    }

    #[test]
    fn what_is_global_does_not_count_unless_it_is_spoken_of() {
        let at_most = r#"{"maxProperties": 1}"#;
        check(&[(SCHEMA, at_most)], "x: {n: 1}\nglobal: {g: 1}", Ok(()));
        let at_least = r#"{"minProperties": 2}"#;
        check(
            &[(SCHEMA, at_least)],
            "x: {n: 1}\nglobal: {g: 1}",
            Err("values do not fit charts/a/values.schema.json:\n  \
                 x: must have at least 2 keys (schema /minProperties of charts/a)"),
        );
        let names = r#"{"propertyNames": {"maxLength": 1}}"#;
        check(&[(SCHEMA, names)], "x: {n: 1}\nglobal: {g: 1}", Ok(()));
        let none = r#"{"unevaluatedProperties": false, "properties": {"n": {}}}"#;
        check(&[(SCHEMA, none)], "x: {n: 1}\nglobal: {g: 1}", Ok(()));
        // A chart that has subcharts gets the key from its user.
        let root = r#"{"maxProperties": 1, "properties": {"x": {}}}"#;
        check(
            &[("values.schema.json", root)],
            "x: {}\nglobal: {g: 1}",
            Ok(()),
        );
    }

    #[test]
    fn rules_of_subcharts_see_what_ran() {
        let rules = r#"{"properties": {"n": {"type": "integer"}}, "x-kubernetes-validations":
            [{"rule": "self.n >= oldSelf.n", "message": "n must not fall"}]}"#;
        let files = [(SCHEMA, rules)];
        let fell = "values do not fit charts/a/values.schema.json:\n  \
                    x: n must not fall (rule self.n >= oldSelf.n of charts/a)";
        let check = |previous: &[&str], expected: Result<(), &str>| {
            let found = run(&files, "x: {n: 2}", previous).map_err(|error| error.to_string());
            assert_eq!(found.as_ref().copied().map_err(String::as_str), expected);
        };
        check(&["x: {n: 1, global: {}}"], Ok(()));
        check(&["x: {n: 3, global: {}}"], Err(fell));
        check(
            &["x: {n: 2, global: {}}", "x: {n: 3, global: {}}"],
            Err(fell),
        );
        check(&["x: {on: false}"], Ok(()));
        check(&["{}"], Ok(()));
    }
}
