//! The keys of the documents of a template, by their indentation.

use super::super::place::has_key;
use super::mask::{CLOSES, COMPUTED, OPENS};

/// A document of a template.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) lines: Vec<Line>,
    lists: Vec<List>,
}

/// A line with a key or an item.
#[derive(Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// What leads to it, itself included.
    pub(super) path: Vec<Item>,
    pub(super) starts: Starts,
    /// What stands behind the key.
    value: String,
}

/// What starts on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Starts {
    Key,
    /// An item of a list, be it with a key.
    Item,
}

/// One step to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Key(String),
    Item {
        /// The list it is in.
        list: usize,
        /// None where it depends on what the template computes.
        index: Option<usize>,
    },
}

/// What is known of a list.
#[derive(Debug)]
struct List {
    items: usize,
    /// In how many blocks it starts.
    depth: usize,
    /// The first item that is not there whatever the values are.
    first_unsure: Option<usize>,
    /// Whether items may be computed as a whole.
    is_computed: bool,
}

impl Line {
    /// Whether a mapping on the line itself has the key.
    pub(super) fn has_inside(&self, key: &str) -> bool {
        self.is_flow() && has_key(&self.value, key)
    }

    /// Whether what stands behind the key is written as `{a: 1}` or `[1]`.
    pub(super) fn is_flow(&self) -> bool {
        self.value.starts_with(['{', '['])
    }
}

impl Outline {
    /// What the document says for a path of keys, where it says it plainly.
    pub(super) fn value(&self, path: &[&str]) -> Option<&str> {
        let leads = |line: &&Line| {
            line.path.len() == path.len()
                && line
                    .path
                    .iter()
                    .zip(path)
                    .all(|(item, key)| matches!(item, Item::Key(own) if own == key))
        };
        let mut lines = self.lines.iter().filter(leads);
        let value = lines.next()?.value.trim_matches(['"', '\'']);
        let is_plain = !value.is_empty() && !value.contains(COMPUTED);
        (is_plain && lines.next().is_none()).then_some(value)
    }

    pub(super) fn has_one_item(&self, list: usize) -> bool {
        let list = self.lists.get(list);
        list.is_some_and(|list| list.items == 1 && !list.is_computed)
    }
}

/// Reads the documents of a text without comments and statements.
pub(super) fn documents(masked: &str) -> Vec<Outline> {
    let mut documents = vec![];
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(masked.lines()) {
        if line.trim_start_matches([OPENS, CLOSES]).starts_with("---") {
            let depth = reader.depth;
            documents.push(std::mem::take(&mut reader).outline);
            reader.depth = depth;
        } else {
            reader.line(number, line);
        }
    }
    documents.push(reader.outline);
    documents
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    /// What is open, each with its column.
    open: Vec<(usize, Item)>,
    /// In how many blocks the line stands.
    depth: usize,
    /// In how many blocks the last key stands.
    key_depth: usize,
    /// Whether something was computed since the last key, which may have been items of its list.
    computed: bool,
}

impl Reader {
    fn line(&mut self, number: u64, line: &str) {
        self.depth += line.matches(OPENS).count();
        let closed = line.matches(CLOSES).count();
        let text: String = line
            .chars()
            .filter(|c| ![OPENS, CLOSES].contains(c))
            .collect();
        self.text(number, &text);
        self.depth = self.depth.saturating_sub(closed);
    }

    fn text(&mut self, number: u64, text: &str) {
        let content = text.trim();
        if content.is_empty() || content.starts_with('#') {
            return;
        }
        let mut column = text.len() - text.trim_start().len();
        let item = content
            .strip_prefix("- ")
            .or((content == "-").then_some(""));
        let content = item.map_or(content, str::trim_start);
        let starts = item.map_or(Starts::Key, |_| Starts::Item);
        if starts == Starts::Item {
            self.item(column);
            column = text.len() - content.len() - (text.len() - text.trim_end().len());
        }
        match key(content) {
            Some((key, value)) => {
                self.close(column);
                self.open.push((column, Item::Key(key)));
                self.add(number, starts, value);
                self.key_depth = self.depth;
                self.computed = false;
            }
            None if starts == Starts::Item => self.add(number, starts, content),
            None if content.starts_with(COMPUTED) => self.compute(),
            None => {}
        }
    }

    fn add(&mut self, number: u64, starts: Starts, value: &str) {
        self.outline.lines.push(Line {
            number,
            path: self.open.iter().map(|(_, item)| item.clone()).collect(),
            starts,
            value: value.to_owned(),
        });
    }

    /// Leaves everything that a key at this column is not below.
    fn close(&mut self, column: usize) {
        while self.open.last().is_some_and(|(own, _)| *own >= column) {
            self.open.pop();
        }
    }

    /// Starts an item whose dash is at this column.
    fn item(&mut self, column: usize) {
        let mut sibling = None;
        while let Some((own, item)) = self.open.last() {
            match item {
                Item::Item { list, .. } if *own == column => {
                    sibling = Some(*list);
                    self.open.pop();
                    break;
                }
                _ if *own > column => self.open.pop(),
                _ => break,
            };
        }
        let list = sibling.unwrap_or_else(|| self.list());
        let depth = self.depth;
        let Some(own) = self.outline.lists.get_mut(list) else {
            return;
        };
        if own.is_computed || own.depth != depth {
            own.first_unsure.get_or_insert(own.items);
        }
        let index = own.first_unsure.is_none().then_some(own.items);
        own.items += 1;
        self.open.push((column, Item::Item { list, index }));
    }

    fn list(&mut self) -> usize {
        self.outline.lists.push(List {
            items: 0,
            // Blocks that open between the key and its first item are around that item.
            depth: self.key_depth,
            first_unsure: None,
            is_computed: self.computed,
        });
        self.outline.lists.len() - 1
    }

    /// Notes text that may hold more items of each open list.
    fn compute(&mut self) {
        self.computed = true;
        for (_, item) in &self.open {
            if let Item::Item { list, .. } = item
                && let Some(list) = self.outline.lists.get_mut(*list)
            {
                list.is_computed = true;
            }
        }
    }
}

/// The key that a line has, and what stands behind it, without a comment.
fn key(content: &str) -> Option<(String, &str)> {
    let (key, value) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, rest) = content[1..].split_once(quote)?;
            (key, rest.trim_start().strip_prefix(':')?)
        }
        '{' | '[' => return None,
        _ => {
            let end = content
                .find(": ")
                .or(content.strip_suffix(':').map(str::len))?;
            (content.get(..end)?, content.get(end + 1..)?)
        }
    };
    let value = value
        .split_once(" #")
        .map_or(value, |(value, _)| value)
        .trim();
    (!key.contains([COMPUTED, ' '])).then(|| (key.to_owned(), value))
}
