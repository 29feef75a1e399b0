//! What others change between the plan and the write: it is planned again, unless the user has fixed
//! the plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::testbed::{Gateway, Meddler};
use pintle::builtin;
use pintle::cluster::{Address, Deletion, Patch, Write};
use pintle::ops::{self, ServerSide, Terms};
use serde_json::json;

use super::{chart, deployment};
use crate::groups::two;
use crate::kcp::proof::eventually;
use crate::progress::events;
use crate::support::library::Library;
use crate::support::{Place, testbed};

/// A config map with one entry.
fn map(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: one}}\n")
}

/// Changes the config map `gone` of a place whenever its deletion is tried, as often as `times` says.
fn meddle(place: &Arc<Place>, gateway: &Gateway, times: &Arc<AtomicUsize>) -> Meddler {
    let kubeconfig = place.folder().join("meddled.kubeconfig");
    let (place, times) = (Arc::clone(place), Arc::clone(times));
    let act = move |line: &mut String| {
        let parts = ["DELETE ", "/configmaps/gone", "dryRun=All"];
        if !parts.iter().all(|part| line.contains(part)) {
            return;
        }
        let left = times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if let Ok(left) = left {
            let patch = json!({"data": {"a": format!("changed {left}")}}).to_string();
            let patch = ["patch", "configmap/gone", "--patch", &patch];
            place.kubectl(&patch).ok();
            if left == 1 {
                let delete = ["delete", "hpa/web", "--ignore-not-found"];
                place.kubectl(&delete).ok();
            }
        }
    };
    Meddler::open(gateway, &kubeconfig, act).unwrap()
}

#[test]
fn what_changes_before_the_first_write_is_planned_again() {
    let place = Arc::new(Place::new("before-write"));
    let stays = format!("{}{}", map("stays"), deployment("web", 1, ""));
    let both = chart(&place, "maps", &format!("{stays}{}", map("gone")));
    place.pintle(&["install", "maps", &both, "--no-wait"]).ok();
    let few = chart(&place, "maps", &stays);
    let file = place.file("plan.json", "");
    place.pintle(&["plan", "maps", &few, "--out", &file]).ok();
    let gateway = place.gateway();
    let times = Arc::new(AtomicUsize::new(1));
    let meddler = meddle(&place, &gateway, &times);
    let through = ["--kubeconfig", meddler.kubeconfig().to_str().unwrap()];
    let refused = [
        "1 change would be refused, so nothing was written",
        "deletion of ConfigMap gone (maps/templates/all.yaml:",
        "it was changed, or made anew, since it was read",
    ];
    let run = |args: &[&str]| place.pintle(&[args, &through].concat());
    // A fixed plan is planned once, another one three times at most.
    run(&["apply", &file]).fails_with(4).says(&refused);
    assert_eq!(times.swap(9, Ordering::SeqCst), 0);
    let upgrade = ["upgrade", "maps", &few];
    run(&upgrade).fails_with(4).says(&refused);
    assert_eq!(times.swap(1, Ordering::SeqCst), 6);
    // An autoscaler that is gone by then has no workload any more.
    let autoscale = ["autoscale", "deployment/web", "--min=2", "--max=9"];
    place.kubectl(&autoscale).ok();
    place
        .kubectl(&["scale", "deployment/web", "--replicas=3"])
        .ok();
    run(&[&upgrade[..], &["--no-wait"]].concat()).ok().says(&[
        "planned again: somebody has changed ConfigMap gone meanwhile: maps: 1 to configure, 1 to delete, \
         1 unchanged",
        "deleted ConfigMap gone",
    ]);
    assert_eq!(place.get(&["deployment/web"])["spec"]["replicas"], 1);
}

const IMAGES: &str = "first.image=app:1.0.1,second.image=app:1.0.1";

/// Waits until the first of the two groups is told, whose gate is open then, changes the second one,
/// and lets the gate be passed.
fn edit_behind_the_gate(place: &Place, also: &dyn Fn()) {
    eventually("the first group is told", || {
        let live = place.get(&["deployment/first"]);
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        (image == "app:1.0.1").then_some(())
    });
    let container =
        json!({"name": "app", "image": "app:other", "env": [{"name": "OTHER", "value": "x"}]});
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}}).to_string();
    place
        .kubectl(&["patch", "deployment/second", "--patch", &patch])
        .ok();
    also();
    place
        .kubectl(&["scale", "deployment/first", "--replicas=0"])
        .ok();
}

