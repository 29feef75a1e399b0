//! Which requests a Lease costs, and what becomes of it when others want it too. Who may take it
//! over is tested beside [`Tenure`], the real API server's part in `tests/cluster`.

use std::cell::Cell;

use http::{Request, Response};
use kube::client::Body;
use tokio::time::Instant;

use super::super::tests::{Asked, answer, mock};
use super::*;

const EPOCH: &str = "2026-11-21T10:00:00Z";
const CREATE: &str = "POST /apis/coordination.k8s.io/v1/namespaces/shop/leases\
                      ?fieldManager=pintle&fieldValidation=Warn";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/pintle.web";

thread_local! {
    static START: Cell<Instant> = Cell::new(Instant::now());
    /// How much longer the machine has slept, which tokio's clock does not know.
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A clock that goes with tokio's, and on while the machine sleeps.
fn now() -> Timestamp {
    let gone = START.get().elapsed();
    EPOCH.parse::<Timestamp>().unwrap() + gone + SLEPT.get()
}

fn claim() -> Claim<'static> {
    Claim {
        namespace: "shop",
        release: "web",
        holder: Holder {
            identity: "me",
            is_dead: |holder| holder == "dead",
        },
        now,
    }
}

/// A Lease of `holder` that was taken at the beginning of the test.
fn lease(holder: &str) -> String {
    json!({
        "metadata": {"name": "pintle.web", "uid": "u", "resourceVersion": "7"},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 30,
            "acquireTime": "2026-11-21T10:00:00.000000Z",
            "renewTime": "2026-11-21T10:00:00.000000Z",
        },
    })
    .to_string()
}

fn refusal(code: u16, reason: &str) -> Response<Body> {
    let body = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason});
    answer(code, &body.to_string())
}

/// An API server that answers by this script, the last line for ever: a holder is a Lease, a
/// number a refusal.
fn server(script: &'static [&'static str]) -> (Cluster, Asked) {
    // The clock begins with the test.
    START.set(Instant::now());
    SLEPT.set(Duration::ZERO);
    mock(move |_: Request<Body>, number| async move {
        Ok(match script[script.len().min(number) - 1] {
            "exists" => refusal(409, "AlreadyExists"),
            "conflict" => refusal(409, "Conflict"),
            "none" => refusal(404, "NotFound"),
            "forbidden" => refusal(403, "Forbidden"),
            "broken" => answer(500, ""),
            holder => answer(200, &lease(holder)),
        })
    })
}

/// The verbs of what was asked.
fn verbs(asked: &Asked) -> String {
    let asked = asked.lock().unwrap();
    let verbs: Vec<_> = asked
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    verbs.join(" ")
}

