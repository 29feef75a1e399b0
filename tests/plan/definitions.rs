//! Custom resource definitions of a chart.

use std::fs;

use super::{apply, chart, line};
use crate::support::Place;

/// A definition of a kind of this place, with the fields of its spec and its versions.
fn definition(place: &Place, fields: &[&str], versions: &[&str]) -> String {
    let group = group(place);
    let fields: Vec<_> = fields
        .iter()
        .map(|name| format!("{name}: {{type: string}}"))
        .collect();
    let fields = fields.join(", ");
    let version = |(index, name): (usize, &&str)| {
        let storage = index == 0;
        format!(
            "  - name: {name}\n    served: true\n    storage: {storage}\n    schema:\n      \
             openAPIV3Schema:\n        type: object\n        properties:\n          \
             spec: {{type: object, properties: {{{fields}}}}}\n"
        )
    };
    let versions: String = versions.iter().enumerate().map(version).collect();
    format!(
        "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {{name: cars.{group}}}\nspec:\n  group: {group}\n  scope: Namespaced\n  \
         names: {{kind: Car, plural: cars}}\n  versions:\n{versions}"
    )
}

fn group(place: &Place) -> String {
    format!("{}.example.com", place.namespace)
}

fn car(place: &Place, name: &str, version: &str) -> String {
    let group = group(place);
    format!(
        "---\napiVersion: {group}/{version}\nkind: Car\nmetadata: {{name: {name}}}\n\
         spec: {{color: red}}\n"
    )
}

#[test]
fn definitions_come_before_what_they_define() {
    let place = Place::new("crd");
    let cars = format!("cars.{}", group(&place));
    let text = format!(
        "{}{}",
        car(&place, "own", "v1"),
        definition(&place, &["color", "size"], &["v1"])
    );
    let first = chart(&place, "cars", &text);
    let plan = ["install", "cars", &first, "--dry-run", "-o", "json"];
    let plan = place.pintle(&plan).ok().json();
    assert_eq!(plan["stages"][0]["part"], "definitions");
    let later = line(&plan, "Car", "own")["checked_later"].to_string();
    assert!(later.contains("is made by this change"), "{later}");
    place.pintle(&["install", "cars", &first]).ok();
    place
        .pintle(&["upgrade", "cars", &first])
        .ok()
        .prints(&["is unchanged"]);

    let fewer = definition(&place, &["color"], &["v1"]);
    let fewer = chart(
        &place,
        "cars",
        &format!("{}{fewer}", car(&place, "own", "v1")),
    );
    place
        .pintle(&["upgrade", "cars", &fewer])
        .fails_with(1)
        .says(&[
            &format!("CustomResourceDefinition {cars}"),
            "fields are dropped: v1.spec.size",
        ]);
    let other = definition(&place, &["color", "size"], &["v2"]);
    let other = chart(
        &place,
        "cars",
        &format!("{}{other}", car(&place, "own", "v2")),
    );
    place
        .pintle(&["upgrade", "cars", &other])
        .fails_with(1)
        .says(&["version v1 is no longer served"]);
    let more = definition(&place, &["color", "size", "year"], &["v1", "v2"]);
    let more = chart(
        &place,
        "cars",
        &format!("{}{more}", car(&place, "own", "v2")),
    );
    place.pintle(&["upgrade", "cars", &more]).ok();
    goes_with_the_last_of_its_kind(&place, &more);
}

/// Uninstalls the release, whose definition stays as long as there is something of its kind.
fn goes_with_the_last_of_its_kind(place: &Place, chart: &str) {
    let cars = format!("cars.{}", group(place));
    apply(place, "foreign.yaml", &car(place, "foreign", "v1"));
    let namespace = &place.namespace;
    place
        .pintle(&["uninstall", "cars", "--dry-run"])
        .ok()
        .prints(&[&format!(
            "--delete-crds would delete what there is of its kind: {namespace}/foreign"
        )]);
    place.pintle(&["uninstall", "cars"]).ok();
    place.kubectl(&["get", &cars, "foreign"]).ok();
    place.kubectl(&["get", &cars, "own"]).fails_with(1);
    place.pintle(&["install", "cars", chart]).ok();
    place.pintle(&["uninstall", "cars", "--delete-crds"]).ok();
    place.kubectl(&["get", "crd", &cars]).fails_with(1);
}

