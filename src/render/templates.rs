//! The templates of a tree of charts, ready to be rendered for any number of releases.
//!
//! A [`Tree`] comes in and is checked and compiled once; then each [`Scope`] gives a [`Rendered`].
//! The compiled templates of one chart are left to `engine`.

use std::collections::{BTreeMap, BTreeSet};

use tera::Context;

use super::context::Shared;
use super::engine::Engine;
use super::error::Error;
use super::names::{is_partial, last, text};
use super::stack::with_room;
use super::value::{MAX_DEPTH, fits};
use super::writer::{Crossed, Sink};
use super::{Budget, DEPENDS_ON, Rendered, RenderedChart, RenderedFile, Scope, context};
use crate::chart::{Kind, Node, Tree};

/// The annotations that tell the order of subcharts start with one of these.
const ORDER: [&str; 2] = ["pintle.dev/depends-on", "helm.sh/depends-on"];

/// The compiled templates of a tree of charts.
#[derive(Debug)]
pub struct Templates {
    /// Every chart, each before those that it contains.
    charts: Vec<Unit>,
    /// What gives output files, sorted by path.
    outputs: Vec<Output>,
    /// What gives notes, the root's first, then sorted by path.
    notes: Vec<Output>,
}

/// One chart of the tree.
#[derive(Debug)]
struct Unit {
    about: RenderedChart,
    /// The index of the chart that contains it; its own for the root.
    parent: usize,
    keys: Vec<String>,
    engine: Option<Engine>,
}

/// One template that gives an output file.
#[derive(Debug)]
struct Output {
    /// The index of the chart.
    unit: usize,
    path: String,
    /// The text of a chart without a template engine.
    plain: String,
}

impl Templates {
    /// Checks and compiles the templates of all charts in `tree`.
    ///
    /// A chart is rendered with Tera if its annotation `pintle.dev/engine` is `tera`. Without
    /// that annotation its templates are passed on as they are. A library chart gives no output.
    ///
    /// # Errors
    /// If a template is not text, has a fault, or names a function, filter, component or file
    /// that does not exist, even where it would not be reached.
    pub fn prepare(tree: &Tree<'_>) -> Result<Self, Error> {
        let mut templates = Self {
            charts: vec![],
            outputs: vec![],
            notes: vec![],
        };
        templates.add(&tree.root, 0)?;
        templates.outputs.sort_by(|a, b| a.path.cmp(&b.path));
        let is_root = |output: &Output| output.unit == 0;
        let place = |output: &Output| (!is_root(output), output.path.clone());
        templates.notes.sort_by_cached_key(place);
        Ok(templates)
    }

    fn add(&mut self, node: &Node<'_>, parent: usize) -> Result<(), Error> {
        let unit = self.charts.len();
        let is_library = node.chart.metadata.chart_kind() == Kind::Library;
        let engine = if is_library && unit > 0 {
            // It is compiled where it is used.
            None
        } else {
            Engine::of(node)?
        };
        if !is_library {
            self.add_outputs(node, engine.as_ref())?;
        }
        let is_order = |key: &str| ORDER.iter().any(|start| key.starts_with(start));
        let order = node.chart.metadata.annotations.iter();
        let order = order.filter(|(key, _)| is_order(key));
        let order = order.map(|(key, text)| (key.clone(), text.clone()));
        self.charts.push(Unit {
            about: RenderedChart {
                path: node.path.clone(),
                order: order.chain(dependencies(node)).collect(),
            },
            parent,
            keys: node.keys.clone(),
            engine,
        });
        let mut subcharts = node.subcharts.iter();
        subcharts.try_for_each(|subchart| self.add(subchart, unit))
    }

    fn add_outputs(&mut self, node: &Node<'_>, engine: Option<&Engine>) -> Result<(), Error> {
        for file in &node.chart.templates {
            let text = text(node, file)?;
            let output = Output {
                unit: self.charts.len(),
                path: format!("{}/{}", node.path, file.path),
                plain: engine.map_or_else(|| text.to_owned(), |_| String::new()),
            };
            if file.path == "templates/NOTES.txt" {
                self.notes.push(output);
            } else if !is_partial(&file.path) && last(&file.path) != "NOTES.txt" {
                self.outputs.push(output);
            }
        }
        Ok(())
    }

    /// Renders all templates for one release, within the default [`Budget`].
    ///
    /// # Errors
    /// If a template refuses the values or asks for what is not there, or a limit is crossed.
    pub fn render(&self, scope: Scope<'_>) -> Result<Rendered, Error> {
        self.render_within(scope, Budget::default())
    }

