//! Hooks of a release, and how its tests ran, in Helm's layout.

use std::fmt::Write as _;

use pintle::cluster::Output;
use pintle::manifest::HookEvent;
use pintle::ops::Tested;
use pintle::release::{HookRun, Release, StoredHook};
use serde::Serialize;

use super::{print_data, print_text, release, time};
use crate::cli::Format;
use crate::failure::Failure;

/// A hook for machines: what Helm has in its JSON, without the text of the resource.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    name: &'a str,
    kind: &'a str,
    path: &'a str,
    events: &'a [String],
    last_run: &'a HookRun,
    weight: i64,
    delete_policies: &'a [String],
    output_log_policies: &'a [String],
}

impl<'a> From<&'a StoredHook> for Data<'a> {
    fn from(hook: &'a StoredHook) -> Self {
        Self {
            name: &hook.name,
            kind: &hook.kind,
            path: &hook.path,
            events: &hook.events,
            last_run: &hook.last_run,
            weight: hook.weight,
            delete_policies: &hook.delete_policies,
            output_log_policies: &hook.output_log_policies,
        }
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    release: release::Data<'a>,
    /// The tests that were meant.
    hooks: Vec<Data<'a>>,
    /// What they have written, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<Log<'a>>,
}

#[derive(Serialize)]
struct Log<'a> {
    pod: &'a str,
    container: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> From<&'a Output> for Log<'a> {
    fn from(output: &'a Output) -> Self {
        let Output {
            pod,
            container,
            text,
        } = output;
        Self {
            pod,
            container,
            text: text.as_ref().ok().map(String::as_str),
            error: text.as_ref().err().map(String::as_str),
        }
    }
}

/// Prints what tests have come to.
pub(crate) fn print(tested: &Tested, format: Format) -> Result<(), Failure> {
    let release = &tested.release;
    if format == Format::Table {
        let suites = suites(release);
        let suites = if suites.is_empty() && tested.tests.is_empty() {
            "TEST SUITE: None\n".to_owned()
        } else {
            suites
        };
        let mut text = format!(
            "{}{suites}",
            release::head(release, release::Progress::AsRecorded)
        );
        text.extend(tested.output.iter().map(log));
        return print_text(&text);
    }
    let tests = tested.tests.iter();
    let whole = Whole {
        release: release::Data::of(release),
        hooks: tests
            .filter_map(|index| release.hooks.get(*index).map(Data::from))
            .collect(),
        logs: tested.output.iter().map(Log::from).collect(),
    };
    print_data(&whole, format)
}

/// How each test ran last, as far as it has.
pub(super) fn suites(release: &Release) -> String {
    let mut text = String::new();
    let tests = release.hooks.iter();
    let tests = tests.filter(|hook| hook.is_at(HookEvent::Test));
    for StoredHook { name, last_run, .. } in tests {
        if last_run.started_at.is_none() {
            continue;
        }
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "TEST SUITE:     {name}\nLast Started:   {}\nLast Completed: {}\nPhase:          {}\n",
            time(last_run.started_at),
            time(last_run.completed_at),
            last_run.phase,
        );
    }
    text
}

fn log(output: &Output) -> String {
    let Output {
        pod,
        container,
        text,
    } = output;
    let text = match text {
        Ok(text) => text.trim_end().to_owned(),
        Err(reason) => format!("cannot be read: {reason}"),
    };
    format!("\nPOD LOGS: {pod} ({container})\n{text}\n")
}
