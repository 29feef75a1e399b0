//! Subcharts: `tests/cases/dependencies.yaml` is given to Helm and pintle.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use super::{Pair, agree, decoded, documented, each, outcome, refuse, strs};
use crate::support::{Place, Run, path};

const TERA: &str = "annotations: {pintle.dev/engine: tera}\n";
/// A template of each chart, which shows its values: for Helm and for pintle.
const TEMPLATES: [(&str, &str); 2] = [
    (
        "helm",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Template.BasePath | replace \"/\" \"-\" }}}\n\
         data:\n  values: {{ .Values | toJson | b64enc }}\n",
    ),
    (
        "tera",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ template.base_path | replace(from='/', to='-') }}}\n\
         data:\n  values: {{ values | to_json | b64encode }}\n",
    ),
];

/// Texts by their paths.
type Files = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    base: Files,
    small: Files,
    same: Vec<Row>,
    fail: Vec<Row>,
    differ: Vec<Difference>,
}

/// A chart, and what is given to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    deps: Option<String>,
    values: String,
    files: BTreeMap<String, Option<String>>,
    set: Option<String>,
    args: Vec<String>,
}

/// A row that Helm reads otherwise, on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    row: Row,
    /// What the documentation says is given.
    given: String,
    /// What both make of it; `error` if they refuse it.
    helm: Value,
    pintle: Value,
    why: String,
}

fn table() -> Table {
    let text = fs::read_to_string(path("tests/cases/dependencies.yaml")).unwrap();
    serde_json::from_value(pintle::yaml::parse(&text).unwrap()).unwrap()
}