    /// Renders all templates for one release, within `budget`.
    ///
    /// The work is done by [`with_room`].
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_within(&self, scope: Scope<'_>, budget: Budget<'_>) -> Result<Rendered, Error> {
        let off = scope.off;
        if self.charts.iter().all(|unit| unit.engine.is_none()) {
            return Pass::new(self, off, budget).finish(None);
        }
        if !(scope.values.0.values()).all(|value| fits(value, MAX_DEPTH - 1)) {
            return Err(Error::TooDeep {
                chart: self.charts[0].about.path.clone(),
                limit: MAX_DEPTH,
            });
        }
        let shared = Shared::new(scope);
        with_room(|| Pass::new(self, off, budget).finish(Some(&shared)))
    }
}

/// What the dependencies of a chart come after, as an annotation would say it.
fn dependencies(node: &Node<'_>) -> Option<(String, String)> {
    let all = node.chart.metadata.dependencies.iter();
    let after = all.filter(|entry| !entry.depends_on.is_empty());
    let after: BTreeMap<&str, &[String]> = after
        .map(|entry| (entry.goes_by(), entry.depends_on.as_slice()))
        .collect();
    let text = serde_json::to_string(&after).ok()?;
    (!after.is_empty()).then(|| (DEPENDS_ON.to_owned(), text))
}

/// One rendering of all templates.
struct Pass<'a> {
    templates: &'a Templates,
    /// Which charts take part.
    takes_part: Vec<bool>,
    /// What the templates of the chart with that index see. They are rendered one chart after the other.
    context: (usize, Context),
    budget: Budget<'a>,
    /// How many bytes may still be written.
    left: usize,
}

impl<'a> Pass<'a> {
    fn new(templates: &'a Templates, off: &BTreeSet<String>, budget: Budget<'a>) -> Self {
        let mut takes_part = vec![true];
        for unit in templates.charts.iter().skip(1) {
            let is_on = !off.contains(&unit.about.path);
            takes_part.push(is_on && takes_part[unit.parent]);
        }
        Self {
            templates,
            takes_part,
            context: (usize::MAX, Context::new()),
            budget,
            left: budget.output_bytes,
        }
    }

    /// `shared` is there if a chart has an engine.
    fn finish(mut self, shared: Option<&Shared>) -> Result<Rendered, Error> {
        let files = self.all(&self.templates.outputs, shared)?;
        let mut subchart_notes = self.all(&self.templates.notes, shared)?;
        let root = &self.templates.charts[0].about.path;
        let is_root = |file: &RenderedFile| file.path == format!("{root}/templates/NOTES.txt");
        let notes = subchart_notes.first().is_some_and(is_root);
        Ok(Rendered {
            files,
            notes: notes.then(|| subchart_notes.remove(0).text),
            subchart_notes,
            charts: (self.templates.charts.iter())
                .map(|unit| unit.about.clone())
                .collect(),
        })
    }

    /// What `outputs` of charts that take part give, unless it is blank.
    fn all(
        &mut self,
        outputs: &[Output],
        shared: Option<&Shared>,
    ) -> Result<Vec<RenderedFile>, Error> {
        let mut files = vec![];
        let takes_part = self.takes_part.clone();
        for output in outputs.iter().filter(|it| takes_part[it.unit]) {
            let unit = &self.templates.charts[output.unit];
            let text = match unit.engine.as_ref().zip(shared) {
                Some((engine, shared)) => {
                    if self.context.0 != output.unit {
                        let context = shared.context(&engine.facts, &unit.keys);
                        self.context = (output.unit, context);
                    }
                    self.run((engine, unit), output)?
                }
                None => output.plain.clone(),
            };
            self.left =
                (self.left.checked_sub(text.len())).ok_or_else(|| self.too_large(output))?;
            if !text.trim().is_empty() {
                let path = output.path.clone();
                files.push(RenderedFile { path, text });
            }
        }
        Ok(files)
    }

    fn run(&mut self, (engine, unit): (&Engine, &Unit), output: &Output) -> Result<String, Error> {
        let path = &output.path;
        let context = &mut self.context.1;
        context::enter(context, &unit.about.path, path);
        let mut sink = Sink::new(self.left, self.budget.expired);
        let result = engine.tera.render_to(path, context, &mut sink);
        match (result, sink.crossed()) {
            (_, Some(Crossed::Bytes)) => Err(self.too_large(output)),
            (_, Some(Crossed::Time)) => Err(Error::TooSlow { path: path.clone() }),
            (Err(error), None) => Err(engine.sources.explain(&error, context, path)),
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
