//! Making templates stricter than their engine is.
//!
//! The text of a template comes in. Out goes the same text in which each plain path that is
//! compared by `==` or `!=`, joined by `~`, or sought by `in`, is checked: the engine would take a
//! missing value for false or for nothing there. Further edits can be given along. Also out goes how to
//! find a place of the changed text in the original. The check itself, the filter [`CHECK`], is left to
//! `functions`.

use std::ops::Range;

mod named;
mod path;
mod token;

pub(super) use named::{Named, What, named};
pub(super) use path::paths;
pub(super) use token::{Kind, Token, actions};

/// The filter that refuses an undefined value. Its name cannot be written by accident.
pub(super) const CHECK: &str = "__defined";

/// The variable by which the engine would print every value, secret or not.
const DUMP: &str = "__tera_context";

/// A change of a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The bytes that are replaced, within one line.
    pub(super) range: Range<usize>,
    /// What they are replaced by, without line breaks.
    pub(super) text: String,
}

/// A template as it is given to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// The text with all edits.
    pub(super) text: String,
    /// Where they stand.
    pub(super) shifts: Shifts,
}

/// Where text was replaced, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shifts(Vec<Shift>);

/// One replacement; columns and lengths are in characters of the changed text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shift {
    /// From 1.
    line: usize,
    /// From 0.
    column: usize,
    before: usize,
    after: usize,
}

impl Shifts {
    /// The column, from 0, in the original text of a column in the changed text.
    pub(super) fn original(&self, line: usize, column: usize) -> usize {
        let shifts = self.0.iter();
        let mut left = column;
        for shift in shifts.filter(|shift| shift.line == line && shift.column < column) {
            let inside = shift.after.min(column - shift.column);
            let original = if inside == shift.after {
                shift.before
            } else {
                shift.before.min(inside)
            };
            left = left - inside + original;
        }
        left
    }
}

/// Puts the checks, and the other `edits`, into `text`.
pub(super) fn rewrite(text: &str, mut edits: Vec<Edit>) -> Rewritten {
    edits.extend(checks(text).into_iter().map(|at| Edit {
        range: at..at,
        text: format!("|{CHECK}"),
    }));
    edits.sort_by_key(|edit| edit.range.start);
    apply(text, &edits)
}

/// Whether `text` may hold an operator that is checked. To look is much cheaper than to read its tokens.
fn may_compare(text: &str) -> bool {
    let bytes = text.as_bytes();
    let belongs = |at: usize| {
        let byte = bytes.get(at);
        byte.is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphanumeric())
    };
    (bytes.iter().enumerate()).any(|(at, byte)| match byte {
        b'~' => true,
        b'=' => at > 0 && matches!(bytes[at - 1], b'=' | b'!'),
        b'n' => {
            at > 0 && bytes[at - 1] == b'i' && !belongs(at + 1) && (at == 1 || !belongs(at - 2))
        }
        _ => false,
    })
}

/// Where the checks go.
fn checks(text: &str) -> Vec<usize> {
    if !may_compare(text) {
        return vec![];
    }
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
    points
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

fn apply(text: &str, edits: &[Edit]) -> Rewritten {
    let mut shifts = Vec::new();
    let more: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut changed = String::with_capacity(text.len() + more);
    let (mut done, mut line, mut line_start) = (0, 1, 0);
    for edit in edits {
        let piece = &text[done..edit.range.start];
        if let Some(last) = piece.rfind('\n') {
            line += piece.matches('\n').count();
            line_start = changed.len() + last + 1;
        }
        changed.push_str(piece);
        shifts.push(Shift {
            line,
            column: changed[line_start..].chars().count(),
            before: text[edit.range.clone()].chars().count(),
            after: edit.text.chars().count(),
        });
        changed.push_str(&edit.text);
        done = edit.range.end;
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
        assert_eq!(rewrite(text, vec![]).text.replace(&check, "!"), expected);
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
        let Rewritten { text, shifts } = rewrite("{{ ab ~ cd }}\nx{{ e == f }}", vec![]);
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

    /// `column` is that of a letter in the changed text.
    #[track_caller]
    fn check_shift(column: usize, expected: usize) {
        let edit = |range, text: &str| Edit {
            range,
            text: text.to_owned(),
        };
        let edits = vec![edit(2..4, "1234"), edit(5..8, "5"), edit(9..9, "6")];
        let rewritten = rewrite("abcdefghijk", edits);
        assert_eq!(rewritten.text, "ab1234e5i6jk");
        assert_eq!(rewritten.shifts.original(1, column), expected);
    }

    #[test]
    fn columns_are_found_again_behind_longer_and_shorter_text() {
        check_shift(0, 0);
        check_shift(1, 1);
        check_shift(2, 2);
        check_shift(6, 4);
        check_shift(7, 5);
        check_shift(8, 8);
        check_shift(9, 9);
        check_shift(10, 9);
        check_shift(11, 10);
    }

    #[test]
    fn the_name_that_prints_all_values_is_found() {
        assert_eq!(dump("a {{ __tera_context }}"), Some(5..19));
        assert_eq!(dump("{{ '__tera_context' }} __tera_context"), None);
    }

    proptest! {
        #[test]
        fn no_operator_is_overlooked(inside in "(in|==|!=|~|[a-c1_=!' \u{e9}|.\\]\\[]){0,12}") {
            let text = format!("{{{{ {inside} }}}}");
            let mut tokens = token::actions(&text).flatten();
            let has = tokens.any(|token| match token.kind {
                Kind::Mark => matches!(token.text, "==" | "!=" | "~"),
                Kind::Word => token.text == "in",
                Kind::Literal => false,
            });
            prop_assert!(!has || may_compare(&text));
        }

        #[test]
        fn any_text_can_be_rewritten(text in "([{}%#~=!.|'\\[\\]?a-c \n\u{e9}-]|\\{\\{|==){0,40}") {
            let check = format!("|{CHECK}");
            prop_assert_eq!(rewrite(&text, vec![]).text.replace(&check, ""), text);
        }
    }
}
