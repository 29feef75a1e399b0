//! Plans as files: made by one command, looked at, and carried out by another.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::SignedDuration;
use pintle::plan::file::PlanFile;
use serde_json::{Value, json};

use super::chart;
use super::requests::Listening;
use crate::addresses::small;
use crate::lifecycle::left;
use crate::support::{Place, path};

const TEMPLATE: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {tier: {{ values.tier }}}}
data: {size: "{{ values.size }}", dsn: "postgres://me:{{ values.login }}@db", pass: "{{ values.password }}"}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {word: "{{ values.login }}"}
---
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: ca}
spec: {commonName: ca}
---
apiVersion: generate.pintle.dev/v1
kind: RandomSecret
metadata: {name: token}
spec: {keys: {token: {}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: app, image: 'app:1', envFrom: [{secretRef: {name: token}}]}
"#;

const VALUES: &str =
    "tier: front\nsize: small\nlogin: swordfish\npassword: perch-of-old\nreplicas: 1\n";

/// The chart, its values in a file of their own, and where a plan goes.
struct Files {
    chart: String,
    values: String,
    plan: String,
}

impl Files {
    fn new(place: &Place) -> Self {
        Self {
            chart: chart(place, "web", TEMPLATE),
            values: place.file("values.yaml", VALUES),
            plan: place.file("plan.json", ""),
        }
    }

    /// The words of a command that makes a plan.
    fn plan<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let words = ["plan", "web", &self.chart, "-f", &self.values];
        [&words[..], &["--out", &self.plan], more].concat()
    }

    fn read(&self) -> PlanFile {
        PlanFile::parse(&fs::read_to_string(&self.plan).unwrap()).unwrap()
    }
}

