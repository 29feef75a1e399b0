//! A chart with charts inside, on the real API server: their order, their record, and Helm's hand on it.

use serde_json::json;

use crate::support::Place;

const TERA: &str = "annotations: {pintle.dev/engine: tera}\n";

/// A chart that renders to one ConfigMap, which holds what it sees.
fn config_map() -> String {
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ release.name }}-{{ chart.name }}\ndata:\n  \
     size: {{ values.size | quote }}\n  region: {{ values.global.region }}\n"
        .to_owned()
}

/// The folder of an umbrella whose `api` comes after its `db`; `order` says so in `Chart.yaml`.
fn umbrella(place: &Place, (fields, annotation): (&str, &str)) -> String {
    let head = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    for name in ["api", "db"] {
        place.file(
            &format!("web/charts/{name}/Chart.yaml"),
            &(head(name) + TERA),
        );
        place.file(&format!("web/charts/{name}/values.yaml"), "size: 1\n");
        place.file(
            &format!("web/charts/{name}/templates/a.yaml"),
            &config_map(),
        );
    }
    let dependencies = format!(
        "dependencies:\n- {{name: api, version: 1.x, condition: api.enabled{fields}}}\n\
         - {{name: db, version: ^1.0, alias: store}}\n"
    );
    let annotations = format!("annotations:\n  pintle.dev/engine: tera\n{annotation}");
    place.file(
        "web/Chart.yaml",
        &[&head("web"), dependencies.as_str(), &annotations].concat(),
    );
    place.file(
        "web/values.yaml",
        "global: {region: eu}\napi: {enabled: true}\nstore: {size: 3}\n",
    );
    let folder = place.folder().join("web");
    folder.to_str().unwrap().to_owned()
}

#[test]
fn subcharts_are_installed_in_their_order_and_recorded_as_helm_does() {
    let place = Place::new("umbrella");
    let chart = umbrella(
        &place,
        ("", "  pintle.dev/depends-on: '{\"api\": [\"store\"]}'\n"),
    );
    let plan = place.pintle(&["install", "web", &chart, "--dry-run"]).ok();
    let at = |text: &str| {
        plan.stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {plan}"))
    };
    assert!(at("web-store") < at("web-api"), "{plan}");
    plan.prints(&["web/charts/api", "web/charts/store"]);

    place
        .pintle(&["install", "web", &chart, "--set", "api.size=2"])
        .ok();
    let data = |name: &str| place.get(&[name])["data"].clone();
    assert_eq!(
        data("configmap/web-store"),
        json!({"size": "3", "region": "eu"})
    );
    assert_eq!(
        data("configmap/web-api"),
        json!({"size": "2", "region": "eu"})
    );
    place.helm(&["get", "manifest", "web"]).ok().prints(&[
        "# Source: web/charts/store/templates/a.yaml",
        "# Source: web/charts/api/templates/a.yaml",
    ]);
    let again = place.pintle(&["upgrade", "web", &chart]).ok();
    assert!(
        again.stderr.contains("unchanged") || again.stdout.contains("unchanged"),
        "{again}"
    );
    place
        .helm(&["history", "web"])
        .ok()
        .prints(&["Install complete"]);
    assert_eq!(
        place
            .helm(&["history", "web", "-o", "json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let off = ["--set", "api.enabled=false,global.region=us"];
    place
        .pintle(&[&["upgrade", "web", &chart][..], &off].concat())
        .ok();
    place.kubectl(&["get", "configmap/web-api"]).fails_with(1);
    assert_eq!(data("configmap/web-store")["region"], "us");
    place.helm(&["rollback", "web", "1"]).ok();
    assert_eq!(data("configmap/web-api")["size"], "2");
    place.helm(&["uninstall", "web"]).ok();
    place.kubectl(&["get", "configmap/web-store"]).fails_with(1);
}

#[test]
fn the_field_of_a_dependency_says_the_same_and_makes_no_change_by_itself() {
    let place = Place::new("umbrella-field");
    let chart = umbrella(&place, (", depends-on: [store]", ""));
    let plan = place.pintle(&["install", "web", &chart, "--dry-run"]).ok();
    let at = |text: &str| {
        plan.stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {plan}"))
    };
    assert!(at("web-store") < at("web-api"), "{plan}");
    place.file("web/templates/NOTES.txt", "This is {{ release.name }}.\n");
    place.file(
        "web/charts/api/templates/NOTES.txt",
        "Its size is {{ values.size }}.\n",
    );
    let all = ["install", "web", chart.as_str(), "--render-subchart-notes"];
    let installed = place.pintle(&all).ok();
    installed.prints(&["NOTES:\nThis is web.\n\nIts size is 1.\n"]);
    // Notes that are hidden are recorded.
    let hidden = ["upgrade", "web", &chart, "--hide-notes", "--force-revision"];
    let hidden = place
        .pintle(&[&hidden[..], &["--render-subchart-notes"]].concat())
        .ok();
    assert!(!hidden.stdout.contains("This is web."), "{hidden}");
    place
        .pintle(&["get", "notes", "web"])
        .ok()
        .prints(&["This is web.\n\nIts size is 1.\n"]);
    let again = ["upgrade", "web", chart.as_str(), "--render-subchart-notes"];
    place.pintle(&again).ok();
    let history = place.pintle(&["history", "web", "-o", "json"]).ok().json();
    assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
    place
        .pintle(&["lint", &chart])
        .ok()
        .prints(&["depends-on of api is lost when Helm packs the chart"]);

    let chart = umbrella(&place, (", depends-on: [db]", ""));
    place
        .pintle(&["upgrade", "web", &chart])
        .fails_with(2)
        .says(&[
            "depends-on of a dependency names \"db\"",
            "there are api, store",
        ]);
}

#[test]
fn the_subcharts_that_run_say_how_their_values_change() {
    let place = Place::new("umbrella-rules");
    let chart = umbrella(&place, ("", ""));
    let rules = r#"{"properties": {"size": {"type": "integer", "x-kubernetes-validations":
                    [{"rule": "self >= oldSelf", "message": "does not shrink"},
                     {"rule": "gone(self) >= oldSelf"}]}}}"#;
    place.file("web/charts/db/values.schema.json", rules);
    place.pintle(&["install", "web", &chart]).ok();
    // The next version of the subchart has no rule, which does not help who runs the present one.
    place.file("web/charts/db/values.schema.json", "{}");
    let shrink = ["--set", "store.size=2"];
    let upgrade = [&["upgrade", "web", &chart][..], &shrink].concat();
    place.pintle(&upgrade).fails_with(2).says(&[
        "charts/db/values.schema.json",
        "store.size: does not shrink",
    ]);
    place
        .pintle(&["upgrade", "web", &chart, "--set", "store.size=4"])
        .ok()
        .says(&["a rule of the running chart charts/db cannot be evaluated, so it does not count"]);
    // By now no rule is left, but that of the revision to go back to.
    place
        .pintle(&["rollback", "web", "1"])
        .fails_with(2)
        .says(&["store.size: does not shrink"]);
}
