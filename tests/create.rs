//! New charts: what `create` makes lints clean and can be rendered and installed as it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Place, path, testbed};
use crate::tour::commands;

/// The mark before the block of the README whose commands are run here, in a folder of its own.
const CREATE: &str = "<!-- create -->\n```\n";

#[test]
fn the_new_chart_of_the_readme_works_as_written() {
    let place = Place::new("create-readme");
    let commands = commands(CREATE);
    assert_eq!(commands.len(), 4, "{commands:?}");
    let pintle = Path::new(env!("CARGO_BIN_EXE_pintle")).parent().unwrap();
    for command in commands {
        let output = Command::new("bash")
            .args(["-c", &command])
            .current_dir(place.folder())
            .env("PATH", format!("{}:/usr/bin:/bin", pintle.display()))
            .env("KUBECONFIG", &testbed().kubeconfig)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{errors}");
        assert!(!output.stdout.is_empty(), "{command} prints nothing");
    }
}

#[test]
fn a_new_chart_has_rules_that_hold() {
    let place = Place::new("create");
    let shop = place.folder().join("shop");
    let shop = shop.to_str().unwrap();
    place.pintle(&["create", shop]).ok().prints(&["Created"]);
    place.pintle(&["install", "x", shop]).ok();
    assert_eq!(
        place.get(&["deployment/x-shop"])["status"]["readyReplicas"],
        2
    );
    place
        .pintle(&["upgrade", "x", shop, "--set", "containerPort=80"])
        .fails_with(2)
        .says(&["cannot listen below 1024"]);
    let values = "replicas=1,service.type=NodePort,env.A=1";
    place
        .pintle(&["upgrade", "x", shop, "--set", values])
        .ok()
        .says(&["deleted PodDisruptionBudget x-shop"]);
}

#[test]
fn every_starter_lints_clean() {
    let place = Place::without_namespace("create-lint");
    for starter in ["app", "kcp", "library"] {
        let chart = place.folder().join(starter);
        let chart = chart.to_str().unwrap();
        place.pintle(&["create", chart, "--starter", starter]).ok();
        place.pintle(&["lint", "--strict", chart]).ok();
    }
    // That of control planes is the chart that the tests of tenants install, under the new name.
    let own = place.folder().join("kcp");
    let rendered = |chart: &str| place.pintle(&["template", "t", chart]).ok().stdout;
    assert_eq!(
        rendered(own.to_str().unwrap()),
        rendered(&path("charts/kcp"))
    );
    // A library is for other charts.
    let library = place.folder().join("library");
    let library = library.to_str().unwrap();
    for command in ["template", "install"] {
        place
            .pintle(&[command, "x", library])
            .fails_with(2)
            .says(&["library"]);
    }
}

#[test]
fn a_name_that_lint_would_refuse_is_refused() {
    let place = Place::without_namespace("create-name");
    for name in ["Bad_Name", "a.b"] {
        let path = place.folder().join(name);
        place
            .pintle(&["create", path.to_str().unwrap()])
            .fails_with(2)
            .says(&["cannot be the name of a new chart", "lower-case letters"]);
        assert!(!path.exists());
    }
}

#[test]
fn nothing_is_written_over() {
    let place = Place::without_namespace("create-again");
    let shop = place.folder().join("shop");
    fs::create_dir(&shop).unwrap();
    place
        .pintle(&["create", shop.to_str().unwrap()])
        .fails_with(2)
        .says(&["something exists already there"]);
    assert_eq!(fs::read_dir(&shop).unwrap().count(), 0);
}
