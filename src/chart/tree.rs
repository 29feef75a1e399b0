//! A chart with everything that it contains.
//!
//! A [`Chart`] comes in, a [`Tree`] of the charts that can take part goes out; the user's values
//! come in, a [`Selection`] goes out: which of them do take part, and with what values. Reading
//! charts is left to the loader, rendering to `render`.

use std::collections::BTreeSet;

use super::{Chart, Error, Values};

/// A chart and all that can take part when it is rendered. What does is told by a [`Selection`].
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    /// The chart itself.
    pub root: Node<'a>,
}

/// One chart in a tree.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands: the root's name, and for a subchart its parent's path, `/charts/` and the
    /// name that it goes by there, as in `web/charts/db`.
    pub path: String,
    /// The chart.
    pub chart: &'a Chart,
    /// The keys below which its values stand in those of the root; none for the root itself.
    pub keys: Vec<String>,
    /// What it contains.
    pub subcharts: Vec<Self>,
}

/// Which charts of a [`Tree`] take part, and the final values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// The values of the root; those of each subchart stand below its name, with the values that
    /// are `global`.
    pub values: Values,
    /// The paths of the charts that are turned off. What they contain is off, too.
    pub off: BTreeSet<String>,
}

impl<'a> Tree<'a> {
    /// The tree of `chart`.
    ///
    /// # Errors
    /// If what it contains is not what it depends on.
    pub fn of(chart: &'a Chart) -> Result<Self, Error> {
        let root = Node {
            path: chart.metadata.name.clone(),
            chart,
            keys: vec![],
            subcharts: vec![],
        };
        Ok(Self { root })
    }

    /// Puts the user's `config` over the defaults of all charts.
    ///
    /// # Errors
    /// If a value that a chart depends on has the wrong shape.
    pub fn select(&self, config: &Values) -> Result<Selection, Error> {
        let values = Values::coalesce(&self.root.chart.values, config);
        Ok(Selection::from(values))
    }
}

/// All charts take part.
impl From<Values> for Selection {
    fn from(values: Values) -> Self {
        Self {
            values,
            off: BTreeSet::new(),
        }
    }
}
