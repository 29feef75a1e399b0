//! Events for machines: one JSON object each, as `schemas/events.schema.json` describes them.

use std::time::Duration;

use jiff::Timestamp;
use pintle::event::{Done, Event, HookOutput};
use pintle::health::{Condition, Health};
use pintle::manifest::ResourceId;
use pintle::plan::Counts;
use pintle::release::Release;
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
    let mut data = json!({"event": name(event)});
    let details = notice(event).or_else(|| step(event));
    if let (Value::Object(data), Some(Value::Object(details))) = (&mut data, details) {
        data.extend(details);
    }
    data
}

/// The name of an event.
fn name(event: &Event) -> &'static str {
    match event {
        Event::ValuesReused { .. } => "values-reused",
        Event::DefaultsIgnored { .. } => "defaults-ignored",
        Event::BooleanKey { .. } => "boolean-key",
        Event::Deprecated { .. } => "deprecated",
        Event::StaleLock { .. } => "stale-lock",
        Event::RuleNotAsked { .. } => "rule-not-asked",
        Event::Warned { .. } => "warning",
        Event::Interrupted { .. } => "interrupted",
        Event::PassedOver { .. } => "passed-over",
        Event::TakenOver { .. } => "lock-taken-over",
        Event::Unreleased { .. } => "lock-left",
        Event::Unrecorded { .. } => "record-left",
        Event::Undescribed { .. } => "undescribed",
        Event::Locked { .. } => "locked",
        Event::NamespaceCreated(_) => "namespace-created",
        Event::Begun { .. } => "begun",
        Event::Gate { .. } => "gate",
        Event::Stage { .. } => "stage",
        Event::Ending { .. } => "ending",
        Event::Stepped { .. } => "stepped",
        Event::Addresses { .. } => "addresses",
        Event::Planned { .. } => "planned",
        Event::Replanned { .. } => "replanned",
        Event::Hook { .. } => "hook",
        Event::HookTrouble { .. } => "hook-trouble",
        Event::Waiting { .. } => "waiting",
        Event::Stopping => "stopping",
        Event::GoingBack { .. } => "going-back",
        Event::Finished { .. } => "finished",
        Event::HookOutput(_) => "hook-output",
        Event::Health { .. } => "health",
    }
}

/// The details of what is told before anything is changed.
fn notice(event: &Event) -> Option<Value> {
    Some(match event {
        Event::ValuesReused { revision } | Event::Undescribed { revision } => {
            json!({"revision": revision})
        }
        Event::DefaultsIgnored { revision, keys } => {
            json!({"revision": revision, "keys": keys})
        }
        Event::BooleanKey { at, key, value } => {
            json!({"at": at.to_string(), "key": key, "value": value})
        }
        Event::Deprecated { chart } => json!({"chart": chart}),
        Event::StaleLock { file } => json!({"file": file}),
        Event::RuleNotAsked { rule } => {
            json!({"chart": rule.chart, "path": rule.path, "problem": rule.problem})
        }
        Event::Warned { text, ids } => {
            json!({"text": text, "resources": resources(ids)})
        }
        Event::Interrupted { revision, status } => {
            json!({"revision": revision, "status": status.name()})
        }
        Event::PassedOver {
            newest: (revision, status),
            deployed,
        } => json!({"revision": revision, "status": status.name(),
            "deployed": deployed}),
        Event::TakenOver { holder } => json!({"holder": holder}),
        Event::Locked {
            holder,
            since,
            doing,
        } => json!({"holder": holder, "since": since, "doing": doing}),
        Event::Unreleased { reason } => json!({"reason": reason}),
        Event::Unrecorded { revision, reason } => {
            json!({"revision": revision, "reason": reason})
        }
        _ => return None,
    })
}

/// The details of what happens while a change is carried out.
fn step(event: &Event) -> Option<Value> {
    Some(match event {
        Event::NamespaceCreated(name) => json!({"namespace": name}),
        Event::Begun { revision, counts } => {
            json!({"revision": revision, "counts": counted(*counts)})
        }
        Event::Gate {
            stage,
            earlier,
            until,
        } => json!({"stage": stage.to_string(), "earlier": earlier.to_string(),
            "until": until}),
        Event::Stage { part, counts } => {
            json!({"stage": part.to_string(), "counts": counted(*counts)})
        }
        Event::Ending { id } => json!({"resource": resource(id)}),
        Event::Stepped { id, done } => {
            json!({"resource": resource(id), "done": word(*done)})
        }
        Event::Addresses { services } => {
            json!({"resources": resources(services)})
        }
        Event::Planned { counts } => json!({"counts": counted(*counts)}),
        Event::Replanned { ids, counts } => {
            json!({"resources": resources(ids), "counts": counted(*counts)})
        }
        Event::Hook { event, id } => {
            json!({"hook": event.to_string(), "resource": resource(id)})
        }
        Event::HookOutput(output) => written(output),
        Event::HookTrouble { id, reason } => {
            json!({"resource": id.as_ref().map(resource),
                "reason": reason})
        }
        Event::Waiting { count } => json!({"count": count}),
        Event::Health { id, until, health } => seen(id, *until, health),
        Event::GoingBack { revision, to } => {
            json!({"revision": revision, "to": to})
        }
        Event::Finished { revision, status } => {
            json!({"revision": revision, "status": status.name()})
        }
        _ => return None,
    })
}

/// That nothing is left of a release that is looked at.
pub(crate) fn gone() -> Value {
    json!({"event": "gone"})
}

/// Which revision is looked at.
pub(crate) fn revision(release: &Release) -> Value {
    json!({"event": "revision", "revision": release.revision,
        "status": release.info.status.name()})
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
    json!({"pod": output.pod, "container": output.container,
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

#[cfg(test)]
mod tests;
