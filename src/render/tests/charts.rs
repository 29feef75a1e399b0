//! The charts beside the code, and what they render to.

#![expect(clippy::disallowed_methods, reason = "the charts are files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{RELEASE, capabilities, values};
use crate::chart::{Chart, File, Tree};
use crate::render::{Rendered, Scope, render};

/// Reads the chart at `path` below the package.
fn load(path: &str) -> Chart {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let yaml =
        |name: &str| crate::yaml::parse(&fs::read_to_string(root.join(name)).unwrap()).unwrap();
    let mut all = Vec::new();
    walk(&root, &root, &mut all);
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.retain(|file| !["Chart.yaml", "values.yaml", "values.schema.json"].contains(&&*file.path));
    let (templates, files) = all
        .into_iter()
        .partition(|file| file.path.starts_with("templates/"));
    Chart {
        metadata: serde_json::from_value(yaml("Chart.yaml")).unwrap(),
        values: values(&yaml("values.yaml")),
        values_text: String::new(),
        schema: fs::read(root.join("values.schema.json")).ok(),
        templates,
        files,
        ..Chart::default()
    }
}

fn walk(root: &Path, folder: &Path, all: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, all);
        } else {
            let data = fs::read(&path).unwrap();
            let path = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            all.push(File { path, data });
        }
    }
}

fn rendered(path: &str, overrides: &Json) -> Rendered {
    let mut chart = load(path);
    merge(&mut chart.values.0, overrides);
    let scope = Scope {
        release: RELEASE,
        values: chart.values.clone(),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    render(&Tree::of(&chart).unwrap(), scope).unwrap_or_else(|error| panic!("{}", error.report()))
}

fn merge(below: &mut serde_json::Map<String, Json>, above: &Json) {
    for (key, item) in above.as_object().unwrap() {
        match below.get_mut(key) {
            Some(Json::Object(below)) if item.is_object() => merge(below, item),
            _ => {
                below.insert(key.clone(), item.clone());
            }
        }
    }
}

/// All output in one text, as a golden file.
fn golden(rendered: &Rendered) -> String {
    let files = rendered
        .files
        .iter()
        .map(|file| format!("--- {}\n{}", file.path, file.text));
    let notes = rendered
        .notes
        .iter()
        .map(|notes| format!("--- notes\n{notes}"));
    files.chain(notes).collect()
}

/// All resources, parsed.
fn resources(rendered: &Rendered) -> Vec<Json> {
    let documents = rendered.files.iter().flat_map(|file| {
        crate::yaml::parse_all(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path))
    });
    documents.map(|document| document.value).collect()
}

#[test]
fn the_example_is_rendered() {
    let rendered = rendered("examples/web", &json!({}));
    assert_eq!(resources(&rendered).len(), 10);
    insta::assert_snapshot!(golden(&rendered));
}

#[test]
fn the_scaffold_is_rendered() {
    insta::assert_snapshot!(golden(&rendered("tests/cases/charts/scaffold", &json!({}))));
}

#[test]
fn the_twin_is_rendered() {
    insta::assert_snapshot!(golden(&rendered(
        "tests/cases/charts/twin-tera",
        &json!({})
    )));
}

#[test]
fn the_measuring_chart_has_as_many_resources_as_asked_for() {
    let chart = "tests/cases/charts/forty";
    insta::assert_snapshot!(golden(&rendered(chart, &json!({ "count": 10 }))));
    let one = resources(&rendered(chart, &json!({})));
    assert_eq!(one.len(), 40);
    let two = resources(&rendered(chart, &json!({ "stamp": "two" })));
    assert!(one.iter().zip(&two).all(|(one, two)| one != two));
    assert_eq!(
        resources(&rendered(chart, &json!({ "count": 400 }))).len(),
        400
    );
}
