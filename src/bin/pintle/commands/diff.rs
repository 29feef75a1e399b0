//! `pintle diff`.

use std::process::ExitCode;

use pintle::ops::{self, Change, ChartRequest, Session};
use pintle::plan::redact::Secrets;
use pintle::render::Notes;

use super::change;
use crate::cli::{Diff, Global};
use crate::connection::{Connection, with_cluster};
use crate::failure::{DIFFERENT, Failure};
use crate::output;
use crate::output::plan::{Ignored, View};
use crate::output::progress::Progress;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Diff) -> Result<ExitCode, Failure> {
    let view = view(args)?;
    if args.chart.is_none() && !args.values.is_empty() {
        let release = args.name.clone();
        return Err(Failure::ValuesOfRelease { release });
    }
    let differs = match (args.chart.as_deref(), args.revisions.as_slice()) {
        (Some(chart), _) => with_chart(global, args, (chart, view))?,
        (None, []) => with_cluster(global, async |connection| {
            let session = connection.session(&args.name);
            let terms = change::terms(&args.check, (&args.write, &args.consent), None);
            let change = ops::restore(&session, &terms).await?;
            show(&session, change, args, view).await
        })?,
        (None, revisions) => between(global, args, (revisions, view))?,
    };
    Ok(if args.exit_code && differs {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

/// What is shown; the values of Secrets only if that is asked for twice.
fn view(args: &Diff) -> Result<View, Failure> {
    let secrets = match (args.show_secrets, args.yes) {
        (false, _) => Secrets::Redacted,
        (true, true) => Secrets::Shown,
        (true, false) => return Err(Failure::SecretsUnconfirmed),
    };
    let ignored = if args.show_ignored {
        Ignored::Shown
    } else {
        Ignored::Hidden
    };
    Ok(View {
        ignored,
        secrets,
        context: args.context,
    })
}

/// Compares what is live with what a chart asks for.
fn with_chart(global: &Global, args: &Diff, (chart, view): (&str, View)) -> Result<bool, Failure> {
    let chart = super::load_chart(chart)?;
    let overrides = overrides::read(&args.values)?;
    with_cluster(global, async |connection: Connection| {
        let session = connection.session(&args.name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: Notes::Root,
            reuse: args.reuse.reuse(),
            schemas: args.parts.schemas(),
            crds: args.parts.crds(),
        };
        let terms = change::terms(&args.check, (&args.write, &args.consent), None);
        let change = ops::upgrade(&session, &request, &terms).await?;
        show(&session, change, args, view).await
    })
}

/// Prints a change, and tells whether it would do anything.
async fn show(
    session: &Session<'_>,
    mut change: Change,
    args: &Diff,
    view: View,
) -> Result<bool, Failure> {
    match view.ignored {
        Ignored::Shown => ops::survey(session, &mut change).await?,
        Ignored::Hidden => ops::attribute(session, &mut change).await,
    }
    let mut progress = Progress::new(session.release);
    progress.all(change.notices.iter().cloned());
    output::plan::print(&change, args.output.output, view)?;
    Ok(!change.plan.counts().is_no_change())
}

/// Compares two records.
fn between(
    global: &Global,
    args: &Diff,
    (revisions, view): (&[u32], View),
) -> Result<bool, Failure> {
    let (from, to) = match *revisions {
        [from] => (from, None),
        [from, to] => (from, Some(to)),
        _ => {
            let count = revisions.len();
            return Err(Failure::ManyRevisions { count });
        }
    };
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let found = ops::between(&session, from, to).await?;
        output::plan::print_between(&found, args.output.output, view)
    })
}
