//! Values, schemas and rules that grow without end.

use std::fmt::Write as _;

use super::{TEMPLATE, Trap};

/// Ten levels of ten aliases each.
pub(super) fn aliases() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{below}]").unwrap();
    }
    text
}

/// Text that is refused, with `why` for the reason, in values of the chart and of the user and in
/// `Chart.yaml`, by the commands that read them.
#[track_caller]
fn check_text(text: &str, why: &str) {
    let trap = Trap::new().with("small/values.yaml", text);
    trap.refuses(TEMPLATE, "values.yaml:1:");
    trap.refuses(TEMPLATE, why);
    let trap = Trap::new().with("more.yaml", text);
    trap.refuses(&[TEMPLATE, &["-f", "more.yaml"]].concat(), "more.yaml:1:");
    let trap = Trap::new().with("small/Chart.yaml", text);
    trap.refuses(TEMPLATE, "Chart.yaml:1:");
}

/// Text that is refused. All files are read by one reader, so that one of them shows it.
#[track_caller]
fn check_more(text: &str) {
    let trap = Trap::new().with("more.yaml", text);
    trap.refuses(&[TEMPLATE, &["-f", "more.yaml"]].concat(), "more.yaml:");
}

#[test]
fn yaml_that_explodes() {
    const NESTED: &str = "recursion limit";
    check_text(&"[".repeat(100_000), NESTED);
    for text in ["{a: ", "- ", "? "] {
        check_more(&text.repeat(100_000));
    }
    check_more("a: &a [*a]\n");
    check_more("a: &a {<<: *a}\n");
    check_more("a: 1\na: 2\n");
    check_more("a: !!binary =\n");
    check_more("a: \"\u{1b}[2J\n");
    let trap = Trap::new().with("small/values.yaml", "[".repeat(100_000));
    trap.run(&["lint", "./small"]);
}

/// Reading them takes longest, because no limit is crossed before 250,000 nodes are repeated.
#[test]
fn yaml_that_repeats_itself() {
    let trap = Trap::new().with("small/values.yaml", aliases());
    trap.refuses(TEMPLATE, "total_replayed_events");
    let trap = Trap::new().with("more.yaml", aliases());
    trap.refuses(&[TEMPLATE, &["-f", "more.yaml"]].concat(), "more.yaml:");
}

/// Reading them takes one part of the memory that is allowed, and rendering another.
#[test]
fn values_of_many_small_mappings() {
    let mut text = String::new();
    for number in 0..40_000 {
        let line = format!("key-{number}: {{a: [1, 2, {{b: value {number}}}], c: text {number}}}");
        writeln!(text, "{line}").unwrap();
    }
    let trap = Trap::new().with("small/values.yaml", &text);
    trap.run(TEMPLATE);
}

#[track_caller]
fn check_flag(flag: &str, value: &str, part: &str) {
    Trap::new().refuses(&[TEMPLATE, &[flag, value]].concat(), part);
}

#[test]
fn flags_that_explode() {
    check_flag("--set", "a[999999999999]=1", "a[999999999999]");
    check_flag("--set", "a[65537]=1", "65536");
    check_flag("--set", "a[-1]=1", "a[-1]");
    check_flag("--set-string", "a[99999999]=1", "65536");
    let deep = "a.".repeat(10_000) + "a=1";
    for flag in ["--set", "--set-string", "--set-literal"] {
        check_flag(flag, &deep, "");
    }
    check_flag(
        "--set",
        &("a".to_owned() + &"[0]".repeat(20_000) + "=1"),
        "",
    );
    check_flag("--set", &("a=".to_owned() + &"{".repeat(20_000)), "");
    check_flag("--set-json", &("a=".to_owned() + &"[".repeat(50_000)), "");
    check_flag("--set-json", &"{\"a\":".repeat(10_000), "");
}

/// Sixty-four indexes of 65,536 elements each.
#[test]
fn flags_that_fill_memory() {
    let many: Vec<_> = (0..64).map(|at| format!("a{at}[65536]=1")).collect();
    Trap::new().run(&[TEMPLATE, &["--set", &many.join(",")]].concat());
    let nested = "a".to_owned() + &"[65536]".repeat(25) + "=1";
    Trap::new().run(&[TEMPLATE, &["--set", &nested]].concat());
}

