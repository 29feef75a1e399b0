//! The language of `--set`.
//!
//! An argument such as `etcd.replicas=3,tags={a,b}` comes in and is written into a tree. The
//! grammar, typing and limits are those of Helm's `pkg/strvals` (4.3), but for two cases in which
//! Helm drops what was said: an argument that ends right after `.` or inside `[` is refused
//! because it sets nothing, and `a[0].b=` sets an empty string. Merging layers is left to the
//! parent module.

mod scanner;

use serde_json::{Map, Value};

use crate::chart::secret;
use scanner::Scanner;

/// A name with more dots than this is refused.
const MAX_NAMES: usize = 30;
/// A list index beyond this is refused.
const MAX_INDEX: usize = 65_536;
/// Brackets count towards this as well as dots, so that no argument can exhaust the stack.
const MAX_DEPTH: usize = 128;
/// One argument may not pad lists with more nulls than this.
const MAX_PADDING: usize = 1_000_000;

/// A `--set` argument that cannot be read or does not fit the values below it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--set {argument}: {fault}")]
pub struct Error {
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
}

/// Writes what `argument` says into `values`, later assignments over earlier ones.
///
/// `true`, `false` and `null` in any case, `0` and integers without a leading zero that fit 64
/// bits get their type; everything else, `1.5` and `01` too, is a string. A shorter list is
/// padded with nulls. A null is written as it stands: whether it deletes is decided when values
/// are put over a chart's defaults.
///
/// # Errors
/// If the argument does not follow the grammar, crosses a limit, or goes into a scalar as if it
/// were a mapping or list. `values` may then hold a part of it.
pub fn apply(argument: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    let mut parser = Parser {
        scanner: Scanner::new(argument),
        convert: typed,
        padding: 0,
    };
    parser
        .assignments(values)
        .map_err(|fault| Error::new(argument, fault))
}

impl Error {
    fn new(argument: &str, fault: Fault) -> Self {
        let argument = argument.split('=').next().unwrap_or_default().to_owned();
        let fault = if secret::is_likely(&argument) {
            fault.without_text()
        } else {
            fault
        };
        Self { argument, fault }
    }
}

impl Fault {
    /// An unescaped comma or dot in a password makes keys of its parts.
    fn without_text(mut self) -> Self {
        if let Self::NoValue { key: text }
        | Self::NotMapping { key: text }
        | Self::NotList { key: text }
        | Self::Index { index: text }
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

/// Whether there is more to read after a part of the argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    More,
    End,
    /// The argument ended before it gave a value.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Depth {
    names: usize,
    all: usize,
}

impl Depth {
    fn name(self) -> Result<Self, Fault> {
        if self.names == MAX_NAMES {
            return Err(Fault::TooDeep { limit: MAX_NAMES });
        }
        Self {
            names: self.names + 1,
            ..self
        }
        .index()
    }

    fn index(self) -> Result<Self, Fault> {
        if self.all == MAX_DEPTH {
            return Err(Fault::TooDeep { limit: MAX_DEPTH });
        }
        Ok(Self {
            all: self.all + 1,
            ..self
        })
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// What makes a value of the text after `=`: the only difference between the `--set` kinds.
    convert: fn(String) -> Value,
    padding: usize,
}

impl Parser<'_> {
    fn assignments(&mut self, values: &mut Map<String, Value>) -> Result<(), Fault> {
        while self.assignment(values, Depth { names: 0, all: 0 })? == Rest::More {}
        Ok(())
    }

    /// Reads one `key=value`, or the rest of one below a mapping already entered.
    fn assignment(&mut self, values: &mut Map<String, Value>, depth: Depth) -> Result<Rest, Fault> {
        let (key, stop) = self.scanner.until(&['=', '[', ',', '.']);
        match stop {
            None if key.is_empty() => Ok(Rest::End),
            None | Some(',') => Err(Fault::NoValue { key }),
            Some('=') => {
                let (value, rest) = self.value()?;
                insert(values, key, value);
                Ok(rest)
            }
            Some('[') => self.enter_list(values, key, depth),
            Some(_) => self.enter_mapping(values, key, depth.name()?),
        }
    }

    fn enter_mapping(
        &mut self,
        values: &mut Map<String, Value>,
        key: String,
        depth: Depth,
    ) -> Result<Rest, Fault> {
        if self.scanner.is_at_end() {
            return Err(Fault::NoValue { key });
        }
        let mut inner = match values.remove(&key) {
            None => Map::new(),
            Some(Value::Object(inner)) => inner,
            Some(_) => return Err(Fault::NotMapping { key }),
        };
        let rest = self.assignment(&mut inner, depth)?;
        if inner.is_empty() {
            return Err(Fault::NoValue { key });
        }
        insert(values, key, Value::Object(inner));
        Ok(rest)
    }

    fn enter_list(
        &mut self,
        values: &mut Map<String, Value>,
        key: String,
        depth: Depth,
    ) -> Result<Rest, Fault> {
        let index = self.index()?;
        let mut list = match values.remove(&key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Fault::NotList { key }),
        };
        let rest = self.item(&mut list, index, depth.index()?)?;
        insert(values, key, Value::Array(list));
        Ok(rest)
    }

