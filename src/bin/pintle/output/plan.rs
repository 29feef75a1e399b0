//! A plan, field by field.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use pintle::ops::Change;
use pintle::plan::report::{Field, GateLine, Line, Report, StageLine};
use pintle::plan::{Effect, Until};
use serde_json::Value;
use similar::{Algorithm, ChangeTag, capture_diff_slices};

use super::print_data;
use super::progress::summary;
use crate::cli::Format;
use crate::failure::Failure;

const CREATE: Style = AnsiColor::Green.on_default();
const CONFIGURE: Style = AnsiColor::Yellow.on_default();
const DELETE: Style = AnsiColor::Red.on_default();
const HEADING: Style = Style::new().bold();
/// Up to how many items lists are shown as wholes.
const SHORT: usize = 8;
const FAINT: Style = Style::new().dimmed();

/// Whether people are shown what is left to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    Shown,
    Hidden,
}

/// Prints what `change` would do.
pub(crate) fn print(change: &Change, format: Format, ignored: Ignored) -> Result<(), Failure> {
    let report = Report::of(&change.plan);
    if format != Format::Table {
        return print_data(&report, format);
    }
    anstream::stdout()
        .lock()
        .write_all(to_text(&report, ignored).as_bytes())?;
    Ok(())
}

fn to_text(report: &Report, ignored: Ignored) -> String {
    let mut text = format!("{}\n", summary(report.counts));
    let mut shown = None;
    for line in &report.lines {
        let (sign, style) = match line.action {
            Effect::Issue => ('*', CREATE),
            Effect::Create => ('+', CREATE),
            Effect::Configure => ('~', CONFIGURE),
            Effect::Delete => ('-', DELETE),
            Effect::Keep => ('=', FAINT),
            Effect::Recreate => ('!', DELETE),
            Effect::Unchanged if ignored == Ignored::Shown && !line.ignored.is_empty() => {
                (' ', FAINT)
            }
            Effect::Unchanged => continue,
        };
        let Line {
            kind,
            name,
            template,
            ..
        } = line;
        if report.is_staged && shown != Some(line.stage) {
            shown = Some(line.stage);
            text.extend(report.stages.get(line.stage).map(heading));
        }
        // Writing into a string cannot fail.
        let origin = match template.as_str() {
            "" => String::new(),
            template => format!(" {FAINT}{template}{FAINT:#}"),
        };
        let _ = writeln!(text, "{style}{sign} {kind} {name}{style:#}{origin}");
        for said in remarks(line, ignored) {
            let _ = writeln!(text, "    {said}");
        }
        if !line.waits.is_empty() {
            let services = line.waits.join(", ");
            let _ = writeln!(
                text,
                "    known after apply: the address of Service {services}"
            );
        }
        for field in &line.fields {
            let _ = writeln!(text, "    {}", self::field(field));
        }
    }
    text
}

/// What is said of a resource before its fields.
fn remarks(line: &Line, ignored: Ignored) -> Vec<String> {
    let mut said: Vec<String> = line.reason.iter().cloned().collect();
    if let Some(loses) = line.loses {
        said.push(format!("deleted and created anew, which loses {loses}"));
    }
    said.extend(line.remark.clone());
    said.extend(
        line.checked_later
            .iter()
            .map(|why| format!("checked later: {why}")),
    );
    said.extend(line.warnings.iter().map(|text| format!("warning: {text}")));
    if ignored == Ignored::Shown {
        let left = line.ignored.iter();
        said.extend(
            left.map(|left| format!("{}: {} is left to the {}", left.path, left.live, left.owner)),
        );
    }
    said
}

/// `group apiserver, when group etcd is ready:`.
fn heading(stage: &StageLine) -> String {
    let title = &stage.title;
    let gate = |gate: &GateLine| match gate.until {
        Until::Known => Some(format!("{} are known", gate.stage)),
        Until::Established => Some(format!("{} are established", gate.stage)),
        Until::Ready => Some(format!("{} is ready", gate.stage)),
        Until::NoOldPods => Some(format!("no old pod of {} is left", gate.stage)),
        Until::Gone => Some(format!("{} are done", gate.stage)),
        Until::Written => None,
    };
    let gates: Vec<_> = stage.gates.iter().filter_map(gate).collect();
    match gates.as_slice() {
        [] => format!("{HEADING}{title}:{HEADING:#}\n"),
        gates => format!(
            "{HEADING}{title}, when {}:{HEADING:#}\n",
            gates.join(" and ")
        ),
    }
}

fn field(field: &Field) -> String {
    let cause = match field.cause {
        "drift" => format!(" {FAINT}(drift){FAINT:#}"),
        _ => String::new(),
    };
    match (&field.old, &field.new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() + new.len() > SHORT => {
            format!("{}:{cause}{}", field.path, items(old, new))
        }
        (Some(old), Some(new)) => format!("{}: {old} -> {new}{cause}", field.path),
        (None, Some(new)) => format!("{}: {CREATE}added{CREATE:#} {new}{cause}", field.path),
        (Some(old), None) => format!("{}: {DELETE}removed{DELETE:#} {old}{cause}", field.path),
        (None, None) => field.path.clone(),
    }
}

/// The items that go and those that come, a line each: what stays would hide them.
fn items(old: &[Value], new: &[Value]) -> String {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let operations = capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines);
    let changes = operations
        .iter()
        .flat_map(|operation| operation.iter_changes(&old_lines, &new_lines));
    let mut text = String::new();
    for change in changes {
        let (sign, style) = match change.tag() {
            ChangeTag::Delete => ('-', DELETE),
            ChangeTag::Insert => ('+', CREATE),
            ChangeTag::Equal => continue,
        };
        let _ = write!(text, "\n        {style}{sign} {}{style:#}", change.value());
    }
    text
}

fn lines(items: &[Value]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
