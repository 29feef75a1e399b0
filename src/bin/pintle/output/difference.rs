//! One difference between two values, for people: on one line, or as a unified diff below it.
//!
//! What is shown comes from others in part, so that characters which move a terminal's cursor or turn
//! the direction of writing are escaped.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::plan::report::Line;
use pintle::yaml;
use serde_json::Value;
use similar::{Algorithm, ChangeTag, TextDiff, capture_diff_slices};

pub(super) const CREATE: Style = AnsiColor::Green.on_default();
pub(super) const CONFIGURE: Style = AnsiColor::Yellow.on_default();
pub(super) const DELETE: Style = AnsiColor::Red.on_default();
pub(super) const HEADING: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// Up to how many items two lists are shown as wholes.
const SHORT: usize = 8;
/// Up to how many bytes two values are shown on one line.
const LINE: usize = 100;
/// How far the lines of a block are indented.
const INDENT: &str = "        ";
/// After what time two long texts are compared no more closely.
const PATIENCE: Duration = Duration::from_millis(500);

/// A difference as it stands behind the path of its field.
pub(super) enum Difference {
    /// On the same line.
    Inline(String),
    /// On lines of their own, each of which begins with a line break.
    Block(String),
}

impl Difference {
    /// The text behind the path and its colon, with a remark.
    pub(super) fn after(&self, remark: &str) -> String {
        match self {
            Self::Inline(text) => format!(" {text}{remark}"),
            Self::Block(text) => format!("{remark}{text}"),
        }
    }
}

/// The difference of an old and a new value, with so many lines around each change of a text; none if
/// there is neither.
pub(super) fn of(sides: (Option<&Value>, Option<&Value>), context: usize) -> Option<Difference> {
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = sides
        && (old.len() + new.len() > SHORT || are_wide(sides))
    {
        return Some(Difference::Block(items(old, new)));
    }
    if let Some((old, new)) = texts(sides) {
        return Some(Difference::Block(unified((&old, &new), context)));
    }
    let shown = |value: &Value| clean(&value.to_string());
    Some(Difference::Inline(match sides {
        (Some(old), Some(new)) => format!("{} -> {}", shown(old), shown(new)),
        (None, Some(new)) => format!("{CREATE}added{CREATE:#} {}", shown(new)),
        (Some(old), None) => format!("{DELETE}removed{DELETE:#} {}", shown(old)),
        (None, None) => return None,
    }))
}

/// Escapes what is no text: control characters, and those that turn the direction of writing.
pub(super) fn clean(text: &str) -> String {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Whether the values at a path of a resource are encoded: those of a Secret's data.
pub(super) fn is_encoded(line: &Line, path: &str) -> bool {
    let rest = path.strip_prefix("data");
    line.kind == "Secret"
        && line.group.is_empty()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What base64 stands for, if that is text; anything else as it is.
pub(super) fn decoded(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.iter();
            let read = entries.map(|(key, value)| (key.clone(), decoded(value)));
            Value::Object(read.collect())
        }
        Value::String(text) => {
            let bytes = STANDARD.decode(text).ok();
            let read = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            read.map_or_else(|| value.clone(), Value::String)
        }
        _ => value.clone(),
    }
}

/// Both sides as texts of lines, if one of them needs more than one line; a side that is absent is
/// empty.
fn texts(sides: (Option<&Value>, Option<&Value>)) -> Option<(String, String)> {
    let (old, new) = sides;
    let all = || [old, new].into_iter().flatten();
    if all().all(Value::is_string) {
        let is_long = |text: &str| text.trim_end_matches('\n').contains('\n');
        let text = |side: Option<&Value>| side.and_then(Value::as_str).unwrap_or("").to_owned();
        if all().filter_map(Value::as_str).any(is_long) {
            return Some((text(old), text(new)));
        }
        let both = (document(old?)?, document(new?)?);
        // Where only spaces differ, lines would show nothing.
        return Some(both).filter(|(old, new)| are_wide(sides) && old != new);
    }
    let is_tree = |value: &Value| value.is_object() || value.is_array();
    let is_meant = all().all(is_tree) && are_wide(sides);
    let text = |side: Option<&Value>| side.map(yaml::to_string).unwrap_or_default();
    is_meant.then(|| (text(old), text(new)))
}

/// Whether values are too long for a line.
fn are_wide((old, new): (Option<&Value>, Option<&Value>)) -> bool {
    let lengths = [old, new].into_iter().flatten();
    let lengths = lengths.map(|value| value.to_string().len());
    lengths.sum::<usize>() > LINE
}

/// A text that is a JSON document, in lines.
fn document(text: &Value) -> Option<String> {
    let value: Value = serde_json::from_str(text.as_str()?).ok()?;
    if !value.is_object() && !value.is_array() {
        return None;
    }
    serde_json::to_string_pretty(&value).ok()
}

/// A unified diff of two texts, a line each; the heads of its parts only where there are two texts.
fn unified((old, new): (&str, &str), context: usize) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let is_whole = old.is_empty() || new.is_empty();
    let differ_at_end = !is_whole && old.ends_with('\n') != new.ends_with('\n');
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(context).iter_hunks() {
        if !is_whole {
            let _ = write!(text, "\n{INDENT}{FAINT}{}{FAINT:#}", hunk.header());
        }
        for change in hunk.iter_changes() {
            line(&mut text, change.tag(), change.value());
            if differ_at_end && change.missing_newline() {
                let _ = write!(
                    text,
                    "\n{INDENT}{FAINT}\\ no line break at the end{FAINT:#}"
                );
            }
        }
    }
    text
}

