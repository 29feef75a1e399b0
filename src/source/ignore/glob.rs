//! Patterns as Go's `filepath.Match` knows them: `*` and `?` stop at a slash, `[a-z]` and
//! `[^a-z]` match one character, a backslash takes the next character as it is.

use std::ops::RangeInclusive;
use std::str::Chars;

#[derive(Debug)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug)]
enum Token {
    Literal(char),
    One,
    Many,
    In(Vec<RangeInclusive<char>>),
    NotIn(Vec<RangeInclusive<char>>),
}

impl Glob {
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let mut tokens = Vec::new();
        let mut rest = pattern.chars();
        while let Some(next) = rest.next() {
            tokens.push(match next {
                '*' => Token::Many,
                '?' => Token::One,
                '[' => class(&mut rest)?,
                '\\' => Token::Literal(rest.next().ok_or("nothing follows the backslash")?),
                literal => Token::Literal(literal),
            });
        }
        Ok(Self(tokens))
    }

    /// Says whether the whole of `text` matches, in at most length times length steps.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on if the last `*` must take one character more.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match (self.0.get(token), text.get(at)) {
                (None, None) => return true,
                (Some(Token::Many), _) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                (Some(one), Some(&c)) if one.matches(c) => {
                    (token, at) = (token + 1, at + 1);
                    continue;
                }
                _ => {}
            }
            match retry {
                Some((many, start)) if text.get(start).is_some_and(|&c| c != '/') => {
                    retry = Some((many, start + 1));
                    (token, at) = (many + 1, start + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        let within =
            |ranges: &[RangeInclusive<char>]| ranges.iter().any(|range| range.contains(&c));
        match self {
            Self::Literal(literal) => *literal == c,
            Self::One => c != '/',
            Self::Many => false,
            Self::In(ranges) => within(ranges),
            Self::NotIn(ranges) => !within(ranges),
        }
    }
}

/// Reads a class after its opening bracket.
fn class(rest: &mut Chars<'_>) -> Result<Token, &'static str> {
    const OPEN: &str = "a [ is not closed";
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    let mut next = rest.next();
    while next != Some(']') || ranges.is_empty() {
        let low = member(next.filter(|c| !matches!(c, ']' | '-')), rest).ok_or(OPEN)?;
        let mut high = low;
        next = rest.next();
        if next == Some('-') {
            let end = rest.next().filter(|c| !matches!(c, ']' | '-'));
            high = member(end, rest).ok_or(OPEN)?;
            next = rest.next();
        }
        if low > high {
            return Err("a range in [ ] runs backwards");
        }
        ranges.push(low..=high);
    }
    Ok(if negated {
        Token::NotIn(ranges)
    } else {
        Token::In(ranges)
    })
}

fn member(next: Option<char>, rest: &mut Chars<'_>) -> Option<char> {
    if next == Some('\\') {
        rest.next()
    } else {
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pattern: &str, text: &str) {
        assert!(
            Glob::parse(pattern).unwrap().matches(text),
            "{pattern} {text}"
        );
    }

    #[track_caller]
    fn check_not(pattern: &str, text: &str) {
        assert!(
            !Glob::parse(pattern).unwrap().matches(text),
            "{pattern} {text}"
        );
    }

    #[test]
    fn stars_stop_at_slashes() {
        check("*", "");
        check("*", "abc");
        check_not("*", "a/b");
        check("a*/b", "axx/b");
        check_not("a*/b", "a/c/b");
        check("*a*b*c", "xxaxxbxbxxc");
        check_not("*a*b", "xba");
        check("*/*b", "a/bb");
    }

    #[test]
    fn single_characters() {
        check("a?c", "aéc");
        check_not("a?c", "a/c");
        check("[a-cx]", "x");
        check_not("[^a-c]", "b");
        check(r"[\]\-]", "-");
        check(r"\*", "*");
        check_not(r"\*", "a");
        check("{a,b}", "{a,b}");
    }

    #[test]
    fn a_hard_pattern_ends() {
        check_not(&"*a".repeat(100), &"a".repeat(99));
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_or_refused(
            pattern in r"[a-c*?\[\]^\\/-]{0,12}",
            text in "[a-c/]{0,8}",
        ) {
            if let Ok(glob) = Glob::parse(&pattern) {
                glob.matches(&text);
            }
        }
    }
}
