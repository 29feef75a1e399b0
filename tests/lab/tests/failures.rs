//! What pintle says of tenants that cannot become ready, as real kubelets, schedulers and registries
//! show it: the whole message, from its first line to its hint.

use std::fs;
use std::panic;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use crate::site::{Site, shared};
use crate::tenant::{CHART, Tenant};

/// The exit code of a change whose resources did not become ready.
const NOT_READY: i32 = 3;
/// How long a change whose end is foreseen may take, on a machine that is busy with others.
const SOON: Duration = Duration::from_mins(2);
/// How much longer than its timeout a change may take.
const GRACE: Duration = Duration::from_secs(20);

/// Keeps etcd on the first node of the host cluster, whoever adds more.
const FIRST: [&str; 2] = ["--set", r"etcd.nodeSelector.kubernetes\.io/hostname=host-1"];

/// What may vary in a message beside the tenant's name, and what stands for it.
const VARIES: [(&str, &str); 10] = [
    // How many nodes there are, and that a pod is not for those beside the first, which other tests add: none
    // is meant, but the scheduler says so only of those that are ready.
    (r"\b0/\d+ nodes", "0/[count] nodes"),
    (
        r", \d+ node\(s\) didn't match Pod's node affinity/selector",
        "",
    ),
    (r", \d+ node\(s\) had untolerated taint\(s\)", ""),
    // Pods of Deployments.
    (
        r"(NAME(-[a-z-]+)?)-[0-9a-f]{4,10}-[0-9a-z]{5}\b",
        "$1-[pod]",
    ),
    (r"\((\d+ times, )?\d+[sm] ago\)", "([times and age])"),
    (r"\b10\.\d+\.\d+\.\d+\b", "[address]"),
    // A kubelet that had much to do got its volumes later.
    (
        r" +event: FailedMount: .* failed to sync configmap cache: .*\n",
        "",
    ),
    // Whether it was asked between two crashes.
    (r" +event: Unhealthy: Startup probe failed: .*\n", ""),
    // How many crashes more than enough there were until it was looked at.
    (r"\b([5-9]|1\d) restarts", "[enough] restarts"),
    // How far etcd has got with what it tries.
    (r"( +log: )\{.*\n( +log: \{.*\n)*", "$1[what etcd says]\n"),
];

/// A chart of one Deployment whose readiness probe asks where nobody listens.
const UNREADY: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ release.name }}
spec:
  selector:
    matchLabels:
      app: {{ release.name }}
  template:
    metadata:
      labels:
        app: {{ release.name }}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: docker.io/library/busybox:lab
          command: ["sleep", "1000"]
          readinessProbe:
            periodSeconds: 1
            httpGet:
              port: 8080
"#;

/// All at once, as most of what they do is to wait.
pub(crate) fn of_tenants() {
    let site = shared();
    let site = &*site;
    let failures: [fn(&Site); 5] = [
        of_a_missing_image,
        of_an_unknown_flag,
        of_a_lost_quorum,
        of_a_full_node,
        of_a_failing_probe,
    ];
    thread::scope(|scope| {
        let running = failures.map(|failure| scope.spawn(move || failure(site)));
        let ended = running.map(thread::ScopedJoinHandle::join);
        if let Some(Err(panic)) = ended.into_iter().find(Result::is_err) {
            panic::resume_unwind(panic);
        }
    });
}

fn of_a_missing_image(site: &Site) {
    let tenant = Tenant::new(site, "missing-image");
    let set = ["--set", "etcd.image.tag=0.0.0", "--timeout", "10m"];
    check(&tenant, SOON, || tenant.try_to("install", &set));
}

fn of_an_unknown_flag(site: &Site) {
    let tenant = Tenant::new(site, "unknown-flag");
    let set = ["--set", "apiServer.extraArgs.no-such-flag=1"];
    let within = ["--timeout", "10m"];
    check(&tenant, SOON, || {
        tenant.try_to("install", &[set, within].concat())
    });
}

