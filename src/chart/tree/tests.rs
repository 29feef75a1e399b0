use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::chart::File;

/// A chart of its files: a path and a text each; `Chart.yaml` begins with name and version.
fn chart(files: &[(&str, &str)]) -> Chart {
    let file = |(path, text): &(&str, &str)| {
        let head = |folder: &str| {
            let name = folder.rsplit('/').nth(1).unwrap_or("web");
            let (name, version) = name.split_once('@').unwrap_or((name, "1.0.0"));
            format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
        };
        let head = path
            .strip_suffix("Chart.yaml")
            .map(head)
            .unwrap_or_default();
        File {
            path: (*path).to_owned(),
            data: format!("{head}{text}").into(),
        }
    };
    Chart::from_files(files.iter().map(file).collect()).unwrap()
}

fn paths(node: &Node<'_>) -> Vec<String> {
    let below = node.subcharts.iter().flat_map(paths);
    std::iter::once(node.path.clone()).chain(below).collect()
}

#[track_caller]
fn check_tree(files: &[(&str, &str)], expected: &[&str]) {
    let chart = chart(files);
    assert_eq!(paths(&Tree::of(&chart).unwrap().root)[1..], *expected);
}

#[track_caller]
fn check_error(files: &[(&str, &str)], expected: &str) {
    let chart = chart(files);
    assert_eq!(Tree::of(&chart).unwrap_err().to_string(), expected);
}

const A: (&str, &str) = ("charts/a/Chart.yaml", "");
const B: (&str, &str) = ("charts/b/Chart.yaml", "");