async fn check_taking(script: &'static [&'static str], expected: &str, requests: &str) {
    let (cluster, asked) = server(script);
    let found = match cluster.take_lease(claim()).await {
        Ok(Taking::Held(tenure)) => format!("held by {}", tenure.holder),
        Ok(Taking::Taken(lease)) => match lease.before() {
            None => "taken".to_owned(),
            Some(tenure) => format!("taken over from {}", tenure.holder),
        },
        Err(error) => error.to_string(),
    };
    assert_eq!(
        (found.as_str(), verbs(&asked).as_str()),
        (expected, requests)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_has_one_holder() {
    check_taking(&["me"], "taken", "POST").await;
    check_taking(&["exists", "you"], "held by you", "POST GET").await;
    check_taking(
        &["exists", "dead", "me"],
        "taken over from dead",
        "POST GET PUT",
    )
    .await;
    check_taking(&["exists", "none", "me"], "taken", "POST GET POST").await;
    check_taking(
        &["exists", "dead", "conflict", "exists", "you"],
        "held by you",
        "POST GET PUT POST GET",
    )
    .await;
    // What this process has written without hearing of it is its own.
    check_taking(
        &["exists", "dead", "conflict", "exists", "me", "me"],
        "taken",
        "POST GET PUT POST GET PUT",
    )
    .await;
    check_taking(
        &["forbidden"],
        "not allowed to create Lease pintle.web in namespace shop",
        "POST",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_race_without_end_is_a_conflict() {
    let (cluster, asked) = mock(|request: Request<Body>, _| async move {
        Ok(match request.method().as_str() {
            "GET" => refusal(404, "NotFound"),
            _ => refusal(409, "AlreadyExists"),
        })
    });
    let taking = cluster.take_lease(claim()).await;
    assert!(taking.err().unwrap().is_conflict());
    assert_eq!(asked.lock().unwrap().len(), 2 * RACES);
}

async fn taken(cluster: &Cluster) -> Lease<'_> {
    match cluster.take_lease(claim()).await.unwrap() {
        Taking::Taken(lease) => lease,
        Taking::Held(tenure) => panic!("held by {}", tenure.holder),
    }
}

#[tokio::test(start_paused = true)]
async fn taking_and_giving_back_are_one_request_each() {
    let (cluster, asked) = server(&["me"]);
    taken(&cluster).await.release().await.unwrap();
    assert_eq!(
        *asked.lock().unwrap(),
        [CREATE.to_owned(), format!("DELETE {LEASE}")]
    );
}

async fn check_release(script: &'static [&'static str], expected: &str, requests: &str) {
    let (cluster, asked) = server(script);
    let found = match taken(&cluster).await.release().await {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        (found.as_str(), verbs(&asked).as_str()),
        (expected, requests)
    );
}

#[tokio::test(start_paused = true)]
async fn only_an_own_lease_is_deleted() {
    check_release(&["me", "none"], "done", "POST DELETE").await;
    check_release(&["me", "conflict", "none"], "done", "POST DELETE GET").await;
    check_release(&["me", "conflict", "you"], "done", "POST DELETE GET").await;
    // A renewal of which nobody has heard.
    check_release(
        &["me", "conflict", "me", "me"],
        "done",
        "POST DELETE GET DELETE",
    )
    .await;
    check_release(
        &["me", "forbidden"],
        "not allowed to delete Lease pintle.web in namespace shop",
        "POST DELETE",
    )
    .await;
}

async fn check_keeping(script: &'static [&'static str], expected: &str, requests: &str) {
    let (cluster, asked) = server(script);
    let mut lease = taken(&cluster).await;
    let start = Instant::now();
    let lost = lease.keep().await;
    let found = format!("{}s: {lost}", start.elapsed().as_secs());
    assert_eq!(
        (found.as_str(), verbs(&asked).as_str()),
        (expected, requests)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_until_it_is_lost() {
    let deleted = "its Lease was deleted";
    check_keeping(
        &["me", "me", "me", "conflict", "you"],
        "30s: you has taken it over",
        "POST PUT PUT PUT GET",
    )
    .await;
    check_keeping(
        &["me", "conflict", "none"],
        &format!("10s: {deleted}"),
        "POST PUT GET",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again() {
    check_keeping(
        &["me", "broken", "broken", "me", "conflict", "none"],
        "20s: its Lease was deleted",
        "POST PUT PUT PUT PUT GET",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_has_labelled_is_renewed() {
    check_keeping(
        &["me", "conflict", "me", "me", "conflict", "none"],
        "20s: its Lease was deleted",
        "POST PUT GET PUT PUT GET",
    )
    .await;
}

/// Holds a Lease while its renewals fail, or hang, for 40 s, and deletes it after 58 s: tells when
/// it was held and when not, rounded down to 5 s, since retries come by chance.
async fn check_outage(pause: Duration, expected: &str) {
    now();
    let start = Instant::now();
    let (cluster, _) = mock(move |request: Request<Body>, _| async move {
        let (method, elapsed) = (request.method().clone(), start.elapsed().as_secs());
        if method == "PUT" && elapsed < 40 {
            sleep(pause).await;
            return Err("broken".into());
        }
        Ok(match method.as_str() {
            "GET" => refusal(404, "NotFound"),
            "PUT" if elapsed > 58 => refusal(409, "Conflict"),
            _ => answer(200, &lease("me")),
        })
    });
    let mut lease = taken(&cluster).await;
    let hold = lease.hold();
    let mut told = vec![];
    let watching = async {
        let mut before = true;
        loop {
            let is_fresh = hold.is_fresh();
            if is_fresh != before {
                let now = if is_fresh { "held" } else { "not" };
                told.push(format!("{now} {}s", start.elapsed().as_secs() / 5 * 5));
            }
            before = is_fresh;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let lost = tokio::select! {
        lost = lease.keep() => lost,
        () = watching => unreachable!("it watches for ever"),
    };
    let end = start.elapsed().as_secs() / 5 * 5;
    told.push(format!("{lost} {end}s"));
    assert_eq!(told.join(", "), expected);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_holds_again_when_it_is() {
    check_outage(
        Duration::ZERO,
        "not 25s, held 40s, its Lease was deleted 60s",
    )
    .await;
    // An answer that never comes is not waited for.
    check_outage(
        Duration::from_hours(1),
        "not 25s, held 40s, its Lease was deleted 60s",
    )
    .await;
}

/// What becomes of waiting for a Lease to be fresh that was not renewed for 31 s, by one of the clocks.
async fn check_sleep(slept: Duration, script: &'static [&'static str], expected: &str) {
    let (cluster, asked) = server(script);
    let mut lease = taken(&cluster).await;
    let hold = lease.hold();
    assert!(hold.is_fresh());
    SLEPT.set(slept);
    tokio::time::advance(Duration::from_secs(31).saturating_sub(slept)).await;
    assert!(!hold.is_fresh());
    let start = Instant::now();
    let found = tokio::select! {
        biased;
        () = hold.renewed() => "renewed".to_owned(),
        lost = lease.keep() => lost.to_string(),
    };
    assert_eq!(start.elapsed(), Duration::ZERO, "it is asked at once");
    assert_eq!(format!("{found}: {}", verbs(&asked)), expected);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_slept_asks_before_it_goes_on() {
    check_sleep(Duration::ZERO, &["me"], "renewed: POST PUT").await;
    check_sleep(
        Duration::ZERO,
        &["me", "conflict", "you"],
        "you has taken it over: POST PUT GET",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn so_does_one_whose_machine_slept() {
    let slept = Duration::from_secs(31);
    check_sleep(slept, &["me"], "renewed: POST PUT").await;
}

/// What reading a Lease tells that was renewed `ago`.
async fn check_reading(ago: Duration, script: &'static [&'static str], expected: &str) {
    let (cluster, _) = server(script);
    let lease = taken(&cluster).await;
    tokio::time::advance(ago).await;
    let found = match lease.hold().lost().await {
        Ok(None) => "held".to_owned(),
        Ok(Some(lost)) => lost.to_string(),
        Err(_) => "unknown".to_owned(),
    };
    assert_eq!(found, expected, "{ago:?} {script:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_read_is_held_while_it_is_fresh() {
    let (soon, late) = (Duration::from_secs(1), Duration::from_secs(26));
    check_reading(soon, &["me"], "held").await;
    check_reading(soon, &["me", "forbidden"], "held").await;
    check_reading(soon, &["me", "you"], "you has taken it over").await;
    check_reading(late, &["me"], "held").await;
    check_reading(late, &["me", "forbidden"], "unknown").await;
    check_reading(late, &["me", "none"], "its Lease was deleted").await;
}

/// What comes of a claim to a Lease that somebody renewed at 10:00:00, where it is `date` by the API server's
/// clock, and so many seconds after 10:00:00 by the own one.
async fn claimed(date: &'static str, own: u64) -> String {
    START.set(Instant::now());
    SLEPT.set(Duration::from_secs(own));
    let (cluster, _) = mock(move |request: Request<Body>, _| async move {
        let mut answer = match request.method().as_str() {
            "POST" => refusal(409, "AlreadyExists"),
            "PUT" => Response::new(request.into_body()),
            _ => answer(200, &lease("you")),
        };
        let date = http::HeaderValue::from_static(date);
        answer.headers_mut().insert(http::header::DATE, date);
        Ok(answer)
    });
    let cluster = cluster.beside_clock(now);
    match cluster.take_lease(claim()).await.unwrap() {
        Taking::Held(tenure) => format!("held by {}", tenure.holder),
        Taking::Taken(mut lease) => {
            lease.try_to_renew().await.ok().unwrap();
            let renewed = lease.live["spec"]["renewTime"].take();
            renewed.as_str().unwrap().to_owned()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn leases_are_judged_and_renewed_by_the_clock_of_the_api_server() {
    // The own clock is ahead: the Lease is not over.
    assert_eq!(
        claimed("Sat, 21 Nov 2026 10:00:05 GMT", 600).await,
        "held by you"
    );
    // It is late: the Lease has been over for long.
    let renewed = claimed("Sat, 21 Nov 2026 10:10:00 GMT", 1).await;
    assert_eq!(renewed, "2026-11-21T10:10:00.000000Z");
    // An API server may be the one that is ahead.
    assert_eq!(
        claimed("Sat, 21 Nov 2026 10:00:40 GMT", 1).await,
        "held by you"
    );
    // It agrees well enough, and is more precise.
    let renewed = claimed("Sat, 21 Nov 2026 10:00:32 GMT", 31).await;
    assert_eq!(renewed, "2026-11-21T10:00:31.000000Z");
}

/// Waits for the turn at a Lease that `you` hold, with a watch that says `event` or stays silent, and tells for
/// how many seconds and what was asked.
async fn turn(event: Option<&'static str>) -> (u64, String) {
    let begin = Instant::now();
    START.set(begin);
    SLEPT.set(Duration::ZERO);
    let live: Value = serde_json::from_str(&lease("you")).unwrap();
    let tenure = Tenure::of(&live).unwrap();
    let (cluster, asked) = mock(move |request: Request<Body>, _| {
        let live = live.clone();
        async move {
            let query = request.uri().query().unwrap_or_default();
            Ok(match event {
                Some(event) if query.contains("watch=true") => {
                    let event = json!({"type": event, "object": live});
                    answer(200, &format!("{event}\n"))
                }
                None if query.contains("watch=true") => std::future::pending().await,
                _ => {
                    let list = json!({"metadata": {"resourceVersion": "7"}, "items": [live]});
                    answer(200, &list.to_string())
                }
            })
        }
    });
    let deadline = begin + Duration::from_secs(20);
    cluster
        .lease_turn(claim(), &tenure, deadline)
        .await
        .unwrap();
    (begin.elapsed().as_secs(), verbs(&asked))
}

#[tokio::test(start_paused = true)]
async fn a_turn_comes_when_a_lease_is_given_back() {
    assert_eq!(turn(Some("DELETED")).await, (0, "GET GET".to_owned()));
    assert_eq!(turn(None).await, (20, "GET GET".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_turn_comes_without_a_request_when_a_lease_is_over() {
    // Since it was renewed, the machine has slept.
    let over = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        SLEPT.set(Duration::from_secs(27));
        std::future::pending::<()>().await;
    };
    let (seconds, asked) = tokio::select! {
        turn = turn(None) => turn,
        () = over => unreachable!(),
    };
    assert_eq!((seconds, asked.as_str()), (3, "GET GET"));
}
