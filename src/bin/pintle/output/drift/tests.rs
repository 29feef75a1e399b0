//! What people read of drift.

use pintle::manifest::{Origin, ResourceId};
use pintle::plan::diff::{Cause, Change};
use pintle::plan::drift::{Drifted, Moved};
use pintle::release::Status;
use serde_json::{Value, json};

use super::*;

fn author(manager: &str, subresource: Option<&str>) -> Author {
    Author {
        manager: manager.to_owned(),
        operation: "Update".to_owned(),
        time: Some("2026-11-28T10:00:00Z".parse().unwrap()),
        subresource: subresource.map(str::to_owned),
    }
}

fn drifted(kind: &str, state: State, fields: Vec<Moved>) -> Drifted {
    Drifted {
        id: ResourceId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        },
        origin: Origin {
            template: "web/templates/web.yaml".to_owned(),
            line: 1,
        },
        state,
        fields,
        last_write: Some(author("kubectl-edit", None)),
    }
}

fn moved(path: &str, (recorded, live): (Value, Value), by: Option<Author>) -> Moved {
    let side = |value: Value| Some(value).filter(|value| !value.is_null());
    Moved {
        change: Change {
            path: path.to_owned(),
            old: side(live),
            new: side(recorded),
            cause: Cause::Drift,
        },
        by,
    }
}

fn of(name: &str, newest: u32, found: Finding) -> ReleaseDrift {
    ReleaseDrift {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        newest,
        status: Status::Failed,
        found,
    }
}

fn compared(revision: u32, resources: Vec<Drifted>) -> Finding {
    Finding::Compared {
        revision,
        resources,
    }
}

#[test]
fn drift_is_told_field_by_field() {
    let page = ("a\nb\nc\n", "a\nB\nc\n");
    let resources = vec![
        drifted("Service", State::Same, vec![]),
        drifted("ServiceAccount", State::Missing, vec![]),
        drifted("Ingress", State::Deleting, vec![]),
        drifted(
            "Deployment",
            State::Changed,
            vec![
                moved(
                    "spec.replicas",
                    (json!(2), json!(4)),
                    Some(author("kubectl", Some("scale"))),
                ),
                moved("spec.paused", (json!(true), json!(null)), None),
            ],
        ),
        drifted(
            "ConfigMap",
            State::Changed,
            vec![moved(
                "data.page",
                (json!(page.0), json!(page.1)),
                Some(author("page\u{1b}[2J", None)),
            )],
        ),
        drifted(
            "Secret",
            State::Changed,
            vec![moved(
                "data.password",
                (json!("b25l"), json!("dGhyZWU=")),
                Some(author("kubectl-edit", None)),
            )],
        ),
    ];
    let all = [
        of("web", 3, compared(2, resources)),
        of(
            "api",
            3,
            compared(3, vec![drifted("Service", State::Same, vec![])]),
        ),
        of("new", 1, Finding::NotDeployed),
        of("old", 4, Finding::Unreadable("no gzip".to_owned())),
    ];
    let releases: Vec<_> = all.iter().map(release).collect();
    let text = to_text(&releases, 3);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
    let whole = serde_json::to_value(Whole { releases }).unwrap();
    insta::assert_snapshot!(format!("{whole:#}"));
}
