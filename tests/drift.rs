//! What others change of a release: who did, and how it is put back.

use serde_json::{Value, json};

use crate::plan::output::fits;
use crate::plan::requests::Listening;
use crate::plan::{chart, deployment};
use crate::support::{Place, path};

/// Takes out of a text what differs from run to run: times and the namespace.
fn stable(place: &Place, text: &str) -> String {
    let text = text.replace(&place.namespace, "NAMESPACE");
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let bare = word.trim_end();
        let is_time = bare.len() == 20 && bare.ends_with('Z') && bare.starts_with("20");
        if is_time {
            word.replace(bare, "TIME")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// Patches as a manager of its own, as programs do.
fn patch(place: &Place, (what, manager): (&str, &str), patch: &Value) {
    let manager = format!("--field-manager={manager}");
    let patch = patch.to_string();
    place
        .kubectl(&["patch", what, &manager, "--type=merge", "-p", &patch])
        .ok();
}

/// Changes a shop in many ways, as several people and programs do.
fn tamper(place: &Place) {
    place
        .kubectl(&["scale", "deployment/web-web", "--replicas=4"])
        .ok();
    let image = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image",
        "value": "nginx:edited"}]);
    let image = image.to_string();
    let edit = [
        "patch",
        "deployment/web-web",
        "--field-manager=kubectl-edit",
        "--type=json",
        "-p",
    ];
    place.kubectl(&[&edit[..], &[&image]].concat()).ok();
    let data = json!({"data": {"shop.json": "{\n  \"title\": \"Hacked\"\n}\n"}});
    patch(place, ("configmap/web-web", "intruder"), &data);
    patch(
        place,
        ("secret/web-mail", "rotator"),
        &json!({"data": {"password": "bmV3LXBhc3N3b3Jk"}}),
    );
    let ours = json!({"metadata": {"annotations": {"others": "this is"}}});
    patch(place, ("service/web-web", "annotator"), &ours);
    place.kubectl(&["delete", "role/web-web"]).ok();
}

const DRIFT: [&str; 3] = ["drift", "web", "--exit-code"];

fn install(place: &Place) -> String {
    let web = path("examples/web");
    place
        .pintle(&[
            "install",
            "web",
            &web,
            "--set",
            "mail.password=first-password",
        ])
        .ok();
    web
}

#[test]
fn drift_names_fields_managers_and_times() {
    let place = Place::new("drift");
    install(&place);
    let run = place.pintle(&DRIFT).ok();
    let expected = format!("web in {}, revision 1: 10 as recorded\n", place.namespace);
    assert_eq!(run.stdout, expected);
    tamper(&place);
    let run = place.pintle(&DRIFT).fails_with(5);
    insta::assert_snapshot!("changes", stable(&place, &run.stdout));
    assert!(
        !run.stdout.contains("bmV3") && !run.stdout.contains("new-password"),
        "{run}"
    );

    let json = place.pintle(&["drift", "web", "-o", "json"]).ok();
    let printed = fits("drift", &json);
    assert!(!json.stdout.contains("bmV3"), "{json}");
    let resources = printed["releases"][0]["resources"].as_array().unwrap();
    let web = resources
        .iter()
        .find(|one| one["kind"] == "Deployment")
        .unwrap();
    let live = place.get(&["deployment/web-web", "--show-managed-fields"]);
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    for (path, manager) in [("spec.replicas", "kubectl"), ("image", "kubectl-edit")] {
        let fields = web["fields"].as_array().unwrap();
        let is_it = |field: &&Value| field["path"].as_str().unwrap().ends_with(path);
        let by = &fields.iter().find(is_it).unwrap()["by"];
        let entry = entries
            .iter()
            .find(|entry| entry["manager"] == manager)
            .unwrap();
        for key in ["manager", "operation", "time", "subresource"] {
            assert_eq!(by[key], entry[key], "{path} {key}");
        }
    }
    assert_eq!(web["fields"].as_array().unwrap().len(), 2, "{web}");
}

#[test]
fn a_text_is_shown_with_as_many_lines_around_a_change_as_are_asked_for() {
    let place = Place::new("drift-context");
    let page = |fifth: &str| format!("one\ntwo\nthree\nfour\n{fifth}\nsix\nseven\n");
    let indented = page("five").replace('\n', "\n    ");
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: page}}\ndata:\n  page.txt: |\n    {}\n",
        indented.trim_end()
    );
    place
        .pintle(&["install", "web", &chart(&place, "web", &text)])
        .ok();
    let other = json!({"data": {"page.txt": page("5")}});
    patch(&place, ("configmap/page", "editor"), &other);
    let shown = |lines: &str| {
        let run = place.pintle(&["drift", "web", "--context", lines]).ok();
        let text = run.prints(&["\n        -five\n        +5\n"]).stdout;
        let lines = text.lines().filter(|line| line.starts_with("         "));
        lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(shown("0"), [] as [&str; 0]);
    assert_eq!(shown("1"), ["four", "six"]);
}

#[test]
fn what_an_autoscaler_scales_is_no_drift() {
    let place = Place::new("drift-scaled");
    install(&place);
    let autoscaler = ["autoscale", "deployment/web-web", "--max=9", "--min=4"];
    place.kubectl(&autoscaler).ok();
    place
        .kubectl(&["scale", "deployment/web-web", "--replicas=4"])
        .ok();
    place.pintle(&DRIFT).ok().prints(&["10 as recorded"]);
}

