//! What `pintle lint` prints of charts, and that what is shipped and what an API server gives out
//! passes.

use std::path::Path;
use std::process::{Command, Output};

use pintle::builtin::openapi::Minor;
use pintle::chart::{File, Overrides};
use pintle::lint::{Charts, Request, lint};
use serde_json::Value;

use crate::support::{Place, path};

const PINTLE: &str = env!("CARGO_BIN_EXE_pintle");

/// Runs `pintle lint` where the tests' charts are, without any environment.
fn run(args: &[&str]) -> Output {
    let mut command = Command::new(PINTLE);
    command.arg("lint").args(args).env_clear();
    command
        .current_dir(path("tests/cases/lint"))
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_is_shipped_has_no_error_and_no_warning() {
    let charts = ["charts/kcp", "charts/tenant", "examples/web"].map(path);
    let mut args: Vec<&str> = charts.iter().map(String::as_str).collect();
    args.push("--strict");
    let output = run(&args);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("3 charts linted, 0 errors, 0 warnings"),
        "{text}"
    );
}

#[test]
fn bad_charts_are_told_of() {
    let folder = path("tests/cases/lint");
    let mut names: Vec<String> = std::fs::read_dir(Path::new(&folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in &names {
        let output = run(&[name]);
        let text = stdout(&output);
        assert!(!text.contains("hunter2"), "{text}");
        let has_errors = text.contains("error[");
        assert_eq!(
            output.status.code(),
            Some(if has_errors { 2 } else { 0 }),
            "{text}"
        );
        insta::assert_snapshot!(name.as_str(), text);
    }
}

#[test]
fn flags_choose_what_fails_and_what_is_checked() {
    let code = |args: &[&str]| run(args).status.code();
    assert_eq!(code(&["silent"]), Some(0));
    assert_eq!(code(&["silent", "--strict"]), Some(2));
    assert_eq!(code(&["ci"]), Some(2));
    assert_eq!(code(&["nowhere"]), Some(2));
    let newest = stdout(&run(&["apis", "--kube-version", "1.36"]));
    assert!(
        !newest.contains("MutatingAdmissionPolicy is not served"),
        "{newest}"
    );
    let oldest = stdout(&run(&["apis", "--kube-version", "v1.34.1-eks-1"]));
    assert!(
        oldest.contains("MutatingAdmissionPolicy is not served"),
        "{oldest}"
    );
    let unknown = stdout(&run(&["apis", "--kube-version", "1.20"]));
    assert!(
        unknown.contains("nothing is known of Kubernetes v1.20.0"),
        "{unknown}"
    );
    assert_eq!(stdout(&run(&[&path("examples/web"), "--quiet"])), "");
    assert!(stdout(&run(&["silent", "--quiet"])).contains("warning["));
    let set = stdout(&run(&["fields", "--set", "replicas=two"]));
    assert!(
        set.contains("spec.replicas must be an integer, is a string"),
        "{set}"
    );
}

#[test]
fn machines_read_what_was_found() {
    let text = stdout(&run(&["apis", "silent", "-o", "json"]));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["charts"], 2);
    let findings = report["findings"].as_array().unwrap();
    let is_new = |finding: &&Value| finding["file"] == "templates/new.yaml";
    let new = findings.iter().find(is_new).unwrap();
    assert_eq!(new["rule"], "unserved-api");
    assert_eq!(new["kubernetes"], serde_json::json!(["1.34", "1.35"]));
    assert_eq!(new["rendered_line"], 1);
    insta::assert_snapshot!("json", stdout(&run(&["silent", "-o", "json"])));
    let yaml = stdout(&run(&["silent", "-o", "yaml"]));
    assert!(yaml.contains("rule: silent-in-helm"), "{yaml}");
}

#[test]
fn charts_in_charts_are_linted_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let chart = "apiVersion: v2\nname: NAME\nversion: 1.0.0\nicon: https://h/i.png\n\
                 annotations: {pintle.dev/engine: tera}\n";
    let dependency = "dependencies: [{name: db, version: 1.0.0}]\n";
    let head = chart.replace("NAME", "web");
    write("web/Chart.yaml", &format!("{head}{dependency}"));
    write("web/charts/db/Chart.yaml", &chart.replace("NAME", "db"));
    write("web/charts/db/values.yaml", "nobody: 1\n");
    let web = folder.path().join("web");
    let web = web.to_str().unwrap();
    let of_db = "charts/db/values.yaml:1";
    let alone = stdout(&run(&[web]));
    assert!(!alone.contains(of_db), "{alone}");
    assert!(alone.contains("1 chart linted"), "{alone}");
    let all = stdout(&run(&[web, "--with-subcharts"]));
    assert!(all.contains(of_db) && all.contains("nobody"), "{all}");
}

