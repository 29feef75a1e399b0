//! Install, upgrade and upgrade again of 40 resources.

use crate::measure::{Program, Sample};
use crate::table::{Goal, Row};
use crate::{Bench, ROOT, Waiting};

/// A release of each tool in a namespace of its own.
pub(crate) fn release(bench: &Bench, waiting: Waiting) -> [Row; 3] {
    let chart = format!("{ROOT}/tests/cases/charts/forty");
    let pintle = Side {
        tool: &bench.pintle,
        chart: chart.clone(),
        namespace: "forty-pintle",
        wait: waiting.of_pintle(),
    };
    let helm = Side {
        tool: &bench.helm,
        chart: format!("{chart}-go"),
        namespace: "forty-helm",
        wait: waiting.of_helm(),
    };
    let samples = bench.alternate(|| pintle.round(), || helm.round());
    let names = ["install", "upgrade", "no-op upgrade"];
    let goals = [3.0, 5.0, 20.0].map(|time| Goal { time, memory: 4.0 });
    let mut rows = names.into_iter().zip(goals).zip(samples);
    std::array::from_fn(|_| {
        let ((name, goal), samples) = rows.next().expect("three rows");
        let name = format!("`{name}` of 40 resources{}", waiting.suffix());
        Row::new(&name, samples, goal)
    })
}

/// One tool with its twin of the chart.
struct Side<'a> {
    tool: &'a Program,
    chart: String,
    namespace: &'a str,
    wait: Option<&'static str>,
}

impl Side<'_> {
    /// Install, upgrade, no-op upgrade; then uninstalls, which is not measured.
    fn round(&self) -> [Sample; 3] {
        let common = ["forty", &self.chart, "--namespace", self.namespace];
        let wait: &[&str] = self.wait.as_slice();
        let with = |command: &str, more: &[&str]| {
            self.tool
                .measure(&[&[command], &common[..], more, wait].concat())
        };
        let samples = [
            with("install", &["--create-namespace", "--set", "stamp=one"]),
            with("upgrade", &["--set", "stamp=two"]),
            with("upgrade", &["--set", "stamp=two"]),
        ];
        self.tool
            .run(&["uninstall", "forty", "--namespace", self.namespace]);
        samples
    }
}
