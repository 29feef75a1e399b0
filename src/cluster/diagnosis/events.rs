//! The newest warnings about a pod or another resource.
//!
//! They are listed once for each namespace. Of what is about something that is not ready, what says the same
//! becomes one, and what says nothing new is left out.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;

use super::known::KnownValues;
use super::pods::Source;
use super::{Warning, clean};
use crate::capabilities::Kind;
use crate::cluster::body::{each_of, nullable};
use crate::cluster::call::Call;
use crate::cluster::metadata::PAGE;
use crate::cluster::path::{self, Uri};
use crate::cluster::{Cluster, Error};
use crate::manifest::ResourceId;

/// How many warnings about one resource are told.
const TOLD: usize = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    #[serde(deserialize_with = "nullable")]
    reason: String,
    #[serde(deserialize_with = "nullable")]
    message: String,
    #[serde(deserialize_with = "nullable")]
    count: u64,
    last_timestamp: Option<Timestamp>,
    #[serde(rename = "eventTime")]
    time: Option<Timestamp>,
    series: Option<Series>,
    #[serde(deserialize_with = "nullable")]
    involved_object: Object,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    count: u64,
    last_observed_time: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    #[serde(deserialize_with = "nullable")]
    kind: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    uid: String,
}

impl Event {
    fn last(&self) -> Option<Timestamp> {
        let series = self.series.as_ref();
        let observed = series.and_then(|series| series.last_observed_time);
        self.last_timestamp.max(self.time).max(observed)
    }

    fn count(&self) -> u64 {
        let series = self.series.as_ref().map_or(0, |series| series.count);
        self.count.max(series).max(1)
    }
}

/// What warnings of one namespace are wanted about.
#[derive(Debug, Default)]
pub(super) struct About {
    /// The UIDs of pods. By name one would get those of earlier pods, whose names are given again.
    pub(super) pods: BTreeSet<String>,
    /// Resources themselves.
    pub(super) resources: Vec<ResourceId>,
}

impl About {
    fn wants(&self, object: &Object) -> bool {
        let mut resources = self.resources.iter();
        self.pods.contains(object.uid.as_str()) || resources.any(|id| is_about(object, id))
    }
}

/// Warnings, by namespace, as they come.
#[derive(Debug, Default)]
pub(super) struct Warnings(RefCell<BTreeMap<String, Vec<Event>>>);

impl Warnings {
    /// The newest ones about a pod that tell more than its trouble does.
    pub(super) fn of_pod(
        &self,
        namespace: &str,
        pod: &Source,
        known: &KnownValues,
    ) -> Vec<Warning> {
        let trouble = clean::whole(&pod.trouble);
        let mine = |event: &&Event| pod.uid.as_deref() == Some(&event.involved_object.uid);
        let all = self.0.borrow();
        let events = all.get(namespace).into_iter().flatten().filter(mine);
        newest(events.filter(|event| tells_more(event, &trouble)), |text| {
            known.hide(text)
        })
    }

    /// The newest ones about a resource itself.
    pub(super) fn of_resource(&self, namespace: &str, id: &ResourceId) -> Vec<Warning> {
        let all = self.0.borrow();
        let events = all.get(namespace).into_iter().flatten();
        let mine = events.filter(|event| is_about(&event.involved_object, id));
        newest(mine, str::to_owned)
    }

    fn add(&self, namespace: &str, event: Event) {
        let mut all = self.0.borrow_mut();
        all.entry(namespace.to_owned()).or_default().push(event);
    }
}

impl Cluster {
    /// Reads the warnings of some namespaces, of each as many as can be read.
    pub(super) async fn warnings(&self, wanted: BTreeMap<String, About>, found: &Warnings) {
        let listed = wanted.into_iter().map(|(namespace, about)| async move {
            // Who may not read events has to do without.
            let _ = self.list_warnings((&namespace, &about), found).await;
        });
        join_all(listed).await;
    }

