//! `pintle values`, and values from standard input and addresses.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::served::served;
use crate::support::{Place, path};

const PINTLE: &str = env!("CARGO_BIN_EXE_pintle");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_release_shows_what_each_revision_was_rendered_with() {
    let place = Place::new("values");
    let web = path("examples/web");
    let install = ["install", "web", &web, "--no-wait"];
    place
        .pintle(&[&install[..], &["--set", "replicas=3"]].concat())
        .ok();
    let upgrade = ["upgrade", "web", &web, "--no-wait"];
    place
        .pintle(&[&upgrade[..], &["--set-string", "image.tag=1.29"]].concat())
        .ok();
    place.pintle(&["values", "web", "-o", "json"]).ok();
    let newest = json(&place.pintle(&["values", "web", "-o", "json"]).ok().stdout);
    assert_eq!(newest["image"]["tag"], json!("1.29"));
    let shown = place
        .pintle(&["get", "values", "web", "--all", "-o", "json"])
        .ok();
    assert_eq!(newest, json(&shown.stdout));
    let first = place
        .pintle(&["values", "web", "--revision", "1", "-o", "json"])
        .ok();
    assert_eq!(json(&first.stdout)["replicas"], json!(3));

    let run = place
        .pintle(&["values", "web", "--explain", "--revision", "1"])
        .ok();
    let line = run.stdout.lines().find(|line| line.starts_with("replicas"));
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    assert_eq!(
        words,
        ["replicas", "3", "revision", "1", "values.yaml:", "2"]
    );
    let run = place
        .pintle(&["values", "web", "--explain", "-o", "json"])
        .ok();
    let leaves = json(&run.stdout);
    let tag = leaves
        .as_array()
        .unwrap()
        .iter()
        .find(|leaf| leaf["path"] == "image.tag");
    assert_eq!(
        tag.unwrap()["origin"],
        json!({"kind": "revision", "revision": 2})
    );

    place
        .pintle(&["values", "web", "--set", "a=1"])
        .fails_with(2)
        .says(&["only a chart"]);
    place
        .pintle(&["values", "web", "--revision", "9"])
        .fails_with(1)
        .says(&["web is no folder with a Chart.yaml", "has no revision 9"]);
    place.pintle(&["values", "other"]).fails_with(1).says(&[
        "other is no folder with a Chart.yaml, and cannot be shown as a release",
        "release other not found in namespace",
        "give the path of its folder, such as ./other",
    ]);
}

#[test]
fn a_chart_shows_what_it_would_be_rendered_with() {
    let place = Place::without_namespace("values");
    let file = place.file("prod.yaml", "\nreplicas: 5\n");
    let pem = place.file("ca.pem", "PEM\n");
    let web = path("examples/web");
    let run = place
        .pintle(&[
            "values",
            &web,
            "--explain",
            "-f",
            &file,
            "--set",
            "replicas=6",
            "--set-file",
            &format!("extra.ca={pem}"),
        ])
        .ok();
    let line = |start: &str| {
        let line = run.stdout.lines().find(|line| line.starts_with(start));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("replicas"),
        format!("replicas 6 --set replicas -f {file}:2: 5, values.yaml:7: 2")
    );
    assert_eq!(
        line("extra.ca"),
        format!("extra.ca \"PEM\\n\" --set-file extra.ca={pem}")
    );
    place
        .pintle(&["values", &web, "--revision", "1"])
        .fails_with(2)
        .says(&["only a release takes --revision"]);
}

