//! The compiled templates of one chart.
//!
//! A node of the tree of charts comes in; a template engine with its templates, and with those that
//! library charts lend it, goes out. No other chart's are in it.

use std::sync::Arc;

use tera::{Tera, Value};

use super::error::Error;
use super::explain::{Source, Sources};
use super::functions::{self, Bound};
use super::names::{Names, Template};
use super::strict::{self, Rewritten, What};
use super::{ENGINE, context, include};
use crate::chart::Node;

/// The engine of one chart.
pub(super) struct Engine {
    pub(super) tera: Arc<Tera>,
    pub(super) sources: Sources,
    /// What its templates see as `chart`.
    pub(super) facts: Value,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Compiles the templates of `node`, if it has a template engine.
    ///
    /// # Errors
    /// If the engine is not known, or a template has a fault or names what it cannot use.
    pub(super) fn of(node: &Node<'_>) -> Result<Option<Self>, Error> {
        let engine = node.chart.metadata.annotations.get(ENGINE);
        match engine.map(String::as_str) {
            None => Ok(None),
            Some("tera") => Self::load(node).map(Some),
            Some(other) => Err(Error::UnknownEngine {
                chart: node.path.clone(),
                engine: other.to_owned(),
            }),
        }
    }

    fn load(node: &Node<'_>) -> Result<Self, Error> {
        let names = Arc::new(Names::of(node)?);
        let mut sources = Sources {
            chart: node.path.clone(),
            names: Arc::clone(&names),
            ..Sources::default()
        };
        let mut rewritten = vec![];
        for template in names.templates(node)? {
            rewritten.push((template.path.clone(), sources.add(&template)?));
        }
        for (path, source) in &sources.templates {
            if let Some(at) = strict::dump(&source.text) {
                let message = "__tera_context is not available: it would print every value";
                let fault = sources.fault(path, at, message.to_owned());
                return Err(Error::Template(Box::new(fault)));
            }
        }
        if let Some(fault) = include::fault(&sources) {
            return Err(Error::Template(Box::new(fault)));
        }
        let bound = Arc::new(Bound::new(&node.chart.files, &names));
        let tera =
            tera(&node.path, &bound, rewritten).map_err(|error| sources.explain_load(&error))?;
        let tera = Arc::new(tera);
        bound.serve(&tera);
        Ok(Self {
            tera,
            sources,
            facts: context::chart(node),
        })
    }
}

impl Sources {
    /// Takes a template in, and returns its text as the engine needs it.
    fn add(&mut self, template: &Template<'_>) -> Result<String, Error> {
        let Template { path, text, names } = template;
        let named = strict::named(text);
        let edits = names.edits(&named);
        let files = named.iter().filter(|it| it.what == What::File);
        let includes = files.filter_map(|it| {
            let to = names.file(it.name)?;
            Some((it.statement.clone(), to.to_owned()))
        });
        let includes = includes.collect();
        let (edits, ambiguous) = match edits {
            Ok(edits) => (edits, None),
            Err(ambiguous) => (vec![], Some(ambiguous)),
        };
        let Rewritten {
            text: rewritten,
            shifts,
        } = strict::rewrite(text, edits);
        let source = Source {
            text: (*text).to_owned(),
            shifts,
            includes,
        };
        self.templates.insert(path.clone(), source);
        match ambiguous {
            None => Ok(rewritten),
            Some(ambiguous) => {
                let fault = self.fault(path, ambiguous.at, ambiguous.message);
                Err(Error::Template(Box::new(fault)))
            }
        }
    }
}

fn tera(
    chart: &str,
    bound: &Arc<Bound>,
    templates: Vec<(String, String)>,
) -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    // Manifests are no HTML, whatever a template's suffix is.
    tera.autoescape_on(Vec::<&str>::new());
    tera.set_fallback_prefixes([format!("{chart}/templates/")])?;
    functions::register(&mut tera, bound);
    tera.add_raw_templates(templates)?;
    Ok(tera)
}
