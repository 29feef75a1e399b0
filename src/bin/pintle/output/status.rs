//! One release with the health of its resources and the state of its credentials.

mod groups;
mod lock;
mod unread;

use jiff::Timestamp;
use pintle::cluster::{SickPod, Tenure, Warning};
use pintle::health::{Condition, Health};
use pintle::ops::{Credentials, ResourceStatus, Seen, Standing};
use pintle::plan::credentials::{Action, Decision, ForeignSecret};
use pintle::release::Release;
use serde::Serialize;

use super::release::{self, Data, Progress, head, notes};
use super::{diagnosis, hooks, print_data, print_text, progress, table};
use crate::cli::Format;
use crate::failure::Failure;

pub(crate) use unread::print as print_unread;

const SECONDS_A_DAY: i64 = 86400;

/// What is known of a release.
pub(crate) struct Status<'a> {
    /// The revision as it is recorded.
    pub(crate) release: &'a Release,
    /// Whether somebody works on it.
    pub(crate) progress: Progress,
    /// Its resources as they are.
    pub(crate) standing: &'a Standing,
    /// Who changes it now.
    pub(crate) holder: Option<&'a Tenure>,
    /// What the next plan would do about its generated Secrets.
    pub(crate) credentials: &'a Credentials,
    /// The time that days are counted from.
    pub(crate) now: Timestamp,
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    release: Data<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<lock::Lock<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<groups::Data<'a>>,
    resources: Vec<Resource<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credentials: Vec<Credential<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<hooks::Data<'a>>,
}

#[derive(Serialize)]
struct Resource<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    #[serde(rename = "resource_group", skip_serializing_if = "Option::is_none")]
    part: Option<&'a str>,
    health: &'a str,
    reason: &'a str,
    /// Its pods that are not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<Pod<'a>>,
    /// How many pods are not ready beside these.
    #[serde(skip_serializing_if = "is_zero")]
    more_pods: usize,
    /// The newest warning about the resource itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Event<'a>>,
}

#[derive(Serialize)]
struct Pod<'a> {
    name: &'a str,
    /// None if the trouble is the pod's as a whole.
    container: Option<&'a str>,
    reason: &'a str,
    /// The newest warning about it that tells more.
    event: Option<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    reason: &'a str,
    message: &'a str,
    count: u64,
    last: Option<Timestamp>,
    /// The same for people.
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
struct Credential<'a> {
    name: &'a str,
    kind: &'a str,
    /// The id of the issue; none where it is to be made.
    issue: Option<&'a str>,
    expires: Option<Timestamp>,
    days_left: Option<i64>,
    /// `good`, `adopt`, `issue` or `foreign`.
    state: &'static str,
    reason: String,
}

/// Prints what is known of a release.
pub(crate) fn print(status: &Status<'_>, format: Format) -> Result<(), Failure> {
    let resources = status.standing.resources.iter();
    let resources: Vec<_> = resources.map(|one| resource(one, status.now)).collect();
    let credential = |decision| credential(decision, status.now);
    let decisions = status.credentials.decisions.iter().map(credential);
    let foreign = status.credentials.foreign.iter().map(foreign);
    let credentials: Vec<_> = decisions.chain(foreign).collect();
    let release = status.release;
    let doing = release.info.status.doing(release.revision);
    let lock = status.holder.map(|holder| lock::lock(holder, doing));
    let groups = status.standing.groups.iter();
    let groups: Vec<_> = groups
        .map(|one| groups::data(one, status.standing))
        .collect();
    if format != Format::Table {
        let whole = Whole {
            release: release::Data::of(status.release).with(status.progress),
            lock,
            groups,
            resources,
            credentials,
            hooks: status.release.hooks.iter().map(Into::into).collect(),
        };
        return print_data(&whole, format);
    }
    let mut text = head(status.release, status.progress);
    text.extend(lock.as_ref().map(lock::line));
    if !groups.is_empty() {
        text.push_str("GROUPS:\n");
        text.push_str(&groups::to_table(&groups));
    }
    text.push_str("RESOURCES:\n");
    text.push_str(&resource_table(&resources));
    if !credentials.is_empty() {
        text.push_str("CREDENTIALS:\n");
        text.push_str(&credential_table(&credentials));
    }
    text.push_str(&hooks::suites(status.release));
    text.push_str(&notes(status.release));
    print_text(&text)
}

