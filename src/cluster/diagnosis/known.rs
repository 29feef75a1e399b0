//! Hides values of Secrets in what containers write and events say.
//!
//! Secrets come in, then texts, which go out without any of the values. Which Secrets matter is left to the
//! callers: a diagnosis learns those that pods use, a change those of its release.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::clean::HIDDEN;
use crate::cluster::Unready;
use crate::health::Health;

/// Shorter values turn up everywhere.
const SHORTEST: usize = 4;
/// The least part of a value, at the place where a long line lost its middle, that is hidden.
const PART: usize = 6;
/// The place where a long line lost its middle.
const CUT: char = '…';

/// Values of Secrets, and the lines of those that have several, each as text and in base64.
///
/// Values shorter than 4 bytes are left alone, and the words `true`, `false` and `null`.
#[derive(Debug, Default)]
pub struct KnownValues {
    values: Vec<String>,
    finder: Finder,
}

/// What finds the values in a text.
#[derive(Debug, Default)]
enum Finder {
    /// There are none.
    #[default]
    Nothing,
    /// The longest of those that begin at one place.
    Longest(AhoCorasick),
    /// It cannot be told what is a value.
    Everything,
}

impl KnownValues {
    /// The values of these Secrets.
    pub fn of<'a>(secrets: impl Iterator<Item = &'a Value>) -> Self {
        let values: BTreeSet<String> = secrets.flat_map(values).collect();
        let values: Vec<String> = values.into_iter().collect();
        let finder = if values.is_empty() {
            Finder::Nothing
        } else {
            let mut builder = AhoCorasick::builder();
            let built = builder
                .match_kind(MatchKind::LeftmostLongest)
                .build(&values);
            built.map_or(Finder::Everything, Finder::Longest)
        };
        Self { values, finder }
    }

    /// What stands for values that could not be read: any text may hold one.
    pub(super) fn unreadable() -> Self {
        Self {
            values: vec![],
            finder: Finder::Everything,
        }
    }

    /// Hides what is known in all that is said about a resource but its name.
    pub fn hide_in(&self, unready: &mut Unready) {
        if let Health::InProgress(reason) | Health::Failed(reason) = &mut unready.health {
            *reason = self.hide(reason);
        }
        let diagnosis = &mut unready.diagnosis;
        for pod in &mut diagnosis.pods {
            pod.trouble.reason = self.hide(&pod.trouble.reason);
            pod.log.iter_mut().for_each(|line| *line = self.hide(line));
            let events = pod.events.iter_mut();
            events.for_each(|event| event.message = self.hide(&event.message));
        }
        let events = diagnosis.events.iter_mut();
        events.for_each(|event| event.message = self.hide(&event.message));
    }

    /// A text without what is known.
    pub fn hide(&self, text: &str) -> String {
        let finder = match &self.finder {
            Finder::Nothing => return text.to_owned(),
            Finder::Everything if text.is_empty() => return String::new(),
            Finder::Everything => return HIDDEN.to_owned(),
            Finder::Longest(finder) => finder,
        };
        let all = |text: &str| {
            let mut hidden = String::new();
            finder.replace_all_with(text, &mut hidden, |_, _, hidden| {
                hidden.push_str(HIDDEN);
                true
            });
            hidden
        };
        match text.split_once(CUT) {
            None => all(text),
            Some((begin, end)) => {
                let (begin, end) = (self.without_head(begin), self.without_tail(end));
                all(&format!("{begin}{CUT}{end}"))
            }
        }
    }

    /// The text without the beginning of a value at its end.
    fn without_head(&self, text: &str) -> String {
        let head = |value: &String| {
            let heads = value.char_indices().map(|(end, _)| end).rev();
            let mut heads = heads.filter(|end| *end >= PART);
            heads.find(|end| text.ends_with(&value[..*end]))
        };
        match self.values.iter().filter_map(head).max() {
            Some(length) => format!("{}{HIDDEN}", &text[..text.len() - length]),
            None => text.to_owned(),
        }
    }

    /// The text without the end of a value at its beginning.
    fn without_tail(&self, text: &str) -> String {
        let tail = |value: &String| {
            let tails = value.char_indices().map(|(start, _)| start);
            let mut tails = tails.filter(|start| value.len() - start >= PART);
            let start = tails.find(|start| text.starts_with(&value[*start..]))?;
            Some(value.len() - start)
        };
        match self.values.iter().filter_map(tail).max() {
            Some(length) => format!("{HIDDEN}{}", &text[length..]),
            None => text.to_owned(),
        }
    }
}

/// What of a Secret must not be shown.
fn values(secret: &Value) -> Vec<String> {
    let fields = ["data", "stringData"].into_iter();
    let maps = fields.filter_map(|field| secret.get(field)?.as_object());
    let encoded = maps.flat_map(|map| map.values()).filter_map(Value::as_str);
    let mut all = vec![];
    for encoded in encoded {
        let decoded = BASE64_STANDARD.decode(encoded).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        all.extend(decoded.iter().flat_map(|text| telling(text)));
        all.extend(telling(encoded));
    }
    all
}

/// The lines of a text that mean nothing but themselves.
fn telling(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim);
    let is_telling =
        |line: &&str| line.len() >= SHORTEST && !["true", "false", "null"].contains(line);
    lines.filter(is_telling).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let first = json!({"kind": "Secret",
            "stringData": {"a": "sunshine", "b": "sun", "c": "true"},
            "data": {"d": BASE64_STANDARD.encode("first line\nsunshine and rain"), "e": "c3VubnkgZGF5"}});
        let second = json!({"kind": "Secret", "data": {
            "password": BASE64_STANDARD.encode("hunter2"), "longer": BASE64_STANDARD.encode("hunter2000"),
            "file": BASE64_STANDARD.encode("user: alice1\nkey: k\n"), "odd": "%"}});
        let known = KnownValues::of([&first, &Value::Null, &second].into_iter());
        assert_eq!(known.hide(text), expected);
    }

    #[test]
    fn values_of_secrets_are_hidden_wherever_they_stand() {
        check("password sunshine!", "password [hidden]!");
        check("x sunshine and rain y", "x [hidden] y");
        check("first line", "[hidden]");
        check("c3VubnkgZGF5 is sunny day", "[hidden] is [hidden]");
        check("the sun is open: true", "the sun is open: true");
        check("hunter2000 and hunter2", "[hidden] and [hidden]");
        check("got aHVudGVyMg==", "got [hidden]");
        check("user: alice1 is not known", "[hidden] is not known");
        check("it is true that key: k", "it is true that [hidden]");
    }

    #[test]
    fn all_is_hidden_where_nothing_is_known() {
        assert_eq!(KnownValues::unreadable().hide("anything"), HIDDEN);
        assert_eq!(KnownValues::unreadable().hide(""), "");
        assert_eq!(KnownValues::default().hide("anything"), "anything");
    }

    #[test]
    fn what_is_left_of_a_value_in_a_cut_line_is_hidden() {
        check("it is sunshine and…d rain", "it is [hidden]…[hidden]");
        check("it is sunsh…and rain ok", "it is sunsh…[hidden] ok");
    }
}
