//! Custom resources whose schema says how their lists and maps merge.

use serde_json::json;

use super::outcome;
use crate::builtin::custom::Structure;

/// How widgets merge.
const SPEC: &str = "\
rules:
  type: array
  x-kubernetes-list-type: map
  x-kubernetes-list-map-keys: [name]
  items:
    type: object
    properties:
      name: {type: string}
      hosts: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      paths: {type: array, items: {type: string}}
ports:
  type: array
  x-kubernetes-list-type: map
  x-kubernetes-list-map-keys: [port, protocol]
  items:
    type: object
    properties: {port: {type: integer}, protocol: {type: string, default: TCP}}
tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
order: {type: array, x-kubernetes-list-type: atomic, items: {type: string}}
limits: {type: object, additionalProperties: {type: string}}
selector: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
open: {type: object, x-kubernetes-preserve-unknown-fields: true}
route:
  type: object
  properties:
    to: {type: string}
    inner: {type: object, properties: {tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}
    rules:
      type: array
      x-kubernetes-list-type: map
      x-kubernetes-list-map-keys: [name]
      items: {type: object, properties: {name: {type: string}}}
pods:
  type: object
  additionalProperties:
    type: object
    properties: {tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}}
template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
";

pub(super) fn structure() -> Structure {
    let spec = crate::yaml::parse(SPEC).unwrap();
    let spec = json!({"type": "object", "properties": spec});
    Structure::of(&json!({"type": "object", "properties": {"spec": spec}})).unwrap()
}

/// Compares three states of a spec.
#[track_caller]
fn check(sides: [&str; 3], expected: &[&str]) {
    let sides = sides.map(|spec| match spec {
        "null" => spec.to_owned(),
        spec => format!("{{spec: {spec}}}"),
    });
    let structure = structure();
    let found = outcome(Some(structure.root()), sides.each_ref().map(String::as_str));
    assert_eq!(found, expected.join("\n"));
}

#[test]
fn items_of_others_stay_in_the_whole_list() {
    check(
        [
            "{rules: [{name: a, to: 1}, {name: b, to: 1}]}",
            "{rules: [{name: a, to: 2}, {name: b, to: 1}]}",
            "{rules: [{name: x, to: 9}, {name: a, to: 1, by: server}, {name: b, to: 1}, {name: z}]}",
        ],
        &[
            "{\"spec\":{\"rules\":[{\"name\":\"x\",\"to\":9},{\"by\":\"server\",\"name\":\"a\",\"to\":2},\
             {\"name\":\"b\",\"to\":1},{\"name\":\"z\"}]}}",
            "spec.rules[name=a].to: 1 => 2 (chart)",
        ],
    );
}

#[test]
fn an_object_that_is_dropped_stays_where_others_have_their_own_in_it() {
    let base = "{route: {to: a, rules: [{name: a}], inner: {tags: [s]}}}";
    check(
        [
            base,
            "{}",
            "{route: {to: a, by: server, rules: [{name: a}, {name: x}], inner: {tags: [s]}}}",
        ],
        &[
            r#"{"spec":{"route":{"inner":null,"rules":[{"name":"x"}],"to":null}}}"#,
            r#"spec.route.inner: {"tags":["s"]} => - (chart)"#,
            r#"spec.route.rules[name=a]: {"name":"a"} => - (chart)"#,
            r#"spec.route.to: "a" => - (chart)"#,
        ],
    );
    check(
        [base, "{}", "{route: {inner: {tags: [x, s]}}}"],
        &[
            r#"{"spec":{"route":{"inner":{"tags":["x"]}}}}"#,
            r#"spec.route.inner.tags: ["x","s"] => ["x"] (chart)"#,
        ],
    );
    check(
        [
            base,
            "{}",
            "{route: {to: a, by: server, rules: [{name: a, on: true}]}}",
        ],
        &[
            r#"{"spec":{"route":null}}"#,
            r#"spec.route: {"by":"server","rules":[{"name":"a","on":true}],"to":"a"} => - (chart)"#,
        ],
    );
}

