//! The plain paths in a template's actions, such as `values.hosts[0].name`.
//!
//! Tokens come in, the places of paths go out. Whether a path leads anywhere is left to others.

use std::ops::Range;

use super::token::{Kind, Token, actions};

/// Where the path before the operator `tokens[operator]` ends, if a plain path stands there, and
/// one whose value may not be missing.
pub(super) fn before(tokens: &[Token<'_>], operator: usize) -> Option<usize> {
    let last = operator.checked_sub(1)?;
    let first = first(tokens, last)?;
    if is_called(tokens, first) || may_be_missing(&tokens[first..=last]) {
        return None;
    }
    Some(tokens[last].range.end)
}

/// Where the path after the operator `tokens[operator]` ends, as [`before`].
pub(super) fn after(tokens: &[Token<'_>], operator: usize) -> Option<usize> {
    let first = operator + 1;
    let last = last(tokens, first)?;
    let next = tokens.get(last + 1).map_or("", |token| token.text);
    if ["(", "|"].contains(&next) || may_be_missing(&tokens[first..=last]) {
        return None;
    }
    Some(tokens[last].range.end)
}

/// Where the path before the word `tokens[word]`, an `in`, ends, as [`before`]; none if it is a
/// loop that the word belongs to.
pub(super) fn sought(tokens: &[Token<'_>], word: usize) -> Option<usize> {
    let word = match word.checked_sub(1)? {
        not if tokens[not].text == "not" => not,
        _ => word,
    };
    let first = first(tokens, word.checked_sub(1)?)?;
    let text = |back| first.checked_sub(back).map_or("", |at| tokens[at].text);
    if text(1) == "for" || text(1) == "," && text(3) == "for" {
        return None;
    }
    before(tokens, word)
}

/// The paths in `text` that overlap `range`, in bytes; if there are none and `range` is the call
/// of a filter, the path that is filtered.
pub(in crate::render) fn paths(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    for tokens in actions(text) {
        let touches =
            |token: &Token<'_>| token.range.start < range.end && range.start < token.range.end;
        let Some(at) = tokens.iter().position(touches) else {
            continue;
        };
        let found = overlapping(&tokens, range);
        let pipe = at.checked_sub(1).filter(|pipe| tokens[*pipe].text == "|");
        let filtered = pipe.and_then(|pipe| {
            let last = pipe.checked_sub(1)?;
            Some(tokens[first(&tokens, last)?].range.start..tokens[last].range.end)
        });
        return if found.is_empty() {
            filtered.into_iter().collect()
        } else {
            found
        };
    }
    Vec::new()
}

fn overlapping(tokens: &[Token<'_>], range: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let inside = at > 0 && [".", "?."].contains(&tokens[at - 1].text);
        let Some(last) = last(tokens, at).filter(|_| !inside && !is_called(tokens, at)) else {
            continue;
        };
        let path = tokens[at].range.start..tokens[last].range.end;
        let next = tokens.get(last + 1).map_or("", |token| token.text);
        if path.start < range.end && range.start < path.end && !["(", "="].contains(&next) {
            found.push(path);
        }
    }
    found
}

/// Whether `tokens[at]` is the name of a filter or a test.
fn is_called(tokens: &[Token<'_>], at: usize) -> bool {
    let text = |back| at.checked_sub(back).map_or("", |at| tokens[at].text);
    ["|", "is"].contains(&text(1)) || text(1) == "not" && text(2) == "is"
}

fn may_be_missing(path: &[Token<'_>]) -> bool {
    path.iter().any(|token| ["?.", "?["].contains(&token.text))
}

fn is_name(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && token.text != "not" && !token.is_literal()
}

/// The first token of the path whose last one is `tokens[last]`.
fn first(tokens: &[Token<'_>], last: usize) -> Option<usize> {
    let mut at = last;
    loop {
        while tokens[at].text == "]" {
            at = opening(tokens, at)?.checked_sub(1)?;
        }
        if !is_name(&tokens[at]) {
            return None;
        }
        match at.checked_sub(1).map_or("", |before| tokens[before].text) {
            "." | "?." => at = at.checked_sub(2)?,
            _ => return Some(at),
        }
    }
}

/// The last token of the path whose first one is `tokens[first]`.
fn last(tokens: &[Token<'_>], first: usize) -> Option<usize> {
    let mut last = first;
    if !is_name(tokens.get(first)?) {
        return None;
    }
    loop {
        match tokens.get(last + 1).map(|token| token.text) {
            Some("." | "?.") if tokens.get(last + 2)?.kind == Kind::Word => last += 2,
            Some("[" | "?[") => last = closing(tokens, last + 1)?,
            Some("." | "?.") => return None,
            _ => return Some(last),
        }
    }
}

/// The `[` or `?[` that `tokens[closing]` closes.
fn opening(tokens: &[Token<'_>], closing: usize) -> Option<usize> {
    let mut depth = 0;
    (0..=closing).rev().find(|at| {
        depth += bracket(&tokens[*at]);
        depth == 0
    })
}

/// The `]` that closes `tokens[opening]`.
fn closing(tokens: &[Token<'_>], opening: usize) -> Option<usize> {
    let mut depth = 0;
    (opening..tokens.len()).find(|at| {
        depth += bracket(&tokens[*at]);
        depth == 0
    })
}

fn bracket(token: &Token<'_>) -> i32 {
    match token.text {
        "[" | "?[" => 1,
        "]" => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `at` is what the engine points at.
    #[track_caller]
    fn check(text: &str, at: &str, expected: &[&str]) {
        let start = text.find(at).unwrap();
        let found = paths(text, &(start..start + at.len()));
        let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_whole_path_around_a_place_is_found() {
        check("{{ values.a.b | upper }}", "values", &["values.a.b"]);
        check("{{ values.a.b }}", "b }", &["values.a.b"]);
        check(
            "{{ a + values.a[b.c]?.d }}",
            "a + values",
            &["a", "values.a[b.c]?.d"],
        );
        check("{{ a.b < c.d }}", "a.b < c.d", &["a.b", "c.d"]);
        check("{{ x.y | int }}", "int", &["x.y"]);
        check("{{ x.y | f(z=u.v) }}", "f(z=u.v)", &["u.v"]);
        check("{% for a in b.c %}{{ d }}{% endfor %}", "b", &["b.c"]);
    }

    #[test]
    fn what_is_no_path_is_not_found() {
        check("{{ 'x' | int }}", "int", &[]);
        check("{{ f(x=1) | int }}", "int", &[]);
        check("text {{ a }}", "text", &[]);
    }
}