    /// One list, whatever they are wanted about: an API server reads all events of a namespace for any of them.
    async fn list_warnings(
        &self,
        (namespace, about): (&str, &About),
        found: &Warnings,
    ) -> Result<(), Error> {
        let kind = Kind::core("Event", "events");
        let subject = || path::subject("list", &kind, Some(namespace));
        let uri = Uri::new(path::collection("list", &kind, Some(namespace))?)
            .with("fieldSelector", "type=Warning")
            .with("limit", &PAGE.to_string());
        let mut next = String::new();
        loop {
            let call = Call::get(subject(), &uri.clone().with("continue", &next))?;
            let answer = self.send(&call).await?;
            let mut keep = |event: Event| {
                if about.wants(&event.involved_object) {
                    found.add(namespace, event);
                }
            };
            let Ok(page) = each_of(&answer.body, &mut keep) else {
                return Ok(());
            };
            if page.next.is_empty() {
                return Ok(());
            }
            next = page.next;
        }
    }
}

/// Whether something happened to a resource. That pods of a Deployment cannot be made is said of its replica
/// sets.
fn is_about(object: &Object, id: &ResourceId) -> bool {
    match id.kind.as_str() {
        "Deployment" => object.kind == "ReplicaSet" && is_of(&id.name, &object.name),
        kind => object.kind == kind && object.name == id.name,
    }
}

/// Whether a replica set, by its name, is one of a Deployment's.
fn is_of(deployment: &str, name: &str) -> bool {
    let hash = name
        .strip_prefix(deployment)
        .and_then(|rest| rest.strip_prefix('-'));
    hash.is_some_and(|hash| !hash.contains('-'))
}

/// Whether an event says what the state of the pod does not: `Failed to pull image "a": …` and
/// `Error: ErrImagePull` only repeat it.
fn tells_more(event: &Event, trouble: &str) -> bool {
    let is_past = match event.reason.as_str() {
        // The state has what the scheduler said last, or that it has found a node since.
        "FailedScheduling" => true,
        "BackOff" => trouble.starts_with("CrashLoopBackOff"),
        // It has passed: no other probe is asked before.
        "Unhealthy" => {
            trouble == "readiness probe failing"
                && event.message.starts_with("Startup probe failed")
        }
        _ => false,
    };
    if is_past {
        return false;
    }
    let message = clean::whole(&event.message);
    let message = message.as_str();
    let causes = [": ", "\": "].map(|mark| message.split_once(mark).map(|(_, cause)| cause));
    let parts = [Some(message), causes[0], causes[1]];
    let mut said = parts.into_iter().flatten().filter(|part| part.len() > 4);
    !said.any(|part| trouble.contains(part))
}

