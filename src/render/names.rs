//! Which components and files the templates of a chart can name.
//!
//! A node of the tree of charts comes in; what each name in its templates stands for goes out. A chart
//! sees its own components and files, and what its library charts lend; a library sees its own and
//! that of its own libraries. Nothing else of the tree is visible, and the same name in two charts means
//! two things. What the engine would confuse, the [`Edit`]s of [`Names::edits`] keep apart.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::Error;
use super::strict::{Edit, Named, What, named};
use crate::chart::{File, Kind, Node};

/// What the components of libraries start with in the engine; a number and a dot follow.
const MARK: &str = "__library";

/// The names that the templates of one chart can use.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The chart's path in the tree.
    path: String,
    /// What the paths of its files may start with in its own templates: the name that it goes by, and its
    /// own.
    prefixes: Vec<String>,
    /// Its templates, by their paths in the tree.
    files: BTreeSet<String>,
    components: BTreeSet<String>,
    /// What stands before the names of its components in the engine; nothing if it is rendered itself.
    mark: String,
    /// What it borrows from.
    libraries: Vec<Self>,
}

/// A template that a chart can use, and the names that it can use itself.
pub(super) struct Template<'a> {
    /// Its path in the tree.
    pub(super) path: String,
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
}

/// A name that stands for more than one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ambiguous {
    /// Where it stands, in bytes.
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

impl Names {
    /// The names of `node`.
    ///
    /// # Errors
    /// If a template is not text.
    pub(super) fn of(node: &Node<'_>) -> Result<Self, Error> {
        Self::read(node, String::new(), &mut 0)
    }

    fn read(node: &Node<'_>, mark: String, count: &mut usize) -> Result<Self, Error> {
        let mut names = Self {
            path: node.path.clone(),
            prefixes: vec![
                last(&node.path).to_owned(),
                node.chart.metadata.name.clone(),
            ],
            mark,
            ..Self::default()
        };
        for file in files(node, &names.mark) {
            let text = text(node, file)?;
            let defined = named(text)
                .into_iter()
                .filter(|it| it.what == What::Definition);
            names
                .components
                .extend(defined.map(|it| it.name.to_owned()));
            names.files.insert(format!("{}/{}", node.path, file.path));
        }
        for library in libraries(node) {
            let mark = format!("{MARK}{count}.");
            *count += 1;
            names.libraries.push(Self::read(library, mark, count)?);
        }
        Ok(names)
    }

    /// All templates that `node`, whose names these are, can use, its own first.
    ///
    /// # Errors
    /// If a template is not text.
    pub(super) fn templates<'a>(&'a self, node: &Node<'a>) -> Result<Vec<Template<'a>>, Error> {
        let mut templates = vec![];
        for file in files(node, &self.mark) {
            templates.push(Template {
                path: format!("{}/{}", node.path, file.path),
                text: text(node, file)?,
                names: self,
            });
        }
        for (names, library) in self.libraries.iter().zip(libraries(node)) {
            templates.extend(names.templates(library)?);
        }
        Ok(templates)
    }

