//! Values: `tests/cases/values.yaml` and `dependencies.yaml` are given to Helm and pintle, and
//! `pintle values` shows them.

mod command;
mod dependencies;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Place, Run, path};

const HELM: &str = "apiVersion: v2\nname: table\nversion: 1.0.0\n";
const TERA: &str = "annotations: {pintle.dev/engine: tera}\n";
const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: table}\ndata:\n  values: ";
/// How many rows are at work at once.
const THREADS: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    defaults: String,
    same: Vec<Row>,
    fail: Vec<Row>,
    differ: Vec<Difference>,
}

/// What is given to both.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Row {
    Set(String),
    Given(Given),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    defaults: Option<String>,
    files: Vec<String>,
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

impl Row {
    fn given(&self) -> Given {
        match self {
            Self::Given(given) => given.clone(),
            Self::Set(argument) => Given {
                args: vec!["--set".to_owned(), argument.clone()],
                ..Given::default()
            },
        }
    }
}

/// What both make of a row.
struct Pair {
    helm: Result<Value, String>,
    pintle: Result<Value, String>,
}

fn table() -> Table {
    let text = fs::read_to_string(path("tests/cases/values.yaml")).unwrap();
    serde_json::from_value(pintle::yaml::parse(&text).unwrap()).unwrap()
}

fn run(place: &Place, (number, row): (usize, &Row), defaults: &str) -> Pair {
    let given = row.given();
    let defaults = given.defaults.as_deref().unwrap_or(defaults);
    let file = |name: &str, text: &str| place.file(&format!("{number}/{name}"), text);
    file("tera/Chart.yaml", &format!("{HELM}{TERA}"));
    file(
        "tera/templates/a.yaml",
        &format!("{HEAD}{{{{ values | to_json | b64encode }}}}\n"),
    );
    file("helm/Chart.yaml", HELM);
    file(
        "helm/templates/a.yaml",
        &format!("{HEAD}{{{{ .Values | toJson | b64enc }}}}\n"),
    );
    file("tera/values.yaml", defaults);
    file("helm/values.yaml", defaults);
    file("text.txt", "some text\n");
    file("list.txt", "- 1\n");
    file("empty.txt", "");
    fs::write(place.folder().join(format!("{number}/bytes.bin")), [0xff]).unwrap();
    let folder = place.folder().join(number.to_string());
    let folder = folder.to_str().unwrap();
    let mut args = vec![];
    for (index, text) in given.files.iter().enumerate() {
        args.extend(["-f".to_owned(), file(&format!("{index}.yaml"), text)]);
    }
    args.extend(given.args.iter().map(|arg| arg.replace("{dir}", folder)));
    let template = |chart: &str| {
        let chart = format!("{folder}/{chart}");
        let mut all = vec!["template".to_owned(), "table".to_owned(), chart];
        all.extend(args.clone());
        all
    };
    let (helm, pintle) = (template("helm"), template("tera"));
    Pair {
        helm: outcome(&place.helm(&strs(&helm))),
        pintle: outcome(&place.pintle(&strs(&pintle))),
    }
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn outcome(run: &Run) -> Result<Value, String> {
    let line = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("  values: "));
    let Some(line) = line else {
        // A program that gives neither values nor a reason is broken.
        assert!(run.stderr.to_lowercase().contains("error"), "{run}");
        return Err(run.stderr.clone());
    };
    Ok(decoded(line))
}

/// The JSON that a template wrote in base64.
fn decoded(text: &str) -> Value {
    use base64::Engine as _;
    let data = base64::prelude::BASE64_STANDARD.decode(text.trim_matches('"'));
    serde_json::from_slice(&data.unwrap()).unwrap()
}

/// Whether both are the same values; numbers are compared as numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Gives all rows to both, several at once, and collects what `judge` says about each.
fn judge(
    rows: &[Row],
    defaults: &str,
    judge: impl Fn(usize, &Pair) -> Option<String> + Sync,
) -> Vec<String> {
    each(rows, |place, row| run(place, row, defaults), judge)
}

