//! Errors: the chain of causes, the place, and one line of hint.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints `failure` on stderr and gives its exit code.
pub(crate) fn print(failure: &Failure) -> ExitCode {
    // There is nobody left to tell if stderr cannot be written.
    let _ = anstream::stderr()
        .lock()
        .write_all(to_text(failure).as_bytes());
    ExitCode::from(failure.exit_code())
}

fn to_text(failure: &Failure) -> String {
    let mut text = String::new();
    for (index, part) in failure.chain().into_iter().enumerate() {
        // Writing into a string cannot fail.
        let _ = match index {
            0 => writeln!(text, "{ERROR}error{ERROR:#}: {part}"),
            _ => writeln!(text, "  caused by: {part}"),
        };
    }
    if let Some(excerpt) = failure.excerpt() {
        text.push_str(excerpt.trim_end());
        text.push('\n');
    }
    if let Some(hint) = failure.hint() {
        let _ = writeln!(text, "{HINT}hint{HINT:#}: {hint}");
    }
    text
}