#[test]
fn drift_is_put_back_as_the_next_revision() {
    let place = Place::new("drift-fix");
    install(&place);
    tamper(&place);
    let fix = ["drift", "web", "--fix"];
    let dry = [&fix[..], &["--dry-run"]].concat();
    place
        .pintle(&dry)
        .ok()
        .prints(&["+ Role web-web", "spec.replicas: 4 -> 2"]);
    place.pintle(&DRIFT).fails_with(5);
    place
        .pintle(&fix)
        .ok()
        .prints(&["has been put back", "REVISION: 2"]);
    let expected = format!("web in {}, revision 2: 10 as recorded\n", place.namespace);
    assert_eq!(place.pintle(&DRIFT).ok().stdout, expected);
    let history = place.pintle(&["history", "web"]).ok();
    history.prints(&["Put back what had drifted from revision 1"]);
    place
        .helm(&["history", "web"])
        .ok()
        .prints(&["superseded", "deployed"]);
    let live = place.get(&["service/web-web"]);
    assert_eq!(live["metadata"]["annotations"]["others"], "this is");
    // Where nothing has drifted, no revision is made.
    place
        .pintle(&fix)
        .ok()
        .prints(&["is unchanged", "REVISION: 2"]);
}

#[test]
fn only_one_release_is_put_back_and_flags_of_that_need_it() {
    let place = Place::new("drift-flags");
    for args in [
        &["drift", "--fix"][..],
        &["drift", "a", "b", "--fix"],
        &["drift", "a", "--dry-run"],
        &["drift", "a", "-A"],
        &["drift", "a", "--fix", "--exit-code"],
        &["drift", "a,b"],
    ] {
        place.pintle(args).fails_with(2);
    }
    place
        .pintle(&["drift", "none"])
        .fails_with(1)
        .says(&["release none not found"]);
    assert_eq!(place.pintle(&["drift"]).ok().stdout, "no releases\n");
}

#[test]
fn all_releases_take_as_many_requests_as_one() {
    let place = Place::new("drift-all");
    let listening = Listening::on(&place);
    let web = path("tests/cases/charts/twin-tera");
    let drift = ["drift", "--exit-code"];
    place.pintle(&["install", "r0", &web, "--no-wait"]).ok();
    let alone = listening.requests(&place, &drift);
    for name in ["r1", "r2", "r3", "r4", "r5"] {
        place.pintle(&["install", name, &web, "--no-wait"]).ok();
    }
    let all = listening.requests(&place, &drift);
    assert_eq!(all.len(), alone.len(), "{all:#?}\n{alone:#?}");
    assert!(all.iter().all(|line| line.starts_with("GET")), "{all:#?}");
    let kinds = ["deployments", "services", "configmaps"];
    for kind in kinds {
        let lists = all
            .iter()
            .filter(|line| line.contains(&format!("/{kind}?")))
            .count();
        assert!(lists <= 1, "{all:#?}");
    }
    place
        .kubectl(&["scale", "deployment/r3", "--replicas=7"])
        .ok();
    let run = place.pintle(&drift).fails_with(5);
    run.prints(&[
        "6 releases, 1 of them drifted",
        "r3 in ",
        "spec.replicas: recorded",
    ]);
    let everywhere = place.pintle(&["drift", "-A", "-o", "json"]).ok();
    let printed = fits("drift", &everywhere);
    let releases = printed["releases"].as_array().unwrap().iter();
    let own = releases.filter(|one| one["namespace"] == place.namespace.as_str());
    assert_eq!(own.count(), 6);
}

#[test]
fn a_release_of_helm_drifts_as_well() {
    let place = Place::new("drift-helm");
    let go = path("tests/cases/charts/twin-go");
    for (name, apply) in [
        ("client", "--server-side=false"),
        ("server", "--server-side=true"),
    ] {
        place.helm(&["install", name, &go, apply]).ok();
        let drift = ["drift", name, "--exit-code"];
        place.pintle(&drift).ok().prints(&["as recorded"]);
        let what = format!("deployment/{name}");
        place.kubectl(&["scale", &what, "--replicas=7"]).ok();
        let run = place.pintle(&drift).fails_with(5);
        run.prints(&["live 7, by kubectl (Update of scale)"]);
    }
    place
        .pintle(&["drift", "client", "--fix", "--no-wait"])
        .ok();
    place.pintle(&["drift", "client", "--exit-code"]).ok();
    place
        .helm(&["history", "client"])
        .ok()
        .prints(&["Put back what had drifted"]);
}

#[test]
fn what_was_never_deployed_is_not_compared() {
    let place = Place::new("drift-failed");
    let text = deployment("web", 1, "priorityClassName: none");
    let web = chart(&place, "web", &text);
    let install = ["install", "web", &web, "--no-validate", "--timeout", "1s"];
    place.pintle(&install).fails_with(3);
    // Nobody knows whether it has drifted.
    let run = place.pintle(&DRIFT).fails_with(1);
    run.prints(&["not compared: no revision of it is deployed (revision 1 is failed)"])
        .says(&["1 of the releases could not be compared, so they may have drifted"]);
    fits("drift", &place.pintle(&["drift", "-o", "json"]).ok());
}

#[test]
fn generated_secrets_drift_by_their_marks_and_not_by_their_data() {
    let place = Place::new("drift-made");
    let kcp = path("charts/kcp");
    place.pintle(&["install", "t", &kcp]).ok();
    let drift = ["drift", "t", "--exit-code"];
    place.pintle(&drift).ok().prints(&["26 as recorded"]);
    let stamp = "spec.template.metadata.annotations[\"issue.pintle.dev/t-apiserver\"]";
    let gone = json!({"spec": {"template": {"metadata": {"annotations":
        {"issue.pintle.dev/t-apiserver": null}}}}});
    patch(&place, ("deployment/t-apiserver", "forgetful"), &gone);
    place
        .kubectl(&["delete", "secret/t-front-proxy-client"])
        .ok();
    let run = place.pintle(&drift).fails_with(5);
    run.prints(&["- Secret t-front-proxy-client is missing", stamp, ", gone"]);
}
