//! Turning the template engine's errors into faults that say what to do.
//!
//! An error of the engine, the templates as their authors wrote them and the names that a
//! template can see come in, an [`Error`] goes out. The engine gives the place of most errors as
//! data, but what is wrong and the calls that led there only as text, so this module knows the
//! phrases of that text; a phrase that it does not know is passed on as it is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tera::{Context, ErrorKind, ReportError, Span};

use super::error::{Error, Fault, Place};
use super::excerpt::shortened;
use super::functions::OWN;
use super::names::{Names, unmarked};
use super::nearest::nearest;
use super::strict::Shifts;

mod missing;

/// A template as its author wrote it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The text.
    pub(super) text: String,
    /// How places in the text that the engine has become places in this one.
    pub(super) shifts: Shifts,
    /// The templates that it includes, and the bytes at which it does.
    pub(super) includes: Vec<(Range<usize>, String)>,
}

impl Source {
    /// The bytes of the original text that the engine points at.
    fn range(&self, span: &Span) -> Range<usize> {
        let place = |line, column| offset(&self.text, line, self.shifts.original(line, column));
        let start = place(span.start_line, span.start_col);
        start..place(span.end_line, span.end_col).max(start)
    }
}

/// What is known about a chart's templates.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The chart's path in the tree.
    pub(super) chart: String,
    /// What they can name.
    pub(super) names: Arc<Names>,
    /// The templates by their path.
    pub(super) templates: BTreeMap<String, Source>,
}

/// How the engine's messages start that hold a value.
const SHOWS_A_VALUE: [&str; 8] = [
    "Invalid argument for `method`",
    "Value `",
    "Number `",
    "Operand `",
    "Cannot negate ",
    "The float ",
    "The string `",
    "Map does not have a key ",
];

/// What the engine says of components that call each other more deeply than it goes.
const RECURSION: &str = "Maximum render recursion depth for components";

/// The names that Go templates start with.
const GO: [&str; 4] = [".Values", ".Release", ".Chart", ".Capabilities"];

impl Sources {
    /// Explains an error that came while loading the templates.
    pub(super) fn explain_load(&self, error: &tera::Error) -> Error {
        match self.explained(error, &Context::new()) {
            Ok(fault) => Error::Template(Box::new(fault)),
            Err(message) => Error::Load {
                chart: self.chart.clone(),
                message,
            },
        }
    }

    /// Explains an error that came while rendering the template at `path`.
    pub(super) fn explain(&self, error: &tera::Error, context: &Context, path: &str) -> Error {
        match self.explained(error, context) {
            Ok(fault) => Error::Template(Box::new(fault)),
            Err(message) => Error::Render {
                path: path.to_owned(),
                message,
            },
        }
    }

    /// The fault that an error tells of, or what is wrong in one line where it names no place.
    fn explained(&self, error: &tera::Error, context: &Context) -> Result<Fault, String> {
        let fault = match error.kind() {
            ErrorKind::RenderingError(report) | ErrorKind::SyntaxError(report) => {
                self.reported(report, &error.to_string(), context)
            }
            ErrorKind::Msg(text) => self.loaded(text),
            _ => None,
        };
        fault.ok_or_else(|| match error.to_string() {
            text if text.starts_with(RECURSION) => {
                "components call each other too deeply".to_owned()
            }
            text => unmarked(&lowercase_first(&text)),
        })
    }

    /// A fault at a range of bytes of the original text of a template.
    pub(super) fn fault(&self, path: &str, at: Range<usize>, message: String) -> Fault {
        let text = self.templates.get(path).map_or("", |source| &source.text);
        let line_start = text[..at.start].rfind('\n').map_or(0, |found| found + 1);
        let first_line = text[at.clone()].lines().next().unwrap_or_default();
        let line = text[..at.start].matches('\n').count() + 1;
        Fault {
            place: Place {
                path: path.to_owned(),
                line,
                column: text[line_start..at.start].chars().count() + 1,
                source: line_of(text, line).to_owned(),
            },
            message,
            width: first_line.chars().count().max(1),
            calls: Vec::new(),
            others: Vec::new(),
        }
    }

    fn reported(&self, report: &ReportError, text: &str, context: &Context) -> Option<Fault> {
        let source = self.templates.get(report.filename())?;
        let range = source.range(report.span());
        let names = self.names.in_template(report.filename());
        let told = tell(report.message(), (source, range.clone()), context, names);
        let mut fault = self.fault(report.filename(), told.at.unwrap_or(range), told.message);
        if GO.iter().any(|name| fault.place.source.contains(name)) {
            let hint = "; this looks like a Go template: write {{ values.name }}";
            fault.message.push_str(hint);
        }
        fault.calls = self.calls(text);
        Some(fault)
    }

    /// The place of a line, from 1, and a column, from 0, as the engine counts them.
    fn place(&self, path: &str, line: usize, column: usize) -> Place {
        let source = self.templates.get(path);
        Place {
            path: path.to_owned(),
            line,
            column: source.map_or(column, |source| source.shifts.original(line, column)) + 1,
            source: source
                .map_or("", |source| line_of(&source.text, line))
                .to_owned(),
        }
    }

    /// The calls that a report names.
    fn calls(&self, report: &str) -> Vec<Place> {
        report
            .lines()
            .filter_map(|line| self.named(line.strip_prefix("note: called from ")?))
            .collect()
    }