/// The newest of these, with what `hide` leaves of their messages.
fn newest<'a>(
    events: impl Iterator<Item = &'a Event>,
    hide: impl Fn(&str) -> String,
) -> Vec<Warning> {
    let mut all: Vec<Warning> = Vec::new();
    for event in events {
        let message = clean::line(&hide(&event.message));
        let same = all
            .iter_mut()
            .find(|one| one.message == message && one.reason == event.reason);
        match same {
            Some(one) => {
                one.count = one.count.saturating_add(event.count());
                one.last = one.last.max(event.last());
            }
            None => all.push(Warning {
                reason: clean::line(&event.reason),
                message,
                count: event.count(),
                last: event.last(),
            }),
        }
    }
    all.sort_by_key(|one| Reverse(one.last));
    all.truncate(TOLD);
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(reason: &str, message: &str, minute: u32) -> Value {
        json!({"reason": reason, "message": message, "count": 2, "eventTime": null,
            "lastTimestamp": format!("2026-11-21T10:{minute:02}:00Z")})
    }

    #[track_caller]
    fn check(events: &Value, trouble: &str, want: &[&str]) {
        let page = json!({"metadata": {}, "items": events}).to_string();
        let mut items: Vec<Event> = vec![];
        each_of(page.as_bytes(), &mut |event| items.push(event)).unwrap();
        let told = items.iter();
        let told = newest(
            told.filter(|event| tells_more(event, trouble)),
            str::to_owned,
        );
        let told: Vec<_> = told
            .iter()
            .map(|one| {
                let last = one.last.map_or_else(String::new, |time| time.to_string());
                format!(
                    "{}: {} ({} times, {last})",
                    one.reason, one.message, one.count
                )
            })
            .collect();
        assert_eq!(told, want);
    }

    #[test]
    fn the_newest_warnings_are_told_once() {
        check(
            &json!([
                event("BackOff", "again", 1),
                event("BackOff", "again", 4),
                event("Unhealthy", "probe\nfailed", 3),
                event("FailedMount", "no volume", 5),
                event("Old", "old", 0),
            ]),
            "readiness probe failing",
            &[
                "FailedMount: no volume (2 times, 2026-11-21T10:05:00Z)",
                "BackOff: again (4 times, 2026-11-21T10:04:00Z)",
                "Unhealthy: probe failed (2 times, 2026-11-21T10:03:00Z)",
            ],
        );
    }

    #[test]
    fn events_of_both_forms_are_read() {
        check(
            &json!([{"reason": "A", "message": "a", "eventTime": "2026-11-21T10:00:00.000001Z",
                "lastTimestamp": null, "series": {"count": 7,
                    "lastObservedTime": "2026-11-21T10:09:00.000000Z"}},
                {"reason": "B", "message": null, "count": null}]),
            "",
            &["A: a (7 times, 2026-11-21T10:09:00Z)", "B:  (1 times, )"],
        );
    }

    #[test]
    fn what_the_pod_says_already_is_left_out() {
        let said = "not scheduled: 0/2 nodes are available";
        check(
            &json!([event("FailedScheduling", "0/1 nodes are available", 1)]),
            said,
            &[],
        );
        check(
            &json!([event(
                "BackOff",
                "Back-off restarting failed container a in pod b",
                1
            )]),
            "CrashLoopBackOff: exit code 1, 5 restarts",
            &[],
        );
        check(
            &json!([event("Unhealthy", "Startup probe failed: refused", 1)]),
            "readiness probe failing",
            &[],
        );
        let said = "ImagePullBackOff: Back-off pulling image \"a\": ErrImagePull: a: not found";
        check(
            &json!([
                event("Failed", "Failed to pull image \"a\": a: not found", 1),
                event("Failed", "Error: ErrImagePull", 1),
                event("Failed", "Error: ImagePullBackOff", 1),
            ]),
            said,
            &[],
        );
    }

    #[test]
    fn warnings_are_kept_of_what_is_asked_about() {
        let id = |kind: &str, name: &str| ResourceId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let (web, data) = (id("Deployment", "web"), id("PersistentVolumeClaim", "data"));
        let about = About {
            pods: BTreeSet::from(["u1".to_owned()]),
            resources: vec![web, data],
        };
        let check = |[kind, name, uid]: [&str; 3], want: bool| {
            let object = json!({"kind": kind, "name": name, "uid": uid});
            let object = serde_json::from_value(object).unwrap();
            assert_eq!(about.wants(&object), want, "{kind} {name} {uid}");
        };
        check(["Pod", "web-0", "u1"], true);
        check(["Pod", "web-0", "u2"], false);
        check(["ReplicaSet", "web-5d8", "u3"], true);
        check(["Deployment", "web", "u4"], false);
        check(["PersistentVolumeClaim", "data", "u5"], true);
        check(["PersistentVolumeClaim", "data-0", "u6"], false);
        check(["", "", ""], false);
    }

    #[test]
    fn replica_sets_are_known_by_name() {
        assert!(is_of("web", "web-5d8"));
        assert!(!is_of("web", "web-api-5d8"));
        assert!(!is_of("web", "webapi-5d8"));
    }
}
