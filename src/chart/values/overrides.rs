//! What the user sets: files and arguments, and which of them a value came from.

use std::fmt;

use serde_json::{Map, Value};

use super::{Values, set};
use crate::chart::path::dotted;
use crate::chart::{Error, Position};
use crate::yaml::{self, Step};

/// One thing that the user gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A file of values (`-f`).
    File {
        /// How the user named it.
        name: String,
        /// Its text.
        text: String,
    },
    /// A `--set` argument.
    Set(String),
}

/// Everything that the user gave.
///
/// Files come first in their order, then `--set` arguments in theirs, wherever they stood on the
/// command line, as in Helm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The layers as given.
    pub layers: Vec<Layer>,
}

/// Values before and after the chart's defaults came in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved {
    /// What the user set, nulls included: what Helm records as `config`.
    pub config: Values,
    /// What the chart is rendered with.
    pub values: Values,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of values.
    File(Position),
    /// A `--set` argument: the key it sets.
    Set(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(position) => position.fmt(f),
            Self::Set(key) => write!(f, "--set {key}"),
        }
    }
}

impl Overrides {
    /// Merges the layers over `base`: the values to start from, such as those of a running
    /// release, or none.
    ///
    /// # Errors
    /// If a file is not YAML with a mapping, or an argument cannot be read.
    pub fn config(&self, base: Values) -> Result<Values, Error> {
        let mut values = base;
        for (name, text) in self.files() {
            values.layer(Values::parse(name, text)?);
        }
        for argument in self.arguments() {
            set::apply(argument, &mut values.0)?;
        }
        Ok(values)
    }

    /// Merges the layers and puts them over a chart's `defaults`.
    ///
    /// # Errors
    /// As [`Overrides::config`].
    pub fn resolve(&self, defaults: &Values) -> Result<Resolved, Error> {
        let config = self.config(Values::default())?;
        let values = Values::coalesce(defaults, &config);
        Ok(Resolved { config, values })
    }

    /// Finds the layer that last set the value at `path`; `None` if no layer sets it, so that it
    /// is a default of the chart, and for the empty path, which is all values together.
    pub fn origin(&self, path: &[Step]) -> Option<Origin> {
        // What is about all values together came from no single layer.
        if path.is_empty() {
            return None;
        }
        if self.arguments().rev().any(|argument| sets(argument, path)) {
            return Some(Origin::Set(dotted(path)));
        }
        self.files().rev().find_map(|(name, text)| {
            let (line, column) = yaml::locate(text, path)?;
            Some(Origin::File(Position {
                file: name.to_owned(),
                line,
                column,
            }))
        })
    }

    fn files(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::File { name, text } => Some((name.as_str(), text.as_str())),
            Layer::Set(_) => None,
        })
    }

    fn arguments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Set(argument) => Some(argument.as_str()),
            Layer::File { .. } => None,
        })
    }
}

fn sets(argument: &str, path: &[Step]) -> bool {
    let mut values = Map::new();
    if set::apply(argument, &mut values).is_err() {
        return false;
    }
    let tree = Value::Object(values);
    let found = path.iter().try_fold(&tree, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    });
    // A null in a list is most likely padding; elsewhere it was written.
    found.is_some_and(|value| !value.is_null() || matches!(path.last(), Some(Step::Key(_))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn overrides() -> Overrides {
        let file = |name: &str, text: &str| Layer::File {
            name: name.into(),
            text: text.into(),
        };
        Overrides {
            layers: vec![
                Layer::Set("c=30,l[1]=x".into()),
                file("one.yaml", "a: 1\nb:\n  x: 1\nc: 3\nd: ~\n"),
                Layer::Set("b.y=2".into()),
                file("two.yaml", "a: 2\nl: [p, q]\n"),
            ],
        }
    }

    #[test]
    fn files_come_before_arguments() {
        let defaults = Values::parse("values.yaml", "d: 4\ne: 5\nb: {x: 0, z: 0}\n").unwrap();
        let resolved = overrides().resolve(&defaults).unwrap();
        assert_eq!(
            Value::Object(resolved.config.0),
            json!({"a": 2, "b": {"x": 1, "y": 2}, "c": 30, "d": null, "l": ["p", "x"]}),
        );
        assert_eq!(
            Value::Object(resolved.values.0),
            json!({"a": 2, "b": {"x": 1, "y": 2, "z": 0}, "c": 30, "e": 5, "l": ["p", "x"]}),
        );
    }

    #[track_caller]
    fn check_origin(path: &[&str], expected: Option<&str>) {
        let path: Vec<Step> = path
            .iter()
            .map(|step| {
                step.parse()
                    .map_or_else(|_| Step::Key((*step).into()), Step::Index)
            })
            .collect();
        let found = overrides().origin(&path).map(|origin| origin.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_layer_that_set_a_value_last_is_found() {
        check_origin(&["a"], Some("two.yaml:1:4"));
        check_origin(&["b", "x"], Some("one.yaml:3:6"));
        check_origin(&["b", "y"], Some("--set b.y"));
        check_origin(&["c"], Some("--set c"));
        check_origin(&["l", "0"], Some("two.yaml:2:5"));
        check_origin(&["l", "1"], Some("--set l[1]"));
        check_origin(&["e"], None);
    }

    #[test]
    fn faults_name_the_layer() {
        let broken = Overrides {
            layers: vec![Layer::Set("a.b".into())],
        };
        let error = broken.resolve(&Values::default()).unwrap_err();
        assert_eq!(error.to_string(), "--set a.b: key \"b\" has no value");
    }
}
