//! Resources of kinds that Kubernetes does not know.

use super::check as check_kind;

#[track_caller]
fn check(sides: [&str; 3], expected: &[&str]) {
    check_kind(("example.com/v1", "Widget"), sides, expected);
}

#[test]
fn merges_objects_and_replaces_lists() {
    check(
        [
            "{spec: {size: 1, old: {a: 1}, tags: [a, b]}}",
            "{spec: {size: 2, tags: [a, c, d]}}",
            "{spec: {size: 1, old: {a: 1, b: 2}, tags: [a, b], other: x}, status: {ready: true}}",
        ],
        &[
            r#"{"spec":{"old":null,"size":2,"tags":["a","c","d"]}}"#,
            r#"spec.old: {"a":1,"b":2} => - (chart)"#,
            "spec.size: 1 => 2 (chart)",
            r#"spec.tags: ["a","b"] => ["a","c","d"] (chart)"#,
        ],
    );
}

#[test]
fn sees_drift() {
    check(
        [
            "{spec: {size: 1, on: true}}",
            "{spec: {size: 1, on: true}}",
            "{spec: {size: 5}}",
        ],
        &[
            r#"{"spec":{"on":true,"size":1}}"#,
            "spec.on: - => true (drift)",
            "spec.size: 5 => 1 (drift)",
        ],
    );
}

#[test]
fn sees_what_an_item_has_lost_whose_place_has_changed() {
    let live = "{spec: {rules: [{name: b, by: server}, {name: a, x: 1}]}}";
    let base = "{spec: {rules: [{name: a, x: 1}, {name: b}]}}";
    check(
        [base, "{spec: {rules: [{name: b}, {name: a}]}}", live],
        &[
            r#"{"spec":{"rules":[{"name":"b"},{"name":"a"}]}}"#,
            "spec.rules[1].x: 1 => - (chart)",
        ],
    );
    check(
        [base, "{spec: {rules: [{name: b}, {name: a, x: 1}]}}", live],
        &["unchanged"],
    );
}

#[test]
fn keeps_empty_values_apart() {
    check(
        ["null", "{spec: {a: {}, b: [], c: null}}", "{spec: {c: 1}}"],
        &[
            r#"{"spec":{"a":{},"b":[],"c":null}}"#,
            "spec.a: - => {} (chart)",
            "spec.b: - => [] (chart)",
            "spec.c: 1 => - (chart)",
        ],
    );
    check(
        ["null", "{spec: {a: {}}}", "{spec: {a: {default: 1}}}"],
        &["unchanged"],
    );
}

#[test]
fn tells_text_from_numbers() {
    check(
        ["null", "{spec: {a: '1'}}", "{spec: {a: 1}}"],
        &[r#"{"spec":{"a":"1"}}"#, r#"spec.a: 1 => "1" (chart)"#],
    );
}

#[test]
fn lets_defaults_stand_in_lists_of_one_length() {
    check(
        [
            "{spec: {rules: [{to: a}, {to: b}]}}",
            "{spec: {rules: [{to: a}, {to: b}]}}",
            "{spec: {rules: [{to: a, port: 80}, {to: b, port: 80}]}}",
        ],
        &["unchanged"],
    );
    check(
        [
            "{spec: {rules: [{to: a}, {to: b}]}}",
            "{spec: {rules: [{to: a}, {to: c}]}}",
            "{spec: {rules: [{to: a, port: 80}, {to: b, port: 80}]}}",
        ],
        &[
            r#"{"spec":{"rules":[{"to":"a"},{"to":"c"}]}}"#,
            r#"spec.rules[1].to: "b" => "c" (chart)"#,
        ],
    );
    check(
        [
            "{spec: {rules: [{to: a, via: x}]}}",
            "{spec: {rules: [{to: a}]}}",
            "{spec: {rules: [{to: a, via: x}]}}",
        ],
        &[
            r#"{"spec":{"rules":[{"to":"a"}]}}"#,
            r#"spec.rules[0].via: "x" => - (chart)"#,
        ],
    );
}

#[test]
fn sends_metadata_lists_whole() {
    check(
        [
            "{metadata: {finalizers: [a, b]}}",
            "{metadata: {finalizers: [a, c]}}",
            "{metadata: {finalizers: [x, b, a]}}",
        ],
        &[
            r#"{"metadata":{"finalizers":["x","a","c"]}}"#,
            r#"metadata.finalizers: ["x","b","a"] => ["x","a","c"] (chart)"#,
        ],
    );
    check(
        [
            "null",
            "{metadata: {ownerReferences: [{uid: u1, name: b}]}}",
            "{metadata: {ownerReferences: [{uid: u0, name: x}, {uid: u1, name: a}]}}",
        ],
        &[
            r#"{"metadata":{"ownerReferences":[{"name":"x","uid":"u0"},{"name":"b","uid":"u1"}]}}"#,
            r#"metadata.ownerReferences[uid=u1].name: "a" => "b" (chart)"#,
        ],
    );
}

#[test]
fn ignores_what_the_server_writes() {
    check(
        [
            "{metadata: {namespace: default, labels: {a: '1'}}, status: {x: 1}}",
            "{apiVersion: example.com/v2, kind: Widget, metadata: {name: b, uid: x, \
              creationTimestamp: null, labels: {}}, status: {}}",
            "{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, namespace: default, \
              uid: y, generation: 4, labels: {b: '2'}}, status: {x: 2}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn replaces_what_changes_its_type() {
    check(
        [
            "{spec: {a: [1], b: {c: 1}, d: 1}}",
            "{spec: {a: {b: 1}, b: 1, d: [1]}}",
            "{spec: {a: [1], b: {c: 1}, d: 1}}",
        ],
        &[
            r#"{"spec":{"a":{"b":1},"b":1,"d":[1]}}"#,
            r#"spec.a: [1] => {"b":1} (chart)"#,
            r#"spec.b: {"c":1} => 1 (chart)"#,
            "spec.d: 1 => [1] (chart)",
        ],
    );
}
