//! Filters on text.

use std::fmt::Write as _;

use tera::{TeraResult, Value};

use super::{Call, Entry};
use crate::render::name::{self, HASH_LENGTH, MAX_LABEL};
use crate::render::strict::CHECK;

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "indent",
        arguments: &["n"],
        body: indent,
    },
    Entry {
        name: "nindent",
        arguments: &["n"],
        body: nindent,
    },
    Entry {
        name: "quote",
        arguments: &[],
        body: quote,
    },
    Entry {
        name: "squote",
        arguments: &[],
        body: squote,
    },
    Entry {
        name: "str",
        arguments: &[],
        body: str,
    },
    Entry {
        name: "k8s_name",
        arguments: &["max"],
        body: k8s_name,
    },
    Entry {
        name: CHECK,
        arguments: &[],
        body: defined,
    },
];

/// No line is moved further to the right than this.
const MAX_INDENT: usize = 1000;

fn indent(call: &Call<'_>) -> TeraResult<Value> {
    indented(call, String::new())
}

fn nindent(call: &Call<'_>) -> TeraResult<Value> {
    indented(call, "\n".to_owned())
}

fn indented(call: &Call<'_>, mut out: String) -> TeraResult<Value> {
    let width = (usize::try_from(call.argument_integer("n")?).ok())
        .filter(|width| *width <= MAX_INDENT)
        .ok_or_else(|| call.error(format_args!("n must be between 0 and {MAX_INDENT}")))?;
    let text = call.text()?;
    call.check_size(text.len() + width * (1 + text.matches('\n').count()))?;
    let pad = " ".repeat(width);
    out.reserve(text.len() + 64);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
    }
    Ok(Value::from(out))
}

fn quote(call: &Call<'_>) -> TeraResult<Value> {
    let text = if call.value()?.is_none() {
        String::new()
    } else {
        call.text()?
    };
    let mut out = String::with_capacity(text.len() + 2);
    for letter in serde_json::Value::from(text).to_string().chars() {
        // JSON lets these stand, YAML does not.
        if matches!(
            letter,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
        ) {
            // Writing into a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    Ok(Value::from(out))
}

fn squote(call: &Call<'_>) -> TeraResult<Value> {
    let text = if call.value()?.is_none() {
        String::new()
    } else {
        call.text()?
    };
    if text.chars().any(char::is_control) {
        return Err(call.error("single quotes cannot hold a line break or tab; use quote"));
    }
    Ok(Value::from(format!("'{}'", text.replace('\'', "''"))))
}

fn str(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(call.value()?.to_string()))
}

fn defined(call: &Call<'_>) -> TeraResult<Value> {
    call.value().cloned()
}

fn k8s_name(call: &Call<'_>) -> TeraResult<Value> {
    let max = match call.optional("max")? {
        None => MAX_LABEL,
        Some(_) => (usize::try_from(call.argument_integer("max")?).ok())
            .filter(|max| (HASH_LENGTH + 2..=253).contains(max))
            .ok_or_else(|| call.error("max must be between 7 and 253"))?,
    };
    Ok(Value::from(name::k8s_name(&call.text()?, max)))
}