/// Rules that something alone, out of a chart and in a namespace, may break.
const OF_CHARTS: [&str; 4] = [
    "hard-coded-namespace",
    "deprecated-api",
    "groups",
    "config-rollout",
];

/// What the API server of the testbed has, as it gives it out: with all defaults.
#[test]
fn what_an_api_server_gives_out_has_no_finding() {
    let place = Place::new("lint");
    let web = path("examples/web");
    place.pintle(&["install", "web", &web]).ok();
    let kinds = place.kubectl(&["api-resources", "--verbs=list,create", "-o", "name"]);
    let kinds: Vec<_> = kinds.ok().stdout.lines().map(str::to_owned).collect();
    let all = place.get(&[&kinds.join(","), "--all-namespaces"]);
    let file = |path: String, data: String| File {
        path,
        data: data.into(),
    };
    let head = "apiVersion: v2\nname: all\nversion: 1.0.0\nicon: https://h/i.png\n";
    let mut files = vec![
        file("Chart.yaml".to_owned(), head.to_owned()),
        file("values.yaml".to_owned(), String::new()),
    ];
    // Other tests have theirs there, and much of the same.
    let of_others = |item: &&Value| {
        let metadata = &item["metadata"];
        let own = if item["kind"] == "Namespace" {
            "name"
        } else {
            "namespace"
        };
        let namespace = metadata[own].as_str().unwrap_or("default");
        let known = [place.namespace.as_str(), "default"].contains(&namespace);
        !known && !namespace.starts_with("kube-")
    };
    let items = all["items"].as_array().unwrap().iter();
    let texts = items.filter(|item| !of_others(item));
    let texts = texts.map(pintle::yaml::to_string).enumerate();
    files.extend(texts.map(|(number, text)| file(format!("templates/{number}.yaml"), text)));
    assert!(files.len() > 100, "only {} objects", files.len());
    let newest = Minor::all().last().unwrap().version().to_owned();
    let kube_version = pintle::capabilities::KubeVersion::parse(&newest).unwrap();
    let request = Request {
        overrides: &Overrides::default(),
        kube_version: Some(&kube_version),
        charts: Charts::Root,
    };
    let mut wrong = lint(files, &request);
    wrong.retain(|finding| !OF_CHARTS.contains(&finding.rule.id));
    let wrong: Vec<_> = wrong
        .iter()
        .map(|finding| (finding.rule.id, &finding.message))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `Chart.yaml` of a chart of plain YAML, in which neither program finds anything.
const PLAIN: &str = "apiVersion: v2\nname: plain\nversion: 1.0.0\nicon: https://h/i.png\n";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const LIST: &str = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, \
                    metadata: {name: a, annotations: {helm.sh/resource-policy: keep}}}]\n";
const INNER: (&str, &str) = (
    "charts/b/Chart.yaml",
    "apiVersion: v2\nname: b\nversion: 1.0.0\n",
);
const INNER_MAP: (&str, &str) = (
    "charts/b/templates/b.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
);

