//! Each leaf of final values, with the layers that had a say in it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Found, Origin, Origins, Source};
use crate::chart::Values;
use crate::chart::path::dotted;
use crate::yaml::Step;

/// One leaf of final values: what is neither a mapping nor a list, or is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Where it stands, such as `etcd.replicas` or `nodes[0].name`.
    pub path: String,
    /// What became of it.
    pub change: Change,
    /// The layer that decided it; none if none has it, as an item that pads a list.
    pub origin: Option<Origin>,
    /// The lower layers that have a value there, highest first, and what they have.
    pub overridden: Vec<(Origin, Value)>,
}

/// What became of a leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It has this value.
    Value(Value),
    /// A null has deleted it.
    Deleted,
}

impl Origins {
    /// Explains each leaf of the final `values` that these layers make, in their order, and after
    /// them each default that a null has deleted.
    pub fn explain(&self, values: &Values) -> Vec<Leaf> {
        let mut leaves = vec![];
        walk_map(&values.0, &mut vec![], &mut |path, value| {
            let mut alike = self.alike(path).into_iter();
            let mut found = alike
                .by_ref()
                .filter_map(|from| Some((self.winner(&from, value)?, from)));
            let (winner, from) = found.next().unzip();
            let from = from.unwrap_or_else(|| path.to_vec());
            let mut leaf = self.leaf(&from, Change::Value(value.clone()), winner);
            leaf.path = dotted(path);
            // What is global in the charts below had no say.
            for from in alike {
                leaf.overridden.extend(had(&self.sources, &from));
            }
            leaves.push(leaf);
        });
        let (mut lost, mut known) = (vec![], BTreeSet::new());
        for source in self.sources.iter().filter(|source| source.is_default()) {
            deleted(&source.tree, &values.0, &mut vec![], &mut |path| {
                if known.insert(path.clone()) {
                    lost.push(path.clone());
                }
            });
        }
        let deletions = lost.iter().map(|path| {
            let by_null = |source: &Source| source.at(path) == Found::Value(&Value::Null);
            let winner = self.sources.iter().rposition(by_null);
            self.leaf(path, Change::Deleted, winner)
        });
        leaves.extend(deletions);
        leaves
    }

    fn leaf(&self, path: &[Step], change: Change, winner: Option<usize>) -> Leaf {
        let lower = &self.sources[..winner.unwrap_or_default()];
        Leaf {
            path: dotted(path),
            change,
            origin: winner.map(|index| self.sources[index].origin(path)),
            overridden: had(lower, path),
        }
    }

    /// The highest layer whose `value` at `path` has come through.
    fn winner(&self, path: &[Step], value: &Value) -> Option<usize> {
        let mut is_open = true;
        for (index, source) in self.sources.iter().enumerate().rev() {
            match source.at(path) {
                Found::Value(found) if found == value && (is_open || source.is_default()) => {
                    return Some(index);
                }
                // Between the user's layers it wiped out what is below; the defaults come last.
                Found::Blocked => is_open = false,
                _ => {}
            }
        }
        None
    }
}

/// The layers that have a value at `path`, highest first, and what they have.
fn had(sources: &[Source], path: &[Step]) -> Vec<(Origin, Value)> {
    let had = |source: &Source| match source.at(path) {
        Found::Value(value) => Some((source.origin(path), value.clone())),
        _ => None,
    };
    sources.iter().rev().filter_map(had).collect()
}

fn walk_map(
    map: &Map<String, Value>,
    path: &mut Vec<Step>,
    visit: &mut dyn FnMut(&[Step], &Value),
) {
    for (key, value) in map {
        walk(value, Step::Key(key.clone()), path, visit);
    }
}

fn walk(value: &Value, step: Step, path: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], &Value)) {
    path.push(step);
    match value {
        Value::Object(map) if !map.is_empty() => walk_map(map, path, visit),
        Value::Array(list) if !list.is_empty() => {
            for (index, item) in list.iter().enumerate() {
                walk(item, Step::Index(index), path, visit);
            }
        }
        _ => visit(path, value),
    }
    path.pop();
}

