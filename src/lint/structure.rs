//! Whether a resource is one that an API server takes: its fields, their types and values.
//!
//! A resource and the data of one minor come in, faults with their paths go out. What the rendered
//! text says around them is left to `place`. Faults name no value but words of an enumeration and
//! names of fields.

use serde_json::{Map, Value};

use super::rule::{self, Rule};
use crate::builtin::openapi::{Field, Holds, Minor, Object, Word};
use crate::render::nearest;
use crate::yaml::Step;

mod scalar;

/// A fault of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: &'static Rule,
    /// Where it is; for what is missing, where it should be.
    pub(super) path: Vec<Step>,
    /// What is wrong, to be read after the path.
    pub(super) message: String,
}

/// Checks all fields of a resource of a kind that `minor` serves.
pub(super) fn faults(body: &Value, root: Object, minor: Minor) -> Vec<Fault> {
    let mut check = Check {
        minor,
        path: Vec::new(),
        faults: Vec::new(),
    };
    check.holds(body, Holds::Object(root));
    check.faults
}

struct Check {
    minor: Minor,
    path: Vec<Step>,
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, rule: &'static Rule, message: String) {
        let path = self.path.clone();
        self.faults.push(Fault {
            rule,
            path,
            message,
        });
    }

    fn below(&mut self, step: Step, work: impl FnOnce(&mut Self)) {
        self.path.push(step);
        work(self);
        self.path.pop();
    }

    fn word(&mut self, value: &Value, word: Word) {
        self.holds(value, word.holds(self.minor));
    }

    fn holds(&mut self, value: &Value, holds: Holds) {
        match (holds, value) {
            (Holds::Any, _) | (Holds::Free, Value::Object(_)) => {}
            (Holds::Object(object), Value::Object(map)) => self.object(map, object),
            (Holds::Map(word), Value::Object(map)) => {
                for (key, value) in map {
                    self.below(Step::Key(key.clone()), |check| check.entry(value, word));
                }
            }
            (Holds::List(word), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Step::Index(index), |check| check.entry(item, word));
                }
            }
            (holds, value) => match scalar::check(value, holds) {
                Ok(()) => {}
                Err(scalar::Wrong::Type(expected)) => {
                    let found = describe(value);
                    self.fault(rule::FIELD_TYPE, format!("must be {expected}, is {found}"));
                }
                Err(scalar::Wrong::Value(problem)) => self.fault(rule::FIELD_VALUE, problem),
            },
        }
    }

    /// An item of a list or a value of a map.
    fn entry(&mut self, value: &Value, word: Word) {
        if !value.is_null() {
            self.word(value, word);
            return;
        }
        match word.holds(self.minor) {
            Holds::Any => {}
            // An empty map stands there as well as in any other place.
            Holds::Object(_) | Holds::Free | Holds::Map(_) | Holds::List(_) => {
                let message = "is null: an empty entry of a list or map".to_owned();
                self.fault(rule::NULL_FIELD, message);
            }
            holds => self.null(holds),
        }
    }

    fn object(&mut self, map: &Map<String, Value>, object: Object) {
        for (key, value) in map {
            match object.field(key) {
                None => self.unknown(key, object),
                Some(field) => {
                    self.below(Step::Key(key.clone()), |check| check.field(value, field));
                }
            }
        }
        let missing = object
            .fields()
            .filter(|(name, field)| field.required && map.get(*name).is_none_or(Value::is_null));
        for (name, _) in missing {
            self.below(Step::Key(name.to_owned()), |check| {
                check.fault(rule::MISSING_FIELD, "is required".to_owned());
            });
        }
    }

    fn field(&mut self, value: &Value, field: Field) {
        if !value.is_null() {
            self.word(value, field.word);
        } else if !field.required {
            self.null(field.word.holds(self.minor));
        }
    }

    /// A null, which an API server takes for a field that is not there. Where a scalar belongs, a
    /// template has lost a value; an empty map or list means the same as none, and so does the time
    /// that Go writes as null.
    fn null(&mut self, holds: Holds) {
        let expected = match holds {
            Holds::Any
            | Holds::Free
            | Holds::Time
            | Holds::Object(_)
            | Holds::Map(_)
            | Holds::List(_) => return,
            Holds::Quantity => {
                let message = "is null, which an API server reads as the quantity 0".to_owned();
                self.fault(rule::FIELD_TYPE, message);
                return;
            }
            holds => scalar::name(holds),
        };
        let message = format!("is null where {expected} belongs");
        self.fault(rule::NULL_FIELD, message);
    }

    fn unknown(&mut self, key: &str, object: Object) {
        let kind = object.name().rsplit('.').next().unwrap_or_default();
        let names: Vec<&str> = object.fields().map(|(name, _)| name).collect();
        let near = near(key, &names);
        let message = match near {
            Some(name) => format!("is not a field of {kind}: did you mean {name}?"),
            None => format!("is not a field of {kind}"),
        };
        self.below(Step::Key(key.to_owned()), |check| {
            check.fault(rule::UNKNOWN_FIELD, message);
        });
    }
}

/// The name that was probably meant: one that is spelt alike, or a whole word of the key's, as
/// `strategy` is of `updateStrategy`.
fn near<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    let lower = key.to_lowercase();
    let part = || {
        let mut parts = names.iter().filter(|name| {
            let name = name.to_lowercase();
            name.len() > 3 && (lower.ends_with(&name) || name.ends_with(&lower))
        });
        parts.next().copied()
    };
    nearest(key, names.iter().copied()).or_else(part)
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests;
