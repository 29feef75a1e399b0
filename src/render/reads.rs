//! Which values a template reads, as far as its text says so.
//!
//! The text of one template comes in, the plain paths below `values` in its actions go out. What a
//! template computes or hands on, such as the key in `values.a[key]`, is left out: the path up to
//! there counts.

use super::strict::{Kind, Token, actions};
use crate::yaml::Step;

/// A path below `values` that a template reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The path; empty where all values are meant.
    pub path: Vec<Step>,
    /// The line of the template, from 1.
    pub line: u64,
    /// Whether the template expects that the value may be missing.
    pub may_be_missing: bool,
}

/// Finds what a template reads of the values, in order. Text that is no template gives nothing.
///
/// ```
/// let reads = pintle::render::reads("{% if values.a?.b %}{{ values.c }}{% endif %}");
/// assert_eq!(reads.len(), 2);
/// assert!(reads[0].may_be_missing && !reads[1].may_be_missing);
/// ```
pub fn reads(text: &str) -> Vec<Read> {
    let mut found = Vec::new();
    for tokens in actions(text) {
        for at in 0..tokens.len() {
            if !is_root(&tokens, at) {
                continue;
            }
            let (path, next, asks) = path(&tokens, at);
            let line = text[..tokens[at].range.start].matches('\n').count() + 1;
            found.push(Read {
                path,
                line: line as u64,
                may_be_missing: asks || is_asked_for(&tokens, next),
            });
        }
    }
    found
}

/// Whether `tokens[at]` is the name of the values, and not a key, an argument or a declaration.
fn is_root(tokens: &[Token<'_>], at: usize) -> bool {
    let text = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .map_or("", |token| token.text)
    };
    let before = text(at.checked_sub(1));
    // Three dots spread a list.
    let spreads = before == "." && text(at.checked_sub(2)) == ".";
    let after = text(Some(at + 1));
    tokens[at].kind == Kind::Word
        && tokens[at].text == "values"
        && (spreads || ![".", "?.", "@", "|"].contains(&before))
        && after != "="
}

/// The path from the name at `tokens[at]` on, the token after it, and whether a part of it may be
/// missing.
fn path(tokens: &[Token<'_>], at: usize) -> (Vec<Step>, usize, bool) {
    let mut path = Vec::new();
    let mut next = at + 1;
    let mut asks = false;
    while let Some((step, length)) = step(&tokens[next..]) {
        asks |= tokens[next].text.starts_with('?');
        path.push(step);
        next += length;
    }
    (path, next, asks)
}

/// The step that `tokens` start with, and how many tokens it takes.
fn step(tokens: &[Token<'_>]) -> Option<(Step, usize)> {
    match tokens {
        [dot, name, ..] if matches!(dot.text, "." | "?.") && name.kind == Kind::Word => {
            Some((Step::Key(name.text.to_owned()), 2))
        }
        [open, key, close, ..]
            if matches!(open.text, "[" | "?[")
                && key.kind == Kind::Literal
                && close.text == "]" =>
        {
            let name = || key.text.trim_matches(['"', '\'', '`']).to_owned();
            let step = key
                .text
                .parse()
                .map_or_else(|_| Step::Key(name()), Step::Index);
            Some((step, 3))
        }
        _ => None,
    }
}

/// Whether what follows a path is made for a value that is missing.
fn is_asked_for(tokens: &[Token<'_>], next: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    match text(next) {
        "|" => matches!(text(next + 1), "default" | "required"),
        "is" => ["defined", "undefined"].contains(&text(next + 1)) || text(next + 1) == "not",
        "?." | "?[" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each path as `line a.b`, with `?` where it may be missing.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown = |read: &Read| {
            let steps = read.path.iter().map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => index.to_string(),
            });
            let path = steps.collect::<Vec<_>>().join(".");
            let mark = if read.may_be_missing { "?" } else { "" };
            format!("{} {path}{mark}", read.line)
        };
        let found: Vec<String> = reads(text).iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_are_found() {
        check(
            "a\n{{ values.a.b }} {{ values['c-d'][0].e }}",
            &["2 a.b", "2 c-d.0.e"],
        );
        check(
            "{% for x in values.list %}{{ x.values }}{% endfor %}",
            &["1 list"],
        );
        check("{{ values | to_yaml }}", &["1 "]);
        check("{{ values.a[key].b }}", &["1 a"]);
        check("{{ [1, ...values.a] }}", &["1 a"]);
    }

    #[test]
    fn what_may_be_missing_is_told() {
        check("{{ values.a?.b }}", &["1 a.b?"]);
        check("{{ values.a | default(value=1) }}", &["1 a?"]);
        check("{% if values.a is defined %}", &["1 a?"]);
        check("{{ values.a | upper }}", &["1 a"]);
    }

    #[test]
    fn other_uses_of_the_word_are_not_found() {
        check("{% component c(@values) %}values.a{# values.b #}", &[]);
        check("{{ f(values=1) }}{{ x.values.y }}", &[]);
    }
}