#[test]
fn definitions_beside_the_templates_belong_to_no_release() {
    let place = Place::new("bundled");
    let cars = format!("cars.{}", group(&place));
    let first = chart(&place, "cars", &car(&place, "own", "v1"));
    let bundle = |fields: &[&str]| {
        let text = definition(&place, fields, &["v1"]);
        place.file("cars/crds/cars.yaml", &text);
    };
    bundle(&["color"]);
    place
        .pintle(&["install", "cars", &first])
        .ok()
        .says(&[&format!("created CustomResourceDefinition {cars}")]);
    let live = place.get(&["crd", &cars]);
    assert_eq!(live["metadata"]["labels"], serde_json::Value::Null);
    let unchanged = ["upgrade", "cars", &first];
    place.pintle(&unchanged).ok().prints(&["is unchanged"]);
    bundle(&["color", "size"]);
    place.pintle(&unchanged).ok().says(&["1 to configure"]);
    bundle(&["size"]);
    place.pintle(&unchanged).fails_with(1).says(&[
        &format!("CustomResourceDefinition {cars} (cars/crds/cars.yaml:2)"),
        "fields are dropped: v1.spec.color",
    ]);
    place.pintle(&["uninstall", "cars"]).ok();
    place.kubectl(&["get", "crd", &cars]).ok();
    place.kubectl(&["delete", "crd", &cars]).ok();
}

#[test]
fn kinds_that_nobody_defines_are_told_at_once() {
    let place = Place::new("kinds");
    let text = format!(
        "{}{}",
        car(&place, "a", "v1"),
        car(&place, "b", "v1").replace("Car", "Bus")
    );
    let cars = chart(&place, "cars", &text);
    let group = group(&place);
    place
        .pintle(&["install", "cars", &cars])
        .fails_with(2)
        .says(&[
            &format!("{group}/v1 Car (cars/templates/all.yaml:2)"),
            &format!("{group}/v1 Bus (cars/templates/all.yaml:7)"),
        ]);
}

#[test]
fn what_has_lost_its_definition_can_be_uninstalled() {
    let place = Place::new("lost-crd");
    apply(&place, "crd.yaml", &definition(&place, &["color"], &["v1"]));
    let cars = format!("cars.{}", group(&place));
    let wait = [
        "wait",
        "--for=condition=Established",
        &format!("crd/{cars}"),
    ];
    place.kubectl(&wait).ok();
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n";
    let own = chart(
        &place,
        "cars",
        &format!("{}{map}", car(&place, "own", "v1")),
    );
    place.pintle(&["install", "cars", &own]).ok();
    place.kubectl(&["delete", "crd", &cars]).ok();
    place.pintle(&["uninstall", "cars"]).ok();
    place.kubectl(&["get", "configmap/beside"]).fails_with(1);
}

#[test]
fn what_of_a_chart_does_not_count_is_left_out() {
    let place = Place::new("left-out");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: size}\ndata: {size: '{{ values.size }}'}\n";
    let chart = place.chart("cars", "size: 1\n", map);
    let schema = r#"{"properties": {"size": {"type": "integer"}}}"#;
    fs::write(format!("{chart}/values.schema.json"), schema).unwrap();
    fs::create_dir(format!("{chart}/crds")).unwrap();
    let cars = definition(&place, &["color"], &["v1"]);
    fs::write(format!("{chart}/crds/cars.yaml"), cars).unwrap();
    let cars = format!("crd/cars.{}", group(&place));
    let values = place.file("large.yaml", "size: large\n");
    let run = |command: &str, flags: &[&str]| {
        place.pintle(&[&[command, "app", &chart, "-f", &values], flags].concat())
    };
    let without = ["--skip-crds", "--skip-schema-validation"];
    run("install", &["--skip-crds"])
        .fails_with(2)
        .says(&["size: must be integer"]);
    run("install", &without).ok();
    place.kubectl(&["get", &cars]).fails_with(1);
    run("diff", &without).ok().prints(&["unchanged"]);

    // A plan remembers what does not count.
    let file = place.file("plan.json", "");
    let more = place.file("more.yaml", "more: 1\n");
    let flags = [&without[..], &["-f", &more, "--out", &file]].concat();
    run("plan", &flags).ok();
    place.pintle(&["apply", &file]).ok();
    place.kubectl(&["get", &cars]).fails_with(1);
    run("upgrade", &["--skip-schema-validation"]).ok();
    place.kubectl(&["get", &cars]).ok();
    place.kubectl(&["delete", &cars]).ok();
}

#[test]
fn a_description_without_a_change_is_not_dropped_without_a_word() {
    let place = Place::new("undescribed");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let chart = place.chart("map", "", map);
    place.pintle(&["install", "app", &chart]).ok();
    let upgrade = |flags: &[&str]| {
        let all = ["upgrade", "app", &chart, "--description", "build 7"];
        place.pintle(&[&all[..], flags].concat()).ok()
    };
    upgrade(&[]).prints(&["is unchanged"]).says(&[
        "the description is not recorded, because revision 1 stays",
        "--force-revision",
    ]);
    upgrade(&["--force-revision"]);
    let history = place.pintle(&["history", "app", "-o", "json"]).ok().json();
    assert_eq!(history[1]["description"], "build 7");
}
