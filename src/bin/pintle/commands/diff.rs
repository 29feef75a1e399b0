//! `pintle diff`.

use std::process::ExitCode;

use pintle::ops::{self, ChartRequest};
use pintle::render::Notes;

use super::change;
use crate::cli::{Diff, Global};
use crate::connection::with_cluster;
use crate::failure::{DIFFERENT, Failure};
use crate::output;
use crate::output::plan::Ignored;
use crate::output::progress::Progress;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Diff) -> Result<ExitCode, Failure> {
    let chart = super::load_chart(&args.chart)?;
    let overrides = overrides::read(&args.values)?;
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: Notes::Root,
        };
        let terms = change::terms(&args.check, (&args.write, &args.consent), None);
        let change = ops::upgrade(&session, &request, &terms).await?;
        let mut progress = Progress::new(&args.name);
        progress.all(change.notices.iter().cloned());
        let ignored = if args.show_ignored {
            Ignored::Shown
        } else {
            Ignored::Hidden
        };
        output::plan::print(&change, args.output.output, ignored)?;
        let differs = !change.plan.counts().is_no_change();
        Ok(if args.exit_code && differs {
            ExitCode::from(DIFFERENT)
        } else {
            ExitCode::SUCCESS
        })
    })
}