    /// What has to change in the text of a template of this chart, so that the engine finds what its
    /// names stand for, and nothing else.
    ///
    /// # Errors
    /// If a component is lent by two libraries.
    pub(super) fn edits(&self, named: &[Named<'_>]) -> Result<Vec<Edit>, Ambiguous> {
        let is_own = |name| {
            let mut all = named.iter();
            all.any(|it| it.what == What::Definition && it.name == name)
        };
        let mut edits = vec![];
        for it in named {
            let mark = match it.what {
                What::File => {
                    edits.extend(self.file_edit(it));
                    continue;
                }
                What::Call if !is_own(it.name) => self.mark_of(it)?,
                _ => &self.mark,
            };
            if !mark.is_empty() {
                edits.push(Edit {
                    range: it.range.start..it.range.start,
                    text: mark.to_owned(),
                });
            }
        }
        Ok(edits)
    }

    /// What stands in the engine before the name of a component. A name that nothing is known by is
    /// left to the engine to report.
    fn mark_of(&self, call: &Named<'_>) -> Result<&str, Ambiguous> {
        if self.components.contains(call.name) {
            return Ok(&self.mark);
        }
        let libraries = self.libraries.iter();
        let lenders: Vec<&Self> = libraries
            .filter(|library| library.components.contains(call.name))
            .collect();
        match lenders.as_slice() {
            [] => Ok(&self.mark),
            [one] => Ok(&one.mark),
            [one, other, ..] => Err(Ambiguous {
                at: call.range.clone(),
                message: format!(
                    "the component {} is lent by two library charts, {} and {}",
                    call.name, one.path, other.path
                ),
            }),
        }
    }

    fn file_edit(&self, include: &Named<'_>) -> Option<Edit> {
        let found = self.file(include.name);
        let own = self.own_file(include.name);
        // The engine finds what the rendered chart has by itself.
        let is_known = self.mark.is_empty() && (found.is_none() || found == Some(include.name));
        if is_known || self.mark.is_empty() && found == Some(own.as_str()) {
            return None;
        }
        Some(Edit {
            range: include.range.clone(),
            text: found.map_or(own, str::to_owned),
        })
    }

    fn own_file(&self, name: &str) -> String {
        format!("{}/templates/{name}", self.path)
    }

    /// The path in the tree of the file that `name` stands for.
    pub(super) fn file(&self, name: &str) -> Option<&str> {
        if let Some(path) = self
            .known(name)
            .or_else(|| self.known(&self.own_file(name)))
        {
            return Some(path);
        }
        let (chart, rest) = name.split_once('/')?;
        if self.prefixes.iter().any(|own| own == chart)
            && let Some(path) = self.known(&format!("{}/{rest}", self.path))
        {
            return Some(path);
        }
        let mut libraries = self.libraries.iter();
        libraries.find_map(|library| {
            let whole = library.known(name);
            if whole.is_some() || last(&library.path) != chart {
                return whole;
            }
            let below = library.known(&format!("{}/{rest}", library.path));
            below.or_else(|| library.known(&library.own_file(rest)))
        })
    }

    /// The file of this chart that has the path `path` in the tree.
    fn known(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The names of this chart, or of the library that the template `path` belongs to.
    pub(super) fn in_template(&self, path: &str) -> &Self {
        let mut libraries = self.libraries.iter();
        let inside = libraries.find(|library| {
            let rest = path.strip_prefix(&library.path);
            rest.is_some_and(|rest| rest.starts_with('/'))
        });
        inside.map_or(self, |library| library.in_template(path))
    }

    /// An unknown component or template as its author wrote it.
    pub(super) fn written<'a>(&self, what: &str, name: &'a str) -> &'a str {
        let added = match what {
            "component" => self.mark.clone(),
            "template" if !self.mark.is_empty() => self.own_file(""),
            _ => String::new(),
        };
        name.strip_prefix(added.as_str()).unwrap_or(name)
    }

    /// All components that can be called.
    pub(super) fn components(&self) -> impl Iterator<Item = &str> {
        let lent = self
            .libraries
            .iter()
            .flat_map(|library| &library.components);
        self.components.iter().chain(lent).map(String::as_str)
    }

    /// All files that can be included, in the shortest form.
    pub(super) fn includes(&self) -> Vec<String> {
        let below = |names: &Self| {
            let start = names.own_file("");
            let files = names.files.iter();
            files
                .filter_map(|path| path.strip_prefix(&start).map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let lent = self.libraries.iter().flat_map(|library| {
            let name = last(&library.path);
            below(library)
                .into_iter()
                .map(move |file| format!("{name}/{file}"))
        });
        below(self).into_iter().chain(lent).collect()
    }
}

/// Takes what the engine calls the components of libraries out of one of its messages.
pub(super) fn unmarked(message: &str) -> String {
    let mut parts = message.split(MARK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        text.push_str(rest.strip_prefix('.').unwrap_or(part));
    }
    text
}

/// The last part of a chart's path: the name that it goes by.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The text of a template.
///
/// # Errors
/// If it is not UTF-8.
pub(super) fn text<'a>(node: &Node<'a>, file: &'a File) -> Result<&'a str, Error> {
    std::str::from_utf8(&file.data).map_err(|_| Error::NotText {
        path: format!("{}/{}", node.path, file.path),
    })
}

/// Whether the template at `path` is shared text, and never output.
pub(super) fn is_partial(path: &str) -> bool {
    last(path).starts_with('_')
}

/// The templates of a chart that can be named: of one that lends, the partials.
fn files<'a>(node: &Node<'a>, mark: &str) -> impl Iterator<Item = &'a File> {
    let lends = !mark.is_empty();
    let files = node.chart.templates.iter();
    files.filter(move |file| !lends || is_partial(&file.path))
}

/// The library charts that `node` contains and that have a template engine.
fn libraries<'a, 'n>(node: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
    node.subcharts.iter().filter(|subchart| {
        let metadata = &subchart.chart.metadata;
        let has_engine = metadata.annotations.contains_key(super::ENGINE);
        metadata.chart_kind() == Kind::Library && has_engine
    })
}
