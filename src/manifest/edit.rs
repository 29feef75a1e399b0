//! Adding annotations to a document, in what was read of it and in its text.
//!
//! A document and annotations come in; the document with them goes out. Its text changes nowhere else
//! where the annotations can be written between its lines, and is written anew otherwise.

use serde_json::{Map, Value};

use super::cut::Cut;
use crate::yaml;

/// An annotation to add, or to put in the place of one that is there.
type Pair = (&'static str, String);

/// The items of a list of resources.
pub(super) fn items(body: &Value) -> Option<&Vec<Value>> {
    let kind = body.get("kind").and_then(Value::as_str);
    let is_list = kind.is_some_and(|kind| kind.ends_with("List"));
    body.get("items")
        .and_then(Value::as_array)
        .filter(|_| is_list)
}

/// Gives each resource of a document the annotations that `choose` says.
pub(super) fn annotate(cut: &mut Cut, body: &mut Value, choose: impl Fn(&Value) -> Vec<Pair>) {
    if items(body).is_none() {
        let pairs = choose(body);
        if !pairs.is_empty() && set(body, &pairs) {
            let text = written(&cut.text, &pairs);
            let text = text.filter(|text| yaml::parse(text).is_ok_and(|read| read == *body));
            cut.text = text.unwrap_or_else(|| yaml::to_string(body));
        }
        return;
    }
    let mut changes = false;
    let items = body.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let pairs = choose(item);
        changes |= !pairs.is_empty() && set(item, &pairs);
    }
    if changes {
        cut.text = yaml::to_string(body);
    }
}

/// Puts annotations into a resource, and tells whether there is a place for them.
fn set(body: &mut Value, pairs: &[Pair]) -> bool {
    let metadata = body.get_mut("metadata").and_then(Value::as_object_mut);
    let Some(metadata) = metadata else {
        return false;
    };
    let annotations = metadata.entry("annotations").or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Value::Object(Map::new());
    }
    let Some(annotations) = annotations.as_object_mut() else {
        return false;
    };
    for (key, value) in pairs {
        annotations.insert((*key).to_owned(), Value::from(value.as_str()));
    }
    true
}

/// Writes annotations between the lines of `text`. What comes out has to be read: the text may be of a
/// form that this does not know.
fn written(text: &str, pairs: &[Pair]) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let metadata = lines
        .iter()
        .position(|line| line.trim_end() == "metadata:")?;
    let indent = indent_below(&lines, metadata)?;
    let margin = " ".repeat(indent);
    let block = lines.iter().skip(metadata + 1);
    let block = block.take_while(|line| line.starts_with([' ', '#', '\n', '\r']));
    let end = metadata + 1 + block.count();
    let is_annotations =
        |line: &&str| line.strip_prefix(&margin).map(str::trim_end) == Some("annotations:");
    let found = lines[metadata..end].iter().position(is_annotations);
    let (start, inner) = match found.map(|at| metadata + at) {
        Some(at) => (
            at,
            indent_below(&lines, at).filter(|inner| *inner > indent)?,
        ),
        None => (metadata, indent + 2),
    };
    let is_old = |line: &str| {
        let key = line.trim_start().trim_start_matches(['"', '\'']);
        let mut keys = pairs.iter();
        keys.any(|(known, _)| {
            key.strip_prefix(known)
                .is_some_and(|rest| rest.starts_with([':', '"', '\'']))
        })
    };
    let mut changed = lines[..=start].concat();
    if found.is_none() {
        changed.push_str(&margin);
        changed.push_str("annotations:\n");
    }
    for (key, value) in pairs {
        let value = yaml::to_string(&Value::from(value.as_str()));
        changed.extend([&" ".repeat(inner), *key, ": ", value.trim_end(), "\n"]);
    }
    let rest = lines.iter().enumerate().skip(start + 1);
    let rest = rest.filter(|(at, line)| *at >= end || found.is_none() || !is_old(line));
    changed.extend(rest.map(|(_, line)| *line));
    Some(changed)
}

/// The indentation of the first line below `lines[at]` that says anything.
fn indent_below(lines: &[&str], at: usize) -> Option<usize> {
    let mut below = lines.iter().skip(at + 1).filter(|line| {
        let said = line.trim_start();
        !said.is_empty() && !said.starts_with('#')
    });
    let line = below.next()?;
    Some(line.len() - line.trim_start_matches(' ').len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut body = yaml::parse(text).unwrap();
        let mut cut = Cut {
            template: "web/templates/a.yaml".to_owned(),
            line: 1,
            text: text.to_owned(),
        };
        let pairs = [("a", "x"), ("b", "[\"y\"]")];
        annotate(&mut cut, &mut body, |_| {
            pairs.map(|(key, value)| (key, value.to_owned())).to_vec()
        });
        assert_eq!(cut.text, expected);
        assert_eq!(yaml::parse(&cut.text).unwrap(), body);
    }

    #[test]
    fn the_text_changes_nowhere_else() {
        check(
            "# note\nmetadata:\n  name: m # as is\nspec: {x: 1}\n",
            "# note\nmetadata:\n  annotations:\n    a: x\n    b: \"[\\\"y\\\"]\"\n  name: m # as is\nspec: {x: 1}\n",
        );
        check(
            "metadata:\n    name: m\n    annotations:\n      # why\n      c: 1\n      a: old\n      \"b\": old\nspec:\n  a: 1\n",
            "metadata:\n    name: m\n    annotations:\n      a: x\n      b: \"[\\\"y\\\"]\"\n      # why\n      c: 1\nspec:\n  a: 1\n",
        );
    }

    #[test]
    fn other_forms_are_written_anew() {
        let expected = "metadata:\n  annotations:\n    a: x\n    b: \"[\\\"y\\\"]\"\n  name: m\n";
        check("metadata: {name: m}\n", expected);
        check("metadata:\n  name: m\n  annotations: {a: old}\n", expected);
        check("metadata:\n  annotations:\n  name: m\n", expected);
        check(
            "kind: List\nitems:\n- metadata: {name: m}\n",
            "items:\n- metadata:\n    annotations:\n      a: x\n      b: \"[\\\"y\\\"]\"\n    name: m\nkind: List\n",
        );
    }

    #[test]
    fn what_is_no_resource_is_left_alone() {
        check("a: 1\n", "a: 1\n");
        check("metadata: 1\n", "metadata: 1\n");
    }
}