    /// Reads what follows `]` into the item at `index`.
    fn item(&mut self, list: &mut Vec<Value>, index: usize, depth: Depth) -> Result<Rest, Fault> {
        let (text, stop) = self.scanner.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(Fault::AfterIndex { text });
        }
        let item = list.get_mut(index);
        let (value, rest) = match stop {
            None => return Ok(Rest::Nothing),
            Some('=') => self.value()?,
            Some('[') => self.enter_item_list(item, depth.index()?)?,
            Some(_) => self.enter_item_mapping(item, depth.index()?)?,
        };
        if rest != Rest::Nothing || index < list.len() {
            self.place(list, index, value)?;
        }
        Ok(rest)
    }

    fn enter_item_list(
        &mut self,
        item: Option<&mut Value>,
        depth: Depth,
    ) -> Result<(Value, Rest), Fault> {
        let index = self.index()?;
        let mut list = match item.map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                return Err(Fault::NotList {
                    key: format!("[{index}]"),
                });
            }
        };
        let rest = self.item(&mut list, index, depth)?;
        Ok((Value::Array(list), rest))
    }

    fn enter_item_mapping(
        &mut self,
        item: Option<&mut Value>,
        depth: Depth,
    ) -> Result<(Value, Rest), Fault> {
        if self.scanner.is_at_end() {
            return Err(Fault::NoValue { key: String::new() });
        }
        let mut inner = match item.map(Value::take) {
            Some(Value::Object(inner)) => inner,
            _ => Map::new(),
        };
        let rest = self.assignment(&mut inner, depth)?;
        Ok((Value::Object(inner), rest))
    }

    fn place(&mut self, list: &mut Vec<Value>, index: usize, value: Value) -> Result<(), Fault> {
        if index > MAX_INDEX {
            return Err(Fault::IndexTooLarge { index });
        }
        if let Some(slot) = list.get_mut(index) {
            *slot = value;
            return Ok(());
        }
        self.padding += index - list.len();
        if self.padding > MAX_PADDING {
            return Err(Fault::TooManyGaps);
        }
        list.resize(index, Value::Null);
        list.push(value);
        Ok(())
    }

    fn index(&mut self) -> Result<usize, Fault> {
        let (text, stop) = self.scanner.until(&[']']);
        match (text.parse(), stop) {
            (Ok(index), Some(_)) => Ok(index),
            _ => Err(Fault::Index { index: text }),
        }
    }

    /// Reads what follows `=`, up to and with the next comma.
    fn value(&mut self) -> Result<(Value, Rest), Fault> {
        if self.scanner.is_at_end() {
            return Ok((Value::String(String::new()), Rest::End));
        }
        if self.scanner.take('{') {
            return self.list().map(|list| (list, Rest::More));
        }
        let (text, _) = self.scanner.until(&[',']);
        Ok(((self.convert)(text), Rest::More))
    }

    fn list(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.scanner.until(&[',', '}']);
            if stop.is_none() {
                return Err(Fault::OpenList);
            }
            items.push((self.convert)(text));
            if stop == Some('}') {
                self.scanner.take(',');
                return Ok(Value::Array(items));
            }
        }
    }
}

