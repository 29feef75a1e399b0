//! The table in `docs/functions.md`, row by row.

use std::collections::BTreeSet;

use serde_json::json;

use super::{FILTERS, FUNCTIONS};
use crate::chart::{File, Tree, Values};
use crate::render::tests::{capabilities, chart, try_text};
use crate::render::{Error, Operation, ReleaseFacts, Scope, render};

const DOCS: &str = include_str!("../../../docs/functions.md");

struct Row {
    name: String,
    arguments: BTreeSet<String>,
    example: String,
    result: String,
}

/// The cells between unescaped bars.
fn cells(line: &str) -> Vec<String> {
    line.replace("\\|", "\u{0}")
        .split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

fn code(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

fn rows() -> Vec<Row> {
    (DOCS
        .lines()
        .skip_while(|line| !line.starts_with("| Name | What it gives")))
    .skip(2)
    .take_while(|line| line.starts_with('|'))
    .map(|line| {
        let cells = cells(line);
        assert_eq!(cells.len(), 7, "{line}");
        Row {
            name: code(&cells[1]),
            arguments: (cells[3].split(", "))
                .map(|argument| code(argument.trim_matches(['[', ']'])))
                .filter(|argument| !argument.is_empty())
                .collect(),
            example: code(&cells[4]),
            result: cells[5].replace('`', "").replace('↵', "\n"),
        }
    })
    .collect()
}

fn values() -> Values {
    let start = DOCS.find("```yaml\n").unwrap() + "```yaml\n".len();
    let end = start + DOCS[start..].find("```").unwrap();
    let values = crate::yaml::parse(&DOCS[start..end]).unwrap();
    Values(values.as_object().unwrap().clone())
}

fn run(example: &str) -> Result<String, Error> {
    let mut chart = chart(&[
        ("templates/a.yaml", example),
        ("conf/app.ini", "a=1"),
        ("conf/db.ini", "b=2"),
    ]);
    chart.files.push(File {
        path: "logo.png".to_owned(),
        data: vec![0x89, b'P', 0xff],
    });
    let scope = Scope {
        release: ReleaseFacts {
            name: "shop",
            namespace: "shops",
            revision: 1,
            operation: Operation::Install,
        },
        values: values(),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    let rendered = render(&Tree::of(&chart).unwrap(), scope)?;
    Ok(rendered.files.into_iter().map(|file| file.text).collect())
}

#[test]
fn every_function_has_a_row_and_every_row_a_function() {
    let described: Vec<(String, BTreeSet<String>)> = {
        let rows = rows().into_iter().map(|row| (row.name, row.arguments));
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        rows
    };
    let mut known: Vec<(String, BTreeSet<String>)> = (FILTERS.into_iter().chain(FUNCTIONS))
        .flatten()
        .filter(|entry| !entry.name.starts_with("__"))
        .map(|entry| {
            let arguments = entry.arguments.iter().map(|&argument| argument.to_owned());
            (entry.name.to_owned(), arguments.collect())
        })
        .collect();
    known.sort();
    assert_eq!(described, known);
}

#[test]
fn every_example_gives_its_result() {
    for row in rows() {
        assert!(row.example.contains(&row.name), "{}", row.example);
        let found = match run(&row.example) {
            Ok(text) => text,
            Err(Error::Template(fault)) => format!("error: {}", fault.message),
            Err(other) => panic!("{}: {other}", row.example),
        };
        assert_eq!(found, row.result, "{}", row.example);
    }
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(run(template).unwrap(), expected, "{template}");
}

/// `part` is a part of the message.
#[track_caller]
fn check_error(template: &str, part: &str) {
    let report = run(template).unwrap_err().report();
    let headline = report.lines().next().unwrap();
    assert!(headline.contains(part), "{template}: {headline}");
}

#[test]
fn text_keeps_its_meaning() {
    check("{{ '' | indent(n=2) }}", "");
    check("{{ \"a\\n\\nb\\n\" | indent(n=2) }}", "  a\n\n  b\n");
    check("{{ 5 | indent(n=1) }}", " 5");
    check(
        "{{ none | quote }}{{ true | quote }}{{ 1.5 | quote }}",
        "\"\"\"true\"\"1.5\"",
    );
    check("{{ \"a\u{7f}\u{feff}\" | quote }}", "\"a\\u007f\\ufeff\"");
    check_error(
        "{{ values.image | quote }}",
        "quote: the value must be a string, not a map",
    );
    check_error(
        "{{ \"a\\nb\" | squote }}",
        "single quotes cannot hold a line break",
    );
    check_error("{{ 'a' | indent(n=-1) }}", "n must be between 0 and 1000");
    check_error(
        "{{ 'a' | indent(n=100000) }}",
        "n must be between 0 and 1000",
    );
    check_error("{{ 'a' | indent }}", "indent: the argument n is missing");
    check_error("{{ values.none | str }}", "values.none is not defined");
}

#[test]
fn quoted_text_is_read_back_as_it_was() {
    for text in [
        "yes",
        "0644",
        "a: b",
        "\u{85}\u{2028}\t\n\\\"'",
        "é\u{1f600}",
        "",
        " # x",
    ] {
        let given = json!({ "text": text });
        let found = try_text("{{ values.text | quote }}", &given).unwrap();
        assert_eq!(crate::yaml::parse(&found).unwrap(), json!(text), "{found}");
    }
}

#[test]
fn names_stay_names() {
    let long = "a".repeat(56) + ".b" + &"c".repeat(20);
    let found = run(&format!("{{{{ '{long}' | k8s_name }}}}")).unwrap();
    assert_eq!(found.len(), 62, "{found}");
    assert!(!found.contains("--"), "{found}");
    let other = run(&format!("{{{{ '{long}d' | k8s_name }}}}")).unwrap();
    assert_ne!(found, other);
    check("{{ 'a.b-c' | k8s_name }}", "a-b-c");
    check_error(
        "{{ 'a' | k8s_name(max=6) }}",
        "max must be between 7 and 253",
    );
    check("{{ 'ééééé' | k8s_name(max=9) | length }}", "7");
}

#[test]
fn encodings_refuse_what_they_cannot_hold() {
    check_error("{{ 'a: [' | from_yaml }}", "not valid YAML (line 1");
    check_error("{{ '{' | from_json }}", "not valid JSON (line 1, column 1)");
    check_error("{{ '*' | b64decode }}", "not valid base64");
    check_error("{{ '/w==' | b64decode }}", "not text");
    check("{{ 'YQ==\n' | b64decode }}", "a");
    check(
        "{{ 1000000 | to_json }}{{ [6443, 1.5, none] | to_json }}",
        "1000000[6443,1.5,null]",
    );
}

#[test]
fn maps_are_in_order_and_strict() {
    check(
        "{% for k, v in {'b': 1} | merge(with={'a': 2}) %}{{ k }}{% endfor %}",
        "ab",
    );
    check(
        "{{ {'a': {'b': 1} } | deep_merge(with={'a': none}) | to_json }}",
        r#"{"a":null}"#,
    );
    check("{{ values | dig(path=['image', 'tag']) }}", "1.29");
    check_error(
        "{{ values | dig(path='image.x') }}",
        "dig: image.x is not there",
    );
    check_error(
        "{{ values.text | merge(with={}) }}",
        "must be a map, not a string",
    );
    check_error(
        "{{ values.image | pick(keys='tag') }}",
        "keys must be a list of strings",
    );
}

#[test]
fn files_outside_the_chart_are_refused() {
    check_error(
        "{{ file(path='conf/ap.ini') }}",
        "no file conf/ap.ini; did you mean conf/app.ini?",
    );
    check_error(
        "{{ file(path='/etc/passwd') }}",
        "the chart has no file /etc/passwd",
    );
    check_error(
        "{{ file(path='../secret') }}",
        "the chart has no file ../secret",
    );
    check_error(
        "{{ file(path='templates/a.yaml') }}",
        "the chart has no file",
    );
    check_error("{{ file(path='logo.png') }}", "logo.png is not UTF-8 text");
    check("{{ file(path='logo.png', encoding='base64') }}", "iVD/");
    check("{{ files_glob(pattern='*.ini') | length }}", "0");
    check("{{ files_glob(pattern='**/*.ini') | length }}", "2");
    check_error("{{ files_glob(pattern='[') }}", "not a valid file pattern");
}

/// Of a cluster, a clock, chance, the environment or a network a template learns nothing: there is no such
/// function or filter, whatever other template languages call it.
#[test]
fn nothing_but_what_is_given_can_be_asked_for() {
    for name in [
        "lookup",
        "getHostByName",
        "get_host_by_name",
        "now",
        "date",
        "ago",
        "unixEpoch",
        "get_env",
        "env",
        "expandenv",
        "get_random",
        "randAlphaNum",
        "rand_alpha_num",
        "randInt",
        "shuffle",
        "uuidv4",
        "genCA",
        "genSignedCert",
        "genPrivateKey",
        "derivePassword",
        "get_file",
        "load_data",
        "include_raw",
        "exec",
    ] {
        let unknown = |what: &str, text: String| {
            let error = try_text(&text, &json!({})).unwrap_err().to_string();
            assert!(
                error.contains(&format!("there is no {what} {name}")),
                "{error}"
            );
        };
        unknown("function", format!("{{{{ {name}() }}}}"));
        unknown("function", format!("{{{{ {name}(name='a') }}}}"));
        unknown("filter", format!("{{{{ 'a' | {name} }}}}"));
    }
}

#[test]
fn names_that_are_offered_exist() {
    for name in super::tests() {
        let error = try_text(&format!("{{{{ 1 is {name} }}}}"), &json!({})).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(!error.contains("there is no test"), "{error}");
    }
    for name in super::filters() {
        let error = try_text(&format!("{{{{ 'a' | {name} }}}}"), &json!({})).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(!error.contains("there is no filter"), "{error}");
    }
}

#[test]
fn two_files_of_one_name_do_not_hide_each_other() {
    let chart = chart(&[
        ("templates/a.yaml", "{{ files_config(pattern='**') }}"),
        ("a/x", ""),
        ("b/x", ""),
    ]);
    let scope = Scope {
        release: crate::render::tests::RELEASE,
        values: Values::default(),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    let error = render(&Tree::of(&chart).unwrap(), scope)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("more than one file has the name x"),
        "{error}"
    );
}

#[test]
fn expressions_have_a_size_limit() {
    check_error(
        "{{ 'a' | regex_match(pattern='(') }}",
        "not a valid regular expression",
    );
    check_error(
        "{{ 'a' | regex_match(pattern='(\\\\w{100}){100}') }}",
        "larger than the limit",
    );
    check("{{ 'a' | regex_find(pattern='b') }}", "");
}

#[test]
fn conditions_choose() {
    check("{{ has_api(name='batch/v1') }}", "false");
    check("{{ 0 | ternary(yes=1, no=2) }}", "2");
    check("{{ values.port | required(message='x') }}", "6443");
    check_error(
        "{{ '' | required(message='Say it. Undefined') }}",
        ": Say it. Undefined",
    );
    check_error("{{ none | required(message='m') }}", ": m");
    check_error(
        "{% component c(a) %}{{ has_api(name=a) }}{% endcomponent c %}{{ <c a='v1' /> }}",
        "must declare @capabilities",
    );
}

#[test]
fn wrong_arguments_are_named() {
    check_error(
        "{{ values.image | merge(wth={}) }}",
        "no argument wth; did you mean with?",
    );
    check_error(
        "{{ values.text | quote(x=1) }}",
        "quote: it takes no arguments",
    );
    check_error(
        "{{ values.image | merge(with=values.x) }}",
        "the argument with is not defined",
    );
    check_error(
        "{{ values.network | cidr_host(n='1') }}",
        "n must be a whole number, not a string",
    );
    check_error(
        "{{ values.text | ip_family }}",
        "neither an address nor a network",
    );
    check_error(
        "{{ '10.0.0.0/30' | cidr_host(n=4) }}",
        "fewer addresses than n",
    );
}
