//! The language of `--set` and its kin.
//!
//! An argument such as `etcd.replicas=3,tags={a,b}` comes in and is written into a tree. The
//! grammar, typing and limits are those of Helm's `pkg/strvals` (4.3), but for two cases in which
//! Helm drops what was said: an argument that ends right after `.` or inside `[` is refused
//! because it sets nothing, and `a[0].b=` sets an empty string. Merging layers is left to the
//! parent module, reading the files of `--set-file` to the callers.

mod parser;
mod scanner;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::layer;
use crate::chart::secret;
use crate::yaml;
use parser::Parser;

/// A name with more dots than this is refused.
const MAX_NAMES: usize = 30;
/// A list index beyond this is refused.
const MAX_INDEX: usize = 65_536;
/// Brackets count towards this as well as dots, so that no argument can exhaust the stack.
const MAX_DEPTH: usize = 128;
/// One argument may not pad lists with more nulls than this.
const MAX_PADDING: usize = 1_000_000;

/// Which flag an argument was given to, in the order in which Helm applies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `--set-json`: values are JSON, or the whole argument is one object of values.
    Json,
    /// `--set`: values get a type by their look.
    Set,
    /// `--set-string`: values are strings.
    String,
    /// `--set-file`: values are paths of files, whose text is set.
    File,
    /// `--set-literal`: all that follows `=` is one string, and nothing is escaped.
    Literal,
}

impl Kind {
    /// The flag, as it is written.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Json => "--set-json",
            Self::Set => "--set",
            Self::String => "--set-string",
            Self::File => "--set-file",
            Self::Literal => "--set-literal",
        }
    }
}

/// The files that `--set-file` arguments name, by the path that they name.
pub type Files = BTreeMap<String, String>;

/// One argument of a `--set` flag.
#[derive(Debug, Clone, Copy)]
pub struct Argument<'a> {
    /// Which flag.
    pub kind: Kind,
    /// What was given to it.
    pub text: &'a str,
    /// The files that it may name; empty for all kinds but [`Kind::File`].
    pub files: &'a Files,
}

/// A `--set` argument that cannot be read or does not fit the values below it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {argument}: {fault}", kind.flag())]
pub struct Error {
    /// The flag that it was given to.
    pub kind: Kind,
    /// The argument up to its first `=`: what follows may be secret.
    pub argument: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a `--set` argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A key is not followed by `=` and a value.
    #[error("key {key:?} has no value")]
    NoValue {
        /// The key.
        key: String,
    },
    /// `[` is not followed by a number and `]`.
    #[error("{index:?} is not a list index")]
    Index {
        /// What stands after the bracket.
        index: String,
    },
    /// An index is over the limit.
    #[error("list index {index} is over the limit of {MAX_INDEX}")]
    IndexTooLarge {
        /// The index.
        index: usize,
    },
    /// Text follows `]`.
    #[error("unexpected {text:?} after a list index")]
    AfterIndex {
        /// The text.
        text: String,
    },
    /// `{` without `}`.
    #[error("a list that starts with {{ must end with }}")]
    OpenList,
    /// The key goes into something that is not a mapping.
    #[error("{key:?} is not a mapping")]
    NotMapping {
        /// The key.
        key: String,
    },
    /// The key indexes something that is not a list.
    #[error("{key:?} is not a list")]
    NotList {
        /// The key.
        key: String,
    },
    /// Too many levels.
    #[error("keys are nested more than {limit} levels deep")]
    TooDeep {
        /// The limit crossed.
        limit: usize,
    },
    /// The indexes together ask for lists that are too long.
    #[error("the list indexes leave more than {MAX_PADDING} gaps")]
    TooManyGaps,
    /// A value of `--set-json` is not JSON.
    #[error("the value of {key:?} is not JSON: {problem}")]
    Json {
        /// The key; empty if the whole argument is one object.
        key: String,
        /// What the JSON reader says, without a part of the value.
        problem: String,
    },
    /// A file of `--set-file` was not read.
    #[error("{path:?} was not read")]
    NoFile {
        /// The path.
        path: String,
    },
}

