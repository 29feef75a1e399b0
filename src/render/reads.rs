//! Which values a template reads, as far as its text says so.
//!
//! The text of one template comes in, the plain paths below `values` in its actions go out. A name
//! that is set to such a path once stands for it. What a template computes or hands on, such as the
//! key in `values.a[key]`, is left out: the path up to there counts. The template engine's contexts
//! hold plain values, which cannot record who reads them, and a rendering takes one branch of each
//! condition: so it is the text that is asked.

use std::collections::BTreeMap;
use std::ops::Range;

use super::strict::{Kind, Token, actions};
use crate::yaml::Step;

/// A path below `values` that a template reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The path; empty where all values are meant.
    pub path: Vec<Step>,
    /// The line of the template, from 1.
    pub line: u64,
    /// What becomes of the template where the value is missing.
    pub missing: Missing,
}

/// What a template makes of a value that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// It fails.
    Fails,
    /// It goes on, as with an empty value: in a condition, beside `or`, with `default` or `dig`. A name
    /// that is misspelt there is never told of when it is rendered.
    Falls,
    /// It asks whether the value is there, by `?.`, `is defined` or `required`.
    Asked,
}

/// Finds what a template reads of the values, in order. Text that is no template gives nothing.
///
/// ```
/// use pintle::render::{Missing, reads};
/// let reads = reads("{% if values.a?.b %}{{ values.c }}{% endif %}");
/// assert_eq!(reads.len(), 2);
/// assert_eq!(reads[0].missing, Missing::Asked);
/// assert_eq!(reads[1].missing, Missing::Fails);
/// ```
pub fn reads(text: &str) -> Vec<Read> {
    let actions: Vec<Vec<Token<'_>>> = actions(text).collect();
    let names = Names::of(&actions);
    let mut found = Vec::new();
    for tokens in &actions {
        // What is set is read where its name is.
        let from = if names.sets(tokens) { tokens.len() } else { 0 };
        let first = found.len();
        // The paths that the action asks about, below which it reads only where they are there.
        let mut asked: Vec<Vec<Step>> = Vec::new();
        for at in from..tokens.len() {
            let Some(root) = names.root(tokens, at) else {
                continue;
            };
            let (mut below, mut next, asks) = path(tokens, at);
            let dug = dug(&tokens[next..]);
            if let Some(dug) = &dug {
                below.extend(dug.path.iter().cloned());
                next += dug.length;
            }
            let line = text[..tokens[at].range.start].matches('\n').count() + 1;
            let path = [root, &below].concat();
            let is_condition = is_condition(tokens, at..next);
            if is_condition || is_defined(tokens, next) {
                asked.push(path.clone());
            }
            let falls =
                is_condition || falls_back(tokens, next) || dug.is_some_and(|dug| dug.falls);
            found.push(Read {
                path,
                line: line as u64,
                missing: match (asks || is_asked_for(tokens, next), falls) {
                    (true, _) => Missing::Asked,
                    (false, true) => Missing::Falls,
                    (false, false) => Missing::Fails,
                },
            });
        }
        for read in &mut found[first..] {
            let is_below =
                |asked: &Vec<Step>| read.path.len() > asked.len() && read.path.starts_with(asked);
            if asked.iter().any(is_below) {
                read.missing = Missing::Asked;
            }
        }
    }
    found
}

/// The names that stand for values, each with the path that it stands for.
#[derive(Default)]
struct Names<'a>(BTreeMap<&'a str, Vec<Step>>);

