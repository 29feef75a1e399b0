//! What templates can call besides what their engine brings along.
//!
//! A chart's files come in, the engine with its filters and functions goes out. Each of them is
//! an [`Entry`] of a table; `docs/functions.md` describes them, and a test compares the two.
//! Errors name the call and its arguments, never a value.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use globset::GlobMatcher;
use regex::Regex;
use serde_json::Value as Json;
use tera::{ErrorKind, Kwargs, State, Tera, TeraResult, Value};

use kept::Kept;

use super::names::Names;
use super::nearest::nearest;
use super::value::{kind, to_json};
use crate::chart::File;

mod encoding;
mod file;
mod guard;
mod kept;
mod map;
mod network;
mod pattern;
mod text;
mod tpl;
mod version;

/// The tables of filters.
const FILTERS: [&[Entry]; 8] = [
    encoding::FILTERS,
    guard::FILTERS,
    map::FILTERS,
    network::FILTERS,
    pattern::FILTERS,
    text::FILTERS,
    tpl::FILTERS,
    version::FILTERS,
];

/// The tables of functions.
const FUNCTIONS: [&[Entry]; 2] = [file::FUNCTIONS, guard::FUNCTIONS];

/// No text that a filter or a function makes may be larger than this, in bytes.
const MAX_TEXT: usize = 16 << 20;

/// What the messages of these functions start with, so that they are not taken for the engine's.
pub(super) const OWN: char = '\u{1}';

/// One filter or function.
struct Entry {
    name: &'static str,
    /// The names of its arguments.
    arguments: &'static [&'static str],
    body: fn(&Call<'_>) -> TeraResult<Value>,
}

/// What the functions of one chart share.
pub(super) struct Bound {
    files: BTreeMap<String, Vec<u8>>,
    /// What the chart's templates can name.
    names: Arc<Names>,
    patterns: Kept<Regex>,
    globs: Kept<Arc<GlobMatcher>>,
    /// The engine that the functions belong to, for `tpl`.
    tera: OnceLock<Weak<Tera>>,
}

impl Bound {
    /// Takes a copy of a chart's files, and the names that its templates can use.
    pub(super) fn new(files: &[File], names: &Arc<Names>) -> Self {
        let files = files
            .iter()
            .map(|file| (file.path.clone(), file.data.clone()));
        Self {
            files: files.collect(),
            names: Arc::clone(names),
            patterns: Kept::default(),
            globs: Kept::default(),
            tera: OnceLock::new(),
        }
    }

    /// Tells the functions which engine they belong to.
    pub(super) fn serve(&self, tera: &Arc<Tera>) {
        self.tera.get_or_init(|| Arc::downgrade(tera));
    }
}

/// Adds all filters and functions to `tera`, in the place of those of the same name.
pub(super) fn register(tera: &mut Tera, bound: &Arc<Bound>) {
    for entry in FILTERS.into_iter().flatten() {
        let bound = Arc::clone(bound);
        let filter = move |value: &Value, kwargs: Kwargs, state: &State<'_>| {
            entry.call(&Call {
                name: entry.name,
                value,
                kwargs: &kwargs,
                state,
                bound: &bound,
            })
        };
        tera.register_filter(entry.name, filter);
    }
    for entry in FUNCTIONS.into_iter().flatten() {
        let bound = Arc::clone(bound);
        let function = move |kwargs: Kwargs, state: &State<'_>| {
            entry.call(&Call {
                name: entry.name,
                value: &Value::none(),
                kwargs: &kwargs,
                state,
                bound: &bound,
            })
        };
        tera.register_function(entry.name, function);
    }
}

/// The names of all filters, those that the engine brings along included.
pub(super) fn filters() -> impl Iterator<Item = &'static str> {
    const ENGINE: [&str; 35] = [
        "abs",
        "capitalize",
        "default",
        "escape",
        "escape_html",
        "escape_xml",
        "first",
        "float",
        "get",
        "group_by",
        "int",
        "join",
        "keys",
        "last",
        "length",
        "lower",
        "newlines_to_br",
        "nth",
        "pairs",
        "pluralize",
        "replace",
        "reverse",
        "round",
        "safe",
        "sort",
        "split",
        "title",
        "trim",
        "trim_end",
        "trim_start",
        "truncate",
        "unique",
        "upper",
        "values",
        "wordcount",
    ];
    let own = FILTERS.into_iter().flatten().map(|entry| entry.name);
    own.filter(|name| !name.starts_with("__")).chain(ENGINE)
}

/// The names of all functions, those that the engine brings along included.
pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    let own = FUNCTIONS.into_iter().flatten().map(|entry| entry.name);
    own.chain(["range", "throw"])
}

/// The names of all tests, which are those that the engine brings along.
pub(super) fn tests() -> impl Iterator<Item = &'static str> {
    const ENGINE: [&str; 17] = [
        "array",
        "bool",
        "containing",
        "defined",
        "divisible_by",
        "ending_with",
        "even",
        "float",
        "integer",
        "iterable",
        "map",
        "none",
        "number",
        "odd",
        "starting_with",
        "string",
        "undefined",
    ];
    ENGINE.into_iter()
}