#[track_caller]
fn check_schema(schema: &str, values: &str, part: &str) {
    let trap = Trap::new()
        .with("small/values.schema.json", schema)
        .with("small/values.yaml", values)
        .endless();
    trap.refuses(TEMPLATE, part);
    trap.run(&["lint", "./small"]);
}

#[test]
fn schemas_that_never_end() {
    check_schema(&"[".repeat(100_000), "", "values.schema.json");
    check_schema(&"{\"not\":".repeat(50_000), "", "values.schema.json");
    let deep = format!("{}true{}", "{\"not\":".repeat(5_000), "}".repeat(5_000));
    check_schema(&deep, "", "values.schema.json");
    check_schema(r##"{"$ref": "#/$defs/none"}"##, "", "values.schema.json");
    check_schema("{\"$ref\": \"file:///etc/passwd\"}", "", "");
    check_schema("{\"$ref\": \"file:///dev/zero\"}", "", "");
    check_schema("{\"$ref\": \"http://127.0.0.1:9/x\"}", "", "");
    check_schema("{\"pattern\": \"(\"}", "", "values.schema.json");
    check_schema("{\"type\": 1}", "", "values.schema.json");
    check_schema("null", "", "values.schema.json");
    let doubling: Vec<_> = (0..40)
        .map(|at| format!(r##""d{at}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##, at + 1))
        .collect();
    let doubling = format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d40": {{"type": "array"}}}}}}"##,
        doubling.join(", ")
    );
    check_schema(&doubling, "a: 1\n", "");
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    let trap = Trap::new()
        .with("small/values.schema.json", r##"{"$ref": "#"}"##)
        .with("small/values.yaml", "a: 1\n");
    trap.run(TEMPLATE);
    let tree = r##"{"additionalProperties": {"$ref": "#"}}"##;
    let trap = Trap::new()
        .with("small/values.schema.json", tree)
        .with("small/values.yaml", "a: {b: {c: {}}}\n");
    trap.does(TEMPLATE);
}

#[test]
fn patterns_that_backtrack() {
    let schema = r#"{"properties": {"a": {"pattern": "^(a+)+$"}, "b": {"pattern": "^(?=(a+)+$)(a|aa)+\\1$"}}}"#;
    let long = "a".repeat(50_000);
    let trap = Trap::new()
        .with("small/values.schema.json", schema)
        .with("small/values.yaml", format!("a: {long}!\nb: {long}!\n"));
    trap.run(TEMPLATE);
}

#[test]
fn rules_that_never_end() {
    let rule = |rule: &str| {
        format!(r#"{{"x-kubernetes-validations": [{{"rule": {rule:?}, "message": "no"}}]}}"#)
    };
    let list: Vec<_> = (0..400).map(|at| at.to_string()).collect();
    let list = format!("a: [{}]\n", list.join(", "));
    let all = "self.a.all(a, self.a.all(b, self.a.all(c, self.a.all(d, a + b + c + d >= 0))))";
    check_schema(&rule(all), &list, "");
    check_schema(&rule(&"(".repeat(20_000)), &list, "values.schema.json");
    check_schema(
        &rule(&vec!["self.a"; 20_000].join(" + ")),
        &list,
        "values.schema.json",
    );
    check_schema(
        &rule("self.a.all(a, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(('))"),
        &list,
        "",
    );
}

/// Keys and values that would steer a terminal do not reach it by an error.
#[test]
fn keys_that_steer_terminals() {
    let trap = Trap::new()
        .with(
            "small/values.schema.json",
            r#"{"additionalProperties": false}"#,
        )
        .with("small/values.yaml", r#"{"\e[2J\a\u202e": "\e[31mred"}"#);
    trap.refuses(TEMPLATE, "");
    trap.run(&["lint", "./small"]);
    trap.run(&["values", "./small", "--explain"]).code.unwrap();
    let trap = Trap::new().with("small/templates/a.yaml", "{{ values.b }}");
    let trap = trap.with("small/values.yaml", r#"{"\e[2J": {"\e[1A": 1}}"#);
    trap.refuses(TEMPLATE, "a.yaml");
}