#[test]
fn what_others_add_and_another_order_are_no_change() {
    let wanted = "{rules: [{name: a}, {name: b}], tags: [s, t], limits: {a: '1'}, \
                  ports: [{port: 53}, {port: 53, protocol: UDP}]}";
    check(
        [
            wanted,
            wanted,
            "{rules: [{name: b}, {name: x}, {name: a}], tags: [t, u, s], limits: {b: '2', a: '1'}, \
              ports: [{port: 80, protocol: TCP}, {port: 53, protocol: UDP}, \
              {port: 53, protocol: TCP}]}",
        ],
        &["unchanged"],
    );
    check(
        [
            wanted,
            "{tags: [t, s], rules: [{name: b}, {name: a}]}",
            "{rules: [{name: a}, {name: b}], tags: [s, t]}",
        ],
        &["unchanged"],
    );
}

#[test]
fn only_what_was_ours_goes() {
    check(
        [
            "{rules: [{name: a}, {name: b}], tags: [s, t], limits: {a: '1', b: '1'}}",
            "{rules: [{name: a}], tags: [s], limits: {a: '1'}}",
            "{rules: [{name: b}, {name: x}, {name: a}], tags: [s, u, t], \
              limits: {a: '1', b: '1', x: '1'}}",
        ],
        &[
            r#"{"spec":{"limits":{"b":null},"rules":[{"name":"x"},{"name":"a"}],"tags":["s","u"]}}"#,
            r#"spec.limits.b: "1" => - (chart)"#,
            r#"spec.rules[name=b]: {"name":"b"} => - (chart)"#,
            r#"spec.tags: ["s","u","t"] => ["s","u"] (chart)"#,
        ],
    );
    check(
        [
            "{size: 1, rules: [{name: a}], tags: [s], limits: {a: '1'}}",
            "{size: 1}",
            "{size: 1, rules: [{name: a}, {name: x}], tags: [s, u], limits: {a: '1', x: '1'}}",
        ],
        &[
            r#"{"spec":{"limits":{"a":null},"rules":[{"name":"x"}],"tags":["u"]}}"#,
            r#"spec.limits.a: "1" => - (chart)"#,
            r#"spec.rules[name=a]: {"name":"a"} => - (chart)"#,
            r#"spec.tags: ["s","u"] => ["u"] (chart)"#,
        ],
    );
    check(
        [
            "{size: 1, rules: [{name: a}], tags: [s], limits: {a: '1'}}",
            "{size: 1, rules: null}",
            "{size: 1, rules: [{name: a}], tags: [s], limits: {a: '1'}}",
        ],
        &[
            r#"{"spec":{"limits":null,"rules":null,"tags":null}}"#,
            r#"spec.limits: {"a":"1"} => - (chart)"#,
            r#"spec.rules: [{"name":"a"}] => - (chart)"#,
            r#"spec.tags: ["s"] => - (chart)"#,
        ],
    );
}

#[test]
fn keys_have_defaults() {
    check(
        [
            "{ports: [{port: 53, name: dns}]}",
            "{ports: [{port: 53, name: dns}, {port: 53, protocol: UDP}]}",
            "{ports: [{port: 53, protocol: TCP, name: changed}, {port: 80, protocol: TCP}]}",
        ],
        &[
            "{\"spec\":{\"ports\":[{\"name\":\"dns\",\"port\":53,\"protocol\":\"TCP\"},\
             {\"port\":80,\"protocol\":\"TCP\"},{\"port\":53,\"protocol\":\"UDP\"}]}}",
            r#"spec.ports[port=53,protocol=UDP]: - => {"port":53,"protocol":"UDP"} (chart)"#,
            r#"spec.ports[port=53].name: "changed" => "dns" (drift)"#,
        ],
    );
}

#[test]
fn lists_stand_in_items_and_in_maps() {
    check(
        [
            "{rules: [{name: a, hosts: [h], paths: [p]}], pods: {web: {tags: [s]}}}",
            "{rules: [{name: a, hosts: [h, i], paths: [p, q]}], pods: {web: {tags: [t]}}}",
            "{rules: [{name: a, hosts: [x, h], paths: [p]}], \
              pods: {web: {tags: [s, u]}, db: {tags: [v]}}}",
        ],
        &[
            "{\"spec\":{\"pods\":{\"web\":{\"tags\":[\"u\",\"t\"]}},\"rules\":[{\"hosts\":[\"x\",\"h\",\"i\"],\
             \"name\":\"a\",\"paths\":[\"p\",\"q\"]}]}}",
            r#"spec.pods.web.tags: ["s","u"] => ["u","t"] (chart)"#,
            r#"spec.rules[name=a].hosts: ["x","h"] => ["x","h","i"] (chart)"#,
            r#"spec.rules[name=a].paths: ["p"] => ["p","q"] (chart)"#,
        ],
    );
}

