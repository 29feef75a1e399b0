//! Leases of releases on the real API server.

use std::pin::pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pintle::cluster::{Claim, Cluster, Holder, Taking};
use pintle::release::check_name;
use serde_json::{Value, json};

use super::{address, connect, create, kind, kubeconfig, new_namespace};

fn claim<'a>(cluster: &'a Cluster, release: &'a str, identity: &'a str) -> Claim<'a> {
    Claim {
        namespace: cluster.namespace(),
        release,
        holder: Holder {
            identity,
            is_dead: |_| false,
        },
        now: Timestamp::now,
    }
}

/// Who has the Lease after `identity` has claimed it.
async fn holder(cluster: &Cluster, release: &str, identity: &str) -> String {
    let claim = claim(cluster, release, identity);
    match cluster.take_lease(claim).await.unwrap() {
        Taking::Taken(_) => identity.to_owned(),
        Taking::Held(tenure) => tenure.holder,
    }
}

#[tokio::test]
async fn every_release_has_a_lease_of_its_own() {
    let cluster = new_namespace("lease").await;
    let longest = format!("{}.{}", "a".repeat(26), "b".repeat(26));
    for release in ["web", "web.v2", "0", &longest] {
        check_name(release).unwrap();
        assert_eq!(holder(&cluster, release, "one").await, "one");
        assert_eq!(holder(&cluster, release, "two").await, "one");
        let kind = kind("coordination.k8s.io", "Lease");
        let name = format!("pintle.{release}");
        let live = cluster.get(&address(&kind, &name)).await.unwrap().unwrap();
        assert_eq!(live["metadata"]["labels"]["pintle.dev/release"], release);
        assert_eq!(live["metadata"]["managedFields"][0]["manager"], "pintle");
        assert_eq!(live["spec"]["leaseDurationSeconds"], 30);
    }
}

#[tokio::test]
async fn a_lease_that_is_given_back_is_free() {
    let cluster = new_namespace("lease-back").await;
    let claim = claim(&cluster, "web", "one");
    let Taking::Taken(lease) = cluster.take_lease(claim).await.unwrap() else {
        panic!("held by somebody else");
    };
    assert_eq!(lease.before(), None);
    let held = cluster.lease_holder(claim).await.unwrap().unwrap();
    assert_eq!(held.holder, "one");
    lease.release().await.unwrap();
    assert_eq!(cluster.lease_holder(claim).await.unwrap(), None);
    assert_eq!(holder(&cluster, "web", "two").await, "two");
}

/// When the Lease of `claim` was renewed last.
async fn renewal(cluster: &Cluster, claim: Claim<'_>) -> Value {
    let kind = kind("coordination.k8s.io", "Lease");
    let name = format!("pintle.{}", claim.release);
    let live = cluster.get(&address(&kind, &name)).await.unwrap();
    live.unwrap()["spec"]["renewTime"].take()
}

#[tokio::test]
async fn a_lease_is_renewed_after_ten_seconds() {
    let cluster = new_namespace("lease-kept").await;
    let claim = claim(&cluster, "web", "one");
    let Taking::Taken(mut lease) = cluster.take_lease(claim).await.unwrap() else {
        panic!("held by somebody else");
    };
    {
        let mut keep = pin!(lease.keep());
        let before = renewal(&cluster, claim).await;
        assert!(futures::poll!(keep.as_mut()).is_pending());
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(11)).await;
        tokio::time::resume();
        let renewed = async { while renewal(&cluster, claim).await == before {} };
        let limit = tokio::time::timeout(Duration::from_mins(1), renewed);
        tokio::select! {
            lost = keep => panic!("lost: {lost}"),
            in_time = limit => in_time.unwrap(),
        }
    }
    // Whether its answer has come in or not.
    lease.release().await.unwrap();
    assert_eq!(cluster.lease_holder(claim).await.unwrap(), None);
}

#[tokio::test]
async fn one_of_many_takes_over_a_lease_that_is_over() {
    let cluster = new_namespace("lease-race").await;
    let kind = kind("coordination.k8s.io", "Lease");
    let old = json!({"metadata": {"labels": {"mine": "stays"}}, "spec": {
        "holderIdentity": "gone", "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.000000Z"}});
    create(&cluster, (&kind, "pintle.web"), old).await;
    let names: Vec<String> = (0..8).map(|number| format!("racer-{number}")).collect();
    let racers = names.iter().map(|name| holder(&cluster, "web", name));
    let winners = futures::future::join_all(racers).await;
    let won = names
        .iter()
        .zip(&winners)
        .filter(|(name, winner)| name == winner);
    assert_eq!(won.count(), 1, "{winners:?}");
    let live = cluster
        .get(&address(&kind, "pintle.web"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(live["metadata"]["labels"]["mine"], "stays");
    assert!(
        winners
            .iter()
            .all(|w| live["spec"]["holderIdentity"] == **w)
    );
}

/// A clock that is ten minutes late.
fn late() -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(10)
}

/// A clock that is ten minutes ahead.
fn ahead() -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(10)
}

#[tokio::test]
async fn clocks_that_are_wrong_do_no_harm() {
    let right = new_namespace("lease-clocks").await;
    let namespace = right.namespace();
    let late_one = connect(kubeconfig(), namespace).await.beside_clock(late);
    late_one.version().await.unwrap();
    let its = Claim {
        now: late,
        ..claim(&late_one, "web", "late")
    };
    let taken = late_one.take_lease(its).await.unwrap();
    assert!(matches!(taken, Taking::Taken(_)));
    assert_eq!(holder(&right, "web", "right").await, "late");
    let fast_one = connect(kubeconfig(), namespace).await.beside_clock(ahead);
    let its = Claim {
        now: ahead,
        ..claim(&fast_one, "web", "fast")
    };
    match fast_one.take_lease(its).await.unwrap() {
        Taking::Held(tenure) => assert_eq!(tenure.holder, "late"),
        Taking::Taken(_) => panic!("a live Lease was taken over"),
    }
}
