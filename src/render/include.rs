//! How templates include each other.
//!
//! The templates of a chart come in; a circle, or a chain that would take too much of the stack,
//! goes out as a fault. Files that do not exist are left to the template engine.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::Fault;
use super::explain::Sources;

/// A template may include one that includes another, and so on, so many times.
const MAX_LEVELS: usize = 10;

/// The includes of each template: where they stand, and what they name.
type Graph<'a> = BTreeMap<&'a str, Vec<(Range<usize>, &'a str)>>;

/// Finds the first fault in what the templates include.
pub(super) fn fault(sources: &Sources) -> Option<Fault> {
    let graph = graph(sources);
    // Each round keeps the templates from which a chain of one more step starts.
    let mut rounds = vec![graph.keys().copied().collect::<Vec<_>>()];
    for _ in 0..=MAX_LEVELS {
        let last = rounds.last()?;
        let leads_on = |path: &&str| {
            graph[path]
                .iter()
                .any(|(_, to)| last.binary_search(to).is_ok())
        };
        let next = (graph.keys().copied()).filter(leads_on).collect::<Vec<_>>();
        rounds.push(next);
    }
    let start = *rounds.pop()?.first()?;
    let mut chain = vec![start];
    while let Some(round) = rounds.pop() {
        let from = *chain.last()?;
        let step = graph[from]
            .iter()
            .find(|(_, to)| round.binary_search(to).is_ok());
        let to = step?.1;
        if let Some(first) = chain.iter().position(|path| *path == to) {
            chain.push(to);
            let at = graph[to]
                .iter()
                .find(|(_, next)| *next == chain[first + 1])?;
            let message = format!(
                "templates include each other: {}",
                chain[first..].join(" -> ")
            );
            return Some(sources.fault(to, at.0.clone(), message));
        }
        chain.push(to);
    }
    let at = graph[start].iter().find(|(_, to)| *to == chain[1])?;
    let message = format!("templates include each other more than {MAX_LEVELS} levels deep");
    Some(sources.fault(start, at.0.clone(), message))
}

fn graph(sources: &Sources) -> Graph<'_> {
    (sources.templates.iter())
        .map(|(path, source)| {
            let edges = source.includes.iter();
            let edges = edges.map(|(at, to)| (at.clone(), to.as_str()));
            (path.as_str(), edges.collect())
        })
        .collect()
}
