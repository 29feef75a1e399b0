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
    to: To<'a>,
    /// Where the step ends in the path's text.
    end: usize,
}

/// Where a step leads.
#[derive(Debug, PartialEq, Eq)]
enum To<'a> {
    /// To what has this name, or this number.
    Name(&'a str),
    /// To what has the name that an expression in brackets gives.
    Given(&'a str),
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
    // Paths in brackets belong to the path that the brackets stand in.
    let is_inside = |path: &Range<usize>, other: &Range<usize>| {
        path != other && other.start <= path.start && path.end <= other.end
    };
    let mut whole = paths.clone();
    whole.retain(|path| !paths.iter().any(|other| is_inside(path, other)));
    match whole.as_slice() {
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
    let Some(path) = paths(text, at).into_iter().find(|path| path.end >= at.end) else {
        return &text[at.clone()];
    };
    let found = &text[path.start..at.end];
    // Where there are paths in brackets, the engine points into one of these.
    if found.matches('[').count() == found.matches(']').count() {
        found
    } else {
        &text[path]
    }
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
    let (mut value, rest) = start(&steps, context)?;
    let mut parent = &path[..steps[0].end];
    for step in rest {
        let at = &path[..step.end];
        let next = match step.to {
            To::Name(name) => {
                let next = child(value, name);
                next.ok_or_else(|| absent(value, at, name, parent))
            }
            // What it gives is a value, so it is not named.
            To::Given(expression) => {
                let next = child(value, &given(expression, context)?);
                next.ok_or_else(|| absent(value, at, "", parent))
            }
        };
        match next {
            Ok(next) => value = next,
            Err(message) => return Some(message),
        }
        parent = at;
    }
    None
}

/// The value that the first step leads to, and the other steps.
fn start<'a, 's>(
    steps: &'s [Step<'s>],
    context: &'a Context,
) -> Option<(&'a Value, &'s [Step<'s>])> {
    let (root, rest) = steps.split_first()?;
    match root.to {
        To::Name(name) if ROOTS.contains(&name) => Some((context.get(name)?, rest)),
        _ => None,
    }
}

/// The name or number that a plain path stands for.
fn given(path: &str, context: &Context) -> Option<String> {
    let steps = steps(path)?;
    let (value, rest) = start(&steps, context)?;
    let found = rest.iter().try_fold(value, |value, step| match step.to {
        To::Name(name) => child(value, name),
        To::Given(path) => child(value, &given(path, context)?),
    })?;
    let text = found.as_str().map(str::to_owned);
    text.or_else(|| Some(found.as_i64()?.to_string()))
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
        let (to, length) = if steps.is_empty() {
            word(rest)?
        } else if let Some(rest) = rest.strip_prefix("?.") {
            word(rest).map(|(to, length)| (to, length + 2))?
        } else if let Some(rest) = rest.strip_prefix('.') {
            word(rest).map(|(to, length)| (to, length + 1))?
        } else {
            let inside = bracketed(rest)?;
            (bracket(inside), inside.len() + 2)
        };
        at += length;
        steps.push(Step { to, end: at });
        if at == path.len() {
            return Some(steps);
        }
    }
}

fn word(text: &str) -> Option<(To<'_>, usize)> {
    let end = text
        .find(|letter: char| letter != '_' && !letter.is_alphanumeric())
        .unwrap_or(text.len());
    (end > 0).then(|| (To::Name(&text[..end]), end))
}

/// What stands between the bracket that `text` starts with and the one that closes it.
fn bracketed(text: &str) -> Option<&str> {
    let (mut depth, mut quote) = (0, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) => quote = quote.filter(|_| letter != open),
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return text[..at].strip_prefix('['),
            (None, ']') => depth -= 1,
            // Before the first bracket.
            (None, _) if depth == 0 => return None,
            (None, _) => {}
        }
    }
    None
}

fn bracket(inside: &str) -> To<'_> {
    let marks = ['"', '\'', '`'];
    let quoted = marks.iter().find_map(|quote| {
        let text = inside.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!text.contains(*quote)).then_some(text)
    });
    let is_index = !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit());
    match quoted {
        Some(name) => To::Name(name),
        None if is_index => To::Name(inside),
        None => To::Given(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::value::to_tera;
    use serde_json::json;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let mut context = Context::new();
        let values = json!({
            "image": {"tag": "s3cret"}, "hosts": ["s3cret"], "empty": {}, "key": "s3cret", "at": 0, "far": 7,
            "name": "image",
        });
        context.insert_value("values", to_tera(values));
        let found = walk(path, &context);
        assert_eq!(found.as_deref(), expected);
        assert!(!found.unwrap_or_default().contains("s3cret"));
    }

    #[test]
    fn the_missing_step_and_its_neighbours_are_named() {
        check(
            "values.imgae",
            Some(
                "values.imgae is not defined; did you mean image? \
                 values has: at, empty, far, hosts, image, key, name",
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
        check("values[values.name].tag", None);
        check("values.hosts[values.at]", None);
        check("values[name].tag", None);
        check("", None);
    }

    #[test]
    fn a_name_that_an_expression_gives_is_not_told() {
        check(
            "values.image[values.key]",
            Some("values.image[values.key] is not defined; values.image has: tag"),
        );
        check(
            "values.image[values[\"key\"]].x",
            Some("values.image[values[\"key\"]] is not defined; values.image has: tag"),
        );
        check(
            "values[values.name][\"to]p\"]",
            Some("values[values.name][\"to]p\"] is not defined; values[values.name] has: tag"),
        );
        check(
            "values.hosts[values.far]",
            Some("values.hosts[values.far] is not defined: values.hosts has 1 items"),
        );
        check("values.image[a ~ 'b']", None);
    }
}
