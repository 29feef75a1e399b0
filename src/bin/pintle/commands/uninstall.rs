//! `pintle uninstall`.

use std::process::ExitCode;

use pintle::ops::{self, Terms};
use pintle::plan::Permit;

use super::change::{self, Outcome};
use crate::cli::{Format, Global, Uninstall};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(global: &Global, args: &Uninstall) -> Result<ExitCode, Failure> {
    let options = change::options(&args.change, 0);
    let mut terms = Terms {
        rehearsal: change::rehearsal(&args.check, args.change.dry_run),
        ..Terms::default()
    };
    if args.delete_crds {
        terms.consent.permits.insert(Permit::DeleteDefinitions);
    }
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let change = ops::uninstall(&session, &terms).await?;
        let outcome = change::carry_out(&session, change, &args.change, &options).await?;
        if let Outcome::Done(release) = &outcome
            && args.change.output.output == Format::Table
        {
            output::print_text(&format!(
                "Release \"{}\" has been uninstalled.\n",
                release.name
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        change::print(&outcome, &args.change, "uninstalled")
    })
}
