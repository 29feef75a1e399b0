//! Filters with regular expressions, whose size is limited.

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

fn compiled(call: &Call<'_>) -> TeraResult<Regex> {
    let make = |pattern: &str| RegexBuilder::new(pattern).size_limit(MAX_SIZE).build();
    let pattern = call.argument_text("pattern")?;
    call.bound
        .patterns
        .get(&pattern, make)
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
