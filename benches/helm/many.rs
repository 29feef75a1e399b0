//! Install, upgrade and upgrade again of many resources: how long it takes, and what it asks of the API
//! server.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;

use testbed::Recorder;

use crate::measure::{Program, Sample};
use crate::table::{Goal, Row};
use crate::{Bench, ROOT, Waiting, alternate, rest};

/// How many resources a release has, and how often it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) resources: usize,
    pub(crate) runs: usize,
}

/// The changes of a round.
const CHANGES: [&str; 3] = ["install", "upgrade", "no-op upgrade"];

/// A release of each tool in a namespace of its own.
pub(crate) fn release(bench: &Bench, size: Size, waiting: Waiting) -> [Row; 3] {
    let count = size.count();
    let [pintle, helm] = sides(bench, &count, waiting);
    let samples = alternate(size.runs, || pintle.round(), || helm.round());
    let goals = [3.0, 5.0, 20.0].map(|time| size.goal(time));
    let mut rows = CHANGES.into_iter().zip(goals).zip(samples);
    std::array::from_fn(|_| {
        let ((name, goal), samples) = rows.next().expect("three rows");
        let resources = size.resources;
        let name = format!("`{name}` of {resources} resources{}", waiting.suffix());
        Row::new(&name, samples, goal)
    })
}

/// How many requests each tool sends for the changes of a round, in all and to write, without waiting.
pub(crate) fn requests(bench: &Bench, size: Size) -> Vec<String> {
    let count = size.count();
    let sides = sides(bench, &count, Waiting::No);
    let [pintle, helm] = sides.map(|side| side.asks(bench));
    let rows = CHANGES.iter().zip(helm.iter().zip(&pintle));
    let row = |(name, (helm, pintle)): (&&str, (&Asked, &Asked))| {
        let resources = size.resources;
        format!("| `{name}` of {resources} resources | {helm} | {pintle} |")
    };
    rows.map(row).collect()
}

/// Plans an upgrade of all resources of a release of this size, and says what that takes.
pub(crate) fn planning(bench: &Bench, size: Size) -> String {
    let count = size.count();
    let [pintle, _] = sides(bench, &count, Waiting::No);
    pintle
        .tool
        .run(&pintle.args("install", &["--create-namespace", "--set", "stamp=one"]));
    let recorder = pintle.recorder(bench);
    let through = recorder.kubeconfig().to_str().expect("a UTF-8 path");
    let dry = ["--set", "stamp=two", "--dry-run"];
    let plain = pintle.tool.measure(&pintle.args("upgrade", &dry));
    pintle
        .tool
        .run(&pintle.args("upgrade", &[&dry[..], &["--kubeconfig", through]].concat()));
    let asked = Asked::of(&recorder.taken());
    pintle.end();
    let resources = size.resources;
    let (seconds, mebibytes) = (plain.wall.as_secs_f64(), plain.memory / 1024);
    assert!(mebibytes < 300, "planning takes {mebibytes} MiB");
    format!(
        "Planning an upgrade of all {resources} resources: {seconds:.1} s, {mebibytes} MiB, {asked}."
    )
}

fn sides<'a>(bench: &'a Bench, count: &'a str, waiting: Waiting) -> [Side<'a>; 2] {
    let chart = format!("{ROOT}/tests/cases/charts/forty");
    let pintle = Side {
        tool: &bench.pintle,
        chart: chart.clone(),
        namespace: "many-pintle",
        count,
        wait: waiting.of_pintle(),
    };
    let helm = Side {
        tool: &bench.helm,
        chart: format!("{chart}-go"),
        namespace: "many-helm",
        count,
        wait: waiting.of_helm(),
    };
    [pintle, helm]
}

/// How many requests there were.
struct Asked {
    reads: usize,
    /// Requests by which nothing is written.
    dry_runs: usize,
    writes: usize,
}

impl Asked {
    fn of(requests: &[String]) -> Self {
        let is_read = |request: &&String| request.starts_with("GET");
        let is_dry = |request: &&String| request.contains("dryRun=All");
        let reads = requests.iter().filter(is_read).count();
        let dry_runs = requests.iter().filter(is_dry).count();
        Self {
            reads,
            dry_runs,
            writes: requests.len() - reads - dry_runs,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reads,
            dry_runs,
            writes,
        } = self;
        write!(f, "{reads} reads, {dry_runs} dry runs, {writes} writes")
    }
}

impl Size {
    fn count(self) -> String {
        format!("count={}", self.resources)
    }

    /// Nothing is asked of more than 400 resources.
    fn goal(self, time: f64) -> Goal {
        match self.resources {
            ..=400 => Goal { time, memory: 4.0 },
            _ => Goal {
                time: 0.0,
                memory: 0.0,
            },
        }
    }
}

/// One tool with its twin of the chart.
struct Side<'a> {
    tool: &'a Program,
    chart: String,
    namespace: &'a str,
    count: &'a str,
    wait: Option<&'static str>,
}

impl Side<'_> {
    /// The arguments of a change.
    fn args<'b>(&'b self, command: &'b str, more: &[&'b str]) -> Vec<&'b str> {
        let common = [command, "many", &self.chart, "--namespace", self.namespace];
        let wait: &[&str] = self.wait.as_slice();
        [&common[..], &["--set", self.count], more, wait].concat()
    }

    /// The changes of a round, each with what else it is given.
    fn changes(&self) -> [Vec<&str>; 3] {
        [
            self.args("install", &["--create-namespace", "--set", "stamp=one"]),
            self.args("upgrade", &["--set", "stamp=two"]),
            self.args("upgrade", &["--set", "stamp=two"]),
        ]
    }

    /// Install, upgrade, no-op upgrade; then uninstalls, which is not measured. Each begins when what the one
    /// before has begun is at rest.
    fn round(&self) -> [Sample; 3] {
        let samples = self.changes().map(|args| {
            let sample = self.tool.measure(&args);
            rest::wait(self.namespace);
            sample
        });
        self.end();
        rest::wait(self.namespace);
        samples
    }

    /// The same, telling what is asked of the API server.
    fn asks(&self, bench: &Bench) -> [Asked; 3] {
        let recorder = self.recorder(bench);
        let through = recorder.kubeconfig().to_str().expect("a UTF-8 path");
        let asked = self.changes().map(|args| {
            self.tool
                .run(&[&args[..], &["--kubeconfig", through]].concat());
            Asked::of(&recorder.taken())
        });
        self.end();
        asked
    }

    fn recorder(&self, bench: &Bench) -> Recorder {
        let folder = bench.path(self.namespace);
        fs::create_dir_all(&folder).expect("a folder for the recorder");
        let kubeconfig = env::var("KUBECONFIG").expect("the testbed's kubeconfig");
        let recorder = Recorder::start(
            Path::new("kubectl"),
            Path::new(&kubeconfig),
            Path::new(&folder),
        );
        recorder.expect("a proxy of the API server")
    }

    fn end(&self) {
        self.tool
            .run(&["uninstall", "many", "--namespace", self.namespace]);
    }
}
