use super::*;
use crate::chart::{Layer, Overrides};
use serde_json::json;

fn values(value: Value) -> Values {
    serde_json::from_value(value).unwrap()
}

fn run(schema: &Value, new: Value, previous: &[Value]) -> Result<(), Error> {
    let previous: Vec<Values> = previous.iter().cloned().map(values).collect();
    let previous: Vec<&Values> = previous.iter().collect();
    check(schema.to_string().as_bytes(), &values(new), &previous)
}

/// Each violation as `path expectation`.
#[track_caller]
fn check_lines(result: Result<(), Error>, expected: &[&str]) {
    let found: Vec<String> = match result {
        Ok(()) => Vec::new(),
        Err(Error::Violations(list)) => list
            .iter()
            .map(|v| format!("{} {}", v.path, v.expected))
            .collect(),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(found, expected);
}

#[track_caller]
fn check_keywords(property: &Value, value: impl Into<Value>, expected: &[&str]) {
    let schema = json!({"properties": {"a": property}});
    check_lines(run(&schema, json!({"a": value.into()}), &[]), expected);
}

#[track_caller]
fn check_error(schema: &Value, expected: &str) {
    assert_eq!(
        run(schema, json!({"a": 1}), &[]).unwrap_err().to_string(),
        expected
    );
}

#[test]
fn keywords_say_what_they_expect() {
    check_keywords(&json!({"type": "integer"}), json!(1), &[]);
    check_keywords(
        &json!({"type": "integer"}),
        json!("x"),
        &["a must be integer, is string"],
    );
    check_keywords(
        &json!({"type": ["string", "null"]}),
        json!([]),
        &["a must be null or string, is array"],
    );
    check_keywords(
        &json!({"enum": ["one", 2]}),
        json!("three"),
        &["a must be one of \"one\", 2, is \"three\""],
    );
    check_keywords(&json!({"const": 1}), json!(2), &["a must be 1, is 2"]);
    check_keywords(
        &json!({"minimum": 1}),
        json!(0),
        &["a must be at least 1, is 0"],
    );
    check_keywords(
        &json!({"pattern": "^x"}),
        json!("y"),
        &["a must match \"^x\", is \"y\""],
    );
    check_keywords(
        &json!({"maxLength": 1}),
        json!("xyz"),
        &["a must have at most 1 characters"],
    );
    check_keywords(
        &json!({"items": {"type": "string"}}),
        json!(["x", 1]),
        &["a[1] must be string, is integer"],
    );
    check_keywords(&json!(false), json!(1), &["a is not allowed"]);
    check_keywords(
        &json!({"oneOf": [{"type": "object", "required": ["x", "y"]}, {"type": "string"}]}),
        json!(1),
        &["a fits none of 2 alternatives (the closest: must be object, is integer)"],
    );
}

#[test]
fn every_violation_is_found_and_sorted() {
    let schema = json!({
        "properties": {"b": {"type": "string"}, "a": {"type": "object", "required": ["x"]}},
        "required": ["c"],
    });
    check_lines(
        run(&schema, json!({"b": 1, "a": {}}), &[]),
        &[
            "a.x is required",
            "b must be string, is integer",
            "c is required",
        ],
    );
}

#[test]
fn unknown_keys_get_a_suggestion() {
    let schema = json!({
        "$defs": {"etcd": {"properties": {"replicas": {}}, "additionalProperties": false}},
        "properties": {"etcd": {"$ref": "#/$defs/etcd"}},
        "additionalProperties": false,
    });
    check_lines(
        run(&schema, json!({"etcd": {"replica": 1}, "x": 1}), &[]),
        &[
            "etcd.replica is not a known key: did you mean replicas?",
            "x is not a known key",
        ],
    );
}

#[test]
fn keys_that_nothing_allows_are_named() {
    let none = json!({"additionalProperties": false});
    check_lines(
        run(&none, json!({"x": 1, "y": {}}), &[]),
        &["x is not a known key", "y is not a known key"],
    );
    let inside = json!({"properties": {"a": none}});
    check_lines(
        run(&inside, json!({"a": {"x": 1}}), &[]),
        &["a.x is not a known key"],
    );
    let property = json!({"properties": {"additionalProperties": false}});
    check_lines(
        run(&property, json!({"additionalProperties": {"x": 1}}), &[]),
        &["additionalProperties is not allowed"],
    );
    let overrides = Overrides {
        layers: vec![Layer::Set("x=1".into())],
    };
    let mut origins = Origins::default();
    origins.overrides(&overrides).unwrap();
    let error = run(&none, json!({"x": 1}), &[]).unwrap_err();
    assert_eq!(
        error.traced(&origins).to_string(),
        "values do not fit the chart's values.schema.json:\
         \n  x: is not a known key (--set x; schema /additionalProperties)"
    );
}

#[test]
fn likely_secrets_are_not_shown() {
    let schema = json!({"properties": {
        "password": {"pattern": "^[0-9]+$", "enum": ["1"]},
        "token": {"const": "x"},
        "auth": {"anyOf": [{"const": 1}, {"const": 2}]},
        "apiKey": {
            "type": "integer",
            "x-kubernetes-validations": [{
                "rule": "self == 1",
                "message": "must be one",
                "messageExpression": "'must not be ' + self",
            }],
        },
    }});
    let new = json!({"password": "hunter2", "token": "t0k3n", "auth": "4uth", "apiKey": "k3y"});
    check_lines(
        run(&schema, new, &[]),
        &[
            "apiKey must be integer, is string",
            "apiKey must be one",
            "auth fits none of 2 alternatives (the closest: must be 1)",
            "password must be one of \"1\"",
            "password must match \"^[0-9]+$\"",
            "token must be \"x\"",
        ],
    );
}

#[test]
fn rules_are_evaluated_at_every_depth() {
    let schema = json!({
        "x-kubernetes-validations": [
            {"rule": "self.min <= self.max", "message": "min is over max", "fieldPath": ".min"},
        ],
        "properties": {"pools": {"items": {
            "x-kubernetes-validations": [
                {"rule": "self.size > 0", "messageExpression": "'has size ' + string(self.size)"},
            ],
        }}},
        "additionalProperties": {"x-kubernetes-validations": [{"rule": "self != 7"}]},
    });
    let new = json!({"min": 2, "max": 1, "pools": [{"size": 1}, {"size": 0}], "z": 7});
    check_lines(
        run(&schema, new, &[]),
        &[
            "min min is over max",
            "pools[1] has size 0",
            "z must fit the rule \"self != 7\"",
        ],
    );
}

fn one_minor_at_a_time() -> Value {
    json!({"properties": {"minor": {"x-kubernetes-validations": [
        {"rule": "self <= oldSelf + 1", "messageExpression": "'skips over ' + string(oldSelf + 1)"},
        {"rule": "self > 30", "message": "is too old"},
    ]}}})
}

#[test]
fn transitions_are_checked_against_every_previous_revision() {
    let schema = one_minor_at_a_time();
    let minor = |minor: u64| json!({"minor": minor});
    check_lines(run(&schema, minor(36), &[]), &[]);
    check_lines(run(&schema, minor(36), &[minor(35), minor(36)]), &[]);
    check_lines(run(&schema, minor(36), &[json!({})]), &[]);
    check_lines(
        run(&schema, minor(36), &[minor(36), minor(33), minor(34)]),
        &["minor skips over 34", "minor skips over 35"],
    );
    check_lines(
        run(&schema, minor(30), &[minor(30), minor(31)]),
        &["minor is too old"],
    );
}

#[test]
fn the_running_charts_rules_are_only_those_about_change() {
    let check_rules = |schema: &str, previous: &[&Values]| {
        let schema = RecordedSchema {
            keys: vec![],
            chart: String::new(),
            schema: schema.to_owned(),
        };
        let unasked = schema.check(&values(json!({"minor": 22})), previous)?;
        assert_eq!(unasked, []);
        Ok(())
    };
    let schema = one_minor_at_a_time().to_string();
    let old = values(json!({"minor": 20}));
    check_lines(check_rules(&schema, &[&old]), &["minor skips over 21"]);
    check_lines(check_rules(&schema, &[]), &[]);
    check_lines(check_rules(r#"{"type": "string"}"#, &[&old]), &[]);
}

#[test]
fn rules_that_cannot_be_evaluated_say_why() {
    let rule = |rule: &str| json!({"x-kubernetes-validations": [{"rule": rule}]});
    let new = || json!({"a": "s3cr3t", "a_b": 1});
    check_lines(
        run(&rule("self.b == 1"), new(), &[]),
        &[" has the rule \"self.b == 1\", which fails: there is no b"],
    );
    check_lines(
        run(&rule("self.a + 1 == 2"), new(), &[]),
        &[" has the rule \"self.a + 1 == 2\", which fails: add does not fit its operands"],
    );
    check_lines(
        run(&rule("self.a"), new(), &[]),
        &[" has the rule \"self.a\", which gives neither true nor false"],
    );
}

#[test]
fn keys_are_called_as_in_a_custom_resource_definition() {
    let all = "self.a_b == 1 && self.a__underscores__b == 2 && self.a__dash__b == 3 && \
               self.n.x_y == 4 && self.n.x__dot__y == 5 && self.__if__ == 6";
    let schema = json!({
        "properties": {"a_b": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": all}],
    });
    let new = json!({
        "a_b": 1, "a__b": 2, "a-b": 3, "n": {"x_y": 4, "x.y": 5}, "if": 6,
    });
    check_lines(run(&schema, new, &[]), &[]);
    let data = json!({
        "additionalProperties": {"type": "integer"},
        "x-kubernetes-validations": [{"rule": "self['a__b'] == 1 && self['a-b'] == 2"}],
    });
    check_lines(run(&data, json!({"a__b": 1, "a-b": 2}), &[]), &[]);
}

#[test]
fn texts_have_the_formats_of_their_schema() {
    let rule = "self.at > timestamp('2020-01-01T00:00:00Z') && self.wait == duration('90s') && \
                size(self.data) == 1 && self.no == 'x'";
    let schema = json!({
        "properties": {
            "at": {"format": "date-time"},
            "wait": {"format": "duration"},
            "data": {"format": "byte"},
            "no": {"format": "date-time"},
        },
        "x-kubernetes-validations": [{"rule": rule}],
    });
    let new = json!({"at": "2021-01-01T00:00:00Z", "wait": "1m30s", "data": "eA==", "no": "x"});
    check_lines(run(&schema, new, &[]), &[]);
}

#[test]
fn an_optional_old_value_may_be_none() {
    let schema = json!({"properties": {"n": {"x-kubernetes-validations": [{
        "rule": "oldSelf.hasValue() ? self >= oldSelf.value() : self == 1",
        "message": "starts at 1 and rises",
        "optionalOldSelf": true,
    }]}}});
    let n = |n: u64| json!({"n": n});
    check_lines(run(&schema, n(1), &[]), &[]);
    check_lines(run(&schema, n(2), &[]), &["n starts at 1 and rises"]);
    check_lines(
        run(&schema, n(2), &[json!({})]),
        &["n starts at 1 and rises"],
    );
    check_lines(run(&schema, n(2), &[n(1)]), &[]);
    check_lines(
        run(&schema, n(2), &[n(1), n(3)]),
        &["n starts at 1 and rises"],
    );
    let or_value = json!({"properties": {"n": {"x-kubernetes-validations": [{
        "rule": "self >= oldSelf.orValue(5)", "optionalOldSelf": true,
    }]}}});
    let refused = ["n must fit the rule \"self >= oldSelf.orValue(5)\""];
    check_lines(run(&or_value, n(2), &[]), &refused);
    check_lines(run(&or_value, n(2), &[n(2)]), &[]);
}

#[test]
fn a_rule_has_no_unknown_key() {
    let schema = |key: &str| json!({"x-kubernetes-validations": [{"rule": "true", key: true}]});
    check_error(
        &schema("optionalOldself"),
        "values.schema.json: a rule for the values has the unknown key optionalOldself: did you \
         mean optionalOldSelf?",
    );
    check_error(
        &schema("zzz"),
        "values.schema.json: a rule for the values has the unknown key zzz; it may have rule, \
         message, messageExpression, reason, fieldPath, optionalOldSelf",
    );
    let all = json!({"x-kubernetes-validations": [{
        "rule": "true", "message": "x", "messageExpression": "'x'", "reason": "FieldValueInvalid",
        "fieldPath": ".a", "optionalOldSelf": true,
    }]});
    check_lines(run(&all, json!({}), &[]), &[]);
}

#[test]
fn defaults_in_the_schema_do_not_count() {
    let schema = json!({
        "x-kubernetes-validations": [{"rule": "!has(self.b)"}],
        "properties": {"b": {"default": 1}},
    });
    check_lines(run(&schema, json!({}), &[]), &[]);
}

#[test]
fn a_wrong_schema_is_named() {
    let rule = json!([{"rule": "self >"}]);
    check_error(
        &json!({"properties": {"a": {"x-kubernetes-validations": rule}}}),
        "values.schema.json: \"self >\", a rule for a, is not valid CEL",
    );
    check_error(
        &json!({"anyOf": [{"x-kubernetes-validations": rule}]}),
        "values.schema.json: a rule for the values stands below anyOf, where it is never \
         evaluated; write it below properties, items, additionalProperties or allOf",
    );
    let change = json!({"rule": "self == oldSelf"});
    check_error(
        &json!({"properties": {"a": {"items": {"x-kubernetes-validations": [change]}}}}),
        "values.schema.json: a rule for a[] uses oldSelf below a list; write it for the \
         mapping that has the list",
    );
    check_error(
        &json!({"x-kubernetes-validations": [{"message": "x"}]}),
        "values.schema.json: a rule for the values is not written as a rule: missing field \
         `rule`",
    );
    check_error(
        &json!({"properties": {"a": {"type": "int"}}}),
        "values.schema.json: not a valid schema at /properties/a/type: \"int\" is not valid \
         under any of the schemas listed in the 'anyOf' keyword",
    );
    let text = check(b"{", &Values::default(), &[])
        .unwrap_err()
        .to_string();
    assert_eq!(text, "values.schema.json: not valid JSON");
}

#[test]
fn nothing_outside_of_the_schema_is_read() {
    for reference in [
        "file:///dev/zero",
        "https://example.com/schema.json",
        "other.json",
    ] {
        let error = run(&json!({"$ref": reference}), json!({}), &[]).unwrap_err();
        assert!(matches!(error, Error::Reference { .. }), "{error}");
    }
    let schema = json!({"$schema": "https://example.com/draft"});
    assert!(matches!(
        run(&schema, json!({}), &[]),
        Err(Error::Invalid { .. })
    ));
}

#[test]
fn depth_is_limited() {
    let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert!(run(&json!({}), deep(200), &[]).is_ok());
    assert!(matches!(
        run(&json!({}), deep(201), &[]),
        Err(Error::TooDeep)
    ));
    let recursive = json!({"properties": {"a": {"$ref": "#"}}, "$ref": "#"});
    assert!(run(&recursive, deep(200), &[]).is_ok());
    let nested = "[".repeat(10_000);
    assert!(matches!(
        check(nested.as_bytes(), &Values::default(), &[]),
        Err(Error::Json(_))
    ));
}

#[track_caller]
fn check_expression(rule: &str, problem: &str) {
    let schema = json!({"x-kubernetes-validations": [{"rule": rule}]});
    let error = run(&schema, json!({}), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("values.schema.json: a rule for the values {problem}")
    );
}

#[test]
fn expressions_have_limits() {
    let brackets = |depth| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    check_expression(
        &brackets(33),
        "has more than 32 nested brackets or conditionals",
    );
    let conditions = "true ? true : ".repeat(33) + "true";
    check_expression(
        &conditions,
        "has more than 32 nested brackets or conditionals",
    );
    check_expression(&" ".repeat(5000), "is longer than 4096 bytes");
    for rule in [brackets(32), "1".to_owned() + &"+1".repeat(2040) + "> 1"] {
        let schema = json!({"x-kubernetes-validations": [{"rule": rule}]});
        assert!(run(&schema, json!({}), &[]).is_ok());
    }
    for steps in [".a".repeat(2040), "[0]".repeat(1360)] {
        let schema = json!({"x-kubernetes-validations": [{"rule": format!("self{steps}")}]});
        let refused = run(&schema, json!({}), &[]);
        assert!(matches!(refused, Err(Error::Violations(_))), "{refused:?}");
    }
}

#[test]
fn one_schema_checks_any_number_of_values() {
    let schema = Schema::compile(one_minor_at_a_time().to_string().as_bytes()).unwrap();
    let minor = |minor: u64| values(json!({"minor": minor}));
    let lines = |new, previous: &[&Values], expected: &[&str]| {
        check_lines(schema.check(&minor(new), previous), expected);
    };
    for _ in 0..2 {
        lines(36, &[], &[]);
        lines(36, &[&minor(34)], &["minor skips over 35"]);
        let both = ["minor skips over 34", "minor skips over 35"];
        lines(36, &[&minor(36), &minor(33), &minor(34)], &both);
        lines(30, &[&minor(30), &minor(31)], &["minor is too old"]);
    }
}

#[test]
fn violations_name_their_layer() {
    let schema = json!({"properties": {
        "a": {"type": "string"},
        "b": {"items": {"type": "string"}},
        "c": {"type": "string"},
    }});
    let overrides = Overrides {
        layers: vec![
            Layer::File {
                name: "v.yaml".into(),
                text: "a: 1\nb:\n- x\n- 2\n".into(),
            },
            Layer::Set("a=3".into()),
        ],
    };
    let defaults = values(json!({"c": 1}));
    let config = overrides.config(Values::default()).unwrap();
    let given = Values::coalesce(&defaults, &config);
    let error = check(schema.to_string().as_bytes(), &given, &[]).unwrap_err();
    let mut origins = Origins::default();
    origins.defaults("values.yaml", (&defaults, "\nc: 1\n"), &[]);
    origins.overrides(&overrides).unwrap();
    assert_eq!(
        error.traced(&origins).to_string(),
        "values do not fit the chart's values.schema.json:\
         \n  a: must be string, is integer (--set a; schema /properties/a/type)\
         \n  b[1]: must be string, is integer (v.yaml:4:3; schema /properties/b/items/type)\
         \n  c: must be string, is integer (the chart's values.yaml:2:4; \
         schema /properties/c/type)"
    );
}

#[test]
fn every_draft_is_read_by_its_own_rules() {
    let check = |draft: &str, property: Value, value: Value, expected: &[&str]| {
        let schema = json!({"$schema": draft, "properties": {"a": property}});
        check_lines(run(&schema, json!({"a": value}), &[]), expected);
    };
    let four = "http://json-schema.org/draft-04/schema#";
    let bound = json!({"minimum": 1, "exclusiveMinimum": true});
    check(
        four,
        bound.clone(),
        json!(1),
        &["a must be more than 1, is 1"],
    );
    check(four, json!({"const": 1}), json!(2), &[]);
    let six = "http://json-schema.org/draft-06/schema#";
    check(
        six,
        json!({"exclusiveMinimum": 1}),
        json!(1),
        &["a must be more than 1, is 1"],
    );
    let condition = json!({"if": {"const": 1}, "then": false});
    check(six, condition.clone(), json!(1), &[]);
    let seven = "http://json-schema.org/draft-07/schema#";
    check(seven, condition, json!(1), &["a is not allowed"]);
    let pair = json!({"items": [{"type": "string"}], "additionalItems": false});
    check(
        seven,
        pair,
        json!([1, 2]),
        &[
            "a must have at most 1 items",
            "a[0] must be string, is integer",
        ],
    );
    let unevaluated = json!({"properties": {"other": {}}, "unevaluatedProperties": false});
    check(seven, unevaluated.clone(), json!({"y": 1}), &[]);
    let nineteen = "https://json-schema.org/draft/2019-09/schema";
    check(
        nineteen,
        unevaluated,
        json!({"y": 1}),
        &["a.y is not a known key"],
    );
    let prefix = json!({"prefixItems": [{"type": "string"}]});
    check(nineteen, prefix.clone(), json!([1]), &[]);
    let twenty = "https://json-schema.org/draft/2020-12/schema";
    check(
        twenty,
        prefix,
        json!([1]),
        &["a[0] must be string, is integer"],
    );
    check_error(
        &json!({"$schema": seven, "properties": {"a": bound}}),
        "values.schema.json: not a valid schema at /properties/a/exclusiveMinimum: \
         true is not of type \"number\"",
    );
}

#[test]
fn hostile_schemas_end() {
    // Twice the depth that JSON is read to, and expressions that some readers never finish.
    let mut deep = json!({"type": "string"});
    for _ in 0..60 {
        deep = json!({"properties": {"a": {"allOf": [deep]}}});
    }
    assert!(matches!(
        run(&deep, json!({"a": 1}), &[]),
        Ok(()) | Err(Error::Json(_))
    ));
    let pattern = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
    let text = format!("{}!", "a".repeat(10_000));
    assert!(matches!(
        run(&pattern, json!({"a": text}), &[]),
        Err(Error::Violations(_))
    ));
    let ahead = json!({"properties": {"a": {"pattern": "^(?=a)"}}});
    assert!(matches!(
        run(&ahead, json!({}), &[]),
        Err(Error::Invalid { .. })
    ));
    let large = json!({"properties": {"a": {"pattern": "(a{1000}){1000}"}}});
    assert!(matches!(
        run(&large, json!({}), &[]),
        Err(Error::Invalid { .. })
    ));
    let round = json!({
        "$ref": "#/$defs/a",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}},
    });
    let _ = run(&round, json!({"a": 1}), &[]);
    let many: serde_json::Map<_, _> = (0..20_000)
        .map(|n| (format!("k{n}"), json!({"type": "string"})))
        .collect();
    assert!(
        run(
            &json!({"properties": many, "additionalProperties": false}),
            json!({}),
            &[]
        )
        .is_ok()
    );
}

#[test]
fn no_more_violations_are_looked_at_than_anybody_reads() {
    let list: Vec<u64> = (0..5000).collect();
    let result = run(
        &json!({"properties": {"a": {"items": {"type": "string"}}}}),
        json!({"a": list}),
        &[],
    );
    let Err(Error::Violations(violations)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(violations.len(), MAX_VIOLATIONS);
}

#[test]
fn a_missing_key_has_the_origin_of_what_it_is_missing_in() {
    let schema = json!({"properties": {"a": {"required": ["x"]}}, "required": ["b"]});
    let overrides = Overrides {
        layers: vec![Layer::SetJson("a={\"y\": 1}".into())],
    };
    let mut origins = Origins::default();
    origins.overrides(&overrides).unwrap();
    let error = run(&schema, json!({"a": {"y": 1}}), &[]).unwrap_err();
    assert_eq!(
        error.traced(&origins).to_string(),
        "values do not fit the chart's values.schema.json:\
         \n  a.x: is required (--set-json a; schema /properties/a/required)\
         \n  b: is required (schema /required)"
    );
}
