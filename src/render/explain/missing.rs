//! What to say of a name that is not defined.
//!
//! The engine's message, the text that it points at and the names that a template can see come
//! in, a sentence with the names that do exist goes out. Values are never named.

use std::fmt::Write as _;
use std::ops::Range;

use tera::{Context, Value};

use super::Told;
use crate::render::context::ROOTS;
use crate::render::nearest::nearest;
use crate::render::strict::paths;
use crate::render::value::kind;

/// At most so many names are listed.
const MAX_LISTED: usize = 20;

/// One step of a path such as `values.hosts[0].name`.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
    name: &'a str,
    /// Where the step ends in the path's text.
    end: usize,
}

/// What to say of `message` about the bytes `at` of `text`, if it is about something that is not
/// defined.
pub(super) fn tell(message: &str, text: &str, at: Range<usize>, context: &Context) -> Option<Told> {
    if let Some(name) = named(message, "Variable `") {
        return Some(said(if message.contains("its value is undefined") {
            format!("{name} was set to a value that is not defined")
        } else if ROOTS.contains(&name) {
            format!("{name} is not defined in a component; declare it as @{name}")
        } else {
            let known = listed(message, " Available variables: ");
            sentence(name, name, "in scope", &known)
        }));
    }
    if let Some(name) = named(message, "Field `") {
        return Some(said(field(message, name, field_path(text, &at), context)));
    }
    if !message.contains("undefined") {
        return None;
    }
    let paths = paths(text, &at);
    for path in &paths {
        if let Some(message) = walk(&text[path.clone()], context) {
            let at = Some(path.clone());
            return Some(Told { message, at });
        }
    }
    match paths.as_slice() {
        [path] => Some(Told {
            message: format!("{} is not defined", &text[path.clone()]),
            at: Some(path.clone()),
        }),
        _ => None,
    }
}

fn said(message: String) -> Told {
    Told { message, at: None }
}

/// The path that ends with the field at the bytes `at`.
fn field_path<'a>(text: &'a str, at: &Range<usize>) -> &'a str {
    let path = paths(text, at).into_iter().find(|path| path.end >= at.end);
    &text[path.map_or(at.start, |path| path.start)..at.end]
}

fn field(message: &str, name: &str, path: &str, context: &Context) -> String {
    let known = listed(message, " Available fields: ");
    let parent = path
        .strip_suffix(name)
        .map(|parent| parent.trim_end_matches(['.', '?']));
    match parent {
        Some(parent) if !known.is_empty() => sentence(path, name, parent, &known),
        _ => walk(path, context).unwrap_or_else(|| format!("{path} is not defined")),
    }
}

/// The name that follows `start` in backticks, if the message says that it is missing.
fn named<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    let (name, rest) = message.strip_prefix(start)?.split_once('`')?;
    let missing = [" is not defined", " exists but its value is undefined"];
    missing
        .iter()
        .any(|phrase| rest.starts_with(phrase))
        .then_some(name)
}

fn listed<'a>(message: &'a str, start: &str) -> Vec<&'a str> {
    let names = message.split_once(start).map_or("", |(_, names)| names);
    names
        .split(", ")
        .filter(|name| !name.is_empty() && !name.starts_with("__"))
        .collect()
}

/// Follows a path from the names that every template can see to the step that is missing.
fn walk(path: &str, context: &Context) -> Option<String> {
    let steps = steps(path)?;
    let (root, rest) = steps.split_first()?;
    if !ROOTS.contains(&root.name) {
        return None;
    }
    let mut value = context.get(root.name)?;
    let mut parent = &path[..root.end];
    for step in rest {
        match child(value, step.name) {
            Some(next) => value = next,
            None => return Some(absent(value, &path[..step.end], step.name, parent)),
        }
        parent = &path[..step.end];
    }
    None
}

fn child<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value.as_array() {
        Some(items) => items.get(name.parse::<usize>().ok()?),
        None => (value.as_map()?.iter())
            .find(|(key, _)| key.as_str() == Some(name))
            .map(|(_, item)| item),
    }
}

fn absent(value: &Value, path: &str, name: &str, parent: &str) -> String {
    if let Some(map) = value.as_map() {
        let known: Vec<&str> = map.keys().filter_map(|key| key.as_str()).collect();
        return sentence(path, name, parent, &known);
    }
    match value.as_array() {
        Some(items) => format!("{path} is not defined: {parent} has {} items", items.len()),
        None => format!(
            "{path} is not defined: {parent} is {}, not a map",
            kind(value)
        ),
    }
}

fn sentence(path: &str, name: &str, parent: &str, known: &[&str]) -> String {
    let mut text = format!("{path} is not defined");
    if let Some(meant) = nearest(name, known.iter().copied()) {
        text.push_str("; did you mean ");
        text.push_str(meant);
        text.push('?');
    } else {
        text.push(';');
    }
    text.push(' ');
    text.push_str(parent);
    if known.is_empty() {
        text.push_str(" is empty");
        return text;
    }
    text.push_str(if parent == "in scope" {
        " are: "
    } else {
        " has: "
    });
    text.push_str(&known[..known.len().min(MAX_LISTED)].join(", "));
    if let Some(more) = known.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        // Writing into a string cannot fail.
        let _ = write!(text, " and {more} more");
    }
    text
}

/// The steps of a plain path; none if the text is anything else.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let rest = &path[at..];
        let (name, length) = if steps.is_empty() {
            word(rest)?
        } else if let Some(rest) = rest.strip_prefix("?.") {
            word(rest).map(|(name, length)| (name, length + 2))?
        } else if let Some(rest) = rest.strip_prefix('.') {
            word(rest).map(|(name, length)| (name, length + 1))?
        } else {
            let rest = rest.strip_prefix('[')?;
            let (inside, _) = rest.split_once(']')?;
            let quoted = ['"', '\'', '`']
                .iter()
                .find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
            let index = inside
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(inside);
            (quoted.or(index)?, inside.len() + 2)
        };
        at += length;
        steps.push(Step { name, end: at });
        if at == path.len() {
            return Some(steps);
        }
    }
}

fn word(text: &str) -> Option<(&str, usize)> {
    let end = text
        .find(|letter: char| letter != '_' && !letter.is_alphanumeric())
        .unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::value::to_tera;
    use serde_json::json;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let mut context = Context::new();
        let values = json!({"image": {"tag": "s3cret"}, "hosts": ["s3cret"], "empty": {}});
        context.insert_value("values", to_tera(&values));
        let found = walk(path, &context);
        assert_eq!(found.as_deref(), expected);
        assert!(!found.unwrap_or_default().contains("s3cret"));
    }

    #[test]
    fn the_missing_step_and_its_neighbours_are_named() {
        check(
            "values.imgae",
            Some(
                "values.imgae is not defined; did you mean image? values has: empty, hosts, image",
            ),
        );
        check(
            "values[\"image\"].port.number",
            Some(r#"values["image"].port is not defined; values["image"] has: tag"#),
        );
        check(
            "values.empty.x",
            Some("values.empty.x is not defined; values.empty is empty"),
        );
        check(
            "values.image.tag.x",
            Some("values.image.tag.x is not defined: values.image.tag is a string, not a map"),
        );
        check(
            "values.hosts[1]",
            Some("values.hosts[1] is not defined: values.hosts has 1 items"),
        );
    }

    #[test]
    fn what_is_defined_or_no_path_is_left() {
        check("values.image.tag", None);
        check("item.name", None);
        check("release.name", None);
        check("values.a | upper", None);
        check("values[name]", None);
        check("", None);
    }
}
