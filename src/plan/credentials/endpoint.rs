//! Whether a config map says where its Service is found.

use serde_json::{Value, json};

use super::Reason;
use super::judge::Found;
use crate::manifest::generator::{Endpoint, Generator, Spec};
use crate::plan::diff::{Cause, Change};

/// Tells whether the data is what is known of it, or why it has to be written.
pub(super) fn judge(spec: &Endpoint, live: &Value) -> Result<Found, Reason> {
    let data = live.get("data").and_then(Value::as_object);
    let data = data.filter(|data| !data.is_empty()).ok_or(Reason::NoData)?;
    let Some(wanted) = spec.data() else {
        return Ok(Found::default());
    };
    for key in Endpoint::KEYS {
        let found = data
            .get(key)
            .map(|value| value.as_str().unwrap_or_default());
        match (found, wanted.get(key)) {
            (None, None) => (),
            (None, Some(_)) => {
                return Err(Reason::NoKey {
                    key: key.to_owned(),
                });
            }
            (Some(_), None) => {
                return Err(Reason::Surplus {
                    key: key.to_owned(),
                });
            }
            (Some(found), Some(wanted)) if found == wanted => (),
            (Some(found), Some(wanted)) => {
                return Err(Reason::Setting {
                    field: key,
                    found: found.to_owned(),
                    wanted: wanted.clone(),
                });
            }
        }
    }
    Ok(Found::default())
}

/// Returns how the data of the config map changes when it is written; nothing for other generators,
/// and as long as it is not known.
pub(super) fn changes(generator: &Generator, live: Option<&Value>) -> Vec<Change> {
    let Spec::Endpoint(spec) = &generator.spec else {
        return vec![];
    };
    let Some(wanted) = spec.data() else {
        return vec![];
    };
    let change = |key: &str| Change {
        path: format!("data.{key}"),
        old: live.and_then(|live| live.get("data")?.get(key).cloned()),
        new: wanted.get(key).map(|value| json!(value)),
        cause: Cause::Chart,
    };
    let changes = Endpoint::KEYS.iter().map(|key| change(key));
    changes.filter(|change| change.old != change.new).collect()
}