/// Of three members that need more than half a node each, one runs.
fn of_a_lost_quorum(site: &Site) {
    let tenant = Tenant::new(site, "lost-quorum");
    let nodes = site.get(&["nodes"]);
    let memory = nodes["items"][0]["status"]["allocatable"]["memory"].as_str();
    let memory = memory.and_then(|memory| memory.strip_suffix("Ki"));
    let memory: u64 = memory.unwrap().parse().unwrap();
    let memory = format!("etcd.resources.requests.memory={}Ki", memory / 20 * 11);
    let set = ["--set", "etcd.replicas=3", "--set", &memory];
    let within = ["--timeout", "25s"];
    let error = check(&tenant, Duration::from_secs(25) + GRACE, || {
        tenant.try_to("install", &[&set[..], &FIRST, &within].concat())
    });
    // What the member that runs has logged last depends on the moment: who it misses, or how it asks
    // for votes in vain.
    let says = |what: &[&str]| {
        let mut lines = error.lines();
        lines.any(|line| what.iter().all(|what| line.contains(what)))
    };
    let misses = says(&["prober detected unhealthy status", "-etcd-peers.NAME.svc"]);
    let asks = says(&["is starting a new election"]) || says(&["has received 1 MsgPreVoteResp"]);
    assert!(misses || asks, "{error}");
}

fn of_a_full_node(site: &Site) {
    let tenant = Tenant::new(site, "full-node");
    let set = ["--set", "etcd.resources.requests.cpu=1000"];
    let within = ["--timeout", "8s"];
    check(&tenant, Duration::from_secs(8) + GRACE, || {
        tenant.try_to("install", &[set, FIRST, within].concat())
    });
}

fn of_a_failing_probe(site: &Site) {
    let tenant = Tenant::new(site, "failing-probe");
    let chart = tenant.folder.path().join("chart");
    fs::create_dir_all(chart.join("templates")).unwrap();
    let about = fs::read_to_string(crate::site::repository().join(CHART).join("Chart.yaml"));
    fs::write(chart.join("Chart.yaml"), about.unwrap()).unwrap();
    fs::write(chart.join("templates/deployment.yaml"), UNREADY).unwrap();
    let chart = chart.to_str().unwrap();
    let install = ["install", &tenant.name, chart, "--namespace", &tenant.name];
    let within = ["--create-namespace", "--timeout", "20s"];
    check(&tenant, Duration::from_secs(20) + GRACE, || {
        let mut pintle = site.pintle_command(&[&install[..], &within].concat());
        pintle.output().unwrap()
    });
}

/// Expects a change to end in time, with the message that is kept of it and that this returns.
#[track_caller]
fn check(tenant: &Tenant<'_>, within: Duration, change: impl FnOnce() -> Output) -> String {
    let start = Instant::now();
    let output = change();
    let took = start.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(NOT_READY), "{said}");
    assert!(took < within, "{took:?}: {said}");
    let error = said.find("error: ").map(|start| &said[start..]);
    let error = error.unwrap().replace(&tenant.name, "NAME");
    let (test, _) = tenant.name.rsplit_once('-').unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, by) in VARIES {
        settings.add_filter(pattern, by);
    }
    settings.bind(|| insta::assert_snapshot!(test, in_order(&error)));
    error
}

/// An error whose pods stand in the order of what is said of them: members of etcd start at once, and
/// which finds a place is chance.
fn in_order(error: &str) -> String {
    const POD: &str = "    pod ";
    let error = (0..3).fold(error.to_owned(), |error, member| {
        error.replace(&format!("NAME-etcd-{member}:"), "NAME-etcd-[member]:")
    });
    let (head, rest) = error.split_once(POD).unwrap();
    let (pods, hint) = rest.split_once("hint: ").unwrap();
    let mut pods: Vec<&str> = pods.split(POD).collect();
    pods.sort_unstable();
    format!("{head}{POD}{}hint: {hint}", pods.join(POD))
}
