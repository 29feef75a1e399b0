//! The readiness of live objects, beside what kubectl and Helm make of the same ones.
//!
//! The rows of `cases/readiness.yaml` are made on the real API server. What controllers of the testbed
//! answer for has the status that they give it; of all else the status is written. What no controller
//! leaves as it is, such as a generation that nobody has seen yet, is what the API server answers to a
//! dry run, which nobody else can look at.

mod finished;
mod peers;
mod table;

use std::collections::BTreeMap;

use pintle::health::{self, Health};
use serde_json::{Value, json};

use crate::kcp::proof::eventually;
use crate::support::{Place, api, testbed};
use table::{Life, Row, Verdict};

/// What the API server answers.
fn send(method: &str, target: &str, body: Option<&Value>) -> Value {
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = http::Request::builder()
        .method(method)
        .uri(target)
        .header("Content-Type", kind)
        .body(
            body.map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
        )
        .unwrap();
    // A kind that is established is served a moment later.
    let text = eventually(&format!("{method} {target}"), || {
        match api::send(&testbed().kubeconfig, request.clone()) {
            Ok(text) => Some(text),
            Err(error) if error.to_string().contains("404 page not found") => None,
            Err(error) => panic!("{method} {target}: {error}"),
        }
    });
    serde_json::from_str(&text).unwrap()
}

/// The objects of the table on the API server.
struct Live<'a> {
    place: &'a Place,
    rows: &'a [Row],
}

impl Live<'_> {
    fn create(&self) {
        let namespace = &self.place.namespace;
        for row in self.rows.iter().filter(|row| row.is_made()) {
            send("POST", &row.collection(namespace), Some(&row.first));
            if let Some(status) = &row.status {
                let target = format!("{}/status", row.path(namespace));
                send("PATCH", &target, Some(&json!({"status": status})));
            }
            if row.life == Life::Deleted {
                send("DELETE", &row.path(namespace), None);
            }
        }
    }

    /// Changes those that begin as another object, once that is ready.
    fn change(&self) {
        for row in self.rows {
            let Some(then) = &row.then else { continue };
            eventually(&format!("{} is ready at first", row.name), || {
                health::of(&self.get(row)).is_ready().then_some(())
            });
            send("PATCH", &row.path(&self.place.namespace), Some(then));
        }
    }

    /// The object of a row as the API server returns it.
    fn get(&self, row: &Row) -> Value {
        let target = row.path(&self.place.namespace);
        match &row.tried {
            None => send("GET", &target, None),
            Some(patch) => {
                let part = patch.get("status").map_or("", |_| "/status");
                send("PATCH", &format!("{target}{part}?dryRun=All"), Some(patch))
            }
        }
    }

    /// Waits until controllers have come to rest: where each row says.
    fn settle(&self) {
        for row in self.rows {
            eventually(&format!("{} is what its row says", row.name), || {
                let is_there = row.pintle.is_said_by(&health::of(&self.get(row)));
                is_there.then_some(())
            });
        }
    }

    fn verdicts(&self) -> BTreeMap<&str, Health> {
        let rows = self.rows.iter();
        rows.map(|row| (row.name.as_str(), health::of(&self.get(row))))
            .collect()
    }
}

#[test]
fn live_objects_are_judged_as_kubectl_and_helm_do_or_for_a_reason() {
    let place = Place::new("readiness");
    let rows = table::rows(&place.namespace);
    let live = Live {
        place: &place,
        rows: &rows,
    };
    live.create();
    live.change();
    live.settle();
    let health = live.verdicts();
    let kubectl = peers::kubectl(&place, &rows);
    let helm = peers::helm(&place, &rows);
    let mut wrong = Vec::new();
    for row in &rows {
        let name = row.name.as_str();
        let said = &health[name];
        if !row.pintle.is_said_by(said) {
            wrong.push(format!("{name}: pintle says {said:?}"));
        }
        for (peer, verdicts, expected) in [
            ("kubectl", &kubectl, row.kubectl),
            ("helm", &helm, row.helm),
        ] {
            let found = verdicts.get(name).copied();
            if found != expected {
                wrong.push(format!("{name}: {peer} says {found:?}"));
            }
        }
        let peers = [row.kubectl, row.helm].into_iter().flatten();
        let differs = peers.into_iter().any(|peer| !peer.agrees_with(said));
        if differs != row.why.is_some() {
            wrong.push(format!(
                "{name}: differs: {differs}, a reason: {:?}",
                row.why
            ));
        }
    }
    for row in rows.iter().filter(|row| row.is_shared()) {
        send("DELETE", &row.path(&place.namespace), None);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 60 && rows.iter().any(|row| row.helm == Some(Verdict::Failed)));
}

/// A Deployment whose pod fits nowhere.
const TEMPLATE: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    helm.sh/readiness-success: '["{{ values.success }}"]'
    helm.sh/readiness-failure: '["{{ values.failure }}"]'
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {nodeSelector: {no: where}, containers: [{name: app, image: "app:1"}]}
"#;

#[test]
fn a_chart_says_when_it_is_ready() {
    let place = Place::new("says");
    let values = "success: '{.updatedReplicas} >= 1'\nfailure: '{.replicas} > 9'\n";
    let chart = place.chart("says", values, TEMPLATE);
    let args = ["upgrade", "--install", "app", &chart, "--timeout", "30m"];
    place.pintle(&args).ok().says(&["ready Deployment web"]);
    let fails = [
        "--set-json",
        r#"success="{.readyReplicas} >= 1",failure="{.unavailableReplicas} == 1""#,
    ];
    let fails = [&args[..], &fails].concat();
    place
        .pintle(&fails)
        .fails_with(3)
        .says(&["Deployment web: helm.sh/readiness-failure holds: {.unavailableReplicas} == 1"]);
    place
        .pintle(&[&args[..], &["--set-string", "failure=replicas"]].concat())
        .fails_with(2)
        .says(&[
            "of what says/templates/all.yaml renders to",
            "Deployment web: helm.sh/readiness-failure: \"replicas\": it begins with a path",
        ]);
}
