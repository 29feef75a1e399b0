//! What there is to say about values beside what they are.

use crate::chart::{Chart, Overrides, Position};
use crate::event::Event;
use crate::yaml::{self, BooleanKey};

/// Warns of a lock that was made for other dependencies, and of each key in the defaults of the
/// chart, in those of the charts in it and in the files of values that Kubernetes and Helm would
/// read as a boolean.
pub fn notices(chart: &Chart, overrides: &Overrides) -> Vec<Event> {
    let stale = chart.has_stale_lock().then(|| Event::StaleLock {
        file: chart.lock_file().to_owned(),
    });
    let own = chart.all().into_iter().map(|chart| {
        let file = format!("{}values.yaml", chart.folder);
        (file, chart.values_text.as_str())
    });
    let given = overrides
        .files()
        .map(|(file, text)| (file.to_owned(), text));
    let keys = own.chain(given).flat_map(|(file, text)| {
        let keys = yaml::boolean_keys(text);
        keys.into_iter().map(move |key| warning(&file, key))
    });
    stale.into_iter().chain(keys).collect()
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