/// The items that go and those that come, a line each: what stays would hide them.
fn items(old: &[Value], new: &[Value]) -> String {
    let lines = |items: &[Value]| -> Vec<String> { items.iter().map(Value::to_string).collect() };
    let (old_lines, new_lines) = (lines(old), lines(new));
    let operations = capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines);
    let changes = operations
        .iter()
        .flat_map(|operation| operation.iter_changes(&old_lines, &new_lines));
    let mut text = String::new();
    for change in changes.filter(|change| change.tag() != ChangeTag::Equal) {
        let (sign, style) = sign(change.tag());
        let value = clean(&change.value());
        let _ = write!(text, "\n{INDENT}{style}{sign} {value}{style:#}");
    }
    text
}

/// Writes one line of a text. Writing into a string cannot fail.
fn line(text: &mut String, tag: ChangeTag, value: &str) {
    let (sign, style) = sign(tag);
    let value = clean(value.trim_end_matches('\n'));
    let line = format!("{sign}{value}");
    let _ = write!(text, "\n{INDENT}{style}{}{style:#}", line.trim_end());
}

fn sign(tag: ChangeTag) -> (char, Style) {
    match tag {
        ChangeTag::Delete => ('-', DELETE),
        ChangeTag::Insert => ('+', CREATE),
        ChangeTag::Equal => (' ', Style::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check(old: Value, new: Value, expected: &str) {
        let side = |value: &'_ Value| Some(value.clone()).filter(|value| !value.is_null());
        let (old, new) = (side(&old), side(&new));
        let found = of((old.as_ref(), new.as_ref()), 1).map(|found| found.after(" (why)"));
        let found = found.unwrap_or_default();
        let found = anstream::adapter::strip_str(&found).to_string();
        assert_eq!(found.replace(INDENT, "  "), expected);
    }

    #[test]
    fn short_values_stand_on_one_line() {
        check(json!(1), json!(2), " 1 -> 2 (why)");
        check(json!(null), json!("a"), " added \"a\" (why)");
        check(json!({"a": 1}), json!(null), " removed {\"a\":1} (why)");
        check(json!("a\n"), json!("a"), " \"a\\n\" -> \"a\" (why)");
        check(json!(null), json!(null), "");
    }

    #[test]
    fn texts_of_lines_are_unified_diffs() {
        check(
            json!("a\nb\nc\nd\ne\n"),
            json!("a\nb\nC\nd\ne\n"),
            " (why)\n  @@ -2,3 +2,3 @@\n   b\n  -c\n  +C\n   d",
        );
        check(json!(null), json!("a\nb\n"), " (why)\n  +a\n  +b");
        check(json!("a\n\nb\n"), json!(null), " (why)\n  -a\n  -\n  -b");
        check(
            json!("a\nb\n"),
            json!("a\nb"),
            " (why)\n  @@ -1,2 +1,2 @@\n   a\n  -b\n  +b\n  \\ no line break at the end",
        );
    }

    #[test]
    fn long_values_are_taken_apart() {
        let long = "x".repeat(LINE);
        let text = |end: u8| json!(json!({"a": long, "b": end}).to_string());
        let expected = format!(
            " (why)\n  @@ -2,3 +2,3 @@\n     \"a\": \"{long}\",\n  -  \"b\": 1\n  +  \"b\": 2\n   }}"
        );
        check(text(1), text(2), &expected);
        let words = "x".repeat(60);
        let tree = |end: u8| json!({"a": words, "b": words, "c": end});
        let expected = format!(" (why)\n  @@ -2,2 +2,2 @@\n   b: {words}\n  -c: 1\n  +c: 2");
        check(tree(1), tree(2), &expected);
        let list = |end: u8| json!([long, end]);
        check(list(1), list(2), " (why)\n  - 1\n  + 2");
        // Documents that differ in spaces alone stay on their line.
        let spaced = json!(format!("{{\"a\": \"{long}\"}}"));
        let dense = json!(format!("{{\"a\":\"{long}\"}}"));
        let expected = format!(" {spaced} -> {dense} (why)");
        check(spaced, dense, &expected);
        // A long text of one line that says nothing about itself stays on its line.
        check(
            json!(long),
            json!("a"),
            &format!(" \"{long}\" -> \"a\" (why)"),
        );
    }

    #[test]
    fn what_moves_a_terminal_is_escaped() {
        let escape = json!("a\n\u{1b}[2Jb\r\u{9b}\u{202e}\n");
        check(
            json!(null),
            escape,
            " (why)\n  +a\n  +\\u{1b}[2Jb\\r\n  +\\u{9b}\\u{202e}",
        );
        check(json!(null), json!("\u{9b}a"), " added \"\\u{9b}a\" (why)");
    }

    #[test]
    fn text_in_base64_is_decoded() {
        assert_eq!(
            decoded(&json!({"a": "eA==", "b": "/w=="})),
            json!({"a": "x", "b": "/w=="})
        );
        assert_eq!(decoded(&json!(3)), json!(3));
    }
}
