//! What counts as drift of live resources.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::{Counts, lines};
use super::*;
use crate::capabilities::Kinds;
use crate::manifest::{Manifest, Placement, Recorded};
use crate::plan::{Consent, Found, Method, Observed, Owner};
use crate::release::ApplyMethod;

const OWNER: Owner<'_> = Owner {
    release: "web",
    namespace: "shop",
};

const MANIFEST: &str = "\
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: one}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {a: '1'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'app:1'}]}
";

fn manifest() -> Manifest {
    let placement = Placement {
        namespace: OWNER.namespace,
        kinds: &Kinds::default(),
    };
    let recorded = Recorded {
        text: MANIFEST,
        generators: None,
    };
    Manifest::from_record(recorded, placement).unwrap()
}

/// What the API server holds after the manifest was applied: with defaults and fields of others.
fn applied(manifest: &Manifest) -> Observed {
    let resources = manifest.resources.iter();
    let live = resources.map(|resource| {
        let mut body = OWNER.marked(&resource.body);
        body["metadata"]["uid"] = json!("u");
        body["metadata"]["labels"]["others"] = json!("label");
        match resource.id.kind.as_str() {
            "Secret" => {
                body["stringData"].take();
                body["data"] = json!({"password": "b25l"});
            }
            "Deployment" => {
                body["spec"]["progressDeadlineSeconds"] = json!(600);
                body["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] =
                    json!("IfNotPresent");
                body["status"] = json!({"replicas": 2});
            }
            _ => {}
        }
        (resource.id.clone(), body)
    });
    live.collect()
}

fn found(observed: &Observed, scaled: BTreeSet<ResourceId>) -> Vec<Drifted> {
    of(&Inputs {
        desired: &manifest(),
        base: &[],
        observed,
        mentions: &BTreeMap::new(),
        method: Method::ClientSide,
        before: ApplyMethod::ClientSide,
        owner: OWNER,
        kinds: &Kinds::default(),
        found: &Found {
            scaled,
            ..Found::default()
        },
        consent: &Consent::default(),
        now: Timestamp::UNIX_EPOCH,
    })
}

fn id(kind: &str) -> ResourceId {
    let resources = manifest().resources.into_iter();
    let mut ids = resources.map(|resource| resource.id);
    ids.find(|id| id.kind == kind).unwrap()
}

/// Sets a field of the live resource of a kind, or removes it by null, and tells what has drifted.
#[track_caller]
fn check(kind: &str, pointer: &str, value: Value, expected: &[&str]) {
    let mut observed = applied(&manifest());
    let live = observed.get_mut(&id(kind)).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = live.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    let drifted = found(&observed, BTreeSet::new());
    let told = lines(&drifted).into_iter().flat_map(|line| {
        let state = format!("{:?} {}", line.state, line.name);
        let fields = line.fields.into_iter().map(|field| {
            let side = |side: Option<Value>| side.unwrap_or_default().to_string();
            format!(
                "{} {} {}",
                field.path,
                side(field.recorded),
                side(field.live)
            )
        });
        std::iter::once(state).chain(fields.collect::<Vec<_>>())
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_applied_is_as_recorded() {
    let counts = Counts::of(&found(&applied(&manifest()), BTreeSet::new()));
    assert_eq!((counts.same, counts.is_same()), (3, true));
}

#[test]
fn what_nobody_of_us_has_set_is_no_drift() {
    check("Deployment", "/spec/paused", json!(true), &[]);
    check("Deployment", "/status/replicas", json!(1), &[]);
    check("ConfigMap", "/data/b", json!("2"), &[]);
    check("ConfigMap", "/metadata/annotations/b", json!("2"), &[]);
}

#[test]
fn fields_of_the_record_are_held() {
    let replicas = ["Changed web", "spec.replicas 2 4"];
    check("Deployment", "/spec/replicas", json!(4), &replicas);
    let gone = ["Changed page", "data.a \"1\" null"];
    check("ConfigMap", "/data/a", json!(null), &gone);
    let mut observed = applied(&manifest());
    let labels = &mut observed.get_mut(&id("ConfigMap")).unwrap()["metadata"]["labels"];
    labels
        .as_object_mut()
        .unwrap()
        .remove("app.kubernetes.io/managed-by");
    assert!(!Counts::of(&found(&observed, BTreeSet::new())).is_same());
}

#[test]
fn what_is_gone_or_going_is_told() {
    let mut observed = applied(&manifest());
    observed.remove(&id("ConfigMap"));
    let deployment = observed.get_mut(&id("Deployment")).unwrap();
    deployment["metadata"]["deletionTimestamp"] = json!("2026-11-28T10:00:00Z");
    let counts = Counts::of(&found(&observed, BTreeSet::new()));
    assert_eq!((counts.missing, counts.deleting, counts.same), (1, 1, 1));
}

#[test]
fn secrets_are_redacted() {
    let expected = [
        "Changed login",
        "data.password \"(redacted, 3 bytes)\" \"(redacted, 5 bytes)\"",
    ];
    check("Secret", "/data/password", json!("dGhyZWU="), &expected);
}

#[test]
fn replicas_of_what_is_scaled_are_no_drift() {
    let mut observed = applied(&manifest());
    observed.get_mut(&id("Deployment")).unwrap()["spec"]["replicas"] = json!(4);
    let scaled = BTreeSet::from([id("Deployment")]);
    assert!(Counts::of(&found(&observed, scaled)).is_same());
}
