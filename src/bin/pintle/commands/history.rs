//! `pintle history`.

use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, History};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output::entries::{self, HistoryView};

pub(super) fn run(global: &Global, args: &History) -> Result<ExitCode, Failure> {
    let view = if args.show_rollback_revision {
        HistoryView::WithRollbacks
    } else {
        HistoryView::Plain
    };
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let revisions = ops::history(&session, args.max, args.pending.patience()).await?;
        entries::print_history(&revisions, args.output.output, view)?;
        Ok(ExitCode::SUCCESS)
    })
}
