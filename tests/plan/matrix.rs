//! Every built-in kind that a chart can have goes through every way in which a chart can change it, on
//! the real API server: `tests/cases/matrix.yaml`.
//!
//! All kinds are one release, and each column of the table is one upgrade. After each of them a resource
//! is what the API server makes of the manifest alone (a dry run of creating it anew), plus what another
//! manager has written into it, and the same upgrade once more sends nothing but reads. Then all of it comes
//! by server-side apply as well, in fewer upgrades.

pub(super) mod compare;
mod table;

use std::path::Path;

use futures::future::join_all;
use pintle::builtin;
use pintle::cluster::{Address, Patch, Write};
use pintle::ops::{self, Change, Rules, ServerSide, Terms};
use pintle::plan::redact::Secrets;
use pintle::plan::report::Report;
use pintle::plan::{Consent, Effect, Permit};
use serde_json::{Value, json};

use super::chart;
use super::requests::Listening;
use crate::support::library::Library;
use crate::support::{Place, testbed};
use table::{Row, table};

/// What is not from the chart, in every resource.
fn mark() -> Value {
    let other = json!({"example.com/other": "x"});
    json!({"metadata": {"labels": other, "annotations": other}})
}

/// A release of all kinds.
struct Matrix {
    place: Place,
    library: Library,
    /// The same through a proxy that writes requests down.
    proxied: Library,
    listening: Listening,
    /// A name that nobody else has.
    name: String,
    rows: Vec<Row>,
}

impl Matrix {
    async fn new() -> Self {
        let place = Place::new("matrix");
        let name = format!("{}-all", place.namespace);
        let listening = Listening::on(&place);
        let namespace = &place.namespace;
        Self {
            library: Library::of(&testbed().kubeconfig, namespace, "all").await,
            proxied: Library::of(Path::new(&listening.kubeconfig), namespace, "all").await,
            rows: table(&name).kinds,
            listening,
            name,
            place,
        }
    }

    /// The chart with all kinds as they are wanted now, and one resource that is always there.
    fn chart(&self, rows: &[Row]) -> String {
        let keeper =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keeper"}});
        let bodies = rows.iter().map(|row| &row.desired);
        let documents = bodies.chain([&keeper]).map(|body| format!("---\n{body}\n"));
        chart(&self.place, "all", &documents.collect::<String>())
    }

    /// Somebody else writes into all resources.
    async fn disturb(&self) {
        let by = Write::by("somebody");
        let writes = self.rows.iter().map(async |row| {
            let kind = row.kind();
            let at = address(kind, row.name());
            let foreign = Patch::StrategicMerge(&row.foreign);
            self.library.cluster.patch(&at, foreign, by).await.unwrap();
            self.library
                .cluster
                .patch(&at, Patch::Merge(&mark()), by)
                .await
                .unwrap();
        });
        join_all(writes).await;
    }

    /// What is wrong with each resource, if anything is.
    async fn wrong(&self, foreign: Foreign) -> Vec<String> {
        let found = self.rows.iter().map(async |row| {
            let cluster = &self.library.cluster;
            let kind = row.kind();
            let live = cluster.get(&address(kind, row.name())).await.unwrap();
            let Some(live) = live else {
                return vec![format!("{} is not there", kind.kind)];
            };
            let anew = row
                .desired
                .to_string()
                .replace(&self.name, &format!("{}2", self.name));
            let anew: Value = serde_json::from_str(&anew).unwrap();
            let at = address(kind, anew["metadata"]["name"].as_str().unwrap());
            let made = cluster
                .create(&at, &anew, Write::by("somebody").dry_run())
                .await;
            let made = made
                .unwrap_or_else(|error| panic!("{error}: {anew}"))
                .live
                .to_string();
            let made = made.replace(&format!("{}2", self.name), &self.name);
            let foreign = match foreign {
                Foreign::Stays => merged(&row.foreign, &mark()),
                Foreign::None => Value::Null,
            };
            let clean = |body| compare::clean(body, &row.assigned);
            let sides = [
                clean(live),
                clean(serde_json::from_str(&made).unwrap()),
                foreign,
            ];
            let found = compare::compare(&sides);
            found
                .into_iter()
                .map(|what| format!("{} {what}", kind.kind))
                .collect()
        });
        join_all(found).await.concat()
    }

