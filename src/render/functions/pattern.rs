//! Filters with regular expressions, whose size is limited.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use regex::{Regex, RegexBuilder};
use tera::{TeraResult, Value};

use super::{Call, Entry};

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "regex_match",
        arguments: &["pattern"],
        body: regex_match,
    },
    Entry {
        name: "regex_find",
        arguments: &["pattern"],
        body: regex_find,
    },
    Entry {
        name: "regex_replace",
        arguments: &["pattern", "with"],
        body: regex_replace,
    },
];

/// A compiled expression may not be larger than this, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// So many compiled expressions are kept.
const MAX_KEPT: usize = 256;

/// The expressions that were compiled before: a chart asks for the same few again and again.
#[derive(Default)]
pub(super) struct Patterns(RwLock<BTreeMap<String, Regex>>);

impl Patterns {
    fn get(&self, pattern: &str) -> Result<Regex, regex::Error> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(pattern) {
            return Ok(found.clone());
        }
        drop(kept);
        let compiled = RegexBuilder::new(pattern).size_limit(MAX_SIZE).build()?;
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.insert(pattern.to_owned(), compiled.clone());
        }
        Ok(compiled)
    }
}

fn compiled(call: &Call<'_>) -> TeraResult<Regex> {
    let pattern = call.argument_text("pattern")?;
    call.bound
        .patterns
        .get(&pattern)
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => call.error(format_args!(
                "the pattern is larger than the limit of {limit} bytes"
            )),
            _ => call.error("the pattern is not a valid regular expression"),
        })
}

fn regex_match(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(compiled(call)?.is_match(&call.text()?)))
}

fn regex_find(call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text()?;
    let found = compiled(call)?
        .find(&text)
        .map_or("", |found| found.as_str());
    Ok(Value::from(found))
}

fn regex_replace(call: &Call<'_>) -> TeraResult<Value> {
    let (text, with) = (call.text()?, call.argument_text("with")?);
    Ok(Value::from(
        compiled(call)?.replace_all(&text, with.as_str()),
    ))
}