#[test]
fn dependencies_choose_charts() {
    let root = |list: &'static str| ("Chart.yaml", list);
    check_tree(&[root(""), A, B], &["web/charts/a", "web/charts/b"]);
    check_tree(
        &[root("dependencies: [{name: b, version: ^1}]"), A, B],
        &["web/charts/a", "web/charts/b"],
    );
    check_tree(
        &[
            root("dependencies: [{name: a, alias: x}, {name: a, alias: z}, {name: a}]"),
            A,
            ("charts/a/charts/c/Chart.yaml", ""),
        ],
        &[
            "web/charts/x",
            "web/charts/x/charts/c",
            "web/charts/z",
            "web/charts/z/charts/c",
            "web/charts/a",
            "web/charts/a/charts/c",
        ],
    );
    let two = [
        ("charts/a@1.0.0/Chart.yaml", ""),
        ("charts/a@1.2.0/Chart.yaml", ""),
    ];
    let chart = chart(&[
        root("dependencies: [{name: a, version: 1.x}]"),
        two[0],
        two[1],
    ]);
    let tree = Tree::of(&chart).unwrap();
    assert_eq!(tree.root.subcharts[0].chart.metadata.version, "1.2.0");
    assert_eq!(tree.root.subcharts.len(), 1);
    check_tree(
        &[
            root("dependencies: [{name: a, version: 1.2.x, alias: new}]"),
            two[0],
            two[1],
        ],
        &["web/charts/a", "web/charts/new"],
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    check_error(
        &[
            (
                "Chart.yaml",
                "dependencies: [{name: a, version: ^2}, {name: c, version: 1.x}, {name: b}]",
            ),
            A,
            B,
        ],
        "chart web depends on charts that are not in its folder charts/:\n  \
         a ^2 (there is 1.0.0)\n  c 1.x",
    );
    check_error(
        &[
            ("Chart.yaml", ""),
            (
                "charts/a/Chart.yaml",
                "dependencies: [{name: c, version: '*'}]",
            ),
        ],
        "chart web/charts/a depends on charts that are not in its folder charts/:\n  c *",
    );
    check_error(
        &[("Chart.yaml", "dependencies: [{name: a, alias: b}]"), A, B],
        "chart web has two subcharts that go by the name of b: charts/b/ and charts/a/",
    );
    let many: Vec<String> = (0..50)
        .map(|n| format!("{{name: a, alias: x{n}}}"))
        .collect();
    let many = format!("dependencies: [{}]", many.join(", "));
    check_error(
        &[
            ("Chart.yaml", &many),
            ("charts/a/Chart.yaml", &many),
            ("charts/a/charts/a/Chart.yaml", ""),
        ],
        "the chart contains more than 2000 charts",
    );
}

/// What is off, and the values.
#[track_caller]
fn check_select(files: &[(&str, &str)], config: &str, off: &[&str], expected: &Value) {
    let chart = chart(files);
    let config = Values::parse("f.yaml", config).unwrap();
    let selection = Tree::of(&chart).unwrap().select(config.clone()).unwrap();
    assert_eq!(selection.off.iter().collect::<Vec<_>>(), off);
    assert_eq!(&serde_json::to_value(selection.values).unwrap(), expected);
}

#[track_caller]
fn check_off(entry: &str, values: &str, config: &str, expected: &str) {
    let entry = format!("dependencies: [{{name: a, {entry}}}]");
    let files = [
        ("Chart.yaml", entry.as_str()),
        ("values.yaml", values),
        A,
        ("charts/a/values.yaml", "no: false\n"),
    ];
    let chart = chart(&files);
    let config = Values::parse("f.yaml", config).unwrap();
    let selection = Tree::of(&chart).unwrap().select(config.clone()).unwrap();
    let found = if selection.off.is_empty() {
        "on"
    } else {
        "off"
    };
    assert_eq!(found, expected, "{entry} {values} {config:?}");
}

#[test]
fn conditions_and_tags_turn_charts_off() {
    check_off("condition: a.on", "", "", "on");
    check_off("condition: a.on", "a: {on: true}", "", "on");
    check_off("condition: a.on", "a: {on: true}", "a: {on: false}", "off");
    check_off("condition: a.no", "", "", "off");
    check_off("condition: 'x.y, a.no'", "", "", "off");
    check_off("condition: 'a.yes,a.no'", "a: {yes: true}", "", "on");
    check_off("condition: a.on", "a: {on: ~}", "", "on");
    check_off("enabled: false", "", "", "on");
    check_off("tags: [t]", "", "", "on");
    check_off("tags: [t]", "tags: {t: false}", "", "off");
    check_off("tags: [t, u]", "tags: {t: false}", "tags: {u: true}", "on");
    check_off(
        "tags: [t], condition: a.on",
        "tags: {t: false}",
        "a: {on: true}",
        "on",
    );
    check_off(
        "tags: [t], condition: a.on",
        "tags: {t: true}",
        "a: {on: false}",
        "off",
    );
    check_off("condition: a.on", "tags: [x]", "", "on");
}

#[test]
fn nested_charts_are_turned_off_by_their_parents() {
    let files = |values: &'static str| {
        [
            ("Chart.yaml", "dependencies: [{name: a, condition: a.on}]"),
            ("values.yaml", values),
            (
                "charts/a/Chart.yaml",
                "dependencies: [{name: b, condition: b.on, tags: [t]}]",
            ),
            ("charts/a/values.yaml", "v: 1"),
            ("charts/a/charts/b/Chart.yaml", ""),
            ("charts/a/charts/b/values.yaml", "w: 1"),
        ]
    };
    let b = json!({"a": {"v": 1, "global": {}, "b": {"w": 1, "global": {}}}});
    check_select(&files(""), "", &[], &b);
    check_select(
        &files("a: {b: {on: false}}"),
        "",
        &["web/charts/a/charts/b"],
        &json!({"a": {"v": 1, "global": {}, "b": {"on": false}}}),
    );
    check_select(
        &files("tags: {t: false}"),
        "",
        &["web/charts/a/charts/b"],
        &json!({"tags": {"t": false}, "a": {"v": 1, "global": {}}}),
    );
    check_select(
        &files("a: {on: false, b: {on: false}}"),
        "",
        &["web/charts/a"],
        &json!({"a": {"on": false, "b": {"on": false}}}),
    );
}

#[test]
fn parents_win_and_nulls_delete() {
    let files = |root: &'static str| {
        [
            ("Chart.yaml", ""),
            ("values.yaml", root),
            A,
            ("charts/a/values.yaml", "v: 1\nm: {x: 1, y: ~}\nb: {w: 2}"),
            ("charts/a/charts/b/Chart.yaml", ""),
            ("charts/a/charts/b/values.yaml", "w: 1\nz: 1"),
        ]
    };
    let all = |a: Value, b: Value| {
        let (mut a, mut b) = (a, b);
        b["global"] = json!({});
        a["global"] = json!({});
        a["b"] = b;
        json!({ "a": a })
    };
    let m = json!({"x": 1, "y": null});
    check_select(
        &files(""),
        "",
        &[],
        &all(json!({"v": 1, "m": m}), json!({"w": 2, "z": 1})),
    );
    check_select(
        &files("a: {v: 2, m: {x: ~}, b: {z: ~}}"),
        "a: {v: 3, b: {w: ~}, n: ~}",
        &[],
        &all(json!({"v": 3, "m": {"y": null}, "n": null}), json!({})),
    );
}

