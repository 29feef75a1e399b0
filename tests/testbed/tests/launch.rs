//! Starts real testbeds through the binary: what they can do, and that nothing stays of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "how long a start takes is for the reader to judge"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests look at files, processes and the clock"
)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use testbed::cache::Cache;
use testbed::module::MODULES;
use testbed::{Place, Running, User};

const WORKLOADS: &str = include_str!("workloads.yaml");

fn testbed() -> Command {
    Command::new(env!("CARGO_BIN_EXE_testbed"))
}

fn serve() -> Running {
    Running::serve(testbed().arg("serve")).unwrap()
}

/// The testbed of the tests that only use one; it goes with this process.
fn shared() -> &'static Running {
    static RUNNING: LazyLock<Running> = LazyLock::new(|| {
        let begin = Instant::now();
        let running = serve();
        println!("ready after {:?}", begin.elapsed());
        running
    });
    &RUNNING
}

/// Runs kubectl as `user` and returns whether it succeeded, and what it printed on both streams.
fn kubectl(place: &Place, user: User, arguments: &[&str]) -> (bool, String) {
    let mut kubectl = place.command("kubectl");
    kubectl.env("KUBECONFIG", place.kubeconfig_of(user));
    let output = kubectl.args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[track_caller]
fn check(place: &Place, user: User, arguments: &[&str], expected: &str) {
    let (_, text) = kubectl(place, user, arguments);
    assert!(text.contains(expected), "kubectl {arguments:?}: {text}");
}

/// Looks until `done`, for at most 20 seconds.
#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Tells whether a process has `folder` in its command line.
fn has_processes(folder: &Path) -> bool {
    let folder = folder.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| String::from_utf8_lossy(&line).contains(folder))
}

#[test]
fn workloads_run_and_claims_bind() {
    let running = shared();
    let file = running.folder.join("workloads.yaml");
    fs::write(&file, WORKLOADS).unwrap();
    let apply = ["apply", "--filename", file.to_str().unwrap()];
    check(
        running,
        User::Admin,
        &apply,
        "statefulset.apps/store created",
    );

    let wait = |arguments: &[&str]| {
        let mut all = vec!["wait", "--timeout=30s"];
        all.extend(arguments);
        check(running, User::Admin, &all, "condition met");
    };
    wait(&["deployment/web", "--for=condition=Available"]);
    wait(&["job/task", "--for=condition=Complete"]);
    wait(&["pod/store-0", "--for=condition=Ready"]);
    wait(&["pvc/data-store-0", "--for=jsonpath={.status.phase}=Bound"]);
    let capacity = [
        "get",
        "pvc",
        "data-store-0",
        "--output=jsonpath={.status.capacity.storage}",
    ];
    check(running, User::Admin, &capacity, "2Gi");

    let delete = [
        "delete",
        "--filename",
        file.to_str().unwrap(),
        "--timeout=30s",
    ];
    check(running, User::Admin, &delete, "\"store\" deleted");
    let unclaim = ["delete", "pvc", "data-store-0", "--timeout=30s"];
    check(running, User::Admin, &unclaim, "deleted");
    until("a released volume stays", || {
        kubectl(running, User::Admin, &["get", "pv"])
            .1
            .contains("No resources")
    });
}

#[test]
fn users_may_what_their_groups_may() {
    let running = shared();
    check(
        running,
        User::Admin,
        &["create", "namespace", "users"],
        "created",
    );
    let list = ["get", "pods", "--namespace=users"];
    check(running, User::Admin, &list, "No resources found");
    check(running, User::Nobody, &list, "Forbidden");
    check(running, User::TenantAdmin, &list, "Forbidden");
    let bind = [
        "create",
        "rolebinding",
        "tenants",
        "--clusterrole=admin",
        "--group=tenant-admins",
        "--namespace=users",
    ];
    check(running, User::Admin, &bind, "created");
    check(running, User::TenantAdmin, &list, "No resources found");
    check(running, User::Nobody, &list, "Forbidden");
    let secrets = ["get", "secrets", "--all-namespaces"];
    check(running, User::TenantAdmin, &secrets, "Forbidden");
}

#[test]
fn nothing_stays_when_the_user_of_a_served_testbed_goes() {
    let running = serve();
    let folder = running.folder.clone();
    assert!(has_processes(&folder));
    drop(running);
    assert!(!has_processes(&folder));
    assert!(!folder.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn components_die_with_a_killed_launcher() {
    let running = serve();
    let folder = running.folder.clone();
    assert!(has_processes(&folder));
    let pid = running.pid.to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    until("components stay", || !has_processes(&folder));

    // A thread that dies may still be writing a file, so that it takes one more testbed.
    until("the folder stays", || {
        drop(serve());
        !folder.exists()
    });
}

#[test]
fn exec_passes_on_the_exit_code() {
    let script = "test -d \"$PINTLE_TESTBED\" && kubectl get nodes --output=name && exit 7";
    let mut exec = testbed();
    exec.args(["exec", "--nodes=2", "--", "sh", "-c", script]);
    let output = exec.output().unwrap();
    assert_eq!(output.stdout, b"node/node-1\nnode/node-2\n");
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn exec_passes_on_signals() {
    let script = "trap 'exit 5' TERM; echo $PINTLE_TESTBED; while :; do sleep 0.05; done";
    let mut exec = testbed();
    exec.args(["exec", "--nodes=0", "--", "sh", "-c", script]);
    let mut exec = exec.stdout(Stdio::piped()).spawn().unwrap();
    let mut folder = String::new();
    BufReader::new(exec.stdout.take().unwrap())
        .read_line(&mut folder)
        .unwrap();
    let kill = ["-TERM", &exec.id().to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
    assert_eq!(exec.wait().unwrap().code(), Some(5));
    assert!(!Path::new(folder.trim()).exists());
}

#[test]
fn a_broken_component_is_named() {
    let script = "kill -9 $(pgrep -f \"^$PINTLE_TESTBED/bin/kwok\"); sleep 30";
    let mut exec = testbed();
    let output = exec
        .args(["exec", "--", "sh", "-c", script])
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("error: kwok ended (signal: 9 (SIGKILL))"),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_detached_testbed_stays_until_down() {
    let home = tempfile::tempdir().unwrap();
    let own = Cache::at(home.path().join("pintle/testbed"));
    let built = Cache::from_environment().unwrap();
    assert!(testbed().arg("build").output().unwrap().status.success());
    fs::create_dir_all(own.path("")).unwrap();
    for module in &MODULES {
        symlink(built.module_folder(module), own.module_folder(module)).unwrap();
    }
    let run = |action: &str| {
        let mut command = testbed();
        let output = command
            .arg(action)
            .env("XDG_CACHE_HOME", home.path())
            .output();
        let output = output.unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert_eq!(run("env"), (false, String::new()));
    let (up, exports) = run("up");
    assert!(up);
    assert!(exports.starts_with("export KUBECONFIG='"), "{exports}");
    assert_eq!(run("up"), (true, exports.clone()));
    assert_eq!(run("env"), (true, exports));
    let folder = fs::read_link(own.detached()).unwrap();
    assert!(has_processes(&folder));
    assert!(run("down").0);
    assert!(!has_processes(&folder));
    assert!(!folder.exists());
    assert!(!run("down").0);
}
