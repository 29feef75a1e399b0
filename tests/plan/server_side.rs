//! Server-side apply on the real API server, and changing over to it and back beside real Helm.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::requests::Listening;
use super::{chart, deployment};
use crate::kcp::proof::eventually;
use crate::support::Place;

/// A chart without a template statement, which Helm and pintle take alike.
fn plain(place: &Place, folder: &str, text: &str) -> String {
    place.file(&format!("{folder}/templates/all.yaml"), text);
    let meta = "apiVersion: v2\nname: plain\nversion: 1.0.0\n";
    let file = place.file(&format!("{folder}/Chart.yaml"), meta);
    file.trim_end_matches("/Chart.yaml").to_owned()
}

/// What the first, second and third version of the chart have: a field that stays, one that changes
/// and one that no other version has.
fn entries(version: u8) -> [(String, String); 3] {
    let only = ["first", "second", "third"][usize::from(version) - 1];
    [
        ("same".to_owned(), "x".to_owned()),
        ("changed".to_owned(), format!("v{version}")),
        (only.to_owned(), "x".to_owned()),
    ]
}

/// The same fields in maps and in a list by keys, and a port beside one of the same number.
fn version(place: &Place, name: &str, version: u8) -> String {
    let map = entries(version)
        .iter()
        .fold(String::new(), |mut text, (key, value)| {
            let _ = write!(text, "{key}: {value}, ");
            text
        });
    let keys = entries(version)
        .iter()
        .fold(String::new(), |mut text, (key, value)| {
            let _ = write!(text, "{key}: {}, ", BASE64_STANDARD.encode(value));
            text
        });
    let env = entries(version)
        .iter()
        .fold(String::new(), |mut text, (key, value)| {
            let _ = write!(text, "{{name: {key}, value: {value}}}, ");
            text
        });
    let port = 8000 + u16::from(version);
    let text = format!(
        "\
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, annotations: {{{map}}}}}
data: {{{map}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
data: {{{keys}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{a: b}}, ports: [{{name: same, port: 53, protocol: UDP}}, {{name: own, port: {port}}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {{{map}}}}}
    spec:
      containers: [{{name: app, image: 'app:{version}', env: [{env}]}}]
"
    );
    plain(place, &format!("{name}-{version}"), &text)
}

const KINDS: [&str; 4] = ["configmap", "secret", "service", "deployment"];

fn live(place: &Place, name: &str) -> Vec<Value> {
    let names: Vec<String> = KINDS.iter().map(|kind| format!("{kind}/{name}")).collect();
    let mut args: Vec<&str> = names.iter().map(String::as_str).collect();
    args.push("--show-managed-fields");
    let list = place.get(&args);
    list["items"].as_array().unwrap().clone()
}

/// Whether everything is as this version of the chart has it, without a field of another one.
#[track_caller]
fn check_version(place: &Place, name: &str, version: u8) {
    let live = live(place, name);
    let text: Value = entries(version)
        .into_iter()
        .map(|(key, value)| (key, Value::from(value)))
        .collect();
    assert_eq!(live[0]["data"], text, "{name}");
    let mut keys: Vec<&String> = live[1]["data"].as_object().unwrap().keys().collect();
    let mut wanted: Vec<&String> = text.as_object().unwrap().keys().collect();
    keys.sort();
    wanted.sort();
    assert_eq!(keys, wanted, "{name}");
    let ports: Vec<&Value> = live[2]["spec"]["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| &port["port"])
        .collect();
    assert_eq!(
        ports,
        [&json!(53), &json!(8000 + u16::from(version))],
        "{name}"
    );
    let template = &live[3]["spec"]["template"];
    assert_eq!(template["metadata"]["annotations"], text, "{name}");
    let env: Value = template["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap().to_owned(),
                one["value"].clone(),
            )
        })
        .collect();
    assert_eq!(env, text, "{name}");
}

/// The operations by which Helm's field manager owns fields of these resources.
fn operations(live: &[Value]) -> Vec<String> {
    let entries = live
        .iter()
        .flat_map(|body| body["metadata"]["managedFields"].as_array().unwrap());
    let own = entries.filter(|entry| entry["manager"] == "helm");
    let mut found: Vec<String> = own
        .map(|entry| entry["operation"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// What the newest record of a release says about how it was written.
fn method(place: &Place, name: &str) -> String {
    let metadata = place
        .helm(&["get", "metadata", name, "-o", "json"])
        .ok()
        .json();
    metadata["applyMethod"].as_str().unwrap().to_owned()
}

/// A release that begins in one of the ways, is upgraded by pintle in each way, goes on with Helm's next
/// upgrade or rollback, and comes back to pintle.
fn walk(manager: &str, begun: &str) {
    let place = Place::new("ssa-table");
    let ways = ["auto", "true", "false"];
    for way in ways {
        for next in ["upgrade", "rollback"] {
            let name = format!("{begun}-{way}-{next}");
            let charts = [1, 2, 3].map(|number| version(&place, &name, number));
            let install = [
                "install",
                &name,
                &charts[0],
                &format!("--server-side={begun}"),
            ];
            match manager {
                "helm" => place.helm(&install).ok(),
                _ => place.pintle(&install).ok(),
            };
            check_version(&place, &name, 1);
            let by = format!("--server-side={way}");
            let upgrade = ["upgrade", &name, &charts[1], &by];
            place.pintle(&upgrade).ok();
            check_version(&place, &name, 2);
            let is_server_side = way == "true" || (way == "auto" && begun == "true");
            let expected = if is_server_side { "ssa" } else { "csa" };
            assert_eq!(method(&place, &name), expected, "{name}");
            if is_server_side {
                assert_eq!(operations(&live(&place, &name)), ["Apply"], "{name}");
            }
            place.pintle(&upgrade).ok().prints(&["is unchanged"]);
            let args = match next {
                "upgrade" => ["upgrade", &name, &charts[2]],
                _ => ["rollback", &name, "1"],
            };
            place.helm(&args).ok();
            check_version(&place, &name, if next == "upgrade" { 3 } else { 1 });
            place.pintle(&["rollback", &name]).ok();
            check_version(&place, &name, 2);
            place.pintle(&["uninstall", &name]).ok();
        }
    }
    let left = place.get(&[
        "configmaps,secrets,services,deployments",
        "-l",
        "app.kubernetes.io/managed-by=Helm",
    ]);
    assert_eq!(left["items"], json!([]));
}

#[test]
fn from_the_client_side_by_pintle() {
    walk("pintle", "false");
}

#[test]
fn by_server_side_apply_of_pintle() {
    walk("pintle", "true");
}

#[test]
fn from_the_client_side_by_helm() {
    walk("helm", "false");
}

#[test]
fn by_server_side_apply_of_helm() {
    walk("helm", "true");
}

fn maps(place: &Place, value: &str) -> String {
    let text = ["a", "b", "c"].map(|name| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{x: {value}, y: same}}\n"
        )
    });
    plain(place, "maps", &text.concat())
}

fn data(place: &Place, name: &str) -> Value {
    place.get(&[&format!("configmap/{name}")])["data"].clone()
}

#[test]
fn conflicts_come_in_one_error_before_the_first_write() {
    let place = Place::new("ssa-conflicts");
    let chart = maps(&place, "one");
    place
        .pintle(&["install", "app", &chart, "--server-side"])
        .ok();
    for name in ["a", "b"] {
        let patch = [
            "patch",
            "configmap",
            name,
            "-p",
            "{\"data\":{\"x\":\"theirs\"}}",
        ];
        place.kubectl(&patch).ok();
    }
    let all = ["configmap/a", "configmap/b", "configmap/c"];
    let before = place.versions(&all);
    let upgrade = ["upgrade", "app", &maps(&place, "two")];
    place.pintle(&upgrade).fails_with(4).says(&[
        "2 changes would be refused, so nothing was written",
        "ConfigMap a (plain/templates/all.yaml:2): field manager kubectl-patch owns data.x",
        "ConfigMap b (plain/templates/all.yaml:7): field manager kubectl-patch owns data.x",
        "hint: --force-conflicts",
    ]);
    assert_eq!(place.versions(&all), before);
    place
        .pintle(&[&upgrade[..], &["--dry-run"]].concat())
        .fails_with(4);
    place
        .pintle(&[&upgrade[..], &["--force-conflicts"]].concat())
        .ok();
    for name in ["a", "b", "c"] {
        assert_eq!(data(&place, name), json!({"x": "two", "y": "same"}));
    }
    place
        .pintle(&["upgrade", "app", &maps(&place, "three")])
        .ok();
    assert_eq!(method(&place, "app"), "ssa");
}

#[test]
fn conflicts_can_be_forced_only_where_there_are_any() {
    let place = Place::new("ssa-force");
    let chart = maps(&place, "one");
    place
        .pintle(&["install", "app", &chart, "--force-conflicts"])
        .fails_with(2)
        .says(&["knows no conflicts", "--server-side"]);
    place.pintle(&["install", "app", &chart]).ok();
    for way in ["--server-side=auto", "--server-side=false"] {
        place
            .pintle(&["upgrade", "app", &chart, way, "--force-conflicts"])
            .fails_with(2)
            .says(&["knows no conflicts", "hint: leave"]);
    }
}

#[test]
fn what_is_unchanged_is_not_written() {
    let place = Place::new("ssa-no-op");
    let listening = Listening::on(&place);
    let chart = maps(&place, "one");
    let upgrade = ["upgrade", "app", &chart];
    place.pintle(&["install", "app", &chart]).ok();
    // Changing over rewrites the owners of all, and no field.
    let over = ["upgrade", "app", &chart, "--server-side"];
    place
        .pintle(&[&over[..], &["--dry-run"]].concat())
        .ok()
        .prints(&["3 to configure", "what helm wrote"]);
    place.pintle(&over).ok().prints(&["REVISION: 2"]);
    for way in [&over[..], &upgrade[..]] {
        assert_eq!(listening.writes(&place, way), [] as [&str; 0]);
    }
    let changed = maps(&place, "two");
    let writes = listening.writes(&place, &["upgrade", "app", &changed]);
    let resources = writes.iter().filter(|line| line.contains("/configmaps/"));
    let resources: Vec<_> = resources.filter(|line| !line.contains("dryRun")).collect();
    assert_eq!(resources.len(), 3, "{writes:#?}");
    assert!(
        resources
            .iter()
            .all(|line| line.contains("fieldManager=helm"))
    );
}

#[test]
fn what_appears_meanwhile_is_not_taken_over() {
    let place = Place::new("ssa-appears");
    let first = deployment("first", 1, "nodeSelector: {no: where}").replace(
        "  name: first\nspec:",
        "  name: first\n  annotations: {helm.sh/resource-group: first}\nspec:",
    );
    let late = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: late\n  annotations:\n    \
        helm.sh/resource-group: second\n    helm.sh/depends-on/resource-groups: '[\"first\"]'\n\
        data: {x: ours}\n";
    let chart = chart(&place, "late", &format!("{first}{late}"));
    let started = place.start_pintle(&["install", "app", &chart, "--server-side"]);
    eventually("the first group is there", || {
        let run = place.kubectl(&["get", "deployment/first"]);
        (run.code == Some(0)).then_some(())
    });
    let create = ["create", "configmap", "late", "--from-literal=x=theirs"];
    place.kubectl(&create).ok();
    let scale = ["scale", "deployment/first", "--replicas=0"];
    place.kubectl(&scale).ok();
    started.end().fails_with(4).says(&[
        "resources exist already and do not belong to this release: ConfigMap late",
        "--take-ownership",
    ]);
    let live = place.get(&["configmap/late"]);
    assert_eq!(live["data"], json!({"x": "theirs"}));
    assert!(live["metadata"].get("labels").is_none());
}

#[test]
fn replicas_that_an_autoscaler_has_not_written_yet_stay() {
    let place = Place::new("ssa-scaled");
    let autoscaler = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n\
        metadata: {name: web}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  \
        minReplicas: 3\n  maxReplicas: 9\n";
    let web = |image: &str| deployment("web", 3, "").replace("app:1", image);
    let alone = chart(&place, "web", &web("app:1"));
    place
        .pintle(&["install", "web", &alone, "--server-side"])
        .ok();
    let replicas = || place.get(&["deployment/web"])["spec"]["replicas"].clone();
    let scaled = chart(&place, "web", &format!("{}{autoscaler}", web("app:2")));
    place.pintle(&["upgrade", "web", &scaled]).ok();
    assert_eq!(replicas(), 3);
    place
        .kubectl(&["scale", "deployment/web", "--replicas=4"])
        .ok();
    let again = chart(&place, "web", &format!("{}{autoscaler}", web("app:3")));
    place.pintle(&["upgrade", "web", &again]).ok();
    assert_eq!(replicas(), 4);
}

#[test]
fn replicas_that_a_chart_does_not_give_any_more_stay() {
    let place = Place::new("ssa-bare");
    let web = |image: &str| deployment("web", 3, "").replace("app:1", image);
    let given = chart(&place, "web", &web("app:1"));
    let install = ["install", "web", &given, "--server-side", "--no-wait"];
    place.pintle(&install).ok();
    let bare = web("app:2").replace("  replicas: 3\n", "");
    let bare = chart(&place, "web", &bare);
    place.pintle(&["upgrade", "web", &bare, "--no-wait"]).ok();
    assert_eq!(place.get(&["deployment/web"])["spec"]["replicas"], 3);
    place
        .pintle(&["upgrade", "web", &bare, "--no-wait"])
        .ok()
        .prints(&["is unchanged"]);
}

#[test]
fn stamps_and_keys_survive_helm() {
    let place = Place::new("ssa-stamps");
    let token = "---\napiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: token}\n\
        spec: {keys: {token: {encoding: hex, bytes: 16}}}\n";
    let web = |image: &str| {
        let pod = "volumes: [{name: t, secret: {secretName: token}}]";
        let text = deployment("web", 1, pod).replace("app:1", image);
        chart(&place, "web", &format!("{token}{text}"))
    };
    let state = || {
        let live = place.get(&["deployment/web"]);
        let template = &live["spec"]["template"];
        let token = place.get(&["secret/token"])["data"]["token"].clone();
        let image = template["spec"]["containers"][0]["image"].clone();
        (template["metadata"]["annotations"].clone(), token, image)
    };
    place
        .pintle(&["install", "web", &web("app:1"), "--server-side"])
        .ok();
    let first = state();
    assert!(first.0["issue.pintle.dev/token"].is_string());
    place.pintle(&["upgrade", "web", &web("app:2")]).ok();
    place.helm(&["rollback", "web", "1"]).ok();
    assert_eq!(state(), first);
    // A new issue takes the place of the old one.
    place.kubectl(&["delete", "secret/token"]).ok();
    place.pintle(&["upgrade", "web", &web("app:1")]).ok();
    let (stamps, token, _) = state();
    assert_ne!((&stamps, &token), (&first.0, &first.1));
    place.helm(&["rollback", "web", "2"]).ok();
    assert_eq!(state().0, stamps);
    // One from the client side is changed over without a pod being rolled.
    let client = ["upgrade", "web", &web("app:2"), "--server-side=false"];
    place.pintle(&client).ok();
    let before = place.get(&["deployment/web"])["metadata"]["generation"].clone();
    let server = ["upgrade", "web", &web("app:2"), "--server-side=true"];
    place.pintle(&server).ok();
    assert_eq!(state().0, stamps);
    assert_eq!(
        place.get(&["deployment/web"])["metadata"]["generation"],
        before
    );
}

#[test]
fn what_is_adopted_keeps_what_it_has_besides() {
    let place = Place::new("ssa-adopted");
    let text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: old, more: theirs}\n";
    super::apply(&place, "a.yaml", text);
    let install = ["install", "app", &maps(&place, "one"), "--server-side"];
    place
        .pintle(&install)
        .fails_with(4)
        .says(&["ConfigMap a", "--take-ownership"]);
    let adopt = [&install[..], &["--take-ownership"]].concat();
    let patch = [
        "patch",
        "configmap/a",
        "-p",
        "{\"data\":{\"y\":\"patched\"}}",
    ];
    place.kubectl(&patch).ok();
    place.pintle(&adopt).fails_with(4).says(&[
        "ConfigMap a",
        "field manager kubectl-patch owns data.y\nhint",
    ]);
    // Nothing is recorded, so nothing of others can be uninstalled.
    place.pintle(&["status", "app"]).fails_with(1);
    place
        .pintle(&[&adopt[..], &["--force-conflicts"]].concat())
        .ok();
    let expected = json!({"x": "one", "y": "same", "more": "theirs"});
    assert_eq!(data(&place, "a"), expected);
    let next = plain(
        &place,
        "next",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {y: same}\n",
    );
    place.pintle(&["upgrade", "app", &next]).ok();
    assert_eq!(data(&place, "a"), json!({"y": "same", "more": "theirs"}));
}

#[test]
fn what_an_apply_does_not_take_is_told_with_its_place() {
    let place = Place::new("ssa-twice");
    let twice = "env:\n        - {name: A, value: one}\n        - {name: A, value: two}";
    let web = deployment("web", 0, "").replace(
        "containers: [{name: app, image: 'app:1'}]",
        &format!("containers:\n      - name: app\n        image: app:1\n        {twice}"),
    );
    let chart = plain(&place, "twice", &web);
    place
        .pintle(&["install", "app", &chart, "--server-side"])
        .fails_with(1)
        .says(&[
            "Deployment web",
            "A stands twice in",
            "all.yaml:16",
            "does not take",
        ]);
    place.pintle(&["install", "app", &chart]).ok();
    place
        .helm(&["status", "app"])
        .ok()
        .prints(&["STATUS: deployed"]);
    // What is null asks for nothing.
    let null = deployment("nothing", 0, "")
        .replace("name: app,", "name: app, env: null, resources: null,");
    let null = plain(&place, "nothing", &null);
    place
        .pintle(&["install", "nothing", &null, "--server-side"])
        .ok();
    let upgrade = ["upgrade", "nothing", &null];
    place.pintle(&upgrade).ok().prints(&["is unchanged"]);
}

#[test]
fn text_of_a_secret_that_helm_has_applied_can_be_dropped() {
    let place = Place::new("ssa-text");
    let secret = |folder: &str, text: &str| {
        let body = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
        plain(&place, folder, &format!("{body}stringData: {{{text}}}\n"))
    };
    let names = || {
        let live = place.get(&["secret/s"]);
        let data = live["data"].as_object().unwrap().clone();
        data.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let both = secret("both", "a: x, tls.key: z");
    let one = secret("one", "a: z");
    // Helm's own apply owns text, and leaves the data that became of it.
    place.helm(&["install", "app", &both]).ok();
    place.pintle(&["upgrade", "app", &one]).ok();
    assert_eq!(names(), ["a"]);
    place.helm(&["rollback", "app", "1"]).ok();
    assert_eq!(names(), ["a", "tls.key"]);
    place.pintle(&["upgrade", "app", &one]).ok();
    assert_eq!(names(), ["a"]);
    place.helm(&["upgrade", "app", &one]).ok();
    assert_eq!(names(), ["a"]);
    let upgrade = ["upgrade", "app", &one];
    place.pintle(&upgrade).ok().says(&["1 unchanged"]);
}

#[test]
fn what_is_made_anew_is_applied() {
    let place = Place::new("ssa-anew");
    let sealed = |value: &str| {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nimmutable: true\ndata: {{x: {value}}}\n"
        );
        plain(&place, "sealed", &text)
    };
    let first = sealed("one");
    place
        .pintle(&["install", "app", &first, "--server-side"])
        .ok();
    place
        .pintle(&["upgrade", "app", &sealed("two")])
        .ok()
        .says(&["1 to recreate"]);
    let live = place.get(&["configmap/a", "--show-managed-fields"]);
    assert_eq!(live["data"], json!({"x": "two"}));
    assert_eq!(operations(&[live]), ["Apply"]);
}

/// A kind with a list that merges by keys.
fn cars(group: &str) -> String {
    let item =
        "{type: object, required: [name], properties: {name: {type: string}, v: {type: string}}}";
    format!(
        "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: cars.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Car, plural: cars}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              wheels:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {item}
"
    )
}

#[test]
fn items_that_others_have_added_to_a_custom_resource_stay() {
    let place = Place::new("ssa-custom");
    let group = format!("{}.example.com", place.namespace);
    super::apply(&place, "definition.yaml", &cars(&group));
    let wait = ["wait", "--for=condition=Established", "--timeout=60s"];
    let name = format!("crd/cars.{group}");
    place.kubectl(&[&wait[..], &[&name]].concat()).ok();
    let car = |wheels: &str| {
        format!(
            "apiVersion: {group}/v1\nkind: Car\nmetadata: {{name: car}}\nspec: {{wheels: [{wheels}]}}\n"
        )
    };
    let chart = |value: &str| plain(&place, "car", &car(&format!("{{name: own, v: {value}}}")));
    let first = chart("one");
    place
        .pintle(&["install", "app", &first, "--server-side"])
        .ok();
    let theirs = place.file("theirs.yaml", &car("{name: theirs, v: x}"));
    let apply = [
        "apply",
        "--server-side",
        "--field-manager=other",
        "-f",
        &theirs,
    ];
    place.kubectl(&apply).ok();
    let upgrade = ["upgrade", "app", &first];
    place.pintle(&upgrade).ok().prints(&["is unchanged"]);
    place.pintle(&["upgrade", "app", &chart("two")]).ok();
    let live = place.get(&[&format!("cars.{group}/car")]);
    assert_eq!(
        live["spec"]["wheels"],
        json!([{"name": "own", "v": "two"}, {"name": "theirs", "v": "x"}])
    );
    place.kubectl(&["delete", &name]).ok();
}

#[test]
fn a_secret_changes_hands_between_template_and_generator() {
    let place = Place::new("ssa-hands");
    let made = "apiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: token}\n\
        spec: {keys: {token: {encoding: hex, bytes: 16}}}\n";
    let written = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\n\
        stringData: {token: 00112233445566778899aabbccddeeff}\n";
    let token = || place.get(&["secret/token"])["data"]["token"].clone();
    let (made, written) = (
        chart(&place, "made", made),
        chart(&place, "written", written),
    );
    place
        .pintle(&["install", "app", &made, "--server-side"])
        .ok();
    let random = token();
    let upgrade = |chart: &str| place.pintle(&["upgrade", "app", chart]).ok();
    upgrade(&written);
    let given = token();
    assert_eq!(
        given,
        BASE64_STANDARD.encode("00112233445566778899aabbccddeeff")
    );
    assert_ne!(given, random);
    // What the template has written is adopted, and an apply does not take it away.
    upgrade(&made);
    assert_eq!(token(), given);
    upgrade(&made).prints(&["is unchanged"]);
    place.helm(&["rollback", "app", "1"]).ok();
    assert_eq!(token(), given);
    place.pintle(&["uninstall", "app"]).ok();
}

#[test]
fn defaults_that_stand_in_the_way_are_taken_away() {
    let place = Place::new("ssa-strategy");
    let web = |strategy: &str| {
        let text =
            deployment("web", 0, "").replace("  replicas:", &format!("{strategy}  replicas:"));
        chart(&place, "web", &text)
    };
    place
        .pintle(&["install", "web", &web(""), "--server-side"])
        .ok();
    let strategy = || place.get(&["deployment/web"])["spec"]["strategy"].clone();
    assert_eq!(strategy()["type"], "RollingUpdate");
    // What the API server has filled in is nobody's, and is not allowed beside the other type.
    let upgrade = ["upgrade", "web", &web("  strategy: {type: Recreate}\n")];
    place.pintle(&upgrade).ok();
    assert_eq!(strategy(), json!({"type": "Recreate"}));
    place.pintle(&upgrade).ok().prints(&["is unchanged"]);
    place.helm(&["rollback", "web", "1"]).ok();
    assert_eq!(strategy()["type"], "RollingUpdate");
}

#[test]
fn hooks_are_applied_as_well() {
    let place = Place::new("ssa-hook");
    let map = |name: &str, more: &str| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{more}}}\n")
    };
    let hook = map("hook", ", annotations: {helm.sh/hook: pre-install}");
    let chart = plain(&place, "hook", &format!("{}{hook}", map("app", "")));
    place
        .pintle(&["install", "app", &chart, "--server-side"])
        .ok();
    let list = place.get(&["configmap/app", "configmap/hook", "--show-managed-fields"]);
    let live = list["items"].as_array().unwrap();
    assert_eq!(
        (live.len(), operations(live)),
        (2, vec!["Apply".to_owned()])
    );
}
