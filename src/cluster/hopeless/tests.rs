//! Waits with an API server that never changes, whose clock is the paused one of the test.

use http::Request;
use kube::client::Body;
use serde_json::json;
use tokio::time::Instant;

use super::super::tests::{Asked, answer, mock};
use super::*;
use crate::cluster::{Unready, Wait};
use crate::health::{Condition, Health};

const DEADLINE: Duration = Duration::from_mins(1);
const BEGIN: &str = "2026-11-21T10:00:00Z";

/// What the API server holds of a workload `web` of one pod.
#[derive(Clone)]
struct Scene {
    kind: &'static str,
    /// The template that its pod is of; the newest is `2`.
    template: &'static str,
    created: &'static str,
    waiting: &'static str,
    ready: i64,
    /// The status code of everything about pods.
    code: u16,
}

const SET: Scene = Scene {
    kind: "StatefulSet",
    template: "2",
    created: "2026-11-21T10:00:01Z",
    waiting: "CrashLoopBackOff",
    ready: 0,
    code: 200,
};

const DEPLOYMENT: Scene = Scene {
    kind: "Deployment",
    ..SET
};

impl Scene {
    fn workload(&self) -> Value {
        json!({"metadata": {"name": "web", "generation": 1,
                "annotations": {"deployment.kubernetes.io/revision": "2"}},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
                "readyReplicas": self.ready, "availableReplicas": self.ready,
                "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
                "updatedNumberScheduled": 1,
                "updateRevision": (self.kind == "StatefulSet").then_some("2")}})
    }

    fn pod(&self) -> Value {
        let owner = match self.kind {
            "Deployment" => json!({"kind": "ReplicaSet", "name": "web-x"}),
            kind => json!({"kind": kind, "name": "web"}),
        };
        json!({"metadata": {"name": "web-0", "uid": "u", "creationTimestamp": self.created,
                "ownerReferences": [owner],
                "labels": {"controller-revision-hash": self.template, "pod-template-hash": "x"}},
            "spec": {"containers": [{"name": "app", "envFrom": [{"secretRef": {"name": "db"}}]}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "app",
                "restartCount": 6, "state": {"waiting": {"reason": self.waiting}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}})
    }

    fn answer(&self, request: &Request<Body>) -> (u16, String) {
        let (path, query) = (
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        );
        let list = |items: Value| json!({"metadata": {"resourceVersion": "7"}, "items": items});
        let event = json!({"reason": "Unhealthy", "message": "Liveness probe failed", "count": 12,
            "involvedObject": {"kind": "Pod", "name": "web-0", "uid": "u"}});
        let (code, body) = match path.rsplit('/').next().unwrap_or_default() {
            // A watch that is closed at once, and opened again after a pause.
            _ if query.contains("watch=true") => (200, Value::String(String::new())),
            "pods" => (self.code, list(json!([self.pod()]))),
            "events" => (self.code, list(json!([event]))),
            "log" => {
                return (
                    self.code,
                    "starting\n\u{1b}[31mno etcd for hunter2\n".to_owned(),
                );
            }
            "db" => (self.code, json!({"data": {"password": "aHVudGVyMg=="}})),
            "web-x" => (
                200,
                json!({"metadata": {"name": "web-x", "annotations":
                {"deployment.kubernetes.io/revision": self.template}}}),
            ),
            _ => (200, list(json!([self.workload()]))),
        };
        (
            code,
            body.as_str()
                .map_or_else(|| body.to_string(), str::to_owned),
        )
    }
}

/// How a wait for a scene ends, after how many seconds, and what it asked for.
async fn wait(scene: Scene, until: Condition) -> (Vec<Unready>, u64, Asked) {
    let group = match scene.kind {
        "Job" => "batch",
        _ => "apps",
    };
    let kind = builtin::kind(group, scene.kind).unwrap().clone();
    let id = ResourceId {
        group: group.to_owned(),
        kind: scene.kind.to_owned(),
        namespace: None,
        name: "web".to_owned(),
    };
    let (cluster, asked) = mock(move |request, _| {
        let (code, body) = scene.answer(&request);
        async move { Ok(answer(code, &body)) }
    });
    let start = Instant::now();
    let wait = Wait {
        wanted: &[(id, kind)],
        until,
        deadline: DEADLINE,
        since: BEGIN.parse().unwrap(),
    };
    let unready = match cluster.wait_for(wait, &mut |_, _| {}).await {
        Ok(()) => Vec::new(),
        Err(Error::NotReady { resources }) => resources,
        Err(other) => panic!("{other}"),
    };
    (unready, start.elapsed().as_secs(), asked)
}

/// How a wait has to end.
#[derive(Debug, PartialEq, Eq)]
enum Ends {
    Early,
    InTime,
}

async fn check(scene: Scene, want: Ends) {
    let (unready, seconds, _) = wait(scene, Condition::Ready).await;
    let got = if seconds < 2 {
        Ends::Early
    } else {
        Ends::InTime
    };
    assert_eq!(got, want, "{seconds}");
    assert_eq!(unready[0].health.is_failed(), want == Ends::Early);
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_pod_of_the_newest_template_ends_a_wait() {
    check(SET, Ends::Early).await;
    check(DEPLOYMENT, Ends::Early).await;
}

#[tokio::test(start_paused = true)]
async fn pods_of_older_templates_end_no_wait() {
    check(
        Scene {
            template: "1",
            ..SET
        },
        Ends::InTime,
    )
    .await;
    check(
        Scene {
            template: "1",
            ..DEPLOYMENT
        },
        Ends::InTime,
    )
    .await;
    check(
        Scene {
            kind: "DaemonSet",
            ..SET
        },
        Ends::InTime,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_job_counts_its_crashes_itself_but_needs_an_image() {
    let job = Scene { kind: "Job", ..SET };
    check(job.clone(), Ends::InTime).await;
    let waiting = "InvalidImageName";
    check(Scene { waiting, ..job }, Ends::Early).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_so_before_the_change_ends_no_wait() {
    let created = "2026-11-21T09:59:59Z";
    check(Scene { created, ..SET }, Ends::InTime).await;
    check(
        Scene {
            created: "?",
            ..SET
        },
        Ends::InTime,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_pods_waits_and_learns_no_more() {
    let scene = Scene { code: 403, ..SET };
    let (unready, seconds, _) = wait(scene, Condition::Ready).await;
    assert_eq!(seconds, DEADLINE.as_secs());
    assert_eq!(unready[0].diagnosis, super::super::Diagnosis::default());
    let health = Health::InProgress("0 of 1 pods ready".to_owned());
    assert_eq!(unready[0].health, health);
}

#[tokio::test(start_paused = true)]
async fn crashing_pods_do_not_matter_where_old_ones_have_to_end() {
    let (unready, _, asked) = wait(SET, Condition::NoOldPods).await;
    assert_eq!(unready, []);
    assert!(
        asked
            .lock()
            .unwrap()
            .iter()
            .all(|one| !one.contains("/log"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_costs_one_list() {
    let ready = Scene {
        ready: 1,
        ..DEPLOYMENT
    };
    let (unready, _, asked) = wait(ready, Condition::Ready).await;
    assert_eq!(unready, []);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pods_by_themselves_and_those_of_workloads_are_watched_together() {
    let (cluster, asked) = mock(|request, _| async move {
        let of_pods = request.uri().path().ends_with("/pods");
        let query = request.uri().query().unwrap_or_default();
        if !query.contains("watch=true") && !of_pods {
            return Ok(answer(200, &SET.answer(&request).1));
        }
        if query.contains("watch=true") {
            if !of_pods {
                return pending().await;
            }
            tokio::time::sleep(GRACE * 4).await;
            let event = json!({"type": "MODIFIED", "object": SET.pod()});
            return Ok(answer(200, &format!("{event}\n")));
        }
        let alone = json!({"metadata": {"name": "alone"}, "status": {"phase": "Pending"}});
        let waiting = "ContainerCreating";
        let all = json!([alone, Scene { waiting, ..SET }.pod()]);
        let list = json!({"metadata": {"resourceVersion": "7"}, "items": all});
        Ok(answer(200, &list.to_string()))
    });
    let id = |group: &str, kind: &str, name: &str| ResourceId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    };
    let set = builtin::kind("apps", "StatefulSet").unwrap().clone();
    let wait = Wait {
        wanted: &[
            (id("apps", "StatefulSet", "web"), set),
            (id("", "Pod", "alone"), owner::pods().clone()),
        ],
        until: Condition::Ready,
        deadline: DEADLINE,
        since: BEGIN.parse().unwrap(),
    };
    let mut told = Vec::new();
    let mut on = |id: &ResourceId, _: &Health| told.push(id.to_string());
    let ended = cluster.wait_for(wait, &mut on).await;
    let Err(Error::NotReady { resources }) = ended else {
        panic!("{ended:?}");
    };
    assert!(resources[0].health.is_failed(), "{resources:?}");
    assert_eq!(resources[0].id.name, "web");
    told.sort();
    assert_eq!(told, ["Pod alone", "StatefulSet web", "StatefulSet web"]);
    let asked = asked.lock().unwrap();
    let of_pods = asked.iter().filter(|line| line.contains("/pods?"));
    let watches = of_pods.filter(|line| line.contains("watch=true"));
    assert_eq!(watches.count(), 1, "{asked:#?}");
}

#[tokio::test(start_paused = true)]
async fn pods_events_and_logs_explain_the_end() {
    let (unready, _, asked) = wait(SET, Condition::Ready).await;
    assert_eq!(
        unready[0].to_string(),
        "StatefulSet web (0 of 1 pods ready: pod web-0 does not recover by itself; \
         pod web-0: container app: CrashLoopBackOff: exit code 1, 6 restarts)"
    );
    let pod = &unready[0].diagnosis.pods[0];
    assert_eq!(pod.log, ["starting", "no etcd for [hidden]"]);
    assert_eq!(
        (pod.events[0].reason.as_str(), pod.events[0].count),
        ("Unhealthy", 12)
    );
    let asked = asked.lock().unwrap();
    let said = |part: &str| asked.iter().any(|one| one.contains(part));
    assert!(said("events?fieldSelector=type%3DWarning&limit=500"));
    assert!(said(
        "pods/web-0/log?container=app&tailLines=100&limitBytes=262144&previous=true"
    ));
}
