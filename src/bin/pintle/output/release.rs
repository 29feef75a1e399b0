//! One release, in Helm's layout.

use std::fmt;

use jiff::Timestamp;
use pintle::chart::Values;
use pintle::release::{ApplyMethod, Release};
use serde::Serialize;
use serde_json::{Value, json};

use super::{print_data, print_text, time};
use crate::cli::Format;
use crate::failure::Failure;

/// The heading of the values that the user gave.
pub(crate) const USER_SUPPLIED: &str = "USER-SUPPLIED VALUES:";
/// The heading of the values that the revision was rendered with.
pub(crate) const COMPUTED: &str = "COMPUTED VALUES:";

/// A release for machines: a part of what `helm status -o json` prints, under the same names.
/// Values, manifest and hooks are left to `get`, because they may hold secrets.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    name: &'a str,
    namespace: &'a str,
    version: u32,
    info: Info<'a>,
    apply_method: ApplyMethod,
    chart: Value,
}

#[derive(Serialize)]
struct Info<'a> {
    first_deployed: Option<Timestamp>,
    last_deployed: Option<Timestamp>,
    status: &'a str,
    /// Whether it is pending and nobody works on it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    description: &'a str,
    notes: &'a str,
}

impl<'a> Data<'a> {
    pub(super) fn of(release: &'a Release) -> Self {
        let info = &release.info;
        Self {
            name: &release.name,
            namespace: &release.namespace,
            version: release.revision,
            info: Info {
                first_deployed: info.first_deployed,
                last_deployed: info.last_deployed,
                status: info.status.name(),
                interrupted: false,
                description: &info.description,
                notes: &info.notes,
            },
            apply_method: release.apply_method.unwrap_or(ApplyMethod::ClientSide),
            chart: json!({ "metadata": release.chart.metadata }),
        }
    }

    /// The same, with what is known of who works on it.
    pub(super) fn with(mut self, progress: Progress) -> Self {
        self.info.interrupted = progress == Progress::Interrupted;
        self
    }
}

/// Whether somebody works on a revision that is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It stands as it is recorded.
    AsRecorded,
    /// Nobody does.
    Interrupted,
}

impl Progress {
    /// A status for people.
    pub(super) fn told(self, status: &str) -> String {
        match self {
            Self::AsRecorded => status.to_owned(),
            Self::Interrupted => format!("{status} (interrupted)"),
        }
    }
}

/// Prints a release below a title.
pub(crate) fn print(release: &Release, title: Option<&str>, format: Format) -> Result<(), Failure> {
    if format != Format::Table {
        return print_data(&Data::of(release), format);
    }
    let title = title.map(|title| format!("{title}\n")).unwrap_or_default();
    print_text(&format!(
        "{title}{}{}",
        head(release, Progress::AsRecorded),
        notes(release)
    ))
}

pub(super) fn head(release: &Release, progress: Progress) -> String {
    let info = &release.info;
    Head {
        name: &release.name,
        namespace: &release.namespace,
        revision: release.revision,
        status: &progress.told(info.status.name()),
        last_deployed: info.last_deployed,
        description: &info.description,
    }
    .to_string()
}

/// What stands above all that is shown of a release.
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) revision: u32,
    pub(super) status: &'a str,
    pub(super) last_deployed: Option<Timestamp>,
    pub(super) description: &'a str,
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "NAME: {}", self.name)?;
        writeln!(f, "LAST DEPLOYED: {}", time(self.last_deployed))?;
        writeln!(f, "NAMESPACE: {}", self.namespace)?;
        writeln!(f, "STATUS: {}", self.status)?;
        writeln!(f, "REVISION: {}", self.revision)?;
        writeln!(f, "DESCRIPTION: {}", self.description)
    }
}

pub(super) fn notes(release: &Release) -> String {
    match release.info.notes.trim_end() {
        "" => String::new(),
        notes => format!("NOTES:\n{notes}\n"),
    }
}

/// Prints everything that a record says.
pub(crate) fn print_all(release: &Release, computed: &Values) -> Result<(), Failure> {
    print_text(&head(release, Progress::AsRecorded))?;
    print_values(USER_SUPPLIED, &release.config)?;
    print_text("\n")?;
    print_values(COMPUTED, computed)?;
    print_text("\nHOOKS:\n")?;
    print_hooks(release)?;
    print_text("MANIFEST:\n")?;
    print_text(&release.manifest)?;
    print_text(&notes(release))
}

/// Prints values as YAML below a heading.
pub(crate) fn print_values(heading: &str, values: &Values) -> Result<(), Failure> {
    print_text(&format!("{heading}\n"))?;
    print_data(values, Format::Yaml)
}

/// Prints the notes alone.
pub(crate) fn print_notes(release: &Release) -> Result<(), Failure> {
    print_text(&notes(release))
}

/// Prints the hooks as a YAML stream.
pub(crate) fn print_hooks(release: &Release) -> Result<(), Failure> {
    for hook in &release.hooks {
        print_text(&format!(
            "---\n# Source: {}\n{}\n",
            hook.path, hook.manifest
        ))?;
    }
    Ok(())
}
