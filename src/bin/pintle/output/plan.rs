//! A plan, field by field.

use std::fmt::Write as _;
use std::io::Write as _;

use pintle::ops::{Between, Change};
use pintle::plan::ignored::RULES;
use pintle::plan::redact::Secrets;
use pintle::plan::report::{
    Field, GateLine, HookLine, Line, Report, Revisions, StageLine, UntouchedField,
};
use pintle::plan::{Effect, Until};
use serde_json::Value;

use super::difference::{self, CONFIGURE, CREATE, DELETE, FAINT, HEADING};
use super::print_data;
use super::progress::summary;
use crate::cli::Format;
use crate::failure::Failure;

/// Up to how many characters the value of another's field is shown with its path.
const WIDE: usize = 100;

/// Whether people are shown what is left to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    Shown,
    Hidden,
}

/// What people are shown of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) ignored: Ignored,
    pub(crate) secrets: Secrets,
    /// How many lines around each change of a longer text.
    pub(crate) context: usize,
}

impl Default for View {
    fn default() -> Self {
        Self {
            ignored: Ignored::Hidden,
            secrets: Secrets::Redacted,
            context: 3,
        }
    }
}

/// Prints what `change` would do.
pub(crate) fn print(change: &Change, format: Format, view: View) -> Result<(), Failure> {
    let report = Report::of(&change.plan, view.secrets);
    if format != Format::Table {
        return print_data(&report, format);
    }
    write(&to_text(&report, view))
}

/// Prints what distinguishes two revisions, and tells whether anything does.
pub(crate) fn print_between(found: &Between, format: Format, view: View) -> Result<bool, Failure> {
    let Between { from, to, compared } = found;
    let (from, to) = (*from, *to);
    let report = Report::between(Revisions { from, to }, compared, view.secrets);
    if format == Format::Table {
        write(&format!(
            "revision {from} -> {to}: {}",
            to_text(&report, view)
        ))?;
    } else {
        print_data(&report, format)?;
    }
    Ok(!report.counts.is_no_change())
}

fn write(text: &str) -> Result<(), Failure> {
    anstream::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn to_text(report: &Report, view: View) -> String {
    let ignored = view.ignored;
    let stages = report.stages.as_deref().unwrap_or_default();
    let mut text = overview(report);
    let mut shown = None;
    for line in &report.lines {
        let (sign, style) = match line.action {
            Effect::Issue => ('*', CREATE),
            Effect::Create => ('+', CREATE),
            Effect::Configure => ('~', CONFIGURE),
            Effect::Delete => ('-', DELETE),
            Effect::Keep => ('=', FAINT),
            Effect::Recreate => ('!', DELETE),
            Effect::Unchanged if ignored == Ignored::Shown && leaves_any(line) => (' ', FAINT),
            Effect::Unchanged => continue,
        };
        let Line {
            kind,
            name,
            template,
            ..
        } = line;
        if report.is_staged && shown != line.stage {
            shown = line.stage;
            let stage = line.stage.and_then(|stage| stages.get(stage));
            text.extend(stage.map(heading));
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
            let _ = writeln!(text, "    {}", self::field(line, field, view));
        }
    }
    if ignored == Ignored::Shown {
        text.push_str(&rules());
    }
    text
}

/// The fields that are left to others, whether they differ or not.
fn rules() -> String {
    let mut text = format!("{HEADING}left to others:{HEADING:#}\n");
    for rule in RULES {
        let kinds: Vec<&str> = rule.kinds.iter().map(|(_, kind)| *kind).collect();
        let _ = writeln!(
            text,
            "    {} of {}: to the {} where {}",
            rule.field,
            kinds.join(", "),
            rule.owner,
            rule.when
        );
    }
    text
}

/// What the change is as a whole: how much, which workloads roll and why, and in what order.
fn overview(report: &Report) -> String {
    let mut text = format!("{}\n", summary(report.counts));
    let rolling: Vec<_> = report
        .lines
        .iter()
        .filter(|line| !line.rolls.is_empty())
        .collect();
    if !rolling.is_empty() {
        let _ = writeln!(text, "{HEADING}will roll:{HEADING:#}");
    }
    for Line {
        kind, name, rolls, ..
    } in rolling
    {
        let why = difference::clean(&rolls.join(", "));
        let _ = writeln!(text, "    {kind} {name}: {why}");
    }
    text.push_str(&hooks(report));
    let stages = report.stages.iter().flatten();
    let stages = stages.filter(|stage| stage.changes);
    let titles: Vec<_> = stages.map(|stage| stage.title.as_str()).collect();
    if report.is_staged && titles.len() > 1 {
        let _ = writeln!(
            text,
            "{HEADING}order:{HEADING:#} {}",
            titles.join(", then ")
        );
    }
    text
}

/// Which hooks run, and what is left of others and deleted.
fn hooks(report: &Report) -> String {
    let mut text = String::new();
    let line = |hook: &HookLine| format!("{} {} {}", hook.event, hook.kind, hook.name);
    let run: Vec<_> = report.hooks.iter().map(line).collect();
    for (title, what) in [
        ("hooks", run.join(", ")),
        ("left of hooks, to delete", report.deleted_hooks.join(", ")),
    ] {
        if !what.is_empty() {
            let _ = writeln!(text, "{HEADING}{title}:{HEADING:#} {what}");
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
        said.extend(untouched(line));
    }
    said
}

/// Whether anything of a resource is left to others.
fn leaves_any(line: &Line) -> bool {
    !line.ignored.is_empty() || !line.untouched.is_empty()
}

/// What no chart speaks of: each field of somebody else, and in one line those of the API server.
fn untouched(line: &Line) -> Vec<String> {
    let (others, servers): (Vec<_>, Vec<_>) =
        line.untouched.iter().partition(|left| left.by.is_some());
    let other = |left: &UntouchedField| {
        let manager = left.by.as_ref().map_or("", |by| by.manager.as_str());
        let value = match &left.live {
            Value::Object(_) | Value::Array(_) => String::new(),
            value => format!(": {value}"),
        };
        let text = format!("{}{value}", left.path);
        let text = if text.chars().count() > WIDE {
            &left.path
        } else {
            &text
        };
        difference::clean(&format!("{text} (other, by {manager})"))
    };
    let mut said: Vec<String> = others.into_iter().map(other).collect();
    let servers: Vec<&str> = servers.iter().map(|left| left.path.as_str()).collect();
    if !servers.is_empty() {
        said.push(difference::clean(&format!(
            "{} (server)",
            servers.join(", ")
        )));
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

fn field(line: &Line, field: &Field, view: View) -> String {
    let cause = match (field.cause, &field.by) {
        ("drift", Some(by)) => format!(" {FAINT}(drift, by {}){FAINT:#}", by.manager),
        ("drift", None) => format!(" {FAINT}(drift){FAINT:#}"),
        _ => String::new(),
    };
    let is_readable = view.secrets == Secrets::Shown && difference::is_encoded(line, &field.path);
    let read = |side: &Option<Value>| match side {
        Some(value) if is_readable => Some(difference::decoded(value)),
        side => side.clone(),
    };
    let sides = (read(&field.old), read(&field.new));
    let path = difference::clean(&field.path);
    match difference::of((sides.0.as_ref(), sides.1.as_ref()), view.context) {
        Some(difference) => format!("{path}:{}", difference.after(&cause)),
        None => path,
    }
}

#[cfg(test)]
mod tests;
