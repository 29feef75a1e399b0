//! What `Chart.yaml` says of the order of subcharts.
//!
//! The annotations of all charts of a tree come in; what waits for what goes out, by the paths of charts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, HELM_SUBCHARTS, SUBCHARTS};
use crate::render::{DEPENDS_ON, RenderedChart};

/// What waits for what, by the paths of charts.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Subcharts, with all that they contain, that others wait for with all that they contain.
    pub(super) subcharts: BTreeMap<String, BTreeSet<String>>,
    /// Subcharts, with all that they contain, that the chart's own resources wait for.
    pub(super) own: BTreeMap<String, BTreeSet<String>>,
}

impl Order {
    /// Reads what all charts of a tree say.
    ///
    /// # Errors
    /// If a chart names a subchart that it does not have, or subcharts wait for each other.
    pub(super) fn of(charts: &[RenderedChart]) -> Result<Self, Error> {
        let mut order = Self::default();
        for chart in charts {
            let declared = Declared {
                chart,
                known: subcharts(chart, charts),
            };
            let waits = declared.waits()?;
            declared.refuse_cycles(&waits)?;
            let path = |name: &String| format!("{}/charts/{name}", chart.path);
            for (name, others) in &waits {
                let others = others.iter().map(path).collect();
                order.subcharts.insert(path(name), others);
            }
            let own: BTreeSet<String> = declared.own()?.iter().map(path).collect();
            if !own.is_empty() {
                order.own.insert(chart.path.clone(), own);
            }
        }
        Ok(order)
    }
}

/// The names of the charts that `chart` contains.
fn subcharts(chart: &RenderedChart, charts: &[RenderedChart]) -> Vec<String> {
    let below = format!("{}/charts/", chart.path);
    let names = charts
        .iter()
        .filter_map(|other| other.path.strip_prefix(&below));
    let names = names.filter(|name| !name.contains('/'));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

/// Which subcharts wait for which, by their names.
type Waits = BTreeMap<String, BTreeSet<String>>;

/// What one chart says of its subcharts.
struct Declared<'a> {
    chart: &'a RenderedChart,
    known: Vec<String>,
}

impl Declared<'_> {
    /// Reads which subcharts wait for which.
    fn waits(&self) -> Result<Waits, Error> {
        let mut waits = Waits::new();
        for key in [SUBCHARTS, HELM_SUBCHARTS, DEPENDS_ON] {
            let Some(text) = self.chart.order.get(key) else {
                continue;
            };
            let Ok(found) = serde_json::from_str::<Waits>(text) else {
                if key == HELM_SUBCHARTS {
                    continue;
                }
                let expected = "a JSON map such as {\"api\": [\"db\"]}";
                return Err(self.syntax(key, text, expected));
            };
            for (name, others) in found {
                for name in std::iter::once(&name).chain(&others) {
                    self.check(key, name)?;
                }
                waits.entry(name).or_default().extend(others);
            }
        }
        Ok(waits)
    }

    /// Reads which subcharts the chart's own resources wait for.
    fn own(&self) -> Result<BTreeSet<String>, Error> {
        let text = self.chart.order.get(HELM_SUBCHARTS);
        let Some(text) = text.filter(|text| serde_json::from_str::<Waits>(text).is_err()) else {
            return Ok(BTreeSet::new());
        };
        let Ok(names) = serde_json::from_str::<BTreeSet<String>>(text) else {
            let expected = "a JSON list such as [\"db\"]";
            return Err(self.syntax(HELM_SUBCHARTS, text, expected));
        };
        for name in &names {
            self.check(HELM_SUBCHARTS, name)?;
        }
        Ok(names)
    }

    fn syntax(&self, annotation: &'static str, found: &str, expected: &'static str) -> Error {
        Error::Syntax {
            chart: self.chart.path.clone(),
            annotation,
            found: found.to_owned(),
            expected,
        }
    }

    fn check(&self, annotation: &'static str, name: &str) -> Result<(), Error> {
        if self.known.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(Error::Unknown {
            chart: self.chart.path.clone(),
            annotation,
            subchart: name.to_owned(),
            known: self.known.clone(),
        })
    }

    /// Takes out, again and again, what waits for nothing that is left.
    fn refuse_cycles(&self, waits: &Waits) -> Result<(), Error> {
        let mut left: BTreeMap<&String, &BTreeSet<String>> = waits.iter().collect();
        loop {
            let before = left.len();
            let names: BTreeSet<&String> = left.keys().copied().collect();
            left.retain(|_, others| others.iter().any(|other| names.contains(other)));
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == before {
                break;
            }
        }
        let mut path: Vec<String> = vec![];
        let mut next = left.keys().next().copied();
        while let Some(name) = next {
            let seen = path.iter().position(|earlier| earlier == name);
            path.push(name.clone());
            if let Some(start) = seen {
                path.drain(..start);
                break;
            }
            next = left[name].iter().find(|other| left.contains_key(other));
        }
        Err(Error::Cycle {
            chart: self.chart.path.clone(),
            subcharts: path,
        })
    }
}