#[test]
fn atomic_lists_and_unknown_ones_are_replaced() {
    check(
        [
            "{order: [a, b], open: {list: [a], n: 1}}",
            "{order: [b, a], open: {list: [b], n: 1}}",
            "{order: [a, b, x], open: {list: [a, x], n: 1, other: 2}}",
        ],
        &[
            r#"{"spec":{"open":{"list":["b"]},"order":["b","a"]}}"#,
            r#"spec.open.list: ["a","x"] => ["b"] (chart)"#,
            r#"spec.order: ["a","b","x"] => ["b","a"] (chart)"#,
        ],
    );
}

#[test]
fn a_change_of_an_atomic_map_replaces_it() {
    check(
        [
            "{selector: {app: a}}",
            "{selector: {app: a}}",
            "{selector: {app: a, zone: z}}",
        ],
        &["unchanged"],
    );
    check(
        [
            "{selector: {app: a}}",
            "{selector: {app: b}}",
            "{selector: {app: a, zone: z}}",
        ],
        &[
            r#"{"spec":{"selector":{"app":"b","zone":null}}}"#,
            r#"spec.selector.app: "a" => "b" (chart)"#,
            r#"spec.selector.zone: "z" => - (chart)"#,
        ],
    );
}

#[test]
fn drift_is_what_was_ours_alone() {
    let wanted = "{rules: [{name: a, to: 1}, {name: b}], tags: [s, t], order: [a, b]}";
    check(
        [
            wanted,
            wanted,
            "{rules: [{name: x}, {name: a, to: 2}], tags: [u, s], order: [b, a]}",
        ],
        &[
            "{\"spec\":{\"order\":[\"a\",\"b\"],\"rules\":[{\"name\":\"x\"},{\"name\":\"a\",\"to\":1},\
             {\"name\":\"b\"}],\"tags\":[\"u\",\"s\",\"t\"]}}",
            r#"spec.order[0]: "b" => "a" (drift)"#,
            r#"spec.order[1]: "a" => "b" (drift)"#,
            "spec.rules[name=a].to: 2 => 1 (drift)",
            r#"spec.rules[name=b]: - => {"name":"b"} (drift)"#,
            r#"spec.tags: ["u","s"] => ["u","s","t"] (drift)"#,
        ],
    );
}

#[test]
fn empty_is_not_none() {
    check(
        [
            "null",
            "{rules: [], tags: [], limits: {}, selector: {}}",
            "{size: 1}",
        ],
        &[
            r#"{"spec":{"limits":{},"rules":[],"selector":{},"tags":[]}}"#,
            "spec.limits: - => {} (chart)",
            "spec.rules: - => [] (chart)",
            "spec.selector: - => {} (chart)",
            "spec.tags: - => [] (chart)",
        ],
    );
    check(
        [
            "null",
            "{rules: [], tags: [], limits: {}, selector: {}}",
            "{rules: [{name: x}], tags: [x], limits: {x: '1'}, selector: {x: '1'}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn items_that_lack_their_key_are_sent_as_they_are() {
    check(
        [
            "{rules: [{to: 1}]}",
            "{rules: [{to: 2}]}",
            "{rules: [{to: 1}, {name: x}]}",
        ],
        &[
            r#"{"spec":{"rules":[{"to":2}]}}"#,
            r#"spec.rules: [{"to":1},{"name":"x"}] => [{"to":2}] (chart)"#,
        ],
    );
}

#[test]
fn metadata_of_embedded_resources_is_metadata() {
    check(
        [
            "{template: {metadata: {name: a, labels: {a: '1'}, finalizers: [f]}, spec: {a: 1}}}",
            "{template: {metadata: {name: b, labels: {}, finalizers: [f, g]}, spec: {a: 1}}}",
            "{template: {metadata: {name: a, labels: {a: '1', x: '1'}, finalizers: [x, f]}, spec: {a: 1}}}",
        ],
        &[
            "{\"spec\":{\"template\":{\"metadata\":{\"finalizers\":[\"x\",\"f\",\"g\"],\
             \"labels\":{\"a\":null},\"name\":\"b\"}}}}",
            r#"spec.template.metadata.finalizers: ["x","f"] => ["x","f","g"] (chart)"#,
            r#"spec.template.metadata.labels.a: "1" => - (chart)"#,
            r#"spec.template.metadata.name: "a" => "b" (chart)"#,
        ],
    );
}
