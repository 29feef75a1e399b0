//! Making templates stricter than their engine is.
//!
//! The text of a template comes in. Out goes the same text in which each plain path that is
//! compared by `==` or `!=`, joined by `~`, or sought by `in`, is checked: the engine would take a
//! missing value for false or for nothing there. Also out goes how to find a place of the changed text in the
//! original. The check itself, the filter [`CHECK`], is left to `functions`.

use std::ops::Range;

mod path;
mod token;

pub(super) use path::paths;
pub(super) use token::{Kind, Token, actions};

/// The filter that refuses an undefined value. Its name cannot be written by accident.
pub(super) const CHECK: &str = "__defined";

/// The variable by which the engine would print every value, secret or not.
const DUMP: &str = "__tera_context";

/// A template as it is given to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// The text with its checks.
    pub(super) text: String,
    /// Where they stand.
    pub(super) shifts: Shifts,
}

/// Where text was inserted: line from 1, column from 0 in the changed text, in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shifts(Vec<(usize, usize)>);

impl Shifts {
    /// The column, from 0, in the original text of a column in the changed text.
    pub(super) fn original(&self, line: usize, column: usize) -> usize {
        let inserted = CHECK.len() + 1;
        self.0
            .iter()
            .filter(|(at, start)| *at == line && *start < column)
            .fold(column, |left, (_, start)| {
                left - inserted.min(column - start)
            })
    }
}

/// Puts the checks into `text`.
pub(super) fn rewrite(text: &str) -> Rewritten {
    let mut points = Vec::new();
    for tokens in token::actions(text) {
        for (at, token) in tokens.iter().enumerate() {
            match (token.kind, token.text) {
                (Kind::Mark, "==" | "!=" | "~") => {
                    points.extend(path::before(&tokens, at));
                    points.extend(path::after(&tokens, at));
                }
                (Kind::Word, "in") => points.extend(path::sought(&tokens, at)),
                _ => {}
            }
        }
    }
    points.sort_unstable();
    points.dedup();
    insert(text, &points)
}

/// The byte range of the name in `text` that would print all values, if it is used.
pub(super) fn dump(text: &str) -> Option<Range<usize>> {
    if !text.contains(DUMP) {
        return None;
    }
    token::actions(text)
        .flatten()
        .find(|token| token.kind == Kind::Word && token.text == DUMP)
        .map(|token| token.range)
}

/// The files that `text` includes, and the bytes at which it does.
pub(super) fn includes(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let has_any = text.contains("include");
    let actions = has_any.then(|| token::actions(text)).into_iter().flatten();
    actions.filter_map(|tokens| match tokens.as_slice() {
        [word, name, ..] if word.text == "include" && name.kind == Kind::Literal => Some((
            word.range.start..name.range.end,
            name.text.trim_matches(['"', '\'', '`']),
        )),
        _ => None,
    })
}

