//! What an upgrade leaves on the API server, by pintle, by Helm and by kubectl:
//! `tests/cases/applied.yaml`.
//!
//! All rows are one chart, which each of them installs in a namespace of its own. Helm works from the
//! client side, as it goes on with releases of pintle. kubectl's result is what `kubectl diff` merges.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use pintle::builtin::{self, Kind};
use pintle::cluster::{Address, Patch, Write};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chart;
use super::matrix::compare;
use crate::support::library::Library;
use crate::support::{Place, path, testbed};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    same: Vec<Same>,
    differ: Vec<Differs>,
}

#[derive(Deserialize)]
struct Same {
    what: String,
    /// Why it is not the same by server-side apply, where it is not.
    #[serde(default)]
    server_side: Option<String>,
    #[serde(flatten)]
    row: Row,
}

/// A resource and what happens to it.
#[derive(Clone, Deserialize)]
struct Row {
    first: Value,
    #[serde(default)]
    foreign: Value,
    #[serde(default)]
    others: Vec<Value>,
    next: Value,
}

/// A row of which the three make different things.
#[derive(Deserialize)]
struct Differs {
    /// What the documentation says is given.
    given: String,
    #[serde(flatten)]
    row: Row,
    /// Which value it is about, as a JSON pointer.
    at: String,
    pintle: Value,
    helm: Value,
    kubectl: Value,
    why: String,
}

/// Live resources by their names.
type Live = BTreeMap<String, Value>;

/// One of the three, with a namespace of its own.
struct Peer<'a> {
    place: Place,
    rows: &'a [Row],
}

fn table(group: &str) -> Table {
    let text = fs::read_to_string(path("tests/cases/applied.yaml")).unwrap();
    let text = text.replace("GROUP", group);
    serde_json::from_value(pintle::yaml::parse(&text).unwrap()).unwrap()
}

fn named(body: &Value, index: usize) -> Value {
    let text = body.to_string().replace("NAME", &format!("r{index}"));
    serde_json::from_str(&text).unwrap()
}

/// RFC 7386.
fn merged(body: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut fields = body.as_object().cloned().unwrap_or_default();
    for (key, patch) in patch {
        let old = fields.remove(key).unwrap_or_default();
        if !patch.is_null() {
            fields.insert(key.clone(), merged(&old, patch));
        }
    }
    fields.into()
}

fn documents(bodies: impl Iterator<Item = Value>) -> String {
    let documents: Vec<String> = bodies.map(|body| format!("---\n{body}\n")).collect();
    documents.concat()
}

impl<'a> Peer<'a> {
    fn new(name: &str, rows: &'a [Row]) -> Self {
        let place = Place::new(&format!("peer-{name}"));
        Self { place, rows }
    }

    fn first(&self) -> String {
        let bodies = self.rows.iter().enumerate();
        documents(bodies.map(|(index, row)| named(&row.first, index)))
    }

    fn next(&self) -> String {
        let bodies = self.rows.iter().enumerate();
        documents(bodies.map(|(index, row)| named(&merged(&row.first, &row.next), index)))
    }

