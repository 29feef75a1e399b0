//! Where in a text a value stands.
//!
//! Only faults ask for this, so the text is read a second time instead of carrying positions
//! through every tree.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::settings;

/// One step down a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the value of a key.
    Key(String),
    /// Into an item of a list, from 0.
    Index(usize),
}

/// Finds line and column, both from 1, of the value at `path` in a YAML stream.
///
/// The last document that has the path counts, as later documents win. A mapping or list stands
/// where its first entry does. `None` if no document has the path or `text` is not YAML.
pub fn locate(text: &str, path: &[Step]) -> Option<(u64, u64)> {
    Places::read(text).find(path)
}

/// Where each value of a YAML stream stands, for callers that ask for many.
#[derive(Debug, Default)]
pub struct Places {
    documents: Vec<Spanned<Node>>,
}

impl Places {
    /// Reads the places in `text`; there are none if it is not YAML.
    pub fn read(text: &str) -> Self {
        let documents = serde_saphyr::from_multiple_with_options(text, settings());
        Self {
            documents: documents.unwrap_or_default(),
        }
    }

    /// The place of the value at `path`, as [`locate`] gives it.
    pub fn find(&self, path: &[Step]) -> Option<(u64, u64)> {
        self.documents.iter().rev().find_map(|document| {
            let found = path
                .iter()
                .try_fold(document, |node, step| node.value.child(step))?;
            Some((found.referenced.line(), found.referenced.column()))
        })
    }
}

#[derive(Debug)]
enum Node {
    Leaf,
    List(Vec<Spanned<Node>>),
    /// Sorted by key, so that a large mapping is not searched from its start for each of its keys.
    Map(Vec<(String, Spanned<Node>)>),
}

impl Node {
    fn child(&self, step: &Step) -> Option<&Spanned<Node>> {
        match (self, step) {
            (Self::List(items), Step::Index(index)) => items.get(*index),
            (Self::Map(entries), Step::Key(key)) => {
                let first = entries.partition_point(|(name, _)| name < key);
                let (name, node) = entries.get(first)?;
                (name == key).then_some(node)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Node::Leaf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Spanned<Node>)> = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[track_caller]
    fn check(text: &str, path: &[Step], expected: Option<(u64, u64)>) {
        assert_eq!(locate(text, path), expected, "{text}");
    }

    #[test]
    fn values_are_found_at_any_depth() {
        let text = "a:\n  b: 1\n  c:\n  - x\n  - y: {z: 2}\n";
        check(text, &[key("a"), key("b")], Some((2, 6)));
        check(text, &[key("a"), key("c"), Step::Index(0)], Some((4, 5)));
        check(
            text,
            &[key("a"), key("c"), Step::Index(1), key("y"), key("z")],
            Some((5, 12)),
        );
        check(text, &[key("a"), key("x")], None);
        check(text, &[key("a"), Step::Index(0)], None);
    }

    #[test]
    fn later_documents_win() {
        check("a: 1\n---\na: 2\n---\nb: 3\n", &[key("a")], Some((3, 4)));
    }

    #[test]
    fn scalars_of_every_kind_are_passed_over() {
        let text = "a: null\nb: ~\nc: true\nd: 1.5\ne: 12345678901234567890\nf: 'x'\nz: 1\n";
        check(text, &[key("z")], Some((7, 4)));
    }

    #[test]
    fn text_that_is_not_yaml_has_no_places() {
        check("a: [", &[key("a")], None);
    }
}
