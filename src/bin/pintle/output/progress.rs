//! Progress on stderr: in a pipe one line per event, on a terminal with lines at its bottom for what is
//! not ready, for machines one JSON object per line. Results go to stdout and never mix with it.

mod board;
pub(crate) mod data;
mod screen;

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use pintle::chart::schema::Unasked;
use pintle::event::{Done, Event, HookOutput};
use pintle::health::{Condition, Health};
use pintle::manifest::ResourceId;
use pintle::plan::{Counts, Part, Until};
use pintle::release::Status;
use tokio::time::Instant;

use crate::cli::Format;
use crate::connection::now;
use board::Board;
use screen::Screen;

const GOOD: Style = AnsiColor::Green.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Prints the events of one operation.
pub(crate) struct Progress {
    release: String,
    begun: Instant,
    form: Form,
}

/// How events are shown.
enum Form {
    /// A line for each.
    Lines,
    /// A line for each, and what is not ready below them.
    Drawn(Board, Screen),
    /// An object for each, as `schemas/events.schema.json` describes them.
    Json,
}

impl Progress {
    /// The progress of an operation on `release`, in lines.
    pub(crate) fn new(release: &str) -> Self {
        Self::in_form(release, Form::Lines)
    }

    /// The progress of a change of `release` whose result is printed in a format: for people as a
    /// terminal can show it, for who reads JSON in JSON.
    pub(crate) fn of_change(release: &str, format: Format) -> Self {
        let form = match format {
            Format::Json => Form::Json,
            _ if std::io::stderr().is_terminal() => Form::Drawn(Board::default(), Screen::new()),
            _ => Form::Lines,
        };
        Self::in_form(release, form)
    }

    fn in_form(release: &str, form: Form) -> Self {
        Self {
            release: release.to_owned(),
            begun: Instant::now(),
            form,
        }
    }

    /// Prints events that have happened already.
    pub(crate) fn all(&mut self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.on(event));
    }

    /// Prints one event.
    pub(crate) fn on(&mut self, event: Event) {
        let elapsed = self.begun.elapsed();
        match &mut self.form {
            Form::Lines => {
                let time = time(&event, elapsed);
                print(&format!("{}{time}", line(&self.release, event)));
            }
            Form::Drawn(board, screen) => {
                let line = line(&self.release, event.clone());
                let changes = board.on(&event, line).into_iter();
                changes.for_each(|change| screen.draw(change));
            }
            Form::Json => {
                let frame = data::Frame {
                    release: &self.release,
                    time: now(),
                    elapsed,
                };
                print(&super::harmless(&frame.around(&event).to_string()));
            }
        }
    }
}

/// How long after the beginning of the command a resource or group has come so far, in whole seconds.
fn time(event: &Event, elapsed: Duration) -> String {
    match event {
        Event::Health { .. } | Event::Stage { .. } if elapsed.as_secs() > 0 => {
            let whole = Duration::from_secs(elapsed.as_secs());
            format!(" ({})", humantime::format_duration(whole))
        }
        _ => String::new(),
    }
}

/// A line as the terminal can show it.
fn coloured(line: &str) -> Cow<'_, str> {
    match anstream::AutoStream::choice(&std::io::stderr()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(line).to_string().into(),
        _ => line.into(),
    }
}

/// That a chart should no longer be used.
fn deprecated(chart: &str) -> String {
    format!("{CHANGED}warning{CHANGED:#}: the chart {chart} is deprecated")
}

/// Why a rule of the running chart does not count.
fn not_asked(
    Unasked {
        chart,
        path,
        problem,
    }: &Unasked,
) -> String {
    let chart = match chart.as_str() {
        "" => "the running chart".to_owned(),
        chart => format!("the running chart {chart}"),
    };
    let path = match path.as_str() {
        "" => String::new(),
        path => format!("{path}: "),
    };
    format!(
        "{CHANGED}warning{CHANGED:#}: a rule of {chart} cannot be evaluated, so it does not count: \
         {path}{problem}"
    )
}

