//! Which charts take part, and with what values.
//!
//! The order is that of Helm's `ProcessDependencies` (helm/helm `pkg/chart/v2/util`): tags and
//! conditions look at the values of all charts, then those that are left bring up what is imported
//! from them. What Helm does otherwise stands in `docs/values.md`.

mod global;
mod import;
mod switch;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Node, Selection, Tree};
use crate::chart::path::dotted;
use crate::chart::values::complete;
use crate::chart::{Error, Values};
use crate::yaml::Step;

pub(super) use import::ends as import_ends;

/// The key of the values that go down into subcharts.
const GLOBAL: &str = "global";

/// Which charts count, and what of them.
#[derive(Clone, Copy)]
struct Part<'a> {
    off: &'a BTreeSet<String>,
    imports: Imports,
}

/// Whether parents bring up what they import.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Imports {
    Left,
    Taken,
}

impl Tree<'_> {
    /// Puts the user's `config` over the defaults of all charts, and tells which take part.
    ///
    /// Values of a chart's parent win over its own, and the user's over all. A null deletes what
    /// stands below it, at every depth; one that stands above nothing stays. What is `global`
    /// goes down into all subcharts, where that of the parent wins.
    ///
    /// # Errors
    /// If a value that a chart depends on has the wrong shape: that of a subchart's name or of
    /// `global`, a condition or a tag.
    pub fn select(&self, config: Values) -> Result<Selection, Error> {
        check_keys(&self.root, &[], &config.0)?;
        let mut off = BTreeSet::new();
        if switch::is_conditional(&self.root) {
            let imports = Imports::Left;
            let all = self.values(config.0.clone(), Part { off: &off, imports })?;
            off = switch::off(&self.root, &all)?;
        }
        let imports = Imports::Taken;
        let values = self.values(config.0, Part { off: &off, imports })?;
        let values = Values(values);
        Ok(Selection { values, off })
    }

    /// The defaults of all charts but those that are `off`: what the values would be if the user gave
    /// none.
    ///
    /// # Errors
    /// As [`Tree::select`].
    pub fn defaults(&self, off: &BTreeSet<String>) -> Result<Values, Error> {
        let imports = Imports::Taken;
        self.values(Map::new(), Part { off, imports }).map(Values)
    }

    fn values(
        &self,
        config: Map<String, Value>,
        part: Part<'_>,
    ) -> Result<Map<String, Value>, Error> {
        let globals = global::only(&self.root, &config);
        let above = global::Above::of(&globals);
        let mut values = config;
        complete(&mut values, defaults(&self.root, part)?);
        global::flow(&self.root, part.off, &mut values, &above)?;
        Ok(values)
    }
}

impl Node<'_> {
    /// The subcharts that are not turned off.
    fn on<'t>(&'t self, off: &'t BTreeSet<String>) -> impl Iterator<Item = &'t Self> {
        (self.subcharts.iter()).filter(|sub| !off.contains(&sub.path))
    }
}

/// The defaults of a chart: those of its subcharts, above them its own, below all what it imports.
fn defaults(node: &Node<'_>, part: Part<'_>) -> Result<Map<String, Value>, Error> {
    let own = &node.chart.values.0;
    check_keys(node, &node.keys, own)?;
    let below = node.on(part.off).map(|sub| {
        let values = defaults(sub, part)?;
        Ok((sub.name().to_owned(), Value::Object(values)))
    });
    let below: Map<String, Value> = below.collect::<Result<_, Error>>()?;
    let mut all = own.clone();
    complete(&mut all, below);
    if part.imports == Imports::Taken {
        let imported = import::imported(node, part.off, &all);
        complete(&mut all, imported);
    }
    Ok(all)
}

/// Refuses values for a subchart of `node` that are no mapping; those of `node` stand at `keys`.
fn check_keys(node: &Node<'_>, keys: &[String], values: &Map<String, Value>) -> Result<(), Error> {
    for sub in &node.subcharts {
        let keys = [keys, &[sub.name().to_owned()]].concat();
        match values.get(sub.name()) {
            None => {}
            Some(Value::Object(inner)) => check_keys(sub, &keys, inner)?,
            Some(other) => {
                let why = "it holds the values of a subchart".to_owned();
                return Err(shape(&keys, ("a mapping", other), why));
            }
        }
    }
    Ok(())
}

/// The value at `keys` is not what it must be.
fn shape(keys: &[String], (expected, found): (&'static str, &Value), why: String) -> Error {
    let steps: Vec<Step> = keys.iter().cloned().map(Step::Key).collect();
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    };
    Error::Shape {
        path: dotted(&steps),
        expected,
        found,
        why,
    }
}
