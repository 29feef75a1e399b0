//! Functions that read the files of the chart, and no others.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use globset::{GlobBuilder, GlobMatcher};
use tera::{TeraResult, Value};

use super::{Call, Entry};
use crate::render::nearest::nearest;
use crate::render::value::to_key;

pub(super) const FUNCTIONS: &[Entry] = &[
    Entry {
        name: "file",
        arguments: &["path", "encoding"],
        body: file,
    },
    Entry {
        name: "files_glob",
        arguments: &["pattern", "encoding"],
        body: files_glob,
    },
    Entry {
        name: "files_config",
        arguments: &["pattern", "encoding"],
        body: files_config,
    },
];

fn file(call: &Call<'_>) -> TeraResult<Value> {
    let path = call.argument_text("path")?;
    if let Some(data) = call.bound.files.get(&path) {
        return content(call, &path, data);
    }
    let known = call.bound.files.keys().map(String::as_str);
    Err(match nearest(&path, known) {
        Some(meant) => call.error(format_args!(
            "the chart has no file {path}; did you mean {meant}?"
        )),
        None => call.error(format_args!("the chart has no file {path}")),
    })
}

fn files_glob(call: &Call<'_>) -> TeraResult<Value> {
    let pattern = pattern(call)?;
    let mut found = tera::Map::new();
    for (path, data) in &call.bound.files {
        if pattern.is_match(path) {
            found.insert(to_key(path), content(call, path, data)?);
        }
    }
    Ok(Value::from(found))
}

fn files_config(call: &Call<'_>) -> TeraResult<Value> {
    let pattern = pattern(call)?;
    let mut found = tera::Map::new();
    for (path, data) in &call.bound.files {
        if !pattern.is_match(path) {
            continue;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if found
            .insert(to_key(name), content(call, path, data)?)
            .is_some()
        {
            return Err(call.error(format_args!("more than one file has the name {name}")));
        }
    }
    found.sort_unstable_keys();
    Ok(Value::from(found))
}

fn pattern(call: &Call<'_>) -> TeraResult<Arc<GlobMatcher>> {
    let make = |pattern: &str| {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
        Ok::<_, globset::Error>(Arc::new(glob.compile_matcher()))
    };
    let pattern = call.argument_text("pattern")?;
    let matcher = call.bound.globs.get(&pattern, make);
    matcher.map_err(|_| call.error("the pattern is not a valid file pattern"))
}

fn content(call: &Call<'_>, path: &str, data: &[u8]) -> TeraResult<Value> {
    let encoding = match call.optional("encoding")? {
        Some(_) => call.argument_text("encoding")?,
        None => "text".to_owned(),
    };
    match encoding.as_str() {
        "base64" => Ok(Value::from(STANDARD.encode(data))),
        "text" => match std::str::from_utf8(data) {
            Ok(text) => Ok(Value::from(text)),
            Err(_) => Err(call.error(format_args!(
                "{path} is not UTF-8 text; ask for it with encoding=\"base64\""
            ))),
        },
        _ => Err(call.error("encoding must be \"text\" or \"base64\"")),
    }
}
