//! Install, upgrade and upgrade again of many resources.

use crate::measure::{Program, Sample};
use crate::table::{Goal, Row};
use crate::{Bench, ROOT, Waiting, alternate};

/// How many resources a release has, and how often it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) resources: usize,
    pub(crate) runs: usize,
}

/// A release of each tool in a namespace of its own.
pub(crate) fn release(bench: &Bench, size: Size, waiting: Waiting) -> [Row; 3] {
    let chart = format!("{ROOT}/tests/cases/charts/forty");
    let count = format!("count={}", size.resources);
    let pintle = Side {
        tool: &bench.pintle,
        chart: chart.clone(),
        namespace: "many-pintle",
        count: &count,
        wait: waiting.of_pintle(),
    };
    let helm = Side {
        tool: &bench.helm,
        chart: format!("{chart}-go"),
        namespace: "many-helm",
        count: &count,
        wait: waiting.of_helm(),
    };
    let samples = alternate(size.runs, || pintle.round(), || helm.round());
    let names = ["install", "upgrade", "no-op upgrade"];
    let goals = [3.0, 5.0, 20.0].map(|time| size.goal(time));
    let mut rows = names.into_iter().zip(goals).zip(samples);
    std::array::from_fn(|_| {
        let ((name, goal), samples) = rows.next().expect("three rows");
        let resources = size.resources;
        let name = format!("`{name}` of {resources} resources{}", waiting.suffix());
        Row::new(&name, samples, goal)
    })
}

impl Size {
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
    /// Install, upgrade, no-op upgrade; then uninstalls, which is not measured.
    fn round(&self) -> [Sample; 3] {
        let values = ["--set", self.count];
        let common = ["many", &self.chart, "--namespace", self.namespace];
        let wait: &[&str] = self.wait.as_slice();
        let with = |command: &str, more: &[&str]| {
            self.tool
                .measure(&[&[command], &common[..], &values[..], more, wait].concat())
        };
        let samples = [
            with("install", &["--create-namespace", "--set", "stamp=one"]),
            with("upgrade", &["--set", "stamp=two"]),
            with("upgrade", &["--set", "stamp=two"]),
        ];
        self.tool
            .run(&["uninstall", "many", "--namespace", self.namespace]);
        samples
    }
}
