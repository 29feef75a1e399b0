//! Lists of releases and of revisions.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pintle::history::{Entry, Summary};
use serde::Serialize;

use super::{print_data, table, time};
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
    chart: &'a str,
    app_version: &'a str,
    description: &'a str,
}

/// Prints the newest revision of each release.
pub(crate) fn print_list(entries: &[Entry], format: Format) -> Result<(), Failure> {
    let unknown = Summary::default();
    let listed = entries.iter().map(|entry| {
        let summary = entry.summary.as_ref().unwrap_or(&unknown);
        Listed {
            name: &entry.name,
            namespace: &entry.namespace,
            revision: entry.revision.to_string(),
            updated: updated(summary.updated),
            status: entry.status.name(),
            chart: &summary.chart,
            app_version: &summary.app_version,
        }
    });
    if format != Format::Table {
        return print_data(&listed.collect::<Vec<_>>(), format);
    }
    table::print(
        [
            "NAME",
            "NAMESPACE",
            "REVISION",
            "UPDATED",
            "STATUS",
            "CHART",
            "APP VERSION",
        ],
        listed.map(|release| {
            [
                release.name.to_owned(),
                release.namespace.to_owned(),
                release.revision,
                release.updated,
                release.status.to_owned(),
                release.chart.to_owned(),
                release.app_version.to_owned(),
            ]
        }),
    )
}

/// Prints the revisions of one release, oldest first.
pub(crate) fn print_history(entries: &[Entry], format: Format) -> Result<(), Failure> {
    let unknown = Summary::default();
    let revisions = entries.iter().map(|entry| {
        let summary = entry.summary.as_ref().unwrap_or(&unknown);
        Recorded {
            revision: entry.revision,
            updated: summary.updated,
            status: entry.status.name(),
            chart: &summary.chart,
            app_version: &summary.app_version,
            description: &summary.description,
        }
    });
    if format != Format::Table {
        return print_data(&revisions.collect::<Vec<_>>(), format);
    }
    table::print(
        [
            "REVISION",
            "UPDATED",
            "STATUS",
            "CHART",
            "APP VERSION",
            "DESCRIPTION",
        ],
        revisions.map(|revision| {
            [
                revision.revision.to_string(),
                time(revision.updated),
                revision.status.to_owned(),
                revision.chart.to_owned(),
                revision.app_version.to_owned(),
                revision.description.to_owned(),
            ]
        }),
    )
}

/// A time as `helm list` shows it.
fn updated(timestamp: Option<Timestamp>) -> String {
    timestamp.map_or_else(
        || "-".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S%.f %z %Z")
                .to_string()
        },
    )
}
