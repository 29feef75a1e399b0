//! The embedded data, read once.
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

/// The whole data.
#[derive(Default)]
pub(super) struct Table {
    pub(super) version: &'static str,
    pub(super) kinds: Vec<Kind>,
    /// The name of each kind's type, in the order of `kinds`.
    pub(super) roots: Vec<&'static str>,
    pub(super) others: Vec<&'static str>,
    pub(super) types: HashMap<&'static str, Fields>,
}

/// Returns the data, which the first call reads.
pub(super) fn table() -> &'static Table {
    // The text is part of the program, and a test reads it: the default is never seen.
    static TABLE: LazyLock<Table> = LazyLock::new(|| read(TEXT).unwrap_or_default());
    &TABLE
}

#[derive(Deserialize)]
struct Document {
    version: &'static str,
    kinds: Vec<Root>,
    others: Vec<&'static str>,
    types: HashMap<&'static str, Fields>,
}

#[derive(Deserialize)]
struct Root {
    #[serde(flatten)]
    kind: Kind,
    r#type: &'static str,
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
        types: document.types,
    })
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
    }

    #[test]
    fn refuses_another_form() {
        assert!(read("{}").is_err());
        assert!(
            read(r#"{"version":"v1","kinds":[],"others":[],"types":{"a":{"b":"c"}}}"#).is_err()
        );
    }
}
