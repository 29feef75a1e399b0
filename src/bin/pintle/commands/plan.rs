//! `pintle plan`.

use std::path::Path;
use std::process::ExitCode;

use jiff::SignedDuration;
use pintle::ops::{
    self, Change, ChartRequest, Making, NamespacePolicy, ReuseValues, Rules, Session, Terms,
};
use pintle::plan::file::{PlanFile, Term};
use pintle::source;

use super::change;
use super::inputs::{self, Given};
use crate::cli::{Global, Plan};
use crate::connection::{Connection, with_cluster};
use crate::failure::{DIFFERENT, Failure};
use crate::output;
use crate::output::plan::{Ignored, View};
use crate::output::progress::Progress;

pub(super) fn run(global: &Global, args: &Plan) -> Result<ExitCode, Failure> {
    let out = args.out.as_deref();
    if out == Some(Path::new("-")) {
        return Err(Failure::NoFile);
    }
    let given = match &args.chart {
        Some(chart) => inputs::read(chart, &args.values)?,
        None => Given::default(),
    };
    let mut terms = change::terms(&args.check, (&args.write, &args.consent), None);
    terms.hooks = args.hooks.policy();
    if args.create_namespace {
        terms.namespace = NamespacePolicy::Create;
    }
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let mut change = decide(&connection, (&session, args), &given, &terms).await?;
        let mut file = None;
        if out.is_some() {
            let into = global.into.as_ref().map(ToString::to_string);
            let making = making(args, &given, into)?;
            file = Some(ops::save(&session, &change, making).await?);
        }
        if args.show_ignored {
            ops::survey(&session, &mut change).await?;
        } else {
            ops::attribute(&session, &mut change).await;
        }
        show(&change, args)?;
        if let Some((out, file)) = out.zip(file) {
            write(out, &file)?;
        }
        let differs = !change.plan.counts().is_no_change();
        Ok(if args.exit_code && differs {
            ExitCode::from(DIFFERENT)
        } else {
            ExitCode::SUCCESS
        })
    })
}

async fn decide(
    connection: &Connection,
    (session, args): (&Session<'_>, &Plan),
    given: &Given,
    terms: &Terms,
) -> Result<Change, Failure> {
    let Some(named) = &given.chart else {
        let to = args.rollback.filter(|revision| *revision > 0);
        let rules = if args.ignore_rules {
            Rules::Waive
        } else {
            Rules::Hold
        };
        return Ok(ops::rollback(session, to, rules, terms).await?);
    };
    let tenant = connection.tenant_values(&named.chart);
    let request = ChartRequest {
        chart: &named.chart,
        overrides: &given.overrides,
        tenant: &tenant,
        notes: args.notes.notes(),
        reuse: args.reuse.reuse(),
        schemas: args.parts.schemas(),
        crds: args.parts.crds(),
    };
    Ok(ops::plan(session, &request, terms).await?)
}

/// What the file says besides the plan.
fn making(args: &Plan, given: &Given, into: Option<String>) -> Result<Making, Failure> {
    let asked = [
        (args.notes.is_given(), Term::RenderSubchartNotes),
        (args.ignore_rules, Term::IgnoreRules),
        (
            args.parts.skip_schema_validation,
            Term::SkipSchemaValidation,
        ),
        (args.parts.skip_crds, Term::SkipCrds),
    ];
    let asked = asked.into_iter().filter(|(is_given, _)| *is_given);
    let reuse = match args.reuse.reuse() {
        ReuseValues::IfNoneGiven => None,
        ReuseValues::No => Some(Term::ResetValues),
        ReuseValues::WithDefaults => Some(Term::ReuseValues),
        ReuseValues::Yes => Some(Term::ResetThenReuseValues),
    };
    Ok(Making {
        inputs: given.inputs(&inputs::salt()?)?,
        asked: asked.map(|(_, term)| term).chain(reuse).collect(),
        lifetime: SignedDuration::try_from(args.expires).unwrap_or_default(),
        into,
    })
}

fn show(change: &Change, args: &Plan) -> Result<(), Failure> {
    Progress::new(&args.name).all(change.notices.iter().cloned());
    let ignored = if args.show_ignored {
        Ignored::Shown
    } else {
        Ignored::Hidden
    };
    let view = View {
        ignored,
        ..View::default()
    };
    output::plan::print(change, args.output.output, view)
}

fn write(out: &Path, file: &PlanFile) -> Result<(), Failure> {
    source::write_private(out, &file.to_text()).map_err(ops::Error::from)?;
    output::progress::print(&format!(
        "wrote {}, which `pintle apply` carries out until {:.0}",
        out.display(),
        file.expires
    ));
    Ok(())
}
