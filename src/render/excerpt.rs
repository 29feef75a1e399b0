//! Text of others in messages, cut to what people read.
//!
//! A line or a message of any length comes in, a part of it goes out: a template, or what it renders to,
//! may have lines of megabytes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How many characters of a line are shown.
const WINDOW: usize = 160;
/// How many characters of one line of a message are shown.
const LINE: usize = 2_000;
/// How many lines of a message are shown.
const LINES: usize = 1_000;
/// How many bytes of a message are shown, in whole lines after the first.
const MESSAGE: usize = 64 << 10;

/// The part of a line around a column, both from 1, with `…` where something is left out, and how many
/// characters of it stand before the column.
///
/// ```
/// let line = "a".repeat(1000);
/// let (shown, before) = pintle::render::window(&line, 500);
/// assert_eq!(shown.chars().count(), 162);
/// assert_eq!(before, 81);
/// ```
pub fn window(line: &str, column: usize) -> (Cow<'_, str>, usize) {
    let at = column.saturating_sub(1);
    // A line of few bytes has no more characters.
    if line.len() <= WINDOW {
        return (Cow::Borrowed(line), at);
    }
    let first = at.saturating_sub(WINDOW / 2);
    let mut starts = line.char_indices().map(|(start, _)| start).skip(first);
    let start = starts.next().unwrap_or(line.len());
    let end = starts.nth(WINDOW - 1).unwrap_or(line.len());
    if start == 0 && end == line.len() {
        return (Cow::Borrowed(line), at);
    }
    let before = if start > 0 { "…" } else { "" };
    let after = if end < line.len() { "…" } else { "" };
    let shown = format!("{before}{}{after}", &line[start..end]);
    (Cow::Owned(shown), at - first + usize::from(start > 0))
}

/// A message without most of what is long in it, and how much that is.
///
/// ```
/// use pintle::render::shortened;
/// assert_eq!(shortened("short"), "short");
/// assert!(shortened(&"a".repeat(5000)).ends_with("… (5000 characters)"));
/// ```
pub fn shortened(message: &str) -> Cow<'_, str> {
    if message.len() <= LINE {
        return Cow::Borrowed(message);
    }
    let mut shown = String::new();
    for (index, line) in message.split('\n').enumerate() {
        if index == LINES || index > 0 && shown.len() >= MESSAGE {
            let left = message.split('\n').count() - index;
            // Writing into a string cannot fail.
            let _ = write!(shown, "\n… and {left} more lines");
            break;
        }
        if index > 0 {
            shown.push('\n');
        }
        match line.char_indices().nth(LINE) {
            Some((end, _)) => {
                let count = line.chars().count();
                let _ = write!(shown, "{}… ({count} characters)", &line[..end]);
            }
            None => shown.push_str(line),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The character that the column points at is shown, and the mark stands below it.
    #[track_caller]
    fn check(length: usize, column: usize, cut: [bool; 2]) {
        let line: String = (1..=length)
            .map(|at| if at == column { 'X' } else { 'ä' })
            .collect();
        let (shown, before) = window(&line, column);
        assert_eq!(
            [shown.starts_with('…'), shown.ends_with('…')],
            cut,
            "{shown}"
        );
        assert_eq!(shown.chars().nth(before), Some('X'), "{shown} {before}");
        assert!(shown.chars().count() <= WINDOW + 2, "{shown}");
    }

    #[test]
    fn a_long_line_is_cut_around_its_column() {
        check(10, 10, [false, false]);
        check(160, 160, [true, false]);
        check(1000, 1, [false, true]);
        check(1000, 81, [false, true]);
        check(1000, 82, [true, true]);
        check(1000, 1000, [true, false]);
        assert_eq!(window("ab", 9), (Cow::Borrowed("ab"), 8));
        assert_eq!(window("", 0), (Cow::Borrowed(""), 0));
        assert!(window(&"a".repeat(1000), 5000).0.chars().count() < 3);
    }

    #[test]
    fn long_messages_are_cut_by_line_and_in_whole() {
        let lines = "a\n".repeat(3000);
        let shown = shortened(&lines);
        assert_eq!(shown.lines().count(), LINES + 1);
        assert!(shown.ends_with("… and 2001 more lines"), "{shown}");
        let wide = format!("{}\n", "ä".repeat(3000)).repeat(500);
        assert!(shortened(&wide).len() < MESSAGE + 3 * LINE);
        assert!(shortened(&wide).contains("… (3000 characters)\n"));
    }
}