/// Checks a file against the schema that is published.
#[track_caller]
pub(crate) fn check_schema(file: &str) {
    let schema = fs::read_to_string(path("schemas/plan-file.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let options = jsonschema::options().should_validate_formats(true);
    let schema = options.build(&schema).unwrap();
    let file: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let faults: Vec<_> = schema.iter_errors(&file).map(|e| e.to_string()).collect();
    assert_eq!(faults, [] as [&str; 0]);
}

#[test]
fn what_is_planned_is_applied_and_nothing_else() {
    let place = Place::without_namespace("plan-life");
    let files = Files::new(&place);
    let file = files.plan.as_str();
    let create = files.plan(&["--create-namespace", "--exit-code"]);
    place
        .pintle(&create)
        .fails_with(5)
        .prints(&["2 to issue, 3 to create", "+ Deployment web"])
        .says(&["which `pintle apply` carries out until"]);
    check_schema(file);
    let held = files.read();
    assert_eq!(
        held.expires.duration_since(held.created),
        SignedDuration::from_hours(2)
    );
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let namespace = place.kubectl(&["get", "namespace", &place.namespace]);
    assert_ne!(namespace.code, Some(0), "{namespace}");
    place
        .pintle(&["apply", file, "--dry-run"])
        .ok()
        .prints(&["2 to issue, 3 to create"]);
    place
        .pintle(&["apply", file])
        .ok()
        .prints(&["has been installed", "REVISION: 1"]);
    // Once is enough.
    place.pintle(&["apply", file]).fails_with(4).says(&[
        "the plan does not hold any more, so nothing was written",
        "Namespace",
        "it was created by somebody",
        "revision 1: it was made since, and is deployed",
    ]);
}

#[test]
fn a_status_that_changes_in_between_is_none_of_the_plan() {
    let place = Place::new("plan-status");
    let files = Files::new(&place);
    let file = files.plan.as_str();
    let install = ["install", "web", &files.chart, "-f", &files.values];
    // Its pods become ready while it is planned.
    place.pintle(&[&install[..], &["--no-wait"]].concat()).ok();
    let before = place.get(&["secret/token"])["data"].take();
    let same = files.plan(&["--exit-code"]);
    place.pintle(&same).ok().prints(&["unchanged"]);
    place
        .pintle(&["apply", file])
        .ok()
        .prints(&["is unchanged"]);
    let next = VALUES.replace("small", "large");
    place.file("values.yaml", &next.replace("swordfish", "stickleback"));
    place.pintle(&same).fails_with(5);
    check_schema(file);
    let held = files.read();
    assert_eq!((held.counts.configure, held.counts.unchanged), (2, 3));
    let resources = held.resources.iter();
    let mut unnamed = resources.filter(|one| one.uid.is_none() || one.state.is_none());
    assert_eq!(unnamed.next(), None);
    // What is a matter of status is no change.
    let status = r#"{"status": {"conditions": [{"type": "Seen", "status": "True"}]}}"#;
    let patch = [
        "patch",
        "deployment/web",
        "--subresource=status",
        "--patch",
        status,
    ];
    place.kubectl(&patch).ok();
    let others = ["configmap/settings", "secret/login", "secret/token"];
    let annotate = [&["annotate"], &others[..], &["example.com/mine=yes"]].concat();
    place.kubectl(&annotate).ok();
    place
        .pintle(&["apply", file])
        .ok()
        .prints(&["has been upgraded", "REVISION: 2"]);
    assert_eq!(place.get(&["configmap/settings"])["data"]["size"], "large");
    assert_eq!(place.get(&["secret/token"])["data"], before);
}

#[test]
fn the_way_back_is_planned_as_well() {
    let place = Place::new("plan-back");
    let files = Files::new(&place);
    let file = files.plan.as_str();
    let install = ["install", "web", &files.chart, "-f", &files.values];
    place.pintle(&install).ok();
    place.file("values.yaml", &VALUES.replace("small", "large"));
    let upgrade = ["upgrade", "web", &files.chart, "-f", &files.values];
    place.pintle(&upgrade).ok();
    place
        .pintle(&["plan", "web", "--rollback", "1", "--out", file])
        .ok()
        .prints(&["data.size: \"large\" -> \"small\""]);
    check_schema(file);
    place
        .pintle(&["apply", file])
        .ok()
        .prints(&["has been rolled back", "REVISION: 3"]);
    assert_eq!(place.get(&["configmap/settings"])["data"]["size"], "small");

    // The chart has no defaults, so this is all that the values may come from.
    let more = ["--reset-then-reuse-values", "--set", "replicas=2"];
    let reuse = ["plan", "web", &files.chart, "--out", file];
    place
        .pintle(&[&reuse[..], &more].concat())
        .ok()
        .prints(&["1 to configure", "spec.replicas: 1 -> 2"]);
    check_schema(file);
    let apply = ["apply", file, "--set", "replicas=2"];
    place.pintle(&apply).ok().prints(&["REVISION: 4"]);
    assert_eq!(place.get(&["configmap/settings"])["data"]["size"], "small");
}

/// What somebody does between plan and apply, and what is said of it.
const MEANWHILE: [(&[&str], &[&str]); 5] = [
    (
        &["label", "configmap/settings", "tier=back", "--overwrite"],
        &["ConfigMap settings: metadata.labels.tier was changed to \"back\""],
    ),
    (
        &["scale", "deployment/web", "--replicas=3"],
        &["Deployment web: spec.replicas was changed to 3"],
    ),
    (
        &[
            "patch",
            "secret/login",
            "--patch",
            r#"{"stringData": {"word": "perch"}}"#,
        ],
        &["Secret login: data.word was changed to \"(redacted, 5 bytes)\""],
    ),
    (
        &["delete", "configmap/settings", "secret/token"],
        &[
            "ConfigMap settings: it was deleted",
            "Secret token: it was deleted",
        ],
    ),
    (
        &["replace", "--force", "-f", "FILE"],
        &["ConfigMap settings: it was deleted and made anew"],
    ),
];

#[test]
fn what_changes_in_between_is_named_and_nothing_is_written() {
    let place = Place::new("plan-stale");
    let files = Files::new(&place);
    let listening = Listening::on(&place);
    let install = ["install", "web", &files.chart, "-f", &files.values];
    place.pintle(&install).ok();
    let live = place
        .kubectl(&["get", "configmap/settings", "-o", "yaml"])
        .ok();
    let live = place.file("live.yaml", &live.stdout);
    for (index, (command, said)) in MEANWHILE.iter().enumerate() {
        // What is planned has to do with what is changed, and then with something else.
        let other = if index % 2 == 0 {
            "size: medium"
        } else {
            "size: large"
        };
        place.file("values.yaml", &VALUES.replace("size: small", other));
        place.pintle(&files.plan(&[])).ok();
        let command: Vec<_> = command
            .iter()
            .map(|word| word.replace("FILE", &live))
            .collect();
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        place.kubectl(&command).ok();
        let (run, writes) = listening.run(&place, &["apply", &files.plan]);
        let run = run.fails_with(4).says(said).says(&[
            "error: the plan does not hold any more, so nothing was written",
            "hint: `pintle plan` makes a new one",
        ]);
        assert!(!run.stderr.contains("perch"), "{run}");
        assert_eq!(writes, [] as [&str; 0], "{command:?}");
        place
            .pintle(&["upgrade", "web", &files.chart, "-f", &files.values])
            .ok();
    }
}

/// Expects that a command is refused for all that is `said`, and writes nothing.
#[track_caller]
fn check_refused(place: &Place, listening: &Listening, (args, said): (&[&str], &[&str])) {
    let (run, writes) = listening.run(place, args);
    run.fails_with(4).says(said);
    assert_eq!(writes, [] as [&str; 0], "{args:?}");
}

#[test]
fn other_inputs_are_named() {
    let place = Place::new("plan-inputs");
    let files = Files::new(&place);
    let listening = Listening::on(&place);
    place.pintle(&files.plan(&[])).ok();
    place.file("values.yaml", &VALUES.replace("small", "large"));
    let added = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n";
    place.file("web/templates/more.yaml", added);
    let said = [
        format!("values of {}: they have changed", files.values),
        format!("chart {}: its files have changed", files.chart),
    ];
    let said = said.each_ref().map(String::as_str);
    check_refused(&place, &listening, (&["apply", &files.plan], &said));
    // Chart and values may have moved, as long as they are the same.
    place.file("moved/values.yaml", "{}\n");
    let moved = place.file("moved/templates/all.yaml", TEMPLATE);
    let moved = moved.trim_end_matches("/templates/all.yaml");
    let metadata = fs::read_to_string(place.folder().join("web/Chart.yaml")).unwrap();
    place.file("moved/Chart.yaml", &metadata);
    let values = place.file("elsewhere.yaml", VALUES);
    let apply = ["apply", &files.plan, "-f", &values, "--chart", moved];
    place.pintle(&apply).ok();
}

#[test]
fn another_history_and_other_flags_are_named() {
    let place = Place::new("plan-history");
    let files = Files::new(&place);
    let listening = Listening::on(&place);
    let install = ["install", "web", &files.chart, "-f", &files.values];
    place.pintle(&install).ok();
    let flags = ["--set", "size=large"];
    place.pintle(&files.plan(&flags)).ok();
    let upgrade = ["upgrade", "web", &files.chart, "-f", &files.values];
    place
        .pintle(&[&upgrade[..], &["--set", "tier=back"]].concat())
        .ok();
    let apply = ["apply", files.plan.as_str()];
    let again = [&apply[..], &flags].concat();
    let said = [
        "revision 1: it is superseded, and was deployed",
        "revision 2: it was made since, and is deployed",
    ];
    check_refused(&place, &listening, (&again, &said));
    place.pintle(&files.plan(&flags)).ok();
    let (run, writes) = listening.run(&place, &apply);
    run.fails_with(2).says(&[
        "the plan was made with values for size",
        "give --set and the like again",
    ]);
    assert_eq!(writes, [] as [&str; 0]);
    let other = ["apply", &files.plan, "--set", "size=huge"];
    let said = ["values for size: they are others than those of the plan"];
    check_refused(&place, &listening, (&other, &said));
    place.pintle(&again).ok();
    assert_eq!(place.get(&["configmap/settings"])["data"]["size"], "large");
}

#[test]
fn a_file_is_held_to_its_time_place_and_form() {
    let place = Place::new("plan-form");
    let other = Place::new("plan-other");
    let files = Files::new(&place);
    place.pintle(&files.plan(&["--expires", "0s"])).ok();
    let apply = ["apply", files.plan.as_str()];
    place
        .pintle(&apply)
        .fails_with(4)
        .says(&["plan: it has expired at"]);
    place.pintle(&files.plan(&[])).ok();
    let text = fs::read_to_string(&files.plan).unwrap();
    other.pintle(&apply).fails_with(4).says(&[&format!(
        "the plan was made for namespace {}",
        place.namespace
    )]);
    place.file("plan.json", &text.replace("\"create\": 3", "\"create\": 2"));
    place
        .pintle(&apply)
        .fails_with(4)
        .says(&["plan: it was edited after it was made"]);
    // Whoever takes more trouble gains nothing either.
    let forged = |forge: &dyn Fn(&mut PlanFile), said: &str| {
        let mut file = PlanFile::parse(&text).unwrap();
        forge(&mut file);
        place.file("plan.json", &file.to_text());
        place.pintle(&apply).fails_with(4).says(&[said]);
    };
    forged(
        &|file| file.cluster.uid = Some("another".to_owned()),
        "the plan was made for another one",
    );
    forged(
        &|file| file.cluster.namespace_uid = Some("another".to_owned()),
        "it was deleted and made anew",
    );
    forged(
        &|file| file.resources.retain(|one| one.kind != "Deployment"),
        "Deployment web: it would be created now as well",
    );
    forged(
        &|file| file.resources[0].uid = Some("none".to_owned()),
        "it was deleted",
    );
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn what_is_no_plan_is_refused() {
    let place = Place::new("plan-none");
    let apply = ["apply", &place.file("plan.json", "")];
    for (text, said) in [
        ("", "cannot take"),
        ("{}", "it has no format"),
        (
            r#"{"format": "pintle.dev/plan.v9"}"#,
            "this pintle reads pintle.dev/plan.v1 only",
        ),
        (&"x".repeat(17 << 20), "is larger than 16 MiB"),
    ] {
        place.file("plan.json", text);
        place.pintle(&apply).fails_with(2).says(&[said]);
    }
    place
        .pintle(&["apply", "-"])
        .fails_with(2)
        .says(&["- is none"]);
    let none = ["apply", "nowhere.json"];
    place
        .pintle(&none)
        .fails_with(2)
        .says(&["cannot read nowhere.json"]);
}

#[test]
fn no_secret_is_in_a_file() {
    let place = Place::new("plan-secrets");
    let files = Files::new(&place);
    let first = ["--set", "login=barracuda-1,password=flounder-1"];
    let install = ["install", "web", &files.chart, "-f", &files.values];
    place.pintle(&[&install[..], &first].concat()).ok();
    let second = ["--set-string", "login=stickleback-2,password=halibut-2"];
    let run = place.pintle(&files.plan(&second)).ok();
    assert!(!run.stderr.contains("stickleback"), "{run}");
    let text = fs::read_to_string(&files.plan).unwrap();
    let mut secrets = vec![
        "barracuda-1".to_owned(),
        "stickleback-2".to_owned(),
        "swordfish".to_owned(),
        // These stand in no Secret.
        "flounder-1".to_owned(),
        "halibut-2".to_owned(),
        "perch-of-old".to_owned(),
    ];
    for name in ["login", "token", "ca"] {
        let mut secret = place.get(&[&format!("secret/{name}")]);
        for (_, value) in secret["data"].as_object_mut().unwrap() {
            let value = value.as_str().unwrap();
            let open = String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap();
            secrets.extend(
                open.lines()
                    .filter(|line| line.len() > 12)
                    .map(str::to_owned),
            );
            secrets.push(value.to_owned());
        }
    }
    assert!(secrets.len() > 10);
    for secret in &secrets {
        let encoded = BASE64_STANDARD.encode(secret);
        assert!(
            !text.contains(secret) && !text.contains(&encoded),
            "{secret}"
        );
    }
    // It says all the same that something changes.
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        file["inputs"]["flags"]["keys"],
        json!(["login", "password"])
    );
    let settings = file["resources"].as_array().unwrap().iter();
    let mut settings = settings.filter(|one| one["name"] == "settings");
    assert_eq!(
        settings.next().unwrap()["fields"],
        json!(["data.dsn", "data.pass"].map(|path| {
            json!({"path": path, "old": "(redacted)", "new": "(redacted)", "cause": "chart"})
        }))
    );
    let apply = [&["apply", files.plan.as_str()][..], &second].concat();
    check_other_secret(&place, &apply);
    place.pintle(&apply).ok();
}

/// Another text of the same length, and the old one once more.
fn check_other_secret(place: &Place, apply: &[&str]) {
    let word = |word: &str| {
        let patch = json!({"stringData": {"word": word}}).to_string();
        place.kubectl(&["patch", "secret/login", "-p", &patch]).ok();
    };
    word("barracuda-2");
    place
        .pintle(apply)
        .fails_with(4)
        .says(&["Secret login: it was changed by somebody"]);
    word("barracuda-1");
}

#[test]
fn what_is_known_after_the_apply_is_planned_then() {
    let place = Place::new("plan-later");
    let small = small(&place);
    let file = place.file("plan.json", "");
    place
        .pintle(&["plan", "app", &small, "--out", &file])
        .ok()
        .prints(&["known after apply: the address of Service api"]);
    check_schema(&file);
    let held = PlanFile::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    let waits = (held.resources.iter()).filter(|one| one.known_after_apply == ["api"]);
    let waits: Vec<_> = waits.map(|one| one.name.as_str()).collect();
    assert_eq!(waits, ["outer", "server"]);
    place
        .pintle(&["apply", &file])
        .ok()
        .says(&["addresses are known", "issued ConfigMap outer"]);
    let ip = place.get(&["service/api"])["spec"]["clusterIP"].take();
    assert_eq!(place.get(&["configmap/outer"])["data"]["ip"], ip);
}

#[test]
fn what_cannot_be_read_again_is_asked_for() {
    let place = Place::new("plan-again");
    let files = Files::new(&place);
    // Standard input is empty here.
    place.pintle(&files.plan(&["-f", "-"])).ok();
    let apply = ["apply", files.plan.as_str(), "--dry-run"];
    place.pintle(&apply).fails_with(2).says(&[
        "the plan was made with values of standard input, which it does not hold",
        "give all of --values again",
    ]);
    let one = [&apply[..], &["-f", &files.values]].concat();
    place
        .pintle(&one)
        .fails_with(4)
        .says(&["files of values: 1 given, and 2 for the plan"]);
    let all = [&one[..], &["-f", "-"]].concat();
    place.pintle(&all).ok().prints(&["+ Deployment web"]);
}
