//! `pintle upgrade`.

use std::process::ExitCode;

use pintle::ops::{self, ChartRequest};

use super::change;
use crate::cli::{Global, Upgrade};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Upgrade) -> Result<ExitCode, Failure> {
    let chart = super::load_chart(&args.chart)?;
    let overrides = overrides::read(&args.values)?;
    let history_max = args.history.history_max;
    let options = change::options(&args.change, history_max);
    let terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        args.change.dry_run,
    );
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: args.notes.notes(),
        };
        let change = ops::upgrade(&session, &request, &terms).await?;
        let outcome = change::carry_out(&session, change, &args.change, &options).await?;
        change::print(&outcome, &args.change, "upgraded")
    })
}
