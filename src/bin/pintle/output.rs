//! What a person or a machine reads: results on stdout, progress and errors on stderr.

mod diagnosis;
mod difference;
pub(crate) mod drift;
pub(crate) mod entries;
pub(crate) mod error;
pub(crate) mod hooks;
mod layout;
pub(crate) mod lint;
pub(crate) mod metadata;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod release;
pub(crate) mod status;
mod table;
pub(crate) mod trouble;
pub(crate) mod values;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::Format;
use crate::failure::Failure;

/// Prints `data` for machines: JSON, or YAML for every other format.
pub(crate) fn print_data(data: &impl Serialize, format: Format) -> Result<(), Failure> {
    let value = serde_json::to_value(data).map_err(std::io::Error::other)?;
    let text = match format {
        Format::Json => format!("{value}\n"),
        Format::Yaml | Format::Table => pintle::yaml::to_string(&value),
    };
    print_text(&text)
}

/// Prints text, which may come from a chart or a record: what would steer a terminal is escaped.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let text = harmless(text);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// The text without control characters. In their place stands what means the same in JSON, and between
/// double quotes in YAML: there they can be in text for machines.
fn harmless(text: &str) -> Cow<'_, str> {
    // Those behind ASCII start with this byte.
    let is_odd = |byte| matches!(byte, 0..=8 | 11..=31 | 0x7f | 0xc2);
    if !text.bytes().any(is_odd) {
        return Cow::Borrowed(text);
    }
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    let mut clean = String::with_capacity(text.len() + 16);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let returns = letter == '\r' && letters.peek() != Some(&'\n');
        if steers(letter) || returns {
            // Writing into a string cannot fail.
            let _ = write!(clean, "\\u{:04x}", u32::from(letter));
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

/// A time as Helm's tables show it, in the local zone.
fn time(timestamp: Option<Timestamp>) -> String {
    timestamp.map_or_else(
        || "-".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%a %b %e %H:%M:%S %Y")
                .to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(harmless(text), expected);
    }

    #[test]
    fn what_steers_terminals_is_escaped() {
        check("# a\tb\r\nc \u{e9}\n", "# a\tb\r\nc \u{e9}\n");
        check("\u{1b}[2Ja\u{7}", "\\u001b[2Ja\\u0007");
        check("a\rb\r", "a\\u000db\\u000d");
        check("\u{9b}2J\u{7f}", "\\u009b2J\\u007f");
        let json = harmless("\"\u{9b}\u{7f}\"");
        let text: String = serde_json::from_str(&json).unwrap();
        assert_eq!(text, "\u{9b}\u{7f}");
        let text = pintle::yaml::parse(&json).unwrap();
        assert_eq!(text, "\u{9b}\u{7f}");
    }
}
