//! A plan, field by field.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use pintle::ops::Change;
use pintle::plan::report::{Field, Line, Report};

use super::print_data;
use super::progress::summary;
use crate::cli::Format;
use crate::failure::Failure;

const CREATE: Style = AnsiColor::Green.on_default();
const CONFIGURE: Style = AnsiColor::Yellow.on_default();
const DELETE: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// Prints what `change` would do.
pub(crate) fn print(change: &Change, format: Format) -> Result<(), Failure> {
    let report = Report::of(&change.plan);
    if format != Format::Table {
        return print_data(&report, format);
    }
    anstream::stdout()
        .lock()
        .write_all(to_text(&report).as_bytes())?;
    Ok(())
}

fn to_text(report: &Report) -> String {
    let mut text = format!("{}\n", summary(report.counts));
    for line in &report.lines {
        let (sign, style) = match line.action {
            "create" => ('+', CREATE),
            "configure" => ('~', CONFIGURE),
            "delete" => ('-', DELETE),
            "keep" => ('=', FAINT),
            _ => continue,
        };
        let Line {
            kind,
            name,
            template,
            ..
        } = line;
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{style}{sign} {kind} {name}{style:#} {FAINT}{template}{FAINT:#}"
        );
        if let Some(reason) = &line.reason {
            let _ = writeln!(text, "    {reason}");
        }
        for field in &line.fields {
            let _ = writeln!(text, "    {}", self::field(field));
        }
    }
    text
}

fn field(field: &Field) -> String {
    let cause = match field.cause {
        "drift" => format!(" {FAINT}(drift){FAINT:#}"),
        _ => String::new(),
    };
    match (&field.old, &field.new) {
        (Some(old), Some(new)) => format!("{}: {old} -> {new}{cause}", field.path),
        (None, Some(new)) => format!("{}: {CREATE}added{CREATE:#} {new}{cause}", field.path),
        (Some(old), None) => format!("{}: {DELETE}removed{DELETE:#} {old}{cause}", field.path),
        (None, None) => field.path.clone(),
    }
}
