//! Records in `ConfigMap`s, as Helm keeps them with `HELM_DRIVER=configmap`.

use serde_json::{Value, json};

use super::{chart, list::check_same};
use crate::support::Place;

#[test]
fn records_are_in_config_maps_if_the_driver_says_so() {
    let place = Place::new("driver").setting("HELM_DRIVER", "configmap");
    let map = chart(&place, "shop", "a: 1\n");
    place.pintle(&["install", "web", &map, "--set", "a=2"]).ok();
    let stored = place.get(&["configmap/sh.helm.release.v1.web.v1"]);
    let payload = stored["data"]["release"].as_str().unwrap();
    // Base64 of the first bytes of gzip, once.
    assert!(payload.starts_with("H4sI"), "{payload}");
    assert_eq!(stored.get("type"), None);
    assert_eq!(stored["metadata"]["labels"]["owner"], "helm");

    place.helm(&["upgrade", "web", &map, "--set", "a=3"]).ok();
    check_same(&place, &["list", "-o", "json"]);
    check_same(&place, &["history", "web", "-o", "json"]);
    check_same(&place, &["get", "values", "web", "-o", "json"]);
    place
        .pintle(&["rollback", "web", "1"])
        .ok()
        .prints(&["REVISION: 3"]);
    place.helm(&["get", "values", "web"]).ok().prints(&["a: 2"]);
    place
        .pintle(&["list", "-q", "--driver", "secret"])
        .ok()
        .says(&[]);
    place
        .pintle(&["status", "web", "--driver", "secret"])
        .fails_with(1)
        .says(&["release web not found"]);
    place
        .pintle(&["list", "--driver", "sql"])
        .fails_with(2)
        .says(&["\"sql\" is no driver of pintle"]);
    let secrets = place.get(&["secrets"]);
    assert_eq!(secrets["items"], Value::Array(vec![]));

    place.pintle(&["uninstall", "web", "--keep-history"]).ok();
    place.helm(&["rollback", "web", "3"]).ok();
    place.pintle(&["uninstall", "web"]).ok();
    assert_eq!(
        place.get(&["configmaps", "-l", "owner=helm"])["items"],
        json!([])
    );
}
