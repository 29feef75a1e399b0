//! Reading a document strictly, field by field, with the path of whatever is wrong.

use serde_json::{Map, Value};

use super::Fault;
use super::nearest::nearest;

/// A fault and the field it is in.
#[derive(Debug)]
pub(super) struct At {
    pub(super) path: String,
    pub(super) fault: Fault,
}

pub(super) type Read<T> = Result<T, At>;

/// One value of a document.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    value: &'a Value,
    path: String,
}

/// A map of a document.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Field<'a> {
    /// The document itself.
    pub(super) fn root(value: &'a Value) -> Self {
        let path = String::new();
        Self { value, path }
    }

    pub(super) fn fail<T>(&self, fault: Fault) -> Read<T> {
        let path = self.path.clone();
        Err(At { path, fault })
    }

    /// Says that the value, a text or a number, cannot be.
    pub(super) fn refuse<T>(&self, problem: &str) -> Read<T> {
        let value = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.fail(Fault::Value {
            value,
            problem: problem.to_owned(),
        })
    }

    fn other_type<T>(&self, wanted: &'static str) -> Read<T> {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        self.fail(Fault::Type { wanted, found })
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        match self.value.as_str() {
            Some("") => self.refuse("it must not be empty"),
            Some(text) => Ok(text),
            None => self.other_type("a string"),
        }
    }

    /// A text that `is_good`, or else `problem`.
    pub(super) fn text_where(&self, is_good: fn(&str) -> bool, problem: &str) -> Read<String> {
        let text = self.text()?;
        if is_good(text) {
            Ok(text.to_owned())
        } else {
            self.refuse(problem)
        }
    }

    /// One of the values that have a name.
    pub(super) fn choice<T: Copy>(&self, all: &[(&'static str, T)]) -> Read<T> {
        let text = self.text()?;
        if let Some((_, value)) = all.iter().find(|(name, _)| *name == text) {
            return Ok(*value);
        }
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        self.refuse(&format!("it has to be one of {}", names.join(", ")))
    }

    pub(super) fn integer(&self, range: std::ops::RangeInclusive<usize>) -> Read<usize> {
        let Some(number) = self.value.as_u64() else {
            return self.other_type("a positive integer");
        };
        match usize::try_from(number) {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => self.refuse(&format!(
                "it has to be from {} to {}",
                range.start(),
                range.end()
            )),
        }
    }

    pub(super) fn list(&self) -> Read<impl Iterator<Item = Field<'a>> + use<'a>> {
        let Some(items) = self.value.as_array() else {
            return self.other_type("a list");
        };
        let path = self.path.clone();
        Ok(items.iter().enumerate().map(move |(index, value)| Field {
            value,
            path: format!("{path}[{index}]"),
        }))
    }

    pub(super) fn map(&self) -> Read<Fields<'a>> {
        let Some(map) = self.value.as_object() else {
            return self.other_type("a map");
        };
        let path = self.path.clone();
        Ok(Fields { map, path })
    }

    /// A map of which no other field than these is known.
    pub(super) fn map_of(&self, known: &[&'static str]) -> Read<Fields<'a>> {
        let fields = self.map()?;
        match fields.map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(fields),
            Some(unknown) => Err(At {
                path: fields.path_of(unknown),
                fault: Fault::Unknown {
                    nearest: nearest(unknown, known.iter().copied()),
                },
            }),
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn optional(&self, name: &str) -> Option<Field<'a>> {
        self.map.get(name).map(|value| Field {
            value,
            path: self.path_of(name),
        })
    }

    pub(super) fn required(&self, name: &str) -> Read<Field<'a>> {
        self.optional(name).ok_or_else(|| At {
            path: self.path_of(name),
            fault: Fault::Missing,
        })
    }

    /// Every field with its name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.map.iter().map(|(name, value)| {
            let path = self.path_of(name);
            (name.as_str(), Field { value, path })
        })
    }

    fn path_of(&self, name: &str) -> String {
        if name.contains('.') {
            format!("{}[{name:?}]", self.path)
        } else if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}
