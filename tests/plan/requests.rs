//! How many requests planning takes: only what changes is asked about.

use ::testbed::Recorder;

use super::{chart, deployment};
use crate::support::{Place, Run, testbed};

/// A place's way to the API server on which every request is written down.
pub(crate) struct Listening {
    recorder: Recorder,
    pub(crate) kubeconfig: String,
}

impl Listening {
    pub(crate) fn on(place: &Place) -> Self {
        let kubectl = testbed().bin.join("kubectl");
        let recorder = Recorder::start(&kubectl, place.kubeconfig(), place.folder()).unwrap();
        let kubeconfig = recorder.kubeconfig().to_str().unwrap().to_owned();
        Self {
            recorder,
            kubeconfig,
        }
    }

    /// Runs pintle, and tells the requests that it has made.
    pub(crate) fn requests(&self, place: &Place, args: &[&str]) -> Vec<String> {
        let (run, requests) = self.watch(place, args);
        run.ok();
        requests
    }

    /// The same without reads.
    pub(crate) fn writes(&self, place: &Place, args: &[&str]) -> Vec<String> {
        let (run, writes) = self.run(place, args);
        run.ok();
        writes
    }

    /// Runs pintle, and tells how it ended and the requests that it has made other than reads.
    pub(crate) fn run(&self, place: &Place, args: &[&str]) -> (Run, Vec<String>) {
        let (run, mut requests) = self.watch(place, args);
        requests.retain(|line| !is_read(line));
        (run, requests)
    }

    fn watch(&self, place: &Place, args: &[&str]) -> (Run, Vec<String>) {
        self.recorder.taken();
        let through = ["--kubeconfig", &self.kubeconfig];
        let run = place.pintle(&[args, &through].concat());
        (run, self.recorder.taken())
    }

    /// The reads since the last call.
    pub(crate) fn reads(&self) -> Vec<String> {
        let mut log = self.recorder.taken();
        log.retain(|line| is_read(line));
        log
    }

    /// The requests since the last call, other than reads.
    pub(crate) fn taken(&self) -> Vec<String> {
        let mut log = self.recorder.taken();
        log.retain(|line| !is_read(line));
        log
    }
}

/// Whether a request changes nothing, whatever comes of it: a question about the user's rights is none.
fn is_read(line: &str) -> bool {
    line.starts_with("GET") || line.contains("/authorization.k8s.io/")
}

fn forty(place: &Place, value: &str) -> String {
    let map = |number: u8| {
        let value = if number < 2 { value } else { "same" };
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\ndata: {{a: {value}}}\n"
        )
    };
    let maps: String = (0..39).map(map).collect();
    let web = deployment("web", 1, "").replace("app:1", &format!("app:{value}"));
    chart(place, "forty", &format!("{maps}{web}"))
}

#[test]
fn only_what_changes_is_asked_about() {
    let place = Place::new("requests");
    let listening = Listening::on(&place);
    let (first, second) = (forty(&place, "one"), forty(&place, "one"));
    let tried = |requests: &[String]| {
        let tried = requests.iter().filter(|line| line.contains("dryRun=All"));
        tried.count()
    };
    let install = listening.writes(&place, &["install", "forty", &first, "--no-wait"]);
    assert_eq!(tried(&install), 41, "{install:#?}");
    let none = listening.requests(&place, &["upgrade", "forty", &second, "--no-wait"]);
    assert!(none.iter().all(|line| is_read(line)), "{none:#?}");
    // However many there are, each kind is listed once.
    for kind in ["/configmaps", "/deployments"] {
        let is_list = |line: &&String| line.contains(kind) && !line.contains("generator");
        let about = none.iter().filter(is_list);
        assert_eq!(about.count(), 1, "{kind}: {none:#?}");
    }
    let second = forty(&place, "two");
    let upgrade = ["upgrade", "forty", &second, "--no-wait"];
    let changes = listening.writes(&place, &[&upgrade[..], &["--dry-run"]].concat());
    // Three changes, and a pod of the new template.
    assert_eq!((tried(&changes), changes.len()), (4, 4), "{changes:#?}");
    let unasked = [&upgrade[..], &["--dry-run", "--no-validate"]].concat();
    assert_eq!(listening.writes(&place, &unasked), [] as [&str; 0]);
}