/// The head of the `Chart.yaml` in a folder, unless its own text says otherwise.
fn head(folder: &str, rest: &str) -> String {
    let name = folder.rsplit('/').nth(1).unwrap_or("table");
    let (name, version) = name.split_once('@').unwrap_or((name, "1.0.0"));
    let fields = [("apiVersion", "v2"), ("name", name), ("version", version)];
    let has = |field: &str| {
        rest.lines()
            .any(|line| line.starts_with(&format!("{field}:")))
    };
    let fields = fields.iter().filter(|(field, _)| !has(field));
    let lines = fields.map(|(field, value)| format!("{field}: {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn run(place: &Place, (number, row): (usize, &Row), base: &Files) -> Pair {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    files.extend(
        base.iter()
            .map(|(path, text)| (path.as_str(), text.clone())),
    );
    files.insert("Chart.yaml", String::new());
    files.insert("values.yaml", row.values.clone());
    for (path, text) in &row.files {
        match text {
            Some(text) => files.insert(path, text.clone()),
            None => files.remove(path.as_str()),
        };
    }
    let dependencies = row
        .deps
        .iter()
        .map(|deps| format!("\ndependencies: {deps}\n"));
    files.entry("Chart.yaml").or_default().extend(dependencies);
    for (kind, template) in TEMPLATES {
        let file = |path: &str, text: &str| place.file(&format!("{number}/{kind}/{path}"), text);
        for (path, text) in &files {
            let Some(folder) = path.strip_suffix("Chart.yaml") else {
                file(path, text);
                continue;
            };
            let engine = if kind == "tera" { TERA } else { "" };
            file(path, &format!("{}{engine}{text}\n", head(folder, text)));
            file(&format!("{folder}templates/a.yaml"), template);
        }
    }
    let mut args = row.args.clone();
    if let Some(text) = &row.set {
        let file = place.file(&format!("{number}/set.yaml"), text);
        args.extend(["-f".to_owned(), file]);
    }
    let template = |kind: &str| {
        let chart = place.folder().join(format!("{number}/{kind}"));
        let chart = chart.to_str().unwrap().to_owned();
        [
            vec!["template".to_owned(), "table".to_owned(), chart],
            args.clone(),
        ]
        .concat()
    };
    let (helm, pintle) = (template("helm"), template("tera"));
    Pair {
        helm: shown(&place.helm(&strs(&helm))),
        pintle: shown(&place.pintle(&strs(&pintle))),
    }
}

/// The values of each chart that takes part, by the paths of their templates.
fn shown(run: &Run) -> Result<Value, String> {
    outcome(run)?;
    let documents = run.stdout.split("# Source: ").skip(1);
    let documents = documents.map(|document| {
        let (path, text) = document.split_once('\n').unwrap();
        let values = text
            .lines()
            .find_map(|line| line.strip_prefix("  values: "));
        (path.to_owned(), decoded(values.unwrap()))
    });
    Ok(Value::Object(documents.collect()))
}

fn judge(
    rows: &[Row],
    base: &Files,
    judge: impl Fn(usize, &Pair) -> Option<String> + Sync,
) -> Vec<String> {
    each(rows, |place, row| run(place, row, base), judge)
}

#[test]
fn charts_see_of_subcharts_what_they_see_in_helm() {
    let table = table();
    assert!(table.same.len() >= 80, "{} rows", table.same.len());
    let found = judge(&table.same, &table.base, agree);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn subcharts_that_helm_refuses_are_refused() {
    let table = table();
    let found = judge(&table.fail, &table.base, refuse);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn subcharts_that_differ_do_so_on_purpose() {
    let table = table();
    let rows: Vec<Row> = table.differ.iter().map(|one| one.row.clone()).collect();
    let found = judge(&rows, &table.small, |number, pair| {
        let expected = &table.differ[number];
        let made = |made: &Result<Value, String>| match made {
            Ok(all) => all["table/templates/a.yaml"].clone(),
            Err(_) => "error".into(),
        };
        let as_expected =
            made(&pair.helm) == expected.helm && made(&pair.pintle) == expected.pintle;
        (!as_expected).then(|| "not what the table says".to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn differences_about_subcharts_are_documented() {
    let table = table();
    let rows = table.differ.iter();
    let rows = rows.map(|one| {
        (
            one.given.as_str(),
            (&one.helm, &one.pintle),
            one.why.as_str(),
        )
    });
    documented("## Where Helm treats subcharts otherwise", rows);
}

/// The dependencies of a chart that depends on others in folders beside it, whose lock Helm makes.
const LOCKED: [&str; 6] = [
    "[{name: one, version: 1.0.0, repository: 'file://../one'}]",
    "[{name: one, version: '>=0.5 <2', repository: 'file://../one', alias: x}]",
    "[{name: one, version: ^1, repository: 'file://../one', condition: 'a.b,c', tags: [t, u]}]",
    "[{name: one, version: '*', repository: 'file://../one', enabled: true,
      import-values: [data, {parent: p, child: c}, {child: '<&>', parent: 'é\u{2028}'}]}]",
    "[{name: one, version: 1.x, repository: 'file://../one'}, {name: two, version: ~2.1, repository: 'file://../a&b'}]",
    "[{name: one, version: '>0', repository: 'file://../one'}, {name: local, version: '1'}]",
];

#[test]
fn locks_have_the_digest_that_helm_writes() {
    let place = Place::without_namespace("locks");
    place.file("one/Chart.yaml", &head("x/one/", ""));
    place.file("a&b/Chart.yaml", &head("x/two@2.1.3/", ""));
    for (number, list) in LOCKED.iter().enumerate() {
        let text = format!("{}dependencies: {list}\n", head("", ""));
        let chart = place.file(&format!("{number}/Chart.yaml"), &text);
        place.file(
            &format!("{number}/charts/local/Chart.yaml"),
            &head("x/local/", ""),
        );
        let chart = chart.trim_end_matches("/Chart.yaml");
        place.helm(&["dependency", "update", chart]).ok();
        let lock = fs::read_to_string(format!("{chart}/Chart.lock")).unwrap();
        let lock = pintle::chart::Lock::parse("Chart.lock", &lock).unwrap();
        let metadata = pintle::chart::Metadata::parse(&text).unwrap();
        assert!(lock.fits("v2", &metadata.dependencies), "{list}: {lock:?}");
        assert!(!lock.fits("v2", &metadata.dependencies[1..]), "{list}");
    }
}
