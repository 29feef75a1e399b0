//! The tokens inside a template's actions.
//!
//! The text of a template comes in, the tokens between each `{{` and `}}`, `{%` and `%}` go out.
//! Comments, raw blocks and the text around actions are passed over. Errors in the text are left
//! to the template engine: whatever the text is, nothing here fails.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Kind {
    /// A name or a word of the language.
    Word,
    /// A string or a number.
    Literal,
    /// Anything else.
    Mark,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render) struct Token<'a> {
    pub(in crate::render) kind: Kind,
    pub(in crate::render) text: &'a str,
    /// Where it stands in the template, in bytes.
    pub(in crate::render) range: Range<usize>,
}

impl Token<'_> {
    /// Whether the word is a value of its own.
    pub(in crate::render) fn is_literal(&self) -> bool {
        ["true", "True", "false", "False", "none", "None", "null"].contains(&self.text)
    }
}

/// The tokens of each action, in order.
pub(in crate::render) fn actions(text: &str) -> impl Iterator<Item = Vec<Token<'_>>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + next_start(&text[at..])?;
            let end = match &text[start..start + 2] {
                "{{" => "}}",
                "{%" => "%}",
                _ => {
                    at = text[start..].find("#}").map(|found| start + found + 2)?;
                    continue;
                }
            };
            let (tokens, after) = tokens(text, start + 2, end);
            at = match tokens.as_slice() {
                [word] if end == "%}" && word.text == "raw" => after_raw(text, after),
                _ => after,
            };
            return Some(tokens);
        }
    })
}

fn next_start(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(2)
        .position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Where the raw block that `start` stands in ends.
fn after_raw(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(found) = text[at..].find("{%") {
        at += found + 2;
        let inside = text[at..].trim_start_matches('-').trim_start();
        if inside.starts_with("endraw") {
            return at;
        }
    }
    text.len()
}

/// The tokens from `start` up to `end`, and where the text goes on.
fn tokens<'a>(text: &'a str, start: usize, end: &str) -> (Vec<Token<'a>>, usize) {
    let mut tokens = Vec::new();
    let mut at = start;
    while let Some(first) = text[at..].chars().next() {
        if text[at..].starts_with(end) {
            return (tokens, at + end.len());
        }
        let (kind, length) = measure(&text[at..], first);
        let range = at..at + length;
        let trims = first == '-' && (at == start || text[range.end..].starts_with(end));
        if !first.is_whitespace() && !trims {
            tokens.push(Token {
                kind,
                text: &text[range.clone()],
                range: range.clone(),
            });
        }
        at = range.end;
    }
    (tokens, text.len())
}

/// The kind and the length in bytes of the token that `text` starts with.
fn measure(text: &str, first: char) -> (Kind, usize) {
    match first {
        '"' | '\'' | '`' => (Kind::Literal, string(text, first)),
        '0'..='9' => (
            Kind::Literal,
            run(text, |letter| letter.is_ascii_alphanumeric()),
        ),
        letter if letter == '_' || letter.is_alphabetic() => (
            Kind::Word,
            run(text, |letter| letter == '_' || letter.is_alphanumeric()),
        ),
        _ => {
            let two = ["==", "!=", "<=", ">=", "?.", "?[", "**", "//"];
            let mark = two.iter().find(|mark| text.starts_with(**mark));
            (Kind::Mark, mark.map_or(first.len_utf8(), |mark| mark.len()))
        }
    }
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

/// The length of the string that `text` starts with, quotes included.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == quote {
            return at + 1;
        }
    }
    text.len()
}