    /// The place that `path:line:column`, both from 1, names.
    fn named(&self, text: &str) -> Option<Place> {
        let mut parts = text.rsplitn(3, ':');
        let column: usize = parts.next()?.parse().ok()?;
        let line: usize = parts.next()?.parse().ok()?;
        let path = parts.next()?;
        self.templates.get(path)?;
        Some(self.place(path, line, column.checked_sub(1)?))
    }

    /// The faults in a text that holds one report after the other, as loading gives them.
    fn loaded(&self, text: &str) -> Option<Fault> {
        let mut found = text.split("\n\n").filter_map(|report| {
            let mut lines = report.lines();
            let message = lines.next()?.strip_prefix("error: ")?;
            let place = self.named(lines.next()?.trim_start().strip_prefix("--> ")?)?;
            let marks = lines.last().map_or(1, |line| line.matches('^').count());
            let names = self.names.in_template(&place.path);
            let added = unknown(message).map_or(0, |(what, name)| {
                name.chars().count() - names.written(what, name).chars().count()
            });
            Some(Fault {
                message: rephrase(message, names),
                width: marks.saturating_sub(added).max(1),
                place,
                calls: Vec::new(),
                others: Vec::new(),
            })
        });
        let first = found.next()?;
        Some(Fault {
            others: found.collect(),
            ..first
        })
    }
}

/// Explains an error in the text that a template gave to `tpl`, in one line. The text itself may
/// be a secret and is not shown.
pub(super) fn explain_inner(
    error: &tera::Error,
    source: &Source,
    context: &Context,
    names: &Names,
) -> String {
    match error.kind() {
        ErrorKind::RenderingError(report) => {
            let line = report.span().start_line;
            if !report.filename().ends_with("_one_off") {
                let message = rephrase(report.message(), names);
                return format!("in {}:{line}: {message}", report.filename());
            }
            let at = (source, source.range(report.span()));
            let told = tell(report.message(), at, context, names);
            format!("in line {line} of the given text: {}", told.message)
        }
        ErrorKind::SyntaxError(report) => {
            let (line, column) = (report.span().start_line, report.span().start_col);
            let column = source.shifts.original(line, column) + 1;
            format!("the given text is not a template (line {line}, column {column})")
        }
        ErrorKind::Msg(text) if text.starts_with("error: ") => {
            let message = rephrase(line_of(&text["error: ".len()..], 1), names);
            format!("in the given text: {message}")
        }
        _ => "the given text cannot be used here".to_owned(),
    }
}

/// What to say, and where.
struct Told {
    message: String,
    /// A better place than the engine's, in bytes.
    at: Option<Range<usize>>,
}

/// What to say for one message of the engine about the bytes `at`.
fn tell(
    message: &str,
    (source, at): (&Source, Range<usize>),
    context: &Context,
    names: &Names,
) -> Told {
    let told = if message.starts_with(OWN) {
        None
    } else {
        missing::tell(message, &source.text, at, context)
    };
    told.unwrap_or_else(|| Told {
        message: rephrase(message, names),
        at: None,
    })
}

/// A message of the engine in this program's words; `names` are those that the template can use.
fn rephrase(message: &str, names: &Names) -> String {
    if let Some(own) = message.strip_prefix(OWN) {
        return shortened(own).into_owned();
    }
    if let Some((what, name)) = unknown(message) {
        let name = names.written(what, name);
        return match meant(what, name, names) {
            Some(meant) => format!("there is no {what} {name}; did you mean {meant}?"),
            None => format!("there is no {what} {name}"),
        };
    }
    let shows_a_value = |start: &&str| message.starts_with(start);
    if SHOWS_A_VALUE.iter().any(shows_a_value) {
        return "a number or a text does not fit here".to_owned();
    }
    unmarked(&lowercase_first(message.trim_end_matches('.')))
}

/// What is unknown, and its name.
fn unknown(message: &str) -> Option<(&str, &str)> {
    let (what, name) = message.strip_prefix("Unknown ")?.split_once(" `")?;
    Some((
        what,
        name.strip_suffix('`').filter(|name| !name.contains('`'))?,
    ))
}

/// The existing name that is nearest to an unknown one.
fn meant(what: &str, name: &str, names: &Names) -> Option<String> {
    let owned = |found: &str| found.to_owned();
    match what {
        "filter" => nearest(name, super::functions::filters()).map(owned),
        "function" => nearest(name, super::functions::functions()).map(owned),
        "test" => nearest(name, super::functions::tests()).map(owned),
        "component" => nearest(name, names.components()).map(owned),
        "template" => {
            let files = names.includes();
            nearest(name, files.iter().map(String::as_str)).map(owned)
        }
        _ => None,
    }
}

fn line_of(text: &str, line: usize) -> &str {
    let line = text.split('\n').nth(line.saturating_sub(1));
    line.unwrap_or_default().trim_end_matches('\r')
}

/// The byte of a line, from 1, and a column in characters, from 0.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let line_start = match line.checked_sub(2) {
        Some(breaks) => (text.match_indices('\n').nth(breaks)).map_or(text.len(), |(at, _)| at + 1),
        None => 0,
    };
    let inside = text[line_start..].char_indices().nth(column);
    inside.map_or(text.len(), |(at, _)| line_start + at)
}

fn lowercase_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
