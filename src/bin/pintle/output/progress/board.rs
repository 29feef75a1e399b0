//! What a terminal shows at the moment: a line for each group at work and for each resource that is not
//! ready yet. Events come in, what to draw goes out; drawing is left to the screen.

use std::collections::BTreeMap;

use pintle::event::Event;
use pintle::health::Health;

/// What an event does to the lines at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The line of this name says this from now on.
    Set(String, String),
    /// The line of this name goes.
    Remove(String),
    /// This is told above the lines, for good.
    Tell(String),
}

/// The lines at the bottom, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Board {
    lines: BTreeMap<String, String>,
}

impl Board {
    /// Takes note of an event, which in words is `line`.
    pub(super) fn on(&mut self, event: &Event, line: String) -> Vec<Change> {
        match event {
            Event::Health { id, health, .. } => {
                let name = format!("resource {id:?}");
                match health {
                    Health::InProgress(_) => self.set(name, line),
                    Health::Ready | Health::Failed(_) => self.remove(name, line),
                }
            }
            Event::Gate { stage, .. } => self.set(stage.to_string(), line),
            Event::Stage { part, .. } => self.remove(part.to_string(), line),
            Event::Addresses { .. } => self.set("addresses".to_owned(), line),
            Event::Planned { .. } => self.remove("addresses".to_owned(), line),
            Event::Waiting { .. } => self.set("waiting".to_owned(), line),
            Event::Locked { .. } => self.set("lock".to_owned(), line),
            // What was waited for in vain is no more of interest, and what still is will be told again.
            Event::GoingBack { .. } | Event::Finished { .. } | Event::Replanned { .. } => {
                let lines = std::mem::take(&mut self.lines);
                let gone = lines.into_keys().map(Change::Remove);
                gone.chain([Change::Tell(line)]).collect()
            }
            _ => vec![Change::Tell(line)],
        }
    }

    fn set(&mut self, name: String, line: String) -> Vec<Change> {
        self.lines.insert(name.clone(), line.clone());
        vec![Change::Set(name, line)]
    }

    fn remove(&mut self, name: String, line: String) -> Vec<Change> {
        let gone = self.lines.remove(&name).map(|_| Change::Remove(name));
        gone.into_iter().chain([Change::Tell(line)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use pintle::health::Condition;
    use pintle::manifest::ResourceId;
    use pintle::plan::{Counts, Part, Until};
    use pintle::release::Status;

    use super::*;

    fn health(name: &str, health: Health) -> Event {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let until = Condition::Ready;
        Event::Health { id, until, health }
    }

    /// What is at the bottom, and what was told above it, after these events.
    #[track_caller]
    fn check(events: &[(Event, &str)], bottom: &[&str], above: &[&str]) {
        let mut board = Board::default();
        let mut told = Vec::new();
        for (event, line) in events {
            for change in board.on(event, (*line).to_owned()) {
                if let Change::Tell(line) = change {
                    told.push(line);
                }
            }
        }
        assert_eq!(board.lines.values().collect::<Vec<_>>(), bottom);
        assert_eq!(told, above);
    }

    #[test]
    fn what_is_not_ready_stays_at_the_bottom() {
        let waits =
            |name, line: &'static str| (health(name, Health::InProgress(String::new())), line);
        let gate = Event::Gate {
            stage: Part::Group("api".to_owned()),
            earlier: Part::Group("etcd".to_owned()),
            until: Until::Ready,
        };
        let stage = Event::Stage {
            part: Part::Group("api".to_owned()),
            counts: Counts::default(),
        };
        let begun = [
            (gate, "api waits"),
            waits("a", "a: 0 of 2"),
            waits("b", "b: 0 of 1"),
            waits("a", "a: 1 of 2"),
        ];
        check(&begun, &["api waits", "a: 1 of 2", "b: 0 of 1"], &[]);
        let goes_on = [
            (health("a", Health::Ready), "ready a"),
            (stage, "api starts"),
        ];
        let all = [&begun[..], &goes_on].concat();
        check(&all, &["b: 0 of 1"], &["ready a", "api starts"]);
        let finished = Event::Finished {
            revision: 1,
            status: Status::Failed,
        };
        let ended = [&all[..], &[(finished, "failed")]].concat();
        check(&ended, &[], &["ready a", "api starts", "failed"]);
        let back = Event::GoingBack {
            revision: 2,
            to: Some(1),
        };
        let back = [&all[..], &[(back, "rolling back")]].concat();
        check(&back, &[], &["ready a", "api starts", "rolling back"]);
    }
}
