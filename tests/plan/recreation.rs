//! Changes that are not allowed, and what is made anew.

use pintle::ops;
use serde_json::{Value, json};

use super::{chart, deployment, line};
use crate::support::Place;
use crate::support::library::Library;

fn job(place: &Place, image: &str) -> String {
    let text = format!(
        "\
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: a, image: '{image}'}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: beside}}
data: {{image: '{image}'}}
"
    );
    chart(place, "once", &text)
}

fn uid(place: &Place, resource: &str) -> Value {
    place.get(&[resource])["metadata"]["uid"].clone()
}

#[test]
fn a_job_is_made_anew_when_it_is_named() {
    let place = Place::new("job");
    place
        .pintle(&["install", "once", &job(&place, "a:1"), "--no-wait"])
        .ok();
    let first = uid(&place, "job/once");
    let chart = job(&place, "a:2");
    place
        .pintle(&["upgrade", "once", &chart])
        .fails_with(1)
        .says(&[
            "Job once (once/templates/all.yaml:1): spec.template cannot be changed",
            "--recreate Job/once deletes it and creates it anew, which loses its pods",
        ]);
    // Nothing at all was changed.
    assert_eq!(uid(&place, "job/once"), first);
    assert_eq!(place.get(&["configmap/beside"])["data"]["image"], "a:1");
    let upgrade = [
        "upgrade",
        "once",
        &chart,
        "--no-wait",
        "--recreate",
        "job/once",
    ];
    let plan = [&upgrade[..], &["--dry-run", "-o", "json"]].concat();
    let plan = place.pintle(&plan).ok().json();
    assert_eq!(plan["counts"]["recreate"], 1);
    let line = line(&plan, "Job", "once");
    assert_eq!(line["action"], "recreate");
    assert_eq!(line["loses"], "its pods with their logs; it runs once more");
    place
        .pintle(&[&upgrade[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["1 to recreate", "! Job once", "a:1"]);
    place.pintle(&upgrade).ok().says(&["recreated Job once"]);
    assert_ne!(uid(&place, "job/once"), first);
    place
        .pintle(&["upgrade", "once", &chart, "--recreate", "Job/twice"])
        .fails_with(2)
        .says(&["the manifest has no Job/twice"]);
}

#[test]
fn what_was_deleted_by_a_killed_process_is_created_by_the_next() {
    let place = Place::new("killed-anew");
    place
        .pintle(&["install", "once", &job(&place, "a:1"), "--no-wait"])
        .ok();
    place.hold("job/once");
    let chart = job(&place, "a:2");
    let upgrade = [
        "upgrade",
        "once",
        &chart,
        "--no-wait",
        "--recreate",
        "Job/once",
    ];
    let started = place.start_pintle(&upgrade);
    place.wait_for_deletion("job/once");
    started.kill();
    place.let_go("job/once");
    place.kubectl(&["wait", "--for=delete", "job/once"]).ok();
    place
        .pintle(&["upgrade", "once", &chart, "--no-wait"])
        .ok()
        .says(&["created Job once"]);
    let container = &place.get(&["job/once"])["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "a:2");
}

fn set(place: &Place, size: &str, label: &str) -> String {
    let text = format!(
        "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db, also: {label}}}}}
    spec:
      containers:
      - {{name: a, image: a, volumeMounts: [{{name: data, mountPath: /data}}]}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {{requests: {{storage: {size}}}}}
"
    );
    chart(place, "db", &text)
}

#[test]
fn the_pods_of_a_stateful_set_stay() {
    let place = Place::new("orphans");
    place
        .pintle(&["install", "db", &set(&place, "1Gi", "a"), "--no-wait"])
        .ok();
    place.kubectl(&["wait", "--for=create", "pod/db-0"]).ok();
    let (set_uid, pod) = (uid(&place, "statefulset/db"), uid(&place, "pod/db-0"));
    let chart = set(&place, "2Gi", "a");
    place.pintle(&["diff", "db", &chart]).ok().prints(&[
        "! StatefulSet db",
        "spec.volumeClaimTemplates cannot be changed; the pods stay",
        "loses nothing: its pods and their claims stay as they are",
    ]);
    place
        .pintle(&["upgrade", "db", &chart, "--no-wait"])
        .ok()
        .says(&["recreated StatefulSet db"]);
    let now = place.get(&["statefulset/db"]);
    assert_ne!(now["metadata"]["uid"], set_uid);
    let claims = &now["spec"]["volumeClaimTemplates"][0]["spec"];
    assert_eq!(claims["resources"]["requests"]["storage"], "2Gi");
    assert_eq!(uid(&place, "pod/db-0"), pod);

    let file = format!("{chart}/templates/all.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("serviceName: db", "serviceName: other")).unwrap();
    let upgrade = ["upgrade", "db", &chart, "--no-wait"];
    place
        .pintle(&[&upgrade[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["spec.serviceName cannot be changed; the pods stay"]);
    place.pintle(&upgrade).ok();
    let now = place.get(&["statefulset/db"]);
    assert_eq!(now["spec"]["serviceName"], "other");
    assert_eq!(uid(&place, "pod/db-0"), pod);
}

#[test]
fn what_somebody_has_scaled_stays_so_with_its_pods_and_claims() {
    let place = Place::new("scaled-anew");
    // Claims that would go with their set make the most of what orphaning has to keep.
    let set = |size: &str| {
        let chart = set(&place, size, "a");
        let file = format!("{chart}/templates/all.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let policy = "  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}\n";
        std::fs::write(file, text + policy).unwrap();
        chart
    };
    place
        .pintle(&["install", "db", &set("1Gi"), "--no-wait"])
        .ok();
    place
        .kubectl(&["scale", "statefulset/db", "--replicas=2"])
        .ok();
    let kept = ["pod/db-0", "pod/db-1", "pvc/data-db-0", "pvc/data-db-1"];
    for resource in kept {
        place.kubectl(&["wait", "--for=create", resource]).ok();
    }
    place
        .kubectl(&["rollout", "status", "statefulset/db", "--timeout=60s"])
        .ok();
    let before = kept.map(|resource| uid(&place, resource));
    place
        .pintle(&["upgrade", "db", &set("2Gi"), "--no-wait"])
        .ok()
        .says(&["recreated StatefulSet db"]);
    let now = place.get(&["statefulset/db"]);
    assert_eq!(now["spec"]["replicas"], 2);
    // Whatever the garbage collector was to delete is gone once the new set owns the rest.
    let owner = now["metadata"]["uid"].as_str().unwrap();
    for resource in kept {
        let condition = format!("--for=jsonpath={{.metadata.ownerReferences[0].uid}}={owner}");
        place
            .kubectl(&["wait", &condition, resource, "--timeout=60s"])
            .ok();
    }
    assert_eq!(kept.map(|resource| uid(&place, resource)), before);
}

#[tokio::test]
async fn what_has_changed_since_is_not_made_anew() {
    let place = Place::new("changed-anew");
    let folder = job(&place, "a:1");
    place
        .pintle(&["install", "once", &folder, "--no-wait"])
        .ok();
    let first = uid(&place, "job/once");
    let library = Library::of(place.kubeconfig(), &place.namespace, "once").await;
    let mut terms = Library::terms();
    terms.consent.recreate.insert("Job/once".parse().unwrap());
    let change = library.upgrade(&job(&place, "a:2"), &terms).await;
    place
        .kubectl(&["label", "job/once", "example.com/seen=yes"])
        .ok();
    let ended = library.end(change, &mut |_| ()).await;
    assert_eq!(ended.unwrap_err().kind(), ops::ErrorKind::Conflict);
    assert_eq!(uid(&place, "job/once"), first);
}

#[test]
fn what_loses_nothing_is_made_anew_without_a_question() {
    let place = Place::new("sealed");
    let map = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: sealed}}\nimmutable: true\n\
             data: {{a: {value}}}\n"
        )
    };
    place
        .pintle(&["install", "map", &chart(&place, "map", &map("one"))])
        .ok();
    place
        .pintle(&["upgrade", "map", &chart(&place, "map", &map("two"))])
        .ok()
        .says(&["1 to recreate", "recreated ConfigMap sealed"]);
    assert_eq!(place.get(&["configmap/sealed"])["data"]["a"], "two");
    place.pintle(&["rollback", "map"]).ok();
    assert_eq!(
        place.get(&["configmap/sealed"])["data"],
        json!({"a": "one"})
    );
}

#[test]
fn pods_and_data_are_lost_only_if_the_user_says_so() {
    let place = Place::new("losses");
    let claim = |class: &str| {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: disk}}\nspec:\n  \
             accessModes: [ReadWriteOnce]\n  storageClassName: {class}\n  \
             resources: {{requests: {{storage: 1Gi}}}}\n"
        )
    };
    let of = |label: &str, class: &str| {
        let text = deployment("web", 1, "").replace("app: web", &format!("app: {label}"));
        chart(&place, "all", &format!("{text}{}", claim(class)))
    };
    place
        .pintle(&["install", "all", &of("a", "one"), "--no-wait"])
        .ok();
    let other = of("b", "two");
    let upgrade = ["upgrade", "all", &other, "--no-wait"];
    place.pintle(&upgrade).fails_with(1).says(&[
        "2 changes would be refused",
        "--recreate Deployment/web",
        "--recreate PersistentVolumeClaim/disk --delete-data",
    ]);
    let named = [
        "--recreate",
        "Deployment/web",
        "--recreate",
        "PersistentVolumeClaim/disk",
    ];
    let (web, disk) = (uid(&place, "deployment/web"), uid(&place, "pvc/disk"));
    place
        .pintle(&[&upgrade[..], &named].concat())
        .fails_with(1)
        .says(&["--delete-data deletes it", "the data on its volume"]);
    assert_eq!(uid(&place, "deployment/web"), web);
    place
        .pintle(&[&upgrade[..], &named, &["--delete-data"]].concat())
        .ok();
    assert_ne!(uid(&place, "deployment/web"), web);
    assert_ne!(uid(&place, "pvc/disk"), disk);
}

#[test]
fn what_no_rule_knows_can_be_made_anew_too() {
    let place = Place::new("unlisted");
    let class = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  type: LoadBalancer\n  \
             loadBalancerClass: example.com/{name}\n  ports: [{{port: 80}}]\n"
        )
    };
    let install = |name: &str| chart(&place, "web", &class(name));
    place
        .pintle(&["install", "web", &install("a"), "--no-wait"])
        .ok();
    place
        .pintle(&["upgrade", "web", &install("b"), "--no-wait"])
        .fails_with(1)
        .says(&["spec.loadBalancerClass", "--recreate Service/web"]);
}