/// Prints what has happened since, below the status.
pub(crate) fn print_seen(seen: &Seen<'_>, now: Timestamp, format: Format) -> Result<(), Failure> {
    let missing = Health::InProgress("missing".to_owned());
    let health = |health: Option<&Health>| health.unwrap_or(&missing).clone();
    if format != Format::Table {
        let mut data = match seen {
            Seen::Health(id, now) => progress::data::seen(id, Condition::Ready, &health(*now)),
            Seen::Revision(release) => progress::data::revision(release),
            Seen::Gone => progress::data::gone(),
        };
        data["time"] = now.to_string().into();
        if format == Format::Yaml {
            print_text("---\n")?;
        }
        return print_data(&data, format);
    }
    let (what, state) = match seen {
        Seen::Revision(release) => (
            format!("revision {}", release.revision),
            release.info.status.to_string(),
        ),
        Seen::Gone => ("release".to_owned(), "gone".to_owned()),
        Seen::Health(id, now) => {
            let state = match health(*now) {
                Health::Ready => "ready".to_owned(),
                Health::InProgress(reason) => reason,
                Health::Failed(reason) => format!("failed: {reason}"),
            };
            (id.to_string(), state)
        }
    };
    print_text(&format!("{}: {what}: {state}\n", super::time(Some(now))))
}

/// The resources, with their groups where there are any, and below each why it is not ready.
fn resource_table(resources: &[Resource<'_>]) -> String {
    let rows = resources.iter().flat_map(|resource| {
        let group = resource.part.unwrap_or("-");
        let own = [
            group,
            resource.kind,
            resource.name,
            resource.health,
            resource.reason,
        ];
        let mut rows = vec![own.map(str::to_owned)];
        rows.extend(
            resource
                .event
                .iter()
                .map(|event| below(["", ""], &event.text)),
        );
        rows.extend(resource.pods.iter().flat_map(pod_rows));
        let rest = diagnosis::rest(resource.more_pods);
        rows.extend(rest.map(|rest| below(["", ""], &rest)));
        rows
    });
    if resources.iter().any(|one| one.part.is_some()) {
        return table::to_text(["GROUP", "KIND", "NAME", "HEALTH", "REASON"], rows);
    }
    let rows = rows.map(|[_, kind, name, health, reason]| [kind, name, health, reason]);
    table::to_text(["KIND", "NAME", "HEALTH", "REASON"], rows)
}

fn pod_rows(pod: &Pod<'_>) -> Vec<[String; 5]> {
    let reason = match pod.container {
        Some(container) => format!("container {container}: {}", pod.reason),
        None => pod.reason.to_owned(),
    };
    let mut rows = vec![below(["  Pod", pod.name], &reason)];
    rows.extend(pod.event.iter().map(|event| below(["", ""], &event.text)));
    rows
}

/// A row below that of a resource.
fn below([kind, name]: [&str; 2], reason: &str) -> [String; 5] {
    ["", kind, name, "", reason].map(str::to_owned)
}

fn credential_table(credentials: &[Credential<'_>]) -> String {
    let rows = credentials.iter().map(|credential| {
        let expires = match (credential.expires, credential.days_left) {
            (Some(at), Some(days)) => format!("{} ({days} days)", at.strftime("%Y-%m-%d")),
            _ => "-".to_owned(),
        };
        let state = match credential.reason.as_str() {
            "" => credential.state.to_owned(),
            reason => format!("{}: {reason}", credential.state),
        };
        [
            credential.kind.to_owned(),
            credential.name.to_owned(),
            expires,
            state,
        ]
    });
    table::to_text(["KIND", "NAME", "EXPIRES", "STATE"], rows)
}

/// Whether a count is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn resource(status: &ResourceStatus, now: Timestamp) -> Resource<'_> {
    let (health, reason) = match &status.health {
        None if status.deletes_itself => ("missing", "it is deleted when it has finished"),
        None => ("missing", ""),
        Some(Health::Ready) => ("ready", ""),
        Some(Health::InProgress(reason)) => ("in progress", reason.as_str()),
        Some(Health::Failed(reason)) => ("failed", reason.as_str()),
    };
    Resource {
        group: &status.id.group,
        kind: &status.id.kind,
        namespace: status.id.namespace.as_deref(),
        name: &status.id.name,
        part: status.group.as_deref(),
        health,
        reason,
        pods: status
            .diagnosis
            .pods
            .iter()
            .map(|one| pod(one, now))
            .collect(),
        more_pods: status.diagnosis.others,
        event: newest(&status.diagnosis.events, now),
    }
}

fn pod(pod: &SickPod, now: Timestamp) -> Pod<'_> {
    Pod {
        name: &pod.name,
        container: pod.trouble.container.as_deref(),
        reason: &pod.trouble.reason,
        event: newest(&pod.events, now),
    }
}