/// Runs all rows, several at once, and collects what `judge` says about each.
fn each<R: Debug + Sync>(
    rows: &[R],
    run: impl Fn(&Place, (usize, &R)) -> Pair + Sync,
    judge: impl Fn(usize, &Pair) -> Option<String> + Sync,
) -> Vec<String> {
    let place = Place::without_namespace("values");
    let next = Mutex::new(0..rows.len());
    let found = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().unwrap().next() else {
                        return;
                    };
                    let pair = run(&place, (number, &rows[number]));
                    if let Some(what) = judge(number, &pair) {
                        let shown = |made: &Result<Value, String>| match made {
                            Ok(value) => value.to_string(),
                            Err(error) => error.lines().take(3).collect::<Vec<_>>().join(" "),
                        };
                        let (helm, pintle) = (shown(&pair.helm), shown(&pair.pintle));
                        let given = &rows[number];
                        let line = format!("{given:?}: {what}\n  {helm}\n  {pintle}");
                        found.lock().unwrap().insert(number, line);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap().into_values().collect()
}

/// Both programs make the same of a row.
fn agree(_: usize, pair: &Pair) -> Option<String> {
    match (&pair.helm, &pair.pintle) {
        (Ok(helm), Ok(pintle)) if same(helm, pintle) => None,
        _ => Some("not the same".to_owned()),
    }
}

/// Both programs refuse a row.
fn refuse(_: usize, pair: &Pair) -> Option<String> {
    (pair.helm.is_ok() || pair.pintle.is_ok()).then(|| "not refused by both".to_owned())
}

/// Checks that a section of the documentation has these rows: what is given, what Helm and pintle make
/// of it, and why.
fn documented<'a>(
    heading: &str,
    expected: impl Iterator<Item = (&'a str, (&'a Value, &'a Value), &'a str)>,
) {
    let text = fs::read_to_string(path("docs/values.md")).unwrap();
    let (_, section) = text.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1);
    let made = |value: &Value| match value.as_str() {
        Some(error) => error.to_owned(),
        None => format!("`{value}`"),
    };
    let expected = expected.map(|(given, (helm, pintle), why)| {
        format!("| {given} | {} | {} | {why} |", made(helm), made(pintle))
    });
    let (rows, expected): (Vec<_>, Vec<_>) = (rows.collect(), expected.collect());
    assert_eq!(rows, expected);
}