impl Entry {
    fn call(&self, call: &Call<'_>) -> TeraResult<Value> {
        for (key, _) in call.kwargs.iter() {
            let given = key.as_str().unwrap_or_default();
            if !self.arguments.contains(&given) {
                return Err(call.unknown_argument(given, self.arguments));
            }
        }
        let made = (self.body)(call)?;
        call.check_size(made.as_str().map_or(0, str::len))?;
        Ok(made)
    }
}

/// One call of a filter or a function.
struct Call<'a> {
    name: &'static str,
    value: &'a Value,
    kwargs: &'a Kwargs,
    state: &'a State<'a>,
    bound: &'a Bound,
}

impl<'a> Call<'a> {
    /// Refuses to make a text of `size` bytes if that is too large.
    fn check_size(&self, size: usize) -> TeraResult<()> {
        if size > MAX_TEXT {
            let limit = MAX_TEXT >> 20;
            let message = format!("a text is larger than the limit of {limit} MiB");
            return Err(if self.name.starts_with("__") {
                refusal(message)
            } else {
                self.error(message)
            });
        }
        Ok(())
    }

    /// An error of this call.
    fn error(&self, message: impl std::fmt::Display) -> tera::Error {
        refusal(format_args!("{}: {message}", self.name))
    }

    /// The value that is filtered.
    fn value(&self) -> TeraResult<&'a Value> {
        if self.value.is_undefined() {
            // The engine points at the value, not at the whole call, for this kind of error.
            return Err(tera::Error::new(ErrorKind::InvalidArgument {
                expected_type: self.name.to_owned(),
                actual_type: "undefined".to_owned(),
            }));
        }
        Ok(self.value)
    }

    /// The value that is filtered, as JSON.
    fn json(&self) -> TeraResult<Json> {
        to_json(self.value()?).map_err(|error| self.error(error))
    }

    /// The value that is filtered, as text.
    fn text(&self) -> TeraResult<String> {
        let value = self.value()?;
        plain(value).ok_or_else(|| self.wrong("the value", "a string", value))
    }

    /// The value that is filtered, which must be a map.
    fn map(&self) -> TeraResult<&'a tera::Map> {
        let value = self.value()?;
        (value.as_map()).ok_or_else(|| self.wrong("the value", "a map", value))
    }

    /// An argument that may be left out.
    fn optional(&self, name: &'static str) -> TeraResult<Option<&'a Value>> {
        match self.kwargs.get::<&Value>(name)? {
            Some(value) if value.is_undefined() => {
                Err(self.error(format_args!("the argument {name} is not defined")))
            }
            found => Ok(found),
        }
    }

    /// An argument.
    fn argument(&self, name: &'static str) -> TeraResult<&'a Value> {
        let found = self.optional(name)?;
        found.ok_or_else(|| self.error(format_args!("the argument {name} is missing")))
    }

    /// An argument as text.
    fn argument_text(&self, name: &'static str) -> TeraResult<String> {
        let value = self.argument(name)?;
        plain(value).ok_or_else(|| self.wrong(name, "a string", value))
    }

    /// An argument that must be a map.
    fn argument_map(&self, name: &'static str) -> TeraResult<&'a tera::Map> {
        let value = self.argument(name)?;
        value
            .as_map()
            .ok_or_else(|| self.wrong(name, "a map", value))
    }

    /// An argument that must be a whole number.
    fn argument_integer(&self, name: &'static str) -> TeraResult<i128> {
        let value = self.argument(name)?;
        value
            .as_i128()
            .ok_or_else(|| self.wrong(name, "a whole number", value))
    }

    /// An argument that must be a list of strings.
    fn argument_names(&self, name: &'static str) -> TeraResult<Vec<&'a str>> {
        let value = self.argument(name)?;
        let names = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_str).collect());
        names.ok_or_else(|| self.wrong(name, "a list of strings", value))
    }

    fn wrong(&self, what: &str, expected: &str, found: &Value) -> tera::Error {
        self.error(format_args!(
            "{what} must be {expected}, not {}",
            kind(found)
        ))
    }

    fn unknown_argument(&self, given: &str, known: &[&str]) -> tera::Error {
        match nearest(given, known.iter().copied()) {
            Some(meant) => self.error(format_args!(
                "there is no argument {given}; did you mean {meant}?"
            )),
            None if known.is_empty() => self.error("it takes no arguments"),
            None => self.error(format_args!(
                "there is no argument {given}; there are: {}",
                known.join(", ")
            )),
        }
    }
}

/// An error in the words of this program or of the chart's author.
fn refusal(message: impl std::fmt::Display) -> tera::Error {
    tera::Error::message(format!("{OWN}{message}"))
}

/// A string, a boolean or a number as text.
fn plain(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    if value.is_bool() || value.is_number() {
        return to_json(value).ok().map(|json| json.to_string());
    }
    None
}

#[cfg(test)]
mod tests;
