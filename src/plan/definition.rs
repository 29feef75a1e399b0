//! Custom resource definitions: the kinds that they add, and which changes of them are safe.

use serde_json::{Map, Value, json};

use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// The kind of definitions.
pub const KIND: &str = "CustomResourceDefinition";
const GROUP: &str = "apiextensions.k8s.io";

/// Whether a resource is a definition.
pub fn is_one(id: &ResourceId) -> bool {
    id.kind == KIND && id.group == GROUP
}

/// The kinds that a definition adds, one for each version that is served; none of anything else.
pub fn kinds(body: &Value) -> Vec<Kind> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let (Some(KIND), Some(group), Some(kind), Some(plural)) = (
        text("/kind"),
        text("/spec/group"),
        text("/spec/names/kind"),
        text("/spec/names/plural"),
    ) else {
        return vec![];
    };
    let served = versions(body).filter(|version| version.get("served") == Some(&true.into()));
    let names = served.filter_map(|version| version.get("name")?.as_str());
    names
        .map(|version| Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: text("/spec/scope") != Some("Cluster"),
        })
        .collect()
}

/// The schema of a kind in its version, if this is its definition.
pub(super) fn schema<'a>(body: &'a Value, kind: &Kind) -> Option<&'a Value> {
    let is =
        |pointer: &str, text: &str| body.pointer(pointer).and_then(Value::as_str) == Some(text);
    if !is("/spec/group", &kind.group) || !is("/spec/names/kind", &kind.kind) {
        return None;
    }
    let is_meant = |version: &&Value| {
        version
            .get("name")
            .is_some_and(|name| *name == *kind.version)
    };
    let version = versions(body).find(is_meant)?;
    version.pointer("/schema/openAPIV3Schema")
}

/// What counts as applied of a definition that stands in no record: all versions that it has, so that
/// what a chart no longer says of them does not stay.
pub(super) fn base(live: &Value) -> Value {
    let versions = live.pointer("/spec/versions");
    json!({"spec": {"versions": versions}})
}

fn versions(body: &Value) -> impl Iterator<Item = &Value> {
    let versions = body.pointer("/spec/versions").and_then(Value::as_array);
    versions.into_iter().flatten()
}

/// Why a change of a definition would lose something of what is stored by it; none if it is safe.
///
/// Versions in which something may be stored have to be served on, and no field may go.
pub(super) fn danger(live: &Value, desired: &Value) -> Option<String> {
    let stored = live.pointer("/status/storedVersions");
    let stored = stored.and_then(Value::as_array).into_iter().flatten();
    let is_served = |name: &Value| {
        let mut found = versions(desired);
        found.any(|version| {
            version.get("name") == Some(name) && version.get("served") == Some(&true.into())
        })
    };
    let gone: Vec<&str> = stored
        .filter(|name| !is_served(name))
        .filter_map(Value::as_str)
        .collect();
    if !gone.is_empty() {
        return Some(format!(
            "version {} is no longer served, and resources may be stored in it",
            gone.join(", ")
        ));
    }
    let mut dropped = vec![];
    for version in versions(live) {
        let name = version.get("name");
        let same = versions(desired).find(|other| other.get("name") == name);
        let schema = |version: &'_ Value| version.pointer("/schema/openAPIV3Schema").cloned();
        if let (Some(old), Some(new)) = (schema(version), same.and_then(schema)) {
            let name = name.and_then(Value::as_str).unwrap_or_default();
            fields(&old, &new, &mut vec![name.to_owned()], &mut dropped);
        }
    }
    (!dropped.is_empty()).then(|| format!("fields are dropped: {}", dropped.join(", ")))
}

/// Notes the fields of a schema that another one has not.
fn fields(old: &Value, new: &Value, path: &mut Vec<String>, dropped: &mut Vec<String>) {
    if new.get("x-kubernetes-preserve-unknown-fields") == Some(&true.into()) {
        return;
    }
    for key in ["items", "additionalProperties"] {
        if let (Some(old), Some(new)) = (old.get(key), new.get(key)) {
            fields(old, new, path, dropped);
        }
    }
    let none = Map::new();
    let properties = |schema: &'_ Value| -> Map<String, Value> {
        let found = schema.get("properties").and_then(Value::as_object);
        found.unwrap_or(&none).clone()
    };
    let (old, new) = (properties(old), properties(new));
    for (name, schema) in &old {
        path.push(name.clone());
        match new.get(name) {
            Some(other) => fields(schema, other, path, dropped),
            None => dropped.push(path.join(".")),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(versions: &Value, stored: &Value) -> Value {
        json!({"kind": KIND, "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Car", "plural": "cars"}, "versions": versions},
            "status": {"storedVersions": stored}})
    }

    /// A version that is served; one with a minus before its name is not.
    fn version(name: &str, fields: &[&str]) -> Value {
        let served = !name.starts_with('-');
        let name = name.trim_start_matches('-');
        let fields = fields
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "string"})));
        let fields: Map<String, Value> = fields.collect();
        json!({"name": name, "served": served, "schema": {"openAPIV3Schema":
            {"properties": {"spec": {"properties": fields}}}}})
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check(old: Value, new: Value, expected: Option<&str>) {
        let live = definition(&old, &json!(["v1"]));
        let found = danger(&live, &definition(&new, &json!(null)));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn what_is_stored_stays_readable() {
        let v1 = version("v1", &["a", "b"]);
        check(json!([v1]), json!([v1]), None);
        let more = json!([version("v1", &["a", "b", "c"]), version("v2", &[])]);
        check(json!([v1]), more, None);
        check(
            json!([v1]),
            json!([version("v1", &["a"])]),
            Some("fields are dropped: v1.spec.b"),
        );
        for new in [
            json!([version("v2", &["a", "b"])]),
            json!([version("-v1", &["a", "b"]), version("v2", &[])]),
        ] {
            let reason = "version v1 is no longer served, and resources may be stored in it";
            check(json!([v1]), new, Some(reason));
        }
        check(json!([v1, version("v2", &[])]), json!([v1]), None);
        let open = json!({"name": "v1", "served": true, "schema": {"openAPIV3Schema":
            {"x-kubernetes-preserve-unknown-fields": true}}});
        check(json!([v1]), json!([open]), None);
    }

    #[test]
    fn a_definition_adds_a_kind_for_each_served_version() {
        let body = definition(
            &json!([version("v1", &[]), version("-v0", &[])]),
            &json!(null),
        );
        let found: Vec<_> = kinds(&body).iter().map(Kind::api_version).collect();
        assert_eq!(found, ["example.com/v1"]);
        assert!(kinds(&json!({"kind": "ConfigMap"})).is_empty());
    }
}