    /// Somebody else writes into what is there.
    fn disturb(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let namespace = &self.place.namespace;
            let library = Library::of(&testbed().kubeconfig, namespace, "none").await;
            let by = Write::by("somebody");
            for (index, row) in self.rows.iter().enumerate() {
                for other in &row.others {
                    let other = named(other, index);
                    let kind = kind(&other);
                    let at = address(&kind, &other);
                    library.cluster.create(&at, &other, by).await.unwrap();
                }
                let (body, foreign) = (named(&row.first, index), named(&row.foreign, index));
                if foreign.is_null() {
                    continue;
                }
                let kind = kind(&body);
                let patch = match kind.kind.as_str() {
                    "Car" => Patch::Merge(&foreign),
                    _ => Patch::StrategicMerge(&foreign),
                };
                let at = address(&kind, &body);
                library.cluster.patch(&at, patch, by).await.unwrap();
            }
        });
    }

    /// What is live, without what names its owner.
    fn live(&self) -> Live {
        let file = self.place.file("first.yaml", &self.first());
        let list = self.place.get(&["-f", &file]);
        let items = list["items"].as_array().unwrap().iter().cloned();
        items.map(clean).collect()
    }

    fn pintle(&self, flags: &[&str]) -> Live {
        let flags = &[&["--no-wait"], flags].concat()[..];
        let first = chart(&self.place, "first", &self.first());
        let install = [&["install", "a", &first], flags].concat();
        self.place.pintle(&install).ok();
        self.disturb();
        let next = chart(&self.place, "next", &self.next());
        let upgrade = [&["upgrade", "a", &next], flags].concat();
        self.place.pintle(&upgrade).ok();
        let live = self.live();
        self.place.pintle(&upgrade).ok().prints(&["is unchanged"]);
        live
    }

    fn helm(&self, flags: &[&str]) -> Live {
        let flags = &[&["--no-hooks"], flags].concat()[..];
        let first = chart(&self.place, "first", &self.first());
        self.place
            .helm(&[&["install", "a", &first], flags].concat())
            .ok();
        self.disturb();
        let next = chart(&self.place, "next", &self.next());
        self.place
            .helm(&[&["upgrade", "a", &next], flags].concat())
            .ok();
        self.live()
    }

    /// What `kubectl diff` would bring about. It shows two folders to a program, which keeps the second.
    fn kubectl(&self) -> Live {
        let file = self.place.file("first.yaml", &self.first());
        self.place.kubectl(&["apply", "-f", &file]).ok();
        self.disturb();
        let next = self.place.file("next.yaml", &self.next());
        let kept = self.place.folder().join("kept");
        let script = format!("#!/bin/sh\n/bin/cp -r \"$2\" {}\n", kept.display());
        let script = self.place.file("bin/keep", &script);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let status = Command::new(testbed().bin.join("kubectl"))
            .args(["diff", "--namespace", &self.place.namespace, "-f", &next])
            .env("KUBECONFIG", &testbed().kubeconfig)
            .env("KUBECTL_EXTERNAL_DIFF", "keep")
            .env("PATH", self.place.folder().join("bin"))
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
        let mut live = self.live();
        for entry in fs::read_dir(kept).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            live.extend([clean(pintle::yaml::parse(&text).unwrap())]);
        }
        live
    }
}

fn kind(body: &Value) -> Kind {
    let text = |field: &str| body[field].as_str().unwrap();
    let known = builtin::kind_in(text("apiVersion"), text("kind"));
    known.cloned().unwrap_or_else(|| Kind {
        group: text("apiVersion").trim_end_matches("/v1").to_owned(),
        kind: text("kind").to_owned(),
        ..Kind::core("", "cars")
    })
}

fn address<'a>(kind: &'a Kind, body: &'a Value) -> Address<'a> {
    Address {
        kind,
        namespace: None,
        name: body["metadata"]["name"].as_str().unwrap(),
    }
}

fn clean(body: Value) -> (String, Value) {
    let name = body["metadata"]["name"].as_str().unwrap().to_owned();
    let assigned = ["spec.clusterIP", "spec.clusterIPs"].map(str::to_owned);
    let mut body = body;
    if let Some(annotations) = body["metadata"]["annotations"].as_object_mut() {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    let mut body = compare::clean(body, &assigned);
    let ports = body
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
    (name, body)
}

/// What each of the three makes of the rows.
fn run(test: &str, rows: &[Row]) -> [Live; 3] {
    let [pintle, helm, kubectl] =
        ["pintle", "helm", "kubectl"].map(|name| Peer::new(&format!("{test}-{name}"), rows));
    std::thread::scope(|scope| {
        let pintle = scope.spawn(|| pintle.pintle(&[]));
        let helm = scope.spawn(|| helm.helm(&["--server-side=false"]));
        let kubectl = scope.spawn(|| kubectl.kubectl());
        [pintle, helm, kubectl].map(|peer| peer.join().unwrap())
    })
}

/// A kind of this test alone.
fn define(place: &Place) -> String {
    let group = format!("{}.example.com", place.namespace);
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("cars.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "cars", "singular": "car", "kind": "Car", "listKind": "CarList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": any}}],
        },
    });
    let file = place.file("definition.yaml", &definition.to_string());
    place.kubectl(&["create", "-f", &file]).ok();
    let named = format!("crd/cars.{group}");
    place
        .kubectl(&["wait", "--for=condition=Established", &named])
        .ok();
    group
}