fn newest(events: &[Warning], now: Timestamp) -> Option<Event<'_>> {
    let event = events.first()?;
    Some(Event {
        reason: &event.reason,
        message: &event.message,
        count: event.count,
        last: event.last,
        text: diagnosis::warning(event, now),
    })
}

fn credential(decision: &Decision, now: Timestamp) -> Credential<'_> {
    let (state, issue, why) = match &decision.action {
        Action::Keep { id } => ("good", Some(id.as_str()), None),
        Action::Adopt { id } => ("adopt", Some(id.as_str()), None),
        Action::Issue { reason, .. } => ("issue", None, Some(reason)),
    };
    let deferred = decision.deferred.as_ref();
    Credential {
        name: &decision.name,
        kind: decision.kind,
        issue,
        expires: decision.expires,
        days_left: decision
            .expires
            .map(|at| (at.as_second() - now.as_second()).div_euclid(SECONDS_A_DAY)),
        state,
        reason: match (why, deferred) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(reason)) => format!("kept although {reason}"),
            (None, None) => String::new(),
        },
    }
}

fn foreign(secret: &ForeignSecret) -> Credential<'_> {
    Credential {
        name: &secret.name,
        kind: "-",
        issue: None,
        expires: None,
        days_left: None,
        state: "foreign",
        reason: format!("it was generated by release {}", secret.release),
    }
}

#[cfg(test)]
mod tests {
    use pintle::manifest::generator::Product;

    use super::*;

    const NOW: &str = "2026-11-21T10:00:00Z";

    /// Checks what is told of a certificate that expires at a time.
    #[track_caller]
    fn check(expires: Option<&str>, (days, told): (Option<i64>, &str)) {
        let decision = Decision {
            name: "tls".to_owned(),
            product: Product::Secret,
            kind: "Certificate",
            waits: vec![],
            action: Action::Keep { id: "1".to_owned() },
            changes: vec![],
            expires: expires.map(|time| time.parse().unwrap()),
            deferred: None,
        };
        let credential = credential(&decision, NOW.parse().unwrap());
        assert_eq!(credential.days_left, days, "{expires:?}");
        let table = credential_table(&[credential]);
        let row = table.lines().nth(1).unwrap();
        assert!(row.contains(told), "{row}");
    }

    #[test]
    fn whole_days_are_left_of_a_certificate() {
        check(
            Some("2027-11-21T10:00:00Z"),
            (Some(365), "2027-11-21 (365 days)"),
        );
        check(
            Some("2026-11-22T10:00:00Z"),
            (Some(1), "2026-11-22 (1 days)"),
        );
        check(
            Some("2026-11-22T09:59:59Z"),
            (Some(0), "2026-11-22 (0 days)"),
        );
        check(
            Some("2026-11-21T09:59:59Z"),
            (Some(-1), "2026-11-21 (-1 days)"),
        );
        check(None, (None, "-"));
    }
}
