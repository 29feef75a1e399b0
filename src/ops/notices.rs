//! What there is to say about values beside what they are.

use crate::chart::{Chart, Overrides, Position};
use crate::event::Event;
use crate::yaml::{self, BooleanKey};

/// Warns of each key in the chart's defaults and in the files of values that Kubernetes and Helm
/// would read as a boolean.
pub fn notices(chart: &Chart, overrides: &Overrides) -> Vec<Event> {
    let own = ("values.yaml", chart.values_text.as_str());
    let files = std::iter::once(own).chain(overrides.files());
    files
        .flat_map(|(file, text)| {
            let keys = yaml::boolean_keys(text);
            keys.into_iter().map(move |key| warning(file, key))
        })
        .collect()
}

fn warning(file: &str, key: BooleanKey) -> Event {
    Event::BooleanKey {
        at: Position {
            file: file.to_owned(),
            line: key.line,
            column: key.column,
        },
        key: key.key,
        value: key.value,
    }
}