/// A row of the page: what is in the chart, its files, and what `helm` and pintle make of it.
type Row = (&'static str, Vec<(&'static str, String)>, [&'static str; 2]);

/// Rows about `lint`.
fn linted() -> Vec<Row> {
    let template = |text: &str| vec![("templates/a.yaml", text.to_owned())];
    let owned = |files: &[(&'static str, &str)]| {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
        files.collect::<Vec<_>>()
    };
    let listed = format!("{PLAIN}dependencies: [{{name: b, version: 1.0.0}}]\n");
    vec![
        (
            "a chart in `charts/` that no dependency names",
            owned(&[("templates/a.yaml", MAP), INNER, INNER_MAP]),
            ["error", "warning"],
        ),
        (
            "a document that begins on the line of its dashes (`---apiVersion: v1`)",
            template(&format!("---{MAP}")),
            ["error", "warning"],
        ),
        (
            "a file called `templates`",
            owned(&[("templates", "")]),
            ["error", "warning"],
        ),
        (
            "a chart without `templates/`",
            owned(&[("Chart.yaml", &listed), INNER, INNER_MAP]),
            ["warning", "nothing"],
        ),
        (
            "the annotation `helm.sh/resource-policy` on an item of a List",
            template(LIST),
            ["error", "nothing"],
        ),
        (
            "a key twice in `values.yaml` or `Chart.yaml`",
            owned(&[("templates/a.yaml", MAP), ("values.yaml", "a: 1\na: 2\n")]),
            ["nothing", "error"],
        ),
        (
            "a resource without `metadata.name`, with `generateName`",
            template(&MAP.replace("name: a", "generateName: a-")),
            ["warning", "error"],
        ),
    ]
}

/// Rows about all commands.
fn taken() -> Vec<Row> {
    let with = |path: &'static str, text: &str| {
        vec![
            ("templates/a.yaml", MAP.to_owned()),
            (path, text.to_owned()),
        ]
    };
    let head = |rest: &str| with("Chart.yaml", &format!("{PLAIN}{rest}"));
    let refused = ["nothing", "error"];
    let urn = r#"{"properties": {"a": {"$ref": "urn:x:y"}}}"#;
    vec![
        (
            "a null in `keywords` or `sources`",
            head("keywords: [null]\n"),
            refused,
        ),
        (
            "a second document in `Chart.yaml`",
            head("---\na: 1\n"),
            refused,
        ),
        (
            "a second document in `values.yaml`",
            with("values.yaml", "a: 1\n---\na: 2\n"),
            ["nothing", "nothing"],
        ),
        (
            "a key twice in `Chart.yaml`",
            head("home: https://a\nhome: https://b\n"),
            refused,
        ),
        (
            "the key `Name:` for `name:` in `Chart.yaml`",
            with("Chart.yaml", &PLAIN.replace("name:", "Name:")),
            refused,
        ),
        (
            "a backslash in `name` of `Chart.yaml`",
            with("Chart.yaml", &PLAIN.replace("plain", "a\\b")),
            refused,
        ),
        (
            "a key twice in `Chart.lock`",
            with("Chart.lock", "digest: a\ndigest: b\n"),
            refused,
        ),
        (
            "a `$ref` to a `urn:` in the schema",
            with("values.schema.json", urn),
            refused,
        ),
    ]
}

/// Checks that both programs make of each row's chart what it says, and that the page has these rows and no others
/// below `heading`.
fn check_rows(heading: &str, command: &[&str], rows: &[Row]) {
    let place = Place::without_namespace("lint-rows");
    let page = std::fs::read_to_string(path("docs/lint.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with("## "));
    let written: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .skip(1)
        .collect();
    let mut known: Vec<&str> = rows.iter().map(|(cell, ..)| *cell).collect();
    known.sort_by_key(|cell| written.iter().position(|other| other == cell));
    assert_eq!(written, known);
    for (number, (cell, files, [theirs, ours])) in rows.iter().enumerate() {
        let usual = [("Chart.yaml", PLAIN), ("values.yaml", "")];
        for (path, text) in usual {
            place.file(&format!("{number}/{path}"), text);
        }
        for (path, text) in files {
            place.file(&format!("{number}/{path}"), text);
        }
        let chart = place.folder().join(number.to_string());
        let args = [command, &[chart.to_str().unwrap()]].concat();
        let verdict = |run: &crate::support::Run| {
            let text = format!("{}{}", run.stdout, run.stderr);
            match run.code {
                Some(0) if text.contains("[WARNING]") || text.contains("warning[") => "warning",
                Some(0) => "nothing",
                _ => "error",
            }
        };
        let (helm, pintle) = (place.helm(&args), place.pintle(&args));
        assert_eq!(
            [verdict(&helm), verdict(&pintle)],
            [*theirs, *ours],
            "{cell}: {helm}\n{pintle}"
        );
    }
}

#[test]
fn what_is_written_about_helms_lint_is_true() {
    check_rows("Where `helm lint` says otherwise", &["lint"], &linted());
}

#[test]
fn what_is_written_about_charts_that_helm_takes_is_true() {
    let command = ["template", "x"];
    check_rows("Where Helm takes charts otherwise", &command, &taken());
}
