//! Why a revision failed, as it is recorded.

use std::fmt::Write as _;

use jiff::Timestamp;
use pintle::cluster::{Diagnosis, SickPod, Unready, Warning};
use pintle::health::{Health, Trouble};
use pintle::manifest::ResourceId;
use pintle::release::{FailedEvent, FailedPod, FailedResource, Failure, Release};
use serde::Serialize;

use super::{diagnosis, print_data, print_text, time};
use crate::cli::Format;
use crate::failure;

/// Why a revision failed, for machines.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    namespace: &'a str,
    revision: u32,
    status: &'a str,
    description: &'a str,
    /// When it failed; null where the record has the description alone, as Helm's have.
    time: Option<Timestamp>,
    /// The whole error; as the description where the record has that alone.
    error: &'a str,
    resources: &'a [FailedResource],
    /// How many more resources there were than the record has room for.
    omitted: usize,
}

/// Prints why a revision failed.
pub(crate) fn print(release: &Release, format: Format) -> Result<(), failure::Failure> {
    let recorded = release.failure();
    if format == Format::Table {
        return print_text(&to_text(release, recorded.as_ref()));
    }
    let recorded = recorded.unwrap_or_else(|| Failure {
        error: release.info.description.clone(),
        ..Failure::default()
    });
    let data = Data {
        name: &release.name,
        namespace: &release.namespace,
        revision: release.revision,
        status: release.info.status.name(),
        description: &release.info.description,
        time: recorded.time,
        error: &recorded.error,
        resources: &recorded.resources,
        omitted: recorded.omitted,
    };
    print_data(&data, format)
}

fn to_text(release: &Release, failure: Option<&Failure>) -> String {
    let when = failure.and_then(|failure| failure.time);
    let error = failure.map_or(release.info.description.as_str(), |failure| &failure.error);
    let mut text = format!(
        "NAME: {}\nNAMESPACE: {}\nREVISION: {}\nSTATUS: {}\nFAILED: {}\nERROR: {error}\n",
        release.name,
        release.namespace,
        release.revision,
        release.info.status,
        time(when),
    );
    let Some(failure) = failure.filter(|failure| !failure.resources.is_empty()) else {
        return text;
    };
    text.push_str("RESOURCES:\n");
    // Ages are those of that time.
    let then = when.unwrap_or_default();
    for resource in &failure.resources {
        for line in diagnosis::lines(&unready(resource), then) {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "  {line}");
        }
    }
    if failure.omitted > 0 {
        let _ = writeln!(text, "  and {} more resources", failure.omitted);
    }
    text
}

fn unready(resource: &FailedResource) -> Unready {
    let id = ResourceId {
        group: resource.group.clone(),
        kind: resource.kind.clone(),
        namespace: resource.namespace.clone(),
        name: resource.name.clone(),
    };
    Unready {
        diagnosis: Diagnosis {
            pods: resource.pods.iter().map(pod).collect(),
            others: resource.more_pods,
            events: resource.events.iter().map(event).collect(),
        },
        ..Unready::new(id, Health::Failed(resource.reason.clone()))
    }
}

fn pod(pod: &FailedPod) -> SickPod {
    SickPod {
        name: pod.name.clone(),
        trouble: Trouble {
            container: pod.container.clone(),
            reason: pod.reason.clone(),
        },
        events: pod.events.iter().map(event).collect(),
        log: pod.log.clone(),
    }
}

fn event(event: &FailedEvent) -> Warning {
    Warning {
        reason: event.reason.clone(),
        message: event.message.clone(),
        count: event.count,
        last: event.last,
    }
}
