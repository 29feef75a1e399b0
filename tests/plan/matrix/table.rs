//! The table of kinds and changes, and whether it is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use pintle::builtin::{self, Presence, Shape};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::path;

/// The ways in which a chart changes a resource, in the order of the upgrades.
pub(super) const COLUMNS: [&str; 8] = [
    "add", "scalar", "map", "inside", "order", "drop", "atomic", "unset",
];

/// The columns that need a list with keys.
const KEYED: [&str; 4] = ["add", "inside", "order", "drop"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) kinds: Vec<Row>,
    without: BTreeMap<String, String>,
}

/// One kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// The resource as it is wanted now.
    #[serde(rename = "first")]
    pub(super) desired: Value,
    /// What somebody else writes into it.
    #[serde(default)]
    pub(super) foreign: Value,
    /// The paths that the API server or controllers fill in.
    #[serde(default)]
    pub(super) assigned: Vec<String>,
    /// Why nobody else can write into it under server-side apply.
    #[serde(default)]
    one_owner: Option<String>,
    cells: BTreeMap<String, Cell>,
}

/// What changes in one step.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Cell {
    /// Nothing, for this reason.
    Why(String),
    /// The new values by their paths; null takes one away.
    Changes(BTreeMap<String, Value>),
}

/// The table, for resources of this name.
pub(super) fn table(name: &str) -> Table {
    let text = fs::read_to_string(path("tests/cases/matrix.yaml")).unwrap();
    let text = text.replace("NAME", name);
    serde_json::from_value(pintle::yaml::parse(&text).unwrap()).unwrap()
}

impl Row {
    pub(super) fn kind(&self) -> &'static builtin::Kind {
        let text = |field: &str| self.desired[field].as_str().unwrap();
        builtin::kind_in(text("apiVersion"), text("kind")).unwrap()
    }

    pub(super) fn name(&self) -> &str {
        self.desired["metadata"]["name"].as_str().unwrap()
    }

    fn changes(&self, column: &str) -> impl Iterator<Item = (&String, &Value)> {
        let changes = match self.cells.get(column) {
            Some(Cell::Changes(changes)) => Some(changes),
            _ => None,
        };
        changes.into_iter().flatten()
    }

    /// Leaves out what somebody else writes, if that cannot be under server-side apply.
    pub(super) fn own(&mut self) {
        if self.one_owner.is_some() {
            self.foreign = json!({});
        }
    }

    /// Whether something changes in this step.
    pub(super) fn has(&self, column: &str) -> bool {
        self.changes(column).next().is_some()
    }

    /// Makes the changes of a step.
    pub(super) fn step(&mut self, column: &str) {
        let changes: Vec<(String, Value)> = self
            .changes(column)
            .map(|(path, value)| (path.clone(), value.clone()))
            .collect();
        for (path, value) in changes {
            set(&mut self.desired, &path, value);
        }
    }
}

/// Sets or removes what is at a path.
fn set(body: &mut Value, path: &str, new: Value) {
    let (parents, last) = path
        .rsplit_once('.')
        .map_or((None, path), |(parents, last)| (Some(parents), last));
    let mut at = body;
    for key in parents.into_iter().flat_map(|parents| parents.split('.')) {
        at = match at {
            Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
            object => &mut object[key],
        };
    }
    match at {
        Value::Array(items) => {
            let index = last.parse::<usize>().unwrap();
            if index == items.len() {
                items.push(new);
            } else if new.is_null() {
                items.remove(index);
            } else {
                items[index] = new;
            }
        }
        Value::Object(fields) if new.is_null() => {
            fields
                .remove(last)
                .unwrap_or_else(|| panic!("no {path} to take away"));
        }
        object => object[last] = new,
    }
}

/// The shapes on the way to a path, the last being that of the path itself.
fn shapes(row: &Row, path: &str) -> Vec<Shape<'static>> {
    let kind = row.kind();
    let root = builtin::schema(&kind.api_version(), &kind.kind).unwrap();
    let mut shapes = vec![Shape::Object(root, Presence::Always)];
    for key in path.split('.') {
        shapes.push(match shapes[shapes.len() - 1] {
            Shape::Object(of, _) => of.field(key),
            Shape::Map(of) | Shape::Items(of) => of.shape(),
            Shape::Keyed(keyed) => Shape::Object(keyed.item_type(), keyed.item_presence()),
            _ => Shape::Unknown,
        });
    }
    shapes.remove(0);
    shapes
}

/// Whether a change at a path is of what the column is about.
fn fits(column: &str, row: &Row, path: &str, value: &Value) -> bool {
    let shapes = shapes(row, path);
    let (last, way) = shapes.split_last().unwrap();
    match column {
        "scalar" => !value.is_object() && !value.is_array() && !value.is_null(),
        "map" => matches!(last, Shape::Map(_)) || matches!(way.last(), Some(Shape::Map(_))),
        "inside" => way.iter().any(|shape| matches!(shape, Shape::Keyed(_))),
        "atomic" => shapes
            .iter()
            .any(|shape| matches!(shape, Shape::Items(_) | Shape::Set(_))),
        "unset" => value.is_null(),
        // An item comes and goes by its index, too.
        _ => shapes
            .iter()
            .rev()
            .take(2)
            .any(|shape| matches!(shape, Shape::Keyed(_))),
    }
}

#[test]
fn every_kind_has_every_cell_or_a_reason() {
    let Table { kinds, without } = table("a");
    for mut row in kinds.clone() {
        let kind = &row.kind().kind;
        let expected = COLUMNS.iter().filter(|column| {
            let no_keys = matches!(row.cells.get("keyed"), Some(Cell::Why(_)));
            !(no_keys && KEYED.contains(column))
        });
        let expected: BTreeSet<&str> = expected.copied().collect();
        let mut cells: BTreeSet<&str> = row.cells.keys().map(String::as_str).collect();
        cells.remove("keyed");
        assert_eq!(cells, expected, "cells of {kind}");
        for (column, cell) in &row.cells {
            match cell {
                Cell::Why(why) => assert!(why.len() > 5, "{column} of {kind}"),
                Cell::Changes(changes) => {
                    for (path, value) in changes {
                        assert!(
                            fits(column, &row, path, value),
                            "{column} of {kind}: {path}"
                        );
                    }
                }
            }
        }
        for column in COLUMNS {
            let before = row.desired.clone();
            row.step(column);
            assert_eq!(row.desired != before, row.has(column), "{column} of {kind}");
        }
    }
    let named: BTreeSet<&str> = kinds.iter().map(|row| row.kind().kind.as_str()).collect();
    assert_eq!(named.len(), kinds.len(), "each kind stands there once");
    assert!(without.keys().all(|kind| !named.contains(kind.as_str())));
    let named = named.into_iter().chain(without.keys().map(String::as_str));
    let known = builtin::kinds().iter().map(|kind| kind.kind.as_str());
    assert_eq!(known.collect::<BTreeSet<_>>(), named.collect());
}

/// Each way of changing a list with keys is there for each form of keys.
#[test]
fn every_column_is_worth_its_name() {
    let rows = table("a").kinds;
    for column in COLUMNS {
        let count = rows.iter().filter(|row| row.has(column)).count();
        assert!(count >= 10, "{column}: {count}");
    }
}
