//! What needs no cluster: versions, completion, rendering.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::support::path;

const PINTLE: &str = env!("CARGO_BIN_EXE_pintle");

/// Runs pintle without any environment and gives what it prints.
#[track_caller]
fn print(args: &[&str]) -> String {
    let output = Command::new(PINTLE)
        .args(args)
        .env_clear()
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_version_is_the_packages() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(print(&["version"]), format!("pintle {version}\n"));
    assert_eq!(print(&["version", "--short"]), format!("{version}\n"));
}

#[test]
fn who_has_no_kubeconfig_is_told_how_to_give_one() {
    let output = Command::new(PINTLE)
        .args(["list", "--kubeconfig", "/nowhere/config"])
        .env_clear()
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let hint =
        "hint: give its file with --kubeconfig or KUBECONFIG, and its context with --kube-context";
    assert!(errors.ends_with(&format!("{hint}\n")), "{errors}");
}

#[test]
fn helms_flags_and_variables_about_the_api_server_are_taken() {
    let nobody = "https://127.0.0.1:1";
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let output = Command::new(PINTLE)
            .args(args)
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("s3cr3t"), "{said}");
        (output.status.code(), said)
    };
    let unreachable = format!("cannot reach the API server {nobody}: ");
    let token = ["--kube-token", "s3cr3t"];
    let flags = ["list", "--debug", "--kube-apiserver", nobody];
    let (code, said) = run(&[&flags[..], &token].concat(), &[]);
    assert!(code == Some(1) && said.contains("cannot reach"), "{said}");
    let variables = [
        ("HELM_KUBEAPISERVER", nobody),
        ("HELM_KUBETOKEN", "s3cr3t"),
        ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true"),
    ];
    let (code, said) = run(&["list"], &variables);
    assert!(
        code == Some(1) && said.contains(&unreachable[..20]),
        "{said}"
    );
    // What is empty says nothing.
    let empty = [
        "HELM_KUBEAPISERVER",
        "HELM_KUBETOKEN",
        "HELM_KUBEASUSER",
        "HELM_KUBEASGROUPS",
        "HELM_KUBECAFILE",
        "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
        "HELM_KUBETLS_SERVER_NAME",
        "HELM_KUBECONTEXT",
        "HELM_MAX_HISTORY",
        "HELM_DRIVER",
        "HELM_NAMESPACE",
    ]
    .map(|name| (name, ""));
    let (code, said) = run(&["rollback", "app", "--kubeconfig", "/nowhere"], &empty);
    assert!(
        code == Some(1) && said.contains("cannot use the kubeconfig /nowhere\n"),
        "{said}"
    );
    let (code, said) = run(&["list", "--help"], &variables);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = print(&["completion", shell]);
        assert!(
            ["rollback", "dry-run", "apply", "expires"]
                .iter()
                .all(|word| script.contains(word)),
            "{shell}: {script}"
        );
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes_and_hooks_come_last() {
    let twin = path("tests/cases/charts/twin-tera");
    let args = [
        "template",
        "twin",
        &twin,
        "--namespace",
        "shop",
        "--set",
        "replicas=1",
    ];
    let text = print(&args);
    assert_eq!(print(&args), text);
    let sources: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# Source: "))
        .collect();
    assert_eq!(
        sources.first().map(|source| source.contains("/templates/")),
        Some(true)
    );
    assert!(
        sources.last().unwrap().contains("templates/tests/"),
        "{sources:?}"
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for args in [
        &["completion", "bash"][..],
        &["template", "web", &path("examples/web")],
    ] {
        let mut child = Command::new(PINTLE)
            .args(args)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut errors = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        assert!(child.wait().unwrap().success(), "{args:?}: {errors}");
        assert_eq!(errors, "");
    }
}

#[test]
fn a_rule_about_all_values_names_what_it_reads_and_a_fault_is_told_once() {
    let web = path("examples/web");
    let run = |args: &[&str]| {
        let output = Command::new(PINTLE)
            .args(args)
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let refused = run(&["template", "web", &web, "--set", "replicas=1"]);
    let rule = "no node can be drained (minAvailable from the chart's values.yaml:8:15, replicas \
                from --set replicas; rule self.minAvailable < self.replicas)\n";
    assert!(refused.contains(rule), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file(
        "Chart.yaml",
        "apiVersion: v2\nname: a\nversion: 1.0.0\nannotations: {pintle.dev/engine: tera}\n",
    );
    file("templates/a.yaml", "a: 1\nb: {{ values.missing }}\n");
    let missing = run(&["template", "web", folder.path().to_str().unwrap()]);
    assert_eq!(
        missing.matches("values.missing is not defined").count(),
        1,
        "{missing}"
    );
    assert!(missing.contains("2 | b: {{ values.missing }}"), "{missing}");
}