#[test]
fn values_are_what_helm_makes_of_them() {
    let table = table();
    assert!(table.same.len() >= 80, "{} rows", table.same.len());
    let found = judge(&table.same, &table.defaults, agree);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_helm_refuses_is_refused() {
    let table = table();
    let found = judge(&table.fail, &table.defaults, refuse);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Helm walks through a map of Go whose order is random, so no row of the table can hold what it gives.
#[test]
fn of_keys_that_become_one_text_the_later_is_taken() {
    let place = Place::without_namespace("keys");
    let files = vec!["1: a\n'1': b".to_owned()];
    let row = Row::Given(Given {
        defaults: Some(String::new()),
        files,
        ..Given::default()
    });
    let pair = run(&place, (0, &row), "");
    let either = [json!({"1": "a"}), json!({"1": "b"})];
    assert_eq!(pair.pintle.as_ref(), Ok(&either[1]));
    assert!(either.contains(&pair.helm.unwrap()));
    let text = fs::read_to_string(path("docs/values.md")).unwrap();
    assert!(text.contains("Of `1: a` and `'1': b` Helm takes one at random"));
}

#[test]
fn what_differs_does_so_on_purpose() {
    let table = table();
    let rows: Vec<Row> = table.differ.iter().map(|one| one.row.clone()).collect();
    let found = judge(&rows, &table.defaults, |number, pair| {
        let expected = &table.differ[number];
        let made = |made: &Result<Value, String>| made.clone().unwrap_or("error".into());
        let as_expected =
            made(&pair.helm) == expected.helm && made(&pair.pintle) == expected.pintle;
        (!as_expected).then(|| "not what the table says".to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_differs_is_documented() {
    let table = table();
    let rows = table.differ.iter();
    let rows = rows.map(|one| {
        (
            one.given.as_str(),
            (&one.helm, &one.pintle),
            one.why.as_str(),
        )
    });
    documented("## Where Helm reads values otherwise", rows);
}

/// Texts that a YAML reader likes to take for something else.
const NASTY: [&str; 62] = [
    "",
    " ",
    "  x",
    "x  ",
    "~",
    "null",
    "Null",
    "NULL",
    "true",
    "True",
    "yes",
    "Yes",
    "YES",
    "no",
    "on",
    "Off",
    "y",
    "Y",
    "n",
    "N",
    "0",
    "-0",
    "0644",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "1_000.5",
    "1e6",
    "1E6",
    "1e400",
    "1.0",
    ".5",
    "5.",
    "+1",
    "-.inf",
    ".nan",
    "1:30",
    "190:20:30",
    "2001-12-14",
    "12345678901234567890",
    "<<",
    "=",
    "- a",
    "-",
    "---",
    "...",
    "? a",
    "a: b",
    "a:",
    ": a",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "{a}",
];
const NASTIER: [&str; 22] = [
    "[a]",
    "a, b",
    "'a'",
    "\"a\"",
    "it's",
    "a\\b",
    "a\tb",
    "\ta",
    "a\nb",
    "a\n",
    "\na",
    "a\n\n",
    "\n",
    "a\n b\n",
    " a\nb",
    "a\r\nb",
    "\u{85}",
    "\u{2028}",
    "\u{feff}a",
    "\u{7}",
    "ä 日本 🦀",
    "{{ x }}",
];

#[test]
fn texts_that_pintle_writes_are_read_back_by_helm_and_kubectl() {
    let place = Place::new("values");
    let texts = NASTY.iter().chain(&NASTIER).enumerate();
    let texts: BTreeMap<String, &str> = texts.map(|(n, text)| (format!("t{n}"), *text)).collect();
    let given = serde_json::json!({ "texts": texts });
    let json = place.file("given.json", &given.to_string());
    let chart = place.file("tera/Chart.yaml", &format!("{HELM}{TERA}"));
    let tera = chart.trim_end_matches("/Chart.yaml");
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: texts}\ndata:";
    place.file(
        "tera/templates/a.yaml",
        &format!("{head}{{{{ values.texts | to_yaml | nindent(n=2) }}}}\n"),
    );
    let chart = place.file("helm/Chart.yaml", HELM);
    let helm = chart.trim_end_matches("/Chart.yaml");
    let template = format!("{HEAD}{{{{ .Values | toJson | b64enc }}}}\n");
    place.file("helm/templates/a.yaml", &template);

    let written = place.pintle(&["values", tera, "-f", &json]).ok().stdout;
    let written = place.file("written.yaml", &written);
    let read = outcome(&place.helm(&["template", "x", helm, "-f", &written]).ok());
    assert_eq!(read.unwrap(), given);

    let manifest = place
        .pintle(&["template", "x", tera, "-f", &json])
        .ok()
        .stdout;
    let manifest = place.file("manifest.yaml", &manifest);
    let made = place.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", &manifest]);
    let made: Value = serde_json::from_str(&made.ok().stdout).unwrap();
    assert_eq!(made["data"], given["texts"]);
}

#[test]
fn keys_that_helm_takes_for_booleans_are_warned_about() {
    let place = Place::without_namespace("values");
    let chart = place.file("tera/Chart.yaml", &format!("{HELM}{TERA}"));
    let chart = chart.trim_end_matches("/Chart.yaml");
    place.file("tera/values.yaml", "a: 1\nswitch: {on: 1}\n");
    let file = place.file("v.yaml", "a:\n  n: 1\n  'y': 2\n");
    let lines = [
        "warning: values.yaml:2:10: Kubernetes and Helm read the key on as true: put quotes",
        &format!("warning: {file}:2:3: Kubernetes and Helm read the key n as false"),
    ];
    for command in [&["template", "x"][..], &["values"]] {
        let run = place
            .pintle(&[command, &[chart, "-f", &file]].concat())
            .ok();
        assert_eq!(run.stderr.lines().count(), 2, "{run}");
        run.says(&lines);
    }
}
