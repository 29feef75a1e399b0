//! Folders of charts and `Chart.yaml` files that mean harm.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::{CHART, TEMPLATE, Trap};

#[track_caller]
fn check(chart: &str, part: &str) {
    let trap = Trap::new().with("small/Chart.yaml", chart);
    trap.refuses(TEMPLATE, part);
    trap.refuses(&["template", "web", "./small", "--output-dir", "out"], part);
    trap.run(&["lint", "./small"]);
    trap.run(&["show", "chart", "./small"]);
}

#[test]
fn names_that_lead_elsewhere() {
    for name in ["../../x", "..", ".", "/etc", "a/b", "''"] {
        check(
            &CHART.replace("name: small", &format!("name: {name}")),
            "Chart.yaml:",
        );
    }
    for name in ["'a\\b'", "\"a\\e[2J\"", "\"a\\0b\""] {
        let name = format!("name: {name}");
        let trap = Trap::new().with("small/Chart.yaml", CHART.replace("name: small", &name));
        trap.run(TEMPLATE);
        trap.run(&["show", "chart", "./small"]);
        trap.run(&["lint", "./small"]);
    }
    for version in [
        "1.0.0/../..",
        "/../",
        "'1'",
        "\"1.0.0\\e[2J\"",
        "[1]",
        "null",
    ] {
        let version = format!("version: {version}");
        let trap = Trap::new().with(
            "small/Chart.yaml",
            CHART.replace("version: 1.0.0", &version),
        );
        trap.run(TEMPLATE);
        trap.run(&["show", "chart", "./small"]);
    }
}

#[test]
fn fields_of_wrong_types() {
    for more in [
        "maintainers: [null]",
        "maintainers: 1",
        "maintainers: [{name: [1]}]",
        "keywords: {a: 1}",
        "keywords: [null, 1]",
        "dependencies: [null]",
        "dependencies: 7",
        "dependencies: [{name: a, alias: ../../b, version: 1}]",
        "dependencies: [{name: a, version: 1.0.0}, {name: a, version: 1.0.0}]",
        "annotations: [1]",
        "type: [library]",
        "kubeVersion: {a: 1}",
        "kubeVersion: '>=1 <2 || ^latest'",
    ] {
        let trap = Trap::new().with("small/Chart.yaml", format!("{CHART}{more}\n"));
        let outcome = trap.run(TEMPLATE);
        assert_eq!(outcome.code, Some(2), "{more}: {outcome}");
        trap.run(&["lint", "./small"]);
    }
    for chart in [
        "",
        "null",
        "- 1",
        "1",
        "\0",
        "\u{feff}",
        "a",
        "{",
        "apiVersion: v2\n---\nname: b\n",
    ] {
        check(chart, "Chart.yaml");
    }
    let trap = Trap::new().with("small/Chart.yaml", b"name: \xff\xfe\n");
    trap.refuses(TEMPLATE, "Chart.yaml");
}

#[test]
fn text_that_steers_terminals() {
    let more = "description: \"\\e[2J\\a\\u0000\\u202e\"\nicon: \"\\e]0;x\\a\"\n";
    let trap = Trap::new().with("small/Chart.yaml", format!("{CHART}{more}"));
    trap.does(TEMPLATE);
    trap.does(&["show", "chart", "./small"]);
    trap.run(&["lint", "./small"]);
    let trap = Trap::new().with("small/templates/\u{1b}[2J.yaml", "a: 1\n");
    trap.refuses(TEMPLATE, "");
    trap.run(&["lint", "./small"]);
}

#[test]
fn links_that_lead_elsewhere() {
    for (link, target) in [
        ("values.yaml", "../../secret"),
        ("values.yaml", "/etc/passwd"),
        ("Chart.lock", "../../home/.bashrc"),
        ("templates/a.yaml", "/dev/zero"),
        ("templates/a.yaml", "/proc/self/environ"),
        ("templates", ".."),
        ("templates", "/"),
        ("files", "."),
        ("a", "a"),
        (".helmignore", "/dev/urandom"),
    ] {
        let trap = Trap::new().with("small/README.md", "");
        let path = trap.path("work/small").join(link);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, &path).unwrap();
        trap.refuses(TEMPLATE, link.split('/').next_back().unwrap());
        trap.run(&["lint", "./small"]);
    }
}

#[test]
fn pipes_and_large_files() {
    let trap = Trap::new();
    let pipe = trap.path("work/small/values.yaml");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    trap.refuses(TEMPLATE, "values.yaml is neither a file nor a folder");
    let trap = Trap::new();
    let archive = trap.path("work/small.tgz");
    assert!(
        Command::new("mkfifo")
            .arg(&archive)
            .status()
            .unwrap()
            .success()
    );
    trap.refuses(&["template", "web", "./small.tgz"], "no such archive");
    let trap = Trap::new().with("small/values.yaml", vec![b'#'; (5 << 20) + 1]);
    trap.refuses(TEMPLATE, "values.yaml is larger than 5 MiB");
    let trap = Trap::new().with("more.yaml", vec![b'#'; (16 << 20) + 1]);
    trap.refuses(
        &[TEMPLATE, &["-f", "more.yaml"]].concat(),
        "larger than 16 MiB",
    );
}

#[test]
fn values_are_not_files_of_this_machine() {
    let trap = Trap::new();
    trap.refuses(
        &[TEMPLATE, &["-f", "/dev/zero"]].concat(),
        "larger than 16 MiB",
    );
    trap.refuses(
        &[TEMPLATE, &["--set-file", "a=/dev/zero"]].concat(),
        "larger than 16 MiB",
    );
    trap.refuses(
        &[TEMPLATE, &["-f", "file:///etc/passwd"]].concat(),
        "not supported",
    );
}
