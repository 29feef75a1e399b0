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
