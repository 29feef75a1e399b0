//! Waiting for readiness and for deletion.

use std::time::Duration;

use jiff::Timestamp;
use pintle::capabilities::Kind;
use pintle::cluster::{Cluster, Error, Patch, Unready, Wait, Write};
use pintle::health::{Condition, Health};
use pintle::manifest::ResourceId;
use serde_json::json;

use super::{address, config_map, create, delete, id, kind, new_namespace, wanted, workload};

const LONG: Duration = Duration::from_mins(1);
/// Long enough for controllers to have reported; what is waited for never comes.
const SHORT: Duration = Duration::from_secs(3);

/// Waits and returns everything that was told, as `name: reason`.
async fn wait(
    cluster: &Cluster,
    wanted: &[(ResourceId, Kind)],
    deadline: Duration,
) -> (Result<(), Error>, Vec<String>) {
    let mut told = Vec::new();
    let mut on = |id: &ResourceId, health: &Health| {
        told.push(format!(
            "{}: {}",
            id.name,
            health.reason().unwrap_or("ready")
        ));
    };
    let until = Condition::Ready;
    let wait = Wait {
        wanted,
        until,
        deadline,
        since: Timestamp::UNIX_EPOCH,
    };
    let outcome = cluster.wait_for(wait, &mut on).await;
    (outcome, told)
}

fn unready(outcome: Result<(), Error>) -> Vec<Unready> {
    match outcome {
        Err(Error::NotReady { resources } | Error::NotGone { resources }) => resources,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rollout_is_followed_to_its_end() {
    let cluster = new_namespace("rollout").await;
    let kinds = [
        kind("apps", "Deployment"),
        kind("apps", "StatefulSet"),
        config_map(),
    ];
    let mut all = Vec::new();
    for of in &kinds {
        let fields = if of.group == "apps" {
            workload(2)
        } else {
            json!({})
        };
        create(&cluster, (of, "web"), fields).await;
        all.extend(wanted(of, &["web"]));
    }
    let (outcome, told) = wait(&cluster, &all, LONG).await;
    outcome.unwrap();
    assert_eq!(
        told.iter().filter(|line| *line == "web: ready").count(),
        3,
        "{told:?}"
    );

    let (outcome, told) = wait(&cluster, &all, LONG).await;
    outcome.unwrap();
    assert_eq!(told, ["web: ready", "web: ready", "web: ready"]);
}

#[tokio::test]
async fn what_does_not_exist_yet_is_waited_for() {
    let cluster = new_namespace("later").await;
    let kind = config_map();
    let all = wanted(&kind, &["a", "b"]);
    create(&cluster, (&kind, "a"), json!({})).await;
    let later = async {
        create(&cluster, (&kind, "other"), json!({})).await;
        create(&cluster, (&kind, "b"), json!({})).await;
    };
    let ((outcome, told), ()) = tokio::join!(wait(&cluster, &all, LONG), later);
    outcome.unwrap();
    assert_eq!(told.last().unwrap(), "b: ready");
}

#[tokio::test]
async fn pods_say_why_a_workload_is_not_ready() {
    let cluster = new_namespace("stuck").await;
    let kind = kind("apps", "Deployment");
    let mut fields = workload(1);
    fields["spec"]["template"]["spec"]["nodeSelector"] = json!({"moon": "full"});
    create(&cluster, (&kind, "web"), fields).await;
    let (outcome, _) = wait(&cluster, &wanted(&kind, &["web", "none"]), SHORT).await;
    let resources = unready(outcome);
    assert_eq!(resources[0].id, id(&kind, "none"));
    assert_eq!(
        resources[0].health,
        Health::InProgress("missing".to_owned())
    );
    assert_eq!(
        resources[1].health,
        Health::InProgress("0 of 1 pods ready".to_owned())
    );
    let [pod] = resources[1].diagnosis.pods.as_slice() else {
        panic!("{:?}", resources[1]);
    };
    let said = format!("{}: {}", pod.name, pod.trouble);
    assert!(
        said.starts_with("web-") && said.contains(": not scheduled: 0/"),
        "{said}"
    );
    // The event of the scheduler says the same.
    assert_eq!(pod.events, []);
}

#[tokio::test]
async fn a_failure_for_good_ends_a_wait() {
    let cluster = new_namespace("failed").await;
    let kind = kind("apps", "Deployment");
    let mut fields = workload(1);
    fields["spec"]["template"]["spec"]["nodeSelector"] = json!({"moon": "full"});
    fields["spec"]["progressDeadlineSeconds"] = json!(1);
    create(&cluster, (&kind, "web"), fields).await;
    let (outcome, _) = wait(&cluster, &wanted(&kind, &["web"]), Duration::MAX).await;
    let resources = unready(outcome);
    let reason = resources[0].health.reason().unwrap();
    assert!(resources[0].health.is_failed());
    assert!(reason.contains("has timed out progressing"), "{reason}");
}

#[tokio::test]
async fn a_job_is_ready_when_it_is_complete() {
    let cluster = new_namespace("job").await;
    let kind = kind("batch", "Job");
    let fields = json!({"spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "app", "image": "app:1"}]}}}});
    create(&cluster, (&kind, "once"), fields).await;
    let (outcome, told) = wait(&cluster, &wanted(&kind, &["once"]), LONG).await;
    outcome.unwrap();
    assert_eq!(told.last().unwrap(), "once: ready");
}

#[tokio::test]
async fn what_is_held_is_named_until_it_is_gone() {
    let cluster = new_namespace("gone").await;
    let kind = config_map();
    create(&cluster, (&kind, "a"), json!({})).await;
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    create(&cluster, (&kind, "b"), held).await;
    let all = wanted(&kind, &["a", "b", "never-there"]);
    delete(&cluster, &kind, "b").await;
    let resources = unready(cluster.wait_gone(&all, SHORT).await);
    let reasons: Vec<_> = resources
        .iter()
        .map(|one| one.health.reason().unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "not being deleted",
            "being deleted, held by example.com/hold"
        ]
    );

    let free = json!({"metadata": {"finalizers": null}});
    let later = async {
        delete(&cluster, &kind, "a").await;
        let at = address(&kind, "b");
        cluster
            .patch(&at, Patch::Merge(&free), Write::by("helm"))
            .await
            .unwrap();
    };
    let (outcome, ()) = tokio::join!(cluster.wait_gone(&all, LONG), later);
    outcome.unwrap();
    cluster.wait_gone(&all, LONG).await.unwrap();
}
