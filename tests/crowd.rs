//! Many at once: one release that eight processes upgrade, each with values of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lifecycle::small;
use crate::support::Place;

/// How many processes there are at once.
const AT_ONCE: usize = 8;
/// How many upgrades have to succeed, unless `PINTLE_CROWD` says for how many seconds they go on.
const ENOUGH: usize = 24;

/// When it is over.
enum Until {
    Succeeded(usize),
    Time(Instant),
}

impl Until {
    fn of_environment() -> Self {
        match std::env::var("PINTLE_CROWD") {
            Ok(seconds) => {
                let time = Duration::from_secs(seconds.parse().expect("PINTLE_CROWD in seconds"));
                Self::Time(Instant::now() + time)
            }
            Err(_) => Self::Succeeded(ENOUGH),
        }
    }

    fn is_over(&self, succeeded: usize) -> bool {
        match self {
            Self::Succeeded(enough) => succeeded >= *enough,
            Self::Time(end) => Instant::now() >= *end,
        }
    }
}

#[test]
fn of_eight_processes_one_at_a_time_changes_a_release() {
    let place = Place::new("crowd");
    let chart = small(&place);
    place.pintle(&["install", "app", &chart, "--no-wait"]).ok();
    let until = Until::of_environment();
    let (succeeded, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (place, chart, until) = (&place, &chart, &until);
            let (succeeded, refused) = (&succeeded, &refused);
            // One of two waits for the others.
            let patience = if worker % 2 == 0 { "0s" } else { "1m" };
            scope.spawn(move || {
                for round in 0.. {
                    if until.is_over(succeeded.load(Ordering::SeqCst)) {
                        break;
                    }
                    let set = format!("maps={{w{worker}-{round}}}");
                    let args = ["upgrade", "app", chart, "--no-wait", "--history-max", "0"];
                    let more = ["--set", &set, "--lock-timeout", patience];
                    let run = place.pintle(&[&args[..], &more].concat());
                    let count = if run.code == Some(0) {
                        succeeded
                    } else {
                        refused
                    };
                    count.fetch_add(1, Ordering::SeqCst);
                    if run.code != Some(0) {
                        run.fails_with(4);
                    }
                }
            });
        }
    });
    check(&place, succeeded.into_inner());
    report(&format!(
        "{AT_ONCE} processes: {} refused",
        refused.into_inner()
    ));
}

/// Checks that each upgrade that succeeded is a revision, and the last one is what is there.
fn check(place: &Place, succeeded: usize) {
    let history = place
        .pintle(&["history", "app", "--max", "0", "-o", "json"])
        .ok()
        .json();
    let history = history.as_array().unwrap();
    let revisions: Vec<_> = history
        .iter()
        .map(|one| one["revision"].as_u64().unwrap())
        .collect();
    let consecutive: Vec<_> = (1..=history.len() as u64).collect();
    assert_eq!(revisions, consecutive);
    let statuses = history.iter().map(|one| one["status"].as_str().unwrap());
    let mut statuses: Vec<_> = statuses.collect();
    assert_eq!(statuses.pop(), Some("deployed"));
    assert!(
        statuses.iter().all(|status| *status == "superseded"),
        "{statuses:?}"
    );
    assert_eq!(history.len(), succeeded + 1);
    let values = place
        .pintle(&["get", "values", "app", "-o", "json"])
        .ok()
        .json();
    let maps = place.get(&["configmaps", "-l", "app.kubernetes.io/managed-by=Helm"]);
    let names = maps["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|map| map["metadata"]["name"].clone());
    assert_eq!(Value::Array(names.collect()), values["maps"]);
    assert_eq!(place.get(&["leases"])["items"].as_array().unwrap().len(), 0);
    report(&format!("{succeeded} upgrades succeeded"));
}

#[expect(clippy::print_stderr, reason = "figures for whoever asks for them")]
fn report(text: &str) {
    eprintln!("{text}");
}
