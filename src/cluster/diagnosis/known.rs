//! Hides values of Secrets in what containers write and events say.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::cluster::Unready;
use crate::health::Health;

/// What stands for what was hidden.
const HIDDEN: &str = "[hidden]";
/// Shorter values turn up everywhere.
const SHORTEST: usize = 4;
/// The least part of a value, at the place where a long line lost its middle, that is hidden.
const PART: usize = 6;
/// The place where a long line lost its middle.
const CUT: char = '…';

/// Values of Secrets, and the lines of those that have several.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The longest first.
    values: Vec<String>,
}

impl Known {
    /// Learns what stands in a Secret; other resources have nothing to be hidden.
    pub(super) fn learn(&mut self, body: &Value) {
        if body["kind"] != "Secret" {
            return;
        }
        let texts = |field: &str| {
            let data = body.get(field).and_then(Value::as_object);
            let values = data.into_iter().flat_map(|data| data.values());
            values.filter_map(Value::as_str).map(str::to_owned)
        };
        let texts: Vec<String> = texts("data").chain(texts("stringData")).collect();
        for encoded in texts {
            if let Some(text) = BASE64_STANDARD
                .decode(&encoded)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
            {
                self.add(&text);
            }
            self.add(&encoded);
        }
        self.values
            .sort_by_key(|value| std::cmp::Reverse(value.len()));
        self.values.dedup();
    }

    fn add(&mut self, text: &str) {
        let lines = text.lines().map(str::trim);
        let is_telling =
            |line: &&str| line.len() >= SHORTEST && !["true", "false", "null"].contains(line);
        self.values
            .extend(lines.filter(is_telling).map(str::to_owned));
    }

    /// Hides what is known in all that is said about a resource but its name.
    pub(super) fn hide_in(&self, unready: &mut Unready) {
        if let Health::InProgress(reason) | Health::Failed(reason) = &mut unready.health {
            self.hide(reason);
        }
        let diagnosis = &mut unready.diagnosis;
        for pod in &mut diagnosis.pods {
            self.hide(&mut pod.trouble.reason);
            pod.log.iter_mut().for_each(|line| self.hide(line));
            let events = pod.events.iter_mut();
            events.for_each(|event| self.hide(&mut event.message));
        }
        let events = diagnosis.events.iter_mut();
        events.for_each(|event| self.hide(&mut event.message));
    }

    fn hide(&self, text: &mut String) {
        if let Some((begin, end)) = text.split_once(CUT) {
            let (begin, end) = (self.without_head(begin), self.without_tail(end));
            *text = format!("{begin}{CUT}{end}");
        }
        for value in &self.values {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), HIDDEN);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut known = Known::default();
        known.learn(&json!({"kind": "Secret",
            "stringData": {"a": "sunshine", "b": "sun", "c": "true"},
            "data": {"d": BASE64_STANDARD.encode("first line\nsunshine and rain"), "e": "c3VubnkgZGF5"}}));
        known.learn(&json!({"kind": "ConfigMap", "data": {"a": "open"}}));
        let mut text = text.to_owned();
        known.hide(&mut text);
        assert_eq!(text, expected);
    }

    #[test]
    fn values_of_secrets_are_hidden_wherever_they_stand() {
        check("password sunshine!", "password [hidden]!");
        check("x sunshine and rain y", "x [hidden] y");
        check("first line", "[hidden]");
        check("c3VubnkgZGF5 is sunny day", "[hidden] is [hidden]");
        check("the sun is open: true", "the sun is open: true");
    }

    #[test]
    fn what_is_left_of_a_value_in_a_cut_line_is_hidden() {
        check("it is sunshine and…d rain", "it is [hidden]…[hidden]");
        check("it is sunsh…and rain ok", "it is sunsh…[hidden] ok");
    }
}
