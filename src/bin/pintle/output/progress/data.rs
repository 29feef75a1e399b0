//! Events for machines: one JSON object each, as `schemas/events.schema.json` describes them.

use std::time::Duration;

use jiff::Timestamp;
use pintle::event::{Done, Event, HookOutput};
use pintle::health::{Condition, Health};
use pintle::manifest::ResourceId;
use pintle::plan::Counts;
use serde_json::{Value, json};

/// What every event has: the release, when it happened, and how long after the beginning.
pub(super) struct Frame<'a> {
    pub(super) release: &'a str,
    pub(super) time: Timestamp,
    pub(super) elapsed: Duration,
}

impl Frame<'_> {
    /// The event in its frame.
    pub(super) fn around(&self, event: &Event) -> Value {
        let mut data = data(event);
        data["release"] = self.release.into();
        data["time"] = self.time.to_string().into();
        // Whole milliseconds, which a double holds as they are.
        data["elapsed_ms"] = u64::try_from(self.elapsed.as_millis())
            .unwrap_or(u64::MAX)
            .into();
        data
    }
}

fn data(event: &Event) -> Value {
    notice(event).unwrap_or_else(|| step(event))
}

/// What is told before anything is changed.
fn notice(event: &Event) -> Option<Value> {
    Some(match event {
        Event::ValuesReused { revision } => {
            json!({"event": "values-reused", "revision": revision})
        }
        Event::DefaultsIgnored { revision, keys } => {
            json!({"event": "defaults-ignored", "revision": revision, "keys": keys})
        }
        Event::BooleanKey { at, key, value } => {
            json!({"event": "boolean-key", "at": at.to_string(), "key": key, "value": value})
        }
        Event::Deprecated { chart } => json!({"event": "deprecated", "chart": chart}),
        Event::StaleLock { file } => json!({"event": "stale-lock", "file": file}),
        Event::Warned { text, ids } => {
            json!({"event": "warning", "text": text, "resources": resources(ids)})
        }
        Event::Interrupted { revision, status } => {
            json!({"event": "interrupted", "revision": revision, "status": status.name()})
        }
        Event::PassedOver {
            newest: (revision, status),
            deployed,
        } => json!({"event": "passed-over", "revision": revision, "status": status.name(),
            "deployed": deployed}),
        Event::TakenOver { holder } => json!({"event": "lock-taken-over", "holder": holder}),
        Event::Unreleased { reason } => json!({"event": "lock-left", "reason": reason}),
        Event::Locked { holder } => json!({"event": "locked", "holder": holder}),
        _ => return None,
    })
}

/// What happens while a change is carried out.
fn step(event: &Event) -> Value {
    match event {
        Event::NamespaceCreated(name) => json!({"event": "namespace-created", "namespace": name}),
        Event::Begun { revision, counts } => {
            json!({"event": "begun", "revision": revision, "counts": counted(*counts)})
        }
        Event::Gate {
            stage,
            earlier,
            until,
        } => json!({"event": "gate", "stage": stage.to_string(), "earlier": earlier.to_string(),
            "until": until}),
        Event::Stage { part, counts } => {
            json!({"event": "stage", "stage": part.to_string(), "counts": counted(*counts)})
        }
        Event::Stepped { id, done } => {
            json!({"event": "stepped", "resource": resource(id), "done": word(*done)})
        }
        Event::Addresses { services } => {
            json!({"event": "addresses", "resources": resources(services)})
        }
        Event::Planned { counts } => json!({"event": "planned", "counts": counted(*counts)}),
        Event::Hook { event, id } => {
            json!({"event": "hook", "hook": event.to_string(), "resource": resource(id)})
        }
        Event::HookOutput(output) => written(output),
        Event::HookTrouble { id, reason } => {
            json!({"event": "hook-trouble", "resource": id.as_ref().map(resource),
                "reason": reason})
        }
        Event::Waiting { count } => json!({"event": "waiting", "count": count}),
        Event::Health { id, until, health } => seen(id, *until, health),
        Event::Stopping => json!({"event": "stopping"}),
        Event::GoingBack { revision, to } => {
            json!({"event": "going-back", "revision": revision, "to": to})
        }
        Event::Finished { revision, status } => {
            json!({"event": "finished", "revision": revision, "status": status.name()})
        }
        // The rest are notices.
        _ => json!({"event": "other"}),
    }
}

/// How a resource is.
pub(crate) fn seen(id: &ResourceId, until: Condition, health: &Health) -> Value {
    let (word, reason) = match health {
        Health::Ready => ("ready", ""),
        Health::InProgress(reason) => ("in progress", reason.as_str()),
        Health::Failed(reason) => ("failed", reason.as_str()),
    };
    let until = match until {
        Condition::Ready => "ready",
        Condition::NoOldPods => "no-old-pods",
        Condition::Complete => "complete",
    };
    json!({"event": "health", "resource": resource(id), "until": until, "health": word,
        "reason": reason})
}

fn written(output: &HookOutput) -> Value {
    json!({"event": "hook-output", "pod": output.pod, "container": output.container,
        "text": output.text.as_ref().ok(), "error": output.text.as_ref().err()})
}

fn resource(id: &ResourceId) -> Value {
    json!({"group": id.group, "kind": id.kind, "namespace": id.namespace, "name": id.name})
}

fn resources(ids: &[ResourceId]) -> Vec<Value> {
    ids.iter().map(resource).collect()
}

fn counted(counts: Counts) -> Value {
    json!({"issue": counts.issue, "create": counts.create, "configure": counts.configure,
        "recreate": counts.recreate, "delete": counts.delete, "keep": counts.keep,
        "unchanged": counts.unchanged})
}

fn word(done: Done) -> &'static str {
    match done {
        Done::Created => "created",
        Done::Configured => "configured",
        Done::Recreated => "recreated",
        Done::Deleted => "deleted",
        Done::Issued => "issued",
    }
}
