//! Turning subcharts off by tags and conditions.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape;
use crate::chart::tree::Node;
use crate::chart::values::complete;
use crate::chart::{Dependency, Error};

/// The key of the values that tags stand in.
const TAGS: &str = "tags";

/// Whether anything in `node` can be turned off.
pub(super) fn is_conditional(node: &Node<'_>) -> bool {
    let can_be_off = |entry: &Dependency| !entry.condition.is_empty() || !entry.tags.is_empty();
    let mut subs = node.subcharts.iter();
    subs.any(|sub| sub.entry.is_some_and(can_be_off) || is_conditional(sub))
}

/// The paths of the charts in `root` that `values` turn off; of those in a chart that is off
/// nothing is asked.
pub(super) fn off(root: &Node<'_>, values: &Map<String, Value>) -> Result<BTreeSet<String>, Error> {
    let mut off = BTreeSet::new();
    walk(root, values, (&own_tags(values), &mut off))?;
    Ok(off)
}

fn walk(
    node: &Node<'_>,
    values: &Map<String, Value>,
    (tags, off): (&Value, &mut BTreeSet<String>),
) -> Result<(), Error> {
    for sub in &node.subcharts {
        let is_on = match sub.entry {
            None => true,
            Some(entry) => match by_condition(node, entry, values)? {
                Some(is_on) => is_on,
                None => by_tags(entry, tags)?,
            },
        };
        if !is_on {
            off.insert(sub.path.clone());
            continue;
        }
        // Tags are set at the top; below them count those in the defaults of each chart.
        let mut tags = tags.clone();
        if let (Value::Object(own), Value::Object(tags)) =
            (own_tags(&sub.chart.values.0), &mut tags)
        {
            complete(tags, own);
        }
        if let Some(Value::Object(inner)) = values.get(sub.name()) {
            walk(sub, inner, (&tags, off))?;
        }
    }
    Ok(())
}

fn own_tags(values: &Map<String, Value>) -> Value {
    match values.get(TAGS) {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(tags) => tags.clone(),
    }
}

/// What the first path of the condition that has a value says.
fn by_condition(
    node: &Node<'_>,
    entry: &Dependency,
    values: &Map<String, Value>,
) -> Result<Option<bool>, Error> {
    for path in entry.condition.split(',').map(str::trim) {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| values.get(key));
        match first.and_then(|first| keys.try_fold(first, |value, key| value.get(key))) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(is_on)) => return Ok(Some(*is_on)),
            Some(other) => {
                let own = path.split('.').map(str::to_owned);
                let keys: Vec<String> = node.keys.iter().cloned().chain(own).collect();
                return Err(undecided(entry, &keys, other));
            }
        }
    }
    Ok(None)
}

/// Off only if some of its tags are false and none is true.
fn by_tags(entry: &Dependency, tags: &Value) -> Result<bool, Error> {
    if entry.tags.is_empty() {
        return Ok(true);
    }
    let Value::Object(tags) = tags else {
        return Err(undecided_tags(entry, tags));
    };
    let mut found = vec![];
    for tag in &entry.tags {
        match tags.get(tag) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(is_on)) => found.push(*is_on),
            Some(other) => {
                return Err(undecided(entry, &[TAGS.to_owned(), tag.clone()], other));
            }
        }
    }
    Ok(found.is_empty() || found.contains(&true))
}

fn undecided(entry: &Dependency, keys: &[String], found: &Value) -> Error {
    shape(keys, ("true or false", found), decides(entry))
}

fn undecided_tags(entry: &Dependency, found: &Value) -> Error {
    shape(&[TAGS.to_owned()], ("a mapping", found), decides(entry))
}

fn decides(entry: &Dependency) -> String {
    let name = match entry.alias.as_str() {
        "" => &entry.name,
        alias => alias,
    };
    format!("it decides whether the dependency {name} takes part")
}
