//! The templates of one chart, ready to be rendered for any number of releases.
//!
//! A [`Chart`] comes in and is checked and compiled once; then each [`Scope`] gives a
//! [`Rendered`]. Names under which templates find each other: the path below `templates/`
//! (`_labels.yaml`) or the whole path (`web/templates/_labels.yaml`).

use std::sync::Arc;

use tera::{Context, Tera, Value};

use super::error::Error;
use super::explain::{Source, Sources};
use super::functions::{self, Bound};
use super::stack::with_room;
use super::value::{MAX_DEPTH, fits};
use super::writer::{Crossed, Sink};
use super::{Budget, Rendered, RenderedFile, Scope, context, include, strict};
use crate::chart::{Chart, File, Tree};

/// The annotation of a chart that names its template engine.
const ENGINE: &str = "pintle.dev/engine";

/// The compiled templates of one chart.
#[derive(Debug)]
pub struct Templates {
    outputs: Vec<Output>,
    notes: Option<Output>,
    engine: Option<Engine>,
    name: String,
}

/// One template that gives an output file.
#[derive(Debug)]
struct Output {
    path: String,
    /// The text of a chart without a template engine.
    plain: String,
}

struct Engine {
    tera: Arc<Tera>,
    sources: Sources,
    facts: Value,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Templates {
    /// Checks and compiles the templates of all charts in `tree`.
    ///
    /// A chart is rendered with Tera if its annotation `pintle.dev/engine` is `tera`. Without
    /// that annotation its templates are passed on as they are.
    ///
    /// # Errors
    /// If a template is not text, has a fault, or names a function, filter, component or file
    /// that does not exist, even where it would not be reached.
    pub fn prepare(tree: &Tree<'_>) -> Result<Self, Error> {
        let chart = tree.root.chart;
        let name = chart.metadata.name.clone();
        let templates = (chart.templates.iter())
            .map(|file| Ok((format!("{name}/{}", file.path), text(&name, file)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let engine = match chart.metadata.annotations.get(ENGINE).map(String::as_str) {
            None => None,
            Some("tera") => Some(Engine::load(chart, &templates)?),
            Some(other) => {
                return Err(Error::UnknownEngine {
                    chart: name,
                    engine: other.to_owned(),
                });
            }
        };
        let notes_path = format!("{name}/templates/NOTES.txt");
        let mut outputs = Vec::new();
        let mut notes = None;
        for (path, text) in templates {
            let plain = if engine.is_some() {
                String::new()
            } else {
                text.to_owned()
            };
            let base = path.rsplit('/').next().unwrap_or_default();
            if path == notes_path {
                notes = Some(Output { path, plain });
            } else if !base.starts_with('_') && base != "NOTES.txt" {
                outputs.push(Output { path, plain });
            }
        }
        outputs.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            outputs,
            notes,
            engine,
            name,
        })
    }

    /// Renders all templates for one release, within the default [`Budget`].
    ///
    /// # Errors
    /// If a template refuses the values or asks for what is not there, or a limit is crossed.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, Error> {
        self.render_within(scope, Budget::default())
    }

    /// Renders all templates for one release, within `budget`.
    ///
    /// The work is done by [`with_room`].
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_within(&self, scope: &Scope<'_>, budget: Budget<'_>) -> Result<Rendered, Error> {
        let Some(engine) = &self.engine else {
            return Pass::new(self, Context::new(), budget).finish();
        };
        if !(scope.selection.values.0.values()).all(|value| fits(value, MAX_DEPTH - 1)) {
            return Err(Error::TooDeep {
                chart: self.name.clone(),
                limit: MAX_DEPTH,
            });
        }
        with_room(|| Pass::new(self, context::context(&engine.facts, scope), budget).finish())
    }
}

/// One rendering of all templates.
struct Pass<'a> {
    templates: &'a Templates,
    context: Context,
    budget: Budget<'a>,
    /// How many bytes may still be written.
    left: usize,
}

impl<'a> Pass<'a> {
    fn new(templates: &'a Templates, context: Context, budget: Budget<'a>) -> Self {
        Self {
            templates,
            context,
            budget,
            left: budget.output_bytes,
        }
    }

    fn finish(mut self) -> Result<Rendered, Error> {
        let mut rendered = Rendered::default();
        for output in &self.templates.outputs {
            let text = self.render(output)?;
            if !text.trim().is_empty() {
                let path = output.path.clone();
                rendered.files.push(RenderedFile { path, text });
            }
        }
        if let Some(output) = &self.templates.notes {
            rendered.notes = Some(self.render(output)?).filter(|text| !text.trim().is_empty());
        }
        Ok(rendered)
    }

    fn render(&mut self, output: &Output) -> Result<String, Error> {
        let text = match &self.templates.engine {
            Some(engine) => self.run(engine, output)?,
            None => output.plain.clone(),
        };
        self.left = (self.left.checked_sub(text.len())).ok_or_else(|| self.too_large(output))?;
        Ok(text)
    }

    fn run(&mut self, engine: &Engine, output: &Output) -> Result<String, Error> {
        let path = &output.path;
        context::enter(&mut self.context, &self.templates.name, path);
        let mut sink = Sink::new(self.left, self.budget.expired);
        let result = engine.tera.render_to(path, &self.context, &mut sink);
        match (result, sink.crossed()) {
            (_, Some(Crossed::Bytes)) => Err(self.too_large(output)),
            (_, Some(Crossed::Time)) => Err(Error::TooSlow { path: path.clone() }),
            (Err(error), None) => Err(engine.sources.explain(&error, &self.context)),
            (Ok(()), None) => {
                (sink.into_text()).ok_or_else(|| Error::NotText { path: path.clone() })
            }
        }
    }

    fn too_large(&self, output: &Output) -> Error {
        Error::TooLarge {
            path: output.path.clone(),
            limit: self.budget.output_bytes,
        }
    }
}

impl Engine {
    fn load(chart: &Chart, templates: &[(String, &str)]) -> Result<Self, Error> {
        let name = &chart.metadata.name;
        let mut sources = Sources {
            chart: name.clone(),
            ..Sources::default()
        };
        let mut rewritten = Vec::with_capacity(templates.len());
        for (path, text) in templates {
            let strict::Rewritten {
                text: strict,
                shifts,
            } = strict::rewrite(text);
            let text = (*text).to_owned();
            sources
                .templates
                .insert(path.clone(), Source { text, shifts });
            rewritten.push((path, strict));
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
        let bound = Arc::new(Bound::new(&chart.files));
        let tera = tera(name, &bound, rewritten)
            .map_err(|error| sources.explain(&error, &Context::new()))?;
        let tera = Arc::new(tera);
        bound.serve(&tera);
        Ok(Self {
            tera,
            sources,
            facts: context::chart(&chart.metadata),
        })
    }
}

fn tera(
    chart: &str,
    bound: &Arc<Bound>,
    templates: Vec<(&String, String)>,
) -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    // Manifests are no HTML, whatever a template's suffix is.
    tera.autoescape_on(Vec::<&str>::new());
    tera.set_fallback_prefixes([format!("{chart}/templates/")])?;
    functions::register(&mut tera, bound);
    tera.add_raw_templates(templates)?;
    Ok(tera)
}

fn text<'a>(chart: &str, file: &'a File) -> Result<&'a str, Error> {
    std::str::from_utf8(&file.data).map_err(|_| Error::NotText {
        path: format!("{chart}/{}", file.path),
    })
}
