//! `list` and `history`: the same releases in the same order as Helm, for fewer requests.

use serde_json::Value;

use super::{cluster, revision, store, strip};
use crate::plan::requests::Listening;
use crate::support::{Place, Run};

const RELEASES: [(&str, u32, &str, u32); 9] = [
    ("apple", 1, "superseded", 1),
    ("apple", 2, "superseded", 2),
    ("apple", 3, "deployed", 9),
    ("bread", 1, "failed", 4),
    ("cheese", 1, "superseded", 3),
    ("cheese", 2, "pending-upgrade", 8),
    ("dates", 1, "uninstalled", 5),
    ("egg", 1, "uninstalling", 6),
    ("fig", 1, "pending-install", 7),
];

/// A namespace that holds these releases; Helm was the last to write some of them.
async fn stocked(test: &str) -> Place {
    let place = Place::new(test);
    let cluster = cluster(&place).await;
    for (name, number, status, day) in RELEASES {
        let mut release = revision(&place, (name, number, status), day);
        if matches!(name, "apple" | "egg") {
            release.labels.insert("aisle".to_owned(), "cold".to_owned());
        }
        store(&cluster, &release).await;
        if matches!(name, "apple" | "dates") {
            strip(&cluster, &release).await;
        }
    }
    place
}

/// Both programs' answers to the same command.
#[track_caller]
pub(super) fn check_same(place: &Place, args: &[&str]) -> Run {
    let ours = place.pintle(args).ok();
    let theirs = place.helm(args).ok();
    if args.contains(&"json") {
        assert_eq!(ours.json(), theirs.json(), "{args:?}");
    } else {
        assert_eq!(ours.stdout, theirs.stdout, "{args:?}");
    }
    ours
}

#[tokio::test]
async fn releases_are_listed_as_by_helm() {
    let place = stocked("list").await;
    let json = ["list", "-o", "json"];
    let names = |run: &Run| -> Vec<String> {
        let listed = run.json();
        let names = listed.as_array().unwrap().iter().map(|one| &one["name"]);
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    check_same(&place, &json);
    for flags in [
        &["--failed", "--deployed", "--uninstalling"][..],
        &["--superseded", "--failed"],
        &["--pending", "--uninstalled", "-d"],
        &["-d", "-r", "--max", "3", "--offset", "1"],
        &[
            "-r",
            "-f",
            "e{2}|^a",
            "--time-format",
            "Jan _2 06 15:04:05.000 Z07:00",
        ],
        &["-l", "aisle=cold,status in (deployed,failed)"],
        &["-l", "!aisle,name!=fig", "-m", "2"],
    ] {
        let run = check_same(&place, &[&json[..], flags].concat());
        assert!(!names(&run).is_empty(), "{flags:?}");
    }
    check_same(&place, &["list", "-q", "-f", "g"]);
    // In all namespaces there is one of this name.
    let far = revision(&place, (&place.namespace, 1, "deployed"), 10);
    store(&cluster(&place).await, &far).await;
    let name = format!("^{}$", place.namespace);
    let run = check_same(&place, &["list", "-A", "-f", &name, "-o", "json"]);
    assert_eq!(names(&run), [place.namespace.as_str()]);
    place
        .kubectl(&[
            "delete",
            "secret",
            &format!("sh.helm.release.v1.{}.v1", place.namespace),
        ])
        .ok();
    check_same(&place, &["list", "-q", "-o", "json", "--offset", "4"]);
    check_same(&place, &["history", "apple", "--max", "2", "-o", "json"]);
    // Superseded revisions alone are all listed; Helm leaves those of one name in any order.
    let superseded = place.pintle(&[&json[..], &["--superseded"]].concat()).ok();
    assert_eq!(names(&superseded), ["apple", "apple", "cheese"]);
    place
        .pintle(&["list", "--max", "2", "--no-headers", "--all", "--failed"])
        .ok()
        .prints(&["apple"])
        .says(&["2 of 6 releases: --offset 2 goes on from here"]);
    place
        .pintle(&["list", "-f", "("])
        .fails_with(2)
        .says(&["regex"]);
    place
        .pintle(&["list", "-l", "a in b"])
        .fails_with(2)
        .says(&["\"a in b\" is no label selector"]);
}

#[tokio::test]
async fn only_what_is_shown_is_read() {
    let place = stocked("list-reads").await;
    let listening = Listening::on(&place);
    let payloads = |args: &[&str]| {
        let requests = listening.requests(&place, args);
        let read = requests
            .iter()
            .filter(|line| line.contains("sh.helm.release"));
        (read.count(), requests.len())
    };
    // Two of six releases were written by Helm last, and a page holds one of them.
    assert_eq!(payloads(&["list"]), (2, 3));
    assert_eq!(payloads(&["list", "--max", "3"]), (1, 2));
    assert_eq!(payloads(&["list", "-q"]), (0, 1));
    // Of what is pending it is asked who works on it.
    assert_eq!(payloads(&["history", "cheese"]), (0, 2));
    assert_eq!(payloads(&["history", "apple", "--max", "1"]), (1, 2));
    assert_eq!(payloads(&["get", "notes", "cheese"]), (1, 2));
    assert_eq!(payloads(&["status", "cheese"]).0, 1);
    assert_eq!(payloads(&["status", "apple"]).0, 1);
}