#[test]
fn what_is_global_goes_down() {
    let files = |root: &'static str, sub: &'static str| {
        [
            ("Chart.yaml", ""),
            ("values.yaml", root),
            A,
            ("charts/a/values.yaml", sub),
            ("charts/a/charts/b/Chart.yaml", ""),
        ]
    };
    let all = |root: Option<Value>, a: Value, b: Value| {
        let mut all = json!({"a": {"global": a, "b": {"global": b}}});
        if let Some(root) = root {
            all["global"] = root;
        }
        all
    };
    check_select(
        &files(
            "global: {x: 1, m: {p: 1}}",
            "global: {x: 2, y: 2, m: {q: 2}}",
        ),
        "",
        &[],
        &all(
            Some(json!({"x": 1, "m": {"p": 1}})),
            json!({"x": 1, "y": 2, "m": {"p": 1, "q": 2}}),
            json!({"x": 1, "y": 2, "m": {"p": 1, "q": 2}}),
        ),
    );
    check_select(
        &files(
            "global: {x: 1}",
            "global: {x: 2, y: 2}\nb: {global: {y: 3}}",
        ),
        "global: {x: ~}",
        &[],
        &all(Some(json!({})), json!({"y": 2}), json!({"y": 2})),
    );
    check_select(
        &files("global:", "global: {y: 2}"),
        "a: {global: {y: ~, z: 1}}",
        &[],
        &all(Some(Value::Null), json!({"z": 1}), json!({"z": 1})),
    );
    check_select(
        &files("global: {x: 1}", "global: {y: 2}"),
        "global: ~",
        &[],
        &all(None, json!({}), json!({})),
    );
}

#[test]
fn values_are_imported_below_those_of_the_parent() {
    let files = |imports: &str| {
        let list = format!("dependencies: [{{name: a, import-values: [{imports}]}}]");
        chart(&[
            ("Chart.yaml", &list),
            ("values.yaml", "own: 1\nm: {x: 1}"),
            A,
            (
                "charts/a/values.yaml",
                "exports: {one: {own: 2, p: 2, m: {x: 2, y: 2}}, two: {p: 3, q: 3}}\nd: {e: 1}",
            ),
        ])
    };
    let check = |imports: &str, expected: &Value| {
        let chart = files(imports);
        let tree = Tree::of(&chart).unwrap();
        let mut values = tree.select(Values::default()).unwrap().values;
        values.0.remove("a");
        assert_eq!(
            &serde_json::to_value(values).unwrap(),
            expected,
            "{imports}"
        );
    };
    check("one", &json!({"own": 1, "p": 2, "m": {"x": 1, "y": 2}}));
    check(
        "one, two",
        &json!({"own": 1, "p": 2, "q": 3, "m": {"x": 1, "y": 2}}),
    );
    check(
        "two, one",
        &json!({"own": 1, "p": 3, "q": 3, "m": {"x": 1, "y": 2}}),
    );
    check("none", &json!({"own": 1, "m": {"x": 1}}));
    check(
        "{child: d, parent: m.k}",
        &json!({"own": 1, "m": {"x": 1, "k": {"e": 1}}}),
    );
    check(
        "{child: d, parent: .}",
        &json!({"own": 1, "e": 1, "m": {"x": 1}}),
    );
}

