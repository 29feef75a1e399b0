//! Errors: the chain of causes, the place, and one line of hint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use pintle::plan::Objection;
use pintle::render::shortened;

use super::diagnosis;
use crate::connection::now;
use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints `failure` on stderr and gives its exit code.
pub(crate) fn print(failure: &Failure) -> ExitCode {
    // There is nobody left to tell if stderr cannot be written.
    let _ = anstream::stderr()
        .lock()
        .write_all(to_text(failure, now()).as_bytes());
    ExitCode::from(failure.exit_code())
}

/// How often the same may be said of several resources, in full.
const SAME: usize = 3;

/// What stands against a plan. What is said of many resources is said once, with their names.
fn refused(objections: &[Objection]) -> String {
    let key = |one: &Objection| (one.reason.clone(), one.remedy.clone());
    let mut alike: BTreeMap<_, Vec<&Objection>> = BTreeMap::new();
    for objection in objections {
        alike.entry(key(objection)).or_default().push(objection);
    }
    let mut text = String::new();
    for objection in objections {
        let same = &alike[&key(objection)];
        let is_many = same.len() > SAME;
        if is_many && !std::ptr::eq(same[0], objection) {
            continue;
        }
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {objection}");
        if is_many {
            let others: Vec<String> = same[1..].iter().map(|one| one.id.to_string()).collect();
            let _ = writeln!(text, "    the same of {}", others.join(", "));
        }
        if let Some(remedy) = &objection.remedy {
            let _ = writeln!(text, "    {remedy}");
        }
    }
    text
}

