//! What lint has found in charts: a block for each finding, and how many there are.

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use pintle::lint::{Excerpt, Finding, Severity};
use serde::Serialize;

use super::print_data;
use crate::cli::Format;
use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const INFO: Style = AnsiColor::Green.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// A chart and what was found in it.
pub(crate) struct Linted<'a> {
    /// The chart, as the user named it.
    pub(crate) chart: &'a str,
    pub(crate) findings: Vec<Finding>,
}

/// Everything for machines.
#[derive(Serialize)]
struct Report<'a> {
    charts: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    findings: Vec<Listed<'a>>,
}

/// One finding for machines.
#[derive(Serialize)]
struct Listed<'a> {
    chart: &'a str,
    rule: &'a str,
    severity: &'a str,
    message: &'a str,
    file: &'a str,
    /// The line of the file; none if unknown.
    line: Option<u64>,
    /// The line of what the file renders to, where that is what is wrong.
    rendered_line: Option<u64>,
    hint: Option<&'a str>,
    /// The minors of Kubernetes it concerns; empty where that makes no difference.
    kubernetes: Vec<String>,
    /// The files of values it concerns; empty where the defaults are enough.
    values: &'a [String],
}

/// Prints what was found, in the order of the charts.
pub(crate) fn print(charts: &[Linted<'_>], format: Format) -> Result<(), Failure> {
    if format != Format::Table {
        return print_data(&report(charts), format);
    }
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(to_text(charts).as_bytes())?;
    Ok(())
}

fn report<'a>(charts: &'a [Linted<'a>]) -> Report<'a> {
    let all = charts.iter();
    let all = all.flat_map(|linted| {
        linted
            .findings
            .iter()
            .map(|finding| (linted.chart, finding))
    });
    Report {
        charts: charts.len(),
        errors: count(charts, Severity::Error),
        warnings: count(charts, Severity::Warning),
        infos: count(charts, Severity::Info),
        findings: all.map(|(chart, finding)| listed(chart, finding)).collect(),
    }
}

fn listed<'a>(chart: &'a str, finding: &'a Finding) -> Listed<'a> {
    let excerpt = finding.place.excerpt.as_ref();
    let rendered = excerpt.filter(|excerpt| !excerpt.of.is_empty());
    Listed {
        chart,
        rule: finding.rule.id,
        severity: finding.severity().name(),
        message: &finding.message,
        file: &finding.place.file,
        line: Some(finding.place.line).filter(|line| *line > 0),
        rendered_line: rendered.map(|excerpt| excerpt.marked),
        hint: finding.hint.as_deref(),
        kubernetes: finding.minors.iter().map(ToString::to_string).collect(),
        values: &finding.values,
    }
}

fn count(charts: &[Linted<'_>], severity: Severity) -> usize {
    let all = charts.iter().flat_map(|linted| &linted.findings);
    all.filter(|finding| finding.severity() == severity).count()
}

fn to_text(charts: &[Linted<'_>]) -> String {
    let mut text = String::new();
    for linted in charts {
        for finding in &linted.findings {
            block(&mut text, linted.chart, finding);
            text.push('\n');
        }
    }
    text.push_str(&summary(charts));
    text
}

fn block(text: &mut String, chart: &str, finding: &Finding) {
    let style = match finding.severity() {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
        Severity::Info => INFO,
    };
    let word = finding.severity().name();
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{style}{word}[{}]{style:#}: {}",
        finding.rule.id, finding.message
    );
    let _ = writeln!(text, " --> {chart}/{}", finding.place);
    if let Some(excerpt) = &finding.place.excerpt {
        lines(text, excerpt);
    }
    let minors: Vec<String> = finding.minors.iter().map(ToString::to_string).collect();
    if !minors.is_empty() {
        let _ = writeln!(text, "  in: Kubernetes {}", minors.join(", "));
    }
    if !finding.values.is_empty() {
        let _ = writeln!(text, "  with: {}", finding.values.join(", "));
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "  {HINT}hint{HINT:#}: {hint}");
    }
}

fn lines(text: &mut String, excerpt: &Excerpt) {
    if !excerpt.of.is_empty() {
        let _ = writeln!(text, "  {}, line {}:", excerpt.of, excerpt.marked);
    }
    for (number, line) in (excerpt.first..).zip(&excerpt.lines) {
        let sign = if number == excerpt.marked { '>' } else { ' ' };
        let _ = writeln!(text, "  {sign} {number:>4} | {line}");
    }
}

/// `2 charts linted, 1 error, 3 warnings`.
fn summary(charts: &[Linted<'_>]) -> String {
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let infos = match count(charts, Severity::Info) {
        0 => String::new(),
        infos => format!(", {}", counted(infos, "remark")),
    };
    format!(
        "{} linted, {}, {}{infos}\n",
        counted(charts.len(), "chart"),
        counted(count(charts, Severity::Error), "error"),
        counted(count(charts, Severity::Warning), "warning"),
    )
}