fn insert(text: &str, points: &[usize]) -> Rewritten {
    let mut shifts = Vec::new();
    let mut changed = String::with_capacity(text.len() + points.len() * (CHECK.len() + 1));
    let (mut done, mut line, mut line_start) = (0, 1, 0);
    for point in points {
        let piece = &text[done..*point];
        if let Some(last) = piece.rfind('\n') {
            line += piece.matches('\n').count();
            line_start = changed.len() + last + 1;
        }
        changed.push_str(piece);
        shifts.push((line, changed[line_start..].chars().count()));
        changed.push('|');
        changed.push_str(CHECK);
        done = *point;
    }
    changed.push_str(&text[done..]);
    Rewritten {
        text: changed,
        shifts: Shifts(shifts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `expected` marks the checks by `!`.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let check = format!("|{CHECK}");
        assert_eq!(rewrite(text).text.replace(&check, "!"), expected);
    }

    #[test]
    fn compared_and_joined_paths_are_checked() {
        check("{% if values.a == 1 %}", "{% if values.a! == 1 %}");
        check("{% if 1 != values.a.b %}", "{% if 1 != values.a.b! %}");
        check("{{ a ~ b.c ~ 'x' }}", "{{ a! ~ b.c! ~ 'x' }}");
        check(
            "{{ a[0].b[c['d']] == e[1] }}",
            "{{ a[0].b[c['d']]! == e[1]! }}",
        );
        check("{% if not a == b %}", "{% if not a! == b! %}");
        check("{%- if x\n  == é -%}", "{%- if x!\n  == é! -%}");
    }

    #[test]
    fn what_is_sought_is_checked_but_no_loop_variable() {
        check("{% if a.b in [1] %}", "{% if a.b! in [1] %}");
        check("{% if a.b not in c %}", "{% if a.b! not in c %}");
        check("{% if a | upper in c %}", "{% if a | upper in c %}");
        check("{% for a in b %}", "{% for a in b %}");
        check("{% for k, v in b %}", "{% for k, v in b %}");
        check(
            "{{ [x for x in y if z in y] }}",
            "{{ [x for x in y if z! in y] }}",
        );
    }

    #[test]
    fn what_may_be_missing_is_left_alone() {
        check("{{ a?.b == 1 }}", "{{ a?.b == 1 }}");
        check("{{ a?[0] == 1 }}", "{{ a?[0] == 1 }}");
        check("{{ 1 == a?.b }}", "{{ 1 == a?.b }}");
        check(
            "{{ a | default(value=1) == 1 }}",
            "{{ a | default(value=1) == 1 }}",
        );
        check(
            "{{ 1 == a | default(value=1) }}",
            "{{ 1 == a | default(value=1) }}",
        );
    }

    #[test]
    fn names_of_filters_tests_and_functions_are_not_paths() {
        check("{{ a | upper == 'X' }}", "{{ a | upper == 'X' }}");
        check("{{ a is string == true }}", "{{ a is string == true }}");
        check(
            "{{ a is not string == true }}",
            "{{ a is not string == true }}",
        );
        check("{{ true == f(x=1) }}", "{{ true == f(x=1) }}");
        check("{{ none == [a] }}", "{{ none == [a] }}");
    }

    #[test]
    fn text_comments_strings_and_raw_blocks_are_left_alone() {
        check("a == b {# {{ a == b }} #}", "a == b {# {{ a == b }} #}");
        check("{{ 'a == b' ~ \"c ~ d\" }}", "{{ 'a == b' ~ \"c ~ d\" }}");
        check(
            "{%- raw -%}{{ a == b }}{% endraw %}{{ a == b }}",
            "{%- raw -%}{{ a == b }}{% endraw %}{{ a! == b! }}",
        );
        check("{{ a == b", "{{ a! == b!");
    }

    #[test]
    fn columns_are_found_again() {
        let Rewritten { text, shifts } = rewrite("{{ ab ~ cd }}\nx{{ e == f }}");
        for (line, (changed, original)) in text
            .lines()
            .zip(["{{ ab ~ cd }}", "x{{ e == f }}"])
            .enumerate()
        {
            for (column, letter) in changed.chars().enumerate() {
                let back = shifts.original(line + 1, column);
                assert!(back <= column, "{changed} {column}");
                if !format!("|{CHECK}").contains(letter) {
                    assert_eq!(
                        original.chars().nth(back),
                        Some(letter),
                        "{changed} {column}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_name_that_prints_all_values_is_found() {
        assert_eq!(dump("a {{ __tera_context }}"), Some(5..19));
        assert_eq!(dump("{{ '__tera_context' }} __tera_context"), None);
    }

    proptest! {
        #[test]
        fn any_text_can_be_rewritten(text in "([{}%#~=!.|'\\[\\]?a-c \n\u{e9}-]|\\{\\{|==){0,40}") {
            let check = format!("|{CHECK}");
            prop_assert_eq!(rewrite(&text).text.replace(&check, ""), text);
        }
    }
}
