//! Which words of a schema say how a field merges.

use serde_json::json;

use super::*;

/// The structure of a kind whose `spec` has these properties, in YAML.
fn structure(properties: &str) -> Structure {
    let properties = crate::yaml::parse(properties).unwrap();
    let spec = json!({"type": "object", "properties": properties});
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    Structure::of(&schema).unwrap()
}

/// What stands at a path, in short: the type of each step is that of the field or of the items.
fn shown(structure: &Structure, path: &str) -> String {
    let mut shape = Shape::Object(structure.root(), Presence::Always);
    for step in path.split('.') {
        shape = match shape {
            Shape::Object(of, _) => of.field(step),
            Shape::Map(of) => of.shape(),
            Shape::Keyed(keyed) => keyed.item_type().field(step),
            _ => Shape::Unknown,
        };
    }
    let keys = |keyed: &Keyed| -> Vec<String> {
        let keys = keyed.keys.iter().map(|(key, default)| match default {
            Some(default) => format!("{key}={default}"),
            None => key.clone(),
        });
        keys.collect()
    };
    match shape {
        Shape::Object(of, presence) if of == crate::builtin::object_meta() => {
            format!("metadata {presence:?}")
        }
        Shape::Object(_, presence) => format!("object {presence:?}"),
        Shape::Map(_) => "map".to_owned(),
        Shape::Keyed(keyed) => {
            let presence = keyed.item_presence();
            format!("list by {} {presence:?}", keys(keyed).join(","))
        }
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(property: &str, path: &str, expected: &str) {
    let structure = structure(&format!("{{a: {property}}}"));
    assert_eq!(shown(&structure, &format!("spec.a{path}")), expected);
}

const ITEM: &str = "items: {type: object, properties: {port: {type: integer}, \
                    protocol: {type: string, default: TCP}, \
                    tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}";

#[test]
fn lists_merge_as_they_say() {
    let list = |words: &str| format!("{{type: array, {words}}}");
    let keyed = "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port, protocol]";
    let keyed = list(&format!("{keyed}, {ITEM}"));
    check(&keyed, "", "list by port,protocol=TCP Always");
    check(&keyed, ".tags", "Set(Custom)");
    check(&keyed, ".port", "Unknown");
    let strings = "items: {type: string}";
    let set = "x-kubernetes-list-type: set";
    check(&list(&format!("{set}, {strings}")), "", "Set(Custom)");
    check(&list(&format!("{set}, {ITEM}")), "", "Unknown");
    let atomic = "x-kubernetes-list-type: atomic";
    check(&list(&format!("{atomic}, {strings}")), "", "Unknown");
    check(&list(strings), "", "Unknown");
    check(&list(ITEM), ".tags", "Unknown");
    // What no definition may say.
    check(&list("x-kubernetes-list-type: set"), "", "Unknown");
    check(
        &list(&format!("x-kubernetes-list-type: map, {ITEM}")),
        "",
        "Unknown",
    );
    let keys = "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a]";
    check(&list(&format!("{keys}, {strings}")), "", "Unknown");
    check(
        &list(&format!("{keys}, items: {{type: object}}")),
        "",
        "list by a Always",
    );
}

#[test]
fn keys_have_defaults_of_any_scalar_type() {
    let list = |default: &str| {
        format!(
            "{{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: \
             {{type: object, properties: {{a: {{type: string, default: {default}}}}}}}}}"
        )
    };
    check(&list("x"), "", "list by a=x Always");
    check(&list("1"), "", "list by a=1 Always");
    check(&list("true"), "", "list by a=true Always");
    check(&list("null"), "", "list by a Always");
}

#[test]
fn maps_merge_as_they_say() {
    let set = "{type: array, x-kubernetes-list-type: set, items: {type: string}}";
    let object = format!("type: object, properties: {{b: {{type: string}}, c: {set}}}");
    check(&format!("{{{object}}}"), "", "object Optional");
    check(&format!("{{{object}}}"), ".c", "Set(Custom)");
    check(&format!("{{{object}}}"), ".b", "Unknown");
    let atomic = format!("{{{object}, x-kubernetes-map-type: atomic}}");
    check(&atomic, "", "object Retain");
    check(&atomic, ".c", "Unknown");
    let outer =
        format!("{{type: object, x-kubernetes-map-type: atomic, properties: {{d: {{{object}}}}}}}");
    check(&outer, ".d", "object Retain");
    check(&outer, ".d.c", "Unknown");
    let granular = format!("{{{object}, x-kubernetes-map-type: granular}}");
    check(&granular, "", "object Optional");
    let free = "{type: object, additionalProperties: {type: string}}";
    check(free, "", "map");
    check(free, ".x", "Unknown");
    check("{type: object, additionalProperties: true}", "", "map");
    let nested = format!("{{type: object, additionalProperties: {{{object}}}}}");
    check(&nested, ".x.c", "Set(Custom)");
}

#[test]
fn items_may_be_atomic() {
    let item = ITEM.replace(
        "type: object,",
        "type: object, x-kubernetes-map-type: atomic,",
    );
    let list = format!(
        "{{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port], {item}}}"
    );
    check(&list, "", "list by port Retain");
    check(&list, ".tags", "Unknown");
}

#[test]
fn unknown_fields_and_plain_objects_merge_field_by_field() {
    check("{type: object}", "", "Unknown");
    check(
        "{x-kubernetes-preserve-unknown-fields: true}",
        "",
        "Unknown",
    );
    let set = "{type: array, x-kubernetes-list-type: set, items: {type: string}}";
    let open = format!(
        "{{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {{s: {set}}}}}"
    );
    check(&open, ".s", "Set(Custom)");
    check(&open, ".other", "Unknown");
    check(
        "{type: object, x-kubernetes-embedded-resource: true, \
           x-kubernetes-preserve-unknown-fields: true}",
        ".metadata",
        "metadata Always",
    );
    assert_eq!(shown(&structure("{}"), "metadata"), "metadata Always");
}

#[test]
fn what_is_no_schema_is_none() {
    for schema in [
        json!(null),
        json!("x"),
        json!({"properties": []}),
        json!({"properties": {"a": null}}),
        json!({"type": ["object"]}),
    ] {
        assert_eq!(Structure::of(&schema), None, "{schema}");
    }
}

/// A schema of so many objects in each other, with a set in the innermost.
fn nested(levels: usize) -> Value {
    let set =
        json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    (0..levels).fold(
        set,
        |inner, _| json!({"type": "object", "properties": {"a": inner}}),
    )
}

#[test]
fn depth_is_bounded() {
    let path = |levels: usize| vec!["a"; levels].join(".");
    let read = |levels| shown(&Structure::of(&nested(levels)).unwrap(), &path(levels));
    assert_eq!(read(DEPTH), "Set(Custom)");
    assert_eq!(read(DEPTH + 1), "Unknown");
    let document = |levels: usize| {
        let mut schema = nested(levels);
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": "g", "version": "v1", "kind": "K"}]);
        json!({"components": {"schemas": {"k": schema}}}).to_string()
    };
    let read = |text: &str| published(text.as_bytes(), ("g", "v1"));
    assert_eq!(read(&document(DEPTH)).unwrap().len(), 1);
    assert!(read(&document(200)).is_err());
    let open = r#"{"components":{"schemas":{"k":"#.to_owned();
    let maps = r#"{"type":"object","additionalProperties":"#.repeat(100_000);
    assert!(read(&(open + &maps)).is_err());
}

#[test]
fn documents_name_the_kinds_of_a_version() {
    let schema = |version: &str, kind: &str| {
        json!({"type": "object", "description": "x", "properties": {"metadata": {"allOf": [
                {"$ref": "#/components/schemas/ObjectMeta"}], "default": {}}},
            "x-kubernetes-group-version-kind": [{"group": "g", "version": version, "kind": kind}]})
    };
    let document = json!({"openapi": "3.0.0", "info": {}, "paths": {"/apis/g/v1": {}},
        "components": {"schemas": {"g.v1.A": schema("v1", "A"), "g.v2.A": schema("v2", "A"),
            "g.v1.B": schema("v1", "B"), "ObjectMeta": {"type": "object"}}}});
    let found = published(document.to_string().as_bytes(), ("g", "v1")).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(shown(&found["A"], "metadata"), "metadata Always");
    assert!(published(b"{}", ("g", "v1")).is_err());
}
