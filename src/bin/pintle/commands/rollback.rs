//! `pintle rollback`.

use std::process::ExitCode;

use pintle::ops::{self, Rules};

use super::change;
use crate::cli::{Global, Rollback};
use crate::connection::with_cluster;
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &Rollback) -> Result<ExitCode, Failure> {
    let mut options = change::options(&args.change);
    options.leftovers = args.cleanup.leftovers();
    let mut terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        Some(&args.change),
    );
    terms.hooks = args.hooks.policy();
    terms.recording.description.clone_from(&args.description);
    terms.recording.history_max = args.history.history_max;
    let rules = if args.ignore_rules {
        Rules::Waive
    } else {
        Rules::Hold
    };
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        // As in Helm, 0 is as good as none.
        let to = args.revision.filter(|revision| *revision > 0);
        let decide = async || ops::rollback(&session, to, rules, &terms).await;
        let outcome = change::run(&session, (&args.change, &options), decide).await?;
        change::print(&outcome, &args.change, "rolled back")
    })
}
