//! Values with where each of them comes from.

use pintle::chart::{Change, Leaf, Origin, Position};
use serde_json::{Value, json};

use super::table;
use crate::cli::Format;
use crate::failure::Failure;

/// Values longer than this are cut in the table.
const SHOWN: usize = 48;

/// Prints each leaf with its origin for machines, and the lower layers that have it.
pub(crate) fn print_data(leaves: &[Leaf], format: Format) -> Result<(), Failure> {
    let data: Vec<Value> = leaves.iter().map(data).collect();
    super::print_data(&data, format)
}

/// The same for people: a table.
pub(crate) fn to_text(leaves: &[Leaf]) -> String {
    let rows = leaves.iter().map(|leaf| {
        let value = match &leaf.change {
            Change::Value(value) => shown(value),
            Change::Deleted => "(deleted)".to_owned(),
        };
        let origin = leaf.origin.as_ref().map(brief).unwrap_or_default();
        let lower = leaf.overridden.iter();
        let lower: Vec<_> = lower
            .map(|(origin, value)| format!("{}: {}", brief(origin), shown(value)))
            .collect();
        [leaf.path.clone(), value, origin, lower.join(", ")]
    });
    table::to_text(["KEY", "VALUE", "FROM", "INSTEAD OF"], rows)
}

/// The origin in a word and a line: columns would be of no use to people.
fn brief(origin: &Origin) -> String {
    let place = |position: &Position| match position.line {
        0 => position.file.clone(),
        line => format!("{}:{line}", position.file),
    };
    match origin {
        Origin::Default(position) => place(position),
        Origin::File(position) => format!("-f {}", place(position)),
        other => other.to_string(),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN - 1).collect();
    format!("{start}…")
}

fn data(leaf: &Leaf) -> Value {
    let mut data = json!({
        "path": leaf.path,
        "origin": leaf.origin.as_ref().map(origin),
        "overridden": leaf
            .overridden
            .iter()
            .map(|(from, value)| json!({"origin": origin(from), "value": value}))
            .collect::<Vec<_>>(),
    });
    match &leaf.change {
        Change::Value(value) => data["value"] = value.clone(),
        Change::Deleted => data["deleted"] = true.into(),
    }
    data
}

fn origin(origin: &Origin) -> Value {
    let place = |kind: &str, position: &Position| {
        let mut place = json!({"kind": kind, "file": position.file});
        if position.line > 0 {
            place["line"] = position.line.into();
            place["column"] = position.column.into();
        }
        place
    };
    match origin {
        Origin::Default(position) => place("chart", position),
        Origin::File(position) => place("file", position),
        Origin::Revision(revision) => json!({"kind": "revision", "revision": revision}),
        Origin::Tenant => json!({"kind": "tenant"}),
        Origin::Argument { kind, argument } => {
            json!({"kind": "argument", "flag": kind.flag(), "argument": argument})
        }
    }
}

#[cfg(test)]
mod tests {
    use pintle::chart::{Layer, Origins, Overrides, Values};

    use super::*;

    const DEFAULTS: &str = "\
# How many.
replicas: 1
image: {tag: '1.29', pullPolicy: Always}
gone: 1
text: |
  one line that goes on for longer than the table has room for
  and another
list: [a, b]
";

    fn leaves() -> Vec<Leaf> {
        let defaults = Values::parse("values.yaml", DEFAULTS).unwrap();
        let file = "replicas: 2\ngone: ~\nca: x\n".to_owned();
        let name = "prod.yaml".to_owned();
        let overrides = Overrides {
            layers: vec![
                Layer::File { name, text: file },
                Layer::Set("replicas=3,list[1]=c".to_owned()),
                Layer::SetFile {
                    argument: "ca=ca.pem".to_owned(),
                    files: [("ca.pem".to_owned(), "PEM\n".to_owned())].into(),
                },
            ],
        };
        let mut origins = Origins::default();
        origins.defaults("values.yaml", (&defaults, DEFAULTS), &[]);
        origins.revision(7, &serde_json::from_value(json!({"replicas": 0})).unwrap());
        origins.overrides(&overrides).unwrap();
        let config = overrides.config(Values::default()).unwrap();
        origins.explain(&Values::coalesce(&defaults, &config))
    }

    #[test]
    fn people_read_a_table() {
        insta::assert_snapshot!(to_text(&leaves()));
    }

    #[test]
    fn machines_read_every_place() {
        let data: Vec<Value> = leaves().iter().map(data).collect();
        insta::assert_yaml_snapshot!(data);
    }
}