#[track_caller]
fn check_shape(files: &[(&str, &str)], config: &str, expected: &str) {
    let chart = chart(files);
    let config = Values::parse("f.yaml", config).unwrap();
    let error = Tree::of(&chart)
        .unwrap()
        .select(config.clone())
        .unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn wrong_shapes_are_refused() {
    let root = (
        "Chart.yaml",
        "dependencies: [{name: a, condition: a.on, tags: [t]}]",
    );
    let nested = ("charts/a/charts/b/Chart.yaml", "");
    let holds = "it holds the values of a subchart";
    check_shape(
        &[root, A],
        "a: 1",
        &format!("a must be a mapping, is a number: {holds}"),
    );
    check_shape(
        &[root, A],
        "a: ~",
        &format!("a must be a mapping, is null: {holds}"),
    );
    check_shape(
        &[root, A, nested],
        "a: {b: []}",
        &format!("a.b must be a mapping, is a list: {holds}"),
    );
    check_shape(
        &[root, A, nested, ("charts/a/values.yaml", "b:")],
        "",
        &format!("a.b must be a mapping, is null: {holds}"),
    );
    let decides = "it decides whether the dependency a takes part";
    check_shape(
        &[root, A],
        "a: {on: 'false'}",
        &format!("a.on must be true or false, is a string: {decides}"),
    );
    check_shape(
        &[root, A],
        "tags: {t: 1}",
        &format!("tags.t must be true or false, is a number: {decides}"),
    );
    check_shape(
        &[root, A],
        "tags: [t]",
        &format!("tags must be a mapping, is a list: {decides}"),
    );
    let all = "it holds values for all subcharts";
    check_shape(
        &[root, A],
        "global: 1",
        &format!("global must be a mapping, is a number: {all}"),
    );
    check_shape(
        &[root, A],
        "a: {global: [1]}",
        &format!("a.global must be a mapping, is a list: {all}"),
    );
}

#[test]
fn what_takes_part_has_its_values() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "dependencies: [{name: b, condition: b.on}, {name: a, alias: x}]",
        ),
        ("values.yaml", "b: {on: false}"),
        A,
        ("charts/a/values.yaml", "v: 1"),
        B,
        ("charts/a/charts/c/Chart.yaml", ""),
    ]);
    let tree = Tree::of(&chart).unwrap();
    let selection = tree.select(Values::default()).unwrap();
    let all = tree.taking_part(&selection);
    let all: Vec<_> = (all.iter())
        .map(|(node, values)| (node.path.as_str(), node.name(), values.contains_key("v")))
        .collect();
    assert_eq!(
        all,
        [
            ("web", "web", false),
            ("web/charts/x", "x", true),
            ("web/charts/x/charts/c", "c", false)
        ]
    );
}

fn values() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        Just(json!([1, null])),
    ];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        prop::collection::btree_map("a|b|v|w|on|tags|global|exports", inner, 0..5)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    });
    prop::collection::btree_map("a|b|v|w|tags|global", node, 0..5)
        .prop_map(|map| map.into_iter().collect())
}

/// Every value of `above` stands in `result`, and what it has as null stands there as nothing else.
fn won(above: &Map<String, Value>, result: &Map<String, Value>) -> bool {
    above
        .iter()
        .all(|(key, value)| match (value, result.get(key)) {
            // What is global comes from further above.
            _ if key == "global" => true,
            (Value::Null, found) => found.is_none_or(Value::is_null),
            (Value::Object(above), Some(Value::Object(result))) => won(above, result),
            (value, found) => found == Some(value),
        })
}

proptest! {
    #[test]
    fn the_user_and_the_parent_win(
        root in values(), a in values(), b in values(), config in values(),
    ) {
        let imports = "import-values: [x, {child: v, parent: w}]";
        let list = format!("dependencies: [{{name: a, condition: 'v.on,a.on', tags: [v], {imports}}}]");
        let text = |values: &Map<String, Value>| serde_json::to_string(values).unwrap();
        let (root_text, a_text, b_text) = (text(&root), text(&a), text(&b));
        let chart = chart(&[
            ("Chart.yaml", &list),
            ("values.yaml", &root_text),
            ("charts/a/Chart.yaml", "dependencies: [{name: b, tags: [w], condition: b.on}]"),
            ("charts/a/values.yaml", &a_text),
            ("charts/a/charts/b/Chart.yaml", ""),
            ("charts/a/charts/b/values.yaml", &b_text),
        ]);
        let tree = Tree::of(&chart).unwrap();
        let config = Values(config);
        if let Ok(selection) = tree.select(config.clone()) {
            prop_assert!(won(&config.0, &selection.values.0), "{:?}", selection.values);
            if let Ok(unset) = tree.select(Values::default()) {
                prop_assert!(won(&root, &unset.values.0), "{:?}", unset.values);
            }
            for (node, values) in tree.taking_part(&selection) {
                prop_assert!(node.keys.is_empty() || values["global"].is_object());
            }
        }
    }
}
