//! The embedded data, each half read once: kinds, which every command needs, and the fields of
//! their types, by which changes are planned.
//!
//! The text of `schemas/kubernetes-*.json` comes in; what it says is left to the other modules.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Kind;
use super::shape::Field;

const TEXT: &str = include_str!("../../schemas/kubernetes-1.36.json");

/// The fields of one type by their name; plain scalars are not among them.
pub(super) type Fields = BTreeMap<&'static str, Field>;

/// The data but for the fields of types.
#[derive(Default)]
pub(super) struct Table {
    pub(super) version: &'static str,
    pub(super) kinds: Vec<Kind>,
    /// The name of each kind's type, in the order of `kinds`.
    pub(super) roots: Vec<&'static str>,
    pub(super) others: Vec<&'static str>,
}

/// Returns the data but for the fields of types; the first call reads it.
pub(super) fn table() -> &'static Table {
    // The text is part of the program, and a test reads it: the default is never seen.
    static TABLE: LazyLock<Table> = LazyLock::new(|| read(TEXT).unwrap_or_default());
    &TABLE
}

/// Finds the fields of a type by its name; the first call reads those of all types.
pub(super) fn fields(name: &str) -> Option<&'static Fields> {
    // As above.
    static TYPES: LazyLock<Types> = LazyLock::new(|| read_types(TEXT).unwrap_or_default());
    TYPES.get(name)
}

#[derive(Deserialize)]
struct Document {
    version: &'static str,
    kinds: Vec<Root>,
    others: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Root {
    #[serde(flatten)]
    kind: Kind,
    r#type: &'static str,
}

/// The fields of each type by its name.
type Types = HashMap<&'static str, Fields>;

#[derive(Deserialize)]
struct TypesDocument {
    #[serde(borrow)]
    types: HashMap<&'static str, Fields>,
}

fn read(text: &'static str) -> Result<Table, serde_json::Error> {
    let document: Document = serde_json::from_str(text)?;
    let (kinds, roots) = document
        .kinds
        .into_iter()
        .map(|root| (root.kind, root.r#type))
        .unzip();
    Ok(Table {
        version: document.version,
        kinds,
        roots,
        others: document.others,
    })
}

fn read_types(text: &'static str) -> Result<Types, serde_json::Error> {
    let document: TypesDocument = serde_json::from_str(text)?;
    Ok(document.types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_data() {
        assert!(TEXT.len() < 150_000);
        let table = read(TEXT).unwrap();
        assert_eq!(table.kinds.len(), table.roots.len());
        assert!(!table.kinds.is_empty());
        assert!(!read_types(TEXT).unwrap().is_empty());
    }

    #[test]
    fn refuses_another_form() {
        assert!(read("{}").is_err());
        assert!(read_types("{}").is_err());
        assert!(read_types(r#"{"types":{"a":{"b":"c"}}}"#).is_err());
    }
}
