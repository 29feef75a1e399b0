//! What of releases is not as it is recorded, field by field with who changed it.

use std::fmt::Write as _;
use std::io::Write as _;

use pintle::ops::{Finding, ReleaseDrift};
use pintle::plan::drift::report::{Counts, Field, Line, lines};
use pintle::plan::drift::{Author, State};
use serde::Serialize;

use super::difference::{self, CONFIGURE, DELETE, Difference, FAINT, HEADING};
use super::print_data;
use crate::cli::Format;
use crate::failure::Failure;

/// All releases, as `schemas/drift.schema.json` has them.
#[derive(Serialize)]
struct Whole<'a> {
    releases: Vec<Release<'a>>,
}

#[derive(Serialize)]
struct Release<'a> {
    name: &'a str,
    namespace: &'a str,
    /// The newest revision.
    newest: u32,
    status: &'static str,
    /// The revision that was compared; none if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    counts: Counts,
    /// Why nothing was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_compared: Option<String>,
    resources: Vec<Line>,
}

/// Prints the drift of releases, and tells whether there is any.
pub(crate) fn print(
    drifted: &[ReleaseDrift],
    format: Format,
    context: usize,
) -> Result<bool, Failure> {
    let releases: Vec<Release<'_>> = drifted.iter().map(release).collect();
    let differs = releases.iter().any(|release| !release.counts.is_same());
    if format == Format::Table {
        let text = to_text(&releases, context);
        anstream::stdout().lock().write_all(text.as_bytes())?;
    } else {
        print_data(&Whole { releases }, format)?;
    }
    Ok(differs)
}

fn release(drift: &ReleaseDrift) -> Release<'_> {
    let (revision, counts, resources, not_compared) = match &drift.found {
        Finding::Compared {
            revision,
            resources,
        } => (
            Some(*revision),
            Counts::of(resources),
            lines(resources),
            None,
        ),
        Finding::NotDeployed => {
            let why = "no revision of it is deployed".to_owned();
            (None, Counts::default(), vec![], Some(why))
        }
        Finding::Unreadable(why) => (None, Counts::default(), vec![], Some(why.clone())),
    };
    Release {
        name: &drift.name,
        namespace: &drift.namespace,
        newest: drift.newest,
        status: drift.status.name(),
        revision,
        counts,
        not_compared,
        resources,
    }
}

fn to_text(releases: &[Release<'_>], context: usize) -> String {
    let mut text = String::new();
    for release in releases {
        let _ = writeln!(text, "{}", heading(release));
        for line in &release.resources {
            resource(&mut text, line, context);
        }
    }
    let drifted = releases.iter().filter(|one| !one.counts.is_same()).count();
    match releases.len() {
        0 => text.push_str("no releases\n"),
        1 => {}
        count => {
            let _ = writeln!(text, "{count} releases, {drifted} of them drifted");
        }
    }
    text
}

/// `web in shop, revision 3: 1 changed, 1 missing, 8 as recorded`.
fn heading(release: &Release<'_>) -> String {
    let Release {
        name,
        namespace,
        newest,
        status,
        ..
    } = release;
    let (Some(revision), None) = (release.revision, &release.not_compared) else {
        let why = release.not_compared.as_deref().unwrap_or_default();
        let why = difference::clean(why);
        return format!(
            "{HEADING}{name} in {namespace}{HEADING:#}: not compared: {why} (revision {newest} is \
             {status})"
        );
    };
    let beside = if revision == *newest {
        String::new()
    } else {
        format!(" (revision {newest} is {status})")
    };
    let counts = summary(release.counts);
    format!("{HEADING}{name} in {namespace}{HEADING:#}, revision {revision}{beside}: {counts}")
}

fn summary(counts: Counts) -> String {
    let parts = [
        (counts.changed, "changed"),
        (counts.missing, "missing"),
        (counts.deleting, "being deleted"),
        (counts.same, "as recorded"),
    ];
    let told = parts.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if told.is_empty() {
        "it has no resources".to_owned()
    } else {
        told.join(", ")
    }
}

/// Writes one resource. Writing into a string cannot fail.
fn resource(text: &mut String, line: &Line, context: usize) {
    let (sign, style, remark) = match line.state {
        State::Missing => ('-', DELETE, " is missing"),
        State::Deleting => ('-', DELETE, " is being deleted"),
        State::Changed | State::Same => ('~', CONFIGURE, ""),
    };
    let Line {
        kind,
        name,
        template,
        ..
    } = line;
    let _ = writeln!(
        text,
        "{style}{sign} {kind} {name}{style:#}{remark} {FAINT}{template}{FAINT:#}"
    );
    for field in &line.fields {
        let _ = writeln!(text, "    {}", self::field(field, context));
    }
    let is_unknown = line.fields.iter().any(|field| field.by.is_none());
    let other = line.last_write.as_ref().filter(|one| !one.is_own());
    if let Some(author) = other.filter(|_| is_unknown) {
        let _ = writeln!(text, "    last written by {}", told(author));
    }
}

/// `spec.replicas: recorded 2, live 4, by kubectl (Update of scale) at 2026-11-28T22:14:03Z`.
fn field(field: &Field, context: usize) -> String {
    let path = difference::clean(&field.path);
    let by = field.by.as_ref();
    let by = by.map(|author| format!("by {}", told(author)));
    let sides = (field.recorded.as_ref(), field.live.as_ref());
    if let Some(Difference::Block(block)) = difference::of(sides, context) {
        let by = by.map(|by| format!(" {by}")).unwrap_or_default();
        return format!("{path}:{by}{block}");
    }
    let shown = |value: &serde_json::Value| difference::clean(&value.to_string());
    let recorded = match sides.0 {
        Some(value) => format!("recorded {}", shown(value)),
        None => "recorded as absent".to_owned(),
    };
    let live = match sides.1 {
        Some(value) => format!("live {}", shown(value)),
        None => "gone".to_owned(),
    };
    let parts = [Some(recorded), Some(live), by];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{path}: {}", parts.join(", "))
}

/// `kubectl (Update of scale) at 2026-11-28T22:14:03Z`.
fn told(author: &Author) -> String {
    let Author {
        manager,
        operation,
        time,
        subresource,
    } = author;
    let through = subresource.as_ref();
    let through = through
        .map(|name| format!(" of {name}"))
        .unwrap_or_default();
    let at = time
        .map(|time| format!(" at {time:.0}"))
        .unwrap_or_default();
    difference::clean(&format!("{manager} ({operation}{through}){at}"))
}

#[cfg(test)]
mod tests;