/// An event in words.
fn line(release: &str, event: Event) -> String {
    match event {
        Event::ValuesReused { revision } => {
            format!("no values given: using those of revision {revision}")
        }
        Event::DefaultsIgnored { revision, keys } => ignored(revision, &keys),
        Event::BooleanKey { at, key, value } => format!(
            "{CHANGED}warning{CHANGED:#}: {at}: Kubernetes and Helm read the key {key} as \
                 {value}: put quotes around it"
        ),
        Event::Deprecated { chart } => deprecated(&chart),
        Event::StaleLock { file } => stale(&file),
        Event::RuleNotAsked { rule } => not_asked(&rule),
        Event::Warned { text, ids } => {
            format!("{CHANGED}warning{CHANGED:#}: {}: {text}", listed(&ids))
        }
        Event::Interrupted { revision, status } => {
            format!("revision {revision} was left {status} by an earlier command")
        }
        Event::PassedOver { newest, deployed } => passed_over(newest, deployed),
        Event::TakenOver { holder } => {
            format!("took over the lock of {holder}, which has ended or hangs")
        }
        Event::Unreleased { reason } => {
            format!("the lock could not be given back and ends by itself in 30s: {reason}")
        }
        Event::Unrecorded { revision, reason } => unrecorded(revision, &reason),
        Event::Undescribed { revision } => undescribed(revision),
        Event::NamespaceCreated(name) => format!("{GOOD}created{GOOD:#} Namespace {name}"),
        Event::Begun { revision, counts } => {
            format!("{}: revision {revision}: {}", release, summary(counts))
        }
        Event::Gate {
            stage,
            earlier,
            until,
        } => format!("{stage}: waiting until {}", met(&earlier, until)),
        Event::Stage { part, counts } => format!("{part}: {}", summary(counts)),
        Event::Ending { id } => format!("waiting until {id} is gone, which is being deleted"),
        Event::Stepped { id, done } => stepped(&id, done),
        Event::Addresses { services } => {
            format!("waiting for the address of {}", listed(&services))
        }
        Event::Planned { counts } => {
            format!("{}: addresses are known: {}", release, summary(counts))
        }
        Event::Replanned { ids, counts } => replanned(release, &ids, counts),
        Event::Hook { event, id } => format!("{event} hook {id}"),
        Event::HookOutput(output) => written(&output),
        Event::HookTrouble { id, reason } => leaves(id.as_ref(), &reason),
        Event::Waiting { count } => waiting(count),
        Event::Health { id, until, health } => seen(&id, until, &health),
        Event::Stopping => stopping(),
        Event::GoingBack { revision, to } => back(revision, to),
        Event::Locked {
            holder,
            since,
            doing,
        } => locked((&holder, since), &doing),
        Event::Finished { revision, status } => finished((release, revision), status),
    }
}

fn undescribed(revision: u32) -> String {
    format!(
        "the description is not recorded, because revision {revision} stays as it is; \
         --force-revision makes a new one"
    )
}

fn finished((release, revision): (&str, u32), status: Status) -> String {
    format!("{release}: revision {revision} is {status}")
}

/// Why a change is planned again, and what is left of it.
fn replanned(release: &str, ids: &[ResourceId], counts: Counts) -> String {
    format!(
        "{CHANGED}planned again{CHANGED:#}: somebody has changed {} meanwhile: {release}: {}",
        listed(ids),
        summary(counts)
    )
}

fn listed(ids: &[ResourceId]) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

/// What a lock that does not fit the chart may mean.
fn stale(file: &str) -> String {
    format!(
        "{CHANGED}warning{CHANGED:#}: {file} was made for other dependencies than the chart has: \
         charts/ may hold other charts than are meant"
    )
}

/// Who is waited for, and what they do.
fn locked((holder, since): (&str, Option<Timestamp>), doing: &str) -> String {
    let since = since.map_or(String::new(), |since| format!(" since {since:.0}"));
    format!("waiting for {holder}{since}, {doing}")
}

/// For how many resources is waited.
fn waiting(count: usize) -> String {
    let resources = if count == 1 { "resource" } else { "resources" };
    format!("waiting for {count} {resources} to become ready")
}

fn unrecorded(revision: u32, reason: &str) -> String {
    format!(
        "{CHANGED}warning{CHANGED:#}: that revision {revision} has failed could not be recorded, so it stays \
         pending until the next command: {reason}"
    )
}