#[test]
fn values_come_from_standard_input() {
    let web = path("examples/web");
    let run = |args: &[&str]| {
        let mut child = Command::new(PINTLE)
            .args(["values", &web, "-o", "json"])
            .args(args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"a: 5\n").unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert_eq!(json(&run(&["-f", "-"]).1)["a"], json!(5));
    assert_eq!(json(&run(&["--set-file", "a=-"]).1)["a"], json!("a: 5\n"));
    assert_eq!(
        run(&["-f", "-", "--set-file", "a=-"]),
        (Some(2), String::new())
    );
}

#[test]
fn values_come_from_addresses() {
    let place = Place::without_namespace("values");
    let server = served(|path| {
        let found = path == "/v.yaml?token=s3cret";
        found.then(|| b"a: [5\n, 6]".to_vec())
    });
    let web = path("examples/web");
    let address = format!("{server}/v.yaml?token=s3cret");
    let run = place
        .pintle(&["values", &web, "-f", &address, "-o", "json"])
        .ok();
    assert_eq!(json(&run.stdout)["a"], json!([5, 6]));
    let run = place
        .pintle(&["values", &web, "-f", &address, "--explain"])
        .ok();
    let line = run
        .stdout
        .lines()
        .find(|line| line.starts_with("a[1]"))
        .unwrap();
    assert!(line.ends_with(&format!("-f {server}/v.yaml:2")), "{line}");
    let wrong = format!("{server}/other?token=s3cret");
    let run = place.pintle(&["values", &web, "--set-file", &format!("a={wrong}")]);
    let run = run.fails_with(2).says(&[
        &format!("cannot fetch {server}/other"),
        "the server says 403 Forbidden",
    ]);
    assert!(!run.stderr.contains("s3cret"), "{run}");
}

const SCHEMA: &str = r#"{
  "type": "object",
  "required": ["name"],
  "properties": {
    "size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self % 2 == 1", "message": "must be odd"}]},
    "text": {"type": "string", "maxLength": 3},
    "port": {"type": "integer"},
    "list": {"items": {"enum": ["a", "b"]}},
    "pool": {"type": "object", "x-kubernetes-validations": [
      {"rule": "self.max < 9", "message": "too many"},
      {"rule": "self.all(key, self[key] > 0)", "message": "must be positive"}
    ]}
  },
  "x-kubernetes-validations": [
    {"rule": "self.pool.min <= self.pool.max && self.port != self.size", "message": "min is over max"}
  ]
}"#;

#[test]
fn a_schema_error_says_where_what_and_why() {
    let place = Place::without_namespace("values");
    let metadata =
        "apiVersion: v2\nname: c\nversion: 1.0.0\nannotations: {pintle.dev/engine: tera}\n";
    let chart = place.file("c/Chart.yaml", metadata);
    let chart = chart.trim_end_matches("/Chart.yaml");
    place.file("c/values.schema.json", SCHEMA);
    place.file(
        "c/values.yaml",
        "# defaults\nport: http\nsize: 1\npool: {min: 1, max: 2}\n",
    );
    let file = place.file("v.yaml", "list:\n- a\n- c\n");
    let text = place.file("text.txt", "long\n");
    let run = place
        .pintle(&[
            "template",
            "c",
            chart,
            "-f",
            &file,
            "--set",
            "size=4,pool.min=12",
            "--set",
            "pool.other=0",
            "--set-file",
            &format!("text={text}"),
        ])
        .fails_with(2);
    assert_eq!(
        run.stderr,
        format!(
            "error: values do not fit the chart's values.schema.json:\n  \
             the values: min is over max (pool.min from --set pool.min, pool.max from the chart's \
             values.yaml:4:21, port from the chart's values.yaml:2:7, size from --set size; \
             rule self.pool.min <= self.pool.max && self.port != self.size)\n  \
             list[1]: must be one of \"a\", \"b\", is \"c\" ({file}:3:3; schema /properties/list/items/enum)\n  \
             name: is required (schema /required)\n  \
             pool: must be positive (--set pool.other; rule self.all(key, self[key] > 0))\n  \
             port: must be integer, is string (the chart's values.yaml:2:7; schema /properties/port/type)\n  \
             size: must be odd (--set size; rule self % 2 == 1)\n  \
             text: must have at most 3 characters (--set-file text={text}; schema /properties/text/maxLength)\n"
        )
    );
}

#[test]
fn no_rule_of_a_chart_that_comes_with_pintle_is_passed_over() {
    for chart in ["charts/kcp", "charts/tenant", "examples/web"] {
        let schema = std::fs::read(path(&format!("{chart}/values.schema.json"))).unwrap();
        let found = pintle::chart::schema::rules_below_refs(&schema).unwrap();
        assert!(found.is_empty(), "{chart}: {found:?}");
    }
}