/// Visits every key of `defaults` that is not in `values` although what holds it is.
fn deleted(
    defaults: &Map<String, Value>,
    values: &Map<String, Value>,
    path: &mut Vec<Step>,
    visit: &mut dyn FnMut(&Vec<Step>),
) {
    for (key, default) in defaults {
        path.push(Step::Key(key.clone()));
        match (default, values.get(key)) {
            (_, None) => visit(path),
            (Value::Object(below), Some(Value::Object(above))) => {
                deleted(below, above, path, visit);
            }
            _ => {}
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Chart, File, Layer, Overrides, Tree};
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    const DEFAULTS: &str = "\
a: 1
b: {x: 0, z: 0}
d: 4
e: [p, q]
f: {g: {}}
sub: {a: 1}
";

    fn overrides() -> Overrides {
        let file = |name: &str, text: &str| Layer::File {
            name: name.into(),
            text: text.into(),
        };
        Overrides {
            layers: vec![
                Layer::Set("c=30,l[1]=x".into()),
                file("one.yaml", "a: 1\nb:\n  x: 1\nc: 3\nd: ~\n"),
                Layer::SetString("b.y=2".into()),
                file("two.yaml", "a: 2\nl: [p, q]\n"),
                Layer::SetJson(r#"{"c": 29, "b": {"w": [1]}}"#.into()),
                Layer::SetFile {
                    argument: "ca=ca.pem".into(),
                    files: [("ca.pem".into(), "PEM".into())].into(),
                },
                Layer::SetLiteral("s=a,b".into()),
            ],
        }
    }

    fn origins() -> (Origins, Values) {
        let mut origins = Origins::default();
        let defaults = Values::parse("values.yaml", DEFAULTS).unwrap();
        let below = Values::parse("values.yaml", "\na: 0\nn: 1\n").unwrap();
        let file = "web/charts/sub/values.yaml";
        origins.defaults(file, (&below, "\na: 0\nn: 1\n"), &["sub"]);
        origins.defaults("values.yaml", (&defaults, DEFAULTS), &[]);
        let config: Values = serde_json::from_value(json!({"a": 0})).unwrap();
        origins.revision(7, &config);
        origins.tenant(&config);
        origins.overrides(&overrides()).unwrap();
        let config = overrides().config(config).unwrap();
        let mut all = defaults;
        all.0["sub"]["n"] = json!(1);
        (origins, Values::coalesce(&all, &config))
    }

    #[test]
    fn every_leaf_has_its_layer() {
        let (origins, values) = origins();
        let lines = origins.explain(&values).into_iter().map(|leaf| {
            let value = match leaf.change {
                Change::Value(value) => value.to_string(),
                Change::Deleted => "deleted".to_owned(),
            };
            let origin = leaf.origin.map_or("nothing".to_owned(), |o| o.to_string());
            let lower = leaf.overridden.iter();
            let lower: Vec<_> = lower.map(|(o, value)| format!("{o} = {value}")).collect();
            let lower = lower.join(", ");
            format!("{} = {value} by {origin} over [{lower}]\n", leaf.path)
        });
        insta::assert_snapshot!(lines.collect::<String>());
    }

    #[track_caller]
    fn check(path: &[&str], expected: Option<&str>) {
        let path: Vec<Step> = path
            .iter()
            .map(|step| {
                step.parse()
                    .map_or_else(|_| Step::Key((*step).into()), Step::Index)
            })
            .collect();
        let found = origins().0.find(&path).map(|origin| origin.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_layer_that_set_a_value_last_is_found() {
        check(&["a"], Some("two.yaml:1:4"));
        check(&["b", "x"], Some("one.yaml:3:6"));
        check(&["b", "y"], Some("--set-string b.y"));
        check(&["c"], Some("--set c"));
        check(&["ca"], Some("--set-file ca=ca.pem"));
        check(&["l", "0"], Some("two.yaml:2:5"));
        check(&["l", "1"], Some("--set l[1]"));
        check(&["e", "1"], Some("the chart's values.yaml:4:8"));
        check(
            &["sub", "n"],
            Some("the chart's web/charts/sub/values.yaml:3:4"),
        );
        check(&["none"], None);
        check(&[], None);
    }

    /// Where the values of a chart of these files come from, with `--set`.
    fn explained(files: &[(&str, &str)], set: &str) -> (Origins, Vec<Leaf>) {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            data: (*text).into(),
        };
        let chart = Chart::from_files(files.iter().map(file).collect()).unwrap();
        let tree = Tree::of(&chart).unwrap();
        let overrides = Overrides {
            layers: vec![Layer::Set(set.into())],
        };
        let config = overrides.config(Values::default()).unwrap();
        let selection = tree.select(config).unwrap();
        let mut origins = Origins::of(&tree, &selection);
        origins.overrides(&overrides).unwrap();
        let leaves = origins.explain(&selection.values);
        (origins, leaves)
    }

    /// Final values: what the user gives over the defaults.
    #[test]
    fn values_of_subcharts_come_from_where_they_were_set() {
        let list = "dependencies: [{name: a, alias: x, import-values: [{child: k.l, parent: m}]}]";
        let head = format!("name: web\nversion: 1.0.0\n{list}\n");
        let files = [
            ("Chart.yaml", head.as_str()),
            ("values.yaml", "global: {g: 1}\nx:\n  v: 2\n"),
            ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
            (
                "charts/a/values.yaml",
                "v: 1\nw: 1\nk:\n  l: {p: 1}\nglobal: {g: 2, h: 2}\n",
            ),
        ];
        let (origins, leaves) = explained(&files, "x.w=3,global.i=3");
        let leaves = leaves.iter().map(|leaf| {
            let origin = leaf.origin.as_ref().map(ToString::to_string);
            (leaf.path.clone(), origin.unwrap_or_default())
        });
        let leaves: BTreeMap<String, String> = leaves.collect();
        let expected = [
            ("global.g", "the chart's values.yaml:1:13"),
            ("global.i", "--set global.i"),
            ("m.p", "the chart's charts/a/values.yaml:4:10"),
            ("x.global.g", "the chart's values.yaml:1:13"),
            ("x.global.h", "the chart's charts/a/values.yaml:5:19"),
            ("x.global.i", "--set global.i"),
            ("x.k.l.p", "the chart's charts/a/values.yaml:4:10"),
            ("x.v", "the chart's values.yaml:3:6"),
            ("x.w", "--set x.w"),
        ];
        let expected = expected.map(|(path, origin)| (path.to_owned(), origin.to_owned()));
        assert_eq!(leaves, expected.into());
        let found = origins.find(&[Step::Key("x".into()), Step::Key("global".into())]);
        assert_eq!(found.unwrap().to_string(), "--set global.i");
    }

    /// Each leaf of a chart with the subchart `d` as `path = origin over lower`, with values that turn
    /// it off or on.
    #[track_caller]
    fn check_chart(root: &str, d: &str, set: &str, expected: &[&str]) {
        let head = "name: c\nversion: 1.0.0\ndependencies: [{name: d, condition: use, import-values: \
                    [data]}]\n";
        let files = [
            ("Chart.yaml", head),
            ("values.yaml", root),
            ("charts/d/Chart.yaml", "name: d\nversion: 1.0.0\n"),
            ("charts/d/values.yaml", d),
        ];
        let (_, leaves) = explained(&files, set);
        let leaves = leaves.iter().map(|leaf| {
            let origin = leaf.origin.as_ref().map(ToString::to_string);
            let lower = leaf.overridden.iter();
            let lower: Vec<_> = lower
                .map(|(from, value)| format!("{from} = {value}"))
                .collect();
            let origin = origin.unwrap_or_default();
            format!("{} by {origin} over [{}]", leaf.path, lower.join(", "))
        });
        assert_eq!(leaves.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_global_below_is_overridden() {
        check_chart(
            "global: {g1: 3, g2: 2}\n",
            "global: {g1: 1, g2: 1}\n",
            "use=true,global.g2=5",
            &[
                "d.global.g1 by the chart's values.yaml:1:14 over [the chart's charts/d/values.yaml:1:14 = 1]",
                "d.global.g2 by --set global.g2 over [the chart's values.yaml:1:21 = 2, the chart's \
                 charts/d/values.yaml:1:21 = 1]",
                "global.g1 by the chart's values.yaml:1:14 over []",
                "global.g2 by --set global.g2 over [the chart's values.yaml:1:21 = 2]",
                "use by --set use over []",
            ],
        );
    }

    #[test]
    fn what_is_off_imports_nothing() {
        let exports = "exports: {data: {x: 1}}\n";
        check_chart("", exports, "use=false", &["use by --set use over []"]);
    }

    fn over(overrides: &Overrides, defaults: &Values) -> Values {
        let config = overrides.config(Values::default()).unwrap();
        Values::coalesce(defaults, &config)
    }

    #[test]
    fn what_a_scalar_has_wiped_out_decides_nothing() {
        let file = |text: &str| Layer::File {
            name: text.to_owned(),
            text: text.to_owned(),
        };
        let layers = vec![file("a: {x: 0}"), file("a: 5"), file("a: {y: 2}")];
        let overrides = Overrides { layers };
        let defaults: Values = serde_json::from_value(json!({"a": {"x": 0}})).unwrap();
        let mut origins = Origins::default();
        origins.defaults("values.yaml", (&defaults, "a: {x: 0}"), &[]);
        origins.overrides(&overrides).unwrap();
        let leaves = origins.explain(&over(&overrides, &defaults));
        assert_eq!(
            leaves[0].origin.as_ref().unwrap().to_string(),
            "the chart's values.yaml:1:8"
        );
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0..3).prop_map(Value::from),
            Just(json!({})),
            Just(json!([])),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn values() -> impl Strategy<Value = Values> {
        prop::collection::btree_map("[ab]", tree(), 0..3)
            .prop_map(|map| Values(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn each_leaf_came_from_a_layer(
            defaults in values(),
            files in prop::collection::vec(values(), 0..4),
        ) {
            let file = |values: &Values| Layer::File {
                name: "f.yaml".to_owned(),
                text: serde_json::to_string(values).unwrap(),
            };
            let overrides = Overrides { layers: files.iter().map(file).collect() };
            let mut origins = Origins::default();
            origins.defaults("values.yaml", (&defaults, ""), &[]);
            origins.overrides(&overrides).unwrap();
            let result = over(&overrides, &defaults);
            for leaf in origins.explain(&result) {
                // An empty mapping may be what is left of several.
                let is_left = leaf.change == Change::Value(json!({}));
                prop_assert!(leaf.origin.is_some() || is_left, "{leaf:?} in {result:?}");
            }
        }
    }
}
