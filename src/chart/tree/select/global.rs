//! What is `global`: it goes down into all subcharts.

use std::collections::BTreeSet;

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::{GLOBAL, shape};
use crate::chart::Error;
use crate::chart::tree::Node;
use crate::chart::values::complete;

/// What stands above the defaults of a chart.
#[derive(Default)]
pub(super) struct Above<'a> {
    /// The values that parents and the user give to the chart, lowest first.
    values: Vec<&'a Map<String, Value>>,
    /// What of it, and of what is given to its parents, is `global`; lowest first. Needed for the
    /// nulls in it: what they delete in the parent they delete in its subcharts, too.
    global: Vec<&'a Value>,
}

impl<'a> Above<'a> {
    /// What stands above the root: the user's `config`.
    pub(super) fn of(config: &'a Map<String, Value>) -> Self {
        Self {
            values: vec![config],
            global: config.get(GLOBAL).into_iter().collect(),
        }
    }

    /// What stands above the defaults of `sub`, which `node` contains.
    fn sub(&self, node: &Node<'a>, sub: &Node<'a>) -> Self {
        let all = std::iter::once(&node.chart.values.0).chain(self.values.iter().copied());
        let values = all.filter_map(|values| values.get(sub.name())?.as_object());
        let values: Vec<_> = values.collect();
        let own = values.iter().filter_map(|values| values.get(GLOBAL));
        let global = own.chain(self.global.iter().copied()).collect();
        Self { values, global }
    }
}

/// What is `global` in the user's `values` for `node`, and in those for the charts in it, with the keys that
/// it stands below.
pub(super) fn only(node: &Node<'_>, values: &Map<String, Value>) -> Map<String, Value> {
    if node.subcharts.is_empty() {
        return Map::new();
    }
    let own = values.get(GLOBAL).cloned();
    let own = own.map(|global| (GLOBAL.to_owned(), global));
    let below = node.subcharts.iter().filter_map(|sub| {
        let inner = values.get(sub.name())?.as_object()?;
        let mut inner_globals = only(sub, inner);
        if let Some(global) = inner.get(GLOBAL) {
            inner_globals.insert(GLOBAL.to_owned(), global.clone());
        }
        Some((sub.name().to_owned(), Value::Object(inner_globals)))
    });
    below.chain(own).collect()
}

/// Puts what is `global` in the `values` of `node` over that of its subcharts, and so on down. Each
/// subchart has the key then, be it empty, and what is turned off has it not.
pub(super) fn flow<'a>(
    node: &Node<'a>,
    off: &BTreeSet<String>,
    values: &mut Map<String, Value>,
    above: &Above<'a>,
) -> Result<(), Error> {
    if node.subcharts.is_empty() {
        return Ok(());
    }
    let global = mapping(node, values.get(GLOBAL))?;
    for sub in node.on(off) {
        let Entry::Occupied(mut entry) = values.entry(sub.name()) else {
            continue;
        };
        let Value::Object(inner) = entry.get_mut() else {
            continue;
        };
        let mut own = mapping(sub, inner.get(GLOBAL))?;
        for layer in &above.global {
            strike(&mut own, layer, &global);
        }
        let mut merged = global.clone();
        complete(&mut merged, own);
        inner.insert(GLOBAL.to_owned(), Value::Object(merged));
        flow(sub, off, inner, &above.sub(node, sub))?;
    }
    Ok(())
}

fn mapping(node: &Node<'_>, global: Option<&Value>) -> Result<Map<String, Value>, Error> {
    match global {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(other) => {
            let keys = [node.keys.as_slice(), &[GLOBAL.to_owned()]].concat();
            let why = "it holds values for all subcharts".to_owned();
            Err(shape(&keys, ("a mapping", other), why))
        }
    }
}

/// Takes out what a null in `layer` has deleted, that is what `global` has no more.
fn strike(own: &mut Map<String, Value>, layer: &Value, global: &Map<String, Value>) {
    let Value::Object(layer) = layer else {
        own.clear();
        return;
    };
    let none = Map::new();
    for (key, value) in layer {
        match (value, own.get_mut(key)) {
            (Value::Null, _) if !global.contains_key(key) => {
                own.remove(key);
            }
            (Value::Object(_), Some(Value::Object(below))) => {
                let global = global.get(key).and_then(Value::as_object).unwrap_or(&none);
                strike(below, value, global);
            }
            _ => {}
        }
    }
}