fn to_text(failure: &Failure, now: Timestamp) -> String {
    let mut text = String::new();
    for (index, part) in failure.chain().iter().enumerate() {
        let part = shortened(part);
        // Writing into a string cannot fail.
        let _ = match index {
            0 => writeln!(text, "{ERROR}error{ERROR:#}: {part}"),
            _ => writeln!(text, "  caused by: {part}"),
        };
    }
    let [first, second] = failure.parts().unwrap_or_default();
    for part in &first {
        let part = shortened(part);
        let _ = writeln!(text, "  caused by: {part}");
    }
    for unready in failure.unready() {
        for line in diagnosis::lines(unready, now) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if let Some(line) = diagnosis::unasked(failure.unready()) {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str(&refused(failure.objections()));
    for difference in failure.differences() {
        let _ = writeln!(text, "  {difference}");
    }
    for (index, part) in second.iter().enumerate() {
        let part = shortened(part);
        let _ = match index {
            0 => writeln!(text, "  on the way back: {part}"),
            _ => writeln!(text, "    caused by: {part}"),
        };
    }
    for unready in failure.unready_on_the_way_back() {
        for line in diagnosis::lines(unready, now) {
            let _ = writeln!(text, "    {line}");
        }
    }
    if let Some(excerpt) = failure.excerpt() {
        text.push_str(excerpt.trim_end());
        text.push('\n');
    }
    if let Some(hint) = failure.hint() {
        let _ = writeln!(text, "{HINT}hint{HINT:#}: {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use pintle::cluster::{self, Diagnosis, SickPod, Unready, Warning};
    use pintle::health::{Health, Trouble};
    use pintle::manifest::ResourceId;
    use pintle::ops;
    use pintle::plan::{About, Class, Until};

    use super::*;

    /// Checks what is said where as many resources are refused for one reason, and one for another.
    #[track_caller]
    fn check_refused(count: usize, expected: &str) {
        let objection = |name: String, reason: &str| Objection {
            id: unready("Deployment", &name, Health::Ready).id,
            origin: None,
            about: About::Itself,
            reason: reason.to_owned(),
            remedy: Some("make room".to_owned()),
            class: Class::Refused,
        };
        let many = (0..count).map(|number| objection(format!("a{number}"), "too large"));
        let one = objection("b".to_owned(), "too small");
        let all: Vec<Objection> = many.chain([one]).collect();
        assert_eq!(refused(&all), expected);
    }

    #[test]
    fn what_is_said_of_many_is_said_once() {
        check_refused(
            2,
            "  Deployment a0: too large\n    make room\n  Deployment a1: too large\n    make room\n  \
             Deployment b: too small\n    make room\n",
        );
        check_refused(
            4,
            "  Deployment a0: too large\n    the same of Deployment a1, Deployment a2, Deployment a3\n    \
             make room\n  Deployment b: too small\n    make room\n",
        );
    }

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn unready(kind: &str, name: &str, health: Health) -> Unready {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: kind.to_owned(),
            namespace: Some("tenant-a".to_owned()),
            name: name.to_owned(),
        };
        Unready::new(id, health)
    }

    fn warning(reason: &str, message: &str, ago: i64) -> Warning {
        let now: Timestamp = NOW.parse().unwrap();
        Warning {
            reason: reason.to_owned(),
            message: message.to_owned(),
            count: 12,
            last: Timestamp::from_second(now.as_second() - ago).ok(),
        }
    }

    fn pod(name: &str, reason: &str) -> SickPod {
        SickPod {
            name: name.to_owned(),
            trouble: Trouble {
                container: Some("etcd".to_owned()),
                reason: reason.to_owned(),
            },
            events: vec![],
            log: vec![],
        }
    }

    fn etcd() -> Unready {
        let failed = "0 of 3 pods ready: pod tenant-a-etcd-0 does not recover by itself";
        let health = Health::Failed(failed.to_owned());
        let mut etcd = unready("StatefulSet", "tenant-a-etcd", health);
        let mut first = pod(
            "tenant-a-etcd-0",
            "CrashLoopBackOff: exit code 1, 5 restarts",
        );
        let said = "Back-off restarting failed container etcd in pod tenant-a-etcd-0";
        first.events = vec![warning("BackOff", said, 3)];
        first.log = vec![
            r#"{"level":"info","msg":"starting"}"#.to_owned(),
            r#"{"level":"fatal","msg":"discovery failed","error":"no such host"}"#.to_owned(),
        ];
        etcd.diagnosis = Diagnosis {
            pods: vec![first, pod("tenant-a-etcd-1", "readiness probe failing")],
            others: 1,
            events: vec![],
        };
        etcd
    }

    fn shown(error: ops::Error) -> String {
        text(&Failure::Operation(error))
    }

    fn text(failure: &Failure) -> String {
        let text = to_text(failure, NOW.parse().unwrap());
        anstream::adapter::strip_str(&text).to_string()
    }

    fn gate() -> ops::Error {
        ops::Error::Gate {
            stage: "group apiserver".to_owned(),
            earlier: "group etcd".to_owned(),
            until: Until::Ready,
            source: cluster::Error::NotReady {
                resources: vec![etcd()],
            },
        }
    }

    #[test]
    fn a_gate_says_why_it_is_shut() {
        insta::assert_snapshot!(shown(gate()));
    }

    #[test]
    fn a_first_revision_is_not_rolled_back() {
        let text = text(&Failure::First(gate()));
        let hint = text.lines().last().unwrap();
        assert!(hint.ends_with("`pintle uninstall` removes what there is"));
        assert!(!text.contains("rollback"), "{text}");
    }

    #[test]
    fn every_resource_that_is_not_ready_is_explained() {
        let health = Health::InProgress("0 of 2 pods ready".to_owned());
        let mut quota = unready("Deployment", "web", health);
        let said = "Error creating: pods \"web-5d8-x\" is forbidden: exceeded quota: pods";
        quota.diagnosis.events = vec![warning("FailedCreate", said, 300)];
        let missing = unready(
            "Deployment",
            "late",
            Health::InProgress("missing".to_owned()),
        );
        insta::assert_snapshot!(shown(ops::Error::Cluster(cluster::Error::NotReady {
            resources: vec![etcd(), quota, missing],
        })));
    }

    #[test]
    fn many_resources_are_counted_in_the_first_line() {
        let resources = (0..7).map(|n| {
            let health = Health::InProgress("missing".to_owned());
            unready("Deployment", &format!("web-{n}"), health)
        });
        let text = shown(ops::Error::Cluster(cluster::Error::NotReady {
            resources: resources.collect(),
        }));
        let first = text.lines().next().unwrap();
        assert!(first.ends_with("Deployment web-4 and 2 more"), "{first}");
    }

    #[test]
    fn each_of_many_resources_is_listed_with_its_reason() {
        let resources = (0..53).map(|n| {
            let health = Health::InProgress(format!("{n} of 90 pods ready"));
            let mut web = unready("Deployment", &format!("web-{n}"), health);
            web.diagnosis.pods = vec![pod("web", "not ready")];
            web
        });
        let map = unready("ConfigMap", "map", Health::InProgress("missing".to_owned()));
        let text = shown(ops::Error::Cluster(cluster::Error::NotReady {
            resources: resources.chain([map]).collect(),
        }));
        for n in 0..53 {
            let line = format!("\n  Deployment web-{n}: {n} of 90 pods ready\n");
            assert!(text.contains(&line), "{n}: {text}");
        }
        let rest = "\n  logs were looked for of the first 50 alone, not of 3 more\n";
        assert!(text.contains(rest), "{text}");
    }

    #[test]
    fn a_pod_by_itself_is_told_once() {
        let trouble = "container etcd: exit code 1".to_owned();
        let mut migrate = unready("Pod", "migrate", Health::Failed(trouble));
        let mut own = pod("migrate", "exit code 1");
        own.log = vec!["no such host".to_owned()];
        migrate.diagnosis.pods = vec![own, pod("migrate", "exit code 2")];
        let resources = vec![migrate];
        let text = shown(ops::Error::Cluster(cluster::Error::NotReady { resources }));
        let told = "
  Pod migrate: container etcd: exit code 1
      log: no such host
    pod migrate: container etcd: exit code 2
";
        assert!(text.contains(told), "{text}");
    }
}
