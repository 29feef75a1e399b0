//! Taking an argument apart, character by character.

use std::str::Chars;

pub(super) struct Scanner<'a> {
    chars: Chars<'a>,
    escapes: Escapes,
}

/// Whether a backslash takes the next character as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    Backslash,
    None,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, escapes: Escapes) -> Self {
        Self {
            escapes,
            chars: text.chars(),
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.chars.as_str().is_empty()
    }

    /// What is left to read.
    pub(super) fn rest(&self) -> &'a str {
        self.chars.as_str()
    }

    /// Passes the next `bytes`, which end between two characters.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.chars = self.rest().get(bytes..).unwrap_or_default().chars();
    }

    /// Passes blanks and one comma behind them, and tells whether it came to the comma or the end.
    pub(super) fn blanks(&mut self) -> bool {
        let rest = self.rest().trim_start();
        self.chars = rest.chars();
        rest.is_empty() || self.take(',')
    }

    /// Passes `wanted` if it stands next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.chars.as_str().strip_prefix(wanted);
        if let Some(rest) = found {
            self.chars = rest.chars();
        }
        found.is_some()
    }

    /// Reads up to and with the first of `stops` that has no backslash before it, and returns
    /// the text before it, backslashes resolved, and the stop; `None` at the end.
    pub(super) fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(next) = self.chars.next() {
            if stops.contains(&next) {
                return (text, Some(next));
            }
            let literal = if next == '\\' && self.escapes == Escapes::Backslash {
                self.chars.next()
            } else {
                Some(next)
            };
            text.extend(literal);
        }
        (text, None)
    }
}
