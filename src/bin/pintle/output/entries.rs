//! Lists of releases and of revisions.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pintle::history::{Entry, Summary};
use pintle::ops::Revisions;
use serde::Serialize;

use super::release::Progress;
use super::{layout, print_data, print_text, table, time};
use crate::cli::Format;
use crate::failure::Failure;

/// One release, in the shape of `helm list -o json`.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    namespace: &'a str,
    /// A string, as Helm has it.
    revision: String,
    updated: String,
    status: &'a str,
    chart: &'a str,
    app_version: &'a str,
}

/// One revision, in the shape of `helm history -o json`.
#[derive(Serialize)]
struct Recorded<'a> {
    revision: u32,
    updated: Option<Timestamp>,
    status: &'a str,
    /// Whether it is pending and nobody works on it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    chart: &'a str,
    app_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback_revision: Option<u32>,
    description: &'a str,
}

/// How a list of releases is shown.
#[derive(Clone, Copy)]
pub(crate) struct ListView<'a> {
    /// The layout of times, as Go writes it.
    pub(crate) time_format: Option<&'a str>,
    /// Whether the columns of a table have heads.
    pub(crate) has_heads: bool,
}

/// Prints the names alone.
pub(crate) fn print_names(entries: &[Entry], format: Format) -> Result<(), Failure> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    match format {
        Format::Table if names.is_empty() => Ok(()),
        Format::Table => print_text(&format!("{}\n", names.join("\n"))),
        format => print_data(&names, format),
    }
}

/// Prints one revision of each release.
pub(crate) fn print_list(
    entries: &[Entry],
    format: Format,
    view: ListView<'_>,
) -> Result<(), Failure> {
    let unknown = Summary::default();
    let listed = entries.iter().map(|entry| {
        let summary = entry.summary.as_ref().unwrap_or(&unknown);
        Listed {
            name: &entry.name,
            namespace: &entry.namespace,
            revision: entry.revision.to_string(),
            updated: updated(summary.updated, view.time_format),
            status: entry.status.name(),
            chart: &summary.chart,
            app_version: &summary.app_version,
        }
    });
    if format != Format::Table {
        return print_data(&listed.collect::<Vec<_>>(), format);
    }
    let heads = [
        "NAME",
        "NAMESPACE",
        "REVISION",
        "UPDATED",
        "STATUS",
        "CHART",
        "APP VERSION",
    ];
    let rows = listed.map(|release| {
        [
            release.name.to_owned(),
            release.namespace.to_owned(),
            release.revision,
            release.updated,
            release.status.to_owned(),
            release.chart.to_owned(),
            release.app_version.to_owned(),
        ]
    });
    if view.has_heads {
        table::print(heads, rows)
    } else {
        table::print_rows(rows)
    }
}

/// Which columns a history has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistoryView {
    /// Those that Helm shows.
    Plain,
    /// Also the revision that a rollback went back to.
    WithRollbacks,
}

/// Prints the revisions of one release, oldest first.
pub(crate) fn print_history(
    revisions: &Revisions,
    format: Format,
    view: HistoryView,
) -> Result<(), Failure> {
    let unknown = Summary::default();
    let interrupted = &revisions.interrupted;
    let revisions = revisions.entries.iter().map(|entry| {
        let summary = entry.summary.as_ref().unwrap_or(&unknown);
        Recorded {
            revision: entry.revision,
            updated: summary.updated,
            status: entry.status.name(),
            interrupted: interrupted.contains(&entry.revision),
            chart: &summary.chart,
            app_version: &summary.app_version,
            rollback_revision: summary.rollback_revision,
            description: &summary.description,
        }
    });
    if format != Format::Table {
        return print_data(&revisions.collect::<Vec<_>>(), format);
    }
    let rows: Vec<[String; 7]> = revisions.map(|one| history_row(&one)).collect();
    if view == HistoryView::WithRollbacks {
        return table::print(HISTORY_HEADS, rows);
    }
    let [first @ .., _, last] = HISTORY_HEADS;
    table::print(
        joined(first, last),
        rows.into_iter().map(|row| {
            let [first @ .., _, last] = row;
            joined(first, last)
        }),
    )
}

const HISTORY_HEADS: [&str; 7] = [
    "REVISION",
    "UPDATED",
    "STATUS",
    "CHART",
    "APP VERSION",
    "ROLLBACK",
    "DESCRIPTION",
];

fn history_row(revision: &Recorded<'_>) -> [String; 7] {
    let progress = if revision.interrupted {
        Progress::Interrupted
    } else {
        Progress::AsRecorded
    };
    let rollback = revision.rollback_revision.map(|number| number.to_string());
    [
        revision.revision.to_string(),
        time(revision.updated),
        progress.told(revision.status),
        revision.chart.to_owned(),
        revision.app_version.to_owned(),
        rollback.unwrap_or_default(),
        revision.description.to_owned(),
    ]
}

fn joined<T>([revision, updated, status, chart, app_version]: [T; 5], last: T) -> [T; 6] {
    [revision, updated, status, chart, app_version, last]
}

/// A time as `helm list` shows it.
fn updated(timestamp: Option<Timestamp>, layout: Option<&str>) -> String {
    let Some(timestamp) = timestamp else {
        return "-".to_owned();
    };
    let time = timestamp.to_zoned(TimeZone::system());
    match layout.filter(|layout| !layout.is_empty()) {
        Some(layout) => layout::format(&time, layout),
        None => time.strftime("%Y-%m-%d %H:%M:%S%.f %z %Z").to_string(),
    }
}