impl<'a> Names<'a> {
    /// Finds the names that are set to a path once, and mean nothing else anywhere.
    fn of(actions: &[Vec<Token<'a>>]) -> Self {
        let mut names = Self::default();
        // What is included sees the names as well, and stands in another text.
        let word = |word: &str| actions.iter().flatten().any(|token| token.text == word);
        if word("include") || word("extends") {
            return names;
        }
        for tokens in actions {
            let [set, name, is, _, ..] = tokens.as_slice() else {
                continue;
            };
            if set.text != "set" || is.text != "=" || bindings(actions, name.text) > 1 {
                continue;
            }
            let Some(root) = names.root(tokens, 3) else {
                continue;
            };
            let (below, next, asks) = path(tokens, 3);
            if next == tokens.len() && !asks {
                let path = [root, &below].concat();
                names.0.insert(name.text, path);
            }
        }
        names
    }

    /// Whether the action gives one of the names its path.
    fn sets(&self, tokens: &[Token<'_>]) -> bool {
        matches!(tokens, [set, name, ..] if set.text == "set" && self.0.contains_key(name.text))
    }

    /// The path that `tokens[at]` stands for, if it is a name of values and not a key, an argument
    /// or a declaration.
    fn root(&self, tokens: &[Token<'_>], at: usize) -> Option<&[Step]> {
        let text = |at: Option<usize>| {
            at.and_then(|at| tokens.get(at))
                .map_or("", |token| token.text)
        };
        let before = text(at.checked_sub(1));
        // Three dots spread a list.
        let spreads = before == "." && text(at.checked_sub(2)) == ".";
        let is_name = tokens[at].kind == Kind::Word
            && !is_component(tokens, at)
            && (spreads || ![".", "?.", "@", "|"].contains(&before))
            && text(Some(at + 1)) != "=";
        let path = match tokens[at].text {
            "values" => Some(&[][..]),
            name => self.0.get(name).map(Vec::as_slice),
        };
        path.filter(|_| is_name)
    }
}

/// Whether `tokens[at]` begins the name of a component that is called or whose call ends, as in
/// `<name.space/>`, and does not follow a comparison.
fn is_component(tokens: &[Token<'_>], at: usize) -> bool {
    let token = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let text = |back: usize| token(back).map_or("", |token| token.text);
    let compares = |token: &Token<'_>| match token.kind {
        Kind::Mark => [")", "]", "}"].contains(&token.text),
        _ => !["if", "elif", "and", "or", "not", "in", "else"].contains(&token.text),
    };
    match text(1) {
        "<" => !token(2).is_some_and(compares),
        "</" => true,
        "/" => text(2) == "<",
        _ => false,
    }
}

/// How often something may get the name: by `set`, as the variable of a loop, as an argument.
fn bindings(actions: &[Vec<Token<'_>>], name: &str) -> usize {
    let binds = |tokens: &Vec<Token<'_>>| {
        let declared = match tokens.first().map_or("", |token| token.text) {
            "for" => tokens.split(|token| token.text == "in").next(),
            "component" => Some(tokens.as_slice()),
            _ => None,
        };
        let assigned = |pair: &[Token<'_>]| pair[0].text == name && pair[1].text == "=";
        declared.is_some_and(|tokens| tokens.iter().any(|token| token.text == name))
            || tokens.windows(2).any(assigned)
    };
    actions.iter().filter(|tokens| binds(tokens)).count()
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

/// What `dig` asks for behind a path.
struct Dug {
    path: Vec<Step>,
    /// How many tokens it takes, up to the bracket that ends it.
    length: usize,
    /// Whether it has a default.
    falls: bool,
}

/// Reads `| dig(path="a.b", default=1)`, if the tokens start with it and its path is written out.
fn dug(tokens: &[Token<'_>]) -> Option<Dug> {
    let start: Vec<&str> = tokens.iter().take(3).map(|token| token.text).collect();
    if start != ["|", "dig", "("] {
        return None;
    }
    let mut depth = 0_usize;
    let mut end = tokens.iter().skip(3).position(|token| {
        let closes = matches!(token.text, ")" | "]" | "}");
        depth += usize::from(matches!(token.text, "(" | "[" | "{"));
        let is_end = closes && depth == 0;
        depth -= usize::from(closes && depth > 0);
        is_end
    })?;
    end += 3;
    let arguments = &tokens[3..end];
    let value = |name: &str| {
        let mut pairs = arguments.windows(2);
        let at = pairs.position(|pair| pair[0].text == name && pair[1].text == "=")?;
        Some(&arguments[at + 2..])
    };
    let literal = |token: &Token<'_>| token.text.trim_matches(['"', '\'', '`']).to_owned();
    let path = match value("path")? {
        [path, ..] if path.kind == Kind::Literal => {
            literal(path).split('.').map(str::to_owned).collect()
        }
        [open, rest @ ..] if open.text == "[" => {
            let names = rest.split(|token| token.text == "]").next()?;
            let mut names = names.iter().filter(|token| token.text != ",");
            if !names.all(|token| token.kind == Kind::Literal) {
                return None;
            }
            let names = rest.iter().take_while(|token| token.text != "]");
            let names = names.filter(|token| token.text != ",");
            names.map(literal).collect::<Vec<String>>()
        }
        _ => return None,
    };
    Some(Dug {
        path: path.into_iter().map(Step::Key).collect(),
        length: end + 1,
        falls: value("default").is_some(),
    })
}

/// Whether what follows a path stands for a value that is missing.
fn falls_back(tokens: &[Token<'_>], next: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    text(next) == "|" && text(next + 1) == "default"
}

/// Whether what follows a path asks whether there is a value.
fn is_asked_for(tokens: &[Token<'_>], next: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    match text(next) {
        "|" => text(next + 1) == "required",
        "is" => ["defined", "undefined"].contains(&text(next + 1)) || text(next + 1) == "not",
        "?." | "?[" => true,
        _ => false,
    }
}

/// Whether a path is followed by `is defined` or `is not defined`.
fn is_defined(tokens: &[Token<'_>], next: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    text(next) == "is" && (text(next + 1) == "defined" || text(next + 2) == "defined")
}

/// Whether the path of these tokens is asked only whether it is true, which what is missing is not.
fn is_condition(tokens: &[Token<'_>], path: Range<usize>) -> bool {
    let text = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .map_or("", |token| token.text)
    };
    let before = text(path.start.checked_sub(1));
    let after = text(Some(path.end));
    let is_tested = ["if", "elif"].contains(&text(Some(0)));
    match before {
        "" | "=" | "(" => ["and", "or"].contains(&after),
        "if" | "elif" | "not" => ["", ")", "and", "or", "else"].contains(&after),
        "and" | "or" => ["and", "or"].contains(&after) || is_tested && ["", ")"].contains(&after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each path as `line a.b`, with `?` where it is asked for and `~` where a missing one is passed over.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown = |read: &Read| {
            let steps = read.path.iter().map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => index.to_string(),
            });
            let path = steps.collect::<Vec<_>>().join(".");
            let mark = match read.missing {
                Missing::Fails => "",
                Missing::Falls => "~",
                Missing::Asked => "?",
            };
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
    fn names_stand_for_the_paths_they_are_set_to() {
        check(
            "{% set web = values.web -%}\n{{ web.port }}{{ web | to_yaml }}{{ x.web }}",
            &["2 web.port", "2 web"],
        );
        check(
            "{% set a = values.a %}{% set b = a.b %}{{ b.c }}{{ b?.d }}",
            &["1 a.b.c", "1 a.b.d?"],
        );
        check("{% set v = values %}{{ v.a }}", &["1 a"]);
        check(
            "{% set v = values.a %}{% for x in v.list %}{% endfor %}",
            &["1 a.list"],
        );
        check("{% set v = values.a %}", &[]);
    }

    #[test]
    fn names_that_may_mean_something_else_stand_for_nothing() {
        for rest in [
            "{% set v = 1 %}",
            "{% for v in [1] %}{% endfor %}",
            "{% component c(v) %}{% endcomponent %}",
            "{{ f(v=1) }}",
        ] {
            let text = format!("{{% set v = values.a %}}{rest}{{{{ v.b }}}}");
            check(&text, &["1 a"]);
        }
        check("{% set v = values.a | upper %}{{ v.b }}", &["1 a"]);
        check("{% set v = values.a %}{{ include(name='x') }}", &["1 a"]);
        check("{% set v = values.a?.b %}{{ v.c }}", &["1 a.b?"]);
        check(
            "{% set v = values.a %}{{ <v.part x={1}/> | trim }}{% <v.part> %}x{% </v.part> %}",
            &[],
        );
        check("{% set v = values.a %}{% if 1 < v.b %}", &["1 a.b"]);
    }

    #[test]
    fn what_may_be_missing_is_told() {
        check("{{ values.a?.b }}", &["1 a.b?"]);
        check("{{ values.a | default(value=1) }}", &["1 a~"]);
        check("{{ values.a | required(message='x') }}", &["1 a?"]);
        check("{% if values.a is defined %}", &["1 a?"]);
        check("{{ values.a | upper }}", &["1 a"]);
        check("{% if values.a %}", &["1 a~"]);
        check("{% if x %}{% elif not values.a %}", &["1 a~"]);
        check("{% if values.a and (x or values.b) %}", &["1 a~", "1 b~"]);
        check("{{ values.a or 1 }}", &["1 a~"]);
        check("{{ 1 if values.a else 2 }}", &["1 a~"]);
        check("{{ x or values.a }}", &["1 a"]);
        check("{% if values.a == 1 or x %}", &["1 a"]);
        check("{% if 1 == values.a or x %}", &["1 a"]);
        check("{% for x in values.a %}", &["1 a"]);
    }

    #[test]
    fn below_what_is_asked_for_all_may_be_missing() {
        check(
            "{% if values.a is defined and values.a.b == 1 %}{{ values.a.b }}",
            &["1 a?", "1 a.b?", "1 a.b"],
        );
        check("{% if values.a and values.a.b == 1 %}", &["1 a~", "1 a.b?"]);
        check(
            "{% if values.a is defined and values.ab.c == 1 %}",
            &["1 a?", "1 ab.c"],
        );
        check(
            "{% if values.a is not defined or values.a.b == 1 %}",
            &["1 a?", "1 a.b?"],
        );
    }

    #[test]
    fn what_is_dug_for_is_read() {
        check("{{ values | dig(path='a.b', default=1) }}", &["1 a.b~"]);
        check("{{ values.a | dig(path='b') | upper }}", &["1 a.b"]);
        check(
            "{{ values | dig(path=['a', \"b.c\"], default=[1, (2)]) }}",
            &["1 a.b.c~"],
        );
        check("{{ values | dig(path=p, default=1) }}", &["1 "]);
        check("{{ values | dig(path=[p, 'a'], default=1) }}", &["1 "]);
        check(
            "{{ values | dig(path='a', default=values.b) }}",
            &["1 a~", "1 b"],
        );
        check("{{ values | dig(path='a'", &["1 "]);
    }

    #[test]
    fn other_uses_of_the_word_are_not_found() {
        check("{% component c(@values) %}values.a{# values.b #}", &[]);
        check("{{ f(values=1) }}{{ x.values.y }}", &[]);
    }
}
