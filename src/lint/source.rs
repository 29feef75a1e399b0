//! On which line of a template a field of a rendered resource is written.
//!
//! The text of a template, a resource and the path of a field come in; the line goes out where the
//! text says plainly that it is this field of this resource: the keys around it are those of the
//! path, by their indentation, and the document is of that kind and name. Comments do not count, and
//! neither does what a template computes. Where that leaves more than one line, or may leave out an
//! item of a list, there is none: no line is better than a wrong one.

mod mask;
mod outline;

use crate::manifest::ResourceId;
use crate::yaml::Step;
use outline::{Item, Line, Outline, Starts};

/// The line, from 1, of the field at `path`, or of the item that it ends in; of the key `kind` for an
/// empty path.
pub(super) fn line(template: &str, id: &ResourceId, path: &[Step]) -> Option<u64> {
    let kind = [Step::Key("kind".to_owned())];
    let path = if path.is_empty() { &kind } else { path };
    let documents = outline::documents(&mask::masked(template));
    let documents = of(&documents, id);
    let places = |path: &[Step]| -> Vec<u64> {
        let all = documents.iter();
        all.flat_map(|document| matches(document, path)).collect()
    };
    let mut found = places(path);
    if found.is_empty() {
        let end = path.iter().rposition(|step| matches!(step, Step::Key(_)))?;
        // An item without a line of its own is on that of its list.
        found = places(path.get(..=end)?);
    }
    match found.as_slice() {
        [line] => Some(*line),
        _ => None,
    }
}

/// The documents that may be the resource: those that say so, or else all that do not say otherwise.
fn of<'o>(documents: &'o [Outline], id: &ResourceId) -> Vec<&'o Outline> {
    let says = |document: &Outline, path: &[&str], expected: &str| {
        let value = document.value(path);
        value.map(|value| value == expected)
    };
    let facts = |document: &Outline| {
        [
            says(document, &["kind"], &id.kind),
            says(document, &["metadata", "name"], &id.name),
        ]
    };
    let possible = documents
        .iter()
        .filter(|document| !facts(document).contains(&Some(false)));
    let possible: Vec<&Outline> = possible.collect();
    let sure = |document: &&&Outline| facts(document) == [Some(true); 2];
    let sure: Vec<&Outline> = possible.iter().filter(sure).copied().collect();
    if sure.is_empty() { possible } else { sure }
}

/// The lines of a document that the path leads to.
fn matches(document: &Outline, path: &[Step]) -> Vec<u64> {
    let lines = document.lines.iter();
    let found = lines.filter(|line| leads(document, line, path));
    found.map(|line| line.number).collect()
}

fn leads(document: &Outline, line: &Line, path: &[Step]) -> bool {
    if line.path.len() > path.len() {
        // The line that an item starts on has its first key as well.
        return matches!(path.last(), Some(Step::Index(_)))
            && line.starts == Starts::Item
            && line.path.len() == path.len() + 1
            && fits(document, &line.path[..path.len()], path);
    }
    let (start, rest) = path.split_at(line.path.len());
    if !fits(document, &line.path, start) {
        return false;
    }
    match rest {
        [] => true,
        // What is written on one line, as in `{a: 1}`.
        rest => {
            line.is_flow()
                && rest.iter().all(|step| match step {
                    Step::Key(key) => line.has_inside(key),
                    Step::Index(_) => true,
                })
        }
    }
}

fn fits(document: &Outline, found: &[Item], path: &[Step]) -> bool {
    let mut pairs = found.iter().zip(path);
    pairs.all(|(found, step)| match (found, step) {
        (Item::Key(found), Step::Key(key)) => found == key,
        (Item::Item { index, .. }, Step::Index(expected)) if index.is_some() => {
            *index == Some(*expected)
        }
        (Item::Item { list, .. }, Step::Index(_)) => document.has_one_item(*list),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
