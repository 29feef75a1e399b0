//! `pintle apply`.

use std::process::ExitCode;
use std::sync::Arc;

use pintle::ops::{
    self, Change, ChartRequest, CrdPolicy, ReuseValues, Rules, SchemaPolicy, Session, Terms,
};
use pintle::plan::file::{Difference, Operation, PlanFile, Term};
use pintle::render::Notes;
use pintle::source;

use super::change;
use super::inputs::{self, Given};
use crate::cli::{Apply, Global, Place};
use crate::connection::{Connection, now, with_cluster};
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &Apply) -> Result<ExitCode, Failure> {
    let file = read(&args.file)?;
    ops::outdated(file.faults(now()))?;
    let global = place(global, &file)?;
    let given = inputs::read_again(&file, args.chart.as_deref(), &args.values)?;
    let found = given.inputs(&file.inputs.salt)?;
    ops::outdated(found.differences(&file.inputs))?;
    let options = change::options(&args.change);
    let history_max = history_max(args, &file);
    let done = match file.release.operation {
        Operation::Install => "installed",
        Operation::Upgrade => "upgraded",
        Operation::Rollback => "rolled back",
    };
    let file = Arc::new(file);
    with_cluster(&global, async |connection| {
        let session = connection.session(&file.release.name);
        let rehearsal = change::rehearsal(&args.check, args.change.dry_run());
        let mut terms = Terms {
            end: change::end(&args.change),
            pending_timeout: change::patience(&args.change),
            ..ops::fixed(Arc::clone(&file), rehearsal)
        };
        terms.recording.history_max = history_max;
        let decide = async || {
            // Who was waited for may have taken longer than the plan holds.
            ops::outdated(file.faults(now()))?;
            Box::pin(decide(&connection, &session, &given, (&file, &terms))).await
        };
        let outcome = change::run(&session, (&args.change, &options), decide).await?;
        change::print(&outcome, &args.change, done)
    })
}

fn read(name: &str) -> Result<PlanFile, Failure> {
    if name == "-" {
        return Err(Failure::NoFile);
    }
    let text = source::read_plan(name).map_err(Failure::NoPlan)?;
    let file = PlanFile::parse(&text).map_err(|source| ops::Error::PlanFile {
        file: name.to_owned(),
        source,
    });
    Ok(file?)
}

/// Where the plan is carried out: where it was made, which flags may repeat and not contradict.
fn place(global: &Global, file: &PlanFile) -> Result<Global, Failure> {
    let mut found = vec![];
    let namespace = &file.release.namespace;
    if let Some(given) = global
        .namespace
        .as_ref()
        .filter(|given| *given != namespace)
    {
        let what = format!("the plan was made for namespace {namespace}");
        found.push(Difference::new(format!("--namespace {given}"), what));
    }
    let into = file.cluster.into.as_deref();
    let into = into.and_then(|into| into.parse::<Place>().ok());
    if let Some(given) = global
        .into
        .as_ref()
        .filter(|given| Some(*given) != into.as_ref())
    {
        let what = "the plan was made elsewhere";
        found.push(Difference::new(format!("--into {given}"), what));
    }
    ops::outdated(found)?;
    Ok(Global {
        namespace: Some(namespace.clone()),
        into,
        ..global.clone()
    })
}

/// A first revision leaves none to be forgotten.
fn history_max(args: &Apply, file: &PlanFile) -> usize {
    match file.release.operation {
        Operation::Install => 0,
        Operation::Upgrade | Operation::Rollback => args.history.history_max,
    }
}

async fn decide(
    connection: &Connection,
    session: &Session<'_>,
    given: &Given,
    (file, terms): (&PlanFile, &Terms),
) -> Result<Change, ops::Error> {
    let Some(named) = &given.chart else {
        let rules = if file.has(Term::IgnoreRules) {
            Rules::Waive
        } else {
            Rules::Hold
        };
        return ops::rollback(session, file.release.to, rules, terms).await;
    };
    let tenant = connection.tenant_values(&named.chart);
    let notes = if file.has(Term::RenderSubchartNotes) {
        Notes::WithSubcharts
    } else {
        Notes::Root
    };
    let request = ChartRequest {
        chart: &named.chart,
        overrides: &given.overrides,
        tenant: &tenant,
        notes,
        reuse: reuse(file),
        schemas: if file.has(Term::SkipSchemaValidation) {
            SchemaPolicy::Skip
        } else {
            SchemaPolicy::Check
        },
        crds: if file.has(Term::SkipCrds) {
            CrdPolicy::Skip
        } else {
            CrdPolicy::Create
        },
    };
    ops::plan(session, &request, terms).await
}

/// What becomes of the values of the running revision.
fn reuse(file: &PlanFile) -> ReuseValues {
    if file.has(Term::ResetValues) {
        ReuseValues::No
    } else if file.has(Term::ReuseValues) {
        ReuseValues::WithDefaults
    } else if file.has(Term::ResetThenReuseValues) {
        ReuseValues::Yes
    } else {
        ReuseValues::IfNoneGiven
    }
}

#[cfg(test)]
mod tests {
    use pintle::history::Driver;
    use pintle::plan::file::FORMAT;
    use serde_json::json;

    use super::*;
    use crate::cli::AccessArgs;

    fn file(into: &str) -> PlanFile {
        let hash = format!("sha256:{}", "0".repeat(64));
        let value = json!({
            "format": FORMAT, "pintle": "0.1.0",
            "created": "2026-11-28T10:00:00Z", "expires": "2026-11-28T12:00:00Z",
            "cluster": {"server": "https://a:6443", "uid": "1", "namespace_uid": null, "into": into},
            "release": {"name": "addons", "namespace": "kube-system", "operation": "install",
                "revision": 1, "history": []},
            "inputs": {"salt": "0", "rendered": hash},
            "terms": [], "recreate": [], "resources": [],
            "counts": {"issue": 0, "create": 0, "configure": 0, "recreate": 0, "unchanged": 0,
                "delete": 0, "keep": 0},
        });
        PlanFile::parse(&value.to_string()).unwrap()
    }

    #[track_caller]
    fn check((namespace, into): (Option<&str>, Option<&str>), expected: &str) {
        let global = Global {
            request_timeout: std::time::Duration::from_secs(30),
            namespace: namespace.map(str::to_owned),
            kubeconfig: None,
            kube_context: Some("host".to_owned()),
            access: AccessArgs::default(),
            driver: Driver::default(),
            into: into.map(|into| into.parse().unwrap()),
        };
        let told = match place(&global, &file("tenants/a")) {
            Ok(found) => {
                assert_eq!(found.kube_context.as_deref(), Some("host"));
                let into = found.into.map(|into| into.to_string());
                format!("{:?} {:?}", found.namespace.unwrap(), into.unwrap())
            }
            Err(failure) => {
                let told = failure.differences().iter().map(ToString::to_string);
                told.collect::<Vec<_>>().join("; ")
            }
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_plan_is_carried_out_where_it_was_made() {
        let there = r#""kube-system" "tenants/a""#;
        check((None, None), there);
        check((Some("kube-system"), Some("tenants/a")), there);
        check(
            (Some("default"), Some("b")),
            "--namespace default: the plan was made for namespace kube-system; \
             --into b: the plan was made elsewhere",
        );
    }
}
