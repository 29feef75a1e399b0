//! `serviceAccount` of pods, the old name of `serviceAccountName`.
//!
//! The API server writes both where one is given, and takes the one for the other where that is missing:
//! whoever removes the name alone removes nothing.

use std::borrow::Cow;

use serde_json::Value;

use crate::plan::pod_template;

const NAMES: [&str; 2] = ["serviceAccountName", "serviceAccount"];

/// Returns what was applied with both names, if it has the newer one and `desired` has neither, so that
/// both go.
pub(super) fn with_both_names<'a>(applied: Cow<'a, Value>, desired: &Value) -> Cow<'a, Value> {
    let spec = |body: &Value| Some(format!("{}/spec", pod_template::path(body)?));
    let has = |body: &Value, name: &str| {
        let spec = spec(body).and_then(|spec| body.pointer(&spec)?.get(name).cloned());
        spec.filter(|value| !value.is_null())
    };
    let account = has(&applied, NAMES[0]);
    let (Some(path), Some(account)) = (spec(&applied), account) else {
        return applied;
    };
    if NAMES.iter().any(|name| has(desired, name).is_some()) {
        return applied;
    }
    let mut applied = applied.into_owned();
    if let Some(Value::Object(spec)) = applied.pointer_mut(&path) {
        spec.insert(NAMES[1].to_owned(), account);
    }
    Cow::Owned(applied)
}
