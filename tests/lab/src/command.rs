//! Running a program to its end, with an error that says what it was and what it said.

use std::io;
use std::process::{Command, ExitStatus};

/// How many of a failed program's last lines are shown.
const TAIL_LINES: usize = 12;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not start.
    #[error("running `{line}`")]
    Start {
        /// The command line.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// It failed.
    #[error("`{line}` failed ({status}): {output}")]
    Failed {
        /// The command line.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of what it printed.
        output: String,
    },
}

/// Runs `command` and returns what it printed on stdout.
///
/// # Errors
/// [`Error::Start`] when it does not start, [`Error::Failed`] when it does not succeed.
pub fn run(command: &mut Command) -> Result<String, Error> {
    let output = command.output();
    let output = output.map_err(|source| Error::Start {
        line: line(command),
        source,
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let said = stdout + &String::from_utf8_lossy(&output.stderr);
    Err(Error::Failed {
        line: line(command),
        status: output.status,
        output: last_lines(&said),
    })
}

/// Returns the last lines of `text`.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Error, run};

    #[test]
    fn returns_what_a_program_prints() {
        assert_eq!(run(Command::new("echo").arg("a")).unwrap(), "a\n");
    }

    #[test]
    fn a_failure_has_the_line_and_what_was_said() {
        let error = run(Command::new("sh").args(["-c", "echo no >&2; exit 3"])).unwrap_err();
        let expected = "`sh -c echo no >&2; exit 3` failed (exit status: 3): no";
        assert_eq!(error.to_string(), expected);
        let missing = run(&mut Command::new("/nonexistent")).unwrap_err();
        assert!(matches!(missing, Error::Start { .. }));
    }
}
