//! pintle beside Helm in one run: whole processes, alternating, on the same API server.
//!
//! Run by `make bench` on the testbed, which gives `KUBECONFIG` and puts `helm` on the `PATH`. It
//! prints one table: the median of wall time and of peak memory of each, and pintle's share of
//! Helm's. `PINTLE_BENCH_RUNS` sets the number of runs (20).

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and the environment"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod measure;
mod table;

use std::env;
use std::fs;
use std::path::Path;

use measure::{Program, Sample};
use table::{Goal, Row};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn main() {
    if measure::is_probe() {
        return measure::probe();
    }
    if env::args().any(|argument| argument == "--list") {
        return println!("helm: benchmark");
    }
    let runs = env::var("PINTLE_BENCH_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let bench = Bench::new(runs);
    let mut rows = vec![bench.version(), bench.template()];
    rows.extend(bench.release(Waiting::No));
    rows.extend(bench.release(Waiting::Yes));
    println!("{}", table::to_text(&rows, runs));
}

#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    No,
    Yes,
}

struct Bench {
    runs: usize,
    pintle: Program,
    helm: Program,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(runs: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().to_owned();
        let pintle = Path::new(ROOT).join("target/release/pintle");
        assert!(
            pintle.exists(),
            "build the release binary first: make build"
        );
        let program = |path: &Path| Program {
            path: path.to_owned(),
            home: home.clone(),
        };
        Self {
            runs,
            pintle: program(&pintle),
            helm: program(Path::new("helm")),
            folder,
        }
    }

    /// Runs both in turn, after one run of each that does not count.
    fn pair(&self, pintle: &[&str], helm: &[&str]) -> (Vec<Sample>, Vec<Sample>) {
        let mut samples = (vec![], vec![]);
        for run in 0..=self.runs {
            let (ours, theirs) = (self.pintle.measure(pintle), self.helm.measure(helm));
            if run > 0 {
                samples.0.push(ours);
                samples.1.push(theirs);
            }
        }
        samples
    }

    fn version(&self) -> Row {
        let samples = self.pair(&["version"], &["version"]);
        Row::new(
            "start (`version`)",
            samples,
            Goal {
                time: 20.0,
                memory: 0.0,
            },
        )
    }

    fn template(&self) -> Row {
        self.helm.run(&["create", &self.path("scaffold")]);
        let chart = format!("{ROOT}/tests/cases/charts/scaffold");
        let samples = self.pair(
            &["template", "web", &chart],
            &["template", "web", &self.path("scaffold")],
        );
        Row::new(
            "`template` of the default scaffold",
            samples,
            Goal {
                time: 15.0,
                memory: 3.0,
            },
        )
    }

    /// Install, upgrade and upgrade again of 40 resources, a release of each tool in a namespace
    /// of its own.
    fn release(&self, waiting: Waiting) -> [Row; 3] {
        let chart = format!("{ROOT}/tests/cases/charts/forty");
        let sides = [
            Side {
                tool: &self.pintle,
                chart: chart.clone(),
                wait: pintle_wait(waiting),
            },
            Side {
                tool: &self.helm,
                chart: format!("{chart}-go"),
                wait: helm_wait(waiting),
            },
        ];
        let mut samples: [[Vec<Sample>; 2]; 3] = Default::default();
        for run in 0..=self.runs {
            for (index, side) in sides.iter().enumerate() {
                let measured = side.round(&format!("bench-{index}"));
                if run > 0 {
                    for (step, sample) in measured.into_iter().enumerate() {
                        samples[step][index].push(sample);
                    }
                }
            }
        }
        let suffix = if waiting == Waiting::Yes {
            ", waiting"
        } else {
            ""
        };
        let names = ["install", "upgrade", "no-op upgrade"];
        let goals = [3.0, 5.0, 20.0].map(|time| Goal { time, memory: 4.0 });
        let mut rows = names.into_iter().zip(goals).zip(samples);
        std::array::from_fn(|_| {
            let ((name, goal), [ours, theirs]) = rows.next().expect("three rows");
            Row::new(
                &format!("`{name}` of 40 resources{suffix}"),
                (ours, theirs),
                goal,
            )
        })
    }

    fn path(&self, name: &str) -> String {
        self.folder
            .path()
            .join(name)
            .to_str()
            .expect("a UTF-8 path")
            .to_owned()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

fn pintle_wait(waiting: Waiting) -> Option<&'static str> {
    (waiting == Waiting::No).then_some("--no-wait")
}

fn helm_wait(waiting: Waiting) -> Option<&'static str> {
    (waiting == Waiting::Yes).then_some("--wait")
}

/// One tool with its twin of the chart.
struct Side<'a> {
    tool: &'a Program,
    chart: String,
    wait: Option<&'static str>,
}

impl Side<'_> {
    /// Install, upgrade, no-op upgrade; then uninstalls, which is not measured.
    fn round(&self, namespace: &str) -> [Sample; 3] {
        let common = ["forty", &self.chart, "--namespace", namespace];
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
            .run(&["uninstall", "forty", "--namespace", namespace]);
        samples
    }
}
