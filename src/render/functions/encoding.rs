//! Filters between values and their encodings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tera::{TeraResult, Value};

use super::{Call, Entry};
use crate::chart::hex;
use crate::render::value::to_tera;

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "to_yaml",
        arguments: &[],
        body: to_yaml,
    },
    Entry {
        name: "to_json",
        arguments: &[],
        body: to_json,
    },
    Entry {
        name: "from_yaml",
        arguments: &[],
        body: from_yaml,
    },
    Entry {
        name: "from_json",
        arguments: &[],
        body: from_json,
    },
    Entry {
        name: "b64encode",
        arguments: &[],
        body: b64encode,
    },
    Entry {
        name: "b64decode",
        arguments: &[],
        body: b64decode,
    },
    Entry {
        name: "sha256",
        arguments: &[],
        body: sha256,
    },
];

fn to_yaml(call: &Call<'_>) -> TeraResult<Value> {
    let text = crate::yaml::to_string(&call.json()?);
    Ok(Value::from(text.strip_suffix('\n').unwrap_or(&text)))
}

fn to_json(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(call.json()?.to_string()))
}

fn from_yaml(call: &Call<'_>) -> TeraResult<Value> {
    match crate::yaml::parse(&call.text()?) {
        Ok(value) => Ok(to_tera(value)),
        Err(error) => Err(call.error(format_args!(
            "the text is not valid YAML (line {}, column {})",
            error.line, error.column
        ))),
    }
}

fn from_json(call: &Call<'_>) -> TeraResult<Value> {
    match serde_json::from_str(&call.text()?) {
        Ok(value) => Ok(to_tera(value)),
        Err(error) => Err(call.error(format_args!(
            "the text is not valid JSON (line {}, column {})",
            error.line(),
            error.column()
        ))),
    }
}

fn b64encode(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(STANDARD.encode(call.text()?)))
}

fn b64decode(call: &Call<'_>) -> TeraResult<Value> {
    let Ok(bytes) = STANDARD.decode(call.text()?.trim()) else {
        return Err(call.error("the text is not valid base64"));
    };
    let text =
        String::from_utf8(bytes).map_err(|_| call.error("the decoded bytes are not text"))?;
    Ok(Value::from(text))
}

fn sha256(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(hex(&Sha256::digest(call.text()?))))
}
