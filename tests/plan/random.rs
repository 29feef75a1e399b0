//! Random states of Deployments and Services, whose patches are applied by the real API server.
//!
//! What is expected is merged field by field in [`oracle`], which knows neither patches nor pintle's
//! table of fields, and is written as the API server writes it (a dry run of creating it). Hard cases and
//! those that were wrong once stand in `tests/cases/merges.yaml`.

mod oracle;
mod states;

use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use pintle::builtin;
use pintle::cluster::{Address, Cluster, Deletion, Patch, Write};
use pintle::plan::diff::{Sides, three_way};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::matrix::compare;
use crate::support::library::Library;
use crate::support::{Place, path, testbed};

/// How many random cases of each kind there are, and how many are at work at once.
const CASES: usize = 96;
const AT_ONCE: usize = 8;

/// Three states of a resource, without a name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    base: Value,
    desired: Value,
    live: Value,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The API server took the patch.
    Taken,
    /// The API server refused the patch, as it refuses what is expected.
    Refused,
}

struct Trial<'a> {
    cluster: &'a Cluster,
    number: AtomicUsize,
}

impl Trial<'_> {
    /// Brings a resource from its live state to what pintle makes of it.
    async fn run(&self, case: &Case) -> Result<Outcome, String> {
        let name = format!("r{}", self.number.fetch_add(1, Ordering::Relaxed));
        let [base, desired, live] =
            [&case.base, &case.desired, &case.live].map(|body| named(body, &name));
        let kind = builtin::kind_in(text(&live, "apiVersion"), text(&live, "kind")).unwrap();
        let at = address(kind, &name);
        let by = Write::by("somebody");
        let live = self.cluster.create(&at, &live, by).await;
        let live = live.map_err(|error| format!("a bad case: {error}"))?.live;
        let schema = builtin::schema(&kind.api_version(), &kind.kind);
        let sides = Sides {
            base: &[&base],
            desired: &desired,
            live: &live,
        };
        let difference = three_way(schema, &sides);
        let after = match &difference {
            None => Ok(live.clone()),
            Some(difference) => {
                let patch = Patch::from(&difference.patch);
                self.cluster
                    .patch(&at, patch, by)
                    .await
                    .map(|written| written.live)
            }
        };
        if live["metadata"]["finalizers"].is_array() {
            // They hold it for nobody.
            let none = json!({"metadata": {"finalizers": null}});
            let freed = self.cluster.patch(&at, Patch::Merge(&none), by).await;
            freed.map_err(|error| error.to_string())?;
        }
        self.cluster
            .delete(&at, Deletion::default())
            .await
            .map_err(|error| error.to_string())?;
        let expected = oracle::merged([&base, &desired, &live]);
        let anew = format!("{name}-anew");
        let expected = named(&clean(expected), &anew);
        let expected = self
            .cluster
            .create(&address(kind, &anew), &expected, by.dry_run())
            .await;
        let patch = difference.map(|difference| difference.patch);
        let (after, expected) = match (after, expected) {
            (Ok(after), Ok(expected)) => (after, named(&expected.live, &name)),
            (Err(_), Err(_)) => return Ok(Outcome::Refused),
            (Err(error), Ok(_)) => return Err(format!("refused: {error}\n{patch:#?}")),
            (Ok(after), Err(error)) => {
                return Err(format!("not refused: {error}\n{after:#}\n{patch:#?}"));
            }
        };
        judged(&desired, &after, expected).map_err(|what| format!("{what}\n{patch:#?}"))
    }
}

/// What is wrong with what a patch has come to, if anything is.
fn judged(desired: &Value, after: &Value, expected: Value) -> Result<Outcome, String> {
    let sorted = |body| oracle::sorted(clean(body));
    let differs = compare::compare(&[sorted(after.clone()), sorted(expected), Value::Null]);
    if !differs.is_empty() {
        return Err(differs.join("\n"));
    }
    if !oracle::is_ordered(desired, after) {
        return Err(format!("not in the wanted order: {after:#}"));
    }
    let again = Sides {
        base: &[desired],
        desired,
        live: after,
    };
    let schema = builtin::schema(text(desired, "apiVersion"), text(desired, "kind"));
    match three_way(schema, &again) {
        None => Ok(Outcome::Taken),
        Some(again) => Err(format!("not settled: {again:#?}")),
    }
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap()
}

fn named(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    body["metadata"]["name"] = name.into();
    body
}

fn address<'a>(kind: &'a builtin::Kind, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: None,
        name,
    }
}

/// A body without what the API server chooses.
fn clean(body: Value) -> Value {
    let assigned = [
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.externalTrafficPolicy",
    ]
    .map(str::to_owned);
    let mut body = compare::clean(body, &assigned);
    let ports = body
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
    body
}

async fn all(trial: &Trial<'_>, cases: &[Case]) -> Vec<Result<Outcome, String>> {
    let runs = stream::iter(cases).map(|case| trial.run(case));
    runs.buffered(AT_ONCE).collect().await
}

/// Tries random cases, and shrinks the first that fails.
fn check(test: &str, states: &impl Strategy<Value = Value>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = Place::new(test);
    let library = runtime.block_on(Library::of(&testbed().kubeconfig, &place.namespace, "none"));
    let trial = Trial {
        cluster: &library.cluster,
        number: AtomicUsize::new(0),
    };
    let mut runner = TestRunner::new(Config {
        max_shrink_iters: 60,
        ..Config::default()
    });
    let cases = states::cases(states);
    let trees: Vec<_> = (0..CASES)
        .map(|_| cases.new_tree(&mut runner).unwrap())
        .collect();
    let drawn: Vec<Case> = trees.iter().map(ValueTree::current).collect();
    let outcomes = runtime.block_on(all(&trial, &drawn));
    let failed = outcomes.iter().position(Result::is_err);
    if let Some(index) = failed {
        let tree = trees.into_iter().nth(index).unwrap();
        let shrunk = runner.run_one(tree, |case| {
            let outcome = runtime.block_on(trial.run(&case));
            outcome.map(|_| ()).map_err(TestCaseError::fail)
        });
        let error = shrunk.unwrap_err();
        panic!("{error}\nthis case belongs into tests/cases/merges.yaml");
    }
    let taken = outcomes
        .iter()
        .filter(|outcome| **outcome == Ok(Outcome::Taken));
    let taken = taken.count();
    assert!(taken * 4 > CASES * 3, "only {taken} of {CASES} were taken");
}

#[test]
fn random_deployments_become_what_is_expected() {
    check("random-pods", &states::deployment());
}

#[test]
fn random_services_become_what_is_expected() {
    check("random-services", &states::service());
}

#[tokio::test]
async fn hard_cases_and_those_that_were_wrong_once_are_right() {
    let text = fs::read_to_string(path("tests/cases/merges.yaml")).unwrap();
    let cases: Vec<Case> = serde_json::from_value(pintle::yaml::parse(&text).unwrap()).unwrap();
    assert!(cases.len() >= 6);
    let place = Place::new("merges");
    let library = Library::of(&testbed().kubeconfig, &place.namespace, "none").await;
    let trial = Trial {
        cluster: &library.cluster,
        number: AtomicUsize::new(0),
    };
    for (case, outcome) in cases.iter().zip(all(&trial, &cases).await) {
        assert_eq!(outcome, Ok(Outcome::Taken), "{case:#?}");
    }
}
