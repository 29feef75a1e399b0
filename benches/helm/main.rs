//! pintle beside Helm in one run: whole processes, alternating, on the same API server.
//!
//! Run by `make bench` on the testbed, which gives `KUBECONFIG` and puts `helm` and `kubectl` on
//! the `PATH`. It prints one table: the median of wall time and of peak memory of each, and
//! pintle's share of Helm's. `PINTLE_BENCH_RUNS` sets the number of runs (20), and `PINTLE_BENCH_PARTS` leaves
//! out all parts but those it names: rendering, releases, tenant, records, requests.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and the environment, and writes charts"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod large;
mod many;
mod measure;
mod records;
mod rest;
mod rules;
mod static_chart;
mod table;
mod tenant;
mod thousand;

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
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return println!("helm: benchmark");
    }
    if let [work, chart] = arguments.as_slice()
        && work == thousand::WORK
    {
        return thousand::render(chart);
    }
    let runs = env::var("PINTLE_BENCH_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let bench = Bench::new(runs);
    let mut rows = vec![];
    if bench.has("rendering") {
        rows.extend([bench.version(), bench.template()]);
        rows.extend(large::rendering(&bench));
        rows.extend(tenant::rendering(&bench));
    }
    if bench.has("releases") {
        for (size, waiting) in bench.releases() {
            rows.extend(many::release(&bench, size, waiting));
        }
    }
    if bench.has("tenant") {
        rows.extend(tenant::installation(&bench));
    }
    if bench.has("records") {
        rows.extend(records::rows(&bench));
    }
    println!("{}", table::to_text(&rows, runs));
    if bench.has("rendering") {
        println!("{}\n", rules::five());
    }
    if bench.has("requests") {
        println!("| requests | Helm | pintle |\n|---|---|---|");
        for resources in [40, 400, 2000] {
            let size = many::Size { resources, runs: 1 };
            println!("{}", many::requests(&bench, size).join("\n"));
        }
        let size = many::Size {
            resources: 5000,
            runs: 1,
        };
        println!("\n{}", many::planning(&bench, size));
    }
}

/// Whether a change ends when all of its resources are ready, or when they are written.
#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    No,
    Yes,
}

impl Waiting {
    /// The flag by which pintle is told.
    fn of_pintle(self) -> Option<&'static str> {
        (self == Self::No).then_some("--no-wait")
    }

    /// The flag by which Helm is told.
    fn of_helm(self) -> Option<&'static str> {
        (self == Self::Yes).then_some("--wait")
    }

    /// What a row's name ends in.
    fn suffix(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Yes => ", waiting",
        }
    }
}

/// Runs both in turn, after one run of each that does not count. Each run gives a sample of
/// every step of the work; what comes back has pintle's samples of a step before Helm's.
pub(crate) fn alternate<const STEPS: usize>(
    runs: usize,
    pintle: impl Fn() -> [Sample; STEPS],
    helm: impl Fn() -> [Sample; STEPS],
) -> [[Vec<Sample>; 2]; STEPS] {
    let mut samples: [[Vec<Sample>; 2]; STEPS] = std::array::from_fn(|_| Default::default());
    for run in 0..=runs {
        let steps = pintle().into_iter().zip(helm());
        for (samples, (ours, theirs)) in samples.iter_mut().zip(steps) {
            if run > 0 {
                samples[0].push(ours);
                samples[1].push(theirs);
            }
        }
    }
    samples
}

struct Bench {
    runs: usize,
    /// The parts that are wanted, with commas between them.
    parts: String,
    pintle: Program,
    helm: Program,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(runs: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = |path: &str| Program {
            path: path.into(),
            home: folder.path().to_owned(),
        };
        Self {
            runs,
            parts: env::var("PINTLE_BENCH_PARTS").unwrap_or_default(),
            pintle: program(env!("CARGO_BIN_EXE_pintle")),
            helm: program("helm"),
            folder,
        }
    }

    /// [`alternate`] for work of one command.
    fn pair(&self, pintle: &[&str], helm: &[&str]) -> [Vec<Sample>; 2] {
        let ours = || [self.pintle.measure(pintle)];
        let theirs = || [self.helm.measure(helm)];
        let [samples] = alternate(self.runs, ours, theirs);
        samples
    }

    /// Whether a part of the work is wanted: all are, unless `PINTLE_BENCH_PARTS` names some.
    fn has(&self, part: &str) -> bool {
        let mut parts = self.parts.split(',');
        self.parts.is_empty() || parts.any(|named| named == part)
    }

    /// The releases of many resources. What takes longer is measured less often.
    fn releases(&self) -> [(many::Size, Waiting); 4] {
        let size = |resources, share: usize| many::Size {
            resources,
            runs: self.runs.div_ceil(share),
        };
        [
            (size(40, 1), Waiting::No),
            (size(40, 1), Waiting::Yes),
            (size(400, 2), Waiting::No),
            (size(2000, 7), Waiting::No),
        ]
    }

    fn version(&self) -> Row {
        let samples = self.pair(&["version"], &["version"]);
        let goal = Goal {
            time: 20.0,
            memory: 0.0,
        };
        Row::new("start (`version`)", samples, goal)
    }

    fn template(&self) -> Row {
        self.helm.run(&["create", &self.path("scaffold")]);
        let chart = format!("{ROOT}/tests/cases/charts/scaffold");
        let samples = self.pair(
            &["template", "web", &chart],
            &["template", "web", &self.path("scaffold")],
        );
        let goal = Goal {
            time: 15.0,
            memory: 3.0,
        };
        Row::new("`template` of the default scaffold", samples, goal)
    }

    /// Another program that runs with the same home folder.
    fn program(&self, path: &Path) -> Program {
        Program {
            path: path.to_owned(),
            home: self.folder.path().to_owned(),
        }
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
