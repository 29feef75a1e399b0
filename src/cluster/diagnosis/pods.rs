//! Which pods of a workload are not ready, and what to ask about them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value;

use super::clean::HIDDEN;
use super::logs::Log;
use super::{SickPod, clean, secrets};
use crate::cluster::Cluster;
use crate::cluster::error::Unready;
use crate::cluster::owner::{self, has_made, runs_pods};
use crate::cluster::scope::name;
use crate::health::{self, Trouble};

/// How many pods of one workload are told of.
const TOLD: usize = 3;

/// Where more is to be learned about a pod.
#[derive(Debug)]
pub(super) struct Source {
    /// None if the entry before is of the same pod.
    pub(super) uid: Option<String>,
    /// All of what keeps the pod from being ready, as it says itself.
    pub(super) trouble: String,
    /// The names of the Secrets that it uses.
    pub(super) secrets: BTreeSet<String>,
    /// None if the container in trouble has written nothing yet.
    pub(super) log: Option<Log>,
}

impl Cluster {
    /// Adds to each workload its pods that are not ready, and gives for each of them where to ask.
    pub(super) async fn find_pods(&self, unready: &mut [Unready]) -> Vec<Vec<Source>> {
        let places: BTreeSet<Option<&str>> = unready
            .iter()
            .filter(|one| runs_pods(&one.id))
            .map(|one| one.id.namespace.as_deref())
            .collect();
        let lists = join_all(places.iter().map(|place| {
            let here = unready.iter().map(|one| &one.id);
            let here = here.filter(|id| runs_pods(id) && id.namespace.as_deref() == *place);
            let here = here.collect();
            async move {
                let place = self.namespace_of(owner::pods(), *place);
                let listed = self.list_scope(&owner::scope(place, here)).await;
                // Who may not list pods has to do without.
                listed.map(|(pods, _)| pods).unwrap_or_default()
            }
        }))
        .await;
        let lists: BTreeMap<Option<String>, Vec<Value>> = places
            .iter()
            .map(|place| place.map(str::to_owned))
            .zip(lists)
            .collect();
        let none = Vec::new();
        unready
            .iter_mut()
            .map(|one| add(one, lists.get(&one.id.namespace).unwrap_or(&none)))
            .collect()
    }
}

/// Adds those of the pods that a workload has made and that are not ready.
fn add(unready: &mut Unready, listed: &[Value]) -> Vec<Source> {
    if !runs_pods(&unready.id) {
        return Vec::new();
    }
    let mine = |pod: &&Value| owner::metadata(pod).is_some_and(|all| has_made(&unready.id, all));
    let sick = listed.iter().filter(mine);
    let mut sick: Vec<_> = sick
        .filter_map(|pod| Some((pod, health::trouble(pod)?)))
        .collect();
    // The newest first, which are those of the newest template; what is ending is of the past.
    sick.sort_by_key(|(pod, _)| {
        (
            pod.pointer("/metadata/deletionTimestamp").is_some(),
            Reverse(text(pod, "/metadata/creationTimestamp")),
            text(pod, "/metadata/name"),
        )
    });
    // Then each trouble once before one is told again.
    let mut seen = BTreeSet::new();
    let (first, again): (Vec<_>, Vec<_>) = sick
        .into_iter()
        .partition(|(_, trouble)| seen.insert(trouble.to_string()));
    let all = first.len() + again.len();
    let told = first.into_iter().chain(again).take(TOLD);
    let (pods, sources): (Vec<_>, Vec<_>) = told.flat_map(entries).unzip();
    unready.diagnosis.others = all.saturating_sub(TOLD);
    unready.diagnosis.pods = pods;
    sources
}

/// What is told of a pod: its trouble, and that of its other containers.
fn entries((pod, trouble): (&Value, Trouble)) -> Vec<(SickPod, Source)> {
    let is_ending = pod.pointer("/metadata/deletionTimestamp").is_some();
    let mut others = health::container_troubles(pod);
    others.retain(|other| !is_ending && other.container != trouble.container);
    others.truncate(TOLD - 1);
    let uid = text(pod, "/metadata/uid").to_owned();
    let mut entries = vec![entry(pod, trouble)];
    entries.extend(others.into_iter().map(|other| entry(pod, other)));
    entries[0].1.uid = Some(uid);
    entries
}

fn entry(pod: &Value, mut trouble: Trouble) -> (SickPod, Source) {
    let source = Source {
        uid: None,
        trouble: trouble.reason.clone(),
        secrets: secrets::used_by(pod),
        log: Log::of(pod, &trouble),
    };
    trouble.reason = if source.secrets.is_empty() {
        clean::line(&trouble.reason)
    } else {
        // Until it is known what it must not tell.
        HIDDEN.to_owned()
    };
    let sick = SickPod {
        name: name(pod).to_owned(),
        trouble,
        events: Vec::new(),
        log: Vec::new(),
    };
    (sick, source)
}

pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    let text = body.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::health::Health;
    use crate::manifest::ResourceId;

    fn pod(name: &str, created: &str, reason: &str) -> Value {
        json!({"metadata": {"name": name, "uid": name, "creationTimestamp": created,
                "ownerReferences": [{"kind": "StatefulSet", "name": "web"}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": reason}}}]}})
    }

    #[track_caller]
    fn check(pods: &[Value], want: &[&str], others: usize) {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: "StatefulSet".to_owned(),
            namespace: None,
            name: "web".to_owned(),
        };
        let mut unready = Unready::new(id, Health::InProgress("0 of 9 pods ready".to_owned()));
        let sources = add(&mut unready, pods);
        let told = unready.diagnosis.pods.iter();
        let told: Vec<_> = told
            .map(|pod| format!("{}: {}", pod.name, pod.trouble))
            .collect();
        assert_eq!(told, want);
        assert_eq!(unready.diagnosis.others, others);
        assert_eq!(sources.len(), want.len());
    }

    #[test]
    fn different_troubles_of_the_newest_pods_are_told() {
        let mut ready = pod("web-0", "2026-11-21T10:00:00Z", "");
        ready["status"] = json!({"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}]});
        let mut ending = pod("web-9", "2026-11-21T19:00:00Z", "A");
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-21T20:00:00Z");
        let foreign = json!({"metadata": {"name": "x"}});
        check(
            &[
                ready,
                ending,
                pod("web-1", "2026-11-21T11:00:00Z", "A"),
                pod("web-2", "2026-11-21T12:00:00Z", "A"),
                pod("web-3", "2026-11-21T10:00:00Z", "B"),
                pod("web-4", "2026-11-21T11:00:00Z", "A\u{1b}[31m"),
                foreign,
                json!(3),
            ],
            &[
                "web-2: container app: A",
                "web-4: container app: A",
                "web-3: container app: B",
            ],
            2,
        );
        check(&[], &[], 0);
    }

    #[test]
    fn all_containers_in_trouble_are_told() {
        let mut web = pod("web-0", "2026-11-21T10:00:00Z", "A");
        let statuses = &mut web["status"]["containerStatuses"];
        for name in ["b", "c", "d"] {
            let ended = json!({"name": name, "state": {"terminated": {"exitCode": 2}}});
            statuses.as_array_mut().unwrap().push(ended);
        }
        let told = [
            "web-0: container app: A",
            "web-0: container b: exit code 2",
            "web-0: container c: exit code 2",
        ];
        check(&[web.clone()], &told, 0);
        web["metadata"]["deletionTimestamp"] = json!("2026-11-21T20:00:00Z");
        check(&[web], &["web-0: being deleted"], 0);
    }
}