#[test]
fn what_changes_behind_a_gate_is_planned_again() {
    let place = Place::new("behind-gate");
    let chart = two(&place);
    let maps = ["kept", "adopted", "edited"].map(map).concat();
    place.file("two/templates/more.yaml", &maps);
    place.pintle(&["install", "app", &chart]).ok();
    let hook = "metadata: {name: hook, annotations: {helm.sh/hook: pre-upgrade}}\n";
    let hook = format!("apiVersion: v1\nkind: ConfigMap\n{hook}");
    place.file("two/templates/more.yaml", &hook);
    let values = format!("{IMAGES},first.stuck=true");
    let upgrade = ["upgrade", "app", &chart, "-o", "json", "--set", &values];
    let started = place.start_pintle(&upgrade);
    edit_behind_the_gate(&place, &|| {
        for (name, what) in [
            ("kept", "helm.sh/resource-policy=keep"),
            ("adopted", "meta.helm.sh/release-name=other"),
            ("edited", "example.com/seen=yes"),
        ] {
            let named = format!("configmap/{name}");
            place
                .kubectl(&["annotate", "--overwrite", &named, what])
                .ok();
        }
    });
    let run = started.end().ok();
    let told = events(&run);
    let of = |wanted: &str| {
        let all = told.iter().filter(|(name, _)| name == wanted);
        all.map(|(_, event)| event).collect::<Vec<_>>()
    };
    let [again] = of("replanned")[..] else {
        panic!("{run}");
    };
    assert_eq!(again["resources"][0]["name"], "second");
    assert_eq!(
        (&again["counts"]["configure"], &again["counts"]["keep"]),
        (&json!(1), &json!(2))
    );
    // The hook before the change has run once, and it is one revision.
    assert_eq!(of("hook").len(), 1, "{run}");
    assert_eq!(run.json()["version"], 2);
    let second = place.get(&["deployment/second"]);
    let container = &second["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "app:1.0.1");
    assert_eq!(container["env"], json!([{"name": "OTHER", "value": "x"}]));
    for name in ["kept", "adopted"] {
        place.get(&[&format!("configmap/{name}")]);
    }
    place.kubectl(&["get", "configmap/edited"]).fails_with(1);
}

#[test]
fn a_fixed_plan_stops_where_something_has_changed() {
    let place = Place::new("fixed-gate");
    let chart = two(&place);
    place.pintle(&["install", "app", &chart]).ok();
    let file = place.file("plan.json", "");
    let values = format!("{IMAGES},first.stuck=true");
    place
        .pintle(&["plan", "app", &chart, "--set", &values, "--out", &file])
        .ok();
    let started = place.start_pintle(&["apply", &file, "--set", &values]);
    edit_behind_the_gate(&place, &|| ());
    started.end().fails_with(4).says(&[
        "Deployment second was changed by somebody else since the plan was made",
        "hint: the same command goes on from here",
        "a plan in a file has to be made anew",
    ]);
    let image = || {
        let second = place.get(&["deployment/second"]);
        second["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(image(), "app:other");
    place.pintle(&["history", "app"]).ok().prints(&["failed"]);
    place
        .pintle(&["upgrade", "app", &chart, "--set", IMAGES])
        .ok()
        .says(&["configured Deployment second"]);
    assert_eq!(image(), "app:1.0.1");
}

#[tokio::test]
async fn fields_that_others_own_by_now_stay_theirs() {
    let place = Place::new("owned-by-now");
    let library = Library::of(&testbed().kubeconfig, &place.namespace, "maps").await;
    let terms = Terms {
        server_side: ServerSide::True,
        ..Library::terms()
    };
    let folder = chart(&place, "maps", &map("a"));
    library
        .execute(library.install(&folder, &terms).await)
        .await;
    let newer = chart(&place, "maps", &map("a").replace("one", "two"));
    let change = library.upgrade(&newer, &terms).await;
    let at = Address {
        kind: builtin::kind("", "ConfigMap").unwrap(),
        namespace: None,
        name: "a",
    };
    let (cluster, by) = (&library.cluster, Write::by("somebody"));
    let patch = json!({"data": {"a": "three"}});
    cluster.patch(&at, Patch::Merge(&patch), by).await.unwrap();
    let error = library.end(change, &mut |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ops::ErrorKind::Conflict, "{error}");
    let told = "conflict with \"somebody\" using v1: .data.a";
    assert!(error.to_string().contains(told), "{error}");
    let live = cluster.get(&at).await.unwrap().unwrap();
    assert_eq!(live["data"]["a"], "three");
}

#[tokio::test]
async fn what_takes_consent_now_is_not_done() {
    let place = Place::new("no-consent");
    let library = Library::of(&testbed().kubeconfig, &place.namespace, "web").await;
    let terms = Library::terms();
    let web = deployment("web", 0, "");
    let folder = chart(&place, "web", &web);
    library
        .execute(library.install(&folder, &terms).await)
        .await;
    let newer = chart(&place, "web", &web.replace("app:1", "app:2"));
    let change = library.upgrade(&newer, &terms).await;
    // Somebody makes another one of that name.
    let at = Address {
        kind: builtin::kind("apps", "Deployment").unwrap(),
        namespace: None,
        name: "web",
    };
    let (cluster, by) = (&library.cluster, Write::by("somebody"));
    let mut body = cluster.get(&at).await.unwrap().unwrap();
    cluster.delete(&at, Deletion::default()).await.unwrap();
    let fields = body["metadata"].as_object_mut().unwrap();
    fields.retain(|name, _| ["name", "labels", "annotations"].contains(&name.as_str()));
    let labels = json!({"app": "other"});
    body["spec"]["selector"]["matchLabels"] = labels.clone();
    body["spec"]["template"]["metadata"]["labels"] = labels;
    let other = cluster.create(&at, &body, by).await.unwrap().live;
    let error = library.end(change, &mut |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ops::ErrorKind::Failed, "{error}");
    let told = error.to_string();
    assert!(told.starts_with("the rest cannot be written"), "{told}");
    assert!(told.contains("spec.selector cannot be changed"), "{told}");
    let live = cluster.get(&at).await.unwrap().unwrap();
    assert_eq!(live["metadata"]["uid"], other["metadata"]["uid"]);
}
