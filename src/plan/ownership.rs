//! The marks by which a resource belongs to a release (helm/helm `pkg/action/validate.go`).

use serde_json::{Map, Value};

use crate::manifest::annotation;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// The value of [`MANAGED_BY`]: Helm adopts nothing that says otherwise.
const HELM: &str = "Helm";

/// The release that owns resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The release's name.
    pub release: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
}

impl Owner<'_> {
    /// A copy of `body` that carries the marks.
    pub fn marked(&self, body: &Value) -> Value {
        let mut body = body.clone();
        let Some(metadata) = map(&mut body, "metadata") else {
            return body;
        };
        if let Some(labels) = entry(metadata, "labels") {
            labels.insert(MANAGED_BY.to_owned(), HELM.into());
        }
        if let Some(annotations) = entry(metadata, "annotations") {
            annotations.insert(RELEASE_NAME.to_owned(), self.release.into());
            annotations.insert(RELEASE_NAMESPACE.to_owned(), self.namespace.into());
        }
        body
    }

    /// Says which mark `live` lacks or has with another value; none if it belongs to this release.
    pub fn mismatch(&self, live: &Value) -> Option<String> {
        let marks = [
            (label(live, MANAGED_BY), MANAGED_BY, HELM),
            (annotation(live, RELEASE_NAME), RELEASE_NAME, self.release),
            (
                annotation(live, RELEASE_NAMESPACE),
                RELEASE_NAMESPACE,
                self.namespace,
            ),
        ];
        marks
            .into_iter()
            .find_map(|(found, key, wanted)| match found {
                Some(found) if found == wanted => None,
                Some(found) => Some(format!("{key} is {found:?} instead of {wanted:?}")),
                None => Some(format!("{key} is missing")),
            })
    }
}

/// The label of `live` with that key.
pub fn label<'a>(live: &'a Value, key: &str) -> Option<&'a str> {
    live.get("metadata")?.get("labels")?.get(key)?.as_str()
}

fn map<'a>(body: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    entry(body.as_object_mut()?, key)
}

/// The map below `key`, made if it is absent or null.
fn entry<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWNER: Owner<'_> = Owner {
        release: "web",
        namespace: "shop",
    };

    #[test]
    fn marked_resources_belong_to_their_release() {
        for metadata in [
            json!({}),
            json!({"labels": null}),
            json!({"annotations": {"a": "b"}}),
        ] {
            let body = OWNER.marked(&json!({ "metadata": metadata }));
            assert_eq!(OWNER.mismatch(&body), None, "{body}");
        }
    }

    #[test]
    fn the_first_wrong_mark_is_named() {
        let live = OWNER.marked(&json!({"metadata": {}}));
        let other = Owner {
            release: "api",
            ..OWNER
        };
        assert_eq!(
            other.mismatch(&live).as_deref(),
            Some("meta.helm.sh/release-name is \"web\" instead of \"api\"")
        );
        assert_eq!(
            OWNER.mismatch(&json!({})).as_deref(),
            Some("app.kubernetes.io/managed-by is missing")
        );
    }
}
