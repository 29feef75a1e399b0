//! Lists of custom resources, into which others have put items of their own.

use http::Method;
use serde_json::{Value, json};
use testbed::User;

use super::chart;
use super::requests::Listening;
use crate::rights::allow;
use crate::support::{Place, api, testbed};

/// A kind with lists of each type, in a group of its place.
fn definition(place: &Place) -> Value {
    let strings = |kind: &str| json!({"type": "array", "x-kubernetes-list-type": kind, "items": {"type": "string"}});
    let rules = json!({"type": "array", "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "to": {"type": "integer"},
                "by": {"type": "string", "default": "server"}}}});
    let spec = json!({"type": "object", "properties": {"rules": rules, "tags": strings("set"),
        "order": strings("atomic")}});
    let group = group(place);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("roads.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Road", "plural": "roads"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                "openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}],
        },
    })
}

fn group(place: &Place) -> String {
    format!("{}.example.com", place.namespace)
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Asks the API server as somebody who may do everything.
fn ask(method: Method, path: &str, (form, body): (&str, &Value)) -> Result<Value, kube::Error> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", form)
        .body(body.to_string().into_bytes());
    let answer = api::send(&testbed().kubeconfig, request.unwrap())?;
    Ok(serde_json::from_str(&answer).unwrap())
}

const JSON: &str = "application/json";

/// Adds the kind, and waits until the API server says all that it has to say of it.
fn define(place: &Place) {
    let body = definition(place);
    ask(Method::POST, DEFINITIONS, (JSON, &body)).unwrap();
    let group = group(place);
    let served = [
        format!("/apis/{group}/v1"),
        format!("/openapi/v3/apis/{group}/v1"),
    ];
    for path in served {
        let told = || ask(Method::GET, &path, (JSON, &Value::Null));
        while !told().is_ok_and(|answer| answer.to_string().contains("Road")) {}
    }
}

fn road(place: &Place) -> String {
    let group = group(place);
    format!("/apis/{group}/v1/namespaces/{}/roads/own", place.namespace)
}

/// The lists as they are.
#[track_caller]
fn check(place: &Place, [rules, tags, order]: [Value; 3]) {
    let live = ask(Method::GET, &road(place), (JSON, &Value::Null)).unwrap();
    let expected = json!({"rules": rules, "tags": tags, "order": order});
    assert_eq!(live["spec"], expected);
}

/// Sets lists as somebody else does.
fn edit(place: &Place, lists: &Value) {
    let path = format!("{}?fieldManager=somebody", road(place));
    let body = json!({ "spec": lists });
    let form = ("application/merge-patch+json", &body);
    ask(Method::PATCH, &path, form).unwrap();
}

fn rule(name: &str, to: u8) -> Value {
    json!({"name": name, "to": to, "by": "server"})
}

/// A chart of one such resource, and of what else there is in it.
fn roads(place: &Place, spec: &str, more: &Value) -> String {
    let group = group(place);
    let road =
        format!("apiVersion: {group}/v1\nkind: Road\nmetadata: {{name: own}}\nspec: {spec}\n");
    let more = match more {
        Value::Null => String::new(),
        more => format!("---\n{more}\n"),
    };
    chart(place, "roads", &(road + &more))
}

/// How often the API server was asked how kinds merge.
fn asked(requests: &[String]) -> usize {
    let asked = requests.iter().filter(|line| line.contains("/openapi/"));
    asked.count()
}

fn writes(requests: &[String]) -> Vec<&String> {
    let writes = requests.iter().filter(|line| !line.starts_with("GET"));
    writes.collect()
}

const FIRST: &str = "{rules: [{name: a, to: 1}, {name: b, to: 1}], tags: [s, t], order: [x, z]}";
const SECOND: &str = "{rules: [{name: b, to: 1}, {name: a, to: 2}], tags: [t, s], order: [x, z]}";
const THIRD: &str = "{rules: [{name: a, to: 2}], tags: [s], order: [x, z]}";

