//! What the user sets: files and arguments, in the order in which they count.

use super::Values;
use super::set::{Argument, Files, Kind};
use crate::chart::Error;

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
    /// A `--set-json` argument.
    SetJson(String),
    /// A `--set` argument.
    Set(String),
    /// A `--set-string` argument.
    SetString(String),
    /// A `--set-file` argument.
    SetFile {
        /// The argument.
        argument: String,
        /// The text of each file that it names, as [`set::files`](super::set::files) finds them.
        files: Files,
    },
    /// A `--set-literal` argument.
    SetLiteral(String),
}

/// Everything that the user gave.
///
/// Files come first in their order, then the arguments of `--set-json`, `--set`, `--set-string`,
/// `--set-file` and `--set-literal`, those of each in theirs, wherever they stood on the command
/// line, as in Helm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The layers as given.
    pub layers: Vec<Layer>,
}

static NO_FILES: Files = Files::new();

impl Layer {
    /// The argument, if it is one of a `--set` flag.
    pub(super) fn argument(&self) -> Option<Argument<'_>> {
        let (kind, text, files) = match self {
            Self::File { .. } => return None,
            Self::SetJson(text) => (Kind::Json, text, &NO_FILES),
            Self::Set(text) => (Kind::Set, text, &NO_FILES),
            Self::SetString(text) => (Kind::String, text, &NO_FILES),
            Self::SetFile { argument, files } => (Kind::File, argument, files),
            Self::SetLiteral(text) => (Kind::Literal, text, &NO_FILES),
        };
        Some(Argument { kind, text, files })
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
            argument.apply(&mut values.0)?;
        }
        Ok(values)
    }

    /// The files of values, in their order: how the user named each, and its text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::File { name, text } => Some((name.as_str(), text.as_str())),
            _ => None,
        })
    }

    /// The arguments in the order in which they count.
    pub(super) fn arguments(&self) -> impl Iterator<Item = Argument<'_>> {
        let mut arguments: Vec<_> = self.layers.iter().filter_map(Layer::argument).collect();
        arguments.sort_by_key(|argument| argument.kind);
        arguments.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn overrides() -> Overrides {
        let file = |name: &str, text: &str| Layer::File {
            name: name.into(),
            text: text.into(),
        };
        Overrides {
            layers: vec![
                Layer::SetLiteral("z=literal".into()),
                Layer::Set("c=30,l[1]=x,y=2,z=2".into()),
                file("one.yaml", "a: 1\nb:\n  x: 1\nc: 3\nd: ~\n"),
                Layer::SetString("z=string,y=string".into()),
                Layer::SetJson("y=1,z=1,w=1".into()),
                Layer::Set("b.y=2".into()),
                file("two.yaml", "a: 2\nl: [p, q]\n"),
            ],
        }
    }

    #[test]
    fn layers_count_by_their_kind() {
        let defaults = Values::parse("values.yaml", "d: 4\ne: 5\nb: {x: 0, z: 0}\n").unwrap();
        let config = overrides().config(Values::default()).unwrap();
        let values = Values::coalesce(&defaults, &config);
        let arguments = json!({"w": 1, "y": "string", "z": "literal"});
        let Value::Object(arguments) = arguments else {
            panic!("no mapping")
        };
        let with = |mut value: Value| {
            value.as_object_mut().unwrap().extend(arguments.clone());
            value
        };
        assert_eq!(
            Value::Object(config.0),
            with(json!({"a": 2, "b": {"x": 1, "y": 2}, "c": 30, "d": null, "l": ["p", "x"]})),
        );
        assert_eq!(
            Value::Object(values.0),
            with(json!({"a": 2, "b": {"x": 1, "y": 2, "z": 0}, "c": 30, "e": 5, "l": ["p", "x"]})),
        );
    }

    #[test]
    fn faults_name_the_layer() {
        let broken = Overrides {
            layers: vec![Layer::Set("a.b".into())],
        };
        let error = broken.config(Values::default()).unwrap_err();
        assert_eq!(error.to_string(), "--set a.b: key \"b\" has no value");
    }
}
