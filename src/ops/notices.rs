//! What there is to say about values beside what they are.

use crate::chart::{Chart, Overrides, Position};
use crate::event::Event;
use crate::yaml::{self, BooleanKey};

/// Warns of a chart that is deprecated, of a lock that was made for other dependencies, and of each key in the defaults of the
/// chart, in those of the charts in it and in the files of values that Kubernetes and Helm would
/// read as a boolean.
pub fn notices(chart: &Chart, overrides: &Overrides) -> Vec<Event> {
    let stale = chart.has_stale_lock().then(|| Event::StaleLock {
        file: chart.lock_file().to_owned(),
    });
    let old = chart.metadata.deprecated.then(|| Event::Deprecated {
        chart: chart.metadata.name.clone(),
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
    old.into_iter().chain(stale).chain(keys).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Metadata;

    #[test]
    fn a_deprecated_chart_is_told_of() {
        let chart = |rest: &str| Chart {
            metadata: Metadata::parse(&format!("name: a\nversion: 1.0.0\n{rest}")).unwrap(),
            ..Chart::default()
        };
        let deprecated = Event::Deprecated {
            chart: "a".to_owned(),
        };
        let found = |rest: &str| notices(&chart(rest), &Overrides::default());
        assert_eq!(found("deprecated: true\n"), [deprecated]);
        assert_eq!(found(""), []);
    }
}
