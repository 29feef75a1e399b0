use super::*;
use proptest::prelude::*;
use serde_json::json;

fn apply_as(kind: Kind, text: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    let files = ["one.txt", "two.txt"].map(|path| (path.to_owned(), format!("text of {path}\n")));
    let files = &files.into_iter().collect();
    Argument { kind, text, files }.apply(values)
}

fn apply(text: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    apply_as(Kind::Set, text, values)
}

#[track_caller]
fn check_as(kind: Kind, argument: &str, expected: &Value) {
    let mut values = Map::new();
    apply_as(kind, argument, &mut values).unwrap();
    assert_eq!(&Value::Object(values), expected, "{argument}");
}

#[track_caller]
fn check_error_as(kind: Kind, argument: &str, expected: &str) {
    let error = apply_as(kind, argument, &mut Map::new()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[track_caller]
fn check(argument: &str, expected: &Value) {
    check_over(argument, json!({}), expected);
}

#[track_caller]
fn check_over(argument: &str, base: Value, expected: &Value) {
    let Value::Object(mut values) = base else {
        panic!("{base} is no mapping")
    };
    apply(argument, &mut values).unwrap();
    assert_eq!(&Value::Object(values), expected, "{argument}");
}

#[track_caller]
fn check_error(argument: &str, expected: &str) {
    let base = json!({"scalar": 1, "null": null, "list": [1, {"a": 1}], "map": {"a": 1}});
    let Value::Object(mut values) = base else {
        panic!("no mapping")
    };
    let error = apply(argument, &mut values).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn values_get_a_type() {
    check(
        "a=true,b=FALSE,c=Null",
        &json!({"a": true, "b": false, "c": null}),
    );
    check(
        "a=0,b=-5,c=+5,d=-05",
        &json!({"a": 0, "b": -5, "c": 5, "d": -5}),
    );
    check(
        "a=1.5,b=01,c=1e3,d=00",
        &json!({"a": "1.5", "b": "01", "c": "1e3", "d": "00"}),
    );
    check("a=9223372036854775807", &json!({"a": i64::MAX}));
    check(
        "a=9223372036854775808",
        &json!({"a": "9223372036854775808"}),
    );
    check("a=one two", &json!({"a": "one two"}));
}

#[test]
fn assignments_are_joined_by_commas() {
    check("a=1,b=2,", &json!({"a": 1, "b": 2}));
    check("a=,b=2", &json!({"a": "", "b": 2}));
    check("a=", &json!({"a": ""}));
    check("a=b=c", &json!({"a": "b=c"}));
    check("", &json!({}));
    check("=1", &json!({}));
    check("a=1,a=2", &json!({"a": 2}));
}

#[test]
fn a_backslash_takes_the_next_character_as_it_is() {
    check(
        r"a=one\,two,b=three\,four",
        &json!({"a": "one,two", "b": "three,four"}),
    );
    check(r"a\.b\[0\]=1", &json!({"a.b[0]": 1}));
    check(r"a\=b=\{1\}", &json!({"a=b": "{1}"}));
    check(r"a=x", &json!({"a": "x"}));
    check(r"a={x\,y,z\}}", &json!({"a": ["x,y", "z}"]}));
}

#[test]
fn dots_go_into_mappings() {
    check("a.b.c=1,a.b.d=2", &json!({"a": {"b": {"c": 1, "d": 2}}}));
    check("a.b=", &json!({"a": {"b": ""}}));
    check_over(
        "a.b=2",
        json!({"a": {"b": 1, "c": 3}}),
        &json!({"a": {"b": 2, "c": 3}}),
    );
}

#[test]
fn braces_make_lists() {
    check("a={1,x,null}", &json!({"a": [1, "x", null]}));
    check("a={}", &json!({"a": [""]}));
    check("a={1,2},b={3}", &json!({"a": [1, 2], "b": [3]}));
    check("a={1}b=2", &json!({"a": [1], "b": 2}));
    check("a.b={1}", &json!({"a": {"b": [1]}}));
}

#[test]
fn brackets_go_into_lists() {
    check("a[2]=x", &json!({"a": [null, null, "x"]}));
    check("a[0].b=1,a[0].c=2", &json!({"a": [{"b": 1, "c": 2}]}));
    check("a[1].b=1", &json!({"a": [null, {"b": 1}]}));
    check("a[1][1]=1", &json!({"a": [null, [null, 1]]}));
    check("a[0]=", &json!({"a": [""]}));
    check("a[0]", &json!({"a": []}));
    check("a[0][1]", &json!({"a": []}));
    check("a[0][1][2]", &json!({"a": []}));
    check("a[0].b=", &json!({"a": [{"b": ""}]}));
    check("a[0]={1,2}", &json!({"a": [[1, 2]]}));
    check_over("a[1]=9", json!({"a": [1, 2, 3]}), &json!({"a": [1, 9, 3]}));
    check_over("a[0].b=1", json!({"a": ["x"]}), &json!({"a": [{"b": 1}]}));
    check_over("a[0][0]=1", json!({"a": [null]}), &json!({"a": [[1]]}));
}

#[test]
fn faults_name_the_argument_and_the_key() {
    check_error("a,b=1", "--set a,b: key \"a\" has no value");
    check_error("a=1,,b=2", "--set a: key \"\" has no value");
    check_error("a.b", "--set a.b: key \"b\" has no value");
    check_error("a.=1", "--set a.: key \"a\" has no value");
    check_error("map.", "--set map.: key \"map\" has no value");
    check_error("a[", "--set a[: \"\" is not a list index");
    check_error("a[-1]=1", "--set a[-1]: \"-1\" is not a list index");
    check_error(
        "a[0]b=1",
        "--set a[0]b: unexpected \"b\" after a list index",
    );
    check_error(
        "a={1,2",
        "--set a: a list that starts with { must end with }",
    );
    check_error("scalar.a=1", "--set scalar.a: \"scalar\" is not a mapping");
    check_error("null.a=1", "--set null.a: \"null\" is not a mapping");
    check_error("map[0]=1", "--set map[0]: \"map\" is not a list");
    check_error("list[0][0]=1", "--set list[0][0]: \"[0]\" is not a list");
}

#[test]
fn limits_are_named() {
    check_error(
        "a[65537]=1",
        "--set a[65537]: list index 65537 is over the limit of 65536",
    );
    let argument = "a.".repeat(31);
    let text = format!("--set {argument}b: keys are nested more than 30 levels deep");
    check_error(&format!("{argument}b=1"), &text);
    let argument = format!("a{}", "[0]".repeat(100_000));
    let text = format!("--set {argument}: keys are nested more than 128 levels deep");
    check_error(&format!("{argument}=1"), &text);
    let argument = (0..20)
        .map(|n| format!("a{n}[65536]=1"))
        .collect::<Vec<_>>()
        .join(",");
    check_error(
        &argument,
        "--set a0[65536]: the list indexes leave more than 1000000 gaps",
    );
}

#[test]
fn parts_of_a_password_are_not_shown() {
    check_error(
        "password=hun,ter2",
        "--set password: key \"(hidden)\" has no value",
    );
}

#[test]
fn strings_get_no_type() {
    let check = |argument, expected| check_as(Kind::String, argument, &expected);
    check(
        "a=true,b=1,c=null",
        json!({"a": "true", "b": "1", "c": "null"}),
    );
    check("a={1,x}", json!({"a": ["1", "x"]}));
    check("a=,b[1]=0", json!({"a": "", "b": [null, "0"]}));
    check(r"a=one\,two", json!({"a": "one,two"}));
}

#[test]
fn files_are_set_as_text() {
    let check = |argument, expected| check_as(Kind::File, argument, &expected);
    check(
        "a=one.txt,b.c=two.txt",
        json!({"a": "text of one.txt\n", "b": {"c": "text of two.txt\n"}}),
    );
    check(
        "a={one.txt,two.txt}",
        json!({"a": ["text of one.txt\n", "text of two.txt\n"]}),
    );
    check("a=", json!({"a": ""}));
    check_error_as(Kind::File, "a=none", "--set-file a: \"none\" was not read");
    let named = files(r"a=one.txt,b={two\,2.txt,three},c=").unwrap();
    assert_eq!(named, ["one.txt", "two,2.txt", "three"]);
    assert!(files("a").is_err());
}

#[test]
fn json_is_read_as_json() {
    let check = |argument, expected| check_as(Kind::Json, argument, &expected);
    check(
        r#"a={"b":[1,null]},c="x,y" , d=1.5"#,
        json!({"a": {"b": [1, null]}, "c": "x,y", " d": 1.5}),
    );
    check("a=1 b=2", json!({"a": 1, "b": 2}));
    check("a=1b=true", json!({"a": 1, "b": true}));
    check("a=,b= ,c=", json!({"a": null, "b": null, "c": null}));
    check(r#"a.b[1]={"c":1}"#, json!({"a": {"b": [null, {"c": 1}]}}));
    check("a=6443.0,b=1e6", json!({"a": 6443, "b": 1_000_000}));
    check(r#" {"a": {"b": 1}} "#, json!({"a": {"b": 1}}));
    check("", json!({}));
    let mut values = values_of(json!({"a": {"b": 1}, "c": 1}));
    apply_as(Kind::Json, r#"{"a": {"d": null}, "c": {}}"#, &mut values).unwrap();
    assert_eq!(
        Value::Object(values),
        json!({"a": {"b": 1, "d": null}, "c": {}})
    );
}

#[test]
fn bad_json_is_not_shown() {
    check_error_as(
        Kind::Json,
        "a=s3cret",
        "--set-json a: the value of \"a\" is not JSON: expected value at line 1 column 1",
    );
    check_error_as(
        Kind::Json,
        r#"{"a": s3cret}"#,
        "--set-json {…}: the value of \"\" is not JSON: expected value at line 1 column 7",
    );
    let deep = format!("a={}", "[".repeat(100_000));
    let error = apply_as(Kind::Json, &deep, &mut Map::new()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn literals_are_taken_as_they_are() {
    let check = |argument, expected| check_as(Kind::Literal, argument, &expected);
    check(r"a=one\,two,b=3", json!({"a": r"one\,two,b=3"}));
    check("a.b[1].c={x}", json!({"a": {"b": [null, {"c": "{x}"}]}}));
    check(r"a,b\=1", json!({r"a,b\": "1"}));
    check("a=", json!({"a": ""}));
    check_error_as(
        Kind::Literal,
        "a.b",
        "--set-literal a.b: key \"b\" has no value",
    );
}

fn values_of(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

const KINDS: [Kind; 5] = [
    Kind::Json,
    Kind::Set,
    Kind::String,
    Kind::File,
    Kind::Literal,
];

/// Puts a backslash before everything that `--set` takes for its own.
fn escaped(text: &str) -> String {
    let special = |c: char| r"\,.=[]{}".contains(c);
    let escape = |c| if special(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

proptest! {
    #[test]
    fn every_kind_reads_or_refuses_any_text(
        argument in r#"[a-c.,=\[\]{}\\0-9 "]{0,40}|\PC{0,40}"#,
    ) {
        for kind in KINDS {
            let mut values = values_of(json!({"a": {"b": [1]}, "b": [null, {}], "c": 1}));
            let _ = apply_as(kind, &argument, &mut values);
        }
        let _ = files(&argument);
    }

    #[test]
    fn an_escaped_string_comes_back(key in "\\PC{1,12}", value in "\\PC{0,20}") {
        let argument = format!("{}={}", escaped(&key), escaped(&value));
        let expected = json!({ key.clone(): value.clone() });
        let mut values = Map::new();
        apply_as(Kind::String, &argument, &mut values).unwrap();
        prop_assert_eq!(Value::Object(values), expected);
    }

    #[test]
    fn a_literal_comes_back(value in "\\PC{0,20}") {
        let mut values = Map::new();
        apply_as(Kind::Literal, &format!("a={value}"), &mut values).unwrap();
        prop_assert_eq!(Value::Object(values), json!({ "a": value }));
    }

    #[test]
    fn json_comes_back(value in "\\PC{0,20}", number in any::<i64>()) {
        let wanted = json!({"s": value, "n": [number, null]});
        let mut values = Map::new();
        apply_as(Kind::Json, &format!("a={wanted},b={wanted}"), &mut values).unwrap();
        prop_assert_eq!(Value::Object(values), json!({"a": wanted, "b": wanted}));
    }

    #[test]
    fn any_text_is_read_or_refused(argument in r"[a-c.,=\[\]{}\\0-9 ]{0,40}|\PC{0,40}") {
        let _ = apply(&argument, &mut Map::new());
    }

    #[test]
    fn a_plain_assignment_sets_its_key(key in "[a-z]{1,8}", value in "[a-z]{0,8}z") {
        let mut values = Map::new();
        apply(&format!("{key}={value}"), &mut values).unwrap();
        prop_assert_eq!(values.get(&key), Some(&Value::from(value)));
    }
}