fn forget(place: &Place, group: &str) {
    let named = format!("crd/cars.{group}");
    place.kubectl(&["delete", &named, "--wait=false"]).ok();
}

#[test]
fn upgrades_end_as_those_of_helm_and_kubectl() {
    let place = Place::new("peers");
    let group = define(&place);
    let table = table(&group);
    assert!(table.same.len() >= 20);
    let rows: Vec<Row> = table.same.iter().map(|same| same.row.clone()).collect();
    let [pintle, helm, kubectl] = run("same", &rows);
    let mut wrong = vec![];
    for (index, same) in table.same.iter().enumerate() {
        let name = named(&same.row.first, index)["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        for (who, other) in [("Helm", &helm), ("kubectl", &kubectl)] {
            // kubectl shows no values of Secrets.
            if who == "kubectl" && same.row.first["kind"] == "Secret" {
                continue;
            }
            let sides = [&pintle, other].map(|live| live[&name].clone());
            let [ours, theirs] = sides;
            for what in compare::compare(&[ours, theirs, Value::Null]) {
                wrong.push(format!("{} ({who}): {what}", same.what));
            }
        }
    }
    forget(&place, &group);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As Helm writes new releases. What others have changed is taken over by both.
#[test]
fn by_server_side_apply_upgrades_end_as_those_of_helm() {
    let place = Place::new("peers");
    let group = define(&place);
    let table = table(&group);
    let (same, other): (Vec<Same>, Vec<Same>) = table
        .same
        .into_iter()
        .partition(|same| same.server_side.is_none());
    assert!(other.len() * 4 < same.len());
    let rows: Vec<Row> = same.iter().map(|same| same.row.clone()).collect();
    let [pintle, helm] = ["pintle", "helm"].map(|name| Peer::new(&format!("ssa-{name}"), &rows));
    let flags = ["--server-side=true", "--force-conflicts"];
    let (pintle, helm) = std::thread::scope(|scope| {
        let helm = scope.spawn(|| helm.helm(&flags));
        (pintle.pintle(&flags), helm.join().unwrap())
    });
    let mut wrong = vec![];
    for (index, same) in same.iter().enumerate() {
        let name = named(&same.row.first, index)["metadata"]["name"].clone();
        let [ours, theirs] = [&pintle, &helm].map(|live| live[name.as_str().unwrap()].clone());
        let found = compare::compare(&[ours, theirs, Value::Null]);
        wrong.extend(
            found
                .into_iter()
                .map(|what| format!("{}: {what}", same.what)),
        );
    }
    forget(&place, &group);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn upgrades_differ_from_those_of_helm_and_kubectl_on_purpose() {
    let place = Place::new("peers");
    let group = define(&place);
    let table = table(&group);
    let rows: Vec<Row> = table.differ.iter().map(|one| one.row.clone()).collect();
    let [pintle, helm, kubectl] = run("differ", &rows);
    let mut wrong = vec![];
    for (index, one) in table.differ.iter().enumerate() {
        let name = named(&one.row.first, index)["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let at = |live: &Live| live[&name].pointer(&one.at).cloned().unwrap_or_default();
        let made = [&pintle, &helm, &kubectl].map(at);
        if made != [&one.pintle, &one.helm, &one.kubectl].map(Value::clone) {
            let made = made.map(|value| value.to_string());
            wrong.push(format!("{}:\n  {}", one.given, made.join("\n  ")));
        }
        assert!(
            one.pintle != one.helm || one.pintle != one.kubectl,
            "{}",
            one.given
        );
    }
    forget(&place, &group);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_upgrades_do_otherwise_is_documented() {
    let text = fs::read_to_string(path("docs/plans.md")).unwrap();
    let (_, section) = text
        .split_once("## Where Helm and kubectl end up elsewhere")
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1);
    let shown = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        value => format!("`{value}`"),
    };
    let expected = table("a").differ.into_iter().map(|one| {
        let made = [&one.pintle, &one.helm, &one.kubectl].map(shown);
        format!("| {} | {} | {} |", one.given, made.join(" | "), one.why)
    });
    assert_eq!(
        rows.map(str::to_owned).collect::<Vec<_>>(),
        expected.collect::<Vec<_>>()
    );
}
