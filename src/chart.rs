//! A chart in memory, and the values it is rendered with.
//!
//! Files come in from [`crate::source`], a valid [`Chart`] goes out; overrides and the values of
//! running revisions come in, final [`Values`] go out. Reading files is left to `source`,
//! rendering to `render`.

pub mod archive;
pub mod constraint;
mod digest;
mod error;
mod load;
pub mod lock;
mod metadata;
mod path;
pub mod schema;
mod secret;
mod starter;
mod tree;
pub mod values;

pub use constraint::Constraint;
pub use digest::digest;
pub(crate) use digest::hex;
pub use error::{Error, Position, Problem, Unmet};
pub(crate) use load::subcharts;
pub use lock::Lock;
pub use metadata::{Dependency, Engine, Kind, Maintainer, Metadata};
pub(crate) use path::{dotted as dotted_path, parse as path_steps};
pub(crate) use secret::{hide as hide_secrets, is_likely as is_likely_secret};
pub use starter::Starter;
pub use tree::{Node, Selection, Tree};
pub use values::{Change, Layer, Leaf, Origin, Origins, Overrides, Values};

/// How large one file of a chart may be, in bytes; the limit is Helm's.
pub const MAX_FILE: usize = 5 << 20;
/// How large all files of a chart may be together, in bytes; the limit is Helm's.
pub const MAX_TOTAL: usize = 100 << 20;
/// How many files and folders a chart may have.
pub const MAX_ENTRIES: usize = 10_000;

/// One file of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path below the chart's folder, with forward slashes.
    pub path: String,
    /// The content.
    pub data: Vec<u8>,
}

/// A chart, valid once built.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// Where its files stand below the folder of the chart that was loaded: `charts/db/`, or
    /// `charts/db-1.0.0.tgz/` in an archive; empty for that chart itself.
    pub folder: String,
    /// `Chart.yaml`; of charts of format v1 with the dependencies of `requirements.yaml`.
    pub metadata: Metadata,
    /// `Chart.lock`, or `requirements.lock`.
    pub lock: Option<Lock>,
    /// `values.yaml`: the defaults.
    pub values: Values,
    /// The text of `values.yaml`, to tell where a default stands.
    pub values_text: String,
    /// `values.schema.json`, byte for byte.
    pub schema: Option<Vec<u8>>,
    /// Everything below `templates/`, sorted by path.
    pub templates: Vec<File>,
    /// Every other file, sorted by path.
    pub files: Vec<File>,
    /// The charts in `charts/`, sorted by the names of their folders and archives.
    pub subcharts: Vec<Self>,
}

impl Chart {
    /// The chart and everything in it, each before what it contains.
    pub fn all(&self) -> Vec<&Self> {
        let inner = self.subcharts.iter().flat_map(Self::all);
        std::iter::once(self).chain(inner).collect()
    }

    /// Whether its lock was made for other dependencies than it has now.
    pub fn has_stale_lock(&self) -> bool {
        let Metadata {
            api_version,
            dependencies,
            ..
        } = &self.metadata;
        let lock = self.lock.as_ref();
        lock.is_some_and(|lock| !lock.fits(api_version, dependencies))
    }

    /// What its lock is called.
    pub fn lock_file(&self) -> &'static str {
        match self.metadata.api_version.as_str() {
            "v1" => "requirements.lock",
            _ => "Chart.lock",
        }
    }

    /// The files of custom resource definitions that are not templates: those of the chart itself
    /// (`crds/**.yaml`, `.yml` and `.json`), then those of each subchart. Each has its path below
    /// the folder of the chart that was loaded.
    pub fn crds(&self) -> Vec<File> {
        let own = self.own_crds().map(|file| File {
            path: format!("{}{}", self.folder, file.path),
            data: file.data.clone(),
        });
        own.chain(self.subcharts.iter().flat_map(Self::crds))
            .collect()
    }

    /// The files of custom resource definitions that are the chart's own.
    fn own_crds(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            let extension = file.path.rsplit_once('.').map_or("", |(_, end)| end);
            file.path.starts_with("crds/") && ["yaml", "yml", "json"].contains(&extension)
        })
    }
}