/// An empty key is read and dropped.
fn insert(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(argument: &str, expected: &Value) {
        check_over(argument, json!({}), expected);
    }

    #[track_caller]
    fn check_over(argument: &str, base: Value, expected: &Value) {
        let Value::Object(mut values) = base else {
            panic!("{base} is no mapping")
        };
        apply(argument, &mut values).unwrap();
        assert_eq!(&Value::Object(values), expected, "{argument}");
    }

    #[track_caller]
    fn check_error(argument: &str, expected: &str) {
        let base = json!({"scalar": 1, "null": null, "list": [1, {"a": 1}], "map": {"a": 1}});
        let Value::Object(mut values) = base else {
            panic!("no mapping")
        };
        let error = apply(argument, &mut values).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn values_get_a_type() {
        check(
            "a=true,b=FALSE,c=Null",
            &json!({"a": true, "b": false, "c": null}),
        );
        check(
            "a=0,b=-5,c=+5,d=-05",
            &json!({"a": 0, "b": -5, "c": 5, "d": -5}),
        );
        check(
            "a=1.5,b=01,c=1e3,d=00",
            &json!({"a": "1.5", "b": "01", "c": "1e3", "d": "00"}),
        );
        check("a=9223372036854775807", &json!({"a": i64::MAX}));
        check(
            "a=9223372036854775808",
            &json!({"a": "9223372036854775808"}),
        );
        check("a=one two", &json!({"a": "one two"}));
    }

    #[test]
    fn assignments_are_joined_by_commas() {
        check("a=1,b=2,", &json!({"a": 1, "b": 2}));
        check("a=,b=2", &json!({"a": "", "b": 2}));
        check("a=", &json!({"a": ""}));
        check("a=b=c", &json!({"a": "b=c"}));
        check("", &json!({}));
        check("=1", &json!({}));
        check("a=1,a=2", &json!({"a": 2}));
    }

    #[test]
    fn a_backslash_takes_the_next_character_as_it_is() {
        check(
            r"a=one\,two,b=three\,four",
            &json!({"a": "one,two", "b": "three,four"}),
        );
        check(r"a\.b\[0\]=1", &json!({"a.b[0]": 1}));
        check(r"a\=b=\{1\}", &json!({"a=b": "{1}"}));
        check(r"a=x", &json!({"a": "x"}));
        check(r"a={x\,y,z\}}", &json!({"a": ["x,y", "z}"]}));
    }

    #[test]
    fn dots_go_into_mappings() {
        check("a.b.c=1,a.b.d=2", &json!({"a": {"b": {"c": 1, "d": 2}}}));
        check("a.b=", &json!({"a": {"b": ""}}));
        check_over(
            "a.b=2",
            json!({"a": {"b": 1, "c": 3}}),
            &json!({"a": {"b": 2, "c": 3}}),
        );
    }

    #[test]
    fn braces_make_lists() {
        check("a={1,x,null}", &json!({"a": [1, "x", null]}));
        check("a={}", &json!({"a": [""]}));
        check("a={1,2},b={3}", &json!({"a": [1, 2], "b": [3]}));
        check("a={1}b=2", &json!({"a": [1], "b": 2}));
        check("a.b={1}", &json!({"a": {"b": [1]}}));
    }

    #[test]
    fn brackets_go_into_lists() {
        check("a[2]=x", &json!({"a": [null, null, "x"]}));
        check("a[0].b=1,a[0].c=2", &json!({"a": [{"b": 1, "c": 2}]}));
        check("a[1].b=1", &json!({"a": [null, {"b": 1}]}));
        check("a[1][1]=1", &json!({"a": [null, [null, 1]]}));
        check("a[0]=", &json!({"a": [""]}));
        check("a[0]", &json!({"a": []}));
        check("a[0][1]", &json!({"a": []}));
        check("a[0][1][2]", &json!({"a": []}));
        check("a[0].b=", &json!({"a": [{"b": ""}]}));
        check("a[0]={1,2}", &json!({"a": [[1, 2]]}));
        check_over("a[1]=9", json!({"a": [1, 2, 3]}), &json!({"a": [1, 9, 3]}));
        check_over("a[0].b=1", json!({"a": ["x"]}), &json!({"a": [{"b": 1}]}));
        check_over("a[0][0]=1", json!({"a": [null]}), &json!({"a": [[1]]}));
    }

    #[test]
    fn faults_name_the_argument_and_the_key() {
        check_error("a,b=1", "--set a,b: key \"a\" has no value");
        check_error("a=1,,b=2", "--set a: key \"\" has no value");
        check_error("a.b", "--set a.b: key \"b\" has no value");
        check_error("a.=1", "--set a.: key \"a\" has no value");
        check_error("map.", "--set map.: key \"map\" has no value");
        check_error("a[", "--set a[: \"\" is not a list index");
        check_error("a[-1]=1", "--set a[-1]: \"-1\" is not a list index");
        check_error(
            "a[0]b=1",
            "--set a[0]b: unexpected \"b\" after a list index",
        );
        check_error(
            "a={1,2",
            "--set a: a list that starts with { must end with }",
        );
        check_error("scalar.a=1", "--set scalar.a: \"scalar\" is not a mapping");
        check_error("null.a=1", "--set null.a: \"null\" is not a mapping");
        check_error("map[0]=1", "--set map[0]: \"map\" is not a list");
        check_error("list[0][0]=1", "--set list[0][0]: \"[0]\" is not a list");
    }

    #[test]
    fn limits_are_named() {
        check_error(
            "a[65537]=1",
            "--set a[65537]: list index 65537 is over the limit of 65536",
        );
        let argument = "a.".repeat(31);
        let text = format!("--set {argument}b: keys are nested more than 30 levels deep");
        check_error(&format!("{argument}b=1"), &text);
        let argument = format!("a{}", "[0]".repeat(100_000));
        let text = format!("--set {argument}: keys are nested more than 128 levels deep");
        check_error(&format!("{argument}=1"), &text);
        let argument = (0..20)
            .map(|n| format!("a{n}[65536]=1"))
            .collect::<Vec<_>>()
            .join(",");
        check_error(
            &argument,
            "--set a0[65536]: the list indexes leave more than 1000000 gaps",
        );
    }

    #[test]
    fn parts_of_a_password_are_not_shown() {
        check_error(
            "password=hun,ter2",
            "--set password: key \"(hidden)\" has no value",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(argument in r"[a-c.,=\[\]{}\\0-9 ]{0,40}|\PC{0,40}") {
            let _ = apply(&argument, &mut Map::new());
        }

        #[test]
        fn a_plain_assignment_sets_its_key(key in "[a-z]{1,8}", value in "[a-z]{0,8}z") {
            let mut values = Map::new();
            apply(&format!("{key}={value}"), &mut values).unwrap();
            prop_assert_eq!(values.get(&key), Some(&Value::from(value)));
        }
    }
}
