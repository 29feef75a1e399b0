//! Where values come from, and what each of them stands above.
//!
//! Every layer that takes part comes in, lowest first: the defaults of charts, the values of a
//! running revision, the facts of a tenant, what the user gives. For a path, or for each leaf of
//! final values, the layer that decided it goes out. Merging is left to the parent module: this
//! one only explains its outcome.

mod explain;

use std::fmt;

use serde_json::{Map, Value};

use super::set::{self, Kind};
use super::{Overrides, Values};
use crate::chart::path::dotted;
use crate::chart::{Chart, Error, Node, Position, Selection, Tree};
use crate::yaml::{Places, Step};

pub use explain::{Change, Leaf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A chart's `values.yaml`.
    Default(Position),
    /// What the user had given to a revision that is recorded.
    Revision(u32),
    /// What the tenant says to charts that are installed into it.
    Tenant,
    /// A file of values.
    File(Position),
    /// An argument of a `--set` flag.
    Argument {
        /// The flag.
        kind: Kind,
        /// The key that it sets, and the path of the file with `--set-file`.
        argument: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default(position) => write!(f, "the chart's {position}"),
            Self::Revision(number) => write!(f, "revision {number}"),
            Self::Tenant => f.write_str("the tenant"),
            Self::File(position) => position.fmt(f),
            Self::Argument { kind, argument } => write!(f, "{} {argument}", kind.flag()),
        }
    }
}

/// The layers that final values come from, lowest first.
#[derive(Debug, Default)]
pub struct Origins {
    sources: Vec<Source>,
    /// Where the values of subcharts stand.
    subcharts: Vec<Vec<Step>>,
}

#[derive(Debug)]
struct Source {
    kind: Of,
    tree: Map<String, Value>,
}

#[derive(Debug)]
enum Of {
    /// The defaults of a chart, of which those `inside` stand at `prefix`.
    Chart {
        file: String,
        places: Places,
        prefix: Vec<Step>,
        inside: Vec<Step>,
    },
    Revision(u32),
    Tenant,
    File {
        name: String,
        places: Places,
    },
    Argument {
        kind: Kind,
        /// What it sets as it stands, with the paths of files.
        unread: Map<String, Value>,
    },
}

/// What a layer says about a path.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found<'a> {
    /// It has this value there.
    Value(&'a Value),
    /// It has something above that has no room for the path.
    Blocked,
    Nothing,
}

impl Origins {
    /// Begins with the defaults of the charts in `tree` that take part in `selection`.
    pub fn of(tree: &Tree<'_>, selection: &Selection) -> Self {
        let mut origins = Self::default();
        let all = tree.taking_part(selection);
        for (node, _) in all.iter().rev() {
            let on = node.subcharts.iter();
            for sub in on.filter(|sub| !selection.off.contains(&sub.path)) {
                origins.imports(node, sub);
            }
        }
        // What stands deeper is lower.
        for (node, _) in all.into_iter().rev() {
            let Chart {
                folder,
                values,
                values_text,
                ..
            } = node.chart;
            let file = format!("{folder}values.yaml");
            let keys: Vec<&str> = node.keys.iter().map(String::as_str).collect();
            origins.defaults(&file, (values, values_text), &keys);
        }
        origins
    }

    /// Adds the defaults of a chart, with the text of `file` they were read from (empty if it is
    /// not known). Those of a subchart stand at `prefix` in the values, as `sub`.
    pub fn defaults(&mut self, file: &str, defaults: (&Values, &str), prefix: &[&str]) {
        let (values, text) = defaults;
        let prefix = keys(prefix.iter().copied());
        let tree = placed(&prefix, values.0.clone());
        if !prefix.is_empty() {
            self.subcharts.push(prefix.clone());
        }
        let file = file.to_owned();
        let (places, inside) = (Places::read(text), vec![]);
        let kind = Of::Chart {
            file,
            places,
            prefix,
            inside,
        };
        self.add(kind, tree);
    }

    /// Adds what `node` imports from the defaults of `sub`.
    fn imports(&mut self, node: &Node<'_>, sub: &Node<'_>) {
        for (child, parent) in sub.imports() {
            let inside = keys(child.split('.'));
            let Found::Value(Value::Object(tree)) = at(&sub.chart.values.0, &inside) else {
                continue;
            };
            let above = node.keys.iter().map(String::as_str);
            let prefix = keys(above.chain(parent.split('.').filter(|key| !key.is_empty())));
            let tree = placed(&prefix, tree.clone());
            let kind = Of::Chart {
                file: format!("{}values.yaml", sub.chart.folder),
                places: Places::read(&sub.chart.values_text),
                prefix,
                inside,
            };
            self.add(kind, tree);
        }
    }

    /// Adds the `config` of a recorded revision.
    pub fn revision(&mut self, number: u32, config: &Values) {
        self.add(Of::Revision(number), config.0.clone());
    }

    /// Adds what a tenant says.
    pub fn tenant(&mut self, facts: &Values) {
        self.add(Of::Tenant, facts.0.clone());
    }

