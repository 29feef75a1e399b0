//! Every command of the README's tour is run as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{path, testbed};

/// The mark before a block whose commands are run here.
const TOUR: &str = "<!-- tour -->\n```\n";
/// The mark before a block whose commands are run by the tests of the lab.
const LAB: &str = "<!-- lab -->\n```\n";

/// The mark before a block of docs/drift.md whose commands are run here.
const DRIFT: &str = "<!-- drift -->\n```\n";

/// The mark before a block of docs/hooks.md whose commands are run here.
const HOOKS: &str = "<!-- hooks -->\n```\n";

/// The commands of the README below `mark`, in order.
pub(crate) fn commands(mark: &str) -> Vec<String> {
    commands_of("README.md", mark)
}

/// The commands of a page below `mark`, in order.
fn commands_of(page: &str, mark: &str) -> Vec<String> {
    let text = fs::read_to_string(path(page)).unwrap();
    let blocks = text
        .split(mark)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn the_tour_of_the_readme_works_as_written() {
    let commands = commands(TOUR);
    assert!(commands.len() >= 12, "{commands:?}");
    work(&commands);
}

#[test]
fn the_commands_about_drift_work_as_written() {
    let commands = commands_of("docs/drift.md", DRIFT);
    assert!(commands.len() >= 12, "{commands:?}");
    work(&commands);
}

#[test]
fn the_commands_about_tests_work_as_written() {
    let commands = commands_of("docs/hooks.md", HOOKS);
    assert!(commands.len() >= 6, "{commands:?}");
    work(&commands);
}

#[test]
fn what_the_page_about_plans_shows_works_as_written() {
    let commands = commands_of("docs/plans.md", TOUR);
    assert!(commands.len() >= 7, "{commands:?}");
    work(&commands);
}

/// Runs commands that are in namespaces of their own, which no other test uses.
#[track_caller]
fn work(commands: &[String]) {
    let home = tempfile::tempdir().unwrap();
    let pintle = Path::new(env!("CARGO_BIN_EXE_pintle")).parent().unwrap();
    let system = std::env::var("PATH").unwrap();
    let search = format!("{}:{}:{system}", pintle.display(), testbed().bin.display());
    for command in commands {
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(path("."))
            .env("PATH", &search)
            .env("HOME", home.path())
            .env("KUBECONFIG", &testbed().kubeconfig)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{errors}");
        assert!(!output.stdout.is_empty(), "{command} prints nothing");
    }
}

/// Expects that a demo shows what the README has below `mark`, and else what begins as `also`.
#[track_caller]
fn check_demo(script: &str, mark: &str, also: &str) {
    let script = fs::read_to_string(path(script)).unwrap();
    let shown = script.lines().filter_map(|line| line.strip_prefix("show "));
    let shown: Vec<_> = shown.map(|command| command.replace('\'', "")).collect();
    let tour = commands(mark);
    let known = |command: &&String| tour.contains(command) || command.starts_with(also);
    let unknown: Vec<_> = shown.iter().filter(|command| !known(command)).collect();
    assert!(shown.len() >= 8 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn demos_play_what_the_readme_tells() {
    check_demo("demo/simulated", TOUR, "pintle history");
    check_demo("demo/lab", LAB, "pintle list");
}