#[test]
fn items_of_others_stay_in_lists_of_custom_resources() {
    let place = Place::new("lists");
    define(&place);
    let everything = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    allow(&place, "owner", &everything);
    let place = place.seen_by(User::TenantAdmin);
    let listening = Listening::on(&place);
    let first = roads(&place, FIRST, &Value::Null);
    let install = listening.requests(&place, &["install", "roads", &first]);
    assert_eq!(asked(&install), 0, "{install:#?}");
    let unchanged = listening.requests(&place, &["upgrade", "roads", &first]);
    assert_eq!((asked(&unchanged), writes(&unchanged)), (0, vec![]));

    let rules = json!([rule("other", 9), rule("b", 1), rule("a", 1)]);
    let (tags, order) = (json!(["t", "u", "s"]), json!(["x", "z"]));
    edit(&place, &json!({"rules": rules, "tags": tags}));
    let drift = ["drift", "roads", "--exit-code"];
    let drifted = listening.requests(&place, &drift);
    assert_eq!(asked(&drifted), 1, "{drifted:#?}");
    let unchanged = listening.requests(&place, &["upgrade", "roads", &first]);
    assert_eq!((asked(&unchanged), writes(&unchanged)), (1, vec![]));

    let second = roads(&place, SECOND, &Value::Null);
    let upgrade = listening.requests(&place, &["upgrade", "roads", &second]);
    assert_eq!(asked(&upgrade), 1, "{upgrade:#?}");
    let rules = json!([rule("other", 9), rule("b", 1), rule("a", 2)]);
    check(&place, [rules, tags.clone(), order]);
    let again = listening.requests(&place, &["upgrade", "roads", &second]);
    assert_eq!(writes(&again), [] as [&String; 0]);
    let between = [
        "diff",
        "roads",
        "--revision",
        "1",
        "--revision",
        "2",
        "-o",
        "json",
    ];
    let between = place.pintle(&between).ok().json();
    assert_eq!(
        paths(&between["lines"][0]["fields"]),
        ["spec.rules[name=a].to"]
    );

    shows_what_was_ours(&place);
    let third = roads(&place, THIRD, &Value::Null);
    place.pintle(&["upgrade", "roads", &third]).ok();
    let rules = json!([rule("other", 9), rule("a", 2)]);
    let (tags, order) = (json!(["u", "s"]), json!(["x", "z"]));
    check(&place, [rules, tags, order]);
    drop(listening);
    knows_what_the_chart_brings(place);
}

/// The paths of changes in JSON.
fn paths(changes: &Value) -> Vec<&str> {
    let changes = changes.as_array().unwrap().iter();
    changes.map(|one| one["path"].as_str().unwrap()).collect()
}

/// Changes items of the chart, and looks at what counts as drift.
fn shows_what_was_ours(place: &Place) {
    let rules = json!([rule("other", 8), rule("b", 5), rule("a", 2)]);
    edit(
        place,
        &json!({"rules": rules, "tags": ["u", "s"], "order": ["z", "x"]}),
    );
    let drift = place.pintle(&["drift", "roads", "-o", "json"]).ok().json();
    let fields = &drift["releases"][0]["resources"][0]["fields"];
    let expected = [
        "spec.order[0]",
        "spec.order[1]",
        "spec.rules[name=b].to",
        "spec.tags",
    ];
    assert_eq!(paths(fields), expected);
    assert_eq!(fields[2]["by"]["manager"], "somebody");
    edit(
        place,
        &json!({"rules": [rule("other", 9), rule("b", 5), rule("a", 2)]}),
    );
}

/// A definition in the chart says it without a question.
fn knows_what_the_chart_brings(place: Place) {
    let place = place.seen_by(User::Admin);
    let listening = Listening::on(&place);
    let spec = THIRD.replace("to: 2", "to: 3");
    let all = roads(&place, &spec, &definition(&place));
    let upgrade = ["upgrade", "roads", &all, "--take-ownership"];
    let upgrade = listening.requests(&place, &upgrade);
    assert_eq!(asked(&upgrade), 0, "{upgrade:#?}");
    let rules = json!([rule("other", 9), rule("a", 3)]);
    check(&place, [rules, json!(["u", "s"]), json!(["x", "z"])]);
    place.pintle(&["uninstall", "roads", "--delete-crds"]).ok();
    let name = format!("{DEFINITIONS}/roads.{}", group(&place));
    ask(Method::GET, &name, (JSON, &Value::Null)).unwrap_err();
}
