//! What is asked of an API server to explain resources, and what becomes of the answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster::tests::{answer, mock};
use crate::manifest::ResourceId;

fn unready(group: &str, kind: &str, name: &str) -> Unready {
    let id = ResourceId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    };
    Unready::new(id, Health::InProgress("not ready".to_owned()))
}

fn event(about: [&str; 3], reason: &str) -> Value {
    let [kind, name, uid] = about;
    json!({"reason": reason, "message": format!("{name} told"), "count": 1,
        "involvedObject": {"kind": kind, "name": name, "uid": uid}})
}

/// Explains resources in a namespace that has a pod of its own with two failing containers, and one of a
/// `StatefulSet`; the events of both and of a Deployment are on two pages.
async fn explain(mut resources: Vec<Unready>, depth: Depth) -> (Vec<Diagnosis>, Vec<String>) {
    let failed = |name: &str, code: u32| json!({"name": name, "restartCount": 0, "state": {"terminated": {"exitCode": code}}});
    let pod = json!({"metadata": {"name": "once", "uid": "u1"},
        "status": {"phase": "Failed", "containerStatuses": [failed("app", 1), failed("helper", 2)]}});
    let member = json!({"metadata": {"name": "db-0", "uid": "u2",
            "ownerReferences": [{"kind": "StatefulSet", "name": "db"}]},
        "status": {"phase": "Running", "containerStatuses": [failed("db", 3)]}});
    let pods = json!({"metadata": {}, "items": [pod, member]}).to_string();
    let first = json!({"metadata": {"continue": "more"}, "items": [
        event(["Pod", "once", "u1"], "First"), event(["Pod", "once", "u0"], "Earlier")]});
    let second = json!({"metadata": {}, "items": [event(["Pod", "db-0", "u2"], "Second"),
        event(["ReplicaSet", "web-5d8", "u3"], "Third"), event(["Node", "n", "u4"], "Other")]});
    let pages = Arc::new([first.to_string(), second.to_string()]);
    let (cluster, asked) = mock(move |request, _| {
        let query = request.uri().query().unwrap_or_default();
        let path = request.uri().path();
        let body = match path.rsplit('/').next().unwrap_or_default() {
            "pods" => pods.clone(),
            "events" => pages[usize::from(query.contains("continue=more"))].clone(),
            _ => format!("log of {path} {query}\n"),
        };
        async move { Ok(answer(200, &body)) }
    });
    cluster.explain(&mut resources, depth).await;
    let asked = asked.lock().unwrap().clone();
    let diagnoses = resources.into_iter().map(|one| one.diagnosis);
    (diagnoses.collect(), asked)
}

#[tokio::test]
async fn pods_and_events_of_a_namespace_are_listed_once() {
    let resources = vec![
        unready("", "Pod", "once"),
        unready("apps", "StatefulSet", "db"),
        unready("apps", "Deployment", "web"),
    ];
    let (diagnoses, asked) = explain(resources, Depth::Events).await;
    let reasons = |events: &[Warning]| -> Vec<String> {
        events.iter().map(|event| event.reason.clone()).collect()
    };
    let pods = |one: &Diagnosis| -> Vec<String> {
        let pods = one.pods.iter();
        pods.map(|pod| format!("{}: {} {:?}", pod.name, pod.trouble, reasons(&pod.events)))
            .collect()
    };
    assert_eq!(
        pods(&diagnoses[0]),
        [
            "once: container app: exit code 1 [\"First\"]",
            "once: container helper: exit code 2 []",
        ]
    );
    assert_eq!(
        pods(&diagnoses[1]),
        ["db-0: container db: exit code 3 [\"Second\"]"]
    );
    assert_eq!(reasons(&diagnoses[2].events), ["Third"]);
    assert_eq!(
        asked,
        [
            "GET /api/v1/namespaces/shop/pods?limit=500",
            "GET /api/v1/namespaces/shop/events?fieldSelector=type%3DWarning&limit=500",
            "GET /api/v1/namespaces/shop/events?fieldSelector=type%3DWarning&limit=500&continue=more",
        ]
    );
}

#[tokio::test]
async fn the_logs_of_all_failing_containers_are_read() {
    let (diagnoses, asked) = explain(vec![unready("", "Pod", "once")], Depth::Logs).await;
    let pods = diagnoses[0].pods.iter();
    let logs: Vec<bool> = pods
        .map(|pod| {
            let container = pod.trouble.container.as_deref().unwrap();
            let said = format!("container={container}&");
            pod.log.len() == 1 && pod.log[0].contains(&said)
        })
        .collect();
    assert_eq!(logs, [true, true]);
    let of_logs = asked.iter().filter(|one| one.contains("/pods/once/log?"));
    assert_eq!(of_logs.count(), 2);
}

#[tokio::test]
async fn nothing_is_listed_for_what_is_missing() {
    let mut missing = unready("", "ConfigMap", "gone");
    missing.health = Health::InProgress("missing".to_owned());
    let (diagnoses, asked) = explain(vec![missing], Depth::Logs).await;
    assert_eq!(diagnoses, [Diagnosis::default()]);
    assert_eq!(asked, Vec::<String>::new());
}
