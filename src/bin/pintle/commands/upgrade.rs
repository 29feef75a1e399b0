//! `pintle upgrade`.

use std::cell::Cell;
use std::process::ExitCode;

use pintle::ops::{self, ChartRequest, NamespacePolicy, Unchanged};
use pintle::release::Status;

use super::change;
use crate::cli::{Global, Upgrade};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Upgrade) -> Result<ExitCode, Failure> {
    let chart = super::load_chart(&args.chart)?;
    let overrides = overrides::read(&args.values)?;
    let mut options = change::options(&args.change);
    options.on_failure = args.failure.on_failure();
    options.leftovers = args.cleanup.leftovers();
    let mut terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        Some(&args.change),
    );
    terms.recording = args.record.recording();
    terms.recording.history_max = args.history.history_max;
    if args.force_revision {
        terms.recording.unchanged = Unchanged::Record;
    }
    if args.install && args.create_namespace {
        terms.namespace = NamespacePolicy::Create;
    }
    terms.hooks = args.hooks.policy();
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: args.notes.notes(),
            reuse: args.reuse.reuse(),
            schemas: args.parts.schemas(),
            crds: args.parts.crds(),
        };
        let done = Cell::new("upgraded");
        let decide = async || {
            let change = if args.install {
                ops::upgrade_or_install(&session, &request, &terms).await?
            } else {
                ops::upgrade(&session, &request, &terms).await?
            };
            if change.release.info.status == Status::PendingInstall {
                done.set("installed");
            }
            Ok(change)
        };
        let outcome = change::run(&session, (&args.change, &options), decide).await?;
        let outcome = change::showing(outcome, args.notes.shown());
        change::print(&outcome, &args.change, done.get())
    })
}
