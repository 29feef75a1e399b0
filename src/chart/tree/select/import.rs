//! Values that a chart brings up from its subcharts.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::chart::tree::Node;
use crate::chart::values::layer;

/// What `node` imports from the subcharts that are not `off`, whose values stand in `values`.
///
/// Of several imports of one key the first wins. What a subchart does not have is passed over, as
/// in Helm.
pub(super) fn imported(
    node: &Node<'_>,
    off: &BTreeSet<String>,
    values: &Map<String, Value>,
) -> Map<String, Value> {
    let mut all = Map::new();
    for sub in node.on(off) {
        for (child, parent) in sub.imports() {
            let Some(Value::Object(found)) = find(values.get(sub.name()), &child) else {
                continue;
            };
            let mut below = placed(&parent, found.clone());
            layer(&mut below, all);
            all = below;
        }
    }
    all
}

/// Where an import comes from and where it goes to: `data` means from `exports.data` to the top.
pub(in crate::chart::tree) fn ends(import: &Value) -> Option<(String, String)> {
    match import {
        Value::String(name) => Some((format!("exports.{name}"), ".".to_owned())),
        Value::Object(ends) => {
            let end = |name: &str| match ends.get(name)? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            Some((end("child")?, end("parent")?))
        }
        _ => None,
    }
}

fn find<'v>(values: Option<&'v Value>, path: &str) -> Option<&'v Value> {
    let mut keys = path.split('.');
    keys.try_fold(values?, |value, key| value.get(key))
}

fn placed(path: &str, table: Map<String, Value>) -> Map<String, Value> {
    if path == "." {
        return table;
    }
    let wrap = |inner, key: &str| {
        [(key.to_owned(), Value::Object(inner))]
            .into_iter()
            .collect()
    };
    path.rsplit('.').fold(table, wrap)
}
