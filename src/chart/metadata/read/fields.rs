//! Taking typed fields out of a mapping, with the path of each fault.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::chart::Problem;
use crate::yaml::Step;

pub(in crate::chart) struct Fault {
    pub(in crate::chart) path: Vec<Step>,
    pub(in crate::chart) problem: Problem,
}

pub(in crate::chart) fn fault(path: Vec<Step>, problem: Problem) -> Fault {
    Fault { path, problem }
}

/// A mapping and where it stands.
pub(in crate::chart) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: Vec<Step>,
}

impl<'a> Fields<'a> {
    pub(in crate::chart) fn root(value: &'a Value) -> Result<Self, Fault> {
        Self::new(value, Vec::new())
    }

    fn new(value: &'a Value, path: Vec<Step>) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            Value::Null if !path.is_empty() => Err(fault(path, Problem::Null)),
            _ => Err(fault(
                path,
                Problem::Type {
                    expected: "a mapping",
                },
            )),
        }
    }

    pub(in crate::chart) fn has(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }

    pub(in crate::chart) fn at(&self, field: &str) -> Vec<Step> {
        let mut path = self.path.clone();
        path.push(Step::Key(field.to_owned()));
        path
    }

    pub(in crate::chart) fn in_entry(&self, list: &str, index: usize, field: &str) -> Vec<Step> {
        let mut path = self.at(list);
        path.extend([Step::Index(index), Step::Key(field.to_owned())]);
        path
    }

    /// A string without what does not print; empty if it is not there.
    pub(in crate::chart) fn text(&self, field: &str) -> Result<String, Fault> {
        self.raw_text(field).map(|text| clean(&text))
    }

    pub(in crate::chart) fn raw_text(&self, field: &str) -> Result<String, Fault> {
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(value) => text(value, || self.at(field)),
        }
    }

    pub(in crate::chart) fn texts(&self, field: &str) -> Result<Vec<String>, Fault> {
        self.each(field, |item, path| match item {
            Value::Null => Err(fault(path(), Problem::Null)),
            item => text(item, path).map(|text| clean(&text)),
        })
    }

    /// Values to import: the name of an export, or a mapping with `child` and `parent`. They stay as they are
    /// written, for they are part of the digest of `Chart.lock`, and are keys of values.
    pub(in crate::chart) fn imports(&self, field: &str) -> Result<Vec<Value>, Fault> {
        self.each(field, |item, path| {
            if item.is_string() {
                return Ok(item.clone());
            }
            let expected = "a name, or a mapping with child and parent";
            let fields = Fields::new(item, path());
            let fields = fields.map_err(|_| fault(path(), Problem::Type { expected }))?;
            for end in ["child", "parent"] {
                if fields.raw_text(end)?.is_empty() {
                    return Err(fault(fields.at(end), Problem::Missing));
                }
            }
            Ok(item.clone())
        })
    }

    pub(in crate::chart) fn entries<T>(
        &self,
        field: &str,
        read: fn(&Fields<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.each(field, |item, path| read(&Fields::new(item, path())?))
    }

    pub(in crate::chart) fn flag(&self, field: &str) -> Result<bool, Fault> {
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(fault(
                self.at(field),
                Problem::Type {
                    expected: "a boolean",
                },
            )),
        }
    }

    /// Free text by free keys. It may have several lines, so that of what does not print only control
    /// characters are taken out.
    pub(in crate::chart) fn annotations(
        &self,
        field: &str,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let value = match self.map.get(field) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(value) => value,
        };
        let inner = Fields::new(value, self.at(field))?;
        let keep = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let clean = |text: &str| text.chars().filter(keep).collect::<String>();
        let read = |key: &String| Ok((clean(key), clean(&inner.raw_text(key)?)));
        inner.map.keys().map(read).collect()
    }

    fn each<T>(
        &self,
        field: &str,
        read: impl Fn(&Value, &dyn Fn() -> Vec<Step>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let items = match self.map.get(field) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(fault(self.at(field), Problem::Type { expected: "a list" })),
        };
        let path = |index| {
            let mut path = self.at(field);
            path.push(Step::Index(index));
            path
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| read(item, &|| path(index)))
            .collect()
    }
}

fn text(value: &Value, path: impl Fn() -> Vec<Step>) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(fault(
            path(),
            Problem::Type {
                expected: "a string",
            },
        )),
    }
}

/// Makes every kind of space a plain one and drops what does not print, so that no chart can
/// steer a terminal.
fn clean(text: &str) -> String {
    static UNPRINTABLE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[^\p{L}\p{M}\p{N}\p{P}\p{S} ]").ok());
    let text: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    // Compiling the classes of all of Unicode is a fifth of the work of rendering a small chart.
    if text.is_ascii() {
        return text.replace(|c: char| c.is_ascii_control(), "");
    }
    match &*UNPRINTABLE {
        Some(unprintable) => unprintable.replace_all(&text, "").into_owned(),
        None => text.chars().filter(|c| !c.is_control()).collect(),
    }
}