/// How the command ends that was asked to stop.
fn stopping() -> String {
    format!(
        "{CHANGED}stopping{CHANGED:#}: what is under way is brought to its end; once more stops at once"
    )
}

/// What is done about a change that has failed.
fn back(revision: u32, to: Option<u32>) -> String {
    match to {
        Some(to) => {
            format!("{BAD}failed{BAD:#}: revision {revision}: rolling back to revision {to}")
        }
        None => format!("{BAD}failed{BAD:#}: revision {revision}: uninstalling it"),
    }
}

/// What a container of a hook has written.
fn written(output: &HookOutput) -> String {
    let HookOutput {
        pod,
        container,
        text,
    } = output;
    match text {
        Ok(text) => format!(
            "logs of pod {pod}, container {container}:\n{}",
            text.trim_end()
        ),
        Err(reason) => format!(
            "{CHANGED}warning{CHANGED:#}: no logs of pod {pod}, container {container}: {reason}"
        ),
    }
}

/// Why what a hook leaves could not be dealt with.
fn leaves(id: Option<&ResourceId>, reason: &str) -> String {
    let what = match id {
        Some(id) => format!("what hook {id} leaves"),
        None => "what is left of earlier hooks".to_owned(),
    };
    format!("{CHANGED}warning{CHANGED:#}: {what}: {reason}")
}

/// How a resource is, which is waited for.
fn seen(id: &ResourceId, until: Condition, health: &Health) -> String {
    match health {
        Health::Ready if until == Condition::NoOldPods => {
            format!("{GOOD}replaced{GOOD:#} {id}: no old pod is left")
        }
        Health::Ready if until == Condition::Complete => {
            format!("{GOOD}completed{GOOD:#} {id}")
        }
        Health::Ready => format!("{GOOD}ready{GOOD:#} {id}"),
        Health::InProgress(reason) => format!("waiting {id}: {reason}"),
        Health::Failed(reason) => format!("{BAD}failed{BAD:#} {id}: {reason}"),
    }
}

/// Which defaults of a chart do not count.
fn ignored(revision: u32, keys: &[String]) -> String {
    format!(
        "{CHANGED}warning{CHANGED:#}: the defaults are those of revision {revision}, so new ones of the \
         chart do not count: {}",
        keys.join(", ")
    )
}

/// Which revision counts, where the newest does not.
fn passed_over((newest, status): (u32, Status), deployed: u32) -> String {
    format!("revision {newest} is {status}: revision {deployed} counts, which was deployed last")
}

/// Prints one more line of progress.
pub(crate) fn print(line: &str) {
    // As for events: it is no reason to fail.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// What was done to one resource.
fn stepped(id: &ResourceId, done: Done) -> String {
    match done {
        Done::Issued => format!("{GOOD}issued{GOOD:#} {id}"),
        Done::Created => format!("{GOOD}created{GOOD:#} {id}"),
        Done::Configured => format!("{CHANGED}configured{CHANGED:#} {id}"),
        Done::Recreated => format!("{CHANGED}recreated{CHANGED:#} {id}"),
        Done::Deleted => format!("{BAD}deleted{BAD:#} {id}"),
    }
}

/// What has to be true of an earlier stage, in words.
fn met(earlier: &Part, until: Until) -> String {
    match until {
        Until::NoOldPods => format!("no old pod of {earlier} is left"),
        Until::Gone => format!("{earlier} are done"),
        Until::Established => format!("{earlier} are established"),
        Until::Written | Until::Known | Until::Ready => format!("{earlier} is ready"),
    }
}

/// `1 to create, 2 to configure, 7 unchanged`; what is zero is left out.
pub(super) fn summary(counts: Counts) -> String {
    let parts = [
        (counts.issue, "to issue"),
        (counts.create, "to create"),
        (counts.configure, "to configure"),
        (counts.recreate, "to recreate"),
        (counts.delete, "to delete"),
        (counts.keep, "kept"),
        (counts.unchanged, "unchanged"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        "nothing to do".to_owned()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_leaves_out_what_is_zero() {
        let counts = Counts {
            create: 1,
            unchanged: 7,
            ..Counts::default()
        };
        assert_eq!(summary(counts), "1 to create, 7 unchanged");
        assert_eq!(summary(Counts::default()), "nothing to do");
    }
}
