//! What kubectl and Helm say, by few processes.

use std::collections::BTreeMap;

use super::table::{Row, Verdict};
use crate::support::Place;

type Verdicts<'a> = BTreeMap<&'a str, Verdict>;

/// The kinds that have rollouts.
const ROLLOUTS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// What `kubectl wait` is asked about other kinds: the nearest to their readiness.
const CONDITIONS: [(&str, &str); 9] = [
    ("Pod", "condition=Ready"),
    ("Car", "condition=Ready"),
    ("Job", "condition=Complete"),
    ("CustomResourceDefinition", "condition=Established"),
    ("APIService", "condition=Available"),
    ("PersistentVolumeClaim", "jsonpath={.status.phase}=Bound"),
    ("Service", "jsonpath={.status.loadBalancer.ingress}"),
    ("Ingress", "jsonpath={.status.loadBalancer.ingress}"),
    ("Namespace", "jsonpath={.status.phase}=Active"),
];

fn asked(row: &Row) -> bool {
    row.tried.is_none() && row.kubectl.is_some()
}

/// `deployments.apps/web`.
fn argument(row: &Row) -> String {
    let kind = &row.kind;
    let group = match kind.group.as_str() {
        "" => String::new(),
        group => format!(".{group}"),
    };
    format!("{}{group}/{}", kind.plural, row.name)
}

/// What `kubectl rollout status` says of workloads, and `kubectl wait` of what else it has a word for.
pub(super) fn kubectl<'a>(place: &Place, rows: &'a [Row]) -> Verdicts<'a> {
    let mut all = rollouts(place, rows);
    let mut conditions: Vec<&str> = CONDITIONS.iter().map(|(_, condition)| *condition).collect();
    conditions.dedup();
    for condition in conditions {
        let is_of = |row: &&Row| CONDITIONS.contains(&(row.kind.kind.as_str(), condition));
        let rows: Vec<_> = rows.iter().filter(|row| asked(row)).filter(is_of).collect();
        if !rows.is_empty() {
            all.extend(conditions_of(place, &rows, condition));
        }
    }
    all
}

/// It tells one thing of each workload in their order: of those that it can judge on stdout, of the others
/// on stderr.
fn rollouts<'a>(place: &Place, rows: &'a [Row]) -> Verdicts<'a> {
    let is_one = |row: &&Row| ROLLOUTS.contains(&row.kind.kind.as_str());
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| asked(row))
        .filter(is_one)
        .collect();
    let arguments: Vec<_> = rows.iter().map(|row| argument(row)).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let run = place.kubectl(&[&["rollout", "status", "--watch=false"], &arguments[..]].concat());
    // It cannot judge what is updated by hand, and says so without a name.
    let is_refused = |row: &&Row| {
        let by_hand = row.last()["spec"]["updateStrategy"]["type"] == "OnDelete";
        by_hand || run.stderr.contains(&format!("\"{}\"", row.name))
    };
    let (failed, told): (Vec<&Row>, Vec<&Row>) = rows.iter().copied().partition(is_refused);
    let lines: Vec<_> = run.stdout.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), told.len(), "{run}");
    let refusals = run.stderr.lines().filter(|line| !line.is_empty());
    assert_eq!(refusals.count(), failed.len(), "{run}");
    let judged = told.iter().zip(lines).map(|(row, line)| {
        let is_over = ["successfully rolled out", "complete"]
            .iter()
            .any(|word| line.contains(word));
        let verdict = if is_over {
            Verdict::Ready
        } else {
            Verdict::Waiting
        };
        (row.name.as_str(), verdict)
    });
    let failed = failed
        .iter()
        .map(|row| (row.name.as_str(), Verdict::Failed));
    judged.chain(failed).collect()
}

fn conditions_of<'a>(place: &Place, rows: &[&'a Row], condition: &str) -> Verdicts<'a> {
    let arguments: Vec<_> = rows.iter().map(|row| argument(row)).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let condition = format!("--for={condition}");
    let run = place.kubectl(&[&["wait", &condition, "--timeout=0s"], &arguments[..]].concat());
    let says = |row: &Row, said: &str, text: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.contains(said) && line.contains(&format!("/{}", row.name)))
    };
    let verdict = |row: &&&'a Row| {
        let is_met = run.stdout.lines().any(|line| {
            line.strip_suffix(" condition met")
                .is_some_and(|line| line.ends_with(&format!("/{}", row.name)))
        });
        let is_met = is_met.then_some(Verdict::Ready);
        let unmet = says(row, "condition not met", &run.stderr).then_some(Verdict::Waiting);
        let verdict = is_met.or(unmet);
        (
            row.name.as_str(),
            verdict.unwrap_or_else(|| panic!("{}: {run}", row.name)),
        )
    };
    rows.iter().map(|row| verdict(&row)).collect()
}

/// What Helm says of everything that it could have installed itself: it names all that it waited for
/// in vain.
pub(super) fn helm<'a>(place: &Place, rows: &'a [Row]) -> Verdicts<'a> {
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row.is_made() && row.helm.is_some())
        .collect();
    let all: Vec<_> = rows.iter().map(|row| row.last().to_string()).collect();
    place.file("all/templates/all.yaml", &all.join("\n---\n"));
    let chart = "apiVersion: v2\nname: all\nversion: 1.0.0\n";
    let chart = place.file("all/Chart.yaml", chart);
    let chart = chart.trim_end_matches("/Chart.yaml");
    let wait = [
        "--take-ownership",
        "--wait",
        "--wait-for-jobs",
        "--timeout",
        "4s",
    ];
    let run = place.helm(&[&["install", "all", chart], &wait[..]].concat());
    assert!(run.stderr.contains("context deadline exceeded"), "{run}");
    let said = |row: &&'a Row| {
        let mark = format!("resource {}/", row.kind.kind);
        let name = format!("/{} not ready. status: ", row.name);
        let status = run.stderr.lines().find_map(|line| {
            let (_, rest) = line.split_once(&mark)?;
            rest.split_once(&name).map(|(_, rest)| rest)
        });
        let verdict = match status {
            None => Verdict::Ready,
            Some(status) if status.starts_with("Failed") => Verdict::Failed,
            Some(_) => Verdict::Waiting,
        };
        (row.name.as_str(), verdict)
    };
    rows.iter().map(said).collect()
}
