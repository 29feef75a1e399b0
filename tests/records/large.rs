//! Releases whose record would be larger than a Secret may be.

use std::fmt::Write as _;

use serde_json::Value;

use super::chart;
use crate::kcp::proof::eventually;
use crate::support::Place;

/// Digits that hardly compress, always the same.
fn noise(length: usize) -> String {
    let mut state = 7_u64;
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Writing into a string cannot fail.
        let _ = write!(text, "{:08x}", state >> 32);
    }
    text.truncate(length);
    text
}

/// The sources that stand apart: the name of each piece, and how many records need it.
fn pieces(place: &Place) -> Vec<(String, usize)> {
    let found = place.get(&["secrets", "--field-selector", "type=pintle.dev/chart.v1"]);
    let one = |secret: &Value| {
        let owners = secret["metadata"]["ownerReferences"].as_array();
        let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
        (name, owners.map_or(0, Vec::len))
    };
    found["items"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn the_sources_of_a_large_chart_stand_apart() {
    let place = Place::new("large");
    let large = chart(&place, "large", "a: 1\n");
    place.file("large/files/noise.txt", &noise(2_000_000));
    let small = chart(&place, "small", "a: 1\n");
    place
        .pintle(&["install", "web", &large, "--set", "a=2"])
        .ok();
    let owners = |place: &Place| -> Vec<usize> {
        pieces(place)
            .into_iter()
            .map(|(_, owners)| owners)
            .collect()
    };
    assert_eq!(owners(&place), [1, 1]);
    // A second revision shares them, and an unchanged chart is known by them.
    place
        .pintle(&["upgrade", "web", &large])
        .ok()
        .prints(&["is unchanged"]);
    place
        .pintle(&["upgrade", "web", &large, "--set", "a=3"])
        .ok();
    assert_eq!(owners(&place), [2, 2]);

    place.helm(&["list"]).ok().prints(&["large-1.0.0"]);
    place
        .helm(&["get", "all", "web"])
        .ok()
        .prints(&["a: 3", "kind: ConfigMap"]);
    place
        .helm(&["upgrade", "web", &small, "--reuse-values"])
        .ok();
    place.helm(&["rollback", "web", "1"]).ok();
    place.helm(&["status", "web"]).ok().prints(&["REVISION: 4"]);
    place
        .pintle(&["rollback", "web", "2"])
        .ok()
        .prints(&["REVISION: 5"]);
    assert_eq!(owners(&place), [3, 3]);
    // Two records go, one stays.
    let last = [
        "upgrade",
        "web",
        &large,
        "--set",
        "a=4",
        "--history-max",
        "2",
    ];
    place.pintle(&last).ok();
    let names: Vec<String> = pieces(&place).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 2);
    place.helm(&["uninstall", "web"]).ok();
    for name in names {
        let secret = format!("secret/{name}");
        place
            .kubectl(&["wait", "--for=delete", &secret, "--timeout=60s"])
            .ok();
    }
}

#[test]
fn the_sources_of_a_large_chart_stand_in_config_maps_where_records_do() {
    let place = Place::new("largemaps").setting("HELM_DRIVER", "configmap");
    let large = chart(&place, "large", "a: 1\n");
    place.file("large/files/noise.txt", &noise(1_500_000));
    place.pintle(&["install", "web", &large]).ok();
    place
        .pintle(&["upgrade", "web", &large, "--set", "a=3"])
        .ok();
    let pieces = || -> Vec<usize> {
        let maps = place.get(&["configmaps"])["items"].clone();
        let pieces = maps.as_array().unwrap().iter();
        let pieces = pieces.filter(|map| map["binaryData"]["sources"].is_string());
        let owners = |map: &Value| map["metadata"]["ownerReferences"].as_array().unwrap().len();
        pieces.map(owners).collect()
    };
    assert_eq!(pieces(), [2, 2]);
    place.helm(&["get", "values", "web"]).ok().prints(&["a: 3"]);
    place
        .pintle(&["rollback", "web", "1"])
        .ok()
        .prints(&["REVISION: 3"]);
    place.pintle(&["uninstall", "web"]).ok();
    eventually("the pieces are collected", || {
        pieces().is_empty().then_some(())
    });
    assert_eq!(place.get(&["secrets"])["items"], serde_json::json!([]));
}

#[test]
fn a_record_that_cannot_fit_is_refused_before_anything_is_written() {
    let place = Place::new("too-large");
    let folder = chart(&place, "huge", "a: 1\n");
    let digits = noise(2_700_000);
    for (number, digits) in digits.as_bytes().chunks(900_000).enumerate() {
        let digits = String::from_utf8_lossy(digits);
        let map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\ndata: {{a: x{digits}}}\n"
        );
        place.file(&format!("huge/templates/m{number}.yaml"), &map);
    }
    place
        .pintle(&["install", "web", &folder])
        .fails_with(2)
        .says(&["cannot be recorded: the record would take", "manifest 26"]);
    let left = place.get(&[
        "secrets,leases,configmaps",
        "--field-selector",
        "metadata.name!=kube-root-ca.crt",
    ]);
    assert_eq!(left["items"], Value::Array(vec![]));
}
