//! The newest warnings about a pod or another resource.
//!
//! The API server finds them by what they are about; of what it sends, what says the same becomes
//! one, and what says nothing new is left out.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::Deserialize;

use super::known::KnownValues;
use super::pods::Source;
use super::{Warning, clean};
use crate::capabilities::Kind;
use crate::cluster::Cluster;
use crate::cluster::body::{nullable, page_of};
use crate::cluster::call::Call;
use crate::cluster::path::{self, Uri};
use crate::manifest::ResourceId;

/// How many warnings about one resource are told.
const TOLD: usize = 3;
/// How many events about one resource are read.
const READ: &str = "100";

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
    name: String,
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

impl Cluster {
    /// The newest warnings about a pod that tell more than its trouble does.
    pub(super) async fn warnings_of_pod(
        &self,
        namespace: &str,
        pod: &Source,
        known: &KnownValues,
    ) -> Vec<Warning> {
        // By name one would get those of earlier pods, whose names a StatefulSet gives again.
        let about = format!("involvedObject.uid={}", pod.uid);
        let mut events = self.warnings(namespace, &about).await;
        let trouble = clean::whole(&pod.trouble);
        events.retain(|event| tells_more(event, &trouble));
        for event in &mut events {
            event.message = known.hide(&event.message);
        }
        newest(events)
    }

    /// The newest warnings about a resource itself.
    pub(super) async fn warnings_of(&self, namespace: &str, id: &ResourceId) -> Vec<Warning> {
        if id.kind == "Deployment" {
            // That pods cannot be made is said of its replica sets.
            let events = self.warnings(namespace, "involvedObject.kind=ReplicaSet");
            let events = events.await.into_iter();
            return newest(events.filter(|event| is_of(&id.name, &event.involved_object.name)));
        }
        let about = format!(
            "involvedObject.kind={},involvedObject.name={}",
            id.kind, id.name
        );
        newest(self.warnings(namespace, &about).await)
    }

    async fn warnings(&self, namespace: &str, about: &str) -> Vec<Event> {
        let kind = Kind {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Event".to_owned(),
            plural: "events".to_owned(),
            namespaced: true,
        };
        let listed = async {
            let uri = Uri::new(path::collection("list", &kind, Some(namespace))?)
                .with("fieldSelector", &format!("type=Warning,{about}"))
                .with("limit", READ);
            let call = Call::get(path::subject("list", &kind, Some(namespace)), &uri)?;
            self.send(&call).await
        };
        // Who may not read events has to do without.
        let page = listed
            .await
            .ok()
            .and_then(|answer| page_of(&answer.body).ok());
        page.map(|page| page.items).unwrap_or_default()
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

fn newest(events: impl IntoIterator<Item = Event>) -> Vec<Warning> {
    let mut all: Vec<Warning> = Vec::new();
    for event in events {
        let message = clean::line(&event.message);
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
        let page = page_of::<Event>(page.as_bytes()).unwrap();
        let told = page.items.into_iter();
        let told = newest(told.filter(|event| tells_more(event, trouble)));
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
    fn replica_sets_are_known_by_name() {
        assert!(is_of("web", "web-5d8"));
        assert!(!is_of("web", "web-api-5d8"));
        assert!(!is_of("web", "webapi-5d8"));
    }
}
