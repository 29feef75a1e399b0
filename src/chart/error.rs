//! What can be wrong with a chart or with values for it.

use std::fmt;

use super::{archive, constraint, schema, values};
use crate::yaml;

/// A place in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The file, as the user or the chart names it.
    pub file: String,
    /// The line, from 1; 0 if unknown.
    pub line: u64,
    /// The column in characters, from 1; 0 if unknown.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// A chart that cannot be used, or values that cannot be used with it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the chart or of values is not YAML.
    #[error("{at}: not valid YAML")]
    Yaml {
        /// Where.
        at: Position,
        /// What the YAML reader says.
        #[source]
        cause: yaml::Error,
    },
    /// A file that must be text is not.
    #[error("{file}: not UTF-8 text")]
    NotText {
        /// The file.
        file: String,
        /// Where the first bad byte is.
        #[source]
        cause: std::str::Utf8Error,
    },
    /// Values are a list or a scalar.
    #[error("{at}: values must be a mapping")]
    ValuesNotMapping {
        /// Where the document starts.
        at: Position,
    },
    /// There is no `Chart.yaml`.
    #[error("not a chart: {file} is missing")]
    NoChartYaml {
        /// Where it should stand.
        file: String,
    },
    /// A file in `charts/` that is no chart.
    #[error("{file}: only charts belong into charts/, in folders or archives (.tgz)")]
    Stray {
        /// The file.
        file: String,
    },
    /// An archive in `charts/` cannot be unpacked.
    #[error("cannot unpack {file}")]
    Archive {
        /// The archive.
        file: String,
        /// Why not.
        #[source]
        cause: Box<archive::Error>,
    },
    /// There are more charts in a chart, or they are nested deeper, than in any real one.
    #[error("the chart contains more than {limit} {unit}")]
    TooMany {
        /// The limit crossed.
        limit: usize,
        /// What was counted.
        unit: &'static str,
    },
    /// Charts that a chart depends on are not in it.
    #[error("chart {chart} depends on charts that are not in its folder charts/:{}", unmet(.missing))]
    Missing {
        /// The chart's path, such as `web/charts/db`.
        chart: String,
        /// What is missing.
        missing: Vec<Unmet>,
    },
    /// Two subcharts go by the same name.
    #[error("chart {chart} has two subcharts that go by the name of {name}: {} and {}", folders.0, folders.1)]
    SameName {
        /// The chart's path.
        chart: String,
        /// The name.
        name: String,
        /// Where they stand.
        folders: (String, String),
    },
    /// A value that decides something about subcharts has the wrong type.
    #[error("{path} must be {expected}, is {found}: {why}")]
    Shape {
        /// Where it stands in the values.
        path: String,
        /// The type it must have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
        /// What it decides.
        why: String,
    },
    /// A field of `Chart.yaml` is not what it must be.
    #[error("{at}: {field} {problem}")]
    Field {
        /// Where the field stands; where it should stand if it is missing.
        at: Position,
        /// The field, such as `dependencies[0].alias`.
        field: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A file's path leads out of the chart, or two files have the same.
    #[error("cannot take {path:?} into a chart: {problem}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Go templates in a chart that does not say that it is a Tera chart.
    #[error(
        "{at}: Go templates are not rendered; a Tera chart carries the annotation \
         {annotation}: tera in Chart.yaml",
        annotation = super::metadata::ENGINE
    )]
    GoTemplates {
        /// The first template action.
        at: Position,
    },
    /// Something of Helm's that pintle does not do.
    #[error("chart {chart} has {feature}, which is not supported yet")]
    Unsupported {
        /// The chart's name.
        chart: String,
        /// What it has.
        feature: String,
    },
    /// A library chart was to be installed.
    #[error("chart {chart} is a library chart: it cannot be installed")]
    Library {
        /// The chart's name.
        chart: String,
    },
    /// The cluster's version is outside of `kubeVersion`.
    #[error("chart {chart} needs Kubernetes {needed}, the cluster has {found}")]
    KubeVersion {
        /// The chart's name.
        chart: String,
        /// The constraint in `Chart.yaml`.
        needed: String,
        /// The cluster's version.
        found: String,
    },
    /// A `--set` argument is wrong.
    #[error(transparent)]
    Set(#[from] values::set::Error),
    /// The values do not fit `values.schema.json`, or that is wrong itself.
    #[error(transparent)]
    Schema(#[from] schema::Error),
}

/// A dependency without a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The name of the chart.
    pub name: String,
    /// The versions that will do, as a constraint.
    pub version: String,
    /// The versions that there are.
    pub found: Vec<String>,
}

fn unmet(all: &[Unmet]) -> String {
    let one = |unmet: &Unmet| {
        let Unmet { name, version, .. } = unmet;
        match unmet.found.as_slice() {
            [] => format!("\n  {name} {version}"),
            found => format!("\n  {name} {version} (there is {})", found.join(", ")),
        }
    };
    all.iter().map(one).collect()
}

/// What is wrong with a field of `Chart.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is required and missing or empty.
    #[error("is required")]
    Missing,
    /// It is null where an entry must stand.
    #[error("must not be null")]
    Null,
    /// It has the wrong type.
    #[error("must be {expected}")]
    Type {
        /// The type it must have.
        expected: &'static str,
    },
    /// Its value is not allowed.
    #[error("is {value:?}: must be {expected}")]
    Value {
        /// The value.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// It is not a version or constraint.
    #[error(transparent)]
    Version(#[from] constraint::Error),
    /// Another dependency has this name or alias.
    #[error("is {name:?}, which another dependency is called too")]
    Duplicate {
        /// The name or alias.
        name: String,
    },
    /// Helm's old field, or one that looks as if it chose the engine.
    #[error("does not choose the template engine: the annotation {annotation} does",
        annotation = super::metadata::ENGINE)]
    EngineField,
}

impl Error {
    /// Names the file of a YAML error and its place there.
    pub(super) fn yaml(file: &str, cause: yaml::Error) -> Self {
        let at = Position {
            file: file.to_owned(),
            line: cause.line,
            column: cause.column,
        };
        Self::Yaml { at, cause }
    }

    /// Says that the chart at fault stands in `folder`, such as `charts/db/`.
    #[must_use]
    pub(super) fn within(mut self, folder: &str) -> Self {
        match &mut self {
            Self::Yaml { at, .. }
            | Self::ValuesNotMapping { at }
            | Self::Field { at, .. }
            | Self::GoTemplates { at } => at.file.insert_str(0, folder),
            Self::NotText { file, .. }
            | Self::NoChartYaml { file }
            | Self::Stray { file }
            | Self::Archive { file, .. }
            | Self::Path { path: file, .. } => file.insert_str(0, folder),
            _ => {}
        }
        self
    }

    /// The place of the fault, if it is one in a file.
    pub fn position(&self) -> Option<&Position> {
        match self {
            Self::Yaml { at, .. }
            | Self::ValuesNotMapping { at }
            | Self::Field { at, .. }
            | Self::GoTemplates { at } => Some(at),
            _ => None,
        }
    }
}