    /// Makes the changes of columns, carries the upgrade out, and checks what comes of it.
    async fn upgrade(&mut self, columns: &[&str], terms: &Terms) {
        for row in &mut self.rows {
            for column in columns {
                row.step(column);
            }
        }
        let column = columns.join(", ");
        let folder = self.chart(&self.rows);
        let change = self.library.upgrade(&folder, terms).await;
        for row in &self.rows {
            let is_changed = columns.iter().any(|column| row.has(column));
            let expected = if is_changed {
                Effect::Configure
            } else {
                Effect::Unchanged
            };
            // The fields of the others change hands.
            if is_changed || terms.server_side == ServerSide::Auto {
                let effect = effect(&change, row);
                assert_eq!(effect, Some(expected), "{column} of {}", row.kind().kind);
            }
        }
        self.library.execute(change).await;
        let wrong = self.wrong(Foreign::Stays).await;
        assert!(wrong.is_empty(), "after {column}:\n{}", wrong.join("\n"));
        self.listening.taken();
        let again = self.proxied.upgrade(&folder, &Library::terms()).await;
        assert!(
            again.is_no_op(),
            "{column} once more: {:#?}",
            Report::of(&again.plan, Secrets::Redacted)
        );
        self.proxied.execute(again).await;
        assert_eq!(
            self.listening.taken(),
            [] as [&str; 0],
            "{column} once more"
        );
    }

    async fn roll_back(&self) {
        let session = self.library.session();
        let change = ops::rollback(&session, Some(1), Rules::Hold, &Library::terms()).await;
        self.library.execute(change.unwrap()).await;
    }

    /// Waits until nothing of the kinds is there.
    fn gone(&self) {
        let resource = |row: &Row| {
            let kind = row.kind();
            format!(
                "{}.{}.{}/{}",
                kind.plural,
                kind.version,
                kind.group,
                row.name()
            )
        };
        let names: Vec<String> = self.rows.iter().map(resource).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wait = ["wait", "--for=delete", "--timeout=60s"];
        self.place.kubectl(&[&wait[..], &names].concat()).ok();
    }
}

/// Whether others have written into the resources.
#[derive(Clone, Copy)]
enum Foreign {
    Stays,
    None,
}

fn address<'a>(kind: &'a builtin::Kind, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: None,
        name,
    }
}

fn merged(a: &Value, b: &Value) -> Value {
    let mut all = a.as_object().cloned().unwrap_or_default();
    for (key, value) in b.as_object().into_iter().flatten() {
        let value = match all.get(key) {
            Some(own) => merged(own, value),
            None => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    Value::Object(all)
}

fn effect(change: &Change, row: &Row) -> Option<Effect> {
    let mut steps = change.plan.steps();
    let kind = row.kind();
    let step = steps.find(|step| step.id.kind == kind.kind && step.id.name == row.name());
    step.map(pintle::plan::Step::effect)
}

/// All of the changes once more by server-side apply, half of the columns at a time: the first upgrade
/// changes over, and the next goes on so.
async fn by_server_side_apply(matrix: &mut Matrix) {
    for row in &mut matrix.rows {
        row.own();
    }
    let first = matrix.rows.clone();
    matrix.disturb().await;
    let over = Terms {
        server_side: ServerSide::True,
        ..Library::terms()
    };
    let (early, late) = table::COLUMNS.split_at(table::COLUMNS.len() / 2);
    Box::pin(matrix.upgrade(early, &over)).await;
    Box::pin(matrix.upgrade(late, &Library::terms())).await;
    matrix.rows = first;
    matrix.roll_back().await;
    let wrong = matrix.wrong(Foreign::Stays).await;
    assert_eq!(
        wrong,
        [] as [&str; 0],
        "after the rollback by server-side apply"
    );
}

#[tokio::test]
async fn every_kind_goes_through_every_change() {
    let mut matrix = Matrix::new().await;
    let first = matrix.rows.clone();
    let folder = matrix.chart(&first);
    matrix
        .place
        .pintle(&["install", "all", &folder, "--no-wait"])
        .ok();
    matrix.disturb().await;
    assert_eq!(
        matrix.wrong(Foreign::Stays).await,
        [] as [&str; 0],
        "after the installation"
    );
    for column in table::COLUMNS {
        Box::pin(matrix.upgrade(&[column], &Library::terms())).await;
    }
    matrix.rows.clone_from(&first);
    matrix.roll_back().await;
    assert_eq!(
        matrix.wrong(Foreign::Stays).await,
        [] as [&str; 0],
        "after the rollback"
    );

    let consent = Consent {
        permits: [Permit::DeleteData].into(),
        ..Consent::default()
    };
    let terms = Terms {
        consent,
        ..Library::terms()
    };
    let change = matrix.library.upgrade(&matrix.chart(&[]), &terms).await;
    matrix.library.execute(change).await;
    matrix.gone();
    matrix.roll_back().await;
    let wrong = matrix.wrong(Foreign::None).await;
    assert_eq!(
        wrong,
        [] as [&str; 0],
        "after the rollback to what was deleted"
    );
    Box::pin(by_server_side_apply(&mut matrix)).await;
    matrix.place.pintle(&["uninstall", "all"]).ok();
    matrix.gone();
}
