//! Filters on maps. Their results have their keys in order.

use serde_json::{Map, Value as Json};
use tera::{TeraResult, Value};

use super::{Call, Entry};
use crate::render::value::{map_to_tera, to_json};

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "merge",
        arguments: &["with"],
        body: merge,
    },
    Entry {
        name: "deep_merge",
        arguments: &["with"],
        body: deep_merge,
    },
    Entry {
        name: "pick",
        arguments: &["keys"],
        body: pick,
    },
    Entry {
        name: "omit",
        arguments: &["keys"],
        body: omit,
    },
    Entry {
        name: "dig",
        arguments: &["path", "default"],
        body: dig,
    },
];

fn merge(call: &Call<'_>) -> TeraResult<Value> {
    let mut entries = call.map()?.clone();
    let with = call.argument_map("with")?;
    entries.extend(with.iter().map(|(key, item)| (key.clone(), item.clone())));
    Ok(sorted(entries))
}

fn deep_merge(call: &Call<'_>) -> TeraResult<Value> {
    let mut below = object(call, call.map()?.clone())?;
    let above = object(call, call.argument_map("with")?.clone())?;
    join(&mut below, above);
    Ok(map_to_tera(below))
}

fn object(call: &Call<'_>, map: tera::Map) -> TeraResult<Map<String, Json>> {
    match to_json(&Value::from(map)).map_err(|error| call.error(error))? {
        Json::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// Maps are joined key by key; of anything else, what stands above wins.
fn join(below: &mut Map<String, Json>, above: Map<String, Json>) {
    for (key, item) in above {
        match (below.get_mut(&key), item) {
            (Some(Json::Object(below)), Json::Object(above)) => join(below, above),
            (_, item) => {
                below.insert(key, item);
            }
        }
    }
}

fn pick(call: &Call<'_>) -> TeraResult<Value> {
    let keys = call.argument_names("keys")?;
    select(call, |key| keys.contains(&key))
}

fn omit(call: &Call<'_>) -> TeraResult<Value> {
    let keys = call.argument_names("keys")?;
    select(call, |key| !keys.contains(&key))
}

fn select(call: &Call<'_>, stays: impl Fn(&str) -> bool) -> TeraResult<Value> {
    let entries = (call.map()?.iter())
        .filter(|(key, _)| stays(key.as_str().unwrap_or_default()))
        .map(|(key, item)| (key.clone(), item.clone()));
    Ok(sorted(entries.collect()))
}

fn dig(call: &Call<'_>) -> TeraResult<Value> {
    let path = match call.argument("path")?.as_str() {
        Some(path) => path.split('.').collect(),
        None => call.argument_names("path")?,
    };
    let mut value = call.value()?;
    for (at, step) in path.iter().enumerate() {
        let found = value.as_map().and_then(|map| {
            map.iter()
                .find(|(key, _)| key.as_str() == Some(step))
                .map(|(_, item)| item)
        });
        match (found, call.optional("default")?) {
            (Some(found), _) => value = found,
            (None, Some(default)) => return Ok(default.clone()),
            (None, None) => {
                let path = path[..=at].join(".");
                return Err(
                    call.error(format_args!("{path} is not there, and no default is given"))
                );
            }
        }
    }
    Ok(value.clone())
}

fn sorted(mut entries: tera::Map) -> Value {
    entries.sort_unstable_keys();
    Value::from(entries)
}
