//! `charts/kcp`, a tenant's control plane: rendering it for one tenant and for many, and
//! installing it.
//!
//! There is no such chart for Helm. It gets the rendered resources as a chart of plain YAML, and
//! the data of the Secrets ready-made: what is left is what Helm does with any chart of that size.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use serde_json::Value;

use crate::measure::{Program, Sample};
use crate::table::{Goal, Row};
use crate::{Bench, ROOT, Waiting, alternate, static_chart, thousand};

const RELEASE: &str = "tenant-a";
const NO_GOAL: Goal = Goal {
    time: 0.0,
    memory: 0.0,
};

fn chart() -> String {
    format!("{ROOT}/charts/kcp")
}

/// `template` for one tenant, and the library for many in one process.
pub(crate) fn rendering(bench: &Bench) -> [Row; 2] {
    let rendered = bench.pintle.run(&["template", RELEASE, &chart()]);
    let folder = bench.path("rendered");
    static_chart::write(Path::new(&folder), &rendered, &BTreeMap::new());
    let helm = ["template", RELEASE, &folder];
    let samples = bench.pair(&["template", RELEASE, &chart()], &helm);
    let one = Row::new("`template` of `charts/kcp`", samples, NO_GOAL);

    let this = bench.program(&env::current_exe().expect("the benchmark's own path"));
    let many = || [this.measure(&[thousand::WORK, &chart()])];
    // A thousand processes are a thousand times one.
    let each = || {
        let sample = bench.helm.measure(&helm);
        let wall = sample.wall * thousand::TENANTS;
        [Sample { wall, ..sample }]
    };
    let [samples] = alternate(bench.runs, many, each);
    let goal = Goal {
        time: 200.0,
        memory: 0.0,
    };
    let name = format!("rendering `charts/kcp` for {} tenants", thousand::TENANTS);
    [one, Row::new(&name, samples, goal)]
}

/// `install` without and with waiting.
pub(crate) fn installation(bench: &Bench) -> [Row; 2] {
    let kubectl = bench.program(Path::new("kubectl"));
    let folder = bench.path("installed");
    let pintle = Side {
        tool: &bench.pintle,
        kubectl: &kubectl,
        chart: &chart(),
        namespace: "tenant-pintle",
    };
    let helm = Side {
        tool: &bench.helm,
        kubectl: &kubectl,
        chart: &folder,
        namespace: "tenant-helm",
    };
    helm.record(&bench.pintle);
    [Waiting::No, Waiting::Yes].map(|waiting| {
        let ours = || [pintle.round(waiting.of_pintle())];
        let theirs = || [helm.round(waiting.of_helm())];
        let [samples] = alternate(bench.runs, ours, theirs);
        let name = format!("`install` of `charts/kcp`{}", waiting.suffix());
        Row::new(&name, samples, NO_GOAL)
    })
}

/// One tool with the chart that it installs.
struct Side<'a> {
    tool: &'a Program,
    kubectl: &'a Program,
    chart: &'a str,
    namespace: &'a str,
}

impl Side<'_> {
    /// Installs a release, and takes it away again, which is not measured.
    fn round(&self, wait: Option<&str>) -> Sample {
        let install = ["install", RELEASE, self.chart, "--create-namespace"];
        let place = ["--namespace", self.namespace];
        let wait: &[&str] = wait.as_slice();
        let sample = self.tool.measure(&[&install, &place[..], wait].concat());
        self.clean(self.tool);
        sample
    }

    /// Writes this side's chart from what pintle installs in its namespace.
    fn record(&self, pintle: &Program) {
        let place = ["--namespace", self.namespace];
        let install = ["install", RELEASE, &chart(), "--create-namespace"];
        pintle.run(&[&install, &place[..]].concat());
        let manifest = pintle.run(&[&["get", "manifest", RELEASE], &place[..]].concat());
        let label = format!("pintle.dev/release={RELEASE}");
        let secrets = ["get", "secrets", "--output", "json", "--selector", &label];
        let secrets = self.kubectl.run(&[&secrets, &place[..]].concat());
        let secrets: Value = serde_json::from_str(&secrets).expect("a list of Secrets");
        let secrets = secrets["items"].as_array().expect("items").iter();
        let data: BTreeMap<_, _> = secrets
            .map(|secret| {
                let name = secret["metadata"]["name"].as_str().expect("a name");
                (name.to_owned(), secret["data"].clone())
            })
            .collect();
        assert!(data.len() >= 15, "all Secrets are there");
        static_chart::write(Path::new(self.chart), &manifest, &data);
        self.clean(pintle);
    }

    /// Uninstalls the release and waits until its pods and volumes are gone, so that the next
    /// round does not meet them.
    fn clean(&self, tool: &Program) {
        let place = ["--namespace", self.namespace];
        tool.run(&[&["uninstall", RELEASE], &place[..]].concat());
        let gone = ["wait", "--for=delete", "--all", "--timeout=2m"];
        let leftovers = "pods,persistentvolumeclaims";
        let wait = [&gone[..], &[leftovers], &place].concat();
        self.kubectl.run(&wait);
    }
}
