//! The components and files that a template names.
//!
//! The text of a template comes in; where it defines or calls a component, and where it includes a
//! file, goes out. What the names stand for is left to `names`.

use std::ops::Range;

use super::token::{Kind, Token, actions};

/// The words of the language behind which a value starts.
const BEFORE_VALUE: [&str; 8] = ["and", "elif", "else", "if", "in", "is", "not", "or"];

/// What a name is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum What {
    /// A component is defined.
    Definition,
    /// The definition of a component ends.
    End,
    /// A component is called, or the text that is handed to it ends.
    Call,
    /// A file is included, or extended.
    File,
}

/// A name in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render) struct Named<'a> {
    pub(in crate::render) what: What,
    /// The name, without quotes.
    pub(in crate::render) name: &'a str,
    /// Where it stands, in bytes, without quotes.
    pub(in crate::render) range: Range<usize>,
    /// Where the whole statement stands, as far as the name.
    pub(in crate::render) statement: Range<usize>,
}

/// The components and files that `text` names, in order.
pub(in crate::render) fn named(text: &str) -> Vec<Named<'_>> {
    let words = ["component", "include", "extends", "<"];
    if !words.iter().any(|word| text.contains(word)) {
        return vec![];
    }
    let mut found = Vec::new();
    for tokens in actions(text) {
        match tokens.first().map(|token| token.text) {
            Some("component") => found.extend(component(text, &tokens, 1, What::Definition)),
            Some("endcomponent") => found.extend(component(text, &tokens, 1, What::End)),
            Some("include" | "extends") => found.extend(file(&tokens)),
            _ => {}
        }
        for at in 0..tokens.len() {
            if is_call(&tokens, at) {
                let name = at + 1 + usize::from(text_at(&tokens, at + 1) == "/");
                found.extend(component(text, &tokens, name, What::Call));
            }
        }
    }
    found
}

fn text_at<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.text)
}

/// Whether `tokens[at]` is a `<` that opens a call, and does not compare.
fn is_call(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else {
        return tokens[at].text == "<";
    };
    let ends_value = match before.kind {
        Kind::Literal => true,
        Kind::Word => !BEFORE_VALUE.contains(&before.text),
        Kind::Mark => matches!(before.text, ")" | "]" | "}"),
    };
    tokens[at].text == "<" && !ends_value
}

/// The name, with its dots, that starts at `tokens[at]`.
fn component<'a>(text: &'a str, tokens: &[Token<'a>], at: usize, what: What) -> Option<Named<'a>> {
    let first = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let mut last = at;
    while text_at(tokens, last + 1) == "."
        && (tokens.get(last + 2)).is_some_and(|token| token.kind == Kind::Word)
    {
        last += 2;
    }
    let range = first.range.start..tokens[last].range.end;
    Some(Named {
        what,
        name: &text[range.clone()],
        statement: range.clone(),
        range,
    })
}

fn file<'a>(tokens: &[Token<'a>]) -> Option<Named<'a>> {
    let name = tokens.get(1).filter(|token| token.kind == Kind::Literal)?;
    let range = name.range.start + 1..name.range.end.checked_sub(1)?;
    Some(Named {
        what: What::File,
        name: name.text.get(1..name.text.len() - 1)?,
        statement: tokens[0].range.start..name.range.end,
        range,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each name behind a letter that says what it is for.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown = |named: &Named<'_>| {
            assert_eq!(&text[named.range.clone()], named.name);
            format!("{:?} {}", named.what, named.name)
        };
        let found: Vec<String> = named(text).iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn definitions_and_calls_are_found() {
        check(
            "{% component lib.name(x, @release) -%}{{ <other.part x={ <deep/> } /> | trim }}\
             {%- endcomponent lib.name %}",
            &[
                "Definition lib.name",
                "Call other.part",
                "Call deep",
                "End lib.name",
            ],
        );
        check(
            "{% <box a='1'> %}text{% </box> %}{% if not <a /> and <b /> %}{{ 'x' ~ <c /> }}",
            &["Call box", "Call box", "Call a", "Call b", "Call c"],
        );
        check(
            "{{ f(x=<a />) }}{{ [<b />, <c />] }}",
            &["Call a", "Call b", "Call c"],
        );
    }

    #[test]
    fn files_are_found() {
        check(
            "{% include '_a.yaml' %}{%- include \"lib/_b.yaml\" -%}{% extends `c` %}",
            &["File _a.yaml", "File lib/_b.yaml", "File c"],
        );
    }

    #[test]
    fn comparisons_strings_comments_and_text_are_left_alone() {
        check("{{ a < b }}{{ 1 < b }}{{ f() < b }}{{ a[0] < b }}", &[]);
        check("{{ '<a />' }}{# <a /> include 'x' #}<a /> include 'x'", &[]);
        check("{% raw %}{{ <a /> }}{% endraw %}{{ <", &[]);
        check("{% include x %}{% component %}{% include '", &[]);
    }
}