    /// Adds what the user gives.
    ///
    /// # Errors
    /// If a file is not YAML with a mapping, or an argument cannot be read.
    pub fn overrides(&mut self, overrides: &Overrides) -> Result<(), Error> {
        for (name, text) in overrides.files() {
            let tree = Values::parse(name, text)?.0;
            let name = name.to_owned();
            let places = Places::read(text);
            self.add(Of::File { name, places }, tree);
        }
        for argument in overrides.arguments() {
            let (mut tree, mut unread) = (Map::new(), Map::new());
            argument.apply(&mut tree)?;
            argument.apply_unread(&mut unread)?;
            let kind = argument.kind;
            self.add(Of::Argument { kind, unread }, tree);
        }
        Ok(())
    }

    /// Finds the highest layer that has a value at `path`; `None` if there is none, and for the
    /// empty path: what is about all values together came from no single layer, also of a subchart.
    pub fn find(&self, path: &[Step]) -> Option<Origin> {
        if path.is_empty() || self.subcharts.iter().any(|sub| sub == path) {
            return None;
        }
        self.alike(path).into_iter().find_map(|path| {
            let mut sources = self.sources.iter().rev();
            let found = sources.find(|source| matches!(source.at(&path), Found::Value(_)));
            found.map(|source| source.origin(&path))
        })
    }

    /// The paths that the value at `path` can come from: what is `global` in a chart comes from the
    /// charts that contain it, the highest first.
    fn alike(&self, path: &[Step]) -> Vec<Vec<Step>> {
        let is_global = |step: &Step| matches!(step, Step::Key(key) if key == "global");
        let ends = (1..path.len()).filter(|end| is_global(&path[*end]));
        let mut ends = ends.filter(|end| self.subcharts.iter().any(|sub| *sub == path[..*end]));
        let Some(end) = ends.next() else {
            return vec![path.to_vec()];
        };
        (0..=end)
            .map(|above| [&path[..above], &path[end..]].concat())
            .collect()
    }

    fn add(&mut self, kind: Of, tree: Map<String, Value>) {
        self.sources.push(Source { kind, tree });
    }
}

impl Source {
    fn is_default(&self) -> bool {
        matches!(self.kind, Of::Chart { .. })
    }

    fn at(&self, path: &[Step]) -> Found<'_> {
        let found = at(&self.tree, path);
        match (found, path.last(), &self.kind) {
            // A null in a list of an argument is most likely padding.
            (Found::Value(Value::Null), Some(Step::Index(_)), Of::Argument { .. }) => {
                Found::Nothing
            }
            _ => found,
        }
    }

    /// What the layer is called where it has the value at `path`.
    fn origin(&self, path: &[Step]) -> Origin {
        let position = |file: &str, places: &Places, path: &[Step]| {
            let (line, column) = places.find(path).unwrap_or_default();
            Position {
                file: file.to_owned(),
                line,
                column,
            }
        };
        match &self.kind {
            Of::Chart {
                file,
                places,
                prefix,
                inside,
            } => {
                let below = path.get(prefix.len()..).unwrap_or_default();
                let own = [inside.as_slice(), below].concat();
                Origin::Default(position(file, places, &own))
            }
            Of::Revision(number) => Origin::Revision(*number),
            Of::Tenant => Origin::Tenant,
            Of::File { name, places } => Origin::File(position(name, places, path)),
            Of::Argument { kind, unread } => {
                let path = match kind {
                    // Of its text, only the key is an argument's own.
                    set::Kind::Json => path.to_vec(),
                    _ => whole(&self.tree, path),
                };
                let mut argument = dotted(&path);
                let file = (*kind == set::Kind::File).then(|| at(unread, &path));
                if let Some(Found::Value(Value::String(file))) = file {
                    argument = format!("{argument}={file}");
                }
                Origin::Argument {
                    kind: *kind,
                    argument,
                }
            }
        }
    }
}

fn keys<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<Step> {
    keys.map(|key| Step::Key(key.to_owned())).collect()
}

/// The path that an argument names, of which `path` may be the beginning.
fn whole(tree: &Map<String, Value>, path: &[Step]) -> Vec<Step> {
    let mut path = path.to_vec();
    while let Found::Value(Value::Object(map)) = at(tree, &path)
        && map.len() == 1
    {
        path.extend(map.keys().cloned().map(Step::Key));
    }
    path
}

/// The tree in which `tree` stands at `path`.
fn placed(path: &[Step], tree: Map<String, Value>) -> Map<String, Value> {
    let wrap = |tree, step: &Step| match step {
        Step::Key(key) => [(key.clone(), Value::Object(tree))].into_iter().collect(),
        Step::Index(_) => tree,
    };
    path.iter().rev().fold(tree, wrap)
}

fn at<'a>(tree: &'a Map<String, Value>, path: &[Step]) -> Found<'a> {
    let Some((Step::Key(first), rest)) = path.split_first() else {
        return Found::Nothing;
    };
    let Some(mut value) = tree.get(first) else {
        return Found::Nothing;
    };
    for step in rest {
        let inner = match (step, value) {
            (Step::Key(key), Value::Object(map)) => map.get(key),
            (Step::Index(index), Value::Array(list)) => list.get(*index),
            // Nulls pad the lists of arguments.
            (_, Value::Null) => return Found::Nothing,
            _ => return Found::Blocked,
        };
        match inner {
            Some(inner) => value = inner,
            None => return Found::Nothing,
        }
    }
    Found::Value(value)
}