impl Argument<'_> {
    /// Writes what the argument says into `values`, later assignments over earlier ones.
    ///
    /// With `--set`, `true`, `false` and `null` in any case, `0` and integers without a leading
    /// zero that fit 64 bits get their type; everything else, `1.5` and `01` too, is a string. A
    /// shorter list is padded with nulls. A null is written as it stands: whether it deletes is
    /// decided when values are put over a chart's defaults.
    ///
    /// # Errors
    /// If the argument does not follow the grammar, crosses a limit, or goes into a scalar as if
    /// it were a mapping or list. `values` may then hold a part of it.
    pub fn apply(&self, values: &mut Map<String, Value>) -> Result<(), Error> {
        if self.kind == Kind::Json && self.text.trim_start().starts_with('{') {
            return self.object().map(|object| layer(values, object));
        }
        self.parse(values, &mut |text| match self.kind {
            Kind::Set => Ok(typed(text)),
            Kind::File => match self.files.get(&text) {
                Some(content) => Ok(Value::String(content.clone())),
                None => Err(Fault::NoFile { path: text }),
            },
            Kind::Json | Kind::String | Kind::Literal => Ok(Value::String(text)),
        })
    }

    /// Writes the argument into `values` as [`apply`](Self::apply) does, but as it stands: with
    /// the path of a file where its text would be.
    pub(super) fn apply_unread(&self, values: &mut Map<String, Value>) -> Result<(), Error> {
        match self.kind {
            Kind::File => self.parse(values, &mut |text| Ok(Value::String(text))),
            _ => self.apply(values),
        }
    }

    fn parse(
        &self,
        values: &mut Map<String, Value>,
        convert: &mut dyn FnMut(String) -> Result<Value, Fault>,
    ) -> Result<(), Error> {
        Parser::new(self.kind, self.text, convert)
            .assignments(values)
            .map_err(|fault| self.error(fault))
    }

    fn object(&self) -> Result<Map<String, Value>, Error> {
        let mut object: Value = serde_json::from_str(self.text).map_err(|error| {
            self.error(Fault::Json {
                key: String::new(),
                problem: error.to_string(),
            })
        })?;
        yaml::fold_integers(&mut object);
        match object {
            Value::Object(object) => Ok(object),
            // It starts with a brace.
            _ => Ok(Map::new()),
        }
    }

    fn error(&self, fault: Fault) -> Error {
        let key = self.text.split('=').next().unwrap_or_default();
        // Of a whole object no part is the key.
        let argument = if self.text.trim_start().starts_with('{') {
            "{…}"
        } else {
            key
        };
        let argument = argument.to_owned();
        let fault = if secret::is_likely(&argument) {
            fault.without_text()
        } else {
            fault
        };
        Error {
            kind: self.kind,
            argument,
            fault,
        }
    }
}

/// The files that a `--set-file` argument names, in the order in which it does.
///
/// # Errors
/// If the argument does not follow the grammar.
pub fn files(argument: &str) -> Result<Vec<String>, Error> {
    let argument = Argument {
        kind: Kind::File,
        text: argument,
        files: &Files::new(),
    };
    let mut found = vec![];
    argument.parse(&mut Map::new(), &mut |path| {
        found.push(path);
        Ok(Value::Null)
    })?;
    Ok(found)
}

impl Fault {
    /// An unescaped comma or dot in a password makes keys of its parts.
    fn without_text(mut self) -> Self {
        if let Self::NoValue { key: text }
        | Self::NotMapping { key: text }
        | Self::NotList { key: text }
        | Self::Index { index: text }
        | Self::Json { key: text, .. }
        | Self::NoFile { path: text }
        | Self::AfterIndex { text } = &mut self
        {
            "(hidden)".clone_into(text);
        }
        self
    }
}

/// Gives a value its type as `--set` does.
fn typed(text: String) -> Value {
    let constants = [
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("null", Value::Null),
    ];
    for (word, value) in constants {
        if text.eq_ignore_ascii_case(word) {
            return value;
        }
    }
    let number = if text == "0" || !text.starts_with('0') {
        text.parse::<i64>().ok()
    } else {
        None
    };
    number.map_or(Value::String(text), Value::from)
}

#[cfg(test)]
mod tests;
