//! Taking a `--set` argument apart, character by character.

use std::str::Chars;

pub(super) struct Scanner<'a> {
    chars: Chars<'a>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            chars: text.chars(),
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.chars.as_str().is_empty()
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
            let literal = if next == '\\' {
                self.chars.next()
            } else {
                Some(next)
            };
            text.extend(literal);
        }
        (text, None)
    }
}
