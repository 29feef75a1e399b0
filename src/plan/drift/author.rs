//! Who wrote a field, by the managed fields of its resource (`metadata.managedFields`, `FieldsV1` of
//! sigs.k8s.io/structured-merge-diff).
//!
//! An entry names a manager and the fields that are its own. Its time is that of the manager's last
//! write to any of them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::plan::diff::{Change, Segment, segments};

/// The managers under which pintle and Helm write.
const OWN: [&str; 2] = ["helm", "pintle"];

/// Who wrote something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Author {
    /// The field manager, such as `kubectl-edit`.
    pub manager: String,
    /// `Update` or `Apply`.
    pub operation: String,
    /// When this manager last wrote any of its fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The subresource through which it wrote, such as `scale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subresource: Option<String>,
}

impl Author {
    /// Reads one entry.
    pub(in crate::plan) fn read(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let time = text("time").and_then(|time| time.parse().ok());
        Some(Self {
            manager: text("manager")?.to_owned(),
            operation: text("operation").unwrap_or("Update").to_owned(),
            time,
            subresource: text("subresource")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        })
    }
}

/// Who wrote the live value of a change last; none if it is gone or nobody's.
pub(in crate::plan) fn of(live: &Value, change: &Change) -> Option<Author> {
    change.old.as_ref()?;
    let path = segments(&change.path);
    let owns = |entry: &&Value| {
        let fields = entry.get("fieldsV1");
        fields.is_some_and(|fields| reaches(fields, &path))
    };
    newest(entries(live).filter(owns))
}

/// Who wrote a resource last, apart from its status.
pub(super) fn last(live: &Value) -> Option<Author> {
    let is_status = |entry: &&Value| entry.get("subresource") == Some(&"status".into());
    newest(entries(live).filter(|entry| !is_status(entry)))
}

impl Author {
    /// Whether this is pintle or Helm.
    pub fn is_own(&self) -> bool {
        OWN.contains(&self.manager.as_str())
    }
}

pub(in crate::plan) fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    let entries = live.pointer("/metadata/managedFields");
    entries.and_then(Value::as_array).into_iter().flatten()
}

fn newest<'a>(entries: impl Iterator<Item = &'a Value>) -> Option<Author> {
    entries.filter_map(Author::read).max_by_key(|one| one.time)
}

/// Whether a set of fields has what stands at a path, or something below it. What has no fields of its
/// own is owned as a whole.
fn reaches(fields: &Value, path: &[Segment]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let Some(fields) = fields.as_object().filter(|fields| !fields.is_empty()) else {
        return true;
    };
    let mut fields = fields.iter();
    match first {
        Segment::Field(name) => fields.any(|(key, inner)| {
            let field = key.strip_prefix("f:");
            field == Some(name) && reaches(inner, rest)
        }),
        Segment::Keys(keys) => fields.any(|(key, inner)| {
            let item = key.strip_prefix("k:");
            item.is_some_and(|item| is_item(item, keys)) && reaches(inner, rest)
        }),
        // The items of such a list are known by their keys or values, if at all.
        Segment::Index(_) => fields.any(|(key, _)| key != "."),
    }
}

/// Whether the keys of an item, written as JSON, are these; keys that have their defaults may be left
/// out.
fn is_item(item: &str, keys: &[(String, String)]) -> bool {
    let Ok(Value::Object(item)) = serde_json::from_str(item) else {
        return false;
    };
    keys.iter().all(|(name, wanted)| {
        item.get(name).is_some_and(|value| match value {
            Value::String(text) => text == wanted,
            // Numbers of a path are as JSON has them.
            value => wanted.parse::<Value>().is_ok_and(|wanted| wanted == *value),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::diff::Cause;

    fn live() -> Value {
        let entry = |manager: &str, minute: u8, fields: Value| {
            json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1",
                "time": format!("2026-11-28T10:{minute:02}:00Z"), "fieldsType": "FieldsV1",
                "fieldsV1": fields})
        };
        let containers = json!({".": {}, "k:{\"name\":\"app\"}": {".": {}, "f:name": {},
            "f:args": {}, "f:ports": {".": {},
            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}});
        let mut edit = entry(
            "kubectl-edit",
            5,
            json!({"f:spec": {"f:template": {"f:spec": {"f:containers":
                {"k:{\"name\":\"app\"}": {"f:image": {}}}}}}}),
        );
        edit["operation"] = json!("Apply");
        let mut scale = entry("kubectl", 7, json!({"f:spec": {"f:replicas": {}}}));
        scale["subresource"] = json!("scale");
        let mut status = entry("kube-controller-manager", 9, json!({"f:status": {}}));
        status["subresource"] = json!("status");
        json!({"metadata": {"managedFields": [
            entry("helm", 0, json!({"f:metadata": {"f:labels": {".": {}, "f:a.b/c": {}}},
                "f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}})),
            edit, scale, status]}})
    }

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let change = Change {
            path: path.to_owned(),
            old: Some(json!(1)),
            new: None,
            cause: Cause::Drift,
        };
        let found = of(&live(), &change).map(|author| {
            let through = author.subresource.unwrap_or_default();
            format!("{} {} {through}", author.manager, author.operation)
        });
        assert_eq!(found.as_deref().map(str::trim), expected, "{path}");
    }

    #[test]
    fn the_manager_of_a_field_is_found() {
        check("spec.replicas", Some("kubectl Update scale"));
        check("spec.paused", None);
        check("metadata.labels[\"a.b/c\"]", Some("helm Update"));
        check("metadata.labels.other", None);
        let app = "spec.template.spec.containers[name=app]";
        check(&format!("{app}.image"), Some("kubectl-edit Apply"));
        check(&format!("{app}.args[1]"), Some("helm Update"));
        check(&format!("{app}.ports[containerPort=80].name"), None);
        let port = "ports[containerPort=80,protocol=TCP].containerPort";
        check(&format!("{app}.{port}"), Some("helm Update"));
        check("spec.template.spec.containers[name=side].image", None);
        // Of several below a path, the newest.
        check(app, Some("kubectl-edit Apply"));
        check("spec", Some("kubectl Update scale"));
        check(
            "spec.template.spec.containers (order)",
            Some("kubectl-edit Apply"),
        );
    }

    #[test]
    fn what_is_gone_is_nobodys_and_status_is_no_write() {
        let mut change = Change {
            path: "spec.replicas".to_owned(),
            old: None,
            new: Some(json!(1)),
            cause: Cause::Drift,
        };
        assert_eq!(of(&live(), &change), None);
        change.old = Some(json!(2));
        assert_eq!(of(&json!({}), &change), None);
        let last = last(&live()).unwrap();
        assert_eq!((last.manager.as_str(), last.is_own()), ("kubectl", false));
        assert_eq!(last.time, Some("2026-11-28T10:07:00Z".parse().unwrap()));
    }
}
