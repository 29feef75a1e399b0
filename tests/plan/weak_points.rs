//! Where Helm 4 is weak, and what happens here; what is not here is in `lock` (records, a killed
//! process), `groups` (the order of deletions) and `lifecycle` (the base after a failure).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::chart;
use crate::lifecycle::left;
use crate::support::Place;

pub(super) fn budget(place: &Place, least: u8) -> String {
    let text = format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: a}}\nspec:\n  \
         minAvailable: {least}\n  selector: {{matchLabels: {{app: a}}}}\n"
    );
    chart(place, "a", &text)
}

/// Rewrites the manifest of the first revision as if it had been made for an older Kubernetes.
pub(super) fn age(place: &Place) {
    use std::io::{Read as _, Write as _};
    let name = "secret/sh.helm.release.v1.a.v1";
    let secret = place.get(&[name]);
    let text = secret["data"]["release"].as_str().unwrap();
    let packed = BASE64_STANDARD
        .decode(BASE64_STANDARD.decode(text).unwrap())
        .unwrap();
    let mut record = String::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader.read_to_string(&mut record).unwrap();
    assert!(record.contains("policy/v1"), "{record}");
    let record = record.replace("policy/v1", "policy/v1beta1");
    let mut writer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    writer.write_all(record.as_bytes()).unwrap();
    let packed = BASE64_STANDARD.encode(BASE64_STANDARD.encode(writer.finish().unwrap()));
    let patch = json!({"data": {"release": packed}}).to_string();
    place
        .kubectl(&["patch", name, "--type=merge", "-p", &patch])
        .ok();
}

#[test]
fn a_removed_version_of_an_api_stops_neither_upgrade_nor_rollback() {
    let place = Place::new("removed");
    place.pintle(&["install", "a", &budget(&place, 1)]).ok();
    age(&place);
    place.pintle(&["upgrade", "a", &budget(&place, 2)]).ok();
    assert_eq!(place.get(&["pdb/a"])["spec"]["minAvailable"], 2);
    place.pintle(&["rollback", "a", "1"]).ok();
    assert_eq!(place.get(&["pdb/a"])["spec"]["minAvailable"], 1);
    place.pintle(&["uninstall", "a"]).ok();
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn a_rollback_that_would_be_refused_leaves_no_trace() {
    let place = Place::new("back");
    let map = |data: &str| {
        chart(
            &place,
            "a",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{data}"),
        )
    };
    let job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec: {template: {spec: \
               {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}\n";
    place.pintle(&["install", "a", &map(job), "--no-wait"]).ok();
    let next = map(&job.replace("a:1", "a:2"));
    let upgrade = ["upgrade", "a", &next, "--no-wait", "--recreate", "Job/once"];
    place.pintle(&upgrade).ok();
    place
        .pintle(&["rollback", "a"])
        .fails_with(1)
        .says(&["--recreate Job/once"]);
    let history = place.pintle(&["history", "a", "-o", "json"]).ok().json();
    let statuses: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, ["superseded", "deployed"]);
    place
        .pintle(&["rollback", "a", "--recreate", "Job/once", "--no-wait"])
        .ok();
}
