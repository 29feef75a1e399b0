//! Reading versions and constraints.

use semver::{BuildMetadata, Prerelease, Version};

use super::{Alternative, Error, Operator, Precision, Term};

const MAX_VERSION: usize = 256;
const MAX_CONSTRAINT: usize = 512;
const MAX_ALTERNATIVES: usize = 32;

/// Longer operators stand before their own beginnings.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// Reads a version leniently: a leading `v`, missing minor and patch (zero) and leading zeros
/// are accepted, as Helm accepts them in charts.
///
/// # Errors
/// If `text` is not such a version or longer than 256 bytes.
pub fn parse_version(text: &str) -> Result<Version, Error> {
    if text.len() > MAX_VERSION {
        return Err(Error::TooLong {
            limit: MAX_VERSION,
            unit: "bytes",
        });
    }
    version(text).ok_or_else(|| Error::Version {
        text: text.to_owned(),
    })
}

fn version(text: &str) -> Option<Version> {
    let written = Written::scan(text).filter(|(_, rest)| rest.is_empty())?.0;
    let mut numbers = [0; 3];
    for (number, part) in numbers.iter_mut().zip(written.parts) {
        if !part.is_empty() {
            *number = part.parse().ok()?;
        }
    }
    let [major, minor, patch] = numbers;
    Some(Version {
        major,
        minor,
        patch,
        pre: Prerelease::new(written.pre).ok()?,
        build: BuildMetadata::new(written.build).ok()?,
    })
}

pub(super) fn alternatives(text: &str) -> Result<Vec<Alternative>, Error> {
    if text.len() > MAX_CONSTRAINT {
        return Err(Error::TooLong {
            limit: MAX_CONSTRAINT,
            unit: "bytes",
        });
    }
    let groups: Vec<&str> = text.split("||").collect();
    if groups.len() > MAX_ALTERNATIVES {
        return Err(Error::TooLong {
            limit: MAX_ALTERNATIVES,
            unit: "alternatives",
        });
    }
    groups
        .into_iter()
        .map(alternative)
        .collect::<Option<_>>()
        .ok_or_else(|| Error::Constraint {
            text: text.to_owned(),
        })
}

fn alternative(text: &str) -> Option<Alternative> {
    let mut terms = Vec::new();
    let mut rest = trim(text);
    let mut may_be_range = true;
    loop {
        let (operator, after) = operator(rest);
        let (low, after) = Written::scan(trim(after))?;
        let range = after_hyphen(after).filter(|_| operator.is_none() && may_be_range);
        rest = if let Some(after) = range {
            let (high, after) = Written::scan(after)?;
            terms.push(low.term(Operator::GreaterEqual)?);
            terms.push(high.term(Operator::LessEqual)?);
            after
        } else {
            terms.push(low.term(operator.unwrap_or(Operator::Equal))?);
            after
        };
        let next = trim(rest);
        if next.is_empty() {
            return Some(Alternative { terms });
        }
        let comma = next.strip_prefix(',');
        if comma.is_none() && next.len() == rest.len() && range.is_none() {
            return None;
        }
        may_be_range = comma.is_some() || range.is_some();
        rest = trim(comma.unwrap_or(next));
    }
}

/// What follows ` - `, if `text` begins with that.
fn after_hyphen(text: &str) -> Option<&str> {
    let hyphen = trim(text);
    let after = hyphen
        .strip_prefix('-')
        .filter(|_| hyphen.len() < text.len())?;
    Some(trim(after)).filter(|trimmed| trimmed.len() < after.len())
}

fn operator(text: &str) -> (Option<Operator>, &str) {
    OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((Some(*operator), text.strip_prefix(sign)?)))
        .unwrap_or((None, text))
}

fn trim(text: &str) -> &str {
    text.trim_start_matches(['\t', '\n', '\x0c', '\r', ' '])
}

/// The parts of a version as written; empty where left out.
struct Written<'a> {
    parts: [&'a str; 3],
    pre: &'a str,
    build: &'a str,
}

impl<'a> Written<'a> {
    /// Takes the longest version from the start of `text` and returns what follows it.
    fn scan(text: &'a str) -> Option<(Self, &'a str)> {
        let (major, mut rest) = part(text.strip_prefix('v').unwrap_or(text))?;
        let mut parts = [major, "", ""];
        for slot in &mut parts[1..] {
            if let Some((found, after)) = rest.strip_prefix('.').and_then(part) {
                (*slot, rest) = (found, after);
            } else {
                break;
            }
        }
        let (pre, rest) = identifiers(rest, '-');
        let (build, rest) = identifiers(rest, '+');
        Some((Self { parts, pre, build }, rest))
    }

    fn term(&self, operator: Operator) -> Option<Term> {
        let written = self
            .parts
            .iter()
            .take_while(|part| !is_wildcard(part))
            .count();
        let precision = match written {
            0 => Precision::Any,
            1 => Precision::Major,
            2 => Precision::Minor,
            _ => Precision::Full,
        };
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(&self.parts[..written]) {
            *number = part.parse().ok()?;
        }
        let [major, minor, patch] = numbers;
        let pre = Prerelease::new(self.pre).ok()?;
        let bound = Version {
            pre,
            ..Version::new(major, minor, patch)
        };
        Some(Term {
            operator,
            bound,
            precision,
        })
    }
}

fn is_wildcard(part: &str) -> bool {
    matches!(part, "" | "x" | "X" | "*")
}

/// Digits or wildcards at the start of `text`, at least one.
fn part(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*')))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Identifiers joined by dots after `sign`; empty if `text` does not begin with them.
fn identifiers(text: &str, sign: char) -> (&str, &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let Some(body) = text
        .strip_prefix(sign)
        .filter(|body| body.starts_with(allowed))
    else {
        return ("", text);
    };
    let mut end = 0;
    for identifier in body.split('.') {
        let length = identifier.find(|c| !allowed(c)).unwrap_or(identifier.len());
        if length == 0 {
            break;
        }
        end += length + usize::from(end > 0);
        if length < identifier.len() {
            break;
        }
    }
    body.split_at(end)
}
