//! `pintle install`.

use std::process::ExitCode;

use pintle::ops::{self, ChartRequest, NamespacePolicy};

use super::change;
use crate::cli::{Global, Install};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Install) -> Result<ExitCode, Failure> {
    let chart = super::load_chart(&args.chart)?;
    let overrides = overrides::read(&args.values)?;
    let mut terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        args.change.dry_run,
    );
    if args.create_namespace {
        terms.namespace = NamespacePolicy::Create;
    }
    let options = change::options(&args.change, 0);
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: args.notes.notes(),
        };
        let change = ops::install(&session, &request, &terms).await?;
        let outcome = change::carry_out(&session, change, &args.change, &options).await?;
        change::print(&outcome, &args.change, "installed")
    })
}
